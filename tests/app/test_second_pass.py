from dataclasses import replace

import numpy as np
import pytest

from calcviewer.app.second_pass import agreement, second_pass, second_pass_document
from calcviewer.core.annotation import FrameAnnotation, Provenance, annotation_from_labels
from calcviewer.core.contour import Contour
from calcviewer.core.pullback import CalibratedValue, Origin
from calcviewer.core.study import Review, Study
from calcviewer.modalities.ivoct.protocol import Protocol
from tests.phantoms import GRID, label_map, make_pullback


def square(left, side=1.0):
    right = left + side
    return Contour(np.array([[left, 0], [right, 0], [right, side], [left, side]], dtype=float))


def annotation(*deposits, lumen_mm=1.5, provenance=Provenance.SEMIAUTOMATIC):
    labels = label_map(*deposits, lumen_mm=lumen_mm)
    return annotation_from_labels(labels, GRID, provenance=provenance)


def study(edits, predictions=None, **review):
    found = dict.fromkeys(range(6), annotation((20, 100))) if predictions is None else predictions
    return Study(
        make_pullback(6), Protocol(), predictions=found, review=Review(edits=edits, **review)
    )


def test_half_overlapping_squares():
    found = agreement([square(0)], [square(0.5)])
    assert found.dice == pytest.approx(0.5)
    assert found.differs_mm2 == pytest.approx(1.0)


def test_nothing_on_both_sides_agrees_and_on_one_side_does_not():
    assert agreement([], []).dice == 1.0
    alone = agreement([], [square(0, 2.0)])
    assert (alone.dice, alone.differs_mm2) == (0.0, pytest.approx(4.0))


def test_frames_come_most_different_first():
    rows = second_pass(
        study(
            {0: annotation((20, 110)), 2: annotation(), 3: annotation((20, 100), (200, 60))},
            confirmed_frames=frozenset({0, 5}),
        )
    )
    assert [row.frame for row in rows] == [2, 3, 0, 5]
    missing = rows[0]
    assert missing.calcium.dice == 0.0
    assert missing.calcium.differs_mm2 == pytest.approx(
        np.pi * (2.3**2 - 1.7**2) * 100 / 360, rel=0.03
    )
    assert missing.arc_difference_deg == pytest.approx(-100, abs=2)
    assert missing.lumen.dice == pytest.approx(1.0)
    assert rows[-1].difference == pytest.approx(0, abs=1e-9)


def test_a_changed_lumen_counts_by_its_area():
    (row,) = second_pass(study({1: annotation((20, 100), lumen_mm=1.3)}))
    assert row.lumen.differs_mm2 == pytest.approx(np.pi * (1.5**2 - 1.3**2), rel=0.02)
    assert row.difference == pytest.approx(
        row.lumen.differs_mm2 + row.calcium.differs_mm2 + abs(row.arc_difference_deg) / 100
    )


def test_frames_without_a_prediction_or_annotation_are_left_out():
    predictions = {0: annotation(), 1: FrameAnnotation(failure="dark"), 2: annotation()}
    edits = dict.fromkeys(range(4), annotation((20, 100)))
    rows = second_pass(study(edits, predictions, excluded={2: "poor clearance"}))
    assert [row.frame for row in rows] == [0]


def test_both_sides_follow_the_calibration_in_force():
    one = study({0: annotation((20, 100), (200, 60))})
    source = one.pullback.calibration
    doubled = replace(source, sample_spacing_mm=CalibratedValue(0.02, Origin.OPERATOR))
    scaled = replace(one, review=replace(one.review, calibration=doubled))
    before, after = second_pass(one)[0], second_pass(scaled)[0]
    assert after.calcium.dice == pytest.approx(before.calcium.dice, abs=1e-3)
    assert after.calcium.differs_mm2 == pytest.approx(4 * before.calcium.differs_mm2, rel=0.01)


def test_document_counts_frames_from_one():
    (row,) = second_pass_document(second_pass(study({0: annotation()})))
    assert row["frame"] == 1
    assert row["provenance"] == "SEMIAUTOMATIC"
    assert row["calcium"] == {"dice": 0.0, "differs_mm2": pytest.approx(2.09, abs=0.05)}
    assert row["arc_difference_deg"] == pytest.approx(-100, abs=2)
