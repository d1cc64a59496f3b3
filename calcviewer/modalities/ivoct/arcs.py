"""Arcs of calcium as seen from the lumen centroid, with and without bridging the guidewire."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calcviewer.core.geometry import FULL_CIRCLE_DEG, Arc, join_arcs, to_polar

Point = tuple[float, float]
CATHETER_MM: Point = (0.0, 0.0)
_ROUNDING_DEG = 1e-9


@dataclass(frozen=True)
class SeenDeposit:
    """One deposit as seen from two places.

    Parameters
    ----------
    arc
        Between its tangent rays from the lumen centroid.
    catheter_arc
        Between its tangent rays from the catheter, from where guidewires cast their shadow.
    start_from_catheter_deg, end_from_catheter_deg
        Where the catheter sees the two points at which ``arc`` begins and ends.
    """

    arc: Arc
    catheter_arc: Arc
    start_from_catheter_deg: float
    end_from_catheter_deg: float


def tangent_arc(ring_mm: NDArray[np.float64], origin_mm: Point) -> tuple[Arc, int, int]:
    """Return the arc between the two rays from a point that just touch a closed ring.

    Parameters
    ----------
    ring_mm
        Shape ``(N, 2)``.

    Returns
    -------
    The arc, 360 degrees when the ring goes round the point, and the indices of the vertices at
    which it begins and ends.
    """
    angle = np.rad2deg(np.arctan2(ring_mm[:, 1] - origin_mm[1], ring_mm[:, 0] - origin_mm[0]))
    step = np.empty_like(angle)
    step[:-1] = angle[1:] - angle[:-1]
    step[-1] = angle[0] - angle[-1]
    half = FULL_CIRCLE_DEG / 2
    turned = np.cumsum((step + half) % FULL_CIRCLE_DEG - half)
    # turned[i] is the way from vertex 0 to vertex i + 1; the last one is the winding.
    begin, end = int(turned.argmin()), int(turned.argmax())
    extent = turned[end] - turned[begin]
    if abs(turned[-1]) > half:
        extent = FULL_CIRCLE_DEG
    count = len(angle)
    arc = Arc(float(angle[0] + turned[begin]), float(extent))
    return arc, (begin + 1) % count, (end + 1) % count


def see_deposit(ring_mm: NDArray[np.float64], centroid_mm: Point) -> SeenDeposit:
    """Return the arcs of a deposit's outer ring, shape ``(N, 2)``, from centroid and catheter."""
    arc, begin, end = tangent_arc(ring_mm, centroid_mm)
    catheter_arc, _, _ = tangent_arc(ring_mm, CATHETER_MM)
    angles, _ = to_polar(ring_mm[[begin, end]])
    return SeenDeposit(arc, catheter_arc, float(angles[0]), float(angles[1]))


def visible_arcs(
    deposits: Sequence[SeenDeposit], wires: Sequence[Arc], tolerance_deg: float
) -> tuple[Arc, ...]:
    """Join the deposits' arcs where they overlap or are less than a tolerance apart.

    Parameters
    ----------
    wires
        Sectors about the catheter that lie in a guidewire's shadow. Arcs on the two sides of one
        are never joined by the tolerance, however narrow the shadow is.

    Returns
    -------
    Disjoint arcs from the lumen centroid.
    """
    arcs = [deposit.arc for deposit in deposits]
    for before in deposits:
        for after in deposits:
            gap_deg = (after.arc.start_deg - before.arc.end_deg) % FULL_CIRCLE_DEG
            near = 0 < gap_deg < tolerance_deg - _ROUNDING_DEG
            if near and not _across_a_wire(before, after, wires):
                arcs.append(Arc(before.arc.end_deg, gap_deg))
    return join_arcs(arcs, _ROUNDING_DEG)


def bridged_arcs(
    visible: Sequence[Arc],
    deposits: Sequence[SeenDeposit],
    wires: Sequence[Arc],
    reach_deg: float,
) -> tuple[Arc, ...]:
    """Join visible arcs through every guidewire shadow that calcium touches on both sides.

    Parameters
    ----------
    reach_deg
        Calcium within this angle (about the catheter) of an edge of the shadow touches it.

    Returns
    -------
    Disjoint arcs from the lumen centroid.
    """
    if any(deposit.catheter_arc.extent_deg >= FULL_CIRCLE_DEG for deposit in deposits):
        return tuple(visible)
    spans = [_span_through(wire, deposits, reach_deg) for wire in join_arcs(wires)]
    found = [span for span in spans if span is not None]
    return join_arcs([*visible, *found], _ROUNDING_DEG) if found else tuple(visible)


def sector_from(centroid_mm: Point, sector: Arc, ring_mm: NDArray[np.float64]) -> Arc:
    """Return a sector about the catheter as seen from the lumen centroid.

    The edges are taken where they leave the lumen, because there the shadow begins.

    Parameters
    ----------
    ring_mm
        The lumen's outer ring, shape ``(N, 2)``.
    """
    edges = np.deg2rad([sector.start_deg, sector.start_deg + sector.extent_deg])
    edge_points = [_exit_point(angle, ring_mm) for angle in edges]
    angles, _ = to_polar(np.stack(edge_points) - centroid_mm)
    extent = _nearest_turn(float(angles[1] - angles[0]), sector.extent_deg)
    return Arc(float(angles[0]), extent)


def _exit_point(angle: float, ring_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where a ray from the catheter (radians) first crosses a ring; far away when it does not."""
    direction = np.array([np.cos(angle), np.sin(angle)])
    side = ring_mm @ (-direction[1], direction[0])
    index = np.flatnonzero((side < 0) != np.roll(side < 0, -1))
    following = (index + 1) % len(side)
    part = side[index] / (side[index] - side[following])
    along = (ring_mm[index] + part[:, None] * (ring_mm[following] - ring_mm[index])) @ direction
    ahead = along[along > 0]
    radius = ahead.min() if ahead.size else np.hypot(ring_mm[:, 0], ring_mm[:, 1]).max()
    return np.asarray(radius * direction)


def _nearest_turn(angle_deg: float, to_deg: float) -> float:
    """Return the angle that is equal up to whole turns and nearest to another one."""
    half = FULL_CIRCLE_DEG / 2
    return to_deg + (angle_deg - to_deg + half) % FULL_CIRCLE_DEG - half


def _across_a_wire(before: SeenDeposit, after: SeenDeposit, wires: Sequence[Arc]) -> bool:
    """Whether a guidewire shadow lies between the end of one arc and the start of the next."""
    start_deg = before.end_from_catheter_deg
    gap = Arc(start_deg, _nearest_turn(after.start_from_catheter_deg - start_deg, 0.0))
    return any(gap.overlap_deg(wire) > _ROUNDING_DEG for wire in wires)


def _span_through(wire: Arc, deposits: Sequence[SeenDeposit], reach_deg: float) -> Arc | None:
    """Return the arc through a shadow between the calcium at its edges; None when there is none."""
    ends = {
        _end_beyond(deposit.catheter_arc, wire.start_deg): deposit
        for deposit in deposits
        if _touches(deposit.catheter_arc, Arc(wire.start_deg - reach_deg, reach_deg))
    }
    starts = {
        _start_beyond(deposit.catheter_arc, wire.end_deg): deposit
        for deposit in deposits
        if _touches(deposit.catheter_arc, Arc(wire.end_deg, reach_deg))
    }
    if not ends or not starts:
        return None
    end, start = max(ends), min(starts)
    catheter_gap_deg = wire.extent_deg + start - end
    first, second = ends[end].arc, starts[start].arc
    gap_deg = _nearest_turn(second.start_deg - first.end_deg, catheter_gap_deg)
    return Arc(first.end_deg, gap_deg) if min(catheter_gap_deg, gap_deg) > 0 else None


def _touches(arc: Arc, zone: Arc) -> bool:
    """Whether an arc and a zone have an angle in common, ends included."""
    zone = zone.widened(_ROUNDING_DEG)
    return bool(arc.contains(zone.start_deg) or zone.contains(arc.start_deg))


def _end_beyond(arc: Arc, edge_deg: float) -> float:
    """How far an arc that touches an edge from below runs past it; negative when it stays short."""
    if arc.contains(edge_deg):
        return (arc.end_deg - edge_deg) % FULL_CIRCLE_DEG
    return -((edge_deg - arc.end_deg) % FULL_CIRCLE_DEG)


def _start_beyond(arc: Arc, edge_deg: float) -> float:
    """Where an arc that touches an edge from above starts; negative when below the edge."""
    if arc.contains(edge_deg):
        return -((edge_deg - arc.start_deg) % FULL_CIRCLE_DEG)
    return (arc.start_deg - edge_deg) % FULL_CIRCLE_DEG
