"""What free strokes mean: plain geometry."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from calcviewer.core.annotation import FrameAnnotation
from calcviewer.core.contour import Contour
from calcviewer.core.editing.structures import Structure, Target
from calcviewer.core.geometry import to_xy
from calcviewer.gui.tools.strokes import (
    border_part,
    border_under,
    circle_about,
    extended,
    length_of,
    nearest_index,
    point_under,
    redrawing,
    smooth_ring,
    stroke_target,
)
from calcviewer.gui.tools.tool import Pointer

LUMEN = Contour(to_xy(np.arange(0, 360, 2.0), np.full(180, 1.5)))
DEPOSIT = Contour(np.array([[1.8, -0.5], [2.4, -0.5], [2.4, 0.5], [1.8, 0.5]]))
FRAME = FrameAnnotation(LUMEN, (DEPOSIT,))


def test_the_border_under_the_mouse_is_the_nearest_one() -> None:
    assert border_under(FRAME, Pointer((1.6, 0.0), 0.3)) == Target(Structure.LUMEN)
    assert border_under(FRAME, Pointer((1.7, 0.0), 0.3)) == Target(Structure.CALCIUM, 0)
    assert border_under(FRAME, Pointer((0.0, 1.5), 0.3)) == Target(Structure.LUMEN)
    assert border_under(FRAME, Pointer((0.0, 0.0), 0.3)) is None
    assert border_under(FrameAnnotation(), Pointer((0.0, 0.0), 0.3)) is None


def test_targets_of_the_polar_view_are_as_wide_as_they_look() -> None:
    beside = to_xy(np.array(20.0), np.array(2.1))  # the deposit's end is at 13 degrees there
    at = float(beside[0]), float(beside[1])

    assert border_under(FRAME, Pointer(at, 0.2)) is None
    assert border_under(FRAME, Pointer(at, 0.2, reach_deg=8.0)) == Target(Structure.CALCIUM, 0)
    below = to_xy(np.array(359.0), np.array(1.45))
    across = Pointer((float(below[0]), float(below[1])), 0.1, reach_deg=1.0)
    assert border_under(FRAME, across) == Target(Structure.LUMEN)


def test_the_point_under_the_mouse_is_the_nearest_one() -> None:
    points = to_xy(np.array([358.0, 10.0, 90.0]), np.array([2.0, 2.0, 2.0]))
    beside = to_xy(np.array(2.0), np.array(2.05))
    at = float(beside[0]), float(beside[1])

    assert point_under(points, Pointer(at, 0.2)) == 0
    assert point_under(points, Pointer(at, 0.1)) is None
    assert point_under(points, Pointer(at, 0.1, reach_deg=6.0)) == 0  # across theta = 0
    assert point_under(points, Pointer(at, 0.1, reach_deg=3.0)) is None
    assert point_under(np.empty((0, 2)), Pointer(at, 1.0)) is None


def test_a_part_of_a_border() -> None:
    part = border_part(LUMEN, (1.5, 0.0), 0.3)

    assert length_of(part) == pytest.approx(0.6, rel=0.01)
    assert part[len(part) // 2] == pytest.approx((1.5, 0.0), abs=1e-6)
    assert part[0] == pytest.approx(part[-1] * (1, -1), abs=1e-6)  # through the ring's first point
    assert length_of(border_part(LUMEN, (1.5, 0.0), 100.0)) == pytest.approx(
        LUMEN.polygon.exterior.length, rel=0.01
    )


def arc(start: float, end: float, radius: float) -> np.ndarray:
    angles = np.linspace(start, end, 30)
    return to_xy(angles, np.full(30, radius))


def test_a_stroke_over_a_border_counts_between_its_crossings() -> None:
    stroke = np.concatenate([[[0.5, 0.0]], arc(10, 60, 1.7), [[0.2, 0.5]]])

    kept = redrawing(LUMEN, stroke)

    assert np.hypot(*kept[[0, -1]].T) == pytest.approx(1.5, abs=0.01)
    assert np.hypot(*kept[1:-1].T).min() > 1.5 - 0.01


def test_a_stroke_that_crosses_once_loses_its_run_up() -> None:
    begun_inside = np.concatenate([[[1.2, 0.0]], arc(5, 60, 1.7)])

    kept = redrawing(LUMEN, begun_inside)
    assert np.hypot(*kept[0]) == pytest.approx(1.5, abs=0.01)
    assert kept[-1] == pytest.approx(begun_inside[-1])
    kept = redrawing(LUMEN, begun_inside[::-1])
    assert kept[0] == pytest.approx(begun_inside[-1])
    assert np.hypot(*kept[-1]) == pytest.approx(1.5, abs=0.01)


def test_a_stroke_beside_a_border_counts_as_it_is() -> None:
    stroke = arc(10, 60, 1.7)

    assert redrawing(LUMEN, stroke) is stroke


def test_the_border_at_both_ends_is_meant() -> None:
    target, off = stroke_target(FRAME, arc(90, 150, 1.7)) or (None, 0.0)
    assert target == Target(Structure.LUMEN)
    assert off == pytest.approx(0.2, abs=0.01)
    # It begins nearer to the lumen, but ends far beyond it, at the deposit.
    stroke = np.array([[1.62, 0.45], [2.2, 0.6], [2.6, 0.3]])

    found = stroke_target(FRAME, stroke)

    assert found is not None
    assert found[0] == Target(Structure.CALCIUM, 0)
    assert stroke_target(FrameAnnotation(), stroke) is None
    assert stroke_target(FRAME, stroke[:1]) is not None


def test_paths_grow_by_steps() -> None:
    path = np.array([[0.0, 0.0]])

    assert extended(path, Pointer(at_mm=(0.01, 0.0), reach_mm=0.5)) is path
    path = extended(path, Pointer(at_mm=(0.3, 0.4), reach_mm=0.5))

    assert length_of(path) == pytest.approx(0.5)
    assert nearest_index(path, (0.25, 0.4), 0.1) == 1
    assert nearest_index(path, (2.0, 0.0), 0.1) is None
    assert nearest_index(np.empty((0, 2)), (0.0, 0.0), 1.0) is None


def test_a_circle() -> None:
    assert np.hypot(*(circle_about((1.0, 2.0), 0.5) - (1.0, 2.0)).T) == pytest.approx(0.5)


@pytest.mark.parametrize("points", [3, 4, 8])
def test_a_smooth_ring_goes_through_its_points(points: int) -> None:
    clicked = to_xy(np.arange(points) * 360.0 / points, np.full(points, 3.0))

    ring = smooth_ring(clicked)

    assert ring[:: len(ring) // points] == pytest.approx(clicked)
    region = shapely.Polygon(ring)
    assert region.is_valid
    assert region.area > shapely.Polygon(clicked).area
    if points == 8:
        assert region.area == pytest.approx(np.pi * 9, rel=0.02)


def test_uneven_points_make_no_loops() -> None:
    clicked = to_xy(np.array([0.0, 4.0, 8.0, 120.0, 240.0, 300.0]), np.full(6, 3.0))

    assert shapely.Polygon(smooth_ring(clicked)).is_valid


def test_points_clicked_twice_do_no_harm() -> None:
    clicked = to_xy(np.array([0.0, 120.0, 120.0, 240.0]), np.full(4, 3.0))

    assert np.isfinite(smooth_ring(clicked)).all()
