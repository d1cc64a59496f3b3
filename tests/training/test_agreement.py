"""Agreement with simulated truth: a perfect reader agrees, a biased one is told so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from calcviewer.core.annotation import annotation_from_labels
from calcviewer.inference.onnx import Network
from calcviewer.modalities.ivoct.preprocess import MODEL_GRID
from calcviewer.modalities.ivoct.score import MeasuredError
from calcviewer.modalities.ivoct.segment import IvoctSegmenter
from calcviewer.simulation import PullbackSpec, simulate_pullback
from calcviewer.training import agreement
from calcviewer.training.agreement import Limits, format_agreement, measure_agreement

SEED, FRAMES = 900_101, 3


def reader(monkeypatch: pytest.MonkeyPatch, *, finds_lumen: bool = True) -> None:
    """Let every frame be segmented as its truth, with or without the lumen."""
    frames = simulate_pullback(PullbackSpec(seed=SEED, frames=agreement.PULLBACK_FRAMES))

    def predict(self: IvoctSegmenter, wanted: Iterable[int]) -> Iterator[Any]:
        for index in wanted:
            self.image(index)
            truth = annotation_from_labels(frames.frame(index).labels, MODEL_GRID)
            yield index, truth if finds_lumen else replace(truth, lumen=None)

    monkeypatch.setattr(IvoctSegmenter, "predict", predict)


def measured(network: Any = None) -> agreement.Agreement:
    return measure_agreement(network, pullbacks=1, frames=FRAMES, seed=SEED, crf=None)


def test_a_perfect_reader_agrees(monkeypatch: pytest.MonkeyPatch) -> None:
    reader(monkeypatch)
    found = measured()
    assert found.limits["lumen_area_mm2"].frames == FRAMES
    assert found.limits["lumen_area_mm2"].bias == pytest.approx(0, abs=0.03)
    assert found.limits["max_arc_deg_visible"].bias == pytest.approx(0, abs=1.5)
    assert all(true == same for true, same in found.scores)
    assert "score equal in" in format_agreement(found)


def test_what_is_not_found_on_both_sides_is_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    reader(monkeypatch, finds_lumen=False)
    assert measured().limits["lumen_area_mm2"].frames == 0


def test_limits_and_the_entry_of_the_card() -> None:
    one = Limits(bias=-7.0, sd=10.0, frames=50)
    assert (one.lower, one.upper) == pytest.approx((-26.6, 12.6))
    names = agreement.QUANTITIES
    whole = agreement.Agreement(5, dict.fromkeys(names, one), [(4, 4), (2, 4)])
    assert "score equal in 1 of 2 volumes" in format_agreement(whole)
    entry = whole.as_dict()["agreement"]
    assert MeasuredError(**entry) == MeasuredError(
        arc_bias_deg=-7.0, arc_sd_deg=10.0, thickness_bias_mm=-7.0, thickness_sd_mm=10.0
    )


def test_progress_counts_every_pullback(monkeypatch: pytest.MonkeyPatch) -> None:
    reader(monkeypatch)
    seen: list[tuple[int, int]] = []
    network: Network = None  # type: ignore[assignment]
    measure_agreement(
        network,
        pullbacks=1,
        frames=FRAMES,
        seed=SEED,
        crf=None,
        progress=lambda done, wanted: seen.append((done, wanted)),
    )
    assert seen == [(1, 1)]
