"""Pullbacks whose truth is known, for tests of every layer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from calcviewer.core.annotation import LabelMap
from calcviewer.core.geometry import PolarGrid
from calcviewer.core.pullback import (
    CalibratedValue,
    Calibration,
    Intensity,
    Origin,
    PolarLayout,
    Pullback,
    SourceReference,
)

GRID = PolarGrid(a_lines=360, samples=400, sample_spacing_mm=0.01)
PITCH_MM = 0.2


@dataclass(frozen=True, eq=False)
class ArrayFrames:
    """Frames held in memory, ``[frame, a_line, sample]``."""

    values: NDArray[np.float32]

    def display(self, index: int) -> NDArray[np.generic]:
        return (255 * self.values[index]).astype(np.uint8)

    def intensity(self, index: int) -> NDArray[np.float32]:
        return self.values[index]


def make_pullback(
    frame_count: int,
    *,
    grid: PolarGrid = GRID,
    calibrated: bool = True,
    pitch_mm: float | None = PITCH_MM,
    values: NDArray[np.float32] | None = None,
) -> Pullback:
    if values is None:
        values = np.zeros((frame_count, *grid.shape), dtype=np.float32)
    calibration = Calibration(
        CalibratedValue(grid.sample_spacing_mm, Origin.OPERATOR) if calibrated else None,
        None if pitch_mm is None else CalibratedValue(pitch_mm, Origin.OPERATOR),
        CalibratedValue(grid.zero_radius_mm, Origin.OPERATOR) if calibrated else None,
    )
    return Pullback(
        name="phantom",
        frames=ArrayFrames(values),
        frame_count=frame_count,
        layout=PolarLayout(grid.a_lines, grid.samples),
        calibration=calibration,
        intensity=Intensity.LOG,
        source=SourceReference(Path("phantom.npz"), "array"),
        working_spacing_mm=grid.sample_spacing_mm,
    )


def label_map(
    *deposits: tuple[float, float],
    grid: PolarGrid = GRID,
    lumen_mm: float = 1.5,
    front_mm: float = 1.7,
    back_mm: float = 2.3,
    wire: tuple[float, float] | None = None,
) -> LabelMap:
    """Return a concentric frame with deposits and a wire at ``(start, extent)`` in degrees."""
    radius = grid.radii_mm()[None, :]
    labels = np.zeros(grid.shape, dtype=np.uint8)
    for start, extent in deposits:
        on_arc = (grid.angles_deg() - start) % 360 < extent
        labels[on_arc[:, None] & (radius > front_mm) & (radius < back_mm)] = 2
    if wire is not None:
        in_shadow = (grid.angles_deg() - wire[0]) % 360 < wire[1]
        labels[np.broadcast_to(in_shadow[:, None], grid.shape)] = 3
    labels[np.broadcast_to(radius < lumen_mm, grid.shape)] = 1
    return labels
