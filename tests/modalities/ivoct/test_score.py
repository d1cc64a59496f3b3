from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calcviewer.modalities.ivoct.protocol import Protocol
from calcviewer.modalities.ivoct.score import (
    MeasuredError,
    Points,
    exceeds,
    fujino,
    score_probabilities,
)

PROTOCOL = Protocol()
# Gharaibeh et al., J Med Imaging 2019, table 3: length, arc and thickness by hand, by network.
TABLE_3 = [
    ("Ca1", 1.9, (45, 0.52), (89, 0.91)),
    ("Ca2", 2.0, (68, 0.67), (124, 0.91)),
    ("Ca3", 7.3, (330, 0.60), (328, 0.82)),
    ("Ca4", 3.2, (132, 1.1), (123, 1.4)),
    ("Ca5", 12.3, (146, 0.88), (227, 1.0)),
]
MANUAL_SCORES = [1, 1, 4, 1, 2]
AUTOMATIC_SCORES = [1, 1, 4, 1, 4]


def scored(arc_deg=None, thickness_mm=None, length_mm=None, protocol=PROTOCOL):
    return fujino(
        max_arc_deg=arc_deg,
        max_thickness_mm=thickness_mm,
        length_mm=length_mm,
        protocol=protocol,
    )


@pytest.mark.validation
@pytest.mark.parametrize(("row", "expected"), [*zip(TABLE_3, MANUAL_SCORES, strict=True)])
def test_table_3_by_hand(row, expected):
    _, length_mm, (arc_deg, thickness_mm), _ = row
    assert scored(arc_deg, thickness_mm, length_mm).total == expected


@pytest.mark.validation
@pytest.mark.parametrize(("row", "expected"), [*zip(TABLE_3, AUTOMATIC_SCORES, strict=True)])
def test_table_3_automatic(row, expected):
    _, length_mm, _, (arc_deg, thickness_mm) = row
    assert scored(arc_deg, thickness_mm, length_mm).total == expected


@pytest.mark.validation
def test_table_3_points():
    assert scored(330, 0.60, 7.3).points == Points(2, 1, 1)
    assert scored(146, 0.88, 12.3).points == Points(0, 1, 1)
    assert scored(132, 1.1, 3.2).points == Points(0, 1, 0)


@pytest.mark.validation
@pytest.mark.parametrize(
    ("values", "points"),
    [
        ((180.0, 0.5, 5.0), Points(0, 0, 0)),
        ((180.0001, 0.5, 5.0), Points(2, 0, 0)),
        ((180.0, 0.5001, 5.0), Points(0, 1, 0)),
        ((180.0, 0.5, 5.0001), Points(0, 0, 1)),
        ((179.9999, 0.4999, 4.9999), Points(0, 0, 0)),
        ((360.0, 3.0, 50.0), Points(2, 1, 1)),
        ((0.0, 0.0, 0.0), Points(0, 0, 0)),
        # Not rounded to what is printed: 180.4 prints as 180.
        ((180.4, 0.504, 5.004), Points(2, 1, 1)),
    ],
)
def test_thresholds_are_strict(values, points):
    score = scored(*values)
    assert score.points == points
    assert score.total == score.lowest == score.highest
    assert score.total == points.arc + points.thickness + points.length


@pytest.mark.parametrize("count_and_pitch", [(25, 0.2), (50, 0.1), (500, 0.01), (20, 0.25)])
def test_exactly_five_millimetres_score_nothing_despite_rounding(count_and_pitch):
    count, pitch = count_and_pitch
    assert scored(0, 0, sum([pitch] * count)).points.length == 0
    assert scored(0, 0, sum([pitch] * (count + 1))).points.length == 1


def test_sum_of_rounding_errors_is_no_arc():
    assert scored(180 + 4e-13, 0.5 + 1e-15, 5).total == 0


def test_a_nanometre_and_a_nanodegree_are_rounding():
    assert not exceeds(1e-9, 0.0)
    assert exceeds(1.1e-9, 0.0)


def test_thresholds_come_from_the_protocol():
    protocol = Protocol(arc_threshold_deg=270, thickness_threshold_mm=1, length_threshold_mm=10)
    assert scored(200, 0.8, 8, protocol).total == 0
    assert scored(271, 1.1, 11, protocol).total == 4


@pytest.mark.parametrize(
    ("values", "missing", "lowest", "highest", "expansion", "text"),
    [
        ((200, 0.6, None), ("length",), 3, 4, "", "3 to 4 (length missing)"),
        ((100, 0.6, None), ("length",), 1, 2, "adequate expansion", "1 to 2 (length missing)"),
        (
            (None, None, 6.0),
            ("arc", "thickness"),
            1,
            4,
            "",
            "1 to 4 (arc, thickness missing)",
        ),
        ((None, 0.4, 6.0), ("arc",), 1, 3, "adequate expansion", "1 to 3 (arc missing)"),
    ],
)
def test_missing_values(values, missing, lowest, highest, expansion, text):
    score = scored(*values)
    assert score.total is None
    assert score.missing == missing
    assert (score.lowest, score.highest) == (lowest, highest)
    assert score.expansion == expansion
    assert score.text == text


@pytest.mark.parametrize("total", range(5))
def test_expansion(total):
    values = {0: (0, 0, 0), 1: (0, 1, 0), 2: (200, 0, 0), 3: (200, 1, 0), 4: (200, 1, 9)}[total]
    score = scored(*values)
    assert score.total == total
    assert score.expansion == ("poor expansion" if total == 4 else "adequate expansion")
    assert score.text == str(total)


def test_scores_are_immutable():
    score = scored(200, 0.6, 6)
    for result, name in ((score, "total"), (score.points, "arc"), (ERROR, "arc_sd_deg")):
        with pytest.raises(FrozenInstanceError):
            setattr(result, name, 0)
    with pytest.raises(TypeError, match="positional"):
        MeasuredError(-7.0, 22.7, -0.13, 0.2)


VALUES = st.none() | st.floats(0, 400)


@given(VALUES, VALUES, VALUES)
def test_score_is_always_within_its_range(arc_deg, thickness_mm, length_mm):
    score = scored(arc_deg, thickness_mm, length_mm)
    assert 0 <= score.lowest <= score.highest <= 4
    assert (score.total is None) == bool(score.missing)
    if score.total is not None:
        assert score.lowest == score.total == score.highest


ERROR = MeasuredError(
    arc_bias_deg=-7.0, arc_sd_deg=22.7, thickness_bias_mm=-0.13, thickness_sd_mm=0.2
)


def probabilities(arc_deg, thickness_mm, length_mm, error=ERROR):
    return score_probabilities(
        max_arc_deg=arc_deg,
        max_thickness_mm=thickness_mm,
        length_mm=length_mm,
        protocol=PROTOCOL,
        error=error,
    )


def test_no_probability_without_a_measured_error_or_a_value():
    assert probabilities(200, 0.6, 6, error=None) is None
    assert probabilities(None, 0.6, 6) is None
    assert probabilities(200, None, 6) is None
    assert probabilities(200, 0.6, None) is None


@pytest.mark.validation
def test_probability_at_the_threshold_is_a_half():
    error = MeasuredError(arc_bias_deg=0, arc_sd_deg=10, thickness_bias_mm=0, thickness_sd_mm=0.0)
    found = probabilities(180, 0.9, 6, error)
    assert found == pytest.approx({2: 0.5, 4: 0.5})
    # One standard deviation above: the normal distribution's 84.13 %.
    assert probabilities(190, 0.9, 6, error) == pytest.approx({2: 0.158655, 4: 0.841345}, abs=1e-5)


@pytest.mark.validation
def test_bias_is_reference_minus_model():
    error = MeasuredError(arc_bias_deg=-10, arc_sd_deg=10, thickness_bias_mm=0, thickness_sd_mm=0)
    assert probabilities(190, 0.9, 6, error) == pytest.approx({2: 0.5, 4: 0.5})
    error = MeasuredError(arc_bias_deg=0, arc_sd_deg=0, thickness_bias_mm=-0.1, thickness_sd_mm=0.2)
    assert probabilities(90, 0.6, 6, error) == pytest.approx({1: 0.5, 2: 0.5})


@pytest.mark.validation
def test_probabilities_of_arc_and_thickness_multiply():
    error = MeasuredError(arc_bias_deg=0, arc_sd_deg=10, thickness_bias_mm=0, thickness_sd_mm=0.1)
    # One standard deviation above each threshold: 84.13 % and 84.13 %.
    low, high = 0.158655, 0.841345
    assert probabilities(190, 0.6, 5, error) == pytest.approx(
        {0: low * low, 1: low * high, 2: high * low, 3: high * high}, abs=1e-5
    )


def test_sure_measurements_have_one_score():
    error = MeasuredError(arc_bias_deg=0, arc_sd_deg=0, thickness_bias_mm=0, thickness_sd_mm=0)
    assert probabilities(227, 1.0, 12.3, error) == {4: 1.0}
    assert probabilities(180, 0.5, 5.0, error) == {0: 1.0}


@given(st.floats(0, 360), st.floats(0, 3), st.floats(0, 30))
def test_probabilities_add_up(arc_deg, thickness_mm, length_mm):
    found = probabilities(arc_deg, thickness_mm, length_mm)
    assert sum(found.values()) == pytest.approx(1)
    assert all(0 < part <= 1 for part in found.values())
    assert list(found) == sorted(found)
