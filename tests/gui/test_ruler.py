"""The ruler, without and with a window."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from calcviewer.core.geometry import CartesianGrid, PolarGrid
from calcviewer.core.pullback import CalibratedValue, Origin
from calcviewer.gui.shown import ShownStudy
from calcviewer.gui.tools.hit_testing import Hit, Part, from_source, hit_line, to_source
from calcviewer.gui.tools.ruler import RulerTool, length_text
from calcviewer.gui.tools.tool import Pointer
from calcviewer.gui.view_state import ViewState
from calcviewer.gui.views.cross_section import CrossSectionView
from calcviewer.gui.views.polar import PolarView
from tests.gui.image_views import drag, pixels, show_in, spots_shown, turn_wheel

REACH_MM = 0.2


def pointer(x_mm: float, y_mm: float) -> Pointer:
    return Pointer((x_mm, y_mm), REACH_MM)


def measure(tool: RulerTool, start: tuple[float, float], end: tuple[float, float]) -> None:
    assert tool.press(pointer(*start))
    tool.drag(pointer(*end))
    tool.release(pointer(*end))


@pytest.fixture
def opened(qtbot: QtBot) -> tuple[RulerTool, ShownStudy, ViewState]:
    shown, state = spots_shown(), ViewState()
    state.reset(20)
    tool = RulerTool()
    tool.activate(shown, state)
    return tool, shown, state


def test_ends_come_before_bodies() -> None:
    lines = [np.array([[0.0, 0.0], [2.0, 0.0]]), np.array([[1.0, -1.0], [1.0, 1.0]])]

    assert hit_line(lines, (0.1, 0.1), REACH_MM) == Hit(0, Part.START)
    assert hit_line(lines, (1.9, 0.0), REACH_MM) == Hit(0, Part.END)
    assert hit_line(lines, (0.6, 0.1), REACH_MM) == Hit(0, Part.BODY)
    assert hit_line(lines, (1.05, 0.5), REACH_MM) == Hit(1, Part.BODY)
    assert hit_line(lines, (1.0, 0.9), REACH_MM) == Hit(1, Part.END)
    assert hit_line(lines, (0.5, 0.5), REACH_MM) is None
    assert hit_line([np.zeros((2, 2))], (0.0, 0.1), REACH_MM) == Hit(0, Part.START)


@pytest.mark.parametrize(
    "grid",
    [CartesianGrid(100, 100, 0.1, (49.5, 49.5)), PolarGrid(360, 400, 0.01, zero_radius_mm=-0.1)],
)
def test_source_coordinates_come_back(grid: CartesianGrid | PolarGrid) -> None:
    points = np.array([[1.0, 0.5], [-2.0, 0.1]])

    assert from_source(to_source(points, grid), grid) == pytest.approx(points)


def test_lengths_as_people_read_them() -> None:
    assert length_text(1.234, 0.01, known=True) == "1.23 mm"
    assert length_text(1.234, 0.01, known=False) == "— (123 px)"


def test_several_rulers_a_frame(opened: tuple[RulerTool, ShownStudy, ViewState]) -> None:
    tool, _, state = opened

    measure(tool, (0.0, 0.0), (3.0, 0.0))
    measure(tool, (0.0, 1.0), (0.0, 2.5))

    assert [mark.text for mark in tool.marks()] == ["3.00 mm", "1.50 mm"]
    assert [mark.selected for mark in tool.marks()] == [False, True]
    state.go_to(1)
    assert tool.marks() == []
    state.go_to(0)
    assert len(tool.marks()) == 2
    assert not any(mark.selected for mark in tool.marks())


def test_a_click_leaves_no_ruler(opened: tuple[RulerTool, ShownStudy, ViewState]) -> None:
    tool, _, _ = opened

    measure(tool, (0.0, 0.0), (0.01, 0.0))

    assert tool.marks() == []


def test_an_end_or_all_of_it_can_be_moved(
    opened: tuple[RulerTool, ShownStudy, ViewState],
) -> None:
    tool, _, _ = opened
    measure(tool, (0.0, 0.0), (2.0, 0.0))

    measure(tool, (2.05, 0.0), (3.0, 1.0))
    assert tool.lines_mm()[0] == pytest.approx(np.array([[0.0, 0.0], [3.0, 1.0]]), abs=1e-9)
    measure(tool, (1.5, 0.5), (1.5, 1.5))

    assert tool.lines_mm()[0] == pytest.approx(np.array([[0.0, 1.0], [3.0, 2.0]]), abs=1e-9)


@pytest.mark.parametrize("key", [Qt.Key.Key_Delete, Qt.Key.Key_Escape, Qt.Key.Key_Backspace])
def test_keys_delete_the_selected_one(
    opened: tuple[RulerTool, ShownStudy, ViewState], key: Qt.Key
) -> None:
    tool, _, _ = opened
    measure(tool, (0.0, 0.0), (2.0, 0.0))
    measure(tool, (0.0, 1.0), (2.0, 1.0))
    tool.press(pointer(1.0, 0.0))
    tool.release(pointer(1.0, 0.0))

    assert tool.wants(key)
    tool.press_key(key)

    assert len(tool.marks()) == 1
    assert tool.lines_mm()[0][0] == pytest.approx((0.0, 1.0))
    assert not tool.wants(key)  # then Esc leaves the tool
    assert not tool.wants(Qt.Key.Key_A)


def test_a_frame_change_in_a_drag_leaves_the_other_frame_alone(
    opened: tuple[RulerTool, ShownStudy, ViewState],
) -> None:
    tool, _, state = opened
    tool.press(pointer(0.0, 0.0))
    tool.drag(pointer(1.0, 0.0))

    state.go_to(1)
    tool.drag(pointer(2.0, 0.0))
    tool.release(pointer(2.0, 0.0))

    assert tool.marks() == []


def test_rulers_stay_on_their_pixels_when_the_calibration_changes(
    opened: tuple[RulerTool, ShownStudy, ViewState],
) -> None:
    tool, shown, _ = opened
    measure(tool, (0.0, 1.0), (0.0, 2.0))
    study = shown.session.study
    wider = replace(study.calibration, sample_spacing_mm=CalibratedValue(0.02, Origin.OPERATOR))

    shown.session.edit("set the spacing", replace(study.review, calibration=wider))

    assert tool.marks()[0].text == "2.00 mm"
    shown.session.undo()
    assert tool.marks()[0].text == "1.00 mm"


def test_rulers_outlive_the_tool_but_not_the_study(
    opened: tuple[RulerTool, ShownStudy, ViewState],
) -> None:
    tool, shown, state = opened
    measure(tool, (0.0, 0.0), (2.0, 0.0))
    tool.deactivate()

    tool.activate(shown, state)
    assert len(tool.marks()) == 1
    tool.deactivate()
    tool.activate(spots_shown(), state)
    assert tool.marks() == []


def test_uncalibrated_rulers_have_no_millimetres(qtbot: QtBot) -> None:
    shown, state = spots_shown(calibrated=False), ViewState()
    state.reset(20)
    tool = RulerTool()
    tool.activate(shown, state)

    measure(tool, (0.0, 0.0), (2.0, 0.0))

    assert tool.marks()[0].text == "— (200 px)"


def test_measuring_with_the_mouse_in_both_views(qtbot: QtBot) -> None:
    shown, state, tool = spots_shown(annotated=False), ViewState(), RulerTool()
    section, polar = CrossSectionView(state), PolarView(state)
    for view in (section, polar):
        qtbot.addWidget(view)
        view.resize(400, 400)
        show_in(view, shown, state)
    tool.activate(shown, state)
    for view in (section, polar):
        view.set_tool(tool)
    before = pixels(polar)

    drag(section, (240, 250), (300, 300), (340, 250))  # 100 px at 50 px a mm
    assert tool.marks()[0].text == "2.00 mm"
    assert (pixels(polar) != before).any()
    drag(polar, (100, 250), (100, 350))  # along the depth, 100 px a mm

    assert [mark.text for mark in tool.marks()] == ["2.00 mm", "1.00 mm"]
    assert polar.left_deg == 0.0  # the drag was the tool's
    turn_wheel(section, -120)
    assert state.frame == 1
    state.go_to(0)
    drag(section, (240, 250), (240, 250))
    QTest.keyClick(section, Qt.Key.Key_Delete)
    assert len(tool.marks()) == 1
