"""How far the mouse is from what is drawn, in targets of comfortable size.

In the cross-section a target is a circle. In the polar view it is one on screen, which is wide in
angle and short in depth: an edge that runs along the depth is as easy to hit as one across it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from calcviewer.core.geometry import FULL_CIRCLE_DEG, to_polar
from calcviewer.gui.tools.tool import Pointer
from calcviewer.gui.views.overlay import closed, unrolled

Points = NDArray[np.float64]


def reaches_to(line_mm: Points, pointer: Pointer, *, ring: bool = False) -> float:
    """Return the distance from the mouse to a line; up to 1 the line is hit.

    Parameters
    ----------
    line_mm
        Points joined by straight lines, or one point, shape ``(N >= 1, 2)``, canonical mm.
    ring
        Whether the last point is joined to the first.
    """
    line = closed(line_mm) if ring else np.asarray(line_mm, dtype=np.float64)
    at = np.asarray(pointer.at_mm, dtype=np.float64)
    if pointer.reach_deg is None:
        return _distance_from_origin((line - at) / pointer.reach_mm)
    scale = np.array([pointer.reach_deg, pointer.reach_mm])
    angle, radius = to_polar(at)
    away = unrolled(line) - (float(angle), float(radius))
    turns = (-FULL_CIRCLE_DEG, 0.0, FULL_CIRCLE_DEG)
    return min(_distance_from_origin((away - (turn, 0.0)) / scale) for turn in turns)


def _distance_from_origin(line: Points) -> float:
    """Return the distance of a line's nearest point from the origin."""
    nearest = float(np.hypot(*line.T).min())
    if len(line) == 1:
        return nearest
    first, along = line[:-1], np.diff(line, axis=0)
    length = np.einsum("ij,ij->i", along, along)
    back = -np.einsum("ij,ij->i", first, along)
    part = np.clip(np.divide(back, length, out=np.zeros_like(length), where=length > 0), 0, 1)
    return min(nearest, float(np.hypot(*(first + part[:, None] * along).T).min()))
