"""A border held by points: they move it, stay on it, and can be added and removed."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from calcviewer.core.contour import Contour
from calcviewer.core.editing.border import nearest_on
from calcviewer.core.editing.border_points import (
    handles,
    held_by,
    point_added,
    point_moved,
    point_removed,
)
from calcviewer.core.geometry import to_polar, to_xy
from tests.editing_scenes import wavy

CIRCLE = Contour(to_xy(np.arange(0, 360, 2.0), np.full(180, 2.0)))
FOUR = to_xy(np.array([0.0, 90.0, 180.0, 270.0]), np.full(4, 2.0))


def radius_at(contour: Contour, angle_deg: float) -> float:
    ray = shapely.LineString([(0, 0), to_xy(np.array(angle_deg), np.array(9.0))])
    return float(shapely.length(ray.intersection(contour.polygon)))


def place_of(point: np.ndarray) -> tuple[float, float]:
    angle, radius = to_polar(point)
    return float(angle), float(radius)


def test_few_handles_describe_the_border():
    contour = wavy(1.5, (0.2, 0.1), (0.06, 0.06), 20)
    points = handles(contour)
    assert 4 <= len(points) <= 30
    assert max(nearest_on(contour, tuple(p))[0] for p in points) < 1e-9
    assert len(handles(contour, 0.005)) > len(points)


def test_a_point_moves_the_border_up_to_its_neighbours() -> None:
    moved = point_moved(CIRCLE, FOUR, 0, (2.5, 0.0))

    assert radius_at(moved, 0) == pytest.approx(2.5, abs=0.01)
    assert 2.05 < radius_at(moved, 45) < 2.45
    for angle in (91, 180, 268):
        assert radius_at(moved, angle) == pytest.approx(2.0, abs=0.002)
    assert point_moved(CIRCLE, FOUR, 0, (2.0, 0.0)) is CIRCLE


def test_a_new_point_leaves_the_shape_and_holds_it() -> None:
    contour, all_points, index = point_added(CIRCLE, FOUR, (2.1, 2.1))

    assert contour is not CIRCLE
    assert contour.polygon.symmetric_difference(CIRCLE.polygon).area < 1e-9
    assert place_of(all_points[index]) == pytest.approx((45.0, 2.0), abs=0.01)
    moved = point_moved(contour, all_points, 0, (2.5, 0.0))
    assert radius_at(moved, 46) == pytest.approx(2.0, abs=0.002)
    assert radius_at(moved, 315) > 2.05


def test_without_a_point_the_border_runs_smoothly_past_it() -> None:
    bulged = point_moved(CIRCLE, FOUR, 0, (2.5, 0.0))
    held = held_by(bulged, np.array([[2.5, 0.0], *FOUR[1:]]), 0)

    rest = point_removed(bulged, held, 0)

    assert radius_at(rest, 0) < 2.2
    assert rest.polygon.is_valid
    three = np.delete(held, 1, axis=0)
    assert point_removed(bulged, three, 0) is bulged  # a border needs three


def test_points_that_came_off_the_border_are_dropped() -> None:
    off = np.array([*FOUR, [1.5, 1.5]])

    assert len(held_by(CIRCLE, off)) == 4
    assert len(held_by(CIRCLE, off, 4)) == 5
    assert held_by(CIRCLE, np.empty((0, 2))).shape == (0, 2)
