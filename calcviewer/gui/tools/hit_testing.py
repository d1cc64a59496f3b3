"""The circle on the catheter: what the pointer hits of it, and how it lies on its pixels."""

from __future__ import annotations

from enum import Enum

import numpy as np

from calcviewer.core.geometry import CartesianGrid, Grid
from calcviewer.modalities.ivoct.catheter import Sheath

Point = tuple[float, float]


class Part(Enum):
    """A part of a circle that can be dragged."""

    RIM = "rim"
    CENTRE = "centre"


def hit_circle(centre_mm: Point, radius_mm: float, at_mm: Point, reach_mm: float) -> Part | None:
    """Return whether a point is on a circle's rim or within it; the rim comes first."""
    distance = float(np.hypot(at_mm[0] - centre_mm[0], at_mm[1] - centre_mm[1]))
    # Inside, half the radius stays free for the centre however small the circle is on screen.
    if abs(distance - radius_mm) <= (
        min(reach_mm, radius_mm / 2) if distance < radius_mm else reach_mm
    ):
        return Part.RIM
    return Part.CENTRE if distance < radius_mm else None


def spacing_mm(grid: Grid) -> float:
    """Return mm per pixel or sample."""
    return grid.pixel_spacing_mm if isinstance(grid, CartesianGrid) else grid.sample_spacing_mm


def sheath_at(centre_mm: Point, radius_mm: float, grid: Grid, confidence: float = 0.0) -> Sheath:
    """Return a circle in mm as a sheath in the pixels of a grid."""
    scale = spacing_mm(grid)
    if isinstance(grid, CartesianGrid):
        x_px, y_px = grid.to_px(np.array([centre_mm]))[0]
        return Sheath((float(x_px), float(y_px)), radius_mm / scale, confidence)
    offset = centre_mm[0] / scale, centre_mm[1] / scale
    return Sheath(offset, (radius_mm - grid.zero_radius_mm) / scale, confidence)


def circle_of(sheath: Sheath, grid: Grid) -> tuple[Point, float]:
    """Return a sheath as centre and radius in mm of a grid."""
    scale = spacing_mm(grid)
    if isinstance(grid, CartesianGrid):
        x_mm, y_mm = grid.to_mm(np.array([sheath.centre_px]))[0]
        return (float(x_mm), float(y_mm)), sheath.outer_radius_px * scale
    centre = sheath.centre_px[0] * scale, sheath.centre_px[1] * scale
    return centre, grid.zero_radius_mm + sheath.outer_radius_px * scale
