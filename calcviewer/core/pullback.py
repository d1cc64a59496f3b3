"""A pullback: frames by index, with what is known about their scale and origin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from calcviewer.core.errors import CalibrationError
from calcviewer.core.geometry import CartesianGrid, Grid, PolarGrid


class Origin(Enum):
    """Where a calibration value comes from; shown with the value everywhere."""

    DICOM = "dicom"
    VENDOR_RULE = "vendor rule"
    CATHETER = "catheter"
    OPERATOR = "operator"
    SIMULATED = "simulated"
    FILE = "file"


_SMALLEST_SCALE_MM, _LARGEST_SCALE_MM = 1e-6, 1000.0


def check_scale(name: str, value_mm: float) -> None:
    """Refuse a spacing or pitch that no image of a vessel has; a damaged file may say anything.

    Raises
    ------
    CalibrationError
        Unless it lies between a nanometre and a metre.
    """
    if not value_mm > 0:
        raise CalibrationError(f"{name} must be a positive number, got {value_mm:g}.")
    if not _SMALLEST_SCALE_MM <= value_mm <= _LARGEST_SCALE_MM:
        raise CalibrationError(
            f"{name} must be between {_SMALLEST_SCALE_MM:g} and {_LARGEST_SCALE_MM:g} mm, got "
            f"{value_mm:g}."
        )


@dataclass(frozen=True)
class CalibratedValue:
    """A number with its origin and, where it helps, how it was derived."""

    value: float
    origin: Origin
    note: str = ""


@dataclass(frozen=True)
class Calibration:
    """The three numbers that turn pixels into millimetres. A missing one stays None.

    Parameters
    ----------
    sample_spacing_mm
        mm per sample of a polar frame, or per pixel of a Cartesian one.
    frame_pitch_mm
        mm between neighbouring frames along the vessel.
    zero_radius_mm
        Radius at the start of sample 0 (0 for Cartesian frames, which have it applied).
    """

    sample_spacing_mm: CalibratedValue | None = None
    frame_pitch_mm: CalibratedValue | None = None
    zero_radius_mm: CalibratedValue | None = None

    def __post_init__(self) -> None:
        for name in ("sample_spacing_mm", "frame_pitch_mm"):
            entry: CalibratedValue | None = getattr(self, name)
            if entry is not None:
                check_scale(name, entry.value)
        zero = self.zero_radius_mm
        if zero is not None and not abs(zero.value) <= _LARGEST_SCALE_MM:
            raise CalibrationError(f"zero_radius_mm cannot be {zero.value:g}.")

    @property
    def scaled(self) -> bool:
        """Whether lengths within a frame can be given in mm."""
        return self.sample_spacing_mm is not None and self.zero_radius_mm is not None

    def missing(self) -> tuple[str, ...]:
        """Return the names, in plain words, of the values that are asked for next."""
        names = []
        if self.sample_spacing_mm is None:
            names.append("sample spacing")
        elif self.zero_radius_mm is None:
            names.append("zero radius")
        if self.frame_pitch_mm is None:
            names.append("frame pitch")
        return tuple(names)


class Intensity(Enum):
    """How stored values relate to the detected intensity; Pixel Intensity Relationship."""

    LINEAR = "linear"
    LOG = "log"


class FrameSource(Protocol):
    """Frames of one source, read one at a time."""

    def display(self, index: int) -> NDArray[np.generic]:
        """Return frame ``index`` as it is shown: ``[.., ..]`` grey or ``[.., .., 3]`` RGB uint8."""
        ...

    def intensity(self, index: int) -> NDArray[np.float32]:
        """Return frame ``index`` as one float32 value a pixel, drawings on it in-painted."""
        ...


@dataclass(frozen=True)
class PolarLayout:
    """Frames as ``[a_line, sample]``."""

    a_lines: int
    samples: int


@dataclass(frozen=True)
class CartesianLayout:
    """Frames as ``[row, column]`` about the catheter at ``centre_px`` = ``(x, y)``.

    ``field_radius_px`` is the radius of the circular image field; beyond it nothing was imaged.
    """

    rows: int
    columns: int
    centre_px: tuple[float, float]
    field_radius_px: float


Layout = PolarLayout | CartesianLayout


@dataclass(frozen=True)
class SourceReference:
    """What identifies the source, for provenance, reports and DICOM references.

    ``header`` holds what a report prints: patient id, study date, modality, manufacturer.
    """

    path: Path
    kind: str
    sop_class_uid: str = ""
    sop_instance_uid: str = ""
    study_instance_uid: str = ""
    frame_names: tuple[str, ...] = ()
    header: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Pullback:
    """One acquisition: its frames, their layout and calibration.

    Parameters
    ----------
    frame_count
        Number of frames.
    working_spacing_mm
        Scale at which frames are laid on the network's grid while the true sample spacing is
        unknown. It is never reported: millimetre results stay empty without a calibration.
    notes
        What the reader had to decide or noticed, for the user to see.
    """

    name: str
    frames: FrameSource
    frame_count: int
    layout: Layout
    calibration: Calibration
    intensity: Intensity
    source: SourceReference
    working_spacing_mm: float
    motorised: bool = True
    notes: tuple[str, ...] = ()

    @property
    def grid(self) -> Grid:
        """The grid of the frames, in mm (in working mm while there is no calibration)."""
        spacing = self.calibration.sample_spacing_mm
        spacing_mm = spacing.value if spacing else self.working_spacing_mm
        if isinstance(self.layout, CartesianLayout):
            layout = self.layout
            return CartesianGrid(layout.rows, layout.columns, spacing_mm, layout.centre_px)
        zero = self.calibration.zero_radius_mm
        zero_mm = zero.value if zero else 0.0
        return PolarGrid(self.layout.a_lines, self.layout.samples, spacing_mm, zero_mm)

    @property
    def field_radius_mm(self) -> float:
        """Radius up to which the frames show tissue, mm."""
        grid = self.grid
        if isinstance(grid, PolarGrid):
            return grid.end_radius_mm
        assert isinstance(self.layout, CartesianLayout)
        return self.layout.field_radius_px * grid.pixel_spacing_mm

    def calibrated(self, calibration: Calibration) -> Pullback:
        """Return the same pullback with another calibration."""
        return replace(self, calibration=calibration)
