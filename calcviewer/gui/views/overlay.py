"""What is drawn over one frame, as plain arrays for both image views.

In the cross-section points are canonical mm. In the polar view they are ``(angle_deg, radius_mm)``
with angles that run on past 360 degrees, so that nothing is torn apart at theta = 0; `seen_between`
repeats them for every turn that a window shows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from calcviewer.core.annotation import FrameAnnotation
from calcviewer.core.contour import Contour, contours_of
from calcviewer.core.geometry import FULL_CIRCLE_DEG, Arc, FloatArray, to_polar, to_xy

Points = NDArray[np.float64]
Lines = list[Points]

_POLAR_STEP_DEG = 1.0
"""A straight line is a curve in the polar view; pieces this short look like it."""
_RIM_STEP_DEG = 3.0
_TOUCH_DEG = 1e-6
_TURN = np.array([FULL_CIRCLE_DEG, 0.0])


@dataclass(frozen=True, eq=False)
class Overlay:
    """Everything drawn over one frame, canonical mm.

    Parameters
    ----------
    shadows
        Guidewire sectors from the lumen border outward.
    eel
        The external elastic lamina, where the operator has drawn it.
    centroid_mm
        The point O from which arcs are seen; None without a lumen.
    rays_mm
        The bounding rays of the maximum arc, each ``(2, 2)``: from O to the end of the picture.
    """

    lumen: Contour | None = None
    calcium: tuple[Contour, ...] = ()
    shadows: tuple[Contour, ...] = ()
    eel: Contour | None = None
    centroid_mm: tuple[float, float] | None = None
    rays_mm: tuple[Points, ...] = ()


def frame_overlay(
    annotation: FrameAnnotation, *, arc: Arc | None = None, reach_mm: float
) -> Overlay:
    """Return what is drawn for an annotation.

    Parameters
    ----------
    arc
        The maximum arc, from the lumen centroid.
    reach_mm
        Radius at which the picture ends.
    """
    lumen = annotation.lumen
    centroid = None if lumen is None else lumen.centroid_mm
    rays: tuple[Points, ...] = ()
    if centroid is not None and arc is not None and 0 < arc.extent_deg < FULL_CIRCLE_DEG:
        rays = tuple(
            ray_to_rim(centroid, angle, reach_mm) for angle in (arc.start_deg, arc.end_deg)
        )
    shadows = shadow_wedges(annotation.guidewires, lumen, reach_mm)
    return Overlay(
        lumen=lumen,
        calcium=annotation.calcium,
        shadows=shadows,
        eel=annotation.eel,
        centroid_mm=centroid,
        rays_mm=rays,
    )


def shadow_wedges(
    sectors: Iterable[Arc], lumen: Contour | None, reach_mm: float
) -> tuple[Contour, ...]:
    """Return sectors about the catheter from the lumen border to ``reach_mm``."""
    wedges: list[Contour] = []
    for sector in sectors:
        steps = 2 + int(sector.extent_deg / _RIM_STEP_DEG)
        angles = sector.start_deg + np.linspace(0, sector.extent_deg, steps)
        rim = to_xy(angles, np.full(steps, reach_mm))
        if sector.extent_deg < FULL_CIRCLE_DEG:
            rim = np.concatenate([[[0.0, 0.0]], rim])
        region = shapely.Polygon(rim)
        if lumen is not None:
            region = region.difference(lumen.polygon.buffer(0))
        wedges += contours_of(region)
    return tuple(wedges)


def ray_to_rim(origin_mm: tuple[float, float], angle_deg: float, reach_mm: float) -> Points:
    """Return the ray from a point to the circle of ``reach_mm`` about the catheter, ``(2, 2)``."""
    origin = np.asarray(origin_mm)
    direction = to_xy(np.array(angle_deg), np.array(1.0))
    along = float(origin @ direction)
    inside = reach_mm**2 - float(origin @ origin) + along**2
    length = max(np.sqrt(max(inside, 0.0)) - along, 0.0)
    return np.stack([origin, origin + length * direction])


def beyond_lumen(ray_mm: Points, lumen: Contour) -> Points:
    """Return the part of a ray that lies beyond the lumen border, shape ``(2, 2)``.

    In the polar view the part before it is a curve that says nothing.
    """
    outside = shapely.LineString(ray_mm).difference(lumen.polygon.buffer(0))
    parts = [np.asarray(part.coords) for part in shapely.get_parts(outside) if part.length > 0]
    return parts[-1] if parts else ray_mm[1:].repeat(2, axis=0)


def closed(ring: FloatArray) -> Points:
    """Return a ring with its first point repeated at the end."""
    points = np.asarray(ring, dtype=np.float64)
    return np.concatenate([points, points[:1]])


def borders(contour: Contour) -> Lines:
    """Return a contour's rings as closed lines in mm."""
    return [closed(ring) for ring in contour.rings_mm]


def unrolled(line_mm: FloatArray) -> Points:
    """Return a line in mm as it runs in the polar view.

    Straight pieces become curves; they are cut into pieces of a degree at most.

    Parameters
    ----------
    line_mm
        Shape ``(N, 2)``.

    Returns
    -------
    ``(angle_deg, radius_mm)``, shape ``(M >= N, 2)``; angles run on without jumps and begin in
    [0, 360).
    """
    line = np.asarray(line_mm, dtype=np.float64)
    angle, _ = to_polar(line)
    turn = np.diff(angle)
    turn -= FULL_CIRCLE_DEG * np.rint(turn / FULL_CIRCLE_DEG)
    pieces = np.maximum(np.ceil(np.abs(turn) / _POLAR_STEP_DEG), 1).astype(np.intp)
    edge = np.repeat(np.arange(len(turn)), pieces)
    part = (np.arange(pieces.sum()) - np.repeat(np.cumsum(pieces) - pieces, pieces)) / pieces[edge]
    first, second = line[edge], line[edge + 1]
    direction = to_xy(angle[edge] + part * turn[edge], np.ones(edge.size))
    # Where the edge crosses the ray in this direction.
    from_first, from_second = _cross(first, direction), _cross(second, direction)
    span = from_first - from_second
    along = np.divide(from_first, span, out=part.copy(), where=np.abs(span) > 1e-12)
    along = np.where(part == 0, 0.0, np.clip(along, 0, 1))[:, None]
    points = np.concatenate([first + along * (second - first), line[-1:]])
    _, radius = to_polar(points)
    begin = np.concatenate([[0.0], np.cumsum(turn)]) + angle[0]
    angles = np.append(begin[edge] + part * turn[edge], begin[-1])
    return np.stack([angles, radius], axis=1)


def _cross(first: Points, second: Points) -> Points:
    return np.asarray(first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0])


def polar_borders(contour: Contour) -> Lines:
    """Return a contour's rings as lines in the polar view; through the seam they run on."""
    return [_from_seam(unrolled(line)) for line in borders(contour)]


def polar_region(contour: Contour) -> Lines:
    """Return a contour's region as closed lines in the polar view, for even-odd filling.

    A ring round the catheter is closed through radius 0, one turn long: repeated for every turn
    (`seen_between`) in one path it fills without a seam.
    """
    lines = []
    for line in polar_borders(contour):
        if goes_round(line):
            line = np.concatenate([line, [[line[-1, 0], 0.0], [line[0, 0], 0.0]], line[:1]])
        lines.append(line)
    return lines


def goes_round(line: Points) -> bool:
    """Whether a closed line in the polar view goes round the catheter."""
    return bool(abs(line[-1, 0] - line[0, 0]) > FULL_CIRCLE_DEG / 2)


def _from_seam(line: Points) -> Points:
    """Let a line that goes round the catheter begin and end exactly at theta = 0 and 360.

    Then an outer border and a hole that both go round close at the same place.
    """
    if not goes_round(line):
        return line
    if line[-1, 0] < line[0, 0]:
        line = line[::-1] + _TURN
    start = line[0, 0]
    following = np.flatnonzero((line[:-1, 0] < FULL_CIRCLE_DEG) & (line[1:, 0] >= FULL_CIRCLE_DEG))
    if start % FULL_CIRCLE_DEG == 0 or not following.size:
        return line
    at = int(following[-1])
    before, after = line[at], line[at + 1]
    part = (FULL_CIRCLE_DEG - before[0]) / (after[0] - before[0])
    seam = before + part * (after - before)
    return np.concatenate([[seam - _TURN], line[at + 1 :] - _TURN, line[1 : at + 1], [seam]])


def seen_between(lines: Iterable[Points], left_deg: float, right_deg: float) -> Lines:
    """Return the lines of the polar view once for every turn in which a window shows them.

    Lines that only touch the window's edge are left out, unless they run along it.
    """
    seen = []
    for line in lines:
        low, high = line[:, 0].min(), line[:, 0].max()
        within = _TOUCH_DEG if high - low > _TOUCH_DEG else -_TOUCH_DEG
        first = int(np.ceil((left_deg + within - high) / FULL_CIRCLE_DEG))
        last = int(np.floor((right_deg - within - low) / FULL_CIRCLE_DEG))
        seen += [line + turn * _TURN for turn in range(first, last + 1)]
    return seen


def span_within(
    origin: tuple[float, float],
    direction: tuple[float, float],
    size: tuple[float, float],
    *,
    margin: float,
) -> tuple[float, float] | None:
    """Return where the line ``origin + t * direction`` lies in a rectangle inset by a margin.

    Returns
    -------
    The smallest and largest t; None where it misses the rectangle.
    """
    low, high = -np.inf, np.inf
    for at, step, length in zip(origin, direction, size, strict=True):
        near, far = margin - at, length - margin - at
        if abs(step) < 1e-12:
            if not near <= 0 <= far:
                return None
            continue
        low, high = max(low, min(near / step, far / step)), min(high, max(near / step, far / step))
    return (float(low), float(high)) if low <= high else None
