"""Pulling and redrawing one border."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from calcviewer.core.editing import border
from calcviewer.core.geometry import to_xy
from tests.editing_scenes import circle

ROUND = circle(1.5)


def radius_at(contour, angle_deg: float) -> float:
    ray = shapely.LineString([(0, 0), to_xy(np.array(angle_deg), np.array(9.0))])
    return float(shapely.length(ray.intersection(contour.polygon)))


def test_nearest_point_of_the_border():
    distance, point = border.nearest_on(ROUND, (2.0, 0.0))
    assert distance == pytest.approx(0.5, abs=1e-3)
    assert point == pytest.approx((1.5, 0.0), abs=1e-2)


@pytest.mark.parametrize("angle", [0.0, 0.3, 123.4, 359.9])
@pytest.mark.parametrize("reach", [-0.4, 0.02, 0.5])
def test_the_grabbed_point_follows_the_pointer_exactly(angle, reach):
    _, grab = border.nearest_on(ROUND, tuple(to_xy(np.array(angle), np.array(1.5))))
    to = to_xy(np.array(angle), np.array(1.5 + reach))
    made = border.pulled(ROUND, grab, tuple(to), radius_mm=0.3)
    assert border.nearest_on(made, tuple(to))[0] < 1e-9


def test_the_fall_off_is_a_gaussian_of_the_way_along_the_border():
    made = border.pulled(ROUND, (1.5, 0.0), (1.7, 0.0), radius_mm=0.3)
    for way_mm in (0.15, 0.3, 0.6):
        angle = np.rad2deg(way_mm / 1.5)
        chord = 3 * np.sin(way_mm / 3)
        expected = 0.2 * np.exp(-0.5 * (chord / 0.3) ** 2)
        for side in (angle, -angle):
            at = to_xy(np.array(side), np.array(1.5)) + np.array([expected, 0])
            assert border.nearest_on(made, tuple(at))[0] < 2e-3
    assert radius_at(made, 180.0) == pytest.approx(radius_at(ROUND, 180.0))


def test_far_points_do_not_move_at_all():
    made = border.pulled(ROUND, (1.5, 0.0), (1.7, 0.0), radius_mm=0.2)
    far = ROUND.points_mm[ROUND.points_mm[:, 0] < 0.5]
    kept = {tuple(point) for point in made.points_mm}
    assert all(tuple(point) in kept for point in far)


def test_no_move_is_the_same_object():
    assert border.pulled(ROUND, (1.5, 0.0), (1.5, 0.0), radius_mm=0.3) is ROUND


def test_points_are_added_where_the_border_is_stretched():
    coarse = circle(1.5)
    made = border.pulled(coarse, (1.5, 0.0), (3.5, 0.0), radius_mm=0.15)
    step = np.hypot(*(np.roll(made.points_mm, -1, axis=0) - made.points_mm).T)
    assert step.max() < 0.1
    assert len(made.points_mm) > len(coarse.points_mm)


def test_a_border_pulled_over_the_catheter_stops_before_it():
    made = border.pulled(ROUND, (1.5, 0.0), (-1.0, 0.0), radius_mm=0.3)
    catheter = shapely.Point(0, 0)
    assert made.polygon.is_valid
    assert made.polygon.contains(catheter)
    assert made.polygon.exterior.distance(catheter) < 0.1


def test_a_border_pushed_through_its_other_side_loses_what_it_pushed_out():
    off_centre = circle(0.5, (1.0, 0.0))  # a deposit: no catheter inside
    made = border.pulled(off_centre, (1.5, 0.0), (0.2, 0.0), radius_mm=0.3)
    assert made.polygon.is_valid
    assert made.area_mm2 < off_centre.area_mm2
    assert made.polygon.difference(off_centre.polygon).area < 0.01


def test_a_stroke_replaces_the_shorter_way():
    angle = np.linspace(-40, 40, 60)
    made = border.redrawn(ROUND, to_xy(angle, np.full(60, 1.8)))
    assert radius_at(made, 0) == pytest.approx(1.8, abs=0.01)
    assert radius_at(made, 180) == pytest.approx(1.5, abs=1e-3)
    assert made.area_mm2 == pytest.approx(ROUND.area_mm2 + 80 / 360 * np.pi * 0.99, rel=0.02)


@pytest.mark.parametrize("turn", [0.0, 90.0, 200.0])
def test_a_stroke_may_run_either_way(turn):
    angle = np.linspace(-40, 40, 60) + turn
    stroke = to_xy(angle, 1.5 + 0.3 * np.sin(np.linspace(0, np.pi, 60)))
    one, other = border.redrawn(ROUND, stroke), border.redrawn(ROUND, stroke[::-1])
    assert one.polygon.symmetric_difference(other.polygon).area < 1e-6
    assert one.area_mm2 > ROUND.area_mm2


def test_ends_that_stick_out_are_cut_off():
    stroke = np.linspace((1.2, -1.3), (1.2, 1.3), 60)  # a chord, drawn too far at both ends
    made = border.redrawn(ROUND, stroke)
    assert made.polygon.difference(ROUND.polygon).area < 1e-3
    half = np.arccos(1.2 / 1.5)
    segment = 1.5**2 / 2 * (2 * half - np.sin(2 * half))
    assert made.area_mm2 == pytest.approx(ROUND.area_mm2 - segment, rel=0.01)


def test_a_stroke_along_the_longer_way_replaces_that():
    angle = np.linspace(-110, 110, 200)
    made = border.redrawn(ROUND, to_xy(angle, np.full(200, 1.7)))
    assert radius_at(made, 0) == pytest.approx(1.7, abs=0.01)
    assert radius_at(made, 180) == pytest.approx(1.5, abs=1e-3)


def test_a_stroke_all_the_way_round_is_the_new_border():
    angle = np.linspace(0, 355, 300)
    made = border.redrawn(ROUND, to_xy(angle, np.full(300, 1.7)))
    assert made.area_mm2 == pytest.approx(np.pi * 1.7**2, rel=0.01)


@pytest.mark.parametrize("stroke", [[(1.5, 0.0)], [(1.5, 0.0)] * 5])
def test_a_stroke_of_one_point_changes_nothing(stroke):
    assert border.redrawn(ROUND, np.array(stroke)) is ROUND
