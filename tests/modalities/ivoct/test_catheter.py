from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from calcviewer.core.errors import CalcViewerError
from calcviewer.core.pullback import CartesianLayout, PolarLayout
from calcviewer.modalities.ivoct.catheter import find_sheath
from calcviewer.modalities.ivoct.field import find_field
from calcviewer.modalities.ivoct.gold import inverter
from calcviewer.simulation import PullbackSpec, simulate_pullback
from tests.dicom.samples import cross_sections

REAL = Path(__file__).parents[4] / "shared" / "data" / "ivoct-real-001" / "frames"
A_LINES, SAMPLES = 180, 400


def polar_catheter(
    *, radius: float, offset: tuple[float, float] = (0.0, 0.0), frames: int = 9, seed: int = 0
) -> list[NDArray[np.float32]]:
    """Sheath of ``radius`` samples about ``offset`` in a dark lumen, speckled tissue beyond."""
    rng = np.random.default_rng(seed)
    angle = 2 * np.pi * (np.arange(A_LINES) + 0.5) / A_LINES
    sample = np.arange(SAMPLES) + 0.5
    x = sample * np.cos(angle)[:, None] - offset[0]
    y = sample * np.sin(angle)[:, None] - offset[1]
    from_centre = np.hypot(x, y)
    result = []
    for index in range(frames):
        lumen = 150 + 40 * np.cos(angle - 0.7 * index)[:, None]
        level = np.where(sample[None] > lumen, 40 - 0.1 * (sample[None] - lumen), 5.0)
        wall = (from_centre < radius) & (from_centre > 0.8 * radius)
        level = np.where(from_centre < 0.8 * radius, 8.0, np.where(wall, 25.0, level))
        result.append((level + rng.normal(0, 4, level.shape)).astype(np.float32))
    return result


@pytest.mark.parametrize("radius", [45.0, 61.5, 80.0])
@pytest.mark.parametrize("offset", [(0.0, 0.0), (3.0, -2.0)])
def test_polar_sheath(radius: float, offset: tuple[float, float]) -> None:
    sheath = find_sheath(polar_catheter(radius=radius, offset=offset), PolarLayout(180, 400))
    assert sheath.outer_radius_px == pytest.approx(radius, abs=0.6)
    assert sheath.centre_px == pytest.approx(offset, abs=0.4)
    assert sheath.confidence > 0.9


def test_polar_sheath_touching_the_wall_over_a_third() -> None:
    frames = polar_catheter(radius=60)
    for frame in frames:
        frame[:60, 60:] = 38.0
    sheath = find_sheath(frames, PolarLayout(180, 400))
    assert sheath.outer_radius_px == pytest.approx(60, abs=0.8)


@pytest.mark.parametrize("centre", [(159.5, 159.5), (162.0, 157.5)])
def test_cartesian_sheath(centre: tuple[float, float]) -> None:
    frames = cross_sections(9, size=320, sheath_px=32.0, centre=centre)
    layout = CartesianLayout(320, 320, (159.5, 159.5), 153.6)
    sheath = find_sheath(list(frames.astype(np.float32)), layout)
    assert sheath.centre_px == pytest.approx(centre, abs=0.4)
    assert sheath.outer_radius_px == pytest.approx(32.0, abs=0.6)


def test_no_catheter_is_a_clear_error() -> None:
    rng = np.random.default_rng(0)
    frames = [rng.normal(20, 5, (180, 400)).astype(np.float32) for _ in range(9)]
    with pytest.raises(CalcViewerError, match="rings were not found"):
        find_sheath(frames, PolarLayout(180, 400))
    with pytest.raises(CalcViewerError, match="rings were not found"):
        find_sheath([np.zeros((180, 400), np.float32)], PolarLayout(180, 400))


@pytest.mark.parametrize("seed", [1, 4])
def test_simulated_sheath_of_0_45_mm(seed: int) -> None:
    pullback = simulate_pullback(PullbackSpec(seed=seed, frames=60, a_lines=180))
    frames = [pullback.frame(index).intensity for index in range(0, 60, 6)]
    log = [np.log(np.maximum(frame, np.median(frames[0]) * 0.05)) for frame in frames]
    sheath = find_sheath(log, PolarLayout(180, 960))
    assert sheath.outer_radius_px * 0.0052 == pytest.approx(0.45, rel=0.025)


@pytest.mark.skipif(not REAL.is_dir(), reason="the real sequence is not on this machine")
def test_real_sheath_agrees_with_the_console() -> None:
    """The console marks the sheath with cyan arcs of radius 67.9 px about (373.7, 373.8)."""
    paths = sorted(REAL.glob("*.png"))
    frames = [np.asarray(Image.open(path)) for path in paths[::13]]
    field = find_field(frames)
    assert field is not None
    inverse = inverter(frames, field.mask((750, 750)))
    layout = CartesianLayout(750, 750, field.centre_px, field.radius_px)
    sheath = find_sheath([inverse.intensity(frame) for frame in frames], layout)
    assert sheath.outer_radius_px == pytest.approx(67.9, rel=0.015)
    assert np.hypot(*np.subtract(sheath.centre_px, (373.7, 373.8))) < 3
    assert field.centre_px == pytest.approx((373.7, 373.8), abs=1.0)


def test_pictures_too_small_for_a_catheter_are_a_clear_error() -> None:
    with pytest.raises(CalcViewerError) as raised:
        find_sheath([np.zeros((6, 6), np.float32)], PolarLayout(6, 6))
    assert raised.value.hint
