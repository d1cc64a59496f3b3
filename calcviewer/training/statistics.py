"""The few statistics that evaluations report."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from calcviewer.modalities.ivoct.score import LIMITS_SD


class Spread(NamedTuple):
    """Mean and standard deviation."""

    mean: float
    sd: float


@dataclass(frozen=True)
class Limits:
    """Bland-Altman agreement of one quantity: bias and 95 % limits, over ``frames`` frames."""

    bias: float
    sd: float
    frames: int

    @property
    def lower(self) -> float:
        """Lower limit of agreement."""
        return self.bias - LIMITS_SD * self.sd

    @property
    def upper(self) -> float:
        """Upper limit of agreement."""
        return self.bias + LIMITS_SD * self.sd


@dataclass(frozen=True)
class Comparison:
    """Two-sided Wilcoxon signed-rank test of paired values; ``pairs`` of them differ."""

    pairs: int
    median_difference: float
    p: float


def limits_of(differences: NDArray[np.floating]) -> Limits:
    """Return bias and limits of differences, shape (frames,); NaN without any."""
    if not differences.size:
        return Limits(float("nan"), float("nan"), 0)
    return Limits(float(np.mean(differences)), float(np.std(differences)), differences.size)


def spread(values: Sequence[float]) -> Spread:
    """Mean and sample standard deviation of the values that are numbers; NaN of too few."""
    known = np.array([value for value in values if np.isfinite(value)])
    mean = float(known.mean()) if known.size else float("nan")
    return Spread(mean, float(known.std(ddof=1)) if known.size > 1 else float("nan"))


def wilcoxon(first: Sequence[float], second: Sequence[float]) -> Comparison | None:
    """Test whether paired values differ; pairs without a number, or without a difference, drop out.

    Returns
    -------
    The comparison, ``median_difference`` being second - first over all pairs of numbers; None
    where no pair differs.
    """
    differences = np.asarray(second, dtype=float) - np.asarray(first, dtype=float)
    differences = differences[np.isfinite(differences)]
    differing = differences[differences != 0]
    if not differing.size:
        return None
    result = stats.wilcoxon(differing)
    return Comparison(differing.size, float(np.median(differences)), float(result.pvalue))
