"""Agreement with simulated truth: a perfect reader agrees, a biased one is told so."""

from __future__ import annotations

import json
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
from calcviewer.training.agreement import (
    QUANTITIES,
    Agreement,
    AgreementSettings,
    FramePair,
    Volume,
    VolumeScore,
    measure_agreement,
    together,
)

SEED, FRAMES = 900_101, 3
SETTINGS = AgreementSettings(pullbacks=1, frames=(FRAMES, FRAMES), seed=SEED)


def reader(monkeypatch: pytest.MonkeyPatch, *, finds_lumen: bool = True) -> None:
    """Let every frame be segmented as its truth, with or without the lumen."""
    frames = simulate_pullback(PullbackSpec(seed=SEED, frames=agreement.PULLBACK_FRAMES))

    def predict(self: IvoctSegmenter, wanted: Iterable[int]) -> Iterator[Any]:
        for index in wanted:
            self.image(index)
            truth = annotation_from_labels(frames.frame(index).labels, MODEL_GRID)
            yield index, truth if finds_lumen else replace(truth, lumen=None)

    monkeypatch.setattr(IvoctSegmenter, "predict", predict)


def measured(network: Any = None) -> Agreement:
    return measure_agreement(network, settings=SETTINGS, crf=None)


def test_a_perfect_reader_agrees(monkeypatch: pytest.MonkeyPatch) -> None:
    reader(monkeypatch)
    found = measured()
    assert found.limits["lumen_area_mm2"].frames == FRAMES
    assert found.limits["lumen_area_mm2"].bias == pytest.approx(0, abs=0.03)
    assert found.limits["max_arc_deg_visible"].bias == pytest.approx(0, abs=1.5)
    assert found.equal_scores == len(found.volumes)
    assert [frame.pullback for frame in found.frames] == [SEED] * FRAMES


def test_what_is_not_found_on_both_sides_is_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    reader(monkeypatch, finds_lumen=False)
    assert measured().limits["lumen_area_mm2"].frames == 0


def test_volumes_differ_in_length() -> None:
    spec = PullbackSpec(seed=SEED, frames=120)
    lengths = set()
    for seed in range(60):
        volume = agreement._volume(replace(spec, seed=seed), (10, 14))
        assert 0 <= volume[0] <= volume[-1] < 120
        lengths.add(len(volume))
    assert lengths == {10, 11, 12, 13, 14}
    assert len(agreement._volume(spec, (7, 7))) == 7


def pair(frame: int, *, arcs: tuple[float, float], calcified: tuple[bool, bool]) -> FramePair:
    values: dict[str, tuple[float | None, float | None]] = dict.fromkeys(QUANTITIES, (None, None))
    values |= {"lumen_area_mm2": (5.0, 5.5), "max_arc_deg_visible": arcs}
    values["max_thickness_mm"] = (0.5, 0.4)
    return FramePair(1, frame, calcified, values)


def known() -> Agreement:
    frames = (
        pair(0, arcs=(40.0, 50.0), calcified=(True, True)),
        pair(1, arcs=(60.0, 50.0), calcified=(True, True)),
        pair(2, arcs=(30.0, 0.0), calcified=(True, False)),
    )
    four, two = VolumeScore(6.0, 200.0, 0.8, 4), VolumeScore(6.0, 170.0, 0.4, 1)
    volumes = (
        Volume(1, 3, 20, four, four),
        Volume(2, 4, 20, four, two),
        Volume(3, 0, 20, None, two),
    )
    return Agreement(3, frames, volumes)


def test_calcium_is_compared_where_both_sides_have_it() -> None:
    limits = known().limits
    arc, area = limits["max_arc_deg_visible"], limits["lumen_area_mm2"]
    assert (arc.bias, arc.sd, arc.frames) == (0.0, 10.0, 2)
    assert (area.bias, area.sd, area.frames) == (-0.5, 0.0, 3)
    assert limits["mean_depth_mm"].frames == 0


def test_scores_and_the_entry_of_the_card() -> None:
    assert [one.scores for one in known().volumes] == [(4, 4), (4, 1), (0, 1)]
    assert known().equal_scores == 1
    entry = known().as_dict()["agreement"]
    assert MeasuredError(**entry) == MeasuredError(  # type: ignore[arg-type]
        arc_bias_deg=0.0,
        arc_sd_deg=10.0,
        thickness_bias_mm=pytest.approx(0.1),
        thickness_sd_mm=pytest.approx(0.0),
    )


def test_json_is_read_back() -> None:
    text = json.dumps(known().as_dict(), allow_nan=False)
    read = Agreement.from_dict(json.loads(text))
    assert read.volumes == known().volumes
    assert read.limits["max_arc_deg_visible"] == known().limits["max_arc_deg_visible"]
    assert read.as_dict() == json.loads(text) | {"frames": read.as_dict()["frames"]}


def test_parts_are_pooled() -> None:
    both = together([known(), known()])
    assert (both.pullbacks, len(both.frames), len(both.volumes)) == (6, 6, 6)


def test_progress_counts_every_pullback(monkeypatch: pytest.MonkeyPatch) -> None:
    reader(monkeypatch)
    seen: list[tuple[int, int]] = []
    network: Network = None  # type: ignore[assignment]
    measure_agreement(
        network,
        settings=SETTINGS,
        crf=None,
        progress=lambda done, wanted: seen.append((done, wanted)),
    )
    assert seen == [(1, 1)]
