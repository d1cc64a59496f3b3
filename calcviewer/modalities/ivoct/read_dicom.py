"""Pullbacks from DICOM: IVOCT objects and the exports of consoles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from calcviewer.core.errors import UnreadableInputError
from calcviewer.core.pullback import (
    CalibratedValue,
    Calibration,
    Intensity,
    Origin,
    SourceReference,
)
from calcviewer.dicom.acquisition import IvoctAttributes
from calcviewer.dicom.frames import DicomFrames
from calcviewer.dicom.header import (
    FOR_PRESENTATION,
    FOR_PROCESSING,
    DicomHeader,
    Palette,
    read_header,
)
from calcviewer.modalities.ivoct.assemble import Content
from calcviewer.modalities.ivoct.pictures import (
    FieldFinder,
    GreyPictures,
    Orientation,
    PalettePictures,
    Pictures,
    RawFrames,
    pictures_of,
)

Picture = NDArray[np.generic]


@dataclass(frozen=True)
class RateRule:
    """A console's frame rate by its pullback speed, where the header's Frame Time is no use."""

    pullback_rate_mm_s: float
    frames_per_second: float

    @property
    def origin(self) -> str:
        """The rule in words, shown beside the value."""
        return (
            f"consoles that pull back at {self.pullback_rate_mm_s:g} mm/s take "
            f"{self.frames_per_second:g} frames/s"
        )


RATE_RULES = (
    RateRule(18.0, 180.0),
    RateRule(36.0, 180.0),
    RateRule(10.0, 100.0),
    RateRule(20.0, 100.0),
    RateRule(25.0, 100.0),
)


@dataclass(frozen=True)
class LengthRule:
    """What a number of frames suggests about the length of a pullback; never applied unasked."""

    fewest_frames: int
    most_frames: int
    length_mm: float


LENGTH_RULES = (LengthRule(350, 400, 75.0), LengthRule(250, 300, 54.0), LengthRule(500, 550, 54.0))


@dataclass(frozen=True)
class SpacingRule:
    """Pixel spacings seen in exports of one size; several fit one size, so none is applied."""

    size_px: int
    pixel_spacings_mm: tuple[float, ...]


SPACING_RULES = (SpacingRule(704, (0.014225, 0.014936)), SpacingRule(1024, (0.006843, 0.009775)))

_SLOWEST_FRAME_TIME_MS = 50.0
"""No intravascular OCT console takes fewer than 20 frames a second: a longer time is wrong."""
_PALETTE_SIZE = 256


@dataclass(frozen=True, eq=False)
class DicomSeries:
    """Single-frame instances of one series as the frames of a pullback."""

    files: tuple[DicomFrames, ...]

    @property
    def count(self) -> int:
        """Number of frames."""
        return len(self.files)

    def frame(self, index: int) -> Picture:
        """Read one frame as stored."""
        return self.files[index].frame(0)


@dataclass(frozen=True, eq=False)
class PaletteColours:
    """Frames of a palette too large for 8-bit indices, as RGB."""

    raw: RawFrames
    palette: Palette

    @property
    def count(self) -> int:
        """Number of frames."""
        return self.raw.count

    def frame(self, index: int) -> Picture:
        """Return one frame as RGB uint8."""
        entry = self.raw.frame(index).astype(np.int64) - self.palette.first
        return self.palette.colours[np.clip(entry, 0, len(self.palette.colours) - 1)]


def read_dicom(paths: Sequence[Path]) -> Content:
    """Read one multi-frame DICOM image, or the single-frame images of one series.

    Raises
    ------
    UnreadableInputError
        When a file is damaged, holds another modality, or the files are no one pullback.
    """
    headers = [read_header(path) for path in paths]
    if len(headers) == 1:
        image = DicomFrames(headers[0])
        image.check()
        return _content(headers[0], image, ())
    headers = _one_series(headers)
    files = tuple(DicomFrames(header) for header in headers)
    for file in files:
        file.check()
    names = tuple(header.path.stem for header in headers)
    return _content(headers[0], DicomSeries(files), names)


def _one_series(headers: list[DicomHeader]) -> list[DicomHeader]:
    """Return single-frame instances in order; refuse what is not one series of one size."""
    first = headers[0]
    folder = first.path.parent
    for header in headers:
        if header.pixels.frame_count > 1 or header.series_instance_uid != first.series_instance_uid:
            raise UnreadableInputError(
                f"{folder} holds several pullbacks, among them {first.path.name} and "
                f"{header.path.name if header is not first else headers[1].path.name}.",
                "Open one of the files.",
            )
        if (header.pixels.rows, header.pixels.columns) != (first.pixels.rows, first.pixels.columns):
            raise UnreadableInputError(
                f"{header.path} has {header.pixels.columns} x {header.pixels.rows} pixels, but "
                f"{first.path.name} has {first.pixels.columns} x {first.pixels.rows}: the frames "
                "of a pullback have one size.",
                "Keep only the frames of one pullback in the folder.",
            )
    return sorted(headers, key=lambda header: (header.instance_number, header.path.name))


def _content(
    header: DicomHeader, raw: DicomFrames | DicomSeries, names: tuple[str, ...]
) -> Content:
    polar = header.sop_class_uid == FOR_PROCESSING
    relationship = (
        Intensity.LINEAR
        if polar and header.acquisition.intensity_relationship == "LIN"
        else Intensity.LOG
    )
    pictures, finder = _pictures(header, raw, relationship)
    calibration, notes = _calibration(header, raw.count, polar=polar)
    attributes = header.acquisition
    motorised = attributes.acquisition in ("", "MOTORIZED", "MEASURED")
    if not motorised:
        notes.append(
            f"The acquisition was {attributes.acquisition.lower()}, not motorised: lengths are "
            "unavailable."
        )
    return Content(
        name=header.path.stem if not names else header.path.parent.name,
        pictures=pictures,
        finder=finder,
        count=raw.count,
        geometry="polar" if polar else "cartesian",
        calibration=calibration,
        intensity=relationship,
        source=_reference(header, names),
        orientation=_orientation(header) if polar else None,
        round_field=header.sop_class_uid not in (FOR_PROCESSING, FOR_PRESENTATION),
        motorised=motorised,
        notes=tuple(notes),
    )


def _pictures(
    header: DicomHeader, raw: RawFrames, relationship: Intensity
) -> tuple[Pictures, FieldFinder]:
    finder = FieldFinder(raw)
    palette = header.palette
    if palette is not None and header.pixels.samples_per_pixel == 1:
        if header.pixels.bits_allocated == 8:
            return PalettePictures(raw, _full_palette(palette)), finder
        colours = PaletteColours(raw, palette)
        finder = FieldFinder(colours)
        return pictures_of(colours, relationship, finder), finder
    if header.pixels.photometric == "MONOCHROME1":
        return GreyPictures(raw, relationship, inverted=True), finder
    return pictures_of(raw, relationship, finder), finder


def _full_palette(palette: Palette) -> NDArray[np.uint8]:
    """Return 256 colours; what a supplemental palette leaves out is grey."""
    full = np.repeat(np.arange(_PALETTE_SIZE, dtype=np.uint8)[:, None], 3, axis=1)
    colours = palette.colours[: _PALETTE_SIZE - palette.first]
    full[palette.first : palette.first + len(colours)] = colours
    return full


def _reference(header: DicomHeader, names: tuple[str, ...]) -> SourceReference:
    return SourceReference(
        path=header.path if not names else header.path.parent,
        kind="dicom",
        sop_class_uid=header.sop_class_uid,
        sop_instance_uid=header.sop_instance_uid,
        study_instance_uid=header.study_instance_uid,
        frame_names=names,
        header=header.printed,
    )


def _orientation(header: DicomHeader) -> Orientation:
    """Return how the A-lines of a For Processing image become canonical ones.

    First A-line Location counts from vertical, canonical angles from +x; seen from the motor, which
    is the way cross-sections are shown, CW runs clockwise (PS3.3 C.8.27.4, C.8.27.5).
    """
    attributes = header.acquisition
    a_lines = header.pixels.rows - min(attributes.padded_a_lines, header.pixels.rows - 1)
    location_deg = attributes.first_a_line_deg
    from_x_deg = 0.0 if location_deg is None else location_deg - 90
    return Orientation(
        a_lines=a_lines,
        clockwise=attributes.clockwise,
        first_a_line=round(from_x_deg / 360 * a_lines) % a_lines,
        seam_indices=attributes.seam_indices,
        shifts_px=_shifts_px(attributes),
    )


def _zero_px(attributes: IvoctAttributes) -> int | None:
    """Return the offset, in samples, that all frames share; None when the file does not say."""
    if attributes.z_offset_applied:
        return 0
    if attributes.z_offset_applied is None or not attributes.z_offsets_px:
        return None
    return max(int(np.median(attributes.z_offsets_px)), 0)


def _shifts_px(attributes: IvoctAttributes) -> tuple[int, ...]:
    """Return each frame's shift beyond the common offset; empty when there is none."""
    zero = _zero_px(attributes)
    if zero is None or attributes.z_offset_applied:
        return ()
    shifts = tuple(offset - zero for offset in attributes.z_offsets_px)
    return shifts if any(shifts) else ()


def _calibration(header: DicomHeader, count: int, *, polar: bool) -> tuple[Calibration, list[str]]:
    notes: list[str] = []
    origin = Origin.SIMULATED if header.simulated else Origin.DICOM
    attributes = header.acquisition
    spacing = _sample_spacing(header, notes) if polar else _cartesian_spacing(header, notes)
    zero = None
    zero_px = _zero_px(attributes)
    if polar and spacing is not None and zero_px is not None:
        note = (
            "Z offset already applied"
            if attributes.z_offset_applied
            else f"OCT Z Offset Correction of {zero_px} samples"
        )
        zero = CalibratedValue(zero_px * spacing.value, origin, note)
    pitch = _frame_pitch(attributes, origin)
    if pitch is None:
        notes.extend(_length_suggestions(count))
    if attributes.pullback_frames is not None:
        start, stop = attributes.pullback_frames
        if (start, stop) not in ((1, count), (0, count - 1)):
            notes.append(f"The motorised pullback covers frames {start} to {stop}.")
    return Calibration(spacing, pitch, zero), notes


def _sample_spacing(header: DicomHeader, notes: list[str]) -> CalibratedValue | None:
    """Return tissue mm per sample: the air spacing divided by the refractive index."""
    attributes = header.acquisition
    origin = Origin.SIMULATED if header.simulated else Origin.DICOM
    spacing, source = attributes.a_line_spacing_mm, "A-line Pixel Spacing"
    applied, index = attributes.refractive_index_applied, attributes.refractive_index
    if spacing is None:
        if attributes.ranging_depth_mm is None:
            return None
        spacing = attributes.ranging_depth_mm / header.pixels.columns
        source, applied = "Ranging Depth, in air, over the samples", False
    if applied:
        return CalibratedValue(spacing, origin, f"{source}, refractive index applied")
    if applied is None or index is None:
        missing = "Refractive Index Applied" if applied is None else "Effective Refractive Index"
        notes.append(f"The sample spacing is not known: the file gives no {missing}.")
        return None
    return CalibratedValue(spacing / index, origin, f"{source} divided by {index:g}")


def _cartesian_spacing(header: DicomHeader, notes: list[str]) -> CalibratedValue | None:
    origin = Origin.SIMULATED if header.simulated else Origin.DICOM
    attributes = header.acquisition
    for pair, source in (
        (attributes.pixel_spacing_mm, "Pixel Spacing"),
        (attributes.region_spacing_mm, "Sequence of Ultrasound Regions, given in cm"),
    ):
        if pair is None:
            continue
        if abs(pair[0] - pair[1]) > 1e-3 * pair[0]:
            notes.append(f"{source} differs between rows and columns and is not used.")
            continue
        return CalibratedValue((pair[0] + pair[1]) / 2, origin, source)
    size = (header.pixels.rows, header.pixels.columns)
    for rule in SPACING_RULES:
        if size == (rule.size_px, rule.size_px):
            seen = " or ".join(f"{spacing:g}" for spacing in rule.pixel_spacings_mm)
            notes.append(
                f"Exports of {rule.size_px} x {rule.size_px} pixels were seen with {seen} mm per "
                "pixel: confirm one."
            )
    return None


def _frame_pitch(attributes: IvoctAttributes, origin: Origin) -> CalibratedValue | None:
    measured = _pitch_from_distances(attributes.longitudinal_mm)
    if measured is not None:
        return CalibratedValue(measured, origin, "Intravascular Longitudinal Distance")
    if attributes.slice_spacing_mm is not None:
        return CalibratedValue(attributes.slice_spacing_mm, origin, "Spacing Between Slices")
    speed = attributes.pullback_rate_mm_s
    if speed is None:
        return None
    if attributes.frames_per_second is not None:
        rate = attributes.frames_per_second
        return CalibratedValue(speed / rate, origin, f"{speed:g} mm/s at {rate:g} frames/s")
    frame_time = attributes.frame_time_ms
    if frame_time is not None and frame_time < _SLOWEST_FRAME_TIME_MS:
        return CalibratedValue(
            speed * frame_time / 1000, origin, f"{speed:g} mm/s, Frame Time {frame_time:g} ms"
        )
    for rule in RATE_RULES:
        if abs(rule.pullback_rate_mm_s - speed) < 1e-3 * speed:
            pitch = speed / rule.frames_per_second
            return CalibratedValue(pitch, Origin.VENDOR_RULE, rule.origin)
    return None


def _pitch_from_distances(distances_mm: tuple[float, ...]) -> float | None:
    """Return the frame pitch of per-frame longitudinal distances.

    The standard has each frame's distance from the frame before (PS3.3 C.8.27.6.2); some writers
    give the distance from the first frame, which then grows evenly.
    """
    if len(distances_mm) < 2:
        return None
    values = np.abs(np.asarray(distances_mm))
    steps = np.diff(values)
    grows = bool(np.all(steps > 0)) and len(values) > 2
    pitch = float(np.median(steps if grows else values[1:]))
    return pitch if pitch > 0 else None


def _length_suggestions(count: int) -> list[str]:
    return [
        f"Pullbacks of {count} frames are often {rule.length_mm:g} mm long "
        f"({rule.length_mm / count:.3f} mm per frame): confirm the frame pitch."
        for rule in LENGTH_RULES
        if rule.fewest_frames <= count <= rule.most_frames
    ]
