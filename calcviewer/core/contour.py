"""Closed contours in millimetres: traced from masks, crossed by rays, turned back into masks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import shapely
from numpy.typing import NDArray
from skimage.measure import find_contours

from calcviewer.core.geometry import CartesianGrid, FloatArray, Grid, PolarGrid, to_xy

Points = NDArray[np.float64]
# Ray angles are compared as integers in this many parts of a ray step, so that a ray through a
# vertex crosses exactly one of the two edges that meet there.
_ANGLE_PARTS = 1 << 24
_SMOOTHING_PASSES = 6
_WITHIN_SAMPLE = 0.45
_BEFORE_NEXT_A_LINE = 0.98  # an end may come this near to an A-line that is outside
_SMALLEST_AREA_MM2 = 1e-7
_POLE_PART = 1e-3


def _frozen(points: FloatArray) -> Points:
    """Return a read-only float64 copy of shape ``(N, 2)``, without a repeated last point."""
    array = np.array(points, dtype=np.float64)
    if array.ndim != 2 or array.shape[1] != 2 or len(array) < 3:
        raise ValueError(f"a contour must have shape (N >= 3, 2), got {array.shape}")
    if len(array) > 3 and np.array_equal(array[0], array[-1]):
        array = array[:-1]
    array.flags.writeable = False
    return array


@dataclass(frozen=True, eq=False)
class Contour:
    """A closed region: one outer ring and, for calcium that runs all the way round, holes.

    Immutable; two contours are the same when they are the same object.

    Parameters
    ----------
    points_mm
        Outer ring, shape ``(N, 2)``, canonical mm, not closed by a repeated point.
    holes_mm
        Inner rings, each ``(M, 2)``.
    """

    points_mm: Points
    holes_mm: tuple[Points, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "points_mm", _frozen(self.points_mm))
        object.__setattr__(self, "holes_mm", tuple(_frozen(hole) for hole in self.holes_mm))

    @property
    def rings_mm(self) -> tuple[Points, ...]:
        """The outer ring followed by the holes."""
        return (self.points_mm, *self.holes_mm)

    @cached_property
    def polygon(self) -> shapely.Polygon:
        """The region as a shapely polygon."""
        return shapely.Polygon(self.points_mm, self.holes_mm)

    @property
    def area_mm2(self) -> float:
        """Enclosed area without the holes, mm2."""
        return float(self.polygon.area)

    @property
    def centroid_mm(self) -> tuple[float, float]:
        """Centre of area ``(x, y)``, mm."""
        centre = self.polygon.centroid
        return float(centre.x), float(centre.y)

    def without_holes(self) -> Contour:
        """Return the contour with its holes filled."""
        return Contour(self.points_mm) if self.holes_mm else self


def contours_of(geometry: shapely.Geometry, smallest_mm2: float = 0.0) -> tuple[Contour, ...]:
    """Return the polygons of any shapely geometry as contours, largest first."""
    parts = [
        part
        for part in shapely.get_parts(geometry)
        if isinstance(part, shapely.Polygon) and part.area > max(smallest_mm2, _SMALLEST_AREA_MM2)
    ]
    parts.sort(key=lambda part: -part.area)
    return tuple(
        Contour(
            shapely.get_coordinates(part.exterior),
            tuple(shapely.get_coordinates(ring) for ring in part.interiors),
        )
        for part in parts
    )


def ray_crossings(
    rings_mm: Iterable[Points], origin_mm: Sequence[float], rays: int
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Cross closed rings with rays from one point.

    Parameters
    ----------
    rings_mm
        Closed rings, each ``(N, 2)``.
    origin_mm
        Where the rays begin, ``(x, y)``.
    rays
        How many; ray k points at ``(k + 0.5) * 360 / rays`` degrees.

    Returns
    -------
    Ray index and radius (mm) of every crossing, sorted by ray, then by radius. A ray has an odd
    number of crossings when the origin is inside.
    """
    rings = [np.asarray(ring) for ring in rings_mm]
    if not rings:
        return np.zeros(0, dtype=np.intp), np.zeros(0)
    first = np.concatenate(rings) - np.asarray(origin_mm)
    ends = np.cumsum([len(ring) for ring in rings])
    following = np.arange(1, len(first) + 1)
    following[ends - 1] = np.concatenate([[0], ends[:-1]])
    second = first[following]
    edge, ray = _crossed(np.arctan2(first[:, 1], first[:, 0]), following, rays)
    angle = (ray + 0.5) * (2 * np.pi / rays)
    direction = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    from_first = first[edge, 0] * direction[:, 1] - first[edge, 1] * direction[:, 0]
    from_second = second[edge, 0] * direction[:, 1] - second[edge, 1] * direction[:, 0]
    span = from_first - from_second
    part = np.divide(from_first, span, out=np.zeros_like(span), where=span != 0)
    point = first[edge] + np.clip(part, 0, 1)[:, None] * (second[edge] - first[edge])
    radius = np.einsum("ij,ij->i", point, direction)
    order = np.lexsort((radius, ray))
    return ray[order].astype(np.intp), radius[order]


def _crossed(
    angle_rad: NDArray[np.float64], following: NDArray[np.intp], rays: int
) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """Return every pair of an edge and a ray that it crosses.

    Edge k leads from point k, seen at ``angle_rad[k]``, to point ``following[k]``. Angles are
    rounded to whole parts, so that a ray through a point crosses one of its two edges.
    """
    circle = rays * _ANGLE_PARTS
    turn = np.rint(angle_rad / (2 * np.pi / rays) * _ANGLE_PARTS - _ANGLE_PARTS / 2)
    begin = turn.astype(np.int64) % circle
    sweep = (begin[following] - begin + circle // 2) % circle - circle // 2
    low = np.minimum(begin, begin + sweep)
    first_ray = -(-low // _ANGLE_PARTS)
    counts = -(-(low + np.abs(sweep)) // _ANGLE_PARTS) - first_ray
    edge = np.repeat(np.arange(len(angle_rad)), counts)
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return edge, (first_ray[edge] + within) % rays


def rasterise(contours: Iterable[Contour], grid: Grid) -> NDArray[np.bool_]:
    """Return the mask of the pixels whose centre lies in any of the contours.

    Returns
    -------
    Boolean array of shape ``grid.shape``.
    """
    mask = np.zeros(grid.shape, dtype=np.bool_)
    for contour in contours:
        if isinstance(grid, CartesianGrid):
            mask |= _rasterise_cartesian(contour, grid)
        else:
            mask |= _rasterise_polar(contour, grid)
    return mask


def _rasterise_cartesian(contour: Contour, grid: CartesianGrid) -> NDArray[np.bool_]:
    """Cross every row of pixel centres with the rings: inside is what lies after an odd number."""
    toggles = np.zeros((grid.rows, grid.columns + 1), dtype=np.uint8)
    for ring in contour.rings_mm:
        begin = grid.to_px(ring)
        end = np.roll(begin, -1, axis=0)
        low, high = np.minimum(begin[:, 1], end[:, 1]), np.maximum(begin[:, 1], end[:, 1])
        first = np.clip(np.ceil(low), 0, grid.rows).astype(np.int64)
        counts = np.clip(np.ceil(high), 0, grid.rows).astype(np.int64) - first
        edge = np.repeat(np.arange(len(begin)), counts)
        row = first[edge] + np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        way = end[edge] - begin[edge]
        x_px = begin[edge, 0] + (row - begin[edge, 1]) / way[:, 1] * way[:, 0]
        np.add.at(toggles, (row, np.clip(np.ceil(x_px), 0, grid.columns).astype(np.int64)), 1)
    return np.asarray(np.cumsum(toggles[:, :-1], axis=1, dtype=np.uint8) % 2 == 1)


def _rasterise_polar(contour: Contour, grid: PolarGrid) -> NDArray[np.bool_]:
    ray, radius = ray_crossings(contour.rings_mm, (0.0, 0.0), grid.a_lines)
    toggles = np.zeros((grid.a_lines, grid.samples + 1), dtype=np.int32)
    first_beyond = np.ceil(grid.sample_index(radius) - 1e-9).astype(np.int64)
    np.add.at(toggles, (ray, np.clip(first_beyond, 0, grid.samples)), 1)
    # An odd number of crossings: the A-line begins inside.
    toggles[:, 0] += np.bincount(ray, minlength=grid.a_lines) % 2
    return np.asarray(np.cumsum(toggles[:, :-1], axis=1) % 2 == 1)


def trace(mask: NDArray[np.bool_], grid: Grid, smallest_mm2: float = 0.0) -> tuple[Contour, ...]:
    """Trace the regions of a mask as contours, through theta = 0 and all the way round.

    Borders run half-way between the centres of neighbouring pixels (marching squares at 0.5).

    Parameters
    ----------
    mask
        Boolean array of shape ``grid.shape``.
    smallest_mm2
        Regions up to this area (mm2) are left out.

    Returns
    -------
    Contours, largest first.
    """
    if mask.shape != grid.shape:
        raise ValueError(f"mask must have shape {grid.shape}, got {mask.shape}")
    if not mask.any():
        return ()
    if isinstance(grid, CartesianGrid):
        padded = np.pad(mask.astype(np.float32), 1)
        rings = [grid.to_mm(curve[:, ::-1] - 1) for curve in find_contours(padded, 0.5)]
    else:
        rings = _trace_polar(mask, grid)
    lines = [shapely.LinearRing(ring) for ring in rings if len(ring) > 3]
    area = shapely.build_area(shapely.GeometryCollection(lines))
    return contours_of(area, smallest_mm2)


def _trace_polar(mask: NDArray[np.bool_], grid: PolarGrid) -> list[Points]:
    """Return the borders of a polar mask as closed rings in mm."""
    behind = np.count_nonzero(grid.radii_mm() < 0)  # samples before the catheter's centre
    if behind:
        mask = mask.copy()
        mask[:, :behind] = mask[:, behind : behind + 1]
    # Borders at the pole keep a tiny radius: a ring that met itself there would not be simple.
    nearest_mm = _POLE_PART * grid.sample_spacing_mm
    # One A-line is repeated at the end: curves that reach the seam end there and are joined.
    extended = np.pad(np.concatenate([mask, mask[:1]]).astype(np.float32), ((0, 0), (1, 1)))
    closed: list[Points] = []
    open_curves: list[Points] = []
    for curve in find_contours(extended, 0.5):
        (closed if np.array_equal(curve[0], curve[-1]) else open_curves).append(curve)
    closed += _join_at_seam(open_curves, grid.a_lines)
    rings = []
    for stepped in closed:
        curve = _without_stairs(stepped, grid.a_lines)
        angle = (curve[:, 0] + 0.5) * grid.a_line_deg
        radius = grid.zero_radius_mm + (curve[:, 1] - 0.5) * grid.sample_spacing_mm
        if radius.max() > nearest_mm:  # a ring at radius 0 is the pole, not a border
            rings.append(to_xy(angle, np.maximum(radius, nearest_mm)))
    return rings


def _without_stairs(curve: Points, a_lines: int) -> Points:
    """Draw oblique borders straight instead of in steps of whole A-lines.

    A label map knows a border where it crosses an A-line (whole rows of the curve). Between two
    A-lines marching squares steps along the depth half-way (half rows); such a step would widen
    an arc by up to half an A-line on either side. Half rows stay where a region ends.
    """
    points = curve[:-1] if np.array_equal(curve[0], curve[-1]) else curve
    first = int(np.argmax(points[:, 0] % 1 == 0))
    points = np.roll(points, -first, axis=0)
    on_a_line = np.flatnonzero(points[:, 0] % 1 == 0)
    rows = points[on_a_line, 0] % a_lines
    points[on_a_line, 1] = _within_samples(points[on_a_line, 1], rows, a_lines)
    following = np.append(on_a_line[1:], len(points))
    steps = following - on_a_line - 1  # samples the border runs along the depth before the next
    ends = (steps > 0) & (rows == np.roll(rows, -1))
    stairs = np.where(ends, 0, steps)
    pieces = []
    for k, start in enumerate(on_a_line):
        pieces.append(points[start : start + 1])
        if ends[k]:
            before, after = stairs[[k - 1, k - 2]], stairs.take([k + 1, k + 2], mode="wrap")
            run = points[start + 1 : following[k]]
            pieces.append(_end_of_region(run, float(points[start, 0]), before, after))
    return np.concatenate(pieces)


def _within_samples(border: Points, rows: Points, a_lines: int) -> Points:
    """Smooth a border along theta by less than half a sample, which no label map can tell.

    Parameters
    ----------
    border, rows
        Fractional sample and whole A-line of the border's points in order, each ``(N,)``.
    """
    onward = (np.roll(rows, -1) - rows + a_lines / 2) % a_lines - a_lines / 2
    goes_on = (np.abs(onward) == 1) & (np.roll(onward, 1) == onward)
    smooth = border
    for _ in range(_SMOOTHING_PASSES):
        mean = (np.roll(smooth, 1) + 2 * smooth + np.roll(smooth, -1)) / 4
        smooth = np.where(goes_on, mean, border)
        smooth = np.clip(smooth, border - _WITHIN_SAMPLE, border + _WITHIN_SAMPLE)
    return smooth


def _end_of_region(
    run: Points, row: float, before: NDArray[np.intp], after: NDArray[np.intp]
) -> Points:
    """Return where a region ends beyond its last A-line at ``row``.

    An end parallel to the A-lines lies half-way to the next one. Where the border comes in stairs
    on one side (``before`` or ``after``: lengths of the two nearest steps), the end is oblique,
    and goes on as far as its last, unfinished step says.
    """
    oblique_before, oblique_after = before[0] > 1, after[0] > 1
    if oblique_before == oblique_after:
        return run[[0, -1]] if len(run) > 1 else run
    nearest, second = before if oblique_before else after
    finished = len(run) / max(nearest, len(run))
    if second <= 1:  # the nearest step is unfinished too: it may have been up to twice as long
        finished /= 2
    tip = run[-1:] if oblique_before else run[:1]
    beyond = 2 * (tip[0, 0] - row) * finished * _BEFORE_NEXT_A_LINE
    return np.array([[row + beyond, tip[0, 1]]])


def _join_at_seam(curves: list[NDArray[np.float64]], a_lines: int) -> list[NDArray[np.float64]]:
    """Chain open curves: one that ends on a side of the seam goes on where another begins."""
    begins = {(curve[0, 0] == 0, round(2 * curve[0, 1])): i for i, curve in enumerate(curves)}
    joined = []
    left = set(range(len(curves)))
    while left:
        first = current = left.pop()
        chain = [curves[first][:-1]]  # its end is the next one's begin, across the seam
        while True:
            end = curves[current][-1]
            current = begins[(end[0] == a_lines, round(2 * end[1]))]
            if current == first:
                break
            left.discard(current)
            chain.append(curves[current][:-1])
        joined.append(np.concatenate(chain))
    return joined
