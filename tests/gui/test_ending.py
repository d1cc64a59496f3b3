"""The window when it is told to end, when a thread fails, and after a crash."""

from __future__ import annotations

import gc
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from calcviewer.app.program_log import log_path, read_log
from calcviewer.core.private import private_folder
from calcviewer.gui.app import run_window
from calcviewer.gui.ending import ended_by_signals
from calcviewer.gui.main_window import MainWindow
from tests.gui.stored_studies import PhantomSegmenter
from tests.named_patient import TOKENS, named_pullback, tokens_in

needs_signals = pytest.mark.skipif(sys.platform == "win32", reason="tested where signals are")


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    yield
    gc.unfreeze()


def the_window() -> MainWindow:
    """Return the window that is shown: earlier ones may not be deleted yet."""
    (shown,) = shown_windows()
    return shown


def shown_windows() -> list[MainWindow]:
    windows = [one for one in QApplication.topLevelWidgets() if isinstance(one, MainWindow)]
    return [one for one in windows if one.isVisible()]


@needs_signals
@pytest.mark.parametrize("how", ["SIGINT", "SIGTERM"])
def test_a_signal_closes_the_window(qapp: QApplication, how: str) -> None:
    one = getattr(signal, how)
    before = signal.signal(one, signal.SIG_DFL)  # a job in the background ignores SIGINT
    try:
        QTimer.singleShot(50, lambda: signal.raise_signal(one))
        assert run_window(None) == 0
        assert signal.getsignal(one) == signal.SIG_DFL
    finally:
        signal.signal(one, before)
    assert not shown_windows()


@needs_signals
def test_a_second_signal_would_end_the_program_at_once(qtbot: QtBot) -> None:
    told: list[bool] = []
    with ended_by_signals(lambda: told.append(True)):
        signal.raise_signal(signal.SIGTERM)
        assert told == []  # the loop is not disturbed where it is
        qtbot.waitUntil(lambda: bool(told))
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    assert told == [True]


@needs_signals
def test_a_signal_that_is_ignored_stays_ignored(qtbot: QtBot) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    told: list[bool] = []
    try:
        with ended_by_signals(lambda: told.append(True)):
            signal.raise_signal(signal.SIGHUP)
            qtbot.wait(50)
    finally:
        signal.signal(signal.SIGHUP, before)
    assert told == []


def test_the_last_crash_is_told_at_the_start(qapp: QApplication) -> None:
    seen = []

    def look() -> None:
        seen.append(the_window().banner.message)
        the_window().close()

    private_folder(log_path().parent)
    log_path().with_name("crash-1.txt").write_text("Fatal Python error: Aborted\n")
    for _ in range(2):
        QTimer.singleShot(50, look)
        assert run_window(None) == 0
    assert "ended unexpectedly" in seen[0]
    assert seen[1] == ""
    assert "Fatal Python error: Aborted" in read_log()


def test_the_log_of_a_window_names_no_patient(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = named_pullback(tmp_path)
    damaged = path.with_name(f"{TOKENS['file']}-damaged.dcm")
    damaged.write_bytes(path.read_bytes()[:1000])
    patient = TOKENS["PatientName"]

    def broken(*_: object) -> PhantomSegmenter:
        raise KeyError(f"{patient} {path}")

    monkeypatch.setattr("calcviewer.gui.segmentation.load_segmenter", broken)
    said = []

    def step() -> None:
        window = the_window()
        if window.desk.shown is None or window.desk.opening.what:
            return
        if window.banner.message:
            said.append(window.banner.message)
            window.banner.hide()
        if len(said) == 1:
            window.open_path(damaged)
        elif len(said) == 2:
            sys.excepthook(ValueError, ValueError(f"{patient} {path}"), None)
            thread = threading.Thread(target=broken)
            thread.start()
            thread.join()
        elif len(said) == 3:
            timer.stop()
            window.close()

    timer = QTimer()
    timer.timeout.connect(step)
    timer.start(20)
    assert run_window(path) == 0
    # All of it happened, and was said in full on the screen alone.
    assert patient in said[0]
    assert TOKENS["file"] in said[1]
    assert patient in said[2]
    log = read_log()
    for known in ("opened a .dcm file, 2 frames", "refused a .dcm file", "KeyError", "ValueError"):
        assert known in log
    assert [tokens_in(one) for one in log_path().parent.iterdir()] == [set()]
