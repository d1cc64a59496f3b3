"""Angles and areas, with the mouse in both views."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from calcviewer.core.free_measurement import FreeMeasurement
from calcviewer.core.geometry import to_xy
from calcviewer.core.pullback import CalibratedValue, Origin
from calcviewer.gui.tools.angle import AngleTool
from calcviewer.gui.tools.area import AreaTool
from calcviewer.gui.tools.free_marks import FreeHit, angle_deg, arc_between, area_mm2, dragged
from tests.gui.image_views import turn_wheel
from tests.gui.tool_views import VIEWS, Bench, open_bench

Point = tuple[float, float]
CORNER = ((1.0, 2.0), (1.0, 1.0), (2.0, 1.0))
"""Two arms of a right angle, the vertex between them."""


def round_about(centre: Point, radius_mm: float, degrees: float = 360) -> list[Point]:
    points = to_xy(np.linspace(0, degrees, 61), np.full(61, radius_mm)) + centre
    return [(float(x), float(y)) for x, y in points]


def degrees(tool: AngleTool) -> float:
    """Return the one angle shown; a pixel of the polar view is about a degree."""
    (text,) = texts(tool)
    return float(text.removesuffix("°"))


def texts(tool: AngleTool | AreaTool) -> list[str]:
    return [mark.text for mark in tool.marks() if mark.text]


# Without a window ---------------------------------------------------------------------------------


@pytest.mark.parametrize("turn_deg", [0.0, 75.0, 200.0, 350.0])
@pytest.mark.parametrize("opening_deg", [0.0, 30.0, 90.0, 179.0])
def test_an_angle_is_the_same_however_it_is_turned(turn_deg: float, opening_deg: float) -> None:
    arms = to_xy(np.array([turn_deg, turn_deg + opening_deg]), np.array([1.0, 2.0]))
    points = np.array([arms[0], [0, 0], arms[1]]) + np.array([0.3, -0.7])

    assert angle_deg(points) == pytest.approx(opening_deg)
    assert angle_deg(points[::-1]) == pytest.approx(opening_deg)
    arc = arc_between(points) - points[1]
    assert np.hypot(*arc.T) == pytest.approx(np.full(len(arc), 0.3))


def test_an_area_is_moved_by_its_middle_and_bent_by_its_border() -> None:
    circle = FreeMeasurement("area", np.array(round_about((0.0, 0.0), 1.0)[:-1]))

    moved = dragged(circle, FreeHit(0, 0), (0.0, 0.0), (0.5, 0.2))
    bent = dragged(circle, FreeHit(0), (1.0, 0.0), (1.3, 0.0))

    assert moved.points_mm == pytest.approx(circle.points_mm + np.array([0.5, 0.2]))
    assert bent.points_mm[:, 0].max() == pytest.approx(1.3, abs=0.01)
    assert bent.points_mm[:, 0].min() == pytest.approx(-1.0, abs=0.01)
    assert area_mm2(bent.points_mm) > area_mm2(circle.points_mm)


# Angle --------------------------------------------------------------------------------------------


@pytest.fixture
def angle(qtbot: QtBot) -> tuple[AngleTool, Bench]:
    tool = AngleTool()
    return tool, open_bench(qtbot, tool)


@pytest.mark.parametrize("view", VIEWS)
def test_three_clicks(angle: tuple[AngleTool, Bench], view: str) -> None:
    tool, bench = angle
    said = []
    for place in CORNER:
        bench.hover(view, place)
        said.append(tool.status())
        bench.click(view, place)

    assert degrees(tool) == pytest.approx(90, abs=2)
    assert len(set(said)) == 3
    assert bench.steps() == ["measure angle"]
    bench.session.undo()
    assert tool.marks() == []
    assert not bench.session.study.review.free_measurements


@pytest.mark.parametrize("view", VIEWS)
def test_the_first_arm_by_a_drag_and_the_value_before_the_last_click(
    angle: tuple[AngleTool, Bench], view: str
) -> None:
    tool, bench = angle

    bench.drag(view, *CORNER[:2])
    bench.hover(view, CORNER[2])

    assert degrees(tool) == pytest.approx(90, abs=2)
    assert bench.steps() == []
    bench.click(view, CORNER[2])
    assert bench.steps() == ["measure angle"]


@pytest.mark.parametrize("key", [Qt.Key.Key_Escape, Qt.Key.Key_Undo])
def test_the_last_point_can_be_taken_back(angle: tuple[AngleTool, Bench], key: Qt.Key) -> None:
    tool, bench = angle
    bench.click("section", CORNER[0])
    bench.click("section", (-2.0, -1.0))
    assert tool.wants(key)
    tool.press_key(key)
    bench.click("section", CORNER[1])
    bench.click("section", CORNER[2])

    assert degrees(tool) == pytest.approx(90, abs=2)
    bench.click("section", (-2.0, -1.0))
    tool.press_key(key)
    assert not tool.drawing


@pytest.mark.parametrize("view", VIEWS)
def test_a_point_of_an_angle_is_dragged(angle: tuple[AngleTool, Bench], view: str) -> None:
    tool, bench = angle
    for place in CORNER:
        bench.click("section", place)

    bench.drag(view, CORNER[2], (1.5, 1.7), (2.0, 2.0))

    assert degrees(tool) == pytest.approx(45, abs=2)
    assert bench.steps() == ["measure angle", "move angle"]
    bench.session.undo()
    assert degrees(tool) == pytest.approx(90, abs=2)
    bench.click("section", CORNER[1])
    bench.key(Qt.Key.Key_Delete)
    assert texts(tool) == []
    assert bench.session.undo_label == "remove angle"


def test_a_frame_change_drops_half_an_angle(angle: tuple[AngleTool, Bench]) -> None:
    tool, bench = angle
    bench.click("section", CORNER[0])
    bench.click("section", CORNER[1])

    turn_wheel(bench.views["section"], -120)

    assert bench.state.frame == 1
    assert not tool.drawing
    assert tool.marks() == []


def test_an_angle_needs_no_scale_where_the_picture_is_true(qtbot: QtBot) -> None:
    tool = AngleTool()
    bench = open_bench(qtbot, tool, calibrated=False)
    for place in CORNER:
        bench.click("section", place)

    assert texts(tool) == ["—"]  # a polar frame of unknown depth is bent in an unknown way


# Area ---------------------------------------------------------------------------------------------


@pytest.fixture
def area(qtbot: QtBot) -> tuple[AreaTool, Bench]:
    tool = AreaTool()
    return tool, open_bench(qtbot, tool)


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("centre", [(2.0, 0.0), (-1.0, 1.5)])
def test_a_circle_drawn_round(area: tuple[AreaTool, Bench], view: str, centre: Point) -> None:
    tool, bench = area

    bench.drag(view, *round_about(centre, 0.8))

    (text,) = texts(tool)
    assert float(text.removesuffix(" mm²")) == pytest.approx(np.pi * 0.8**2, rel=0.02)
    assert bench.steps() == ["measure area"]
    bench.session.undo()
    assert texts(tool) == []


def test_a_curve_need_not_be_closed_by_hand(area: tuple[AreaTool, Bench]) -> None:
    tool, bench = area

    bench.drag("section", *round_about((2.0, 0.0), 0.8, 320))

    (text,) = texts(tool)
    assert float(text.removesuffix(" mm²")) == pytest.approx(np.pi * 0.8**2, rel=0.03)


def test_of_a_curve_that_crosses_itself_the_largest_loop_counts(
    area: tuple[AreaTool, Bench],
) -> None:
    _, bench = area
    eight = [(0.0, 0.0), (1.0, 1.0), (1.0, 0.0), (0.0, 1.0), (-2.0, 3.0), (-2.0, -2.0), (0.0, 0.0)]

    bench.drag("section", *((x, y) for x, y in eight))

    (kept,) = bench.session.study.review.free_measurements[0]
    assert FreeMeasurement("area", kept.points_mm)
    assert area_mm2(kept.points_mm) > 4


def test_a_click_leaves_no_area(area: tuple[AreaTool, Bench]) -> None:
    tool, bench = area

    bench.click("section", (1.0, 1.0))

    assert tool.marks() == []
    assert bench.steps() == []


@pytest.mark.parametrize("view", VIEWS)
def test_the_border_of_an_area_is_dragged(area: tuple[AreaTool, Bench], view: str) -> None:
    _, bench = area
    bench.drag("section", *round_about((2.0, 0.0), 0.8))

    bench.drag(view, (2.8, 0.0), (3.0, 0.0), (3.2, 0.0))

    (kept,) = bench.session.study.review.free_measurements[0]
    assert kept.points_mm[:, 0].max() == pytest.approx(3.2, abs=0.05)
    assert bench.steps() == ["measure area", "move area"]


def test_esc_drops_the_curve(area: tuple[AreaTool, Bench]) -> None:
    tool, bench = area
    places = round_about((2.0, 0.0), 0.8)
    bench.press("section", places[0])
    for place in places[1:40]:
        bench.move("section", place)
    assert texts(tool)

    bench.key(Qt.Key.Key_Escape)
    bench.release("section", places[40])

    assert tool.marks() == []
    assert bench.steps() == []


def test_an_area_follows_the_calibration(area: tuple[AreaTool, Bench]) -> None:
    tool, bench = area
    bench.drag("section", *round_about((2.0, 0.0), 0.8))
    before = float(texts(tool)[0].removesuffix(" mm²"))
    study = bench.session.study
    wider = replace(study.calibration, sample_spacing_mm=CalibratedValue(0.02, Origin.OPERATOR))

    bench.session.edit("set the spacing", replace(study.review, calibration=wider))

    assert float(texts(tool)[0].removesuffix(" mm²")) == pytest.approx(4 * before, abs=0.05)
