"""Calcium and lumen on simulated pullbacks that no network was trained on, the whole way.

One pullback says little: some have no calcium, some are calcified all round. Figures are of short
runs of frames from several, pixels and frames pooled.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

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
from calcviewer.simulation import PullbackSpec, SimulatedFrame, simulate_pullback
from calcviewer.simulation.physics import FITTED

pytestmark = [pytest.mark.slow, pytest.mark.validation]
SEEDS = range(910_001, 910_017)
"""Training data is drawn from seeds of its own; these are not among them."""
FIRST, FRAMES, PULLBACK_FRAMES = 50, 5, 120
SHIPPED = list_models(models_path())

Pairs = list[tuple[NDArray[np.uint8], NDArray[np.uint8]]]


@dataclass(frozen=True)
class Pooled:
    """Shared and summed pixels of one label over all frames."""

    shared: int
    summed: int

    @property
    def dice(self) -> float:
        return 2 * self.shared / self.summed


@dataclass(frozen=True)
class Part:
    """Consecutive frames of a pullback, simulated once for all networks."""

    frame: Callable[[int], SimulatedFrame]
    frames: range
    field_mm: float

    def image(self, index: int) -> NDArray[np.float32]:
        intensity = self.frame(index).intensity
        return preprocess(intensity, grid=MODEL_GRID, log=False, field_radius_mm=self.field_mm)

    def segmented(self, network: Network) -> Pairs:
        """Return true and found label maps."""
        segmenter = IvoctSegmenter(
            self.image, PULLBACK_FRAMES, self.field_mm, network, CrfParameters()
        )
        found = dict(segmenter.predict(self.frames))
        return [
            (
                labels_of_annotation(true_annotation(self.frame(index), MODEL_GRID), MODEL_GRID),
                labels_of_annotation(annotation, MODEL_GRID),
            )
            for index, annotation in found.items()
        ]


def part_of(
    seed: int, *, frames: range = range(FIRST, FIRST + FRAMES), physics: str = FITTED
) -> Part:
    pullback = simulate_pullback(PullbackSpec(seed=seed, frames=PULLBACK_FRAMES, physics=physics))
    field_mm = min(pullback.field_radius_mm, MODEL_GRID.end_radius_mm)
    return Part(cache(pullback.frame), frames, field_mm)


@pytest.fixture(scope="module")
def pairs_of() -> dict[str, Pairs]:
    """Return what every shipped network made of the same frames."""
    networks = {folder.name: Network.load(folder, device="cpu") for folder in SHIPPED}
    found: dict[str, Pairs] = {name: [] for name in networks}
    for part in map(part_of, SEEDS):
        for name, network in networks.items():
            found[name] += part.segmented(network)
    return found


@pytest.fixture(params=[folder.name for folder in SHIPPED])
def pairs(request: pytest.FixtureRequest, pairs_of: dict[str, Pairs]) -> Pairs:
    print(f"\n{request.param}", end="")
    return pairs_of[request.param]


def pooled(pairs: Pairs, label: int) -> Pooled:
    shared = sum(int(((true == label) & (found == label)).sum()) for true, found in pairs)
    summed = sum(int((true == label).sum() + (found == label).sum()) for true, found in pairs)
    return Pooled(shared, summed)


def test_dice_after_the_crf(pairs: Pairs) -> None:
    lumen, calcium = pooled(pairs, 1).dice, pooled(pairs, 2).dice
    print(
        f"\nsimulated, held out, {len(pairs)} frames: Dice lumen {lumen:.4f}, calcium {calcium:.4f}"
    )
    assert lumen >= 0.97
    assert calcium >= 0.75


def test_amount_of_calcium(pairs: Pairs) -> None:
    """Neither too much nor too little is found."""
    true = sum(int((true == 2).sum()) for true, _ in pairs)
    found = sum(int((found == 2).sum()) for _, found in pairs)
    print(f"\nsimulated, held out: calcium found / true {found / true:.3f}")
    assert 0.7 <= found / true <= 1.3
