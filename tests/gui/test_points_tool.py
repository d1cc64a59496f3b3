"""The points tool: points that stay where they were put, with the mouse in both views."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from calcviewer.core.editing.border_points import handles
from calcviewer.core.geometry import to_polar
from calcviewer.gui.tools.points import PointsTool
from tests.gui.image_views import turn_wheel
from tests.gui.tool_bench import (
    BOTH_VIEWS,
    FRONT_MM,
    LUMEN_MM,
    UNSEGMENTED,
    Bench,
    assert_holds,
    radius_at,
)


@pytest.fixture
def bench(qtbot: QtBot) -> Bench:
    return Bench(PointsTool(), qtbot)


def points(bench: Bench) -> np.ndarray:
    """Return the points that are shown."""
    shown = bench.tool.marks()[0].handles_mm
    assert shown is not None
    return shown


def place_of(point: np.ndarray) -> tuple[float, float]:
    angle, radius = to_polar(point)
    return float(angle), float(radius)


@pytest.mark.parametrize("name", BOTH_VIEWS)
def test_the_border_under_the_mouse_shows_few_points(bench: Bench, name: str) -> None:
    assert bench.tool.marks() == ()
    bench.hover(name, (100, LUMEN_MM))
    lumen = points(bench)
    assert 3 < len(lumen) < 20
    bench.hover(name, (200, 3.0))
    assert len(points(bench)) == len(lumen)  # they stay until another border is under the mouse

    bench.hover(name, (15, FRONT_MM))

    assert "calcium" in bench.tool.status()
    assert np.hypot(*points(bench).T).min() > FRONT_MM - 0.05


@pytest.mark.parametrize("name", BOTH_VIEWS)
def test_dragging_a_point(bench: Bench, name: str) -> None:
    before = bench.annotation
    bench.hover(name, (100, LUMEN_MM))
    count = len(points(bench))
    angle, radius = place_of(points(bench)[1])
    bench.hover(name, (angle, radius))
    assert "Drag the point of the lumen" in bench.tool.status()
    assert bench.view(name).cursor().shape() is Qt.CursorShape.OpenHandCursor

    bench.drag(name, (angle, radius), (angle, 1.4), (angle, 1.3))

    assert radius_at(bench.lumen, angle) == pytest.approx(1.3, abs=0.05)
    assert len(points(bench)) == count  # the same points
    assert bench.tool.marks()[1].selected
    assert_holds(bench.annotation)
    assert bench.labels() == ["move a point of the lumen"]
    assert bench.annotation is before


@pytest.mark.parametrize("name", BOTH_VIEWS)
def test_the_last_point_can_be_undone(bench: Bench, name: str) -> None:
    before = bench.annotation
    bench.hover(name, (100, LUMEN_MM))
    first = points(bench)
    middle = place_of((first[1] + first[2]) / 2)[0]
    bench.hover(name, (middle, LUMEN_MM))
    assert "Click adds a point to the lumen" in bench.tool.status()

    bench.click(name, (middle, LUMEN_MM))
    assert len(points(bench)) == len(first) + 1
    assert bench.session.undo_label == "add a point to the lumen"
    assert bench.lumen.area_mm2 == pytest.approx(before.lumen.area_mm2)  # type: ignore[union-attr]
    bench.session.undo()

    assert len(points(bench)) == len(first)
    assert bench.annotation is before
    bench.session.redo()
    assert len(points(bench)) == len(first) + 1


def test_a_click_that_adds_can_go_on_as_a_drag(bench: Bench) -> None:
    bench.hover("section", (100, LUMEN_MM))
    first = points(bench)
    middle = place_of((first[1] + first[2]) / 2)[0]

    bench.drag("section", (middle, LUMEN_MM), (middle, 1.6), (middle, 1.8))

    assert radius_at(bench.lumen, middle) == pytest.approx(1.8, abs=0.05)
    assert len(points(bench)) == len(first) + 1
    assert bench.labels() == ["add a point to the lumen"]


@pytest.mark.parametrize("key", [Qt.Key.Key_Delete, Qt.Key.Key_Backspace])
def test_delete_removes_the_selected_point(bench: Bench, key: Qt.Key) -> None:
    bench.hover("section", (100, LUMEN_MM))
    count = len(points(bench))
    assert not bench.tool.wants(key)
    bench.click("section", place_of(points(bench)[2]))
    assert not bench.session.study.review.edits  # a click selects

    bench.key("section", key)

    assert len(points(bench)) == count - 1
    assert bench.session.undo_label == "remove a point of the lumen"
    assert not bench.tool.wants(key)
    bench.session.undo()
    assert len(points(bench)) == count


def test_a_button_removes_it_too(bench: Bench, qtbot: QtBot) -> None:
    options = bench.tool.make_options(bench.section)
    assert options is not None
    button = options.findChild(QPushButton)
    assert isinstance(button, QPushButton)
    bench.section.show()
    options.show()
    assert not button.isEnabled()
    assert button.height() >= 32
    bench.hover("section", (100, LUMEN_MM))
    bench.click("section", place_of(points(bench)[2]))
    assert button.isEnabled()

    button.click()

    assert bench.session.undo_label == "remove a point of the lumen"
    assert not button.isEnabled()


def test_escape_takes_a_drag_back_then_deselects(bench: Bench) -> None:
    before = bench.annotation
    bench.hover("polar", (100, LUMEN_MM))
    angle, radius = place_of(points(bench)[1])
    bench.press("polar", (angle, radius))
    bench.move("polar", (angle, 1.9))
    bench.key("polar", Qt.Key.Key_Escape)
    bench.release("polar", (angle, 1.9))
    assert bench.annotation is before
    assert bench.session.undo_label is None

    bench.click("polar", (angle, radius))
    assert bench.tool.wants(Qt.Key.Key_Escape)
    bench.key("polar", Qt.Key.Key_Escape)

    assert not bench.tool.wants(Qt.Key.Key_Escape)


def test_the_wheel_steps_one_frame_with_the_tool_in_hand(bench: Bench) -> None:
    bench.hover("section", (100, LUMEN_MM))
    turn_wheel(bench.section, -120)

    assert bench.state.frame == 1
    assert bench.section.tool is bench.tool


def test_points_pushed_anywhere_leave_simple_contours(bench: Bench) -> None:
    bench.hover("section", (15, FRONT_MM))
    start = place_of(points(bench)[0])
    bench.press("section", start)
    for place in ((15, 1.0), (180, 1.0), (180, 3.9), (90, 2.0), (0, 3.9)):
        bench.move("section", place)
        assert_holds(bench.annotation)
    bench.release("section", (0, 3.9))


def test_where_there_is_nothing_it_says_so(bench: Bench) -> None:
    bench.state.go_to(UNSEGMENTED)
    bench.hover("section", (100, LUMEN_MM))
    assert "lasso" in bench.tool.status()
    bench.state.go_to(0)
    bench.exclude()
    bench.hover("section", (100, LUMEN_MM))
    bench.click("section", (100, LUMEN_MM))

    assert "excluded" in bench.tool.status()
    assert bench.session.undo_label == "exclude"


def test_handles_of_the_border_are_the_first_points(bench: Bench) -> None:
    bench.hover("section", (100, LUMEN_MM))

    assert points(bench) == pytest.approx(handles(bench.lumen))
