"""Back borders of calcium that cannot be seen: analytic phantoms and simulated pullbacks."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from calcviewer.core.annotation import Label
from calcviewer.core.geometry import Arc
from calcviewer.modalities.ivoct.preprocess import MODEL_GRID, preprocess
from calcviewer.modalities.ivoct.visibility import hidden_back_sectors
from calcviewer.simulation import PullbackSpec, simulate_pullback

FIELD_MM = 4.0
LUMEN_MM = 1.0
FRONT_MM = 1.2
ANGLES_DEG = MODEL_GRID.angles_deg()
RADII_MM = MODEL_GRID.radii_mm()


def phantom(
    calcium: Arc, dark: Arc | None, *, back_mm: float = 1.8
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Wall with calcium; behind it tissue follows, but not in the sector ``dark``."""
    power = np.where(RADII_MM > LUMEN_MM, 1e3 * np.exp(-2 * (RADII_MM - LUMEN_MM)), 0.0)
    power = np.repeat(power[None], 480, axis=0)
    inside = calcium.contains(ANGLES_DEG)[:, None] & (RADII_MM > FRONT_MM) & (RADII_MM < back_mm)
    power[inside] /= 10
    if dark is not None:
        power[dark.contains(ANGLES_DEG)[:, None] & (RADII_MM > 1.5)] = 0.0
    speckle = np.random.default_rng(3).exponential(size=MODEL_GRID.shape)
    image = preprocess(
        (power + 1.0) * speckle, grid=MODEL_GRID, log=False, field_radius_mm=FIELD_MM
    )
    return image, inside


@pytest.mark.validation
@pytest.mark.parametrize("start_deg", [20.0, 340.0])
def test_edges_of_a_hidden_back_border(start_deg: float) -> None:
    calcium = Arc(start_deg, 90.0)
    dark = Arc(start_deg + 20, 40.0)
    (found,) = hidden_back_sectors(*phantom(calcium, dark), field_radius_mm=FIELD_MM)
    assert abs((found.start_deg - dark.start_deg + 180) % 360 - 180) < 2.5
    assert abs((found.end_deg - dark.end_deg + 180) % 360 - 180) < 2.5


def test_visible_back_border() -> None:
    image, calcium = phantom(Arc(340.0, 90.0), None)
    assert hidden_back_sectors(image, calcium, field_radius_mm=FIELD_MM) == ()


def test_no_calcium() -> None:
    image, calcium = phantom(Arc(340.0, 90.0), Arc(0.0, 360.0))
    nothing = np.zeros_like(calcium)
    assert hidden_back_sectors(image, nothing, field_radius_mm=FIELD_MM) == ()


def test_only_calcium_counts() -> None:
    calcium, dark = Arc(100.0, 30.0), Arc(80.0, 70.0)
    (found,) = hidden_back_sectors(*phantom(calcium, dark), field_radius_mm=FIELD_MM)
    assert abs(found.start_deg - 100) < 1
    assert abs(found.end_deg - 130) < 1


def test_slivers_are_dropped() -> None:
    image, calcium = phantom(Arc(100.0, 60.0), Arc(120.0, 1.2))
    assert hidden_back_sectors(image, calcium, field_radius_mm=FIELD_MM) == ()


def test_calcium_all_the_way_round() -> None:
    image, calcium = phantom(Arc(0.0, 360.0), Arc(0.0, 360.0))
    (found,) = hidden_back_sectors(image, calcium, field_radius_mm=FIELD_MM)
    assert found.extent_deg == 360


def test_calcium_cut_by_the_field() -> None:
    field_mm = 1.6
    image, calcium = phantom(Arc(200.0, 50.0), None)
    (found,) = hidden_back_sectors(image, calcium, field_radius_mm=field_mm)
    assert abs(found.start_deg - 200) < 1
    assert abs(found.end_deg - 250) < 1


def test_shapes_are_checked() -> None:
    with pytest.raises(ValueError, match=r"must have shape \(480, 960\)"):
        hidden_back_sectors(
            np.zeros((480, 960), dtype=np.float32), np.zeros((2, 2), dtype=bool), field_radius_mm=2
        )


@pytest.mark.slow
def test_simulated_pullbacks() -> None:
    said, true = [], []
    for seed in (903, 911, 912):
        spec = PullbackSpec(seed=seed, calcium=1.0)
        pullback = simulate_pullback(spec, frames=range(20, 540, 90))
        for frame in pullback:
            image = preprocess(
                frame.intensity,
                grid=MODEL_GRID,
                log=False,
                field_radius_mm=pullback.field_radius_mm,
            )
            calcium = frame.labels == Label.CALCIUM
            crossed = calcium.any(axis=1)
            field_mm = min(pullback.field_radius_mm, MODEL_GRID.end_radius_mm)
            found = hidden_back_sectors(image, calcium, field_radius_mm=field_mm)
            lost = [Arc(start, (end - start) % 360 or 360.0) for start, end in frame.back_lost]
            said.append(_covered(found)[crossed])
            true.append(_covered(lost)[crossed])
    hidden, lost_lines = np.concatenate(said), np.concatenate(true)
    assert lost_lines.sum() > 100
    assert hidden[lost_lines].mean() > 0.8
    assert hidden[~lost_lines].mean() < 0.1


def _covered(sectors: tuple[Arc, ...] | list[Arc]) -> NDArray[np.bool_]:
    covered = np.zeros(480, dtype=bool)
    for sector in sectors:
        covered |= sector.contains(ANGLES_DEG)
    return covered
