"""Calcium and lumen on simulated pullbacks that no network was trained on, the whole way.

One pullback says little: some have no calcium, some are calcified all round. Figures are of short
runs of frames from several, pixels and frames pooled.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from calcviewer.app.simulate import true_annotation
from calcviewer.core.annotation import labels_of_annotation
from calcviewer.core.resources import models_path
from calcviewer.inference.crf import CrfParameters
from calcviewer.inference.model_card import list_models
from calcviewer.inference.onnx import Network
from calcviewer.modalities.ivoct.preprocess import MODEL_GRID, preprocess
from calcviewer.modalities.ivoct.segment import IvoctSegmenter
from calcviewer.simulation import PullbackSpec, simulate_pullback
from calcviewer.simulation.physics import FITTED

pytestmark = [pytest.mark.slow, pytest.mark.validation]
SEEDS = range(910_001, 910_017)
"""Training data is drawn from seeds of its own; these are not among them."""
FIRST, FRAMES, PULLBACK_FRAMES = 50, 5, 120


@dataclass(frozen=True)
class Pooled:
    """Shared and summed pixels of one label over all frames."""

    shared: int
    summed: int

    @property
    def dice(self) -> float:
        return 2 * self.shared / self.summed


def run_of(
    seed: int,
    network: Network,
    *,
    frames: range = range(FIRST, FIRST + FRAMES),
    physics: str = FITTED,
) -> list[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
    """Return true and found label maps of a few consecutive frames."""
    spec = PullbackSpec(seed=seed, frames=PULLBACK_FRAMES, physics=physics)
    pullback = simulate_pullback(spec)
    field_mm = min(pullback.field_radius_mm, MODEL_GRID.end_radius_mm)

    def image(index: int) -> NDArray[np.float32]:
        intensity = pullback.frame(index).intensity
        return preprocess(intensity, grid=MODEL_GRID, log=False, field_radius_mm=field_mm)

    segmenter = IvoctSegmenter(image, spec.frames, field_mm, network, CrfParameters())
    found = dict(segmenter.predict(frames))
    return [
        (
            labels_of_annotation(true_annotation(pullback.frame(index), MODEL_GRID), MODEL_GRID),
            labels_of_annotation(annotation, MODEL_GRID),
        )
        for index, annotation in found.items()
    ]


@pytest.fixture(scope="module", params=[folder.name for folder in list_models(models_path())])
def pairs(request: pytest.FixtureRequest) -> list[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
    network = Network.load(models_path() / request.param, device="cpu")
    print(f"\n{request.param}", end="")
    return [pair for seed in SEEDS for pair in run_of(seed, network)]


def pooled(pairs: list[tuple[NDArray[np.uint8], NDArray[np.uint8]]], label: int) -> Pooled:
    shared = sum(int(((true == label) & (found == label)).sum()) for true, found in pairs)
    summed = sum(int((true == label).sum() + (found == label).sum()) for true, found in pairs)
    return Pooled(shared, summed)


def test_dice_after_the_crf(pairs: list[tuple[NDArray[np.uint8], NDArray[np.uint8]]]) -> None:
    lumen, calcium = pooled(pairs, 1).dice, pooled(pairs, 2).dice
    print(
        f"\nsimulated, held out, {len(pairs)} frames: Dice lumen {lumen:.4f}, calcium {calcium:.4f}"
    )
    assert lumen >= 0.97
    assert calcium >= 0.75


def test_amount_of_calcium(pairs: list[tuple[NDArray[np.uint8], NDArray[np.uint8]]]) -> None:
    """Neither too much nor too little is found."""
    true = sum(int((true == 2).sum()) for true, _ in pairs)
    found = sum(int((found == 2).sum()) for _, found in pairs)
    print(f"\nsimulated, held out: calcium found / true {found / true:.3f}")
    assert 0.7 <= found / true <= 1.3
