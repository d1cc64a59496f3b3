"""A frame along the rays from the centroid O of its lumen.

Where they cross the lumen's border, enter calcium and leave it (Gharaibeh et al., J Med Imaging
2019, section 2.4).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from calcviewer.core.annotation import FrameAnnotation
from calcviewer.core.contour import Contour, contours_of, ray_crossings
from calcviewer.core.geometry import Arc, to_polar, to_xy
from calcviewer.modalities.ivoct.protocol import Protocol

Rays = NDArray[np.float64]
RAYS = 360
_OVERLAP_MM = 1e-3
"""Calcium reaching further than this into the lumen is cut off there."""
_ROUNDING_MM = 1e-9
_SMALLEST_PIECE_MM2 = 1e-4
Crossed = tuple[Contour, NDArray[np.intp], Rays]
"""A deposit with the ray and radius (mm) of every crossing of its border."""


def ray_angles_deg() -> Rays:
    """Angle of every ray, shape ``(360,)``: ray k points at k + 0.5 degrees."""
    return np.arange(RAYS, dtype=np.float64) + 0.5


@dataclass(frozen=True, eq=False)
class LumenRays:
    """Where the rays cross the lumen border, and the point they begin at."""

    centroid_mm: tuple[float, float]
    first_mm: Rays
    last_mm: Rays
    ray: NDArray[np.intp]
    radius_mm: Rays


@dataclass(frozen=True, eq=False)
class DepositRays:
    """Per crossed ray: its index, depth and thickness (after the cap), and what was hidden."""

    ray: NDArray[np.intp]
    depth_mm: Rays
    thickness_mm: Rays
    hidden: NDArray[np.bool_]
    capped: NDArray[np.bool_]


def area_and_centroid(ring_mm: Rays) -> tuple[float, tuple[float, float]]:
    """Area (mm2) and centre of area of a closed ring, by the shoelace formula."""
    base = ring_mm[0]
    shifted = ring_mm - base
    # The edges at the first vertex, now the origin, add nothing.
    x, y = shifted[:-1, 0], shifted[:-1, 1]
    x_next, y_next = shifted[1:, 0], shifted[1:, 1]
    cross = x * y_next - x_next * y
    doubled = float(cross.sum())
    if doubled == 0.0:
        middle = ring_mm.mean(axis=0)
        return 0.0, (float(middle[0]), float(middle[1]))
    centre_x = float((x + x_next) @ cross) / (3 * doubled) + float(base[0])
    centre_y = float((y + y_next) @ cross) / (3 * doubled) + float(base[1])
    return abs(doubled) / 2, (centre_x, centre_y)


def area_mm2_of(contour: Contour) -> float:
    """Area of a contour without its holes, mm2."""
    outer, *holes = (area_and_centroid(ring)[0] for ring in contour.rings_mm)
    return outer - sum(holes)


def lumen_rays(ring_mm: Rays, centroid_mm: tuple[float, float]) -> LumenRays:
    """Cross the lumen border; a ray that misses it has a border at 0."""
    ray, radius = ray_crossings([ring_mm], centroid_mm, RAYS)
    first, last = np.zeros(RAYS), np.zeros(RAYS)
    first[ray[::-1]] = radius[::-1]
    last[ray] = radius
    return LumenRays(centroid_mm, first, last, ray, radius)


def crossed_calcium(annotation: FrameAnnotation, lumen: LumenRays) -> list[Crossed]:
    """Cross the calcium with the rays, cut at the lumen border where it was drawn across it.

    The test on the rays keeps the polygon clipping out of the frames that do not need it.
    """
    assert annotation.lumen is not None
    kept: list[Crossed] = []
    for contour in annotation.calcium:
        ray, radius = ray_crossings(contour.rings_mm, lumen.centroid_mm, RAYS)
        enters_lumen = np.any(radius < lumen.first_mm[ray] - _OVERLAP_MM)
        holds_centroid = np.any(np.bincount(ray) % 2)
        if ray.size and not (enters_lumen or holds_centroid):
            kept.append((contour, ray, radius))
            continue
        region = shapely.difference(
            shapely.make_valid(contour.polygon), shapely.make_valid(annotation.lumen.polygon)
        )
        for piece in contours_of(region, _SMALLEST_PIECE_MM2):
            kept.append((piece, *ray_crossings(piece.rings_mm, lumen.centroid_mm, RAYS)))
    return kept


def deposit_rays(
    crossed: Crossed, lumen: LumenRays, hidden_back: Sequence[Arc], protocol: Protocol
) -> DepositRays:
    """Return depth and thickness on the rays that cross a deposit beyond the lumen border."""
    _, crossing_ray, crossing_radius = crossed
    ray, front, back = _front_and_back(crossing_ray, crossing_radius, lumen)
    depth = front - _border_below(lumen, ray, front)
    thickness = back - front
    hidden = np.zeros(ray.size, dtype=np.bool_)
    capped = hidden
    if hidden_back and ray.size:
        back_points = to_xy(ray + 0.5, back) + lumen.centroid_mm
        angle, _ = to_polar(back_points)
        hidden = np.any([sector.contains(angle) for sector in hidden_back], axis=0)
        if protocol.thickness_cap_mm is not None:
            capped = hidden & (thickness >= protocol.thickness_cap_mm)
            thickness = np.where(capped, protocol.thickness_cap_mm, thickness)
    return DepositRays(ray, depth, thickness, hidden, capped)


def _front_and_back(
    ray: NDArray[np.intp], radius_mm: Rays, lumen: LumenRays
) -> tuple[NDArray[np.intp], Rays, Rays]:
    """Return the crossed rays and where each first enters and last leaves a deposit."""
    counts = np.bincount(ray, minlength=RAYS)
    place = np.arange(ray.size) - (np.cumsum(counts) - counts)[ray]
    # With an odd number of crossings the ray begins inside the deposit.
    leaving = (place + counts[ray]) % 2 == 1
    exits = np.flatnonzero(leaving & (radius_mm > lumen.first_mm[ray] + _ROUNDING_MM))
    next_ray = np.flatnonzero(np.diff(ray[exits], prepend=-1))
    first = exits[next_ray]
    last = exits[np.append(next_ray[1:], exits.size) - 1] if exits.size else exits
    crossed = ray[first]
    entered = np.where(place[first] > 0, radius_mm[first - 1], 0.0)
    return crossed, np.maximum(entered, lumen.first_mm[crossed]), radius_mm[last]


def _border_below(lumen: LumenRays, ray: NDArray[np.intp], front_mm: Rays) -> Rays:
    """Radius of the last lumen border before each front; 0 on rays that cross none."""
    if not lumen.ray.size or not ray.size:
        return np.zeros(ray.size)
    stride = 2 * max(float(lumen.radius_mm.max()), float(front_mm.max())) + 1
    at = np.searchsorted(
        lumen.ray * stride + lumen.radius_mm, ray * stride + front_mm + _ROUNDING_MM, "right"
    )
    found = np.maximum(at - 1, 0)
    return np.where(lumen.ray[found] == ray, np.minimum(lumen.radius_mm[found], front_mm), 0.0)
