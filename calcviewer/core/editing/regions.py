"""Painting: regions drawn with a brush or a lasso, added to or taken from a structure."""

from __future__ import annotations

from dataclasses import replace

import shapely

from calcviewer.core.annotation import FrameAnnotation
from calcviewer.core.contour import Contour, Points, contours_of
from calcviewer.core.editing.clipping import pieces, region_of, settled, within, without
from calcviewer.core.editing.rings import cleaned_path
from calcviewer.core.editing.structures import Structure, Target, with_contour

_PATH_TOLERANCE = 0.02
"""A brush path may be this part of its radius off: less than the width of its outline."""
_QUARTER_POINTS = 12
_CATHETER_MM = 0.2
"""The eraser leaves this radius round the catheter's centre: the lumen holds the catheter."""


def brush_region(path_mm: Points, radius_mm: float) -> shapely.Polygon:
    """Return what a round brush covers along a path ``(N, 2)``; empty without a path."""
    path = cleaned_path(path_mm)
    if not len(path) or radius_mm <= 0:
        return shapely.Polygon()
    line = shapely.Point(path[0]) if len(path) == 1 else shapely.LineString(path)
    line = line.simplify(_PATH_TOLERANCE * radius_mm)
    return line.buffer(radius_mm, quad_segs=_QUARTER_POINTS)


def lasso_region(path_mm: Points) -> shapely.Polygon:
    """Return what a path ``(N, 2)`` goes round when it is closed; empty without an area.

    Of a path that crosses itself the largest loop counts.
    """
    path = cleaned_path(path_mm)
    if len(path) < 3:
        return shapely.Polygon()
    loops = contours_of(shapely.make_valid(shapely.Polygon(path)))
    return loops[0].without_holes().polygon if loops else shapely.Polygon()


def calcium_added(
    annotation: FrameAnnotation, region: shapely.Polygon, field: shapely.Polygon
) -> FrameAnnotation:
    """Add a region to the calcium; it merges with the deposits it touches."""
    added = within(region, field)
    if annotation.lumen is not None:
        added = without(added, region_of(annotation.lumen))
    if not pieces(added):
        return annotation
    shapely.prepare(added)
    touched = [k for k, old in enumerate(annotation.calcium) if added.intersects(region_of(old))]
    if any(region_of(annotation.calcium[k]).covers(added) for k in touched):
        return annotation
    regions = [region_of(annotation.calcium[k]) for k in touched]
    return _replaced(annotation, touched, shapely.union_all([added, *regions]), field)


def calcium_erased(
    annotation: FrameAnnotation, region: shapely.Polygon, field: shapely.Polygon
) -> FrameAnnotation:
    """Take a region from the calcium."""
    shapely.prepare(region)
    calcium: list[Contour] = []
    extra: list[Contour] = []
    for old in annotation.calcium:
        left = without(region_of(old), region)
        if left is region_of(old):
            calcium.append(old)
            continue
        found = pieces(left)
        calcium += found[:1]
        extra += found[1:]
    changed = (*calcium, *extra)
    if len(changed) == len(annotation.calcium) and all(
        a is b for a, b in zip(changed, annotation.calcium, strict=True)
    ):
        return annotation
    return settled(replace(annotation, calcium=changed), field)


def lumen_added(
    annotation: FrameAnnotation, region: shapely.Polygon, field: shapely.Polygon
) -> FrameAnnotation:
    """Add a region to the lumen, where it touches it; without a lumen it becomes one."""
    added = within(region, field)
    if annotation.lumen is not None:
        before = region_of(annotation.lumen)
        if not before.intersects(added) or without(added, before).area <= 0:
            return annotation
        added = before.union(added)
    return _with_lumen(annotation, added, field)


def lumen_erased(
    annotation: FrameAnnotation, region: shapely.Polygon, field: shapely.Polygon
) -> FrameAnnotation:
    """Take a region from the lumen; the catheter, and what is joined to it, stays."""
    if annotation.lumen is None:
        return annotation
    before = region_of(annotation.lumen)
    catheter = shapely.Point(0.0, 0.0).buffer(_CATHETER_MM)
    if before.contains(shapely.Point(0.0, 0.0)):
        region = region.difference(catheter)
    left = without(before, region)
    return annotation if left is before else _with_lumen(annotation, left, field)


def _with_lumen(
    annotation: FrameAnnotation, region: shapely.Geometry, field: shapely.Polygon
) -> FrameAnnotation:
    """Return the annotation with the piece of a region in which the catheter lies as lumen."""
    found = pieces(region)
    held = [piece for piece in found if region_of(piece).covers(shapely.Point(0.0, 0.0))]
    chosen = next((piece.without_holes() for piece in (*held, *found)), None)
    if chosen is None:
        return annotation
    return with_contour(annotation, Target(Structure.LUMEN), chosen, field)


def _replaced(
    annotation: FrameAnnotation,
    indices: list[int],
    region: shapely.Geometry,
    field: shapely.Polygon,
) -> FrameAnnotation:
    """Return the annotation with some deposits replaced by the pieces of a region."""
    found = pieces(region)
    place = indices[0] if indices else len(annotation.calcium)
    kept = [old for k, old in enumerate(annotation.calcium) if k not in indices]
    calcium = (*kept[:place], *found[:1], *kept[place:], *found[1:])
    last = range(len(calcium) - len(found[1:]), len(calcium))
    drawn = replace(annotation, calcium=calcium)
    return settled(drawn, field, first=(place, *last) if found else ())
