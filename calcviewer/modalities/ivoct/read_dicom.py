"""Pullbacks from DICOM: IVOCT objects and the exports of consoles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from calcviewer.core.errors import UnreadableInputError
from calcviewer.core.pullback import Intensity, SourceReference
from calcviewer.dicom.acquisition import IvoctAttributes
from calcviewer.dicom.frames import DicomFrames
from calcviewer.dicom.header import (
    FOR_PRESENTATION,
    FOR_PROCESSING,
    DicomHeader,
    Palette,
    PixelFormat,
    read_header,
    sop_class_name,
)
from calcviewer.modalities.ivoct.assemble import Content
from calcviewer.modalities.ivoct.gold import grey_table, is_one_ramp
from calcviewer.modalities.ivoct.pictures import (
    FieldFinder,
    Orientation,
    PalettePictures,
    Pictures,
    RawFrames,
    pictures_of,
)
from calcviewer.modalities.ivoct.read_calibration import (
    calibration_of,
    cartesian_spacing,
    measured_pitch,
    stated_rate,
    zero_px,
)
from calcviewer.modalities.ivoct.vendor_rules import Quantity, SourceFacts, applied_rule

Picture = NDArray[np.generic]


_MODALITY = "IVOCT"
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
    headers = [_accepted(read_header(path)) for path in paths]
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


@dataclass(frozen=True, eq=False)
class Negative:
    """Frames whose high values are dark (MONOCHROME1), with high values bright."""

    raw: RawFrames
    form: PixelFormat

    @property
    def count(self) -> int:
        """Number of frames."""
        return self.raw.count

    def frame(self, index: int) -> Picture:
        """Return one frame as unsigned integers; the darkest value there can be becomes 0."""
        form = self.form
        bits = min(max(form.bits_stored, 1), form.bits_allocated)
        darkest = 2 ** (bits - form.signed) - 1
        inverted = np.clip(darkest - self.raw.frame(index).astype(np.int32), 0, 2**bits - 1)
        return np.asarray(inverted, dtype=f"u{form.bits_allocated // 8}")


def is_ivoct_class(header: DicomHeader) -> bool:
    """Whether an image is of one of the two SOP classes of intravascular OCT."""
    return header.sop_class_uid in (FOR_PROCESSING, FOR_PRESENTATION)


def shows_pullback(header: DicomHeader) -> bool:
    """Whether an image is of intravascular OCT, or an export that a vendor rule knows."""
    export = applied_rule(facts_of(header, header.pixels.frame_count), Quantity.EXPORT)
    return is_ivoct_class(header) or header.modality == _MODALITY or export is not None


def facts_of(header: DicomHeader, count: int) -> SourceFacts:
    """Return what vendor rules look at in ``count`` frames under a header."""
    palette = _index_palette(header)
    rate = stated_rate(header.acquisition)
    return SourceFacts(
        rows=header.pixels.rows,
        columns=header.pixels.columns,
        frame_count=count,
        cartesian=header.sop_class_uid != FOR_PROCESSING,
        ivoct_class=is_ivoct_class(header),
        modality=header.modality,
        true_colour=header.pixels.samples_per_pixel == 3,
        drawing_palette=palette is not None and not is_one_ramp(palette),
        spacing_known=cartesian_spacing(header, []) is not None,
        pitch_known=measured_pitch(header, []) is not None,
        pullback_rate_mm_s=header.acquisition.pullback_rate_mm_s,
        stated_rate=None if rate is None else rate[0],
    )


def _accepted(header: DicomHeader) -> DicomHeader:
    """Refuse an image of another kind than intravascular OCT and its exports."""
    if shows_pullback(header):
        return header
    raise UnreadableInputError(
        f"{header.path} holds modality {header.modality or '(none)'} "
        f"({sop_class_name(header.sop_class_uid)}), not an intravascular OCT pullback.",
        "Choose the OCT series of the study.",
    )


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
    facts = facts_of(header, raw.count)
    pictures, finder = _pictures(header, raw, relationship, facts)
    calibration, notes = calibration_of(header, facts)
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
        round_field=not is_ivoct_class(header),
        motorised=motorised,
        notes=tuple(notes),
    )


def _pictures(
    header: DicomHeader, raw: RawFrames, relationship: Intensity, facts: SourceFacts
) -> tuple[Pictures, FieldFinder]:
    indexed = _index_palette(header)
    if indexed is not None:
        rule = applied_rule(facts, Quantity.PALETTE_RAMP)
        first, last = (0, _PALETTE_SIZE - 1) if rule is None else map(int, rule.values)
        return PalettePictures(raw, indexed, (first, last)), FieldFinder(raw)
    if header.palette is not None and header.pixels.samples_per_pixel == 1:
        raw = PaletteColours(raw, header.palette)
    elif header.pixels.photometric == "MONOCHROME1":
        raw = Negative(raw, header.pixels)
    finder = FieldFinder(raw)
    return pictures_of(raw, relationship, finder), finder


def _index_palette(header: DicomHeader) -> NDArray[np.uint8] | None:
    """Return the 256 colours of 8-bit indices; what a supplemental palette leaves out is grey."""
    palette, form = header.palette, header.pixels
    if palette is None or (form.samples_per_pixel, form.bits_allocated) != (1, 8):
        return None
    full = grey_table()
    first = min(max(palette.first, 0), _PALETTE_SIZE)
    colours = palette.colours[: _PALETTE_SIZE - first]
    full[first : first + len(colours)] = colours
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


def _shifts_px(attributes: IvoctAttributes) -> tuple[int, ...]:
    """Return each frame's shift beyond the common offset; empty when there is none."""
    zero = zero_px(attributes)
    if zero is None or attributes.z_offset_applied:
        return ()
    shifts = tuple(offset - zero for offset in attributes.z_offsets_px)
    return shifts if any(shifts) else ()
