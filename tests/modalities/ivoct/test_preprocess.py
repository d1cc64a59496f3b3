"""Preprocessing: one scale and one grid, whatever the source."""

from __future__ import annotations

import numpy as np
import pytest

from calcviewer.core.errors import CalcViewerError
from calcviewer.core.geometry import PolarGrid, centred_grid, resample
from calcviewer.modalities.ivoct.preprocess import MODEL_GRID, model_frame, preprocess
from tests.phantoms import GRID, make_pullback


def wall(grid: PolarGrid = MODEL_GRID) -> np.ndarray:
    """Return a bright wall from 1.5 to 2.2 mm that is nearer on one side, in decibels."""
    angle = np.deg2rad(grid.angles_deg())[:, None]
    radius = grid.radii_mm()[None, :]
    border = 1.5 + 0.3 * np.cos(angle)
    return np.where((radius > border) & (radius < border + 0.7), 40.0, 5.0).astype(np.float32)


def test_grid_and_range() -> None:
    image = preprocess(wall(), grid=MODEL_GRID, log=True)
    assert image.shape == (480, 960)
    assert image.dtype == np.float32
    assert image.min() == 0
    assert image.max() == 1


def test_gain_and_range_of_the_console_do_not_matter() -> None:
    image = preprocess(wall(), grid=MODEL_GRID, log=True)
    np.testing.assert_allclose(
        preprocess(3 * wall() + 17, grid=MODEL_GRID, log=True), image, atol=1e-5
    )


def test_linear_intensity_gives_what_its_logarithm_gives() -> None:
    logarithmic = preprocess(wall(), grid=MODEL_GRID, log=True)
    linear = preprocess(10 ** (wall() / 10), grid=MODEL_GRID, log=False)
    np.testing.assert_allclose(linear, logarithmic, atol=1e-4)


def test_theta_is_a_circle() -> None:
    rng = np.random.default_rng(0)
    values = rng.random(MODEL_GRID.shape, dtype=np.float32)
    rolled = preprocess(np.roll(values, 120, axis=0), grid=MODEL_GRID, log=True)
    # Percentiles are taken on every third A-line, which a roll by 120 maps onto itself.
    np.testing.assert_allclose(
        rolled, np.roll(preprocess(values, grid=MODEL_GRID, log=True), 120, axis=0), atol=1e-6
    )


@pytest.mark.parametrize("a_lines", [360, 504])
def test_other_polar_grids_and_cartesian_frames_agree(a_lines: int) -> None:
    expected = preprocess(wall(), grid=MODEL_GRID, log=True, field_radius_mm=4.0)
    polar = PolarGrid(a_lines, 700, 0.0072)
    from_polar = preprocess(wall(polar), grid=polar, log=True, field_radius_mm=4.0)
    cartesian = centred_grid(1024, 4.0)
    picture = resample(wall(), MODEL_GRID, cartesian)
    from_cartesian = preprocess(picture, grid=cartesian, log=True, field_radius_mm=4.0)
    for image in (from_polar, from_cartesian):
        assert np.mean(np.abs(image - expected)) < 0.01


def test_beyond_the_field_is_black_and_its_edge_no_structure() -> None:
    image = preprocess(wall() + 100, grid=MODEL_GRID, log=True, field_radius_mm=2.6)
    beyond = MODEL_GRID.radii_mm() > 2.6
    assert not image[:, beyond].any()


def test_constant_and_zero_frames_give_numbers() -> None:
    for value in (0.0, 7.0):
        for log in (True, False):
            frame = np.full(MODEL_GRID.shape, value, dtype=np.float32)
            assert np.isfinite(preprocess(frame, grid=MODEL_GRID, log=log)).all()


def test_values_that_are_no_numbers_are_refused() -> None:
    values = np.zeros((2, *GRID.shape), dtype=np.float32)
    values[1, 5, 5] = np.nan
    pullback = make_pullback(2, values=values)
    assert model_frame(pullback, 0).shape == MODEL_GRID.shape
    with pytest.raises(CalcViewerError, match="Frame 2 holds values that are not numbers"):
        model_frame(pullback, 1)
