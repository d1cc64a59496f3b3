"""Overlay geometry: plain arrays, no window."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from calcviewer.core.annotation import FrameAnnotation
from calcviewer.core.contour import Contour
from calcviewer.core.geometry import Arc, to_xy
from calcviewer.gui.views.overlay import (
    beyond_lumen,
    borders,
    frame_overlay,
    goes_round,
    polar_borders,
    polar_region,
    ray_to_rim,
    seen_between,
    shadow_wedges,
    span_within,
    unrolled,
)

Points = NDArray[np.float64]
REACH_MM = 4.0


def circle(radius_mm: float, centre: tuple[float, float] = (0.0, 0.0), points: int = 360) -> Points:
    angles = np.arange(points) * 360.0 / points
    return to_xy(angles, np.full(points, radius_mm)) + centre


def sector_ring(start_deg: float, extent_deg: float, front_mm: float, back_mm: float) -> Points:
    angles = start_deg + np.linspace(0, extent_deg, 90)
    front, back = np.full(90, front_mm), np.full(90, back_mm)
    return np.concatenate([to_xy(angles, front), to_xy(angles[::-1], back)])


def even_odd_area(lines: list[Points]) -> float:
    """Area in degrees x mm that even-odd filling covers: nested rings cancel."""
    covered = shapely.Polygon()
    for line in lines:
        covered = covered.symmetric_difference(shapely.Polygon(line).buffer(0))
    return float(covered.area)


def test_the_overlay_needs_no_qt() -> None:
    check = (
        "import sys, calcviewer.gui.views.overlay;"
        "sys.exit(any('PySide6' in name or 'pyqtgraph' in name for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0


def test_a_straight_edge_is_a_curve_in_the_polar_view() -> None:
    line = np.array([[1.0, -1.0], [1.0, 1.0]])  # x = 1: r = 1 / cos(angle), through the seam

    angle, radius = unrolled(line).T

    assert (angle[0], angle[-1]) == pytest.approx((315.0, 405.0))
    assert np.diff(angle).max() <= 1 + 1e-9
    assert radius == pytest.approx(1 / np.cos(np.deg2rad(angle)), abs=1e-9)


def test_a_radial_edge_stays_two_points() -> None:
    assert len(unrolled(np.array([[0.0, 1.0], [0.0, 3.0]]))) == 2


@given(
    st.lists(
        # Whole micrometres: what lies nearer together than floats can tell is no line.
        st.tuples(*[st.integers(-4000, 4000).map(lambda um: um / 1000)] * 2).filter(
            lambda p: np.hypot(*p) > 0.01
        ),
        min_size=2,
        max_size=8,
    )
)
@settings(max_examples=60, deadline=None)
def test_unrolled_lines_lie_on_the_line_and_do_not_jump(corners: list[tuple[float, float]]) -> None:
    line = np.array(corners)

    points = unrolled(line)

    back = to_xy(points[:, 0], points[:, 1])
    assert shapely.distance(shapely.LineString(line), shapely.points(back)).max() < 1e-6
    assert np.allclose(back[[0, -1]], line[[0, -1]], atol=1e-9)
    assert 0 <= points[0, 0] < 360
    assert np.abs(np.diff(points[:, 0])).max(initial=0.0) <= 1 + 1e-9


@pytest.mark.parametrize("direction", [1, -1])
@pytest.mark.parametrize("begin", [0, 1, 200])
def test_a_lumen_round_the_catheter_runs_from_0_to_360(direction: int, begin: int) -> None:
    centre = (0.4, -0.3)
    ring = np.roll(circle(1.5, centre), -begin, axis=0)[::direction]

    (line,) = polar_borders(Contour(ring))

    assert goes_round(line)
    assert (line[0, 0], line[-1, 0]) == pytest.approx((0.0, 360.0), abs=1e-9)
    assert line[0, 1] == pytest.approx(line[-1, 1])
    assert np.all(np.diff(line[:, 0]) > -1e-9)
    away = np.hypot(*(to_xy(line[:, 0], line[:, 1]) - centre).T)
    assert away == pytest.approx(1.5, abs=1e-4)


@pytest.mark.validation
def test_regions_fill_what_the_contour_encloses() -> None:
    lumen = even_odd_area(polar_region(Contour(circle(1.5, points=3600))))
    ring = Contour(circle(2.5, points=3600), (circle(2.0, points=3600)[::-1],))
    deposit = Contour(sector_ring(330, 60, 1.7, 2.3))

    assert lumen == pytest.approx(360 * 1.5, rel=1e-4)
    assert even_odd_area(polar_region(ring)) == pytest.approx(360 * 0.5, rel=1e-3)
    assert even_odd_area(polar_region(deposit)) == pytest.approx(60 * 0.6, rel=1e-3)


def test_a_deposit_through_the_seam_is_one_piece_seen_on_both_sides() -> None:
    (line,) = polar_borders(Contour(sector_ring(330, 60, 1.7, 2.3)))

    assert not goes_round(line)
    assert (line[:, 0].min(), line[:, 0].max()) == pytest.approx((330.0, 390.0))
    seen = seen_between([line], 0.0, 360.0)
    assert [(one[:, 0].min(), one[:, 0].max()) for one in seen] == [
        pytest.approx((-30.0, 30.0)),
        pytest.approx((330.0, 390.0)),
    ]
    assert len(seen_between([line], 200.0, 560.0)) == 1
    assert len(seen_between([line], 40.0, 320.0)) == 0


def test_lines_that_only_touch_the_window_are_left_out() -> None:
    turn = np.array([[0.0, 1.0], [360.0, 1.0]])

    assert len(seen_between([turn], 0.0, 360.0)) == 1
    assert len(seen_between([turn], 90.0, 450.0)) == 2


@pytest.mark.validation
@pytest.mark.parametrize(("start", "extent"), [(100.0, 25.0), (350.0, 30.0), (10.0, 200.0)])
def test_a_shadow_runs_from_the_lumen_border_to_the_rim(start: float, extent: float) -> None:
    lumen = Contour(circle(1.5, points=3600))

    wedges = shadow_wedges([Arc(start, extent)], lumen, REACH_MM)

    area = sum(wedge.area_mm2 for wedge in wedges)
    assert area == pytest.approx(np.pi * (16 - 1.5**2) * extent / 360, rel=5e-3)
    radius = np.hypot(*np.concatenate([wedge.points_mm for wedge in wedges]).T)
    assert radius.min() > 1.49
    assert radius.max() == pytest.approx(REACH_MM)


def test_a_shadow_without_a_lumen_begins_at_the_catheter() -> None:
    (wedge,) = shadow_wedges([Arc(0.0, 90.0)], None, REACH_MM)

    assert wedge.area_mm2 == pytest.approx(np.pi * 16 / 4, rel=5e-3)


def test_a_shadow_all_round_leaves_the_lumen_open() -> None:
    (wedge,) = shadow_wedges([Arc(0.0, 360.0)], Contour(circle(1.5)), REACH_MM)

    assert len(wedge.holes_mm) == 1


@pytest.mark.parametrize("angle", [0.0, 77.0, 180.0, 301.0])
def test_bounding_rays_end_at_the_rim(angle: float) -> None:
    origin = (0.7, -0.4)

    start, end = ray_to_rim(origin, angle, REACH_MM)

    assert tuple(start) == origin
    assert np.hypot(*end) == pytest.approx(REACH_MM)
    assert np.rad2deg(np.arctan2(*(end - start)[::-1])) % 360 == pytest.approx(angle, abs=1e-9)


def test_the_polar_view_shows_rays_beyond_the_lumen() -> None:
    ray = ray_to_rim((0.2, 0.1), 30.0, REACH_MM)

    start, end = beyond_lumen(ray, Contour(circle(1.5, points=3600)))

    assert np.hypot(*start) == pytest.approx(1.5, abs=1e-4)
    assert end == pytest.approx(ray[1])


def test_a_frame_has_rays_only_for_an_arc_that_ends() -> None:
    annotation = FrameAnnotation(
        lumen=Contour(circle(1.5, (0.3, 0.0))), guidewires=(Arc(40.0, 20.0),)
    )

    open_arc = frame_overlay(annotation, arc=Arc(10.0, 120.0), reach_mm=REACH_MM)

    assert open_arc.centroid_mm == pytest.approx((0.3, 0.0), abs=1e-9)
    assert len(open_arc.rays_mm) == 2
    assert len(open_arc.shadows) == 1
    assert frame_overlay(annotation, arc=Arc(0.0, 360.0), reach_mm=REACH_MM).rays_mm == ()
    assert frame_overlay(annotation, reach_mm=REACH_MM).rays_mm == ()
    assert frame_overlay(FrameAnnotation(), arc=Arc(0, 9), reach_mm=REACH_MM).centroid_mm is None


def test_borders_are_closed() -> None:
    (line,) = borders(Contour(circle(1.0)))

    assert np.array_equal(line[0], line[-1])


def test_span_within_a_rectangle() -> None:
    size = (200.0, 100.0)

    assert span_within((100, 50), (1, 0), size, margin=10) == pytest.approx((-90, 90))
    assert span_within((100, 50), (0, -1), size, margin=10) == pytest.approx((-40, 40))
    assert span_within((-50, 50), (1, 0), size, margin=10) == pytest.approx((60, 240))
    assert span_within((100, -50), (1, 0), size, margin=10) is None


def test_the_eel_is_drawn_where_there_is_one() -> None:
    eel = Contour(circle(3.0))

    assert frame_overlay(FrameAnnotation(), reach_mm=REACH_MM).eel is None
    assert frame_overlay(FrameAnnotation(eel=eel), reach_mm=REACH_MM).eel is eel
