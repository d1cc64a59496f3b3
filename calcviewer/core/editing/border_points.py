"""A border held by a few points, which are moved, added and removed.

`handles` finds a border's points anew for every shape; while they are being moved about they have
to stay the same ones.
"""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from calcviewer.core.contour import Contour, Points
from calcviewer.core.editing.border import nearest_ring
from calcviewer.core.editing.rings import (
    Floats,
    Point,
    bent,
    clear_of_catheter,
    nearest_on_ring,
    points_at,
    positions,
    rebuilt,
    winds_round_catheter,
)
from calcviewer.core.editing.smooth import bump, handle_positions, span_without

_OFF_MM = 0.02
"""A point this far off the border no longer holds it."""
FEWEST = 3


def handles(contour: Contour, tolerance_mm: float = 0.05) -> Points:
    """Return few points of the border, ``(M, 2)``, through which it can be drawn smoothly.

    A closed Catmull-Rom curve through the points of each ring, in order, stays within the
    tolerance of the border. The outer ring's come first, then those of the holes.
    """
    at = handle_positions(contour, tolerance_mm)
    return np.concatenate(
        [points_at(ring, own) for ring, own in zip(contour.rings_mm, at, strict=True)]
    )


def held_by(contour: Contour, points_mm: Points, index: int | None = None) -> Points:
    """Return the points, on the border, that still hold it after an edit; shape ``(M, 2)``.

    Parameters
    ----------
    index
        The point that was moved: it goes along wherever the border had to stop.
    """
    ring, at = _places(contour, points_mm)
    lines = _lines(contour)
    feet = np.array(
        [shapely.get_coordinates(lines[r].interpolate(d))[0] for r, d in zip(ring, at, strict=True)]
    ).reshape(-1, 2)
    kept = np.hypot(*(feet - points_mm).T) <= _OFF_MM
    if index is not None:
        kept[index] = True
    return np.asarray(feet[kept])


def point_moved(contour: Contour, points_mm: Points, index: int, to_mm: Point) -> Contour:
    """Move a point; the border follows between the points beside it, and nowhere else."""
    ring_index, at, own = _on_ring(contour, points_mm, index)
    ring = contour.rings_mm[ring_index]
    move = np.asarray(to_mm, dtype=np.float64) - points_mm[index]
    if not move.any() or len(at) < 2:
        return contour
    here = float(at[own])
    weight = bump(here, at, float(positions(ring)[-1]))
    made = clear_of_catheter(ring, lambda part: bent(ring, here, part * move, weight))
    return rebuilt(contour, ring_index, made)


def point_added(contour: Contour, points_mm: Points, at_mm: Point) -> tuple[Contour, Points, int]:
    """Add a point where the border is nearest to a place; the border's shape stays.

    Returns
    -------
    The contour with the point among its own, all points with the new one, and its index.
    """
    ring_index = nearest_ring(contour, at_mm)
    ring = contour.rings_mm[ring_index]
    _, position, foot = nearest_on_ring(ring, at_mm)
    along = positions(ring)[:-1]
    place = int(np.searchsorted(along, position, side="right"))
    dense = np.insert(ring, place, foot, axis=0)
    rings = [dense if k == ring_index else old for k, old in enumerate(contour.rings_mm)]
    points = np.concatenate([points_mm, [foot]])
    return Contour(rings[0], tuple(rings[1:])), points, len(points) - 1


def point_removed(contour: Contour, points_mm: Points, index: int) -> Contour:
    """Draw the border smoothly between the points beside one, as if there were none."""
    ring_index, at, own = _on_ring(contour, points_mm, index)
    if len(at) <= FEWEST:
        return contour
    ring = contour.rings_mm[ring_index]
    made = span_without(ring, at, own)
    if winds_round_catheter(ring, 0.0) and not winds_round_catheter(made, 0.0):
        return contour
    return rebuilt(contour, ring_index, made)


def _on_ring(contour: Contour, points_mm: Points, index: int) -> tuple[int, Floats, int]:
    """Return the ring a point lies on, the positions of that ring's points, and its place there."""
    rings, at = _places(contour, points_mm)
    ring = int(rings[index])
    along = np.unique(at[rings == ring])
    return ring, along, int(np.argmin(np.abs(along - at[index])))


def _places(contour: Contour, points_mm: Points) -> tuple[NDArray[np.intp], Floats]:
    """Return, for every point, the ring it is nearest to and its position along that ring."""
    lines, points = _lines(contour), shapely.points(points_mm)
    rings = np.argmin([shapely.distance(points, line) for line in lines], axis=0)
    at = np.array([shapely.line_locate_point(line, points) for line in lines])
    return rings, at[rings, np.arange(len(points_mm))]


def _lines(contour: Contour) -> list[shapely.LinearRing]:
    return [shapely.LinearRing(ring) for ring in contour.rings_mm]
