"""Distances from the mouse, in targets of comfortable size."""

from __future__ import annotations

import numpy as np
import pytest

from calcviewer.gui.tools.reach import reaches_to
from calcviewer.gui.tools.tool import Pointer


def test_a_target_is_round_in_the_cross_section() -> None:
    line = np.array([[0.0, 0.0], [2.0, 0.0]])

    assert reaches_to(line, Pointer((1.0, 0.3), 0.2)) == pytest.approx(1.5)
    assert reaches_to(line, Pointer((2.3, 0.4), 0.5)) == pytest.approx(1.0)
    assert reaches_to(line[:1], Pointer((0.0, 0.1), 0.2)) == pytest.approx(0.5)


def test_a_ring_is_closed() -> None:
    corners = np.array([[0.0, 0.0], [2.0, 0.0], [2.0, 2.0]])
    pointer = Pointer((1.0, 1.0), 0.1)

    assert reaches_to(corners, pointer) == pytest.approx(10.0)
    assert reaches_to(corners, pointer, ring=True) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("angle_deg", [0.0, 90.0, 200.0])
def test_a_target_is_wide_in_angle_in_the_polar_view(angle_deg: float) -> None:
    radial = np.array([2.0, 3.0])[:, None] * _direction(angle_deg)
    beside = Pointer(tuple(2.5 * _direction(angle_deg + 6)), 0.1, reach_deg=12.0)
    before = Pointer(tuple(1.95 * _direction(angle_deg)), 0.1, reach_deg=12.0)

    assert reaches_to(radial, beside) == pytest.approx(0.5)
    assert reaches_to(radial, before) == pytest.approx(0.5)


def test_through_theta_0_it_is_as_near_as_elsewhere() -> None:
    across = np.stack([2.0 * _direction(angle) for angle in range(350, 371)])

    for angle in (355.0, 5.0):
        pointer = Pointer(tuple(2.1 * _direction(angle)), 0.1, reach_deg=10.0)
        assert reaches_to(across, pointer) == pytest.approx(1.0, abs=0.01)
    end = Pointer(tuple(2.0 * _direction(340.0)), 0.1, reach_deg=10.0)
    assert reaches_to(across, end) == pytest.approx(1.0, abs=0.01)


def _direction(angle_deg: float) -> np.ndarray:
    return np.array([np.cos(np.deg2rad(angle_deg)), np.sin(np.deg2rad(angle_deg))])
