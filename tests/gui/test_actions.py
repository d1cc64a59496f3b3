"""The one list of actions: it binds the keys of `experience.md` and makes menu and table."""

from __future__ import annotations

from collections import Counter

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from calcviewer.gui.actions import ACTIONS, GROUPS, bind, build_menu, shortcut_table
from calcviewer.gui.commands import Commands
from calcviewer.gui.keys import KeyWatch
from tests.gui.waiting import deliver_events

BY_ID = {spec.id: spec for spec in ACTIONS}


@pytest.mark.parametrize(
    ("key", "id"),
    [
        ("Left", "previous_frame"),
        ("Right", "next_frame"),
        ("Shift+Left", "back"),
        ("Shift+Right", "forward"),
        ("F", "fit"),
        ("Space", "play"),
        ("Home", "first_frame"),
        ("End", "last_frame"),
        ("B", "bookmark"),
        ("N", "next_decisive"),
        ("Shift+N", "previous_decisive"),
        ("G", "go_to"),
        ("M", "next_maximum"),
        ("H", "hide"),
        ("1", "layout_1"),
        ("5", "layout_5"),
        ("V", "voi_from"),
        ("Ctrl+Z", "undo"),
        ("Ctrl+Shift+Z", "redo"),
        ("Return", "confirm_frame"),
        ("Enter", "confirm_frame"),
        ("Esc", "escape"),
    ],
)
def test_keys_are_those_of_the_operators_table(key: str, id: str) -> None:
    assert key in BY_ID[id].keys


def test_no_key_and_no_id_comes_twice() -> None:
    keys = Counter(key for spec in ACTIONS for key in spec.keys)
    ids = Counter(spec.id for spec in ACTIONS)
    assert not [name for name, count in (keys + ids).items() if count > 1]


def test_every_key_is_one_that_qt_knows() -> None:
    for spec in ACTIONS:
        for key in spec.keys:
            assert QKeySequence(key).toString() == key


def test_every_action_is_done_by_a_method() -> None:
    assert [spec.id for spec in ACTIONS if not callable(getattr(Commands, spec.slot, None))] == []


def test_the_table_has_every_key() -> None:
    shown = " ".join(keys for _, keys, _ in shortcut_table())
    for spec in ACTIONS:
        for key in spec.keys:
            assert QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText) in shown


class Recorder:
    """Takes every slot of the list and notes what was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[object, ...]] = []

    def __getattr__(self, name: str) -> object:
        return lambda *values: self.asked.append((name, *values))


def test_the_menu_has_every_action_once(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    menu = build_menu(bind(window, Recorder()), window)
    assert [entry.text() for entry in menu.actions()] == list(GROUPS)
    entries = [action for entry in menu.actions() for action in entry.menu().actions()]
    assert Counter(action.objectName() for action in entries) == Counter(list(BY_ID))


def test_keys_reach_their_slots(qtbot: QtBot) -> None:
    window, recorder = QWidget(), Recorder()
    qtbot.addWidget(window)
    bind(window, recorder)
    with qtbot.waitActive(window):
        window.show()
        window.activateWindow()
    window.setFocus()
    none, shift = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier
    for key, modifier in (
        (Qt.Key.Key_Right, none),
        (Qt.Key.Key_Left, shift),
        (Qt.Key.Key_N, shift),
        (Qt.Key.Key_3, none),
        (Qt.Key.Key_Enter, Qt.KeyboardModifier.KeypadModifier),
        (Qt.Key.Key_H, none),
    ):
        qtbot.keyClick(window, key, modifier)
    assert recorder.asked == [
        ("step", 1),
        ("step", -10),
        ("decisive", -1),
        ("layout", 3),
        ("confirm_frame",),
        ("hide_overlay", True),
    ]


class Stepped(QWidget):
    """A window that counts the steps a held key makes."""

    def __init__(self) -> None:
        super().__init__()
        self.field, self.button = QLineEdit(), QPushButton("press")
        column = QVBoxLayout(self)
        column.addWidget(self.field)
        column.addWidget(self.button)
        self.released = 0
        self.steps = 0
        self.watch = KeyWatch(self, {Qt.Key.Key_H: self._release})

    def _release(self) -> None:
        self.released += 1

    def step(self) -> None:
        if self.watch.may_step():
            self.steps += 1
            self.update()


@pytest.fixture
def stepped(qtbot: QtBot) -> Stepped:
    window = Stepped()
    qtbot.addWidget(window)
    with qtbot.waitActive(window):
        window.show()
        window.activateWindow()
    window.setFocus()
    return window


def override(window: QWidget, key: Qt.Key, *, repeat: bool) -> QKeyEvent:
    """Send the event that asks whether a key is a shortcut, as it comes before each one."""
    none = Qt.KeyboardModifier.NoModifier
    event = QKeyEvent(QEvent.Type.ShortcutOverride, key, none, "", repeat)
    event.ignore()
    QApplication.sendEvent(window, event)
    return event


def test_a_held_key_never_queues_steps(stepped: Stepped, qtbot: QtBot) -> None:
    override(stepped, Qt.Key.Key_Right, repeat=False)
    stepped.step()
    for _ in range(10):  # all before the window could be repainted
        override(stepped, Qt.Key.Key_Right, repeat=True)
        stepped.step()
    assert stepped.steps == 1
    deliver_events()  # the repaint among them
    override(stepped, Qt.Key.Key_Right, repeat=True)
    stepped.step()
    assert stepped.steps == 2


def test_single_presses_are_never_dropped(stepped: Stepped) -> None:
    for _ in range(5):
        override(stepped, Qt.Key.Key_Right, repeat=False)
        stepped.step()
    assert stepped.steps == 5


def test_keys_typed_into_a_field_are_text(stepped: Stepped) -> None:
    stepped.field.setFocus()
    assert override(stepped, Qt.Key.Key_Return, repeat=False).isAccepted()
    stepped.button.setFocus()
    assert not override(stepped, Qt.Key.Key_Return, repeat=False).isAccepted()
    assert override(stepped, Qt.Key.Key_Space, repeat=False).isAccepted()


def test_a_held_key_ends_with_its_release_and_with_the_focus(
    stepped: Stepped, qtbot: QtBot
) -> None:
    qtbot.keyRelease(stepped, Qt.Key.Key_H)
    assert stepped.released == 1
    QApplication.sendEvent(stepped, QEvent(QEvent.Type.WindowDeactivate))
    assert stepped.released == 2
