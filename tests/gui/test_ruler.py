"""Rulers, without and with a window, and what they share with angles and areas."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from calcviewer.core.free_measurement import FreeMeasurement
from calcviewer.core.pullback import CalibratedValue, Origin
from calcviewer.gui.shown import ShownStudy
from calcviewer.gui.tools.free_marks import FreeHit, hit_measurement
from calcviewer.gui.tools.ruler import RulerTool
from calcviewer.gui.tools.tool import Look, Pointer
from calcviewer.gui.view_state import ViewState
from calcviewer.gui.views.cross_section import CrossSectionView
from calcviewer.gui.views.polar import PolarView
from tests.gui.image_views import drag, pixels, show_in, spots_shown, turn_wheel
from tests.gui.tool_views import VIEWS, open_bench

REACH_MM = 0.2
Opened = tuple[RulerTool, ShownStudy, ViewState]


def pointer(x_mm: float, y_mm: float) -> Pointer:
    return Pointer((x_mm, y_mm), REACH_MM)


def measure(tool: RulerTool, start: tuple[float, float], end: tuple[float, float]) -> None:
    assert tool.press(pointer(*start))
    tool.drag(pointer(*end))
    tool.release(pointer(*end))


def ruler(*points: tuple[float, float]) -> FreeMeasurement:
    return FreeMeasurement("length", np.array(points))


@pytest.fixture
def opened(qtbot: QtBot) -> Opened:
    shown, state = spots_shown(), ViewState()
    state.reset(20)
    tool = RulerTool()
    tool.activate(shown, state)
    return tool, shown, state


def test_ends_come_before_bodies() -> None:
    rulers = [ruler((0, 0), (2, 0)), ruler((1, -1), (1, 1))]

    def hit(x_mm: float, y_mm: float) -> FreeHit | None:
        return hit_measurement(rulers, pointer(x_mm, y_mm), "length")

    assert hit(0.1, 0.1) == FreeHit(0, 0)
    assert hit(1.9, 0.0) == FreeHit(0, 1)
    assert hit(0.6, 0.1) == FreeHit(0)
    assert hit(1.05, 0.5) == FreeHit(1)
    assert hit(1.0, 0.9) == FreeHit(1, 1)
    assert hit(0.5, 0.5) is None
    assert hit_measurement(rulers, pointer(0.1, 0.1), "angle") is None


def test_several_rulers_a_frame(opened: Opened) -> None:
    tool, shown, state = opened

    measure(tool, (0.0, 0.0), (3.0, 0.0))
    measure(tool, (0.0, 1.0), (0.0, 2.5))

    assert [mark.text for mark in tool.marks()] == ["3.00 mm", "1.50 mm"]
    assert [mark.selected for mark in tool.marks()] == [False, True]
    state.go_to(1)
    assert tool.marks() == []
    state.go_to(0)
    assert len(tool.marks()) == 2
    assert not any(mark.selected for mark in tool.marks())
    assert len(shown.session.study.review.free_measurements[0]) == 2


def test_every_ruler_is_a_step_to_undo(opened: Opened) -> None:
    tool, shown, _ = opened
    measure(tool, (0.0, 0.0), (3.0, 0.0))
    kept = shown.session.study.review.free_measurements[0]
    measure(tool, (3.0, 0.0), (2.0, 0.0))

    assert [step.label for step in shown.session.history.past] == ["measure distance", "move ruler"]
    shown.session.undo()
    assert shown.session.study.review.free_measurements[0] is kept
    shown.session.undo()
    assert tool.marks() == []
    shown.session.redo()
    assert [mark.text for mark in tool.marks()] == ["3.00 mm"]


def test_a_click_leaves_no_ruler(opened: Opened) -> None:
    tool, shown, _ = opened

    measure(tool, (0.0, 0.0), (0.01, 0.0))

    assert tool.marks() == []
    assert shown.session.undo_label is None


def test_an_end_or_all_of_it_can_be_moved(opened: Opened) -> None:
    tool, _, _ = opened
    measure(tool, (0.0, 0.0), (2.0, 0.0))

    measure(tool, (2.05, 0.0), (3.0, 1.0))
    assert tool.measurements[0].points_mm == pytest.approx(np.array([[0, 0], [3, 1]]), abs=1e-9)
    measure(tool, (1.5, 0.5), (1.5, 1.5))

    assert tool.measurements[0].points_mm == pytest.approx(np.array([[0, 1], [3, 2]]), abs=1e-9)


def test_an_end_dragged_onto_the_other_changes_nothing(opened: Opened) -> None:
    tool, _, _ = opened
    measure(tool, (0.0, 0.0), (2.0, 0.0))

    measure(tool, (2.0, 0.0), (0.0, 0.01))

    assert [mark.text for mark in tool.marks()] == ["2.00 mm"]


@pytest.mark.parametrize("key", [Qt.Key.Key_Delete, Qt.Key.Key_Backspace])
def test_keys_remove_the_selected_one(opened: Opened, key: Qt.Key) -> None:
    tool, shown, _ = opened
    measure(tool, (0.0, 0.0), (2.0, 0.0))
    measure(tool, (0.0, 1.0), (2.0, 1.0))
    tool.press(pointer(1.0, 0.0))
    tool.release(pointer(1.0, 0.0))

    assert tool.wants(key)
    tool.press_key(key)

    assert len(tool.marks()) == 1
    assert tool.measurements[0].points_mm[0] == pytest.approx((0.0, 1.0))
    assert shown.session.undo_label == "remove ruler"
    assert not tool.wants(key)
    assert not tool.wants(Qt.Key.Key_A)


def test_esc_takes_back_then_deselects_then_leaves_the_tool(opened: Opened) -> None:
    tool, shown, _ = opened
    measure(tool, (0.0, 0.0), (2.0, 0.0))
    tool.press(pointer(2.0, 0.0))
    tool.drag(pointer(3.0, 0.0))
    tool.press_key(Qt.Key.Key_Escape)
    tool.release(pointer(3.0, 0.0))
    assert [mark.text for mark in tool.marks()] == ["2.00 mm"]
    assert shown.session.undo_label == "measure distance"

    assert tool.wants(Qt.Key.Key_Escape)
    tool.press_key(Qt.Key.Key_Escape)

    assert not any(mark.selected for mark in tool.marks())
    assert not tool.wants(Qt.Key.Key_Escape)


def test_a_frame_change_in_a_drag_leaves_both_frames_alone(opened: Opened) -> None:
    tool, shown, state = opened
    tool.press(pointer(0.0, 0.0))
    tool.drag(pointer(1.0, 0.0))

    state.go_to(1)
    tool.drag(pointer(2.0, 0.0))
    tool.release(pointer(2.0, 0.0))

    assert tool.marks() == []
    assert shown.session.undo_label is None


def test_rulers_stay_on_their_pixels_when_the_calibration_changes(opened: Opened) -> None:
    tool, shown, _ = opened
    measure(tool, (0.0, 1.0), (0.0, 2.0))
    kept = shown.session.study.review.free_measurements[0][0]
    study = shown.session.study
    wider = replace(study.calibration, sample_spacing_mm=CalibratedValue(0.02, Origin.OPERATOR))

    shown.session.edit("set the spacing", replace(study.review, calibration=wider))
    assert tool.marks()[0].text == "2.00 mm"
    measure(tool, (0.0, 6.0), (2.0, 6.0))

    stored = shown.session.study.review.free_measurements[0]
    assert stored[0] is kept
    assert stored[1].points_mm == pytest.approx(np.array([[0.0, 3.0], [1.0, 3.0]]))
    shown.session.undo()
    shown.session.undo()
    assert tool.marks()[0].text == "1.00 mm"


def test_rulers_outlive_the_tool_but_not_the_study(opened: Opened) -> None:
    tool, shown, state = opened
    measure(tool, (0.0, 0.0), (2.0, 0.0))
    tool.deactivate()

    other = RulerTool()
    other.activate(shown, state)
    assert len(other.marks()) == 1
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


def test_an_end_is_as_wide_as_a_thumb_in_the_polar_view(qtbot: QtBot) -> None:
    tool = RulerTool()
    bench = open_bench(qtbot, tool)
    bench.drag("polar", (2.0, 1.0), (3.0, 1.5))
    polar = bench.views["polar"]
    end = bench.px("polar", (3.0, 1.5))

    drag(polar, (end.x() + 14, end.y()), (end.x() + 40, end.y()))

    assert bench.steps() == ["measure distance", "move ruler"]


@pytest.mark.parametrize("view", VIEWS)
def test_without_a_tool_rulers_are_seen_quietly(qtbot: QtBot, view: str) -> None:
    tool = RulerTool()
    bench = open_bench(qtbot, tool)
    widget = bench.views[view]
    tool.deactivate()
    widget.set_tool(None)
    nothing = pixels(widget)
    session = bench.session

    kept = {0: (ruler((-1.0, 3.0), (1.5, 3.0)),)}
    session.edit("measure", replace(session.study.review, free_measurements=kept))

    seen = pixels(widget)
    assert (seen != nothing).any()
    bench.state.set_overlay_visible(False)
    hidden = pixels(widget)
    bench.state.set_overlay_visible(True)
    session.undo()
    assert (pixels(widget) == nothing).all()
    assert (hidden != seen).any()


def test_a_ruler_beside_other_measurements(opened: Opened) -> None:
    tool, shown, _ = opened
    corner = FreeMeasurement("angle", np.array([[0.0, 1.0], [0.0, 0.0], [1.0, 0.0]]))
    review = shown.session.study.review
    shown.session.edit("measure", replace(review, free_measurements={0: (corner,)}))

    measure(tool, (0.0, 0.0), (0.0, 2.0))  # it begins on the angle, which it does not correct

    looks = {mark.text: mark.look for mark in tool.marks() if mark.text}
    assert looks == {"90°": Look.TRACE, "2.00 mm": Look.LINE}
    assert shown.session.study.review.free_measurements[0][0] is corner
