"""Other physics than the fitted one: the same anatomy, seen otherwise."""

from __future__ import annotations

import numpy as np
import pytest

from calcviewer.core.errors import CalcViewerError
from calcviewer.simulation import PullbackSpec, SimulatedFrame, simulate_pullback
from calcviewer.simulation.physics import FITTED, PHYSICS

SEED, FRAMES, FRAME = 31, 20, 10


def frame_under(physics: str) -> SimulatedFrame:
    spec = PullbackSpec(seed=SEED, frames=FRAMES, calcium=1.0, guidewires=0, physics=physics)
    return simulate_pullback(spec).frame(FRAME)


@pytest.fixture(scope="module")
def fitted() -> SimulatedFrame:
    return frame_under(FITTED)


def calcium_contrast_db(frame: SimulatedFrame) -> float:
    """Return how much darker visible calcium is than what else lies within its depths."""
    calcium = frame.labels == 2
    depths = calcium.any(axis=0)
    other = (frame.labels == 0) & depths[None, :] & (frame.intensity > 0)
    levels_db = 10 * np.log10(np.maximum(frame.intensity, 1e-12))
    return float(np.median(levels_db[calcium]) - np.median(levels_db[other]))


@pytest.mark.parametrize("physics", PHYSICS)
def test_the_anatomy_stays_and_the_picture_does_not(physics: str, fitted: SimulatedFrame) -> None:
    other = frame_under(physics)
    np.testing.assert_array_equal(other.lumen_mm, fitted.lumen_mm)
    assert len(other.calcium_mm) == len(fitted.calcium_mm) > 0
    assert not np.array_equal(other.intensity, fitted.intensity)
    assert np.isfinite(other.intensity).all()


def test_calcium_is_pale_or_dark(fitted: SimulatedFrame) -> None:
    pale, dark = frame_under("pale calcium"), frame_under("dark calcium")
    assert calcium_contrast_db(pale) > calcium_contrast_db(fitted) > calcium_contrast_db(dark)


def test_noise_fills_the_lumen(fitted: SimulatedFrame) -> None:
    levels = []
    for frame in (fitted, frame_under("noise")):
        wall = np.percentile(frame.intensity[frame.labels == 0], 99)
        levels.append(np.median(frame.intensity[frame.labels == 1]) / wall)
    assert levels[1] > levels[0]


def test_unknown_physics_is_refused() -> None:
    with pytest.raises(CalcViewerError, match="Unknown physics: magic"):
        PullbackSpec(seed=0, physics="magic")
