"""The scale of a DICOM pullback, each value with its origin; a value that is missing stays so."""

from __future__ import annotations

import numpy as np

from calcviewer.core.errors import CalibrationError
from calcviewer.core.pullback import CalibratedValue, Calibration, Origin
from calcviewer.dicom.acquisition import IvoctAttributes
from calcviewer.dicom.header import DicomHeader
from calcviewer.modalities.ivoct.vendor_rules import Quantity, SourceFacts, applied_rule


def calibration_of(header: DicomHeader, facts: SourceFacts) -> tuple[Calibration, list[str]]:
    """Return the calibration a header gives, with notes on what could not be used of it."""
    notes: list[str] = []
    attributes, polar = header.acquisition, not facts.cartesian
    spacing = _sample_spacing(header, notes) if polar else cartesian_spacing(header, notes)
    zero = _zero_radius(header, spacing, notes) if polar and spacing is not None else None
    pitch = _frame_pitch(header, facts, notes)
    if attributes.pullback_frames is not None:
        start, stop = attributes.pullback_frames
        if (start, stop) not in ((1, facts.frame_count), (0, facts.frame_count - 1)):
            notes.append(f"The motorised pullback covers frames {start} to {stop}.")
    return Calibration(spacing, pitch, zero), notes


def zero_px(attributes: IvoctAttributes) -> int | None:
    """Return the offset, in samples, that all frames share; None when the file does not say."""
    if attributes.z_offset_applied:
        return 0
    if attributes.z_offset_applied is None or not attributes.z_offsets_px:
        return None
    return max(int(np.median(attributes.z_offsets_px)), 0)


def _origin(header: DicomHeader) -> Origin:
    return Origin.SIMULATED if header.simulated else Origin.DICOM


def _credible(value: CalibratedValue, notes: list[str]) -> CalibratedValue | None:
    """Return a scale, or None with a note when nothing can have it."""
    try:
        Calibration(sample_spacing_mm=value)
    except CalibrationError:
        notes.append(f"{value.note}: {value.value:g} mm is impossible and not used.")
        return None
    return value


def _zero_radius(
    header: DicomHeader, spacing: CalibratedValue, notes: list[str]
) -> CalibratedValue | None:
    offset_px = zero_px(header.acquisition)
    if offset_px is None:
        return None
    note = (
        "Z offset already applied"
        if header.acquisition.z_offset_applied
        else f"OCT Z Offset Correction of {offset_px} samples"
    )
    if offset_px >= header.pixels.columns:
        notes.append(f"{note}: it is longer than an A-line and not used.")
        return None
    return CalibratedValue(offset_px * spacing.value, _origin(header), note)


def _sample_spacing(header: DicomHeader, notes: list[str]) -> CalibratedValue | None:
    """Return tissue mm per sample: the air spacing divided by the refractive index."""
    attributes, origin = header.acquisition, _origin(header)
    spacing, source = attributes.a_line_spacing_mm, "A-line Pixel Spacing"
    applied, index = attributes.refractive_index_applied, attributes.refractive_index
    if spacing is None:
        if attributes.ranging_depth_mm is None:
            return None
        spacing = attributes.ranging_depth_mm / header.pixels.columns
        source, applied = "Ranging Depth, in air, over the samples", False
    if applied:
        value = CalibratedValue(spacing, origin, f"{source}, refractive index applied")
        return _credible(value, notes)
    if applied is None or index is None:
        missing = "Refractive Index Applied" if applied is None else "Effective Refractive Index"
        notes.append(f"The sample spacing is not known: the file gives no {missing}.")
        return None
    value = CalibratedValue(spacing / index, origin, f"{source} divided by {index:g}")
    return _credible(value, notes)


def cartesian_spacing(header: DicomHeader, notes: list[str]) -> CalibratedValue | None:
    """Return mm per pixel; what cannot be used is added to the notes."""
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
        value = CalibratedValue(pair[0] / 2 + pair[1] / 2, _origin(header), source)
        if _credible(value, notes) is not None:
            return value
    return None


def _frame_pitch(
    header: DicomHeader, facts: SourceFacts, notes: list[str]
) -> CalibratedValue | None:
    """Return mm per frame: as measured, else the pullback's speed over its rate."""
    attributes = header.acquisition
    measured = measured_pitch(header, notes)
    speed, rate = attributes.pullback_rate_mm_s, stated_rate(attributes)
    if measured is not None or speed is None:
        return measured
    if rate is not None and applied_rule(facts, Quantity.NO_STATED_RATE) is None:
        stated = CalibratedValue(speed / rate[0], _origin(header), f"{speed:g} mm/s, {rate[1]}")
        return _credible(stated, notes)
    rule = applied_rule(facts, Quantity.FRAMES_PER_SECOND)
    if rule is None:
        return None
    return CalibratedValue(speed / rule.values[0], Origin.VENDOR_RULE, rule.origin)


def measured_pitch(header: DicomHeader, notes: list[str]) -> CalibratedValue | None:
    """Return mm per frame from what was measured during acquisition."""
    attributes, origin = header.acquisition, _origin(header)
    distance_mm = _pitch_from_distances(attributes.longitudinal_mm)
    speed, rate = attributes.pullback_rate_mm_s, attributes.frames_per_second
    if distance_mm is not None:
        value = CalibratedValue(distance_mm, origin, "Intravascular Longitudinal Distance")
    elif attributes.slice_spacing_mm is not None:
        value = CalibratedValue(attributes.slice_spacing_mm, origin, "Spacing Between Slices")
    elif speed is not None and rate is not None:
        value = CalibratedValue(speed / rate, origin, f"{speed:g} mm/s at {rate:g} frames/s")
    else:
        return None
    return _credible(value, notes)


def stated_rate(attributes: IvoctAttributes) -> tuple[float, str] | None:
    """Return frames/s as stated for display, and where."""
    if attributes.frame_time_ms is not None:
        return 1000 / attributes.frame_time_ms, f"Frame Time {attributes.frame_time_ms:g} ms"
    if attributes.cine_rate is not None:
        return attributes.cine_rate, f"Cine Rate {attributes.cine_rate:g} frames/s"
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
