"""Deposits of two frames laid onto each other in the wall and blended by signed distance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from scipy.spatial import cKDTree
from skimage.measure import find_contours

from calcviewer.core.contour import Contour
from calcviewer.core.editing.arcs import gap_deg
from calcviewer.core.editing.bands import Wall, arc_about, hull_of_arcs
from calcviewer.core.editing.rings import Floats, points_at, positions
from calcviewer.core.editing.sectors import short_way
from calcviewer.core.geometry import FULL_CIRCLE_DEG, Arc

_FURTHEST_DEG = 30.0
"""Deposits with a wider gap between them are two, not one that moved."""
_SAME_GROUP = 0.5
_SAMPLE_MM = 0.01
_STEP_MM = 0.02
_FEWEST, _MOST = 24, 120
_FULL_DEG = 359.0
_SEAM_COLUMNS = 2

Deposits = tuple[Contour, ...]


@dataclass(frozen=True)
class Box:
    """Where deposits lie in the wall: middle and half size, along the arc and in depth."""

    centre_deg: float
    half_deg: float
    middle_mm: float
    half_mm: float


@dataclass(frozen=True, eq=False)
class Blend:
    """One or two shapes on a common grid over their boxes.

    Parameters
    ----------
    boxes
        Of the first and the last frame; of a shape that only one frame has, the other is None.
    distances_mm
        Signed distance to the border, negative inside, ``[angle, depth]``.
    u, v
        Grid coordinates: -1 to 1 over the box along the arc and in depth, with a margin.
    closed
        Whether both run all the way round.
    """

    boxes: tuple[Box | None, Box | None]
    distances_mm: tuple[Floats | None, Floats | None]
    u: Floats
    v: Floats
    closed: bool


def matched_blends(
    deposits: tuple[Deposits, Deposits], walls: tuple[Wall, Wall]
) -> tuple[Blend, ...]:
    """Pair the deposits of two frames, by overlap and then by the nearest middle.

    A deposit left over joins a pair when most of its arc is covered by the pair's deposit in the
    other frame: one deposit that splits in two stays one shape.
    """
    arcs = [
        [arc_about(deposit, wall.centre_mm) for deposit in own]
        for own, wall in zip(deposits, walls, strict=True)
    ]
    blends = []
    depths = [
        [_distance(deposit, wall) for deposit in own]
        for own, wall in zip(deposits, walls, strict=True)
    ]
    for group in _groups((arcs[0], arcs[1]), (depths[0], depths[1])):
        chosen = tuple(tuple(deposits[k][i] for i in group[k]) for k in (0, 1))
        hulls = [hull_of_arcs([arcs[k][i] for i in group[k]]) if group[k] else None for k in (0, 1)]
        blends.append(_blend((chosen[0], chosen[1]), walls, (hulls[0], hulls[1])))
    return tuple(blends)


def _distance(deposit: Contour, wall: Wall) -> float:
    """Mean distance of a deposit's border from O, less that of the lumen border, mm."""
    seen = deposit.points_mm - np.asarray(wall.centre_mm)
    return float(np.hypot(seen[:, 0], seen[:, 1]).mean() - wall.radius_mm.mean())


def _groups(
    arcs: tuple[list[Arc], list[Arc]], depths: tuple[list[float], list[float]]
) -> list[tuple[list[int], list[int]]]:
    """Return groups of indices into both frames' deposits.

    Overlap and turn are compared to 0.001 degree; of layers over the same arc the depth decides.
    """
    first, last = arcs
    ways = sorted(
        (
            -round(a.overlap_deg(b), 3),
            round(abs(short_way(a.centre_deg, b.centre_deg)), 3),
            round(abs(depths[0][i] - depths[1][k]), 4),
            i,
            k,
        )
        for i, a in enumerate(first)
        for k, b in enumerate(last)
        if a.overlap_deg(b) > 0 or min(gap_deg(a, b), gap_deg(b, a)) <= _FURTHEST_DEG
    )
    groups: list[tuple[list[int], list[int]]] = []
    for *_, i, k in ways:
        if not any(i in group[0] or k in group[1] for group in groups):
            groups.append(([i], [k]))
    pairs = [(first[i[0]], last[k[0]]) for i, k in groups]
    for side, own in enumerate(arcs):
        for index, arc in enumerate(own):
            if any(index in group[side] for group in groups):
                continue
            covers = [pair[1 - side].overlap_deg(arc) for pair in pairs]
            best = int(np.argmax(covers)) if covers else -1
            if best >= 0 and covers[best] > _SAME_GROUP * arc.extent_deg:
                groups[best][side].append(index)
            else:
                groups.append(([index], []) if side == 0 else ([], [index]))
    return groups


def _blend(
    deposits: tuple[Deposits, Deposits],
    walls: tuple[Wall, Wall],
    hulls: tuple[Arc | None, Arc | None],
) -> Blend:
    full = [hull is None or hull.extent_deg >= _FULL_DEG for hull in hulls]
    centres = [None if hull is None else hull.centre_deg for hull in hulls]
    # A ring has no middle: it is laid as the other one lies.
    for k in (0, 1):
        if hulls[k] is not None and full[k]:
            other = centres[1 - k]
            centres[k] = other if other is not None and not full[1 - k] else 0.0
    shapes = [
        _Shape(own, wall, centre, 180.0 if full[k] else hull.extent_deg / 2)
        if hull is not None and centre is not None
        else None
        for k, (own, wall, hull, centre) in enumerate(
            zip(deposits, walls, hulls, centres, strict=True)
        )
    ]
    there = [shape for shape in shapes if shape is not None]
    width = float(np.mean([shape.width_mm for shape in there]))
    height = float(np.mean([shape.box.half_mm for shape in there]))
    closed = all(full)
    u = _axis(width, closed)
    v = _axis(height, False)
    values = [
        None if shape is None else shape.signed_distance(u, v, width, height) for shape in shapes
    ]
    boxes = [None if shape is None else shape.box for shape in shapes]
    return Blend((boxes[0], boxes[1]), (values[0], values[1]), u, v, closed)


def _axis(half_mm: float, closed: bool) -> Floats:
    """Return grid coordinates over a box, with a margin where it is not closed to a ring."""
    count = int(np.clip(2 * half_mm / _STEP_MM, _FEWEST, _MOST))
    if closed:
        return (np.arange(count) + 0.5) * 2 / count - 1
    return np.asarray((np.arange(-1, count + 1) + 0.5) * 2 / count - 1)


class _Shape:
    """Deposits of one frame in the coordinates of their box."""

    def __init__(self, deposits: Deposits, wall: Wall, centre_deg: float, half_deg: float) -> None:
        self.region = shapely.union_all([deposit.polygon for deposit in deposits])
        self.wall = wall
        border = np.concatenate(
            [
                points_at(ring, np.arange(0, positions(ring)[-1], _SAMPLE_MM))
                for deposit in deposits
                for ring in deposit.rings_mm
            ]
        )
        corners = np.concatenate([ring for deposit in deposits for ring in deposit.rings_mm])
        angle, depth = wall.angles_and_depths(np.concatenate([border, corners]))
        low, high = float(depth.min()), float(depth.max())
        self.box = Box(centre_deg, half_deg, (low + high) / 2, max((high - low) / 2, 1e-3))
        self.u = short_ways(centre_deg, angle) / half_deg
        self.v = (depth - self.box.middle_mm) / self.box.half_mm
        radius = float(wall.radius_mm.mean()) + self.box.middle_mm
        self.width_mm = float(np.deg2rad(half_deg)) * max(radius, 1e-2)

    def signed_distance(self, u: Floats, v: Floats, width: float, height: float) -> Floats:
        """Distance to the border on the grid, ``[u, v]``, in mm of a box of a common size."""
        border = np.stack([self.u * width, self.v * height], axis=1)
        if self.box.half_deg >= 180:
            turn = np.array([2 * width, 0.0])
            border = np.concatenate([border, border + turn, border - turn])
        at_u, at_v = np.meshgrid(u, v, indexing="ij")
        grid = np.stack([at_u * width, at_v * height], axis=-1).reshape(-1, 2)
        distance, _ = cKDTree(border).query(grid)
        points = self.wall.points(
            self.box.centre_deg + at_u * self.box.half_deg,
            self.box.middle_mm + at_v * self.box.half_mm,
        )
        shapely.prepare(self.region)
        inside = shapely.contains_xy(self.region, points[..., 0], points[..., 1])
        return np.asarray(np.where(inside, -1.0, 1.0) * distance.reshape(at_u.shape))


def short_ways(first_deg: float, last_deg: Floats) -> Floats:
    """Return the angles from one direction to others the short way round."""
    return np.asarray((last_deg - first_deg + 180) % FULL_CIRCLE_DEG - 180)


def blended_outlines(blend: Blend, wall: Wall, part: float) -> shapely.Geometry:
    """Return the region of a blend a part of the way, behind a lumen border there."""
    first, last = blend.distances_mm
    box = _box_between(blend.boxes, part)
    if box is None:
        return shapely.GeometryCollection()
    if first is None or last is None:
        values = first if first is not None else last
    else:
        values = (1 - part) * first + part * last
    assert values is not None
    if not blend.closed:
        return _outlines(values, blend.u, blend.v, (box, wall))
    count = len(blend.u)
    half = count // 2
    regions = []
    for start, stop in ((0, half), (half, count)):
        columns = np.arange(start - _SEAM_COLUMNS, stop + _SEAM_COLUMNS)
        u = blend.u[0] + columns * 2 / count
        regions.append(_outlines(values[columns % count], u, blend.v, (box, wall)))
    return shapely.union_all(regions)


def _box_between(boxes: tuple[Box | None, Box | None], part: float) -> Box | None:
    """Return the box half-way; of a shape without a partner one that shrinks to nothing there."""
    first, last = boxes
    if first is None or last is None:
        only = first or last
        scale = 1 - 2 * part if last is None else 2 * part - 1
        if only is None or scale <= 0:
            return None
        # A ring grows thin all the way round; it would have no place to open.
        half_deg = only.half_deg if only.half_deg >= 180 else only.half_deg * scale
        return Box(only.centre_deg, half_deg, only.middle_mm, only.half_mm * scale)
    turn = short_way(first.centre_deg, last.centre_deg)
    return Box(
        first.centre_deg + part * turn,
        (1 - part) * first.half_deg + part * last.half_deg,
        (1 - part) * first.middle_mm + part * last.middle_mm,
        (1 - part) * first.half_mm + part * last.half_mm,
    )


def _outlines(values: Floats, u: Floats, v: Floats, place: tuple[Box, Wall]) -> shapely.Geometry:
    """Return where values on a grid are negative, laid into the wall."""
    box, wall = place
    outside = float(np.abs(values).max()) + 1e-6
    padded = np.pad(-values, 1, constant_values=-outside)
    rings = []
    for curve in find_contours(padded, 0.0):
        if len(curve) < 4:
            continue
        at_u = np.interp(curve[:, 0] - 1, np.arange(len(u)), u)
        at_v = np.interp(curve[:, 1] - 1, np.arange(len(v)), v)
        angle = box.centre_deg + at_u * box.half_deg
        rings.append(wall.points(angle, box.middle_mm + at_v * box.half_mm))
    region = shapely.Polygon()
    for ring in rings:
        region = region.symmetric_difference(shapely.Polygon(ring).buffer(0))
    return region
