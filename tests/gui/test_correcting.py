"""Corrections from the window: keys, tools, copies, exclusion, undo, and the score that follows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QToolButton
from pytestqt.qtbot import QtBot

from calcviewer.app.correction import EXCLUSION_REASONS, corrected
from calcviewer.app.review import calibration_value, guidewire_decision
from calcviewer.app.session import Session
from calcviewer.app.settings import Settings, load_settings
from calcviewer.core.pullback import Origin
from calcviewer.core.study import Study
from calcviewer.gui.actions import ACTIONS
from calcviewer.gui.frame_history import FrameHistory
from calcviewer.gui.main_window import MainWindow
from calcviewer.gui.second_pass import SecondPass
from calcviewer.gui.theme import HIT_PX
from calcviewer.modalities.ivoct.protocol import Protocol
from tests.corrections import GRID, annotation
from tests.gui.studies import shown_of
from tests.gui.waiting import wait_for_timers
from tests.phantoms import make_pullback

FRAMES = 30
TOOLS = {spec.id: spec.keys for spec in ACTIONS if spec.slot == "tool"}


@pytest.fixture
def window(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[MainWindow]:
    monkeypatch.setattr("calcviewer.gui.desk.Desk.segment", lambda self: None)
    made = MainWindow(Settings())
    with qtbot.waitActive(made):
        made.show()
        made.activateWindow()
    predictions = {index: annotation((20, 170)) for index in range(10, 20)}
    predictions |= {index: annotation() for index in range(10)}
    pullback = make_pullback(FRAMES, grid=GRID)
    pullback = replace(pullback, source=replace(pullback.source, path=tmp_path / "phantom.npz"))
    study = Study(pullback, Protocol(), predictions=predictions)
    made.desk.show(shown_of(study), tmp_path / "phantom.npz")
    qtbot.waitUntil(lambda: made.desk.shown is not None)
    wait_for_timers(qtbot, made)
    yield made
    made.close()


def session_of(window: MainWindow) -> Session:
    assert window.desk.shown is not None
    return window.desk.shown.session


def press(window: MainWindow, qtbot: QtBot, key: Qt.Key, modifier: object = None) -> None:
    held = Qt.KeyboardModifier.NoModifier if modifier is None else modifier
    qtbot.keyClick(QApplication.focusWidget() or window, key, held)


def drag(window: MainWindow, frame: int, extents_deg: tuple[float, ...]) -> None:
    """Widen the calcium of a frame in one gesture."""
    session, gesture = session_of(window), object()
    for extent in extents_deg:
        drawn = annotation((20, extent))
        session.edit("widen arc", corrected(session.study, frame, drawn), gesture)
    window.desk.interpolation.end(session, gesture, frame)


def test_keys_take_tools_in_hand_and_put_them_away(window: MainWindow, qtbot: QtBot) -> None:
    for name, (key,) in TOOLS.items():
        code = Qt.Key[f"Key_{key[-1]}"]
        modifier = Qt.KeyboardModifier.ShiftModifier if key.startswith("Shift+") else None
        press(window, qtbot, code, modifier)
        assert window.toolbox.in_hand == name
        assert window.actions_by_id[name].isChecked()
        assert window.status._message.whole == window.tools[name].status() != ""
        press(window, qtbot, code, modifier)
        assert window.toolbox.in_hand == ""
        assert not window.actions_by_id[name].isChecked()
        assert window.status._message.whole == ""


def test_escape_puts_the_tool_away(window: MainWindow, qtbot: QtBot) -> None:
    press(window, qtbot, Qt.Key.Key_C)
    press(window, qtbot, Qt.Key.Key_Escape)
    assert window.toolbox.in_hand == ""


def test_every_button_is_large_enough_and_has_an_icon(window: MainWindow) -> None:
    buttons = window.tool_bar.findChildren(QToolButton)
    assert {button.defaultAction().objectName() for button in buttons} >= set(TOOLS)
    for button in buttons:
        assert min(button.width(), button.height()) >= HIT_PX
        assert not button.defaultAction().icon().isNull()
        assert button.toolTip()


def test_the_tool_bar_fits_into_a_small_window(window: MainWindow) -> None:
    assert window.tool_bar.minimumSizeHint().height() <= 690


def test_a_frame_is_copied_from_either_neighbour(window: MainWindow, qtbot: QtBot) -> None:
    session = session_of(window)
    window.desk.state.go_to(9)
    press(window, qtbot, Qt.Key.Key_Period)
    assert session.undo_label == "copy frame 11 into 10"
    assert session.results.frames[9].max_arc_deg_visible == pytest.approx(170, abs=2)
    window.desk.state.go_to(20)
    press(window, qtbot, Qt.Key.Key_Comma)
    assert session.undo_label == "copy frame 20 into 21"
    assert session.results.frames[20] is not None
    window.desk.state.go_to(0)
    before = session.study.review
    press(window, qtbot, Qt.Key.Key_Comma)
    assert session.study.review is before
    assert "no frame" in window.status._message.whole


def test_interpolation_is_on_and_its_switch_is_remembered(window: MainWindow, qtbot: QtBot) -> None:
    drag(window, 12, (150.0,))
    drag(window, 16, (110.0,))
    qtbot.waitUntil(lambda: not window.desk.interpolation.running)
    assert session_of(window).study.review.interpolated == {13, 14, 15}
    action = window.actions_by_id["interpolate"]
    assert action.isChecked()
    press(window, qtbot, Qt.Key.Key_I)
    assert not action.isChecked()
    assert load_settings()[0].interpolate is False
    drag(window, 18, (100.0,))
    assert session_of(window).study.review.interpolated == {13, 14, 15}
    press(window, qtbot, Qt.Key.Key_I)
    assert action.isChecked()


def test_revert_is_offered_where_there_is_something_to_revert(
    window: MainWindow, qtbot: QtBot
) -> None:
    session = session_of(window)
    window.desk.state.go_to(12)
    assert not window.actions_by_id["revert"].isEnabled()
    drag(window, 12, (150.0,))
    assert window.actions_by_id["revert"].isEnabled()
    press(window, qtbot, Qt.Key.Key_R, Qt.KeyboardModifier.ControlModifier)
    assert session.study.annotation(12) is session.study.predictions[12]
    assert session.undo_label == "revert frame 13 to the model"


def test_a_frame_is_excluded_with_one_of_the_usual_reasons(
    window: MainWindow, qtbot: QtBot
) -> None:
    session = session_of(window)
    window.desk.state.go_to(12)
    press(window, qtbot, Qt.Key.Key_X)
    ask = window.exclude_ask
    assert ask.isVisible()
    assert [button.text() for button in ask.buttons] == list(EXCLUSION_REASONS)
    window.desk.state.go_to(13)  # it is about the frame it was asked for
    qtbot.mouseClick(ask.buttons[0], Qt.MouseButton.LeftButton)
    assert session.study.review.excluded == {12: EXCLUSION_REASONS[0]}
    assert not ask.isVisible()
    window.desk.state.go_to(12)
    assert window.actions_by_id["exclude"].text() == "Include frame again"
    press(window, qtbot, Qt.Key.Key_X)
    assert session.study.review.excluded == {}


def test_a_reason_can_be_typed_and_the_card_can_be_left(window: MainWindow, qtbot: QtBot) -> None:
    session, ask = session_of(window), window.exclude_ask
    window.desk.state.go_to(12)
    press(window, qtbot, Qt.Key.Key_X)
    qtbot.keyClick(ask.field, Qt.Key.Key_Escape)
    assert not ask.isVisible()
    assert session.study.review.excluded == {}
    press(window, qtbot, Qt.Key.Key_X)
    qtbot.keyClicks(ask.field, "xenon 1")  # no shortcuts
    qtbot.keyClick(ask.field, Qt.Key.Key_Return)
    assert session.study.review.excluded == {12: "xenon 1"}
    assert window.desk.settings.layout == 1


def test_undo_goes_to_the_frame_and_leaves_the_overlay_as_it_is(
    window: MainWindow, qtbot: QtBot
) -> None:
    state = window.desk.state
    drag(window, 12, (150.0,))
    state.go_to(3)
    state.set_overlay_visible(False)
    window.commands.undo()
    assert state.frame == 12
    assert not state.overlay_visible
    state.go_to(4)
    window.commands.redo()
    assert state.frame == 12
    assert not state.overlay_visible


def test_undo_of_a_decision_about_a_lesion_stays_in_the_lesion(window: MainWindow) -> None:
    session, state = session_of(window), window.desk.state
    (lesion,) = session.results.lesions
    step = guidewire_decision(
        session.study.review, lesion, bridge=True, operator="A. Reader", when="2026-01-02"
    )
    session.edit(step.label, step.review)
    state.go_to(lesion.first_frame + 2)
    window.commands.undo()
    assert state.frame == lesion.first_frame + 2
    state.go_to(lesion.first_frame - 3)
    window.commands.redo()
    assert state.frame == lesion.first_frame


def test_undo_of_a_run_stays_when_its_frame_is_on_screen(window: MainWindow, qtbot: QtBot) -> None:
    drag(window, 12, (150.0,))
    drag(window, 16, (110.0,))
    qtbot.waitUntil(lambda: not window.desk.interpolation.running)
    window.desk.state.go_to(14)
    window.commands.undo()
    assert window.desk.state.frame == 14


def test_the_score_says_what_a_drag_changed_since_it_began(
    window: MainWindow, qtbot: QtBot
) -> None:
    window.desk.state.go_to(12)
    wait_for_timers(qtbot, window.score)
    said = window.score.last_change
    assert not said.isVisible()
    drag(window, 12, (174.0, 178.0, 184.0))
    assert said.isVisible()
    assert said.text().startswith("score 1 → 3: arc 17")
    assert said.text().endswith("→ 184°")
    assert said.bright
    qtbot.waitUntil(lambda: not said.bright)
    assert said.isVisible()
    window.commands.undo()
    assert said.text().startswith("score 3 → 1: arc 184° → 17")


def test_a_drag_that_comes_back_changed_nothing(window: MainWindow, qtbot: QtBot) -> None:
    window.desk.state.go_to(12)
    wait_for_timers(qtbot, window.score)
    drag(window, 12, (180.0, 184.0, 170.0))
    assert not window.score.last_change.isVisible()


@pytest.mark.parametrize("layout", [1, 4])
def test_a_drag_taken_back_leaves_no_words(window: MainWindow, qtbot: QtBot, layout: int) -> None:
    drag(window, 11, (150.0,))
    window.commands.undo()  # a step ahead, which the drag must not lose
    window.desk.state.go_to(12)
    wait_for_timers(qtbot, window.score)
    window.commands.layout(layout)
    session, gesture, said = session_of(window), object(), window.score.last_change
    session.edit("widen arc", corrected(session.study, 12, annotation((20, 184))), gesture)
    assert said.text().endswith("→ 184°")
    session.cancel(gesture)
    assert said.text() == ""


def test_nothing_of_the_last_change_stays_when_a_study_is_closed(window: MainWindow) -> None:
    drag(window, 12, (190.0,))
    assert window.score.last_change.isVisible()
    window.commands.close_study()
    assert window.score.last_change.text() == ""


def test_the_history_of_a_frame_says_who_did_what(window: MainWindow, qtbot: QtBot) -> None:
    window.desk.state.go_to(12)
    press(window, qtbot, Qt.Key.Key_J)
    (history,) = window.findChildren(FrameHistory)
    table = history.table
    assert history.isVisible()
    assert not history.isModal()
    assert table.row_count == 0
    drag(window, 12, (150.0,))
    assert table.row_count == 1
    assert table.texts(0)[1] == "widen arc"
    window.desk.state.go_to(13)
    assert table.row_count == 0
    assert "frame 14" in history.windowTitle()
    window.commands.close_study()
    qtbot.waitUntil(lambda: not window.findChildren(FrameHistory))


def test_the_second_pass_leads_to_the_largest_difference(window: MainWindow, qtbot: QtBot) -> None:
    press(window, qtbot, Qt.Key.Key_J, Qt.KeyboardModifier.ShiftModifier)
    (listed,) = window.findChildren(SecondPass)
    assert not listed.isModal()
    qtbot.waitUntil(lambda: "yet" in listed.note.text())
    window.desk.change_settings(replace(window.desk.settings, interpolate=False))
    for frame, extent_deg in ((9, 100.0), (12, 150.0), (14, 30.0)):
        drag(window, frame, (extent_deg,))
    qtbot.waitUntil(lambda: listed.table.row_count == 3)
    differences = [float(listed.table.texts(row)[1]) for row in range(3)]
    assert differences == sorted(differences, reverse=True)
    assert differences[0] > differences[-1]
    listed.table.chosen.emit(0)
    assert str(window.desk.state.frame + 1) == listed.table.texts(0)[0]
    window.commands.close_study()
    qtbot.waitUntil(lambda: not window.findChildren(SecondPass))


def test_a_calibration_of_many_frames_is_measured_in_slices(
    window: MainWindow, qtbot: QtBot
) -> None:
    told = []
    window.desk.changed.connect(told.append)
    session = session_of(window)
    step = calibration_value(session.study, "sample_spacing_mm", 0.03, origin=Origin.OPERATOR)
    window.desk.edit(step)
    assert told == []  # events get their turn before it is told
    qtbot.waitUntil(lambda: bool(told))
    assert session.results.frames[12].max_thickness_mm == pytest.approx(0.9, abs=0.05)
