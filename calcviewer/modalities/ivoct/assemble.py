"""Puts a pullback together: geometry, catheter, calibration with its origins."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from calcviewer.core.errors import CalcViewerError, UnreadableInputError
from calcviewer.core.pullback import (
    CalibratedValue,
    Calibration,
    CartesianLayout,
    FrameSource,
    Intensity,
    Layout,
    Origin,
    PolarLayout,
    Pullback,
    SourceReference,
)
from calcviewer.modalities.ivoct.catheter import SHEATH_DIAMETER_MM, Sheath, find_sheath
from calcviewer.modalities.ivoct.field import whole_field
from calcviewer.modalities.ivoct.pictures import (
    SAMPLED_FRAMES,
    CartesianFrames,
    FieldFinder,
    Orientation,
    Pictures,
    PolarFrames,
    spread,
)

Geometry = Literal["polar", "cartesian"]

NOMINAL_FIELD_RADIUS_MM = 5.0
_SHEATH_FRAMES = 15
_RING_TOLERANCE = 0.03
"""Of the field radius: the fibre wanders so far inside the sheath."""


@dataclass(frozen=True)
class ReadOptions:
    """What the operator says about a source; None leaves it to the source.

    Parameters
    ----------
    sample_spacing_mm
        mm per sample of polar frames.
    pixel_spacing_mm
        mm per pixel of Cartesian frames.
    frame_pitch_mm
        mm between neighbouring frames.
    geometry
        Of image files and arrays, which do not say.
    calibrate_on_catheter
        Take the scale from the sheath; for polar frames of known sample spacing, the radius at
        which the samples begin.
    catheter_diameter_mm
        Outer diameter of the sheath.
    """

    sample_spacing_mm: float | None = None
    pixel_spacing_mm: float | None = None
    frame_pitch_mm: float | None = None
    geometry: Geometry | None = None
    calibrate_on_catheter: bool = False
    catheter_diameter_mm: float = SHEATH_DIAMETER_MM

    def __post_init__(self) -> None:
        for name in (
            "sample_spacing_mm",
            "pixel_spacing_mm",
            "frame_pitch_mm",
            "catheter_diameter_mm",
        ):
            value = getattr(self, name)
            if value is not None and not (np.isfinite(value) and value > 0):
                raise CalcViewerError(f"{name} must be a positive number, got {value}.")


@dataclass(frozen=True, eq=False)
class Content:
    """What a reader found in a source.

    Parameters
    ----------
    pictures
        Frames as stored.
    finder
        Finds the circular field of Cartesian frames; asked only when needed.
    geometry
        None when the source does not say.
    round_field
        Whether Cartesian frames without a circular field must be refused.
    orientation
        Of polar frames.
    """

    name: str
    pictures: Pictures
    finder: FieldFinder
    count: int
    geometry: Geometry | None
    calibration: Calibration
    intensity: Intensity
    source: SourceReference
    orientation: Orientation | None = None
    round_field: bool = False
    motorised: bool = True
    notes: tuple[str, ...] = field(default_factory=tuple)


def assemble(content: Content, options: ReadOptions) -> Pullback:
    """Build the pullback of what a reader found.

    Raises
    ------
    CalcViewerError
        When the frames are no cross-sections, or the options do not fit them.
    """
    geometry, note = _geometry(content, options)
    notes = [*content.notes, *([note] if note else [])]
    shape = content.pictures.shown(0).shape
    frames: FrameSource
    layout: Layout
    if geometry == "polar":
        orientation = content.orientation or Orientation(a_lines=shape[0])
        frames = PolarFrames(content.pictures, orientation)
        layout = PolarLayout(orientation.a_lines, shape[1])
    else:
        circle = content.finder.field
        if circle is None:
            notes.append("No circular image field was found: the whole frame is taken for it.")
            circle = whole_field(shape[0], shape[1])
        frames = CartesianFrames(content.pictures, circle)
        layout = CartesianLayout(shape[0], shape[1], circle.centre_px, circle.radius_px)
    draft = Pullback(
        name=content.name,
        frames=frames,
        frame_count=content.count,
        layout=layout,
        calibration=_with_zero_radius(
            _overridden(content.calibration, geometry, options),
            geometry,
            by_convention=not content.source.sop_class_uid,
        ),
        intensity=content.intensity,
        source=content.source,
        working_spacing_mm=_nominal_spacing_mm(layout),
        motorised=content.motorised,
        notes=tuple(notes),
    )
    return _scaled(draft, options)


def _geometry(content: Content, options: ReadOptions) -> tuple[Geometry, str]:
    """Return the geometry, and a note when it was decided from the pictures."""
    if content.geometry is not None:
        if options.geometry not in (None, content.geometry):
            return content.geometry, (
                f"The file says its frames are {content.geometry}; the geometry given is ignored."
            )
        if content.round_field and content.finder.field is None:
            raise UnreadableInputError(
                f"{content.source.path} shows no circular image field: it is no intravascular OCT "
                "cross-section.",
                "Choose the OCT series of the study.",
            )
        return content.geometry, ""
    if options.geometry is not None:
        return options.geometry, ""
    if content.finder.field is not None:
        return "cartesian", "Taken as Cartesian: the frames show a circular field."
    return "polar", "Taken as polar, rows being A-lines: the frames show no circular field."


def _overridden(calibration: Calibration, geometry: Geometry, options: ReadOptions) -> Calibration:
    """Return the calibration with what the operator gave."""
    given = options.sample_spacing_mm if geometry == "polar" else options.pixel_spacing_mm
    other = options.pixel_spacing_mm if geometry == "polar" else options.sample_spacing_mm
    if other is not None:
        raise CalcViewerError(
            f"A {'pixel' if geometry == 'polar' else 'sample'} spacing was given, but the frames "
            f"are {geometry}.",
            f"Give the {'sample' if geometry == 'polar' else 'pixel'} spacing, or the geometry.",
        )
    if given is not None:
        value = CalibratedValue(given, Origin.OPERATOR)
        # An offset in samples scales with them.
        calibration = replace(
            calibration,
            sample_spacing_mm=value,
            zero_radius_mm=_rescaled_zero(calibration, given),
        )
    if options.frame_pitch_mm is not None:
        pitch = CalibratedValue(options.frame_pitch_mm, Origin.OPERATOR)
        calibration = replace(calibration, frame_pitch_mm=pitch)
    return calibration


def _with_zero_radius(
    calibration: Calibration, geometry: Geometry, *, by_convention: bool
) -> Calibration:
    """Say by which convention a radius of 0 is taken where the source gives none.

    A polar DICOM image must state its offset; without one it stays unknown.
    """
    spacing = calibration.sample_spacing_mm
    if spacing is None or calibration.zero_radius_mm is not None:
        return calibration
    if geometry == "polar" and not by_convention:
        return calibration
    note = (
        "convention: depth begins at the catheter's centre"
        if geometry == "polar"
        else "Cartesian frames are about the catheter"
    )
    return replace(calibration, zero_radius_mm=CalibratedValue(0.0, spacing.origin, note))


def _rescaled_zero(calibration: Calibration, spacing_mm: float) -> CalibratedValue | None:
    zero, before = calibration.zero_radius_mm, calibration.sample_spacing_mm
    if zero is None or before is None:
        return zero
    return replace(zero, value=zero.value * spacing_mm / before.value)


def _nominal_spacing_mm(layout: Layout) -> float:
    """Return the spacing that makes the field as deep as most consoles show it."""
    reach = layout.samples if isinstance(layout, PolarLayout) else layout.field_radius_px
    return NOMINAL_FIELD_RADIUS_MM / reach


def _scaled(pullback: Pullback, options: ReadOptions) -> Pullback:
    """Calibrate on the catheter when asked to, or set the working spacing when there is none."""
    known = pullback.calibration.sample_spacing_mm
    if known is not None and not options.calibrate_on_catheter:
        return replace(pullback, working_spacing_mm=known.value)
    try:
        wanted = _SHEATH_FRAMES if options.calibrate_on_catheter else SAMPLED_FRAMES
        sheath = sheath_of(pullback, frames=wanted)
    except CalcViewerError as error:
        if options.calibrate_on_catheter:
            raise CalcViewerError(
                f"{pullback.source.path} cannot be calibrated on the catheter: its rings were not "
                "found.",
                error.hint,
            ) from error
        return pullback
    pullback = _centred(pullback, sheath)
    radius_mm = options.catheter_diameter_mm / 2
    if not options.calibrate_on_catheter:
        nominal = SHEATH_DIAMETER_MM / 2 / sheath.outer_radius_px
        return replace(pullback, working_spacing_mm=nominal)
    return calibrated_on(pullback, sheath, radius_mm)


def sheath_of(pullback: Pullback, *, frames: int = _SHEATH_FRAMES) -> Sheath:
    """Find the catheter's sheath in so many frames spread over a pullback.

    Raises
    ------
    CalcViewerError
        When the rings are not found.
    """
    images = []
    for index in spread(pullback.frame_count, frames):
        try:
            values = pullback.frames.intensity(index)
        except CalcViewerError:
            continue  # one bad frame must not stop the others
        images.append(np.log1p(values) if pullback.intensity is Intensity.LINEAR else values)
    if not images:
        raise CalcViewerError(f"No frame of {pullback.source.path} can be read.")
    return find_sheath(images, pullback.layout)


def calibrated_on(pullback: Pullback, sheath: Sheath, radius_mm: float) -> Pullback:
    """Return the pullback calibrated on its sheath of known outer radius.

    Cartesian frames, and polar ones of unknown sample spacing, take their spacing from it; polar
    frames of known spacing take the radius at which their samples begin.
    """
    note = (
        f"sheath of {2 * radius_mm:.2f} mm measured as {2 * sheath.outer_radius_px:.1f} px, seen "
        f"on {100 * sheath.confidence:.0f} % of its circumference"
    )
    calibration = pullback.calibration
    known = calibration.sample_spacing_mm
    if isinstance(pullback.layout, PolarLayout) and known is not None:
        zero_mm = radius_mm - sheath.outer_radius_px * known.value
        zero = CalibratedValue(zero_mm, Origin.CATHETER, note)
        return replace(
            pullback,
            calibration=replace(calibration, zero_radius_mm=zero),
            working_spacing_mm=known.value,
        )
    spacing = CalibratedValue(radius_mm / sheath.outer_radius_px, Origin.CATHETER, note)
    geometry: Geometry = "polar" if isinstance(pullback.layout, PolarLayout) else "cartesian"
    return replace(
        pullback,
        calibration=_with_zero_radius(
            replace(calibration, sample_spacing_mm=spacing), geometry, by_convention=True
        ),
        working_spacing_mm=spacing.value,
    )


def _centred(pullback: Pullback, sheath: Sheath) -> Pullback:
    """Return the pullback centred on its sheath when the field's centre cannot be the catheter's.

    The field's centre is the axis of rotation, from which shadows run; the sheath wanders about it.
    Only a field cut off or misjudged lies elsewhere.
    """
    layout = pullback.layout
    if isinstance(layout, PolarLayout):
        return pullback
    away = np.hypot(*np.subtract(sheath.centre_px, layout.centre_px))
    if away <= _RING_TOLERANCE * layout.field_radius_px:
        return pullback
    note = "Centred on the catheter's rings, which lie off the centre of the image field."
    centred = replace(layout, centre_px=sheath.centre_px)
    return replace(pullback, layout=centred, notes=(*pullback.notes, note))
