"""The stent-deployment calcium score of Fujino et al., and how sure it is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from calcviewer.modalities.ivoct.protocol import Protocol

ARC_POINTS = 2
POOR_EXPANSION_TOTAL = 4
LIMITS_SD = 1.96
"""95 % limits of agreement lie so many standard deviations from the bias (Bland & Altman 1986)."""
_ROUNDING = 1e-9
"""Values closer than this to a threshold lie on it: floating-point rounding is no calcium."""


@dataclass(frozen=True)
class Points:
    """The points of the three criteria; None where the value is missing."""

    arc: int | None
    thickness: int | None
    length: int | None


@dataclass(frozen=True)
class Score:
    """A stent-deployment calcium score.

    Parameters
    ----------
    points
        Points for each criterion.
    total
        0 to 4; None when a criterion is missing.
    missing
        The criteria without a value: "arc", "thickness", "length".
    lowest, highest
        The range of totals that is still possible; both equal ``total`` when nothing is missing.
    """

    points: Points
    total: int | None
    missing: tuple[str, ...]
    lowest: int
    highest: int

    @property
    def expansion(self) -> str:
        """The expected stent expansion; empty when the missing values can change it."""
        if self.lowest >= POOR_EXPANSION_TOTAL:
            return "poor expansion"
        return "adequate expansion" if self.highest < POOR_EXPANSION_TOTAL else ""

    @property
    def text(self) -> str:
        """The total as people read it, e.g. ``"4"``, or ``"2 to 3 (length missing)"``."""
        if self.total is not None:
            return str(self.total)
        return f"{self.lowest} to {self.highest} ({', '.join(self.missing)} missing)"


@dataclass(frozen=True, kw_only=True)
class MeasuredError:
    """How far a model's measurements lie from the reference: its Bland-Altman agreement.

    A bias is the mean of reference - model, the standard deviation that of the same difference
    (95 % limits of agreement are bias ± `LIMITS_SD` standard deviations).
    """

    arc_bias_deg: float
    arc_sd_deg: float
    thickness_bias_mm: float
    thickness_sd_mm: float

    @property
    def arc_limits_deg(self) -> tuple[float, float]:
        """95 % limits of agreement of the maximum arc."""
        half = LIMITS_SD * self.arc_sd_deg
        return self.arc_bias_deg - half, self.arc_bias_deg + half


def exceeds(value: float, threshold: float) -> bool:
    """Whether a value is strictly greater than a threshold, beyond floating-point rounding."""
    return value - threshold > _ROUNDING


def fujino(
    *,
    max_arc_deg: float | None,
    max_thickness_mm: float | None,
    length_mm: float | None,
    protocol: Protocol,
) -> Score:
    """Score a lesion (Fujino et al., EuroIntervention 2018, doi 10.4244/EIJ-D-17-00962).

    Two points for the arc, one each for thickness and length, when strictly greater than the
    protocol's threshold. The values are compared unrounded.

    Parameters
    ----------
    max_arc_deg, max_thickness_mm, length_mm
        The lesion's values; None where there is none.
    """
    criteria = {
        "arc": (max_arc_deg, protocol.arc_threshold_deg, ARC_POINTS),
        "thickness": (max_thickness_mm, protocol.thickness_threshold_mm, 1),
        "length": (length_mm, protocol.length_threshold_mm, 1),
    }
    points = {
        name: None if value is None else worth * exceeds(value, threshold)
        for name, (value, threshold, worth) in criteria.items()
    }
    missing = tuple(name for name, scored in points.items() if scored is None)
    lowest = sum(scored or 0 for scored in points.values())
    highest = lowest + sum(criteria[name][2] for name in missing)
    total = None if missing else lowest
    return Score(Points(**points), total, missing, lowest, highest)


def score_probabilities(
    *,
    max_arc_deg: float | None,
    max_thickness_mm: float | None,
    length_mm: float | None,
    protocol: Protocol,
    error: MeasuredError | None,
) -> Mapping[int, float] | None:
    """Return how probable each score is under the model's measured error.

    The true arc and thickness are taken as normal about the measured value plus the bias, and as
    independent; the length is taken as exact.

    Returns
    -------
    Total to probability, for totals with a probability above 0, in growing order; None when no
    error was measured or a value is missing.
    """
    if error is None or max_arc_deg is None or max_thickness_mm is None or length_mm is None:
        return None
    arc = _probability_above(
        protocol.arc_threshold_deg, max_arc_deg + error.arc_bias_deg, error.arc_sd_deg
    )
    thickness = _probability_above(
        protocol.thickness_threshold_mm,
        max_thickness_mm + error.thickness_bias_mm,
        error.thickness_sd_mm,
    )
    length_points = int(exceeds(length_mm, protocol.length_threshold_mm))
    # No two pairs of points have the same sum, and the sums grow in this order.
    parts = {
        arc_points + thickness_points + length_points: arc_part * thickness_part
        for arc_points, arc_part in ((0, 1 - arc), (ARC_POINTS, arc))
        for thickness_points, thickness_part in ((0, 1 - thickness), (1, thickness))
    }
    return {total: part for total, part in parts.items() if part > 0}


def _probability_above(threshold: float, mean: float, sd: float) -> float:
    """Probability that a normal value lies above a threshold."""
    if sd <= 0:
        return float(exceeds(mean, threshold))
    return 0.5 * math.erfc((threshold - mean) / (sd * math.sqrt(2)))
