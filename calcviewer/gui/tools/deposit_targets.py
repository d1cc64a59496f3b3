"""Deposits as the mouse sees them: their borders from O, their ends, and what a press would hold.

O is the centroid of the lumen. Everything is in canonical mm and holds in both image views.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache

import numpy as np
import shapely
from numpy.typing import NDArray

from calcviewer.core.annotation import FrameAnnotation
from calcviewer.core.contour import Contour, ray_crossings
from calcviewer.core.geometry import FULL_CIRCLE_DEG, Arc, to_polar, to_xy
from calcviewer.gui.tools.rays import RAYS, Point, turn_between
from calcviewer.gui.tools.reach import reaches_to
from calcviewer.gui.tools.tool import Pointer
from calcviewer.modalities.ivoct.arcs import tangent_arc

Points = NDArray[np.float64]

_END_DEG = 1.0
"""Border points so near to the end of an arc belong to that end."""
_WITHIN = 1 / 3
"""Part of a deposit's thickness at which its borders can be taken from within."""


class Grip(Enum):
    """A part of a deposit that can be dragged."""

    START = "start"
    END = "end"
    FRONT = "front"
    BACK = "back"
    BODY = "body"


@dataclass(frozen=True)
class DepositHit:
    """What the pointer is on: which deposit, and which part of it."""

    index: int
    grip: Grip


@dataclass(frozen=True, eq=False)
class SeenDeposit:
    """One deposit as seen from O.

    Parameters
    ----------
    arc
        Between its tangent rays.
    angles_deg, front_mm, back_mm
        The rays that cross it, in order from the start of the arc on, and the distances from O at
        which they first enter and last leave it, each ``(N,)``; none when it lies between rays.
    ends_mm
        The middles of its two ends, ``(2, 2)``.
    """

    origin_mm: Point
    arc: Arc
    angles_deg: Points
    front_mm: Points
    back_mm: Points
    ends_mm: Points

    @property
    def whole_turn(self) -> bool:
        """Whether it goes all the way round, without ends."""
        return self.arc.extent_deg >= FULL_CIRCLE_DEG

    def border_mm(self, grip: Grip) -> Points:
        """Return the front or the back border, shape ``(N, 2)``."""
        distance = self.front_mm if grip is Grip.FRONT else self.back_mm
        return to_xy(self.angles_deg, distance) + self.origin_mm

    def borders_at(self, angle_deg: float) -> tuple[float, float] | None:
        """Return the distances from O to front and back at an angle; None where it is not."""
        if not self.angles_deg.size:
            return None
        away = np.abs(turn_between(self.angles_deg, angle_deg))
        nearest = int(away.argmin())
        if away[nearest] > FULL_CIRCLE_DEG / RAYS:
            return None
        return float(self.front_mm[nearest]), float(self.back_mm[nearest])

    def beside_mm(self, beyond_mm: float) -> Point:
        """Return the place behind the middle of its back border."""
        if not self.angles_deg.size:
            return float(self.ends_mm[1, 0]), float(self.ends_mm[1, 1])
        middle = self.angles_deg.size // 2
        at = to_xy(self.angles_deg[middle], self.back_mm[middle] + beyond_mm) + self.origin_mm
        return float(at[0]), float(at[1])


@lru_cache(maxsize=64)
def see(contour: Contour, origin_mm: Point) -> SeenDeposit:
    """Return a deposit as seen from O."""
    arc, begin, end = tangent_arc(contour.points_mm, origin_mm)
    ray, distance = ray_crossings(contour.rings_mm, origin_mm, RAYS)
    angles = (ray + 0.5) * FULL_CIRCLE_DEG / RAYS
    order = np.lexsort((distance, (angles - arc.start_deg) % FULL_CIRCLE_DEG))
    angles, distance = angles[order], distance[order]
    first = np.flatnonzero(np.diff(angles, prepend=np.nan) != 0)
    last = np.append(first[1:], angles.size) - 1 if first.size else first
    ends = np.stack([_end(contour, origin_mm, vertex) for vertex in (begin, end)])
    return SeenDeposit(origin_mm, arc, angles[first], distance[first], distance[last], ends)


def _end(contour: Contour, origin_mm: Point, vertex: int) -> Points:
    """Return the middle of the end at which a ring has its tangent vertex."""
    angle, distance = to_polar(contour.points_mm - origin_mm)
    at_deg = float(angle[vertex])
    own = distance[np.abs(turn_between(angle, at_deg)) <= _END_DEG]
    return to_xy(np.array(at_deg), np.array((own.min() + own.max()) / 2)) + origin_mm


@lru_cache(maxsize=4)
def hit_deposit(
    annotation: FrameAnnotation, pointer: Pointer, selected: int | None = None
) -> DepositHit | None:
    """Return what of the deposits is under the pointer.

    The ends of the selected one come first, then ends, then borders and bodies.
    """
    if annotation.lumen is None:
        return None
    origin = annotation.lumen.centroid_mm
    seen = [see(contour, origin) for contour in annotation.calcium]
    ends = [
        (index != selected, reaches_to(at[None], pointer), DepositHit(index, grip))
        for index, deposit in enumerate(seen)
        if not deposit.whole_turn
        for grip, at in zip((Grip.START, Grip.END), deposit.ends_mm, strict=True)
    ]
    if hit := _nearest(ends):
        return hit
    point = shapely.Point(pointer.at_mm)
    inside = [shapely.intersects(contour.polygon, point) for contour in annotation.calcium]
    borders = [
        (not inside[index], distance, DepositHit(index, grip))
        for index, deposit in enumerate(seen)
        for grip, distance in _border_distances(deposit, pointer, within=inside[index])
    ]
    if hit := _nearest(borders):
        return hit
    return DepositHit(inside.index(True), Grip.BODY) if any(inside) else None


def _nearest(found: Iterable[tuple[bool, float, DepositHit]]) -> DepositHit | None:
    within = [one for one in found if one[1] <= 1]
    return min(within, key=lambda one: one[:2])[2] if within else None


def _border_distances(
    deposit: SeenDeposit, pointer: Pointer, *, within: bool
) -> Iterable[tuple[Grip, float]]:
    """Yield front and back with their distance in reaches; from within only near to them."""
    if not deposit.angles_deg.size:
        return
    at = np.subtract(pointer.at_mm, deposit.origin_mm)
    borders = deposit.borders_at(float(to_polar(at)[0]))
    for grip in (Grip.FRONT, Grip.BACK):
        distance = reaches_to(deposit.border_mm(grip), pointer)
        if within and borders is not None:
            front, back = borders
            depth = float(np.hypot(*at)) - front
            own = depth if grip is Grip.FRONT else back - front - depth
            if own > _WITHIN * (back - front):
                continue
        yield grip, distance


def deposit_at(annotation: FrameAnnotation, at_mm: Point, *, but: int | None = None) -> int | None:
    """Return the deposit, other than one, in which a point lies."""
    point = shapely.Point(at_mm)
    for index, contour in enumerate(annotation.calcium):
        if index != but and shapely.intersects(contour.polygon, point):
            return index
    return None


def same_deposit(contour: Contour, annotation: FrameAnnotation) -> int | None:
    """Return the deposit that has most in common with what one was before."""
    before = shapely.make_valid(contour.polygon)
    common = [
        float(shapely.make_valid(one.polygon).intersection(before).area)
        for one in annotation.calcium
    ]
    most = int(np.argmax(common)) if common else 0
    return most if common and common[most] > 0 else None


def only(annotation: FrameAnnotation, index: int) -> FrameAnnotation:
    """Return the annotation with one of its deposits only."""
    return replace(annotation, calcium=annotation.calcium[index : index + 1])
