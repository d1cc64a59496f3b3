"""The truth of a frame: labels as an expert would draw them, exact outlines, sectors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calcviewer.simulation.calcium import DepositBorders
from calcviewer.simulation.fields import ANGLE_BINS, FloatArray, table_angles_rad
from calcviewer.simulation.tissue import Tissue
from calcviewer.simulation.view import Grid

BoolArray = NDArray[np.bool_]
Sectors = tuple[tuple[float, float], ...]

VISIBLE_SNR = 2.0
"""Ratio of signal to noise power that a border needs to be seen."""
HIDDEN_BACK_LIMIT_MM = 1.0
"""Depth to which experts draw a deposit whose back they cannot see (Gharaibeh 2019, 3.1)."""


@dataclass(frozen=True, eq=False)
class CalciumPolygon:
    """The exact contour of a deposit in canonical mm; a closed ring of calcium has a hole.

    `exterior` and each hole have shape (N, 2), columns x and y, not repeating the first point.
    """

    exterior: FloatArray
    holes: tuple[FloatArray, ...] = ()


def calcium_labels(
    tissue: Tissue, visible: BoolArray, inside: BoolArray, spacing_mm: float
) -> tuple[BoolArray, BoolArray, BoolArray]:
    """Return calcium as drawn, calcium as it is, and the A-lines that lose a back border.

    A deposit whose front lies where no signal is left is not drawn; one whose back lies there, or
    beyond the field, is drawn to at most `HIDDEN_BACK_LIMIT_MM` from its front.
    """
    full = np.zeros(visible.shape, dtype=bool)
    drawn = np.zeros(visible.shape, dtype=bool)
    lost = np.zeros(visible.shape[0], dtype=bool)
    samples = visible.shape[1]
    limit = round(HIDDEN_BACK_LIMIT_MM / spacing_mm)
    column = np.arange(samples)[None, :]
    last_inside = int(np.flatnonzero(inside)[-1])
    for mask in tissue.deposits:
        lines = np.flatnonzero(mask.any(axis=1))
        part = mask[lines]
        front = np.argmax(part, axis=1)
        back = samples - 1 - np.argmax(part[:, ::-1], axis=1)
        shown = visible[lines, front] & (front < last_inside)
        behind = np.minimum(back + 8, samples - 1)
        gone = ~visible[lines, behind] | (back >= last_inside - 8)
        kept = part & shown[:, None]
        kept &= ~gone[:, None] | (column < (front + limit)[:, None])
        full[lines] |= part
        drawn[lines] |= kept
        lost[lines] |= gone & shown
    return drawn & inside[None, :], full & inside[None, :], lost


def sectors(lines: BoolArray) -> Sectors:
    """Return runs of true A-lines as sectors (start_deg, end_deg), closed over 360 degrees."""
    if lines.all():
        return ((0.0, 360.0),)
    step = 360.0 / lines.size
    starts = np.flatnonzero(lines & ~np.roll(lines, 1))
    ends = np.flatnonzero(lines & ~np.roll(lines, -1)) + 1
    if starts.size and ends[0] <= starts[0]:
        ends = np.roll(ends, -1)
    return tuple(
        (float(s * step), float((e * step) % 360.0)) for s, e in zip(starts, ends, strict=True)
    )


def polygons(grid: Grid, borders: DepositBorders) -> Iterator[CalciumPolygon]:
    """Yield the outlines of a deposit in canonical mm."""
    vessel = grid.vessel
    angles = table_angles_rad()
    front = vessel.lumen_mm + borders.front_mm * vessel.slant
    back = vessel.lumen_mm + borders.back_mm * vessel.slant
    present = borders.present
    if present.all():
        yield CalciumPolygon(grid.canonical(angles, back), (grid.canonical(angles, front),))
        return
    starts = np.flatnonzero(present & ~np.roll(present, 1))
    for start in starts:
        rolled = np.roll(present, -start)
        count = ANGLE_BINS if rolled.all() else int(np.argmin(rolled))
        run = (start + np.arange(count)) % ANGLE_BINS
        if count < 4:
            continue
        ring_angles = np.concatenate([angles[run], angles[run][::-1]])
        distance = np.concatenate([front[run], back[run][::-1]])
        yield CalciumPolygon(grid.canonical(ring_angles, distance))
