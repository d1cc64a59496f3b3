"""The real window with a stored study, for tests that work it as its user does."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from calcviewer.app.session import Session
from calcviewer.app.settings import Settings
from calcviewer.core.pullback import CalibratedValue, Origin
from calcviewer.gui.main_window import MainWindow
from tests.gui.image_views import pixels

NONE = Qt.KeyboardModifier.NoModifier
STILL_S = 0.35
"""Longer than streamed results are gathered before they are shown."""


def shown_window(qtbot: QtBot) -> MainWindow:
    made = MainWindow(Settings())
    with qtbot.waitActive(made):
        made.show()
        made.activateWindow()
    return made


def opened(window: MainWindow, qtbot: QtBot, path: Path) -> Session:
    before = window.desk.shown
    window.open_path(path)
    qtbot.waitUntil(lambda: window.desk.shown not in (None, before))
    assert window.desk.shown is not None
    qtbot.waitUntil(lambda: not window.desk.segmentation.running)
    at_rest(window, qtbot)
    return window.desk.shown.session


def at_rest(window: MainWindow, qtbot: QtBot) -> None:
    """Wait until the window shows all it has been told."""
    qtbot.waitUntil(lambda: window.longitudinal.canvas.store.complete)
    seen, since = pixels(window), time.monotonic()

    def still() -> bool:
        nonlocal seen, since
        now = pixels(window)
        if not np.array_equal(now, seen):
            seen, since = now, time.monotonic()
        return time.monotonic() - since > STILL_S

    qtbot.waitUntil(still)


def press(qtbot: QtBot, window: MainWindow, *keys: Qt.Key, modifier: object = NONE) -> None:
    for key in keys:
        qtbot.keyClick(QApplication.focusWidget() or window, key, modifier)


def double_scale(session: Session) -> None:
    """Let the operator say that a sample is twice as long."""
    calibration = session.study.calibration
    spacing = calibration.sample_spacing_mm
    assert spacing is not None
    twice = CalibratedValue(2 * spacing.value, Origin.OPERATOR)
    review = replace(
        session.study.review, calibration=replace(calibration, sample_spacing_mm=twice)
    )
    session.edit("set sample spacing", review)
