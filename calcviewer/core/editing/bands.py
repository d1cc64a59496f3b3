"""The wall behind the lumen border: angles about the lumen centroid O and depths along rays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import shapely

from calcviewer.core.contour import Contour, ray_crossings
from calcviewer.core.editing.rings import Floats, Point
from calcviewer.core.geometry import FULL_CIRCLE_DEG, Arc, join_arcs, to_polar, to_xy

RAYS = 720
_STEP_DEG = 0.5
_FAR = 4.0


@dataclass(frozen=True, eq=False)
class Wall:
    """The lumen border as seen from a point.

    Parameters
    ----------
    centre_mm
        The point, as a rule the lumen centroid O.
    radius_mm
        The outermost border on every ray, shape ``(RAYS,)``; ray k points at
        ``(k + 0.5) * 360 / RAYS`` degrees.
    """

    centre_mm: Point
    radius_mm: Floats

    def radius_at(self, angle_deg: Floats) -> Floats:
        """Radius of the border (mm) at angles."""
        rays = ray_angles_deg()
        radius = np.interp(angle_deg, rays, self.radius_mm, period=FULL_CIRCLE_DEG)
        return np.asarray(radius, dtype=np.float64)

    def points(self, angle_deg: Floats, depth_mm: Floats) -> Floats:
        """Canonical mm of points at angles and depths behind the border, ``(..., 2)``."""
        radius = np.maximum(self.radius_at(angle_deg) + depth_mm, 0.0)
        return np.asarray(to_xy(angle_deg, radius) + self.centre_mm)

    def angles_and_depths(self, points_mm: Floats) -> tuple[Floats, Floats]:
        """Angles in [0, 360) and depths behind the border of points ``(..., 2)``."""
        angle, radius = to_polar(points_mm - np.asarray(self.centre_mm))
        return angle, radius - self.radius_at(angle)


def ray_angles_deg() -> Floats:
    """Angle of every ray, shape ``(RAYS,)``."""
    angle = (np.arange(RAYS) + 0.5) * (FULL_CIRCLE_DEG / RAYS)
    return np.asarray(angle, dtype=np.float64)


@lru_cache(maxsize=64)
def wall_of(lumen: Contour) -> Wall:
    """Return the border of a lumen as seen from its centroid."""
    return wall_from(lumen, lumen.centroid_mm)


def wall_from(lumen: Contour, centre_mm: Point) -> Wall:
    """Return the border of a lumen as seen from any point."""
    ray, radius = ray_crossings([lumen.points_mm], centre_mm, RAYS)
    outermost = np.zeros(RAYS)
    outermost[ray] = radius  # sorted by radius: the last one stays
    return Wall(centre_mm, outermost)


def is_star_shaped(lumen: Contour) -> bool:
    """Whether every ray from the centroid crosses the border exactly once."""
    ray, _ = ray_crossings([lumen.points_mm], lumen.centroid_mm, RAYS)
    return len(ray) == RAYS and bool((np.diff(ray) == 1).all())


def band(
    wall: Wall, span: Arc, inner_mm: tuple[float, float], outer_mm: tuple[float, float]
) -> shapely.Geometry:
    """Return the region between two depths over an arc; all the way round it has a hole.

    Parameters
    ----------
    inner_mm, outer_mm
        Depth behind the lumen border at the start and at the end of the arc.
    """
    part = np.linspace(0, 1, 2 + int(span.extent_deg / _STEP_DEG))
    angle = span.start_deg + part * span.extent_deg
    inner = wall.points(angle, inner_mm[0] + part * (inner_mm[1] - inner_mm[0]))
    outer = wall.points(angle, outer_mm[0] + part * (outer_mm[1] - outer_mm[0]))
    if span.extent_deg >= FULL_CIRCLE_DEG:
        whole = shapely.Polygon(outer).buffer(0)
        return whole.difference(shapely.Polygon(inner).buffer(0))
    return shapely.Polygon(np.concatenate([outer, inner[::-1]])).buffer(0)


def wedge(centre_mm: Point, span: Arc, reach_mm: float) -> shapely.Polygon:
    """Return the sector over an arc, as far as a reach at least."""
    count = 2 + int(span.extent_deg / 5)
    angle = span.start_deg + np.linspace(0, span.extent_deg, count)
    rim = to_xy(angle, np.full(count, _FAR * reach_mm)) + centre_mm
    return shapely.Polygon(np.concatenate([[centre_mm], rim]))


def arc_about(contour: Contour, centre_mm: Point) -> Arc:
    """Return the arc of a contour between its tangent rays from a point; 360 when it encloses it.

    Exact: tangent rays touch at corners of the ring.
    """
    ring = contour.points_mm - np.asarray(centre_mm)
    angle = np.rad2deg(np.arctan2(ring[:, 1], ring[:, 0]))
    turn = (np.diff(angle, append=angle[0]) + 180) % FULL_CIRCLE_DEG - 180
    if abs(turn.sum()) > 180:
        return Arc(0.0, FULL_CIRCLE_DEG)
    unwrapped = angle[0] + np.concatenate([[0.0], np.cumsum(turn[:-1])])
    return Arc(float(unwrapped.min()), float(np.ptp(unwrapped)))


def hull_of_arcs(arcs: Sequence[Arc]) -> Arc:
    """Return the smallest arc that holds all of some arcs."""
    joined = join_arcs(arcs) or tuple(arcs[:1])
    if len(joined) == 1:
        return joined[0]
    gaps = [
        (joined[(k + 1) % len(joined)].start_deg - arc.end_deg) % FULL_CIRCLE_DEG
        for k, arc in enumerate(joined)
    ]
    widest = int(np.argmax(gaps))
    return Arc(joined[(widest + 1) % len(joined)].start_deg, FULL_CIRCLE_DEG - gaps[widest])


def fronts_and_backs(contour: Contour, wall: Wall) -> tuple[Floats, Floats, Floats]:
    """Return angle, front and back depth (mm) on the rays that cross a contour."""
    ray, radius = ray_crossings(contour.rings_mm, wall.centre_mm, RAYS)
    crossed, first = np.unique(ray, return_index=True)
    last = np.append(first[1:], len(ray)) - 1
    angle = ray_angles_deg()[crossed]
    border = wall.radius_mm[crossed]
    return angle, radius[first] - border, radius[last] - border
