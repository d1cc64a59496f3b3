"""Closed rings by arc length: where a point lies on them, and how a part of them is bent."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray

from calcviewer.core.contour import Contour, Points, contours_of
from calcviewer.core.editing.clipping import region_of, wound

Point = tuple[float, float]
Floats = NDArray[np.float64]
Weight = Callable[[Floats], Floats]
"""From positions along a ring (mm) to how far each follows a move, 0 to 1."""

STEP_MM = 0.04
"""Points on a bent part of a border lie at most about this far apart."""
CATHETER_CLEARANCE_MM = 0.05
"""A border pulled towards the catheter's centre stops this far from it."""
_MOST_PARTS = 64
_MOST_PATH_POINTS = 600
_BISECTIONS = 9
_REPEATED_MM = 1e-7


def positions(ring_mm: Points) -> Floats:
    """Return the arc length at every point of a closed ring and, last, its whole length."""
    steps = np.linalg.norm(np.roll(ring_mm, -1, axis=0) - ring_mm, axis=1)
    return np.concatenate([[0.0], np.cumsum(steps)])


def points_at(ring_mm: Points, position_mm: Floats) -> Points:
    """Return the points at positions along a closed ring, shape ``(N, 2)``."""
    along = positions(ring_mm)
    closed = np.concatenate([ring_mm, ring_mm[:1]])
    at = position_mm % along[-1] if along[-1] > 0 else position_mm
    return np.stack([np.interp(at, along, closed[:, axis]) for axis in (0, 1)], axis=1)


def nearest_on_ring(ring_mm: Points, at_mm: Point) -> tuple[float, float, Point]:
    """Return distance, position (arc length) and coordinates of a ring's point nearest to one."""
    edge = np.roll(ring_mm, -1, axis=0) - ring_mm
    squared = np.einsum("ij,ij->i", edge, edge)
    along = np.einsum("ij,ij->i", np.asarray(at_mm) - ring_mm, edge)
    part = np.clip(np.divide(along, squared, out=np.zeros_like(along), where=squared > 0), 0, 1)
    foot = ring_mm + part[:, None] * edge
    distance = np.hypot(foot[:, 0] - at_mm[0], foot[:, 1] - at_mm[1])
    k = int(distance.argmin())
    position = np.sqrt(squared[:k]).sum() + part[k] * np.sqrt(squared[k])
    return float(distance[k]), float(position), (float(foot[k, 0]), float(foot[k, 1]))


def bent(ring_mm: Points, at_mm: float, move_mm: Floats, weight: Weight) -> Points:
    """Move every point of a ring by its weight times one vector.

    The point at the position ``at_mm`` becomes a point of the ring; where the weight is not zero,
    points are added as the border is stretched. Where it is zero all points stay what they were.
    """
    along = positions(ring_mm)
    total = float(along[-1])
    knots = np.union1d(along[:-1], [at_mm % total])
    span = np.diff(np.append(knots, total))
    dense = _subdivided(knots, span, np.ceil(span / STEP_MM))
    dense = dense[(weight(dense) > 0) | np.isin(dense, knots)]
    span = np.diff(np.append(dense, total))
    weights = weight(dense)
    stretch = np.abs(np.roll(weights, -1) - weights) * float(np.hypot(*move_mm))
    dense = _subdivided(dense, span, np.ceil(stretch / STEP_MM))
    moved = points_at(ring_mm, dense) + weight(dense)[:, None] * move_mm
    return without_repeats(moved)


def _subdivided(knots: Floats, span: Floats, parts: Floats) -> Floats:
    """Return positions with every span after a knot cut into equal parts."""
    counts = np.clip(parts, 1, _MOST_PARTS).astype(int)
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.asarray(np.repeat(knots, counts) + within * np.repeat(span / counts, counts))


def without_repeats(ring_mm: Points) -> Points:
    """Return a ring without points that repeat the one before."""
    step = np.abs(ring_mm - np.roll(ring_mm, 1, axis=0)).max(axis=1)
    return np.asarray(ring_mm[step > _REPEATED_MM])


def winds_round_catheter(ring_mm: Points, clearance_mm: float) -> bool:
    """Whether a ring goes round the catheter's centre and keeps clear of it."""
    angle = np.arctan2(ring_mm[:, 1], ring_mm[:, 0])
    turn = np.roll(angle, -1) - angle
    turns = np.rint(((turn + np.pi) % (2 * np.pi) - np.pi).sum() / (2 * np.pi))
    return bool(turns != 0 and nearest_on_ring(ring_mm, (0.0, 0.0))[0] >= clearance_mm)


def clear_of_catheter(ring_mm: Points, make: Callable[[float], Points]) -> Points:
    """Make a ring that still holds the catheter, if the one before did.

    Parameters
    ----------
    make
        Makes the ring after a part (0 to 1) of the gesture.

    Returns
    -------
    The ring after the whole gesture or, where the border would cross the catheter, after as
    large a part of it as keeps clear. The imaging catheter lies in the lumen whatever the
    picture seems to show, and a border that stops there follows the pointer without a jump;
    refusing the gesture would throw the border back to where the drag began.
    """
    whole = make(1.0)
    clearance = min(CATHETER_CLEARANCE_MM, 0.9 * nearest_on_ring(ring_mm, (0.0, 0.0))[0])
    if not winds_round_catheter(ring_mm, clearance) or winds_round_catheter(whole, clearance):
        return whole
    low, high = 0.0, 1.0
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        kept = winds_round_catheter(make(middle), clearance)
        low, high = (middle, high) if kept else (low, middle)
    return make(low)


def rebuilt(contour: Contour, ring: int, points_mm: Points) -> Contour:
    """Return a contour in which one ring is another, simple whatever the ring.

    A ring that crosses itself is cleaned by `clipping.wound`. Of several pieces the one that holds
    the catheter's centre stays, if the contour held it, otherwise the one that shares the
    largest area with the contour: an edit changes a region, it does not make others. The same
    contour comes back where nothing is left.
    """
    rings = [points_mm if k == ring else old for k, old in enumerate(contour.rings_mm)]
    if any(len(points) < 3 for points in rings):
        return contour
    drawn = Contour(rings[0], tuple(rings[1:]))
    region = region_of(drawn)
    if region is drawn.polygon:
        return drawn
    if not contour.holes_mm:
        region = wound(points_mm)
        if signed_area(points_mm) * signed_area(contour.points_mm) < 0:
            # More was pushed out on the far side than is left: the larger loops are the outside.
            region = shapely.make_valid(drawn.polygon).difference(region)
    found = contours_of(region)
    before = region_of(contour)
    if before.contains(shapely.Point(0.0, 0.0)):
        held = (piece for piece in found if piece.polygon.contains(shapely.Point(0.0, 0.0)))
        return next((piece.without_holes() for piece in held), contour)
    return max(found, key=lambda piece: piece.polygon.intersection(before).area, default=contour)


def signed_area(ring_mm: Points) -> float:
    """Area of a ring by the shoelace formula, negative when it runs clockwise (y up)."""
    x, y = (ring_mm - ring_mm[0]).T
    return float(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2


def smoothed_path(path_mm: Points, passes: int) -> Points:
    """Smooth an open path against the tremor of a hand; its ends stay."""
    smooth = path_mm.copy()
    for _ in range(passes if len(path_mm) > 2 else 0):
        smooth[1:-1] = (smooth[:-2] + 2 * smooth[1:-1] + smooth[2:]) / 4
    return smooth


def cleaned_path(path_mm: Points) -> Points:
    """Return a path as float64 ``(N, 2)`` without repeated points.

    Coordinates are rounded to 1e-9 mm: GEOS divides by zero on numbers next to nothing.
    """
    path = np.round(np.asarray(path_mm, dtype=np.float64).reshape(-1, 2), 9)
    if len(path) < 2:
        return path
    keep = np.append(True, np.abs(np.diff(path, axis=0)).max(axis=1) > _REPEATED_MM)
    return np.asarray(path[keep])


def resampled_path(path_mm: Points, step_mm: float) -> Points:
    """Return an open path with points at equal steps of about ``step_mm``, 600 at most."""
    along = np.append(0.0, np.cumsum([float(np.hypot(*(b - a))) for a, b in pairwise(path_mm)]))
    count = max(2, int(np.ceil(along[-1] / step_mm)) + 1)
    at = np.linspace(0, along[-1], min(count, _MOST_PATH_POINTS))
    return np.stack([np.interp(at, along, path_mm[:, axis]) for axis in (0, 1)], axis=1)
