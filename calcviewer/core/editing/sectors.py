"""Angular sectors between two frames."""

from __future__ import annotations

from calcviewer.core.geometry import Arc, join_arcs

_FURTHEST_DEG = 60.0
"""Sectors whose middles lie further apart are two, not one that moved."""
_FAINT_DEG = 0.1


def short_way(first_deg: float, last_deg: float) -> float:
    """Return the angle from one direction to another the short way round, -180 to 180."""
    return (last_deg - first_deg + 180) % 360 - 180


def sectors_between(first: tuple[Arc, ...], last: tuple[Arc, ...], part: float) -> tuple[Arc, ...]:
    """Return sectors a part of the way; one without a partner shrinks and is gone half-way."""
    ways = sorted(
        (abs(short_way(a.centre_deg, b.centre_deg)), i, k)
        for i, a in enumerate(first)
        for k, b in enumerate(last)
    )
    partner: dict[int, int] = {}
    for way, i, k in ways:
        if way <= _FURTHEST_DEG and i not in partner and k not in partner.values():
            partner[i] = k
    found = [_arc_between(first[i], last[k], part) for i, k in partner.items()]
    found += [_shrunk(arc, 1 - 2 * part) for i, arc in enumerate(first) if i not in partner]
    alone = (k for k in range(len(last)) if k not in partner.values())
    found += [_shrunk(last[k], 2 * part - 1) for k in alone]
    return join_arcs(arc for arc in found if arc.extent_deg > _FAINT_DEG)


def _arc_between(first: Arc, last: Arc, part: float) -> Arc:
    extent = (1 - part) * first.extent_deg + part * last.extent_deg
    centre = first.centre_deg + part * short_way(first.centre_deg, last.centre_deg)
    return Arc(centre - extent / 2, extent)


def _shrunk(arc: Arc, scale: float) -> Arc:
    extent = arc.extent_deg * max(scale, 0.0)
    return Arc(arc.centre_deg - extent / 2, extent)
