"""Angles and borders as they are seen from a point. Canonical mm, no Qt."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from calcviewer.core.contour import Contour, ray_crossings
from calcviewer.core.geometry import FULL_CIRCLE_DEG, Arc, to_polar

Points = NDArray[np.float64]
Point = tuple[float, float]

CATHETER_MM: Point = (0.0, 0.0)
RAYS = 720


def turn_between(from_deg: Points | float, to_deg: float) -> Points:
    """Return the shorter turn from one angle to another, in [-180, 180) degrees."""
    half = FULL_CIRCLE_DEG / 2
    return np.asarray((to_deg - np.asarray(from_deg) + half) % FULL_CIRCLE_DEG - half)


def angle_about(origin_mm: Point, at_mm: Point) -> float:
    """Return the angle under which a point is seen from another one, degrees."""
    return float(to_polar(np.subtract(at_mm, origin_mm))[0])


def border_mm(contour: Contour | None, origin_mm: Point, angles_deg: Points) -> Points:
    """Return how far from a point the outer border lies at angles, shape ``(N,)``.

    0 where there is no border.
    """
    angles = np.asarray(angles_deg, dtype=np.float64)
    if contour is None:
        return np.zeros_like(angles)
    ray, distance = ray_crossings([contour.points_mm], origin_mm, RAYS)
    if not ray.size:
        return np.zeros_like(angles)
    outermost = np.append(np.diff(ray) != 0, True)
    at_deg = (ray[outermost] + 0.5) * FULL_CIRCLE_DEG / RAYS
    return np.asarray(np.interp(angles, at_deg, distance[outermost], period=FULL_CIRCLE_DEG))


def turned_end_deg(
    arc: Arc, turned_deg: float, *, end: bool, narrowest_deg: float, widest_deg: float
) -> float:
    """Return where an end of an arc comes to lie when it is turned; ends never pass each other.

    Parameters
    ----------
    end
        Whether it is the end in growing angle, else the start.
    """
    extent = arc.extent_deg + (turned_deg if end else -turned_deg)
    extent = min(max(extent, narrowest_deg), widest_deg)
    return arc.start_deg + (extent if end else arc.extent_deg - extent)
