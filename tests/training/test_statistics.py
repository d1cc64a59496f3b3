import math

import numpy as np
import pytest

from calcviewer.training.statistics import Limits, limits_of, spread, wilcoxon


def test_limits_of_agreement():
    one = Limits(bias=-7.0, sd=10.0, frames=50)
    assert (one.lower, one.upper) == pytest.approx((-26.6, 12.6))
    found = limits_of(np.array([1.0, 3.0]))
    assert (found.bias, found.sd, found.frames) == (2.0, 1.0, 2)
    assert limits_of(np.array([])).frames == 0
    assert math.isnan(limits_of(np.array([])).bias)


def test_spread_leaves_out_what_is_no_number():
    assert spread([1.0, 3.0, math.nan]) == (2.0, pytest.approx(math.sqrt(2)))
    assert spread([1.0]).mean == 1.0
    assert math.isnan(spread([1.0]).sd)
    assert math.isnan(spread([]).mean)


def test_wilcoxon_of_a_published_example():
    # Wilcoxon 1945, Table I as in textbooks: Darwin's heights of crossed and selfed plants.
    differences = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]
    found = wilcoxon([0.0] * 15, differences)
    assert found is not None
    assert (found.pairs, found.median_difference) == (15, 24.0)
    assert found.p == pytest.approx(0.0413, abs=5e-4)


def test_wilcoxon_drops_pairs_without_number_or_difference():
    first = [0.1, 0.2, math.nan, 0.4, 0.5]
    found = wilcoxon(first, [0.2, 0.2, 0.9, math.nan, 0.8])
    assert found is not None
    assert found.pairs == 2
    assert found.median_difference == pytest.approx(0.1)
    assert wilcoxon([0.5, 0.5], [0.5, 0.5]) is None
