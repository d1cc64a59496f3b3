"""From an edit to the updated score, and a drag in the window. Prints only."""

from __future__ import annotations

import os

os.environ["QT_QPA_PLATFORM"] = os.environ.get("CALCVIEWER_TEST_PLATFORM", "offscreen")

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from calcviewer.app.correction import corrected
from calcviewer.app.results import compute_results
from calcviewer.app.review import calibration_value
from calcviewer.app.session import Session
from calcviewer.app.settings import Settings
from calcviewer.core.contour import Contour
from calcviewer.core.pullback import Origin
from calcviewer.gui.main_window import MainWindow
from calcviewer.gui.theme import apply_theme
from tests.benchmarks.test_frame_stepping import FRAMES, make_study

EDITS = 600
MOVES = 200
SETTLE_S = 6.0


def moved_lumen(session: Session, frame: int, move: int) -> None:
    """Widen the lumen of a frame a little, as one move of a drag does."""
    annotation = session.study.annotation(frame)
    assert annotation is not None
    assert annotation.lumen is not None
    factor = 1.0005 if move % 20 < 10 else 1 / 1.0005
    lumen = Contour(annotation.lumen.points_mm * factor)
    review = corrected(session.study, frame, replace(annotation, lumen=lumen))
    session.edit("drag the lumen", review, gesture=("drag", frame))


def test_edit_to_score(capsys: pytest.CaptureFixture[str]) -> None:
    session = make_study().session
    start = time.perf_counter()
    assert session.results.lesions
    first = time.perf_counter() - start
    rng = np.random.default_rng(0)
    seconds, busy = [], []
    for move in range(EDITS):
        frame = int(rng.integers(FRAMES))
        start, begun = time.perf_counter(), time.process_time()
        moved_lumen(session, frame, move)
        scores = [lesion.verdict for lesion in session.results.lesions]
        seconds.append(time.perf_counter() - start)
        busy.append(time.process_time() - begun)
        assert scores
    assert session.results.lesions == compute_results(session.study, {}).lesions
    with capsys.disabled():
        print(
            f"\nedit to score, {FRAMES} frames with calcium (wanted: median < 5 ms, p99 < 16 ms): "
            f"{spread(seconds)}; of processor {spread(busy)}; all frames anew {1e3 * first:.0f} ms"
        )


def spread(seconds: list[float]) -> str:
    median, late, worst = 1e3 * np.percentile(seconds, [50, 99, 100])
    return f"median {median:.1f} ms, p99 {late:.1f} ms, worst {worst:.1f} ms"


@pytest.fixture
def window(qapp: QApplication, qtbot: QtBot) -> Iterator[MainWindow]:
    apply_theme(qapp)
    made = MainWindow(Settings())
    made.resize(1440, 900)
    made.show()
    yield made
    made.close()


def test_drag_in_the_window(
    window: MainWindow, qtbot: QtBot, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = make_study()
    assert shown.session.results.lesions
    window.desk.show(shown, tmp_path / "phantom.npz")
    window.desk.state.go_to(200)
    settle(SETTLE_S)
    updates, busy = drag_rate(shown.session)
    step = calibration_value(
        shown.session.study, "sample_spacing_mm", 0.0051, origin=Origin.OPERATOR
    )
    gap = longest_gap(lambda: window.desk.edit(step))
    with capsys.disabled():
        print(
            f"\ndrag with all panels visible (wanted 30 updates a second): {updates:.0f}, "
            f"{1e3 * busy:.1f} ms of processor each; longest gap in the event loop after a "
            f"calibration of {FRAMES} frames: {1e3 * gap:.0f} ms"
        )


def settle(seconds: float) -> None:
    """Let everything that streams in arrive."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        QApplication.processEvents()
        time.sleep(0.01)


def drag_rate(session: Session) -> tuple[float, float]:
    """Return how many moves of a drag are shown a second, and seconds of processor for each."""
    start, begun = time.perf_counter(), time.process_time()
    for move in range(MOVES):
        moved_lumen(session, 200, move)
        QApplication.processEvents()
    seconds, busy = time.perf_counter() - start, time.process_time() - begun
    session.finish()
    return MOVES / seconds, busy / MOVES


def longest_gap(act: object) -> float:
    """Return the longest time, in seconds, in which no event was handled after something."""
    settle(1.0)
    last, gaps = [time.perf_counter()], [0.0]

    def tick() -> None:
        now = time.perf_counter()
        gaps.append(now - last[0])
        last[0] = now

    timer = QTimer()
    timer.timeout.connect(tick)
    timer.start(0)
    QTimer.singleShot(100, act)
    settle(4.0)
    timer.stop()
    return max(gaps)
