"""Annotations between two corrected frames: shape-based, along the wall, through theta = 0.

Shapes are blended by their signed distance (Raya and Udupa, IEEE Trans Med Imaging 9 (1990) 32),
here in the wall's own coordinates, the angle about O and the depth behind the lumen border. Before
blending, two deposits are laid onto each other (turned, stretched along the arc and in depth), and
the result is laid half-way: a deposit that drifts moves, where plain blending would let it fade at
one place and appear at the other.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import shapely

from calcviewer.core.annotation import FrameAnnotation
from calcviewer.core.contour import Contour, contours_of
from calcviewer.core.editing.bands import (
    RAYS,
    Wall,
    is_star_shaped,
    ray_angles_deg,
    wall_from,
    wall_of,
)
from calcviewer.core.editing.blending import Blend, blended_outlines, matched_blends
from calcviewer.core.editing.clipping import settled
from calcviewer.core.editing.rings import Point
from calcviewer.core.editing.sectors import sectors_between
from calcviewer.core.geometry import to_xy

_RIM_POINTS = 720


@dataclass(frozen=True, eq=False)
class _Run:
    """What all frames between the same two ends share."""

    walls: tuple[Wall, Wall]
    blends: tuple[Blend, ...]
    lumen_by_radius: bool
    field: shapely.Polygon


def between(first: FrameAnnotation, last: FrameAnnotation, part: float) -> FrameAnnotation:
    """Return the annotation a part of the way from one frame to another.

    Parameters
    ----------
    part
        0 (the first) to 1 (the last), both excluded; the result converges to either.

    Returns
    -------
    The annotation; provenance as in the first. A lumen that only one end has is kept, an EEL
    that only one end has is not. A deposit that has no partner shrinks and is gone half-way.
    Sectors move their edges the short way round. No point lies further from the catheter than
    the furthest of the two ends.
    """
    part = float(np.clip(part, 0, 1))
    run = _run_between(first, last)
    lumen = _lumen_between(first.lumen, last.lumen, part, run)
    wall = _wall_between(lumen, part, run)
    calcium = tuple(
        piece for blend in run.blends for piece in contours_of(blended_outlines(blend, wall, part))
    )
    eel = None
    if first.eel is not None and last.eel is not None:
        eel = _closed_between(first.eel, last.eel, part)
    drawn = replace(
        first,
        lumen=lumen,
        calcium=calcium,
        eel=eel,
        guidewires=sectors_between(first.guidewires, last.guidewires, part),
        hidden_back=sectors_between(first.hidden_back, last.hidden_back, part),
        failure="",
    )
    return settled(drawn, run.field)


@lru_cache(maxsize=4)
def _run_between(first: FrameAnnotation, last: FrameAnnotation) -> _Run:
    lumens = first.lumen or last.lumen, last.lumen or first.lumen
    nothing = Wall((0.0, 0.0), np.zeros(RAYS))
    walls = tuple(nothing if lumen is None else wall_of(lumen) for lumen in lumens)
    by_radius = all(lumen is not None and is_star_shaped(lumen) for lumen in lumens)
    return _Run(
        (walls[0], walls[1]),
        matched_blends((first.calcium, last.calcium), (walls[0], walls[1])),
        by_radius,
        _reach((first, last)),
    )


def _reach(ends: tuple[FrameAnnotation, FrameAnnotation]) -> shapely.Polygon:
    """Return the disc about the catheter that holds both ends: it lies inside a polar image."""
    contours = [c for end in ends for c in (end.lumen, end.eel, *end.calcium) if c is not None]
    reach = max((float(np.hypot(*c.points_mm.T).max()) for c in contours), default=1.0)
    angle = np.arange(_RIM_POINTS) * 360.0 / _RIM_POINTS
    field = shapely.Polygon(to_xy(angle, np.full(_RIM_POINTS, reach)))
    shapely.prepare(field)
    return field


def _lumen_between(
    first: Contour | None, last: Contour | None, part: float, run: _Run
) -> Contour | None:
    if first is None or last is None:
        return first or last
    if not run.lumen_by_radius:
        return _blended(first, last, part)
    return _by_radius(*run.walls, part)


def _closed_between(first: Contour, last: Contour, part: float) -> Contour:
    if is_star_shaped(first) and is_star_shaped(last):
        return _by_radius(wall_of(first), wall_of(last), part)
    return _blended(first, last, part)


def _by_radius(first: Wall, last: Wall, part: float) -> Contour:
    """Blend the radius on every ray, about a centre between the two."""
    wall = _blended_wall(first, last, part)
    return Contour(wall.points(ray_angles_deg(), np.zeros(RAYS)))


def _blended_wall(first: Wall, last: Wall, part: float) -> Wall:
    radius = (1 - part) * first.radius_mm + part * last.radius_mm
    return Wall(_middle(first.centre_mm, last.centre_mm, part), radius)


def _blended(first: Contour, last: Contour, part: float) -> Contour:
    """Blend by signed distance about the centroids, as one shape on a wall without thickness."""
    centres = first.centroid_mm, last.centroid_mm
    walls = Wall(centres[0], np.zeros(RAYS)), Wall(centres[1], np.zeros(RAYS))
    (blend,) = matched_blends(((first.without_holes(),), (last.without_holes(),)), walls)
    middle = Wall(_middle(*centres, part), np.zeros(RAYS))
    found = contours_of(blended_outlines(blend, middle, part))
    return found[0].without_holes() if found else (first if part < 0.5 else last)


def _wall_between(lumen: Contour | None, part: float, run: _Run) -> Wall:
    wall = _blended_wall(*run.walls, part)
    if run.lumen_by_radius or lumen is None:
        return wall
    return wall_from(lumen, wall.centre_mm)


def _middle(first: Point, last: Point, part: float) -> Point:
    x, y = ((1 - part) * a + part * b for a, b in zip(first, last, strict=True))
    return x, y
