"""Arcs whose ends are dragged."""

from __future__ import annotations

from typing import Literal

from calcviewer.core.geometry import FULL_CIRCLE_DEG, Arc

_PAST_OTHER_END = 1 / 3
_NEARLY_CLOSED_DEG = 30.0


def gap_deg(arc: Arc, following: Arc) -> float:
    """Return the angle from the end of an arc on to the start of another; 0 when they overlap."""
    if arc.contains(following.start_deg) or following.contains(arc.end_deg):
        return 0.0
    return (following.start_deg - arc.end_deg) % FULL_CIRCLE_DEG


def with_end_at(
    arc: Arc, end: Literal["start", "end"], to_deg: float, *, narrowest_deg: float
) -> Arc:
    """Return an arc with one of its ends at an angle.

    Within the arc the end narrows it, down to ``narrowest_deg`` (or to what it was, when that is
    less); outside it widens it. Angles in the third of the outside that is nearest to the other
    end are taken for a drag past that end, which leaves the narrowest arc; an arc that is open by
    less than 30 degrees has no such part, so that it can be closed.
    """
    open_deg = FULL_CIRCLE_DEG - arc.extent_deg
    ahead = (to_deg - arc.start_deg if end == "end" else arc.end_deg - to_deg) % FULL_CIRCLE_DEG
    narrowest = min(narrowest_deg, arc.extent_deg)
    past = open_deg * _PAST_OTHER_END if open_deg > _NEARLY_CLOSED_DEG else 0.0
    extent = narrowest if ahead > FULL_CIRCLE_DEG - past else max(ahead, narrowest)
    start = arc.start_deg if end == "end" else arc.start_deg + arc.extent_deg - extent
    return Arc(start, extent)
