"""What a free stroke of the mouse means, and the lines that show it. Canonical mm."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import ops

from calcviewer.core.annotation import FrameAnnotation
from calcviewer.core.contour import Contour
from calcviewer.core.editing.border import nearest_on
from calcviewer.core.editing.regions import (
    calcium_added,
    calcium_erased,
    lumen_added,
    lumen_erased,
)
from calcviewer.core.editing.structures import Structure, Target, contour_at, targets_of
from calcviewer.core.geometry import FULL_CIRCLE_DEG, to_polar, to_xy
from calcviewer.gui.tools.reach import reaches_to
from calcviewer.gui.tools.tool import Pointer

Points = NDArray[np.float64]
Point = tuple[float, float]

_CIRCLE = to_xy(np.linspace(0, 360, 73)[:-1], np.ones(72))
_PART_POINTS = 41
_STEP_REACHES = 0.1


def circle_about(at_mm: Point, radius_mm: float) -> Points:
    """Return the circle of a brush, shape ``(N, 2)``."""
    return np.asarray(_CIRCLE * radius_mm + at_mm)


def extended(path_mm: Points, pointer: Pointer) -> Points:
    """Return a path of shape ``(N, 2)`` drawn on to the pointer, unless that hardly moved."""
    if np.hypot(*(path_mm[-1] - pointer.at_mm)) < _STEP_REACHES * pointer.reach_mm:
        return path_mm
    return np.concatenate([path_mm, [pointer.at_mm]])


def length_of(path_mm: Points) -> float:
    """Return the length of a path, mm."""
    return float(np.hypot(*np.diff(path_mm, axis=0).T).sum())


def nearest_index(points_mm: Points, at_mm: Point, reach_mm: float) -> int | None:
    """Return which of ``(N, 2)`` points is nearest to a place, within reach; None without one."""
    if not len(points_mm):
        return None
    distances = np.hypot(*(points_mm - np.asarray(at_mm)).T)
    nearest = int(np.argmin(distances))
    return nearest if distances[nearest] <= reach_mm else None


def point_under(points_mm: Points, pointer: Pointer) -> int | None:
    """Return which of ``(N, 2)`` points is under the pointer, the nearest; None without one."""
    if not len(points_mm):
        return None
    at = np.asarray(pointer.at_mm)
    if pointer.reach_deg is None:
        away = np.hypot(*(points_mm - at).T) / pointer.reach_mm
    else:
        angle, radius = to_polar(points_mm)
        own_angle, own_radius = to_polar(at)
        turned = (angle - own_angle + FULL_CIRCLE_DEG / 2) % FULL_CIRCLE_DEG - FULL_CIRCLE_DEG / 2
        away = np.hypot(turned / pointer.reach_deg, (radius - own_radius) / pointer.reach_mm)
    nearest = int(np.argmin(away))
    return nearest if away[nearest] <= 1 else None


def border_part(contour: Contour, at_mm: Point, reach_mm: float) -> Points:
    """Return the part of a border about a place on it, as long as ``reach_mm`` on either side.

    Returns
    -------
    Shape ``(N, 2)``; all of a border that is no longer than that.
    """
    place = shapely.Point(at_mm)
    rings = [shapely.LinearRing(ring) for ring in contour.rings_mm]
    ring = min(rings, key=lambda one: float(one.distance(place)))
    reach = min(reach_mm, ring.length / 2)
    along = ring.project(place) + np.linspace(-reach, reach, _PART_POINTS)
    return np.asarray(shapely.get_coordinates(ring.interpolate(along % ring.length)))


def border_under(annotation: FrameAnnotation, pointer: Pointer) -> Target | None:
    """Return what has its border under the pointer, the nearest one; None where there is none."""
    best: tuple[float, Target] | None = None
    for target in targets_of(annotation):
        contour = contour_at(annotation, target)
        assert contour is not None
        away = min(reaches_to(ring, pointer, ring=True) for ring in contour.rings_mm)
        if away <= 1 and (best is None or away < best[0]):
            best = away, target
    return None if best is None else best[1]


def redrawing(contour: Contour, stroke_mm: Points) -> Points:
    """Return the part of a stroke that is to replace a part of a border.

    A stroke that begins off the border and runs over it counts from there on; where it leaves the
    border at its end, up to there. Where it crosses the border once, the shorter side is run-up.

    Parameters
    ----------
    stroke_mm
        Shape ``(N >= 1, 2)``.
    """
    if len(stroke_mm) < 2:
        return stroke_mm
    line = shapely.LineString(stroke_mm)
    rings = shapely.union_all([shapely.LinearRing(ring) for ring in contour.rings_mm])
    crossings = shapely.get_coordinates(line.intersection(rings))
    if not len(crossings):
        return stroke_mm
    along = np.sort(shapely.line_locate_point(line, shapely.points(crossings)))
    first, last = float(along[0]), float(along[-1])
    if last - first <= 0.5 * max(first, line.length - last):
        # In effect one crossing: before it or after it lies what the operator meant to draw.
        first, last = (last, line.length) if line.length - last > first else (0.0, first)
    kept = ops.substring(line, first, last)
    return np.asarray(shapely.get_coordinates(kept))


def stroke_target(annotation: FrameAnnotation, stroke_mm: Points) -> tuple[Target, float] | None:
    """Return the border that a stroke redraws: the one at which it begins and ends.

    Parameters
    ----------
    stroke_mm
        Shape ``(N >= 1, 2)``.

    Returns
    -------
    The border with the least sum of distances, and the larger of both distances from it (mm) of
    what `redrawing` leaves of the stroke; None in a frame without borders.
    """
    ends = (tuple(stroke_mm[0]), tuple(stroke_mm[-1]))
    best: tuple[float, Target, Contour] | None = None
    for target in targets_of(annotation):
        contour = contour_at(annotation, target)
        assert contour is not None
        away = sum(nearest_on(contour, end)[0] for end in ends)
        if best is None or away < best[0]:
            best = away, target, contour
    if best is None:
        return None
    _, target, contour = best
    drawn = redrawing(contour, stroke_mm)
    off = max(nearest_on(contour, tuple(end))[0] for end in (drawn[0], drawn[-1]))
    return target, off


def painted(
    annotation: FrameAnnotation,
    region: shapely.Polygon,
    *,
    structure: Structure,
    erase: bool,
    field: shapely.Polygon,
) -> FrameAnnotation:
    """Return an annotation with a region added to calcium or lumen, or taken from it."""
    if structure is Structure.LUMEN:
        change = lumen_erased if erase else lumen_added
    else:
        change = calcium_erased if erase else calcium_added
    return change(annotation, region, field)


def smooth_ring(points_mm: Sequence[Point] | Points, pieces: int = 12) -> Points:
    """Return a smooth closed line through points (centripetal Catmull-Rom).

    Parameters
    ----------
    points_mm
        Shape ``(N >= 3, 2)``, in order round the ring.
    pieces
        Into how many straight pieces the line between two points is cut.

    Returns
    -------
    Shape ``(N * pieces, 2)``.
    """
    points = np.asarray(points_mm, dtype=np.float64)
    around = [np.roll(points, shift, axis=0) for shift in (1, 0, -1, -2)]
    steps = [np.sqrt(np.hypot(*(after - before).T)) + 1e-9 for before, after in pairwise(around)]
    start, end = steps[0], steps[0] + steps[1]
    last = end + steps[2]
    at = start + np.linspace(0, 1, pieces, endpoint=False)[:, None] * steps[1]

    def mixed(first: Points, second: Points, low: Points, high: Points) -> Points:
        part = ((at - low) / (high - low))[..., None]
        return np.asarray(first * (1 - part) + second * part)

    zero = np.zeros_like(start)
    outer = mixed(around[0], around[1], zero, start)
    inner = mixed(around[1], around[2], start, end)
    beyond = mixed(around[2], around[3], end, last)
    curve = mixed(mixed(outer, inner, zero, end), mixed(inner, beyond, start, last), start, end)
    return curve.transpose(1, 0, 2).reshape(-1, 2)
