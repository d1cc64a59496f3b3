"""Light: attenuation, speckle and noise against their theory."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from calcviewer.simulation.optics import (
    Optics,
    depth_response,
    detect,
    draw_optics,
    speckle_field,
    transmission,
)

SPACING_MM = 0.0052
RADIUS_MM = ((np.arange(960) + 0.5) * SPACING_MM).astype(np.float32)


def _speckle(optics: Optics) -> NDArray[np.complex64]:
    return speckle_field(
        np.random.default_rng(2),
        optics,
        shape=(480, 960),
        radius_mm=RADIUS_MM,
        sample_spacing_mm=SPACING_MM,
    )


def _correlation(intensity: NDArray[np.float32], lag: int, axis: int) -> float:
    moved = np.roll(intensity, lag, axis=axis)
    return float(np.corrcoef(intensity.ravel(), moved.ravel())[0, 1])


def test_transmission_is_beer_lambert() -> None:
    mu_t = np.full((2, 960), 2.5, dtype=np.float32)
    passed = transmission(mu_t, sample_spacing_mm=SPACING_MM)
    assert passed[0] == pytest.approx(np.exp(-2 * 2.5 * RADIUS_MM), rel=1e-3)


def test_response_is_best_near_the_focus() -> None:
    optics = draw_optics(np.random.default_rng(1))
    response = depth_response(optics, RADIUS_MM)
    assert 0 < response.min() <= response.max() <= 1
    assert RADIUS_MM[np.argmax(response)] <= optics.focus_mm


def test_speckle_has_unit_mean_and_contrast_one() -> None:
    intensity = np.abs(_speckle(draw_optics(np.random.default_rng(1)))) ** 2
    assert intensity.mean() == pytest.approx(1.0, abs=0.01)
    assert intensity.std() == pytest.approx(1.0, abs=0.05)


def test_speckle_grain_has_the_axial_resolution() -> None:
    optics = draw_optics(np.random.default_rng(3))
    intensity = np.abs(_speckle(optics)) ** 2
    lag_px = 2
    sigma_mm = optics.axial_mm / 2.355
    expected = np.exp(-((lag_px * SPACING_MM) ** 2) / (2 * sigma_mm**2))
    assert _correlation(intensity, lag_px, axis=1) == pytest.approx(expected, abs=0.05)


def test_speckle_grain_keeps_its_width_in_mm_across_lines() -> None:
    """Nearer to the catheter one spot covers more A-lines."""
    intensity = np.abs(_speckle(draw_optics(np.random.default_rng(4)))) ** 2
    near, far = intensity[:, 100:160], intensity[:, 600:660]
    assert _correlation(near, 2, axis=0) > _correlation(far, 2, axis=0) + 0.1


def test_speckle_closes_over_the_circle() -> None:
    field = _speckle(draw_optics(np.random.default_rng(5)))[:, 60:100]
    seam = np.abs(field[0] - field[-1]).mean()
    inner = np.abs(np.diff(field, axis=0)).mean()
    assert seam < 2 * inner


def test_detection_adds_noise_power() -> None:
    optics = draw_optics(np.random.default_rng(6))
    dark = np.zeros((480, 960), dtype=np.float32)
    detected = detect(
        np.random.default_rng(7),
        scattered=dark + 2.0,
        specular=dark + 0.5,
        field=_speckle(optics),
        noise=0.25,
        smoothing_px=0.0,
    )
    assert detected.mean() == pytest.approx(2.75, rel=0.02)
