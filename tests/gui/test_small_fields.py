"""The small fields over the views take what is typed, and leave the window its commands."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from calcviewer.gui.main_window import MainWindow
from tests.gui.open_windows import opened, press, shown_window
from tests.gui.stored_studies import PhantomSegmenter, write_study

CTRL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path, segmenter: PhantomSegmenter) -> MainWindow:
    made = shown_window(qtbot)
    opened(made, qtbot, write_study(tmp_path))
    return made


@pytest.mark.parametrize("asks", [Qt.Key.Key_G, Qt.Key.Key_X], ids=["go to", "exclude"])
def test_letters_are_text_and_commands_are_commands(
    window: MainWindow, qtbot: QtBot, asks: Qt.Key
) -> None:
    press(qtbot, window, asks)
    (field,) = (one for one in window.findChildren(QLineEdit) if one.hasFocus())
    before = window.desk.state.frame
    press(qtbot, window, Qt.Key.Key_End, Qt.Key.Key_B)
    assert window.desk.state.frame == before
    assert window.desk.shown is not None
    assert not window.desk.shown.session.study.review.bookmarks
    press(qtbot, window, Qt.Key.Key_W, modifier=CTRL)
    assert window.desk.shown is None
    assert not field.isVisible()
