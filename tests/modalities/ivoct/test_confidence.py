"""Degrees of calcium that appear or vanish when the decision moves between two odds."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from calcviewer.core.annotation import annotation_from_labels
from calcviewer.core.geometry import Arc
from calcviewer.modalities.ivoct.confidence import calcium_evidence, doubt_about
from calcviewer.modalities.ivoct.preprocess import MODEL_GRID
from calcviewer.modalities.ivoct.segment import IvoctSegmenter
from tests.modalities.ivoct.test_segment import CALCIUM, LUMEN, label_map, picture

FIELD_MM = MODEL_GRID.end_radius_mm


def probability(*parts: tuple[slice, float]) -> NDArray[np.float32]:
    """Return the probability of calcium, 0.5 mm thick on some A-lines."""
    calcium = np.zeros(MODEL_GRID.shape, dtype=np.float32)
    for a_lines, value in parts:
        calcium[a_lines, CALCIUM] = value
    return calcium


def doubt(calcium, *found: slice, wires: tuple[Arc, ...] = (), field_mm: float = FIELD_MM):
    annotation = annotation_from_labels(label_map(*found), MODEL_GRID)
    assert annotation.lumen is not None
    evidence = calcium_evidence(calcium, annotation.lumen, field_radius_mm=field_mm)
    return doubt_about(evidence, annotation.calcium, wires)


def test_calcium_below_even_odds_is_possibly_missed() -> None:
    seen = doubt(probability((slice(100, 140), 0.4)))
    assert seen.missed_deg == pytest.approx(30)
    assert seen.missed[0].start_deg == pytest.approx(75)
    assert seen.doubtful == ()


def test_calcium_the_network_is_unsure_of_is_doubtful() -> None:
    seen = doubt(probability((slice(100, 140), 0.6)), slice(100, 140))
    assert seen.doubtful_deg == pytest.approx(30, abs=1.5)
    assert seen.missed == ()


def test_sure_calcium_and_sure_absence_leave_no_doubt() -> None:
    calcium = probability((slice(0, 480), 0.2), (slice(100, 140), 0.7))
    seen = doubt(calcium, slice(100, 140))
    assert (seen.missed_deg, seen.doubtful_deg) == (0, 0)


def test_the_blurred_ends_of_a_deposit_are_not_missed_calcium() -> None:
    deposit = (slice(100, 140), 0.9)
    ends = probability((slice(80, 100), 0.3), deposit, (slice(140, 160), 0.3))  # 15 degrees each
    assert doubt(ends, slice(100, 140)).missed == ()
    longer = doubt(probability((slice(70, 100), 0.3), deposit), slice(100, 140))
    assert longer.missed_deg == pytest.approx(22.5, abs=0.8)
    apart = doubt(probability((slice(80, 94), 0.3), deposit), slice(100, 140))
    assert apart.missed_deg == pytest.approx(10.5, abs=0.8)


def test_an_arc_through_zero_degrees_is_one() -> None:
    seen = doubt(probability((slice(460, 480), 0.4), (slice(0, 20), 0.4)))
    (arc,) = seen.missed
    assert arc.start_deg == pytest.approx(345)
    assert arc.extent_deg == pytest.approx(30)


def test_specks_and_thin_lines_are_no_calcium() -> None:
    thin = np.zeros(MODEL_GRID.shape, dtype=np.float32)
    thin[100:140, 400:430] = 0.45  # 0.16 mm
    assert doubt(thin).missed == ()
    assert doubt(probability((slice(100, 106), 0.45))).missed == ()  # 4.5 degrees


def test_nothing_is_suspected_in_shadow_lumen_or_beyond_the_field() -> None:
    unsure = probability((slice(100, 140), 0.4))
    assert doubt(unsure, wires=(Arc(70, 40),)).missed == ()
    assert doubt(unsure, field_mm=1.8).missed == ()
    inside = np.zeros(MODEL_GRID.shape, dtype=np.float32)
    inside[100:140, LUMEN] = 0.45
    assert doubt(inside).missed == ()


class UnsureNetwork:
    """Finds a lumen, and calcium on some A-lines with a probability."""

    def __init__(self, calcium: NDArray[np.float32]) -> None:
        lumen = np.broadcast_to(LUMEN, calcium.shape).astype(np.float32)
        self.answer = np.stack([1 - lumen - calcium, lumen, calcium])[None]

    def predict(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        return self.answer


def test_predictions_carry_their_doubt() -> None:
    calcium = probability((slice(100, 140), 0.4), (slice(300, 340), 0.6))
    network = UnsureNetwork(calcium)
    segmenter = IvoctSegmenter(lambda i: picture(), 1, FIELD_MM, network, None)  # type: ignore[arg-type]
    ((_, annotation),) = segmenter.predict([0])
    assert annotation.doubt is not None
    assert annotation.doubt.missed_deg == pytest.approx(30)
    assert annotation.doubt.doubtful_deg == pytest.approx(30, abs=1.5)
