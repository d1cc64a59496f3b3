"""How sure the network is of the calcium it found, and of that it did not find.

The probabilities before the refinement tell: the refinement makes every pixel sure of itself.
Both decisions are taken a second time, at fixed odds on either side of the even ones. Degrees of
arc are what an operator can weigh: they are what the score counts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calcviewer.core.contour import Contour, rasterise
from calcviewer.core.doubt import CalciumDoubt
from calcviewer.core.geometry import Arc, arcs_of_mask, sectors_mask
from calcviewer.modalities.ivoct.preprocess import MODEL_GRID

LENIENT_ODDS, STRICT_ODDS = 1 / 3, 2 / 1
"""Odds of calcium from which the less and the more strict decision find it."""
# Along an A-line: the network's specks and the blur of its borders are thinner.
_LEAST_LENIENT_MM, _LEAST_STRICT_MM = 0.2, 0.1
_LEAST_ARC_DEG = 8.0
# The ends of every deposit are blurred: only so much more of one may be a missed part of it.
_LEAST_BESIDE_DEG = 20.0
_BESIDE_A_LINES = 2

ALines = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class CalciumEvidence:
    """On which A-lines each of the two decisions finds calcium; bool, shape ``(480,)``."""

    lenient: ALines
    strict: ALines


def calcium_evidence(
    calcium: NDArray[np.float32], lumen: Contour, *, field_radius_mm: float
) -> CalciumEvidence:
    """Look for calcium behind the lumen border at both odds.

    Parameters
    ----------
    calcium
        Probability of calcium, ``[480, 960]`` on the model's grid, before the refinement.
    field_radius_mm
        Beyond it nothing was imaged.
    """
    wall = ~rasterise([lumen], MODEL_GRID) & (MODEL_GRID.radii_mm() <= field_radius_mm)

    def found(odds: float, least_mm: float) -> ALines:
        samples = np.count_nonzero(wall & (calcium >= odds / (1 + odds)), axis=1)
        return np.asarray(samples * MODEL_GRID.sample_spacing_mm >= least_mm)

    return CalciumEvidence(
        lenient=found(LENIENT_ODDS, _LEAST_LENIENT_MM), strict=found(STRICT_ODDS, _LEAST_STRICT_MM)
    )


def doubt_about(
    evidence: CalciumEvidence, calcium: tuple[Contour, ...], guidewires: tuple[Arc, ...]
) -> CalciumDoubt:
    """Compare the calcium of an annotation with the evidence, outside the guidewires' shadows.

    Arcs below 8 degrees are left out, and missed ones beside annotated calcium below 20.
    """
    annotated: ALines = np.asarray(rasterise(calcium, MODEL_GRID).any(axis=1))
    in_sight = ~sectors_mask(guidewires, MODEL_GRID.angles_deg())
    return CalciumDoubt(
        missed=_missed(in_sight & evidence.lenient & ~annotated, annotated),
        doubtful=_arcs(in_sight & annotated & ~evidence.strict),
    )


def _missed(mask: ALines, annotated: ALines) -> tuple[Arc, ...]:
    """Return the arcs of a mask that are more than the blurred end of annotated calcium."""
    steps = range(-_BESIDE_A_LINES, _BESIDE_A_LINES + 1)
    beside = np.any([np.roll(annotated, step) for step in steps], axis=0)
    angles = MODEL_GRID.angles_deg()

    def counts(arc: Arc) -> bool:
        at_deposit = bool((sectors_mask((arc,), angles) & beside).any())
        return arc.extent_deg >= (_LEAST_BESIDE_DEG if at_deposit else _LEAST_ARC_DEG)

    return tuple(arc for arc in arcs_of_mask(mask) if counts(arc))


def _arcs(mask: ALines) -> tuple[Arc, ...]:
    return tuple(arc for arc in arcs_of_mask(mask) if arc.extent_deg >= _LEAST_ARC_DEG)
