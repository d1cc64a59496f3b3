"""Bending the border of any closed contour: lumen, a deposit or the EEL."""

from __future__ import annotations

import numpy as np
import shapely
from shapely import ops

from calcviewer.core.contour import Contour, Points
from calcviewer.core.editing.rings import (
    Floats,
    Point,
    bent,
    cleaned_path,
    clear_of_catheter,
    nearest_on_ring,
    points_at,
    positions,
    rebuilt,
    resampled_path,
    smoothed_path,
    winds_round_catheter,
)

_FAINT = 1e-3
"""The tails of the fall-off below this weight do not move: 3.7 radii from the grabbed point."""
_STROKE_STEP_MM = 0.02
_STROKE_PASSES = 3
_ALONGSIDE = 0.75
_OVERSHOOT = 0.25
_WHOLE_BORDER = 0.7


def nearest_on(contour: Contour, at_mm: Point) -> tuple[float, Point]:
    """Return distance (mm) and coordinates of the border's point nearest to a point."""
    distance, _, point = nearest_on_ring(contour.rings_mm[nearest_ring(contour, at_mm)], at_mm)
    return distance, point


def nearest_ring(contour: Contour, at_mm: Point) -> int:
    """Return which of a contour's rings is nearest to a point."""
    distances = [nearest_on_ring(ring, at_mm)[0] for ring in contour.rings_mm]
    return int(np.argmin(distances))


def pulled(contour: Contour, grab_mm: Point, to_mm: Point, *, radius_mm: float) -> Contour:
    """Pull the border as if it were elastic.

    Parameters
    ----------
    grab_mm, to_mm
        Where the pointer took hold and where it is. The border's point nearest to the first
        moves by the whole difference, its neighbours by a Gaussian of their distance along the
        border, in both directions.
    radius_mm
        Standard deviation of the Gaussian.
    """
    move = np.asarray(to_mm, dtype=np.float64) - grab_mm
    if not move.any() or radius_mm <= 0:
        return contour
    index = nearest_ring(contour, grab_mm)
    ring = contour.rings_mm[index]
    total = float(positions(ring)[-1])
    _, at, _ = nearest_on_ring(ring, grab_mm)

    def weight(position: Floats) -> Floats:
        return fall_off(position - at, total, radius_mm)

    made = clear_of_catheter(ring, lambda part: bent(ring, at, part * move, weight))
    return rebuilt(contour, index, made)


def fall_off(distance_mm: Floats, total_mm: float, radius_mm: float) -> Floats:
    """Return a Gaussian of the distance along a closed border of a total length.

    The distance is the chord of a circle of that length, so that the two directions meet
    smoothly on the far side of a small contour.
    """
    chord = total_mm / np.pi * np.sin(np.pi * distance_mm / total_mm)
    gauss = np.exp(-0.5 * (chord / radius_mm) ** 2)
    return np.asarray(np.clip((gauss - _FAINT) / (1 - _FAINT), 0, 1))


def redrawn(contour: Contour, stroke_mm: Points) -> Contour:
    """Replace a part of the border by a stroke.

    The stroke's ends are tied to the nearest points of the border, after cutting off ends that
    stick out beyond it. Of the two ways between them the shorter is replaced, unless the stroke
    runs along the longer one. A stroke that goes all the way round replaces the whole border.

    Parameters
    ----------
    stroke_mm
        The pointer's path, shape ``(N, 2)``. With fewer than two different points nothing
        changes.
    """
    stroke = cleaned_path(stroke_mm)
    if len(stroke) < 2:
        return contour
    index = nearest_ring(contour, (float(stroke[0, 0]), float(stroke[0, 1])))
    ring = contour.rings_mm[index]
    stroke = _trimmed(stroke, ring)
    stroke = smoothed_path(resampled_path(stroke, _STROKE_STEP_MM), _STROKE_PASSES)
    made = stroke if _goes_round(stroke, ring) else _spliced(ring, stroke)
    if winds_round_catheter(ring, 0.0) and not winds_round_catheter(made, 0.0):
        return contour
    return rebuilt(contour, index, made)


def _trimmed(stroke: Points, ring: Points) -> Points:
    """Cut off what a stroke sticks out at its ends beyond the border it was drawn on."""
    line = shapely.LineString(stroke)
    crossing = shapely.get_coordinates(line.intersection(shapely.LinearRing(ring)))
    at = np.sort(shapely.line_locate_point(line, shapely.points(crossing)))
    if len(at) < 2:
        return stroke
    longest = _OVERSHOOT * line.length
    start = at[0] if at[0] <= longest else 0.0
    end = at[-1] if line.length - at[-1] <= longest else line.length
    cut = shapely.get_coordinates(ops.substring(line, start, end))
    return cut if end - start > longest else stroke


def _goes_round(stroke: Points, ring: Points) -> bool:
    """Whether a stroke is a new border of its own: long, closed, and round the same region."""
    length = float(np.hypot(*np.diff(stroke, axis=0).T).sum())
    gap = float(np.hypot(*(stroke[-1] - stroke[0])))
    if length < _WHOLE_BORDER * float(positions(ring)[-1]) or gap > 0.2 * length:
        return False
    drawn, before = shapely.Polygon(stroke).buffer(0), shapely.Polygon(ring).buffer(0)
    return bool(drawn.intersection(before).area > 0.5 * max(drawn.area, before.area) / 2)


def _spliced(ring: Points, stroke: Points) -> Points:
    """Return a ring in which the way between a stroke's ends is the stroke."""
    along = positions(ring)
    total = float(along[-1])
    start, end, *middle = (
        nearest_on_ring(ring, (float(x), float(y)))[1]
        for x, y in (stroke[0], stroke[-1], *stroke[1 : -1 : len(stroke) // 32 + 1])
    )
    forward = (end - start) % total
    on_forward = float(np.mean((np.array(middle or [start]) - start) % total <= forward))
    replace_forward = on_forward > _ALONGSIDE if forward > total / 2 else on_forward >= 0.25
    if not replace_forward:
        stroke, start, end = stroke[::-1], end, start
        forward = total - forward
    # The rest runs from the stroke's end forward to its start.
    rest = (along[:-1] - end) % total
    order = np.argsort(rest, kind="stable")
    kept = order[(rest[order] > 0) & (rest[order] < total - forward)]
    ends = points_at(ring, np.array([start, end]))
    return np.concatenate([ends[:1], stroke, ends[1:], ring[kept]])
