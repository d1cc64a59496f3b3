"""What must hold after every edit: contours are simple, inside the image, and apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
import shapely

from calcviewer.core.annotation import FrameAnnotation
from calcviewer.core.contour import Contour, contours_of
from calcviewer.core.geometry import FULL_CIRCLE_DEG, Grid, PolarGrid, to_xy

SLIVER_MM2 = 0.002
"""A piece that an edit leaves vanishes up to this area: a square of 45 um, about the lateral
resolution of the image."""
SLIVER_WIDTH_MM = 0.005
"""It vanishes too up to this mean width (twice the area over the circumference): one sample."""
_SAME_MM2 = 1e-6
"""Overlaps up to this area are rounding; cutting them again and again would change nothing."""
_RIM_POINTS = 720
_CATHETER = shapely.Point(0.0, 0.0)


@lru_cache(maxsize=8)
def image_field(grid: Grid) -> shapely.Polygon:
    """Return the region that the image shows, mm; contours may lie nowhere else."""
    if isinstance(grid, PolarGrid):
        angles = np.arange(_RIM_POINTS) * (FULL_CIRCLE_DEG / _RIM_POINTS)
        field = shapely.Polygon(to_xy(angles, np.full(_RIM_POINTS, grid.end_radius_mm)))
    else:
        corners = np.array([[0, 0], [grid.columns, 0], [grid.columns, grid.rows], [0, grid.rows]])
        field = shapely.Polygon(grid.to_mm(corners - 0.5))
    shapely.prepare(field)
    return field


def clipped(annotation: FrameAnnotation, field: shapely.Polygon) -> FrameAnnotation:
    """Return the annotation with everything in its place.

    Every contour is simple and inside the image; the lumen has no holes and wins over calcium;
    an earlier deposit wins over a later one; the EEL encloses the lumen where the two touch. What
    was in its place already stays the same object, the annotation itself included.
    """
    return settled(annotation, field)


def settled(
    annotation: FrameAnnotation, field: shapely.Polygon, *, first: Sequence[int] = ()
) -> FrameAnnotation:
    """Return the annotation clipped, where some deposits win over all others.

    Parameters
    ----------
    first
        Indices of the deposits that were edited, the strongest first.

    Returns
    -------
    The annotation. A deposit that falls apart leaves its largest piece at its index and the
    others at the end; indices move up only where a deposit vanishes.
    """
    lumen = None if annotation.lumen is None else _whole(annotation.lumen, field)
    calcium = _apart(annotation.calcium, lumen, field, first)
    eel = None if annotation.eel is None else _around(annotation.eel, lumen, field)
    same = lumen is annotation.lumen and eel is annotation.eel
    if same and _identical(calcium, annotation.calcium):
        return annotation
    return replace(annotation, lumen=lumen, calcium=calcium, eel=eel)


@lru_cache(maxsize=512)
def region_of(contour: Contour) -> shapely.Geometry:
    """Return a contour's region, valid and prepared; its polygon itself where that is valid."""
    region = contour.polygon
    if not region.is_valid:
        region = wound(contour.points_mm)
        for hole in contour.holes_mm:
            region = region.difference(wound(hole))
    shapely.prepare(region)
    return region


def wound(ring_mm: np.typing.NDArray[np.float64]) -> shapely.Geometry:
    """Return the region that a closed ring goes round, in the sense of its larger loops.

    A ring that crosses itself is no border. Where a border was pushed through the other side
    of its own region, the ring runs round the wrong way: that part is outside. Where it overlaps
    itself it runs round twice: that part is inside. Even-odd rules (`make_valid`) would do the
    opposite in both.
    """
    return shapely.Polygon(ring_mm).buffer(0)


def pieces(region: shapely.Geometry) -> tuple[Contour, ...]:
    """Return the pieces of a region that are no slivers, largest first."""
    found = contours_of(region, SLIVER_MM2)
    return tuple(piece for piece in found if not _is_sliver(piece.polygon))


def without(region: shapely.Geometry, other: shapely.Geometry) -> shapely.Geometry:
    """Return a region without another; the region itself where the two are apart."""
    if not shapely.intersects(other, region):
        return region
    rest = region.difference(other)
    return region if region.area - rest.area <= _SAME_MM2 else rest


def within(region: shapely.Geometry, field: shapely.Geometry) -> shapely.Geometry:
    """Return the part of a region inside the field; the region itself where that is all."""
    if shapely.covers(field, region):
        return region
    inside = region.intersection(field)
    return region if region.area - inside.area <= _SAME_MM2 else inside


def _is_sliver(polygon: shapely.Polygon) -> bool:
    return bool(2 * polygon.area <= SLIVER_WIDTH_MM * polygon.length)


def _identical(first: Sequence[object], second: Sequence[object]) -> bool:
    return len(first) == len(second) and all(a is b for a, b in zip(first, second, strict=True))


def _whole(contour: Contour, field: shapely.Polygon) -> Contour | None:
    """Return a contour as one region without holes: the piece in which the catheter lies."""
    contour = contour.without_holes()
    region = within(region_of(contour), field)
    if region is contour.polygon:
        return contour
    found = pieces(region)
    held = [piece for piece in found if region_of(piece).covers(_CATHETER)]
    return next((piece.without_holes() for piece in (*held, *found)), None)


def _around(eel: Contour, lumen: Contour | None, field: shapely.Polygon) -> Contour | None:
    whole = _whole(eel, field)
    if whole is None or lumen is None:
        return whole
    inner, outer = region_of(lumen), region_of(whole)
    if within(inner, outer) is inner or not inner.intersects(outer):
        return whole
    joined = contours_of(outer.union(inner))
    return joined[0].without_holes() if joined else whole


def _apart(
    deposits: tuple[Contour, ...],
    lumen: Contour | None,
    field: shapely.Polygon,
    first: Sequence[int],
) -> tuple[Contour, ...]:
    taken = [] if lumen is None else [region_of(lumen)]
    kept: dict[int, tuple[Contour, ...]] = {}
    for index in dict.fromkeys((*first, *range(len(deposits)))):
        region = own = region_of(deposits[index])
        region = within(region, field)
        for other in taken:
            region = without(region, other)
        unchanged = region is own and own is deposits[index].polygon
        kept[index] = (deposits[index],) if unchanged else pieces(region)
        taken += [region_of(piece) for piece in kept[index]]
    ordered = [kept[index] for index in range(len(deposits))]
    return (
        *(found[0] for found in ordered if found),
        *(piece for found in ordered for piece in found[1:]),
    )
