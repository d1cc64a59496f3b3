"""The window as a whole: one study at a time, nothing of the last one, nothing that stalls."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QDialog
from pytestqt.qtbot import QtBot

from calcviewer.app import review as steps
from calcviewer.app.session import Session
from calcviewer.app.settings import Settings, load_settings
from calcviewer.gui.main_window import MainWindow
from calcviewer.gui.theme import HIT_PX
from calcviewer.gui.view_state import LookUpTable
from tests.gui.stored_studies import PhantomSegmenter, write_study
from tests.gui.studies import shown_of
from tests.lesion_studies import ACROSS_WIRE, study_of

NONE, SHIFT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier
CTRL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def window(qtbot: QtBot, segmenter: PhantomSegmenter) -> Iterator[MainWindow]:
    made = MainWindow(Settings())
    with qtbot.waitActive(made):
        made.show()
        made.activateWindow()
    yield made
    made.close()


def open_study(window: MainWindow, qtbot: QtBot, path: Path, *, segmented: bool = True) -> Session:
    before = window.desk.shown
    window.open_path(path)
    qtbot.waitUntil(lambda: window.desk.shown not in (None, before))
    assert window.desk.shown is not None
    if segmented:
        qtbot.waitUntil(lambda: not window.desk.segmentation.running)
        qtbot.waitUntil(lambda: not window._relay._waiting)  # what streamed in is shown
    return window.desk.shown.session


@pytest.fixture
def session(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> Session:
    return open_study(window, qtbot, write_study(tmp_path))


def press(window: MainWindow, qtbot: QtBot, *keys: Qt.Key, modifier: object = NONE) -> None:
    for key in keys:
        qtbot.keyClick(QApplication.focusWidget() or window, key, modifier)


def test_before_a_study_is_open_the_window_says_what_to_do(window: MainWindow) -> None:
    assert window.start_page.isVisible()
    assert not window.actions_by_id["export"].isEnabled()
    assert window.actions_by_id["open_file"].isEnabled()


def test_a_study_is_segmented_by_itself_and_scored(window: MainWindow, session: Session) -> None:
    assert sorted(session.study.predictions) == list(range(12))
    assert window.view_area.isVisible()
    assert window.top_bar._confirm.text() == "Confirm lesion 1"
    assert "phantom 1.0 · CPU" in window.status._model.text()


def test_keys_walk_through_the_frames(window: MainWindow, session: Session, qtbot: QtBot) -> None:
    state = window.desk.state
    press(window, qtbot, Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Left)
    assert state.frame == 1
    press(window, qtbot, Qt.Key.Key_Right, modifier=SHIFT)
    assert state.frame == 11
    press(window, qtbot, Qt.Key.Key_Home)
    assert state.frame == 0
    press(window, qtbot, Qt.Key.Key_M)
    assert state.frame == 5  # the maximum arc of the phantom
    press(window, qtbot, Qt.Key.Key_G)
    for key in (Qt.Key.Key_1, Qt.Key.Key_0, Qt.Key.Key_Return):
        qtbot.keyClick(window.go_to._field, key)
    assert state.frame == 9
    press(window, qtbot, Qt.Key.Key_End)
    assert state.frame == 11


def test_decisive_frames_come_one_after_the_other(
    window: MainWindow, session: Session, qtbot: QtBot
) -> None:
    decisive = [one.frame for one in session.results.lesions[0].decisive_frames]
    seen = []
    for _ in decisive:
        press(window, qtbot, Qt.Key.Key_N)
        seen.append(window.desk.state.frame)
    assert sorted(seen) == decisive
    press(window, qtbot, Qt.Key.Key_N, modifier=SHIFT)
    assert window.desk.state.frame == seen[-2]


def test_review_steps_are_undone_by_name(
    window: MainWindow, session: Session, qtbot: QtBot
) -> None:
    press(window, qtbot, Qt.Key.Key_Right, Qt.Key.Key_B, Qt.Key.Key_V, Qt.Key.Key_Return)
    review = session.study.review
    assert (review.bookmarks, review.voi, review.confirmed_frames) == ({1}, (1, 11), {1})
    assert window.actions_by_id["undo"].text() == "Undo “confirm frame 2”"
    assert "confirm frame 2" in window.status._undo.text()
    press(window, qtbot, Qt.Key.Key_Z, Qt.Key.Key_Z, Qt.Key.Key_Z, modifier=CTRL)
    assert session.study.review.bookmarks == frozenset()
    assert session.undo_label is None
    press(window, qtbot, Qt.Key.Key_Z, modifier=CTRL | SHIFT)
    assert session.study.review.bookmarks == {1}


def test_undo_does_not_change_what_is_visible(
    window: MainWindow, session: Session, qtbot: QtBot
) -> None:
    press(window, qtbot, Qt.Key.Key_B)
    window.actions_by_id["overlay"].trigger()
    press(window, qtbot, Qt.Key.Key_Z, modifier=CTRL)
    assert not window.desk.state.overlay_visible


def test_the_lesion_is_confirmed_and_that_is_undone(
    window: MainWindow, session: Session, qtbot: QtBot
) -> None:
    qtbot.waitUntil(window.top_bar._confirm.isEnabled)
    qtbot.mouseClick(window.top_bar._confirm, Qt.MouseButton.LeftButton)
    assert session.study.review.confirmed_lesions == {session.results.lesions[0].frame_range}
    assert window.top_bar._confirm.text() == "Lesion 1 confirmed"
    press(window, qtbot, Qt.Key.Key_Z, modifier=CTRL)
    assert window.top_bar._confirm.text() == "Confirm lesion 1"


def test_the_guidewire_is_asked_before_a_lesion_can_be_confirmed(
    window: MainWindow, qtbot: QtBot
) -> None:
    window.desk.segmentation.start = lambda *_: None  # type: ignore[method-assign]
    window.desk.show(shown_of(study_of([ACROSS_WIRE] * 4)), Path("across"))
    confirm = window.actions_by_id["confirm_lesion"]
    assert not confirm.isEnabled()
    assert "guidewire first" in confirm.toolTip()
    window.commands.confirm_lesion()
    assert window.desk.shown is not None
    session = window.desk.shown.session
    assert not session.study.review.confirmed_lesions
    lesion = session.results.lesions[0]
    window.desk.edit(
        steps.guidewire_decision(session.study.review, lesion, bridge=True, operator="", when="")
    )
    qtbot.waitUntil(confirm.isEnabled)
    assert "guidewire" not in confirm.toolTip()


def test_h_hides_the_overlay_only_while_it_is_held(
    window: MainWindow, session: Session, qtbot: QtBot
) -> None:
    state, focus = window.desk.state, QApplication.focusWidget()
    qtbot.keyPress(focus, Qt.Key.Key_H)
    assert not state.overlay_visible
    qtbot.keyRelease(focus, Qt.Key.Key_H)
    assert state.overlay_visible


def test_space_plays_and_any_step_stops(window: MainWindow, session: Session, qtbot: QtBot) -> None:
    press(window, qtbot, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: window.desk.state.frame >= 2)
    press(window, qtbot, Qt.Key.Key_Left)
    assert not window.commands.player.playing


def test_the_layout_and_the_colours_are_remembered(
    window: MainWindow, session: Session, qtbot: QtBot
) -> None:
    press(window, qtbot, Qt.Key.Key_3)
    window.actions_by_id["grey"].trigger()
    assert not window.polar.isVisible()
    window.close()
    settings, note = load_settings()
    assert (settings.layout, settings.look_up_table, note) == (3, "grey", "")
    again = MainWindow(settings)
    assert again.desk.state.display.table is LookUpTable.GREY
    assert again.actions_by_id["layout_3"].isChecked()


def test_a_damaged_file_leaves_the_open_study_alone(
    window: MainWindow, session: Session, qtbot: QtBot, tmp_path: Path
) -> None:
    window.desk.state.go_to(4)
    study = session.study
    damaged = tmp_path / "damaged.dcm"
    damaged.write_bytes(b"\0" * 200)
    drop(window, damaged)
    qtbot.waitUntil(lambda: bool(window.banner.message))
    assert str(damaged) in window.banner.message
    assert "The open study is as it was" in window.banner.message
    assert window.desk.shown is not None
    assert window.desk.shown.session.study is study
    assert window.desk.state.frame == 4
    assert not [one for one in QApplication.topLevelWidgets() if isinstance(one, QDialog)]
    press(window, qtbot, Qt.Key.Key_Escape)
    assert window.banner.message == ""


def drop(window: MainWindow, path: Path) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    at, copy = window.rect().center(), Qt.DropAction.CopyAction
    left = Qt.MouseButton.LeftButton
    entering = QDragEnterEvent(at, copy, mime, left, NONE)
    QApplication.sendEvent(window, entering)
    assert entering.isAccepted()
    QApplication.sendEvent(window, QDropEvent(QPointF(at), copy, mime, left, NONE))


def test_a_second_study_leaves_nothing_of_the_first(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    first = weakref.ref(open_study(window, qtbot, write_study(tmp_path)))
    press(window, qtbot, Qt.Key.Key_Right, Qt.Key.Key_B, Qt.Key.Key_V, Qt.Key.Key_Return)
    window.toolbox.choose("ruler")
    second = open_study(window, qtbot, write_study(tmp_path, 7, "second"))
    state = window.desk.state
    assert (state.frame, state.frame_count) == (0, 7)
    assert second.undo_label is None
    assert not window.actions_by_id["undo"].isEnabled()
    assert window.status._undo.text() == window.status._saved.text() == ""
    assert second.study.review.voi is None
    assert not second.study.review.bookmarks
    assert window.toolbox.in_hand == ""
    assert window.top_bar._name.toolTip().endswith("second.npz")
    for receiver in (*window.views.values(), *window.panels):
        texts = [label.text() for label in receiver.findChildren(QAbstractButton)]
        assert not any("phantom" in text for text in texts)
    window.desk.tasks._let_go()
    gc.collect()
    assert first() is None


def test_closing_a_study_goes_back_to_the_start(
    window: MainWindow, session: Session, qtbot: QtBot
) -> None:
    press(window, qtbot, Qt.Key.Key_W, modifier=CTRL)
    assert window.start_page.isVisible()
    assert not window.actions_by_id["confirm_frame"].isEnabled()
    assert window.start_page._recent.count() == 1


def test_closing_while_segmenting_ends_every_thread(
    window: MainWindow, segmenter: PhantomSegmenter, qtbot: QtBot, tmp_path: Path
) -> None:
    segmenter.seconds = 0.05
    open_study(window, qtbot, write_study(tmp_path, 60), segmented=False)
    qtbot.waitUntil(lambda: window.desk.segmentation.done > 2)
    window.close()
    assert window.desk.tasks.wait(0)


def test_cancel_keeps_what_was_segmented_and_offers_to_go_on(
    window: MainWindow, segmenter: PhantomSegmenter, qtbot: QtBot, tmp_path: Path
) -> None:
    segmenter.seconds = 0.03
    session = open_study(window, qtbot, write_study(tmp_path, 30), segmented=False)
    qtbot.waitUntil(lambda: window.desk.segmentation.done > 2)
    assert "left" in window.status._work.text()
    qtbot.mouseClick(window.status._cancel, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not window.desk.segmentation.running)
    kept = len(session.study.predictions)
    assert 2 < kept < 30
    segmenter.seconds = 0
    qtbot.mouseClick(window.status._restart, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(session.study.predictions) == 30)


def test_frames_of_a_new_voi_that_are_missing_are_segmented(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    session = open_study(window, qtbot, write_study(tmp_path, 20), segmented=False)
    first = steps.voi_to(steps.voi_from(session.study.review, 3, 20).review, 6)
    last = steps.no_voi(session.study.review)
    window.desk.segmentation.follow(session)  # as if nothing had been segmented by itself
    window.desk.edit(first)
    qtbot.waitUntil(lambda: not window.desk.segmentation.running)
    assert {3, 4, 5, 6} <= session.study.predictions.keys()
    window.desk.edit(last)
    qtbot.waitUntil(lambda: len(session.study.predictions) == 20)


def test_everything_to_click_is_large_enough(window: MainWindow, session: Session) -> None:
    small = [
        (button.text() or button.toolTip(), button.height())
        for bar in (window.top_bar, window.tool_bar, window.status)
        for button in bar.findChildren(QAbstractButton)
        if button.isVisible() and min(button.height(), button.width()) < HIT_PX
    ]
    assert small == []


@pytest.mark.parametrize("name", ["show_shortcuts", "show_about", "show_log", "settings"])
def test_dialogs_block_nothing_and_go_when_closed(
    window: MainWindow, session: Session, qtbot: QtBot, name: str
) -> None:
    getattr(window.commands, name)()
    dialogs = window.findChildren(QDialog)
    assert [dialog.isModal() for dialog in dialogs] == [False]
    dialogs[0].close()
    qtbot.waitUntil(lambda: not window.findChildren(QDialog))


def test_export_is_asked_in_a_dialog(window: MainWindow, session: Session, qtbot: QtBot) -> None:
    press(window, qtbot, Qt.Key.Key_E, modifier=CTRL)
    dialogs = window.findChildren(QDialog)
    assert [dialog.isVisible() for dialog in dialogs] == [True]
    dialogs[0].close()


def test_a_small_screen_is_large_enough(window: MainWindow, session: Session) -> None:
    least = window.minimumSizeHint()
    assert least.width() <= 1280
    assert least.height() <= 700
    window.resize(1280, 700)
    assert window.size().width() == 1280


def test_what_the_reader_noticed_is_said(window: MainWindow, session: Session) -> None:
    notes = session.study.pullback.notes
    assert window.status._message.whole == " ".join(notes)


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc")
def test_opening_and_closing_keeps_no_memory(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    paths = [write_study(tmp_path, 6, name) for name in ("a", "b")]

    def cycle() -> None:
        for path in paths:
            open_study(window, qtbot, path, segmented=False)
            qtbot.waitUntil(lambda: not window.desk.segmentation.running)
        window.desk.close_study()
        gc.collect()

    for _ in range(3):
        cycle()
    before = resident_mb()
    for _ in range(5):
        cycle()
    assert resident_mb() - before < 8
