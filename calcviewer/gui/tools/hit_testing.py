"""Rulers and circles: what the pointer hits, and how they lie on their pixels.

What is drawn belongs to pixels, not to millimetres: it is kept in source coordinates (`to_source`),
so that a change of calibration moves it with the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from calcviewer.core.geometry import CartesianGrid, Grid, to_polar, to_xy
from calcviewer.modalities.ivoct.catheter import Sheath

Points = NDArray[np.float64]
Point = tuple[float, float]


class Part(Enum):
    """A part of a line or circle that can be dragged."""

    START = "start"
    END = "end"
    BODY = "body"
    RIM = "rim"
    CENTRE = "centre"


@dataclass(frozen=True)
class Hit:
    """What the pointer is on: which one, and which part of it."""

    index: int
    part: Part


def hit_line(lines_mm: Sequence[Points], at_mm: Point, reach_mm: float) -> Hit | None:
    """Return what of several straight lines, each ``(2, 2)``, is nearest to a point within reach.

    Ends come before bodies, so that a short line can still be made longer.
    """
    at = np.asarray(at_mm)
    best: tuple[int, float, Hit] | None = None
    for index, line in enumerate(lines_mm):
        start, end = np.hypot(*(line - at).T)
        body = _distance_to_segment(line, at)
        for rank, part, distance in (
            (0, Part.START, start),
            (0, Part.END, end),
            (1, Part.BODY, body),
        ):
            found = (rank, float(distance), Hit(index, part))
            if distance <= reach_mm and (best is None or found[:2] < best[:2]):
                best = found
    return None if best is None else best[2]


def _distance_to_segment(line: Points, at: Points) -> float:
    along = line[1] - line[0]
    length = float(along @ along)
    part = 0.0 if length == 0 else min(max(float((at - line[0]) @ along) / length, 0.0), 1.0)
    return float(np.hypot(*(line[0] + part * along - at)))


def hit_circle(centre_mm: Point, radius_mm: float, at_mm: Point, reach_mm: float) -> Part | None:
    """Return whether a point is on a circle's rim or within it; the rim comes first."""
    distance = float(np.hypot(at_mm[0] - centre_mm[0], at_mm[1] - centre_mm[1]))
    # Inside, half the radius stays free for the centre however small the circle is on screen.
    if abs(distance - radius_mm) <= (
        min(reach_mm, radius_mm / 2) if distance < radius_mm else reach_mm
    ):
        return Part.RIM
    return Part.CENTRE if distance < radius_mm else None


def to_source(points_mm: Points, grid: Grid) -> Points:
    """Return ``(N, 2)`` mm as source coordinates: ``(x_px, y_px)``, or ``(angle_deg, sample)``."""
    if isinstance(grid, CartesianGrid):
        return grid.to_px(points_mm)
    angle, radius = to_polar(points_mm)
    return np.stack([angle, grid.sample_index(radius)], axis=1)


def from_source(points: Points, grid: Grid) -> Points:
    """Return what `to_source` made as ``(N, 2)`` mm of a grid."""
    if isinstance(grid, CartesianGrid):
        return grid.to_mm(points)
    radius = grid.zero_radius_mm + (points[:, 1] + 0.5) * grid.sample_spacing_mm
    return to_xy(points[:, 0], radius)


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
