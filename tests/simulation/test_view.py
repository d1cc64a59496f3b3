"""Displayed and true coordinates are inverse to each other."""

from __future__ import annotations

import numpy as np
import pytest

from calcviewer.simulation.catheter import draw_catheter, view_of, wire_image


@pytest.mark.parametrize("seed", range(6))
def test_shown_angle_inverts_actual_angle(seed: int) -> None:
    view = view_of(draw_catheter(np.random.default_rng(seed), wires=1), z_mm=4.2, jitter_rad=0.02)
    shown = np.linspace(0.001, 2 * np.pi - 0.001, 500)
    actual = view.actual_angle(shown)
    assert np.all(np.diff(actual) > 0)
    assert view.shown_angle(actual) == pytest.approx(shown, abs=1e-6)
    assert view.shown_angle(actual + 2 * np.pi) == pytest.approx(shown, abs=1e-6)


def test_seam_is_the_only_step() -> None:
    view = view_of(draw_catheter(np.random.default_rng(3), wires=0), z_mm=1.0, jitter_rad=0.0)
    angles = view.seam_angle_rad + np.linspace(1e-6, 2 * np.pi - 1e-6, 300)
    shift = view.radial_shift_mm(angles)
    assert shift[-1] - shift[0] == pytest.approx(view.seam_step_mm, rel=1e-4)
    assert np.abs(np.diff(shift)).max() <= abs(view.seam_step_mm) / 290 + 1e-9


def test_wire_is_a_crescent_with_a_shadow_of_its_own_width() -> None:
    wire = draw_catheter(np.random.default_rng(1), wires=1).wires[0]
    lines = (np.arange(720) + 0.5) * np.pi / 360
    radius = ((np.arange(600) + 0.5) * 0.005).astype(np.float32)
    image = wire_image(
        wire, angle_rad=1.0, distance_mm=1.0, line_angles_rad=lines, radius_mm=radius
    )
    half_deg = np.degrees(np.arcsin(0.18)) * wire.widening
    assert image.shadow.sum() * 0.5 == pytest.approx(2 * half_deg, abs=1.0)
    centre = int(np.degrees(1.0) * 2)
    surface = radius[np.argmax(image.power[centre])]
    assert surface == pytest.approx(1.0 - 0.18 + wire.depth_mm, abs=0.01)
    assert image.passing[centre, -1] < 1e-4
    assert image.passing[(centre + 360) % 720].min() == 1.0
