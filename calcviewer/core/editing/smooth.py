"""Smooth closed curves through few points of a border (Catmull-Rom)."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from calcviewer.core.contour import Contour, Points
from calcviewer.core.editing.rings import Floats, Weight, points_at, positions

_FEWEST = 6
_MOST_ROUNDS = 12
_NEAREST_MM = 0.05
"""Handles lie at least this far apart along the border."""
_CURVE_STEP_MM = 0.02


@lru_cache(maxsize=16)
def handle_positions(contour: Contour, tolerance_mm: float) -> tuple[Floats, ...]:
    """Return, per ring, the positions along it of few points that describe it."""
    return tuple(_positions_on(ring, tolerance_mm) for ring in contour.rings_mm)


def _positions_on(ring: Points, tolerance_mm: float) -> Floats:
    """Add the worst point of every stretch until the curve is everywhere near enough."""
    total = float(positions(ring)[-1])
    dense = np.arange(0, total, min(_CURVE_STEP_MM, total / 64))
    border = points_at(ring, dense)
    at = _extremes(border, dense, total)
    for _ in range(_MOST_ROUNDS):
        off = np.linalg.norm(_curve_at(ring, at, dense) - border, axis=1)
        stretch = np.searchsorted(at, dense, side="right") % len(at)
        added = []
        for k in np.unique(stretch[off > tolerance_mm]):
            members = np.flatnonzero(stretch == k)
            worst = dense[members[off[members].argmax()]]
            if np.abs((worst - at + total / 2) % total - total / 2).min() >= _NEAREST_MM:
                added.append(worst)
        if not added:
            break
        at = np.union1d(at, added)
    return at


def _extremes(border: Points, dense: Floats, total: float) -> Floats:
    """Return a few points to begin with, fixed by the shape and not by where the ring begins."""
    centre = border.mean(axis=0)
    first = dense[np.linalg.norm(border - centre, axis=1).argmax()]
    return np.sort((first + np.arange(_FEWEST) * total / _FEWEST) % total)


def _curve_at(ring: Points, at: Floats, position: Floats) -> Points:
    """Return the closed Catmull-Rom curve through the handles, at positions along the ring."""
    total = float(positions(ring)[-1])
    knots = points_at(ring, at)
    k = (np.searchsorted(at, position, side="right") - 1) % len(at)
    after = np.roll(at, -1) - at
    after = np.where(after <= 0, after + total, after)
    before = np.roll(after, 1)
    slope = (np.roll(knots, -1, axis=0) - np.roll(knots, 1, axis=0)) / (before + after)[:, None]
    part = ((position - at[k]) % total / after[k])[:, None]
    following = (k + 1) % len(at)
    return hermite(
        (knots[k], slope[k] * after[k, None]),
        (knots[following], slope[following] * after[k, None]),
        part,
    )


def hermite(first: tuple[Points, Points], last: tuple[Points, Points], part: Floats) -> Points:
    """Return points of cubic curves from one point and tangent to another."""
    (a, tangent_a), (b, tangent_b) = first, last
    s, s2, s3 = part, part**2, part**3
    return np.asarray(
        (2 * s3 - 3 * s2 + 1) * a
        + (s3 - 2 * s2 + s) * tangent_a
        + (3 * s2 - 2 * s3) * b
        + (s3 - s2) * tangent_b
    )


def bump(at_mm: float, handles_mm: Floats, total_mm: float) -> Weight:
    """Return a smooth weight: 1 at a position, 0 from the handles on either side of it on."""
    offset = (handles_mm - at_mm) % total_mm
    offset = offset[(offset > 1e-9) & (offset < total_mm - 1e-9)]
    ahead, behind = float(offset.min()), float(total_mm - offset.max())

    def weight(position: Floats) -> Floats:
        signed = (position - at_mm + total_mm / 2) % total_mm - total_mm / 2
        part = np.where(signed >= 0, signed / ahead, -signed / behind)
        # Half the circumference may be nearer than the next handle on a ring with few.
        return np.asarray(np.where(part < 1, (1 + np.cos(np.pi * np.minimum(part, 1))) / 2, 0.0))

    return weight


def span_without(ring: Points, at: Floats, index: int) -> Points:
    """Return a ring drawn as a smooth curve between the handles beside one."""
    total = float(positions(ring)[-1])
    left = np.delete(at, index)
    start, end = float(at[index - 1]), float(at[(index + 1) % len(at)])
    span = (end - start) % total
    count = max(4, int(np.ceil(span / _CURVE_STEP_MM)))
    curve = _curve_at(ring, left, (start + span * np.linspace(0, 1, count)) % total)
    curve[[0, -1]] = points_at(ring, np.array([start, end]))
    along = (positions(ring)[:-1] - end) % total
    order = np.argsort(along, kind="stable")
    rest = order[(along[order] > 0) & (along[order] < total - span)]
    return np.concatenate([curve, ring[rest]])
