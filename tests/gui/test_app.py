"""The application as it is started, from the first window to the last."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from calcviewer.app.program_log import log_path
from calcviewer.gui.app import run_window
from calcviewer.gui.log_view import LogView, log_tail
from calcviewer.gui.main_window import MainWindow
from tests.gui.stored_studies import PhantomSegmenter, write_study


@pytest.fixture(autouse=True)
def as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("signal.signal", lambda *_: None)
    monkeypatch.setattr("calcviewer.gui.segmentation.load_segmenter", lambda *_: PhantomSegmenter())
    yield
    gc.unfreeze()


def the_window() -> MainWindow:
    windows = [one for one in QApplication.topLevelWidgets() if isinstance(one, MainWindow)]
    return windows[-1]


def test_the_window_opens_a_study_and_ends_when_it_is_closed(
    qapp: QApplication, tmp_path: Path
) -> None:
    frames = []

    def close_when_open() -> None:
        window = the_window()
        if window.desk.shown is None:
            return
        frames.append(window.desk.state.frame_count)
        window.close()

    timer = QTimer()
    timer.timeout.connect(close_when_open)
    timer.start(20)
    assert run_window(write_study(tmp_path)) == 0
    assert frames == [12]
    assert "starts" in log_path().read_text()


def test_a_bug_is_logged_and_told_and_the_window_lives_on(qapp: QApplication) -> None:
    seen = []

    def look() -> None:
        seen.append(the_window().banner.message)
        the_window().close()

    QTimer.singleShot(50, lambda: sys.excepthook(ZeroDivisionError, ZeroDivisionError("bug"), None))
    QTimer.singleShot(100, look)
    assert run_window(None) == 0
    assert "The study is still open" in seen[0]
    assert "ZeroDivisionError" in seen[0]
    assert "ZeroDivisionError" in log_tail()


def test_the_log_is_shown_from_its_end(qapp: QApplication) -> None:
    assert log_tail() == ""
    log_path().parent.mkdir(parents=True)
    log_path().write_text("old\n" * 100_000 + "newest\n")
    view = LogView()
    assert view._text.toPlainText().endswith("newest\n")
    assert len(view._text.toPlainText()) < 250_000
