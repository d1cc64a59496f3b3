"""What a DICOM image says about its acquisition: scale, orientation, pullback."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pydicom.dataset import Dataset

from calcviewer.dicom.values import number, numbers, positive, text, yes_no


@dataclass(frozen=True)
class IvoctAttributes:
    """The acquisition's attributes that give scale and orientation; None where the file has none.

    Every per-frame tuple has one entry a frame or is empty. Lengths mm, angles degrees.
    """

    a_line_spacing_mm: float | None = None
    refractive_index: float | None = None
    refractive_index_applied: bool | None = None
    ranging_depth_mm: float | None = None
    z_offset_applied: bool | None = None
    z_offsets_px: tuple[int, ...] = ()
    first_a_line_deg: float | None = None
    seam_indices: tuple[int, ...] = ()
    padded_a_lines: int = 0
    clockwise: bool = True
    longitudinal_mm: tuple[float, ...] = ()
    acquisition: str = ""
    pullback_rate_mm_s: float | None = None
    pullback_frames: tuple[int, int] | None = None
    frames_per_second: float | None = None
    frame_time_ms: float | None = None
    cine_rate: float | None = None
    slice_spacing_mm: float | None = None
    pixel_spacing_mm: tuple[float, float] | None = None
    region_spacing_mm: tuple[float, float] | None = None
    intensity_relationship: str = ""


def read_acquisition(dataset: Dataset, frame_count: int) -> IvoctAttributes:
    """Read the attributes from the dataset and its functional groups."""
    shared = next(iter(dataset.get("SharedFunctionalGroupsSequence") or []), Dataset())
    per_frame = list(dataset.get("PerFrameFunctionalGroupsSequence") or [])
    if len(per_frame) != frame_count:
        per_frame = []
    frame_content = "IntravascularOCTFrameContentSequence"
    padded = _column(shared, per_frame, frame_content, "NumberOfPaddedALines")
    relationship = text(dataset, "PixelIntensityRelationship").upper()
    return IvoctAttributes(
        a_line_spacing_mm=positive(dataset, "ALinePixelSpacing"),
        refractive_index=positive(dataset, "EffectiveRefractiveIndex"),
        refractive_index_applied=yes_no(dataset, "RefractiveIndexApplied"),
        ranging_depth_mm=positive(dataset, "RangingDepth"),
        z_offset_applied=yes_no(dataset, "OCTZOffsetApplied"),
        z_offsets_px=tuple(
            int(value)
            for value in _column(shared, per_frame, frame_content, "OCTZOffsetCorrection")
        ),
        first_a_line_deg=number(dataset, "FirstALineLocation"),
        seam_indices=tuple(
            int(value) for value in _column(shared, per_frame, frame_content, "SeamLineIndex")
        ),
        padded_a_lines=int(max(padded, default=0)),
        clockwise=text(dataset, "CatheterDirectionOfRotation").upper() != "CC",
        longitudinal_mm=_column(
            shared,
            per_frame,
            "IntravascularFrameContentSequence",
            "IntravascularLongitudinalDistance",
        ),
        acquisition=text(dataset, "IVUSAcquisition").upper(),
        pullback_rate_mm_s=positive(dataset, "IVUSPullbackRate"),
        pullback_frames=_pullback_frames(dataset),
        frames_per_second=_frame_rate(dataset),
        frame_time_ms=positive(dataset, "FrameTime"),
        cine_rate=positive(dataset, "CineRate"),
        slice_spacing_mm=positive(dataset, "SpacingBetweenSlices"),
        pixel_spacing_mm=_pixel_spacing(dataset, shared, per_frame),
        region_spacing_mm=_region_spacing(dataset),
        intensity_relationship=relationship,
    )


def _column(
    shared: Dataset, per_frame: Iterable[Dataset], sequence: str, name: str
) -> tuple[float, ...]:
    """Return one attribute of a functional group for every frame; empty when any lacks it."""
    common = number(_first(shared, sequence), name)
    values = [number(_first(item, sequence), name) for item in per_frame]
    filled = [common if value is None else value for value in values]
    return tuple(value for value in filled if value is not None) if None not in filled else ()


def _first(dataset: Dataset, sequence: str) -> Dataset:
    return next(iter(dataset.get(sequence) or []), Dataset())


def _pullback_frames(dataset: Dataset) -> tuple[int, int] | None:
    start = number(dataset, "IVUSPullbackStartFrameNumber")
    stop = number(dataset, "IVUSPullbackStopFrameNumber")
    return (int(start), int(stop)) if start is not None and stop is not None else None


def _frame_rate(dataset: Dataset) -> float | None:
    """Frames per second as acquired: one frame is one rotation."""
    rotation = positive(dataset, "CatheterRotationalRate")
    if rotation is not None:
        return rotation
    rate, lines = positive(dataset, "ALineRate"), positive(dataset, "ALinesPerFrame")
    return rate / lines if rate is not None and lines is not None else None


def _pixel_spacing(
    dataset: Dataset, shared: Dataset, per_frame: list[Dataset]
) -> tuple[float, float] | None:
    """(row, column) spacing in mm of the Pixel Measures group or the image."""
    groups = [shared, *per_frame[:1]]
    for holder in (*(_first(group, "PixelMeasuresSequence") for group in groups), dataset):
        values = numbers(holder, "PixelSpacing")
        if len(values) == 2 and min(values) > 0:
            return values[0], values[1]
    return None


_CENTIMETRES = 3


def _region_spacing(dataset: Dataset) -> tuple[float, float] | None:
    """(row, column) spacing in mm of the largest ultrasound region, whose deltas are in cm."""
    spacings = []
    for region in dataset.get("SequenceOfUltrasoundRegions") or []:
        in_cm = all(
            region.get(f"PhysicalUnits{axis}Direction") == _CENTIMETRES for axis in ("X", "Y")
        )
        delta_x, delta_y = (number(region, f"PhysicalDelta{axis}") for axis in ("X", "Y"))
        if not (in_cm and delta_x and delta_y):
            continue
        corners = [number(region, f"RegionLocation{name}") or 0.0 for name in _CORNERS]
        area = (corners[2] - corners[0]) * (corners[3] - corners[1])
        spacings.append((area, (10 * abs(delta_y), 10 * abs(delta_x))))
    return max(spacings)[1] if spacings else None


_CORNERS = ("MinX0", "MinY0", "MaxX1", "MaxY1")
