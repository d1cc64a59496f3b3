"""Editing of deposits; angles are about the lumen centroid O, depths behind the lumen border."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
import shapely

from calcviewer.core.annotation import FrameAnnotation
from calcviewer.core.contour import Contour, Points
from calcviewer.core.editing.arcs import gap_deg, with_end_at
from calcviewer.core.editing.bands import (
    Wall,
    arc_about,
    band,
    fronts_and_backs,
    wall_of,
    wedge,
)
from calcviewer.core.editing.border import fall_off
from calcviewer.core.editing.clipping import pieces, region_of, settled
from calcviewer.core.editing.rings import (
    Floats,
    Point,
    bent,
    cleaned_path,
    nearest_on_ring,
    positions,
    rebuilt,
)
from calcviewer.core.editing.structures import Structure, Target, with_contour
from calcviewer.core.geometry import FULL_CIRCLE_DEG, Arc

End = Literal["start", "end"]
Side = Literal["front", "back"]
NARROWEST_DEG = 2.0
"""Dragging an end of a deposit's arc leaves at least this much of it."""
THINNEST_MM = 0.02
"""A sector is drawn at least this thick."""
SPLIT_GAP_MM = 0.03
"""A split leaves this gap between the two parts."""
_LINE_REACH_MM = 0.1
_END_PART_DEG = 8.0
_END_TIP = 0.15
_SAME_RAY_RAD = 1e-6


def sector_deposit(
    annotation: FrameAnnotation,
    start_deg: float,
    extent_deg: float,
    inner_mm: float,
    outer_mm: float,
    field: shapely.Polygon,
) -> FrameAnnotation:
    """Add a deposit that fills a sector between two depths behind the lumen border.

    Parameters
    ----------
    start_deg, extent_deg
        A negative extent runs backwards; from 360 degrees on the deposit is a ring.
    inner_mm, outer_mm
        Along the ray from O; the smaller one is the front, and not before the border.

    Returns
    -------
    The annotation with the new deposit last; nothing changes without a lumen.
    """
    if annotation.lumen is None or extent_deg == 0:
        return annotation
    if extent_deg < 0:
        start_deg, extent_deg = start_deg + extent_deg, -extent_deg
    front = max(0.0, min(inner_mm, outer_mm))
    back = max(front + THINNEST_MM, inner_mm, outer_mm)
    region = band(
        wall_of(annotation.lumen), Arc(start_deg, extent_deg), (front, front), (back, back)
    )
    found = pieces(region)
    if not found:
        return annotation
    calcium = annotation.calcium
    added = (*calcium, *found)
    changed = replace(annotation, calcium=added)
    return settled(changed, field, first=range(len(calcium), len(added)))


def deposit_deleted(annotation: FrameAnnotation, index: int) -> FrameAnnotation:
    """Remove a deposit."""
    if not 0 <= index < len(annotation.calcium):
        return annotation
    calcium = annotation.calcium[:index] + annotation.calcium[index + 1 :]
    return replace(annotation, calcium=calcium)


def deposit_split(annotation: FrameAnnotation, line_mm: Points) -> FrameAnnotation:
    """Cut every deposit that a line ``(N, 2)`` goes through.

    The line's ends reach 0.1 mm further than drawn. A deposit that the line does not cut in two
    stays, except a ring, which opens.
    """
    line = cleaned_path(line_mm)
    if len(line) < 2:
        return annotation
    line = np.concatenate([_beyond(line[1], line[0]), line, _beyond(line[-2], line[-1])])
    knife = shapely.LineString(line).buffer(SPLIT_GAP_MM / 2)
    calcium: list[Contour] = []
    extra: list[Contour] = []
    for old in annotation.calcium:
        found = pieces(region_of(old).difference(knife)) if knife.intersects(old.polygon) else ()
        opened = bool(found) and len(found[0].holes_mm) < len(old.holes_mm)
        cut = len(found) > 1 or opened
        calcium += found[:1] if cut else [old]
        extra += found[1:] if cut else []
    if len(calcium) + len(extra) == len(annotation.calcium) and all(
        a is b for a, b in zip(calcium, annotation.calcium, strict=True)
    ):
        return annotation
    return replace(annotation, calcium=(*calcium, *extra))


def _beyond(before: Floats, end: Floats) -> Points:
    step = end - before
    return np.asarray(end + step / np.hypot(*step) * _LINE_REACH_MM)[None]


def deposits_merged(
    annotation: FrameAnnotation, first: int, second: int, field: shapely.Polygon
) -> FrameAnnotation:
    """Join two deposits into one, at the place of the earlier one.

    The gap between them is bridged along the wall the shorter way round, from the depths at the
    end of one to those at the end of the other; of two that lie behind each other the space
    between is filled.
    """
    count = len(annotation.calcium)
    if first == second or not (0 <= first < count and 0 <= second < count):
        return annotation
    one, other = annotation.calcium[first], annotation.calcium[second]
    joined = region_of(one).union(region_of(other))
    if len(pieces(joined)) > 1:
        if annotation.lumen is None:
            return annotation
        joined = joined.union(_bridge(one, other, wall_of(annotation.lumen)))
    found = pieces(joined)
    if len(found) != 1:
        return annotation
    place = min(first, second)
    calcium = [old for k, old in enumerate(annotation.calcium) if k not in (first, second)]
    calcium.insert(place, found[0])
    return settled(replace(annotation, calcium=tuple(calcium)), field, first=(place,))


def _bridge(one: Contour, other: Contour, wall: Wall) -> shapely.Geometry:
    """Return the region between two deposits."""
    arc_one, arc_other = arc_about(one, wall.centre_mm), arc_about(other, wall.centre_mm)
    onward, backward = gap_deg(arc_one, arc_other), gap_deg(arc_other, arc_one)
    if min(onward, backward) == 0:
        return _between_depths(one, other, wall)
    if backward < onward:
        one, other, arc_one, arc_other = other, one, arc_other, arc_one
    front_one, back_one, inside_one = _depths_at(one, wall, arc_one, "end")
    front_other, back_other, inside_other = _depths_at(other, wall, arc_other, "start")
    extent = min(onward, backward) + inside_one + inside_other
    span = Arc(arc_one.start_deg + arc_one.extent_deg - inside_one, extent)
    return band(wall, span, (front_one, front_other), (back_one, back_other))


def _between_depths(one: Contour, other: Contour, wall: Wall) -> shapely.Geometry:
    """Return what lies between two deposits on the rays that cross both."""
    crossed = [fronts_and_backs(contour, wall) for contour in (one, other)]
    _, k, m = np.intersect1d(crossed[0][0], crossed[1][0], return_indices=True)
    step = 360.0 / len(wall.radius_mm)
    bands = []
    for a, b in zip(k, m, strict=True):
        front = min(float(crossed[0][1][a]), float(crossed[1][1][b]))
        back = max(float(crossed[0][2][a]), float(crossed[1][2][b]))
        span = Arc(float(crossed[0][0][a]) - 0.51 * step, 1.02 * step)
        bands.append(band(wall, span, (front, front), (back, back)))
    return shapely.union_all(bands)


def arc_of(annotation: FrameAnnotation, index: int) -> Arc | None:
    """Return the arc of a deposit between its tangent rays from O; None without a lumen."""
    if annotation.lumen is None or not 0 <= index < len(annotation.calcium):
        return None
    return arc_about(annotation.calcium[index], wall_of(annotation.lumen).centre_mm)


def arc_end_moved(
    annotation: FrameAnnotation,
    index: int,
    *,
    end: End,
    to_deg: float,
    field: shapely.Polygon,
) -> FrameAnnotation:
    """Drag one end of a deposit's arc to an angle.

    Outward the deposit goes on at the depths that it has near that end; inward it is cut. At
    least `NARROWEST_DEG` stays. A ring has no ends: nothing changes. Which angles widen is
    said at `arcs.with_end_at`.
    """
    arc = arc_of(annotation, index)
    if arc is None or annotation.lumen is None or arc.extent_deg >= FULL_CIRCLE_DEG:
        return annotation
    after = with_end_at(arc, end, to_deg, narrowest_deg=NARROWEST_DEG)
    grown = after.extent_deg - arc.extent_deg
    if abs(grown) < 1e-6:
        return annotation
    contour, wall = annotation.calcium[index], wall_of(annotation.lumen)
    if grown > 0:
        front, back, inside = _depths_at(contour, wall, arc, end)
        start = arc.start_deg + arc.extent_deg - inside if end == "end" else after.start_deg
        tail = band(wall, Arc(start, grown + inside), (front, front), (back, back))
        region = region_of(contour).union(tail)
    else:
        reach = float(np.abs(contour.points_mm).max()) + float(np.hypot(*wall.centre_mm))
        region = region_of(contour).intersection(wedge(wall.centre_mm, after, reach))
    found = pieces(region)
    if not found:
        return annotation
    return with_contour(annotation, Target(Structure.CALCIUM, index), found[0], field)


def _depths_at(contour: Contour, wall: Wall, arc: Arc, end: End) -> tuple[float, float, float]:
    """Return front and back depth near an end of a deposit, and how far inside (degrees).

    Medians over the last degrees without the very tip, which is rounded or pointed.
    """
    angle, front, back = fronts_and_backs(contour, wall)
    ahead = (angle - arc.start_deg) % FULL_CIRCLE_DEG
    inside = arc.extent_deg - ahead if end == "end" else ahead
    length = min(_END_PART_DEG, arc.extent_deg / 2)
    near = (inside >= _END_TIP * length) & (inside <= length)
    if not near.any():
        _, depth = wall.angles_and_depths(contour.points_mm)
        return float(depth.min()), float(depth.max()), arc.extent_deg / 2
    front_mm, back_mm = float(np.median(front[near])), float(np.median(back[near]))
    return front_mm, max(back_mm, front_mm + THINNEST_MM), length / 2


def border_pulled(
    annotation: FrameAnnotation,
    index: int,
    *,
    side: Side,
    grab_mm: Point,
    to_mm: Point,
    radius_mm: float,
    field: shapely.Polygon,
) -> FrameAnnotation:
    """Pull the front or the back border of a deposit; the other border stays.

    The two meet at the tangent rays from O. Like `border.pulled` with a fall-off that also ends
    there. Of a ring, the front is the hole round O and the back the outer ring.
    """
    move = np.asarray(to_mm, dtype=np.float64) - grab_mm
    arc = arc_of(annotation, index)
    if arc is None or annotation.lumen is None or not move.any() or radius_mm <= 0:
        return annotation
    contour = annotation.calcium[index]
    if arc.extent_deg >= FULL_CIRCLE_DEG and contour.holes_mm:
        areas = [shapely.Polygon(hole).area for hole in contour.holes_mm]
        ring = 0 if side == "back" else 1 + int(np.argmax(areas))
        start, length = 0.0, float(positions(contour.rings_mm[ring])[-1])
    else:
        ring = 0
        start, length = _chain(contour.points_mm, wall_of(annotation.lumen).centre_mm, side)
    made = _pulled_chain(contour.rings_mm[ring], (start, length), grab_mm, move, radius_mm)
    changed = rebuilt(contour, ring, made)
    return with_contour(annotation, Target(Structure.CALCIUM, index), changed, field)


def _chain(ring: Points, centre_mm: Point, side: Side) -> tuple[float, float]:
    """Return position and length of the part of a ring between its tangent rays on a side.

    Where the ring runs along a tangent ray, that stretch is of neither side.
    """
    seen = ring - np.asarray(centre_mm)
    angle = np.unwrap(np.arctan2(seen[:, 1], seen[:, 0]))
    distance = np.hypot(seen[:, 0], seen[:, 1])
    along = positions(ring)
    total = float(along[-1])

    def corner(extreme: float) -> float:
        on_ray = np.flatnonzero(np.abs(angle - extreme) < _SAME_RAY_RAD)
        inward = distance[on_ray] if side == "front" else -distance[on_ray]
        return float(along[on_ray[inward.argmin()]])

    ends = corner(float(angle.min())), corner(float(angle.max()))
    chains = [(a, (b - a) % total) for a, b in (ends, ends[::-1])]

    def mean_distance(chain: tuple[float, float]) -> float:
        on_it = (along[:-1] - chain[0]) % total <= chain[1]
        return float(distance[on_it].mean()) if on_it.any() else 0.0

    chains.sort(key=mean_distance)
    return chains[0] if side == "front" else chains[1]


def _pulled_chain(
    ring: Points, chain: tuple[float, float], grab_mm: Point, move: Floats, radius_mm: float
) -> Points:
    """Pull a part of a ring, which stays where it ends."""
    start, length = chain
    total = float(positions(ring)[-1])
    whole = length >= total
    _, at, _ = nearest_on_ring(ring, grab_mm)
    if not whole and (at - start) % total > length:  # the other border is nearer: its far side
        at = _nearest_in(ring, chain, grab_mm)
    room = min((at - start) % total, length - (at - start) % total)
    taper = max(min(radius_mm, room), 1e-3)

    def weight(position: Floats) -> Floats:
        full = fall_off(position - at, total, radius_mm)
        if whole:
            return full
        inside = (position - start) % total
        margin = np.clip(np.minimum(inside, length - inside) / taper, 0, 1)
        return np.asarray(full * margin * margin * (3 - 2 * margin))

    return bent(ring, at, move, weight)


def _nearest_in(ring: Points, chain: tuple[float, float], at_mm: Point) -> float:
    """Return the position of the point of a part of a ring that is nearest to a point."""
    along = positions(ring)
    total = float(along[-1])
    on_it = np.flatnonzero((along[:-1] - chain[0]) % total <= chain[1])
    distance = np.hypot(*(ring[on_it] - np.asarray(at_mm)).T)
    return float(along[on_it[distance.argmin()]])
