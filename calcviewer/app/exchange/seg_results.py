"""Annotations to DICOM Segmentations and back."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np

from calcviewer.app.exchange.labelled_study import annotation_at, labelled_study
from calcviewer.app.exchange.reading_aids import (
    NOT_MEASURED,
    ReadingAids,
    aids_of_text,
    aids_text,
    annotations_in_force,
    orientation_of,
)
from calcviewer.app.exchange.stored_contours import contours_bytes, contours_of
from calcviewer.app.session import IvoctStudy
from calcviewer.core.annotation import (
    FrameAnnotation,
    LabelMap,
    Provenance,
    labels_of_annotation,
    moved_radially,
)
from calcviewer.core.contour import Contour, rasterise
from calcviewer.core.errors import CalcViewerError, UnreadableInputError
from calcviewer.core.geometry import Grid, PolarGrid
from calcviewer.core.pullback import (
    CalibratedValue,
    Calibration,
    CartesianLayout,
    Layout,
    Origin,
    PolarLayout,
    Pullback,
)
from calcviewer.core.scratch import scratch_array
from calcviewer.dicom.codes import EEL_SEGMENT
from calcviewer.dicom.seg import PixelPlanes, SegPixels, algorithm_type, write_seg
from calcviewer.dicom.seg_reader import SegHeader, read_seg_header
from calcviewer.dicom.source import ResultSource
from calcviewer.modalities.ivoct.assemble import NOMINAL_FIELD_RADIUS_MM
from calcviewer.modalities.ivoct.pictures import Orientation, PolarFrames

_UNKNOWN_PITCH_MM = 1.0
_HINT = "Choose the segmentation that was made on this pullback."


def write_study_seg(path: Path, study: IvoctStudy, source: ResultSource) -> None:
    """Write the annotations in force on the source's own pixels.

    Pixels lie on disk while the file is built, so that a long pullback fits into memory.

    Raises
    ------
    CalcViewerError
        When the file cannot be written.
    """
    pullback = study.calibrated_pullback
    annotations = {k: _nameless(one) for k, one in annotations_in_force(study).items()}
    shape = pullback.frame_count, *_stored_shape(pullback)
    has_eel = any(one.eel is not None for one in annotations.values())
    with ExitStack() as stack:
        labels = stack.enter_context(scratch_array(shape))
        eel = stack.enter_context(scratch_array(shape)) if has_eel else None
        pixels = SegPixels(labels=labels, eel=eel)
        provenance = _draw(annotations, pullback, pixels)
        write_seg(
            path,
            pixels,
            source=source,
            planes=_planes(pullback),
            provenance=provenance,
            model=study.model,
            reading_aids=aids_text(study, stored_order=True),
            exact_contours=contours_bytes(annotations),
        )
        del labels, eel, pixels


def _nameless(annotation: FrameAnnotation) -> FrameAnnotation:
    """Return the annotation without why it failed, which may name a file and so a patient."""
    return replace(annotation, failure=NOT_MEASURED) if annotation.failure else annotation


def _draw(
    annotations: Mapping[int, FrameAnnotation], pullback: Pullback, pixels: SegPixels
) -> Mapping[int, Provenance]:
    """Draw annotations on stored pixels; returns by whom each segment was made, by its number."""
    orientation = orientation_of(pullback)
    made: dict[int, list[Provenance]] = {segment.number: [] for segment, _ in pixels.segments()}
    for index, annotation in annotations.items():
        if annotation.failure:
            continue
        drawn = [(pixels.labels, labels_of_annotation(annotation, pullback.grid))]
        if pixels.eel is not None and annotation.eel is not None:
            drawn.append((pixels.eel, _eel_labels(annotation.eel, pullback.grid)))
        for target, frame in drawn:
            rows = target.shape[1]
            target[index] = orientation.undo(frame, index, rows) if orientation else frame
            for number in np.unique(frame[frame > 0]).tolist():
                # Only an operator draws the EEL.
                eel = number == EEL_SEGMENT.number
                made[number].append(Provenance.MANUAL if eel else annotation.provenance)
    return {number: algorithm_type(kinds) for number, kinds in made.items()}


def _eel_labels(eel: Contour, grid: Grid) -> LabelMap:
    return rasterise([eel], grid).astype(np.uint8) * np.uint8(EEL_SEGMENT.number)


def study_of_seg(path: Path) -> IvoctStudy:
    """Read a segmentation as a study whose predictions are its segments.

    A file of another program is taken to be about the middle of its frames where the source is
    Cartesian; where it refers to an IVOCT For Processing image, rows are A-lines.

    Raises
    ------
    UnreadableInputError
        When it is missing, damaged, no segmentation, or holds neither lumen nor calcium.
    """
    header = read_seg_header(path)
    aids = _fitting_aids(header)
    layout = _foreign_layout(header) if aids is None else aids.layout
    calibration = _foreign_calibration(header) if aids is None else aids.calibration
    orientation = None if aids is None else aids.orientation
    return labelled_study(
        path,
        lambda index: _canonical(header.labels(index), index, orientation),
        eel_at=lambda index: _canonical_eel(header, index, orientation),
        kind="DICOM SEG",
        frame_count=header.frame_count if aids is None else aids.frame_count,
        layout=layout,
        calibration=calibration,
        working_spacing_mm=_working_spacing_mm(header, aids),
        aids=aids,
        exact=_exact(header),
    )


def annotations_of_seg(path: Path, pullback: Pullback) -> Mapping[int, FrameAnnotation]:
    """Read a segmentation as annotations of a pullback, in mm of its own calibration.

    Returns
    -------
    Annotations by frame (0-based), of the frames in which the file has a structure or which the
    program annotated before it wrote the file.

    Raises
    ------
    CalcViewerError
        When it cannot be read, or was not made on this pullback.
    """
    header = read_seg_header(path)
    _check_same_source(header, pullback)
    aids = _fitting_aids(header)
    orientation = orientation_of(pullback)
    exact = {} if aids is None else _exact(header)
    # What the program wrote is in mm of the calibration that was in force then.
    grid = pullback.grid if aids is None else aids.grid
    drawn = {one.frame for one in header.frames}
    found = {
        index: annotation_at(
            _canonical(header.labels(index), index, orientation),
            grid,
            index,
            aids=aids,
            exact=exact.get(index),
            eel=_canonical_eel(header, index, orientation),
        )
        for index in sorted(drawn if aids is None else drawn | aids.provenance.keys())
    }
    return MappingProxyType(
        {
            k: one if grid == pullback.grid else moved_radially(one, grid, pullback.grid)
            for k, one in found.items()
            if one is not None
        }
    )


def _exact(header: SegHeader) -> Mapping[int, FrameAnnotation]:
    """Return the contours the file was drawn from, as far as it holds them."""
    if not header.exact_contours:
        return {}
    try:
        return contours_of(header.exact_contours)
    except (ValueError, KeyError, TypeError):
        return {}


def _check_same_source(header: SegHeader, pullback: Pullback) -> None:
    uid = pullback.source.sop_instance_uid
    if header.instance_uids and uid and uid not in header.instance_uids:
        raise CalcViewerError(f"{header.path} was made on another image.", _HINT)
    shape = _stored_shape(pullback)
    if (header.rows, header.columns) != shape or header.frame_count > pullback.frame_count:
        raise CalcViewerError(
            f"{header.path} has {header.frame_count} frames of {header.columns} x {header.rows} "
            f"pixels, the pullback {pullback.frame_count} of {shape[1]} x {shape[0]}.",
            _HINT,
        )


def _fitting_aids(header: SegHeader) -> ReadingAids | None:
    """Return the program's own notes, unless they do not belong to these pixels."""
    aids = aids_of_text(header.reading_aids) if header.reading_aids else None
    if aids is None or aids.frame_count < header.frame_count:
        return None
    layout = aids.layout
    if isinstance(layout, CartesianLayout):
        fits = (layout.rows, layout.columns) == (header.rows, header.columns)
    else:
        fits = layout.a_lines <= header.rows and layout.samples == header.columns
    return aids if fits else None


def _canonical(stored: LabelMap, index: int, orientation: Orientation | None) -> LabelMap:
    return stored if orientation is None else orientation.apply(stored, index).astype(np.uint8)


def _canonical_eel(
    header: SegHeader, index: int, orientation: Orientation | None
) -> LabelMap | None:
    stored = header.eel(index)
    return None if stored is None else _canonical(stored, index, orientation)


def _stored_shape(pullback: Pullback) -> tuple[int, int]:
    """Rows and columns of the frames as the source stores them, padding included."""
    if isinstance(pullback.frames, PolarFrames):
        shown = pullback.frames.pictures.shown(0)
        return int(shown.shape[0]), int(shown.shape[1])
    return pullback.grid.shape


def _planes(pullback: Pullback) -> PixelPlanes:
    grid: Grid = pullback.grid
    pitch = pullback.calibration.frame_pitch_mm
    pitch_mm = _UNKNOWN_PITCH_MM if pitch is None else pitch.value
    if isinstance(grid, PolarGrid):
        spacing = grid.sample_spacing_mm
        first = (grid.zero_radius_mm + spacing / 2, 0.0)
    else:
        spacing = grid.pixel_spacing_mm
        first = (-grid.centre_px[0] * spacing, -grid.centre_px[1] * spacing)
    return PixelPlanes(pixel_spacing_mm=spacing, frame_pitch_mm=pitch_mm, first_pixel_mm=first)


# --- files of other programs ---------------------------------------------------------------------


def _foreign_layout(header: SegHeader) -> Layout:
    if header.polar:
        return PolarLayout(header.rows, header.columns)
    middle = ((header.columns - 1) / 2, (header.rows - 1) / 2)
    radius_px = min(header.rows, header.columns) / 2
    return CartesianLayout(header.rows, header.columns, middle, radius_px)


def _foreign_calibration(header: SegHeader) -> Calibration:
    spacing = header.pixel_spacing_mm
    if spacing is not None and not header.polar and abs(spacing[0] / spacing[1] - 1) > 1e-3:
        raise UnreadableInputError(
            f"{header.path} has pixels of {spacing[1]} x {spacing[0]} mm, which are not square.",
            "Export the segmentation on the pixels of the pullback.",
        )
    pitch = header.frame_pitch_mm
    if spacing is None:
        return Calibration()
    return Calibration(
        CalibratedValue(spacing[1], Origin.DICOM, "Pixel Spacing of the segmentation"),
        None if pitch is None else CalibratedValue(pitch, Origin.DICOM, "Spacing Between Slices"),
        CalibratedValue(0.0, Origin.DICOM, "convention: depth begins at the catheter's centre"),
    )


def _working_spacing_mm(header: SegHeader, aids: ReadingAids | None) -> float:
    if aids is not None:
        return aids.working_spacing_mm
    if header.pixel_spacing_mm is not None:
        return header.pixel_spacing_mm[1]
    reach_px = header.columns if header.polar else min(header.rows, header.columns) / 2
    return NOMINAL_FIELD_RADIUS_MM / reach_px
