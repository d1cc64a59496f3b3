"""How long the window does not answer while it opens and segments a pullback. Prints only."""

from __future__ import annotations

import os

os.environ["QT_QPA_PLATFORM"] = os.environ.get("CALCVIEWER_TEST_PLATFORM", "offscreen")

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

from calcviewer.app.settings import Settings
from calcviewer.app.simulate import write_simulated
from calcviewer.gui.main_window import MainWindow
from calcviewer.gui.theme import apply_theme
from calcviewer.simulation import PullbackSpec
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.slow
FRAMES = 20
SHOWING_S = 1.0
_BEAT_MS = 5


class Pulse:
    """Notes the time between two turns of the event loop."""

    def __init__(self) -> None:
        self.gaps: list[float] = []
        self._last = time.perf_counter()
        self._timer = QTimer()
        self._timer.timeout.connect(self._beat)
        self._timer.start(_BEAT_MS)

    def take(self) -> str:
        """Return the gaps so far in words, and begin anew."""
        median, late, longest = 1e3 * np.percentile(self.gaps, [50, 99, 100])
        over = sum(gap > 0.05 for gap in self.gaps)
        self.gaps.clear()
        return (
            f"event loop gap median {median:.0f}, p99 {late:.0f}, longest {longest:.0f} ms, "
            f"{over} over 50 ms"
        )

    def _beat(self) -> None:
        now = time.perf_counter()
        self.gaps.append(now - self._last)
        self._last = now


def run_until(done: Callable[[], bool]) -> float:
    """Let the window work until something holds; return how long that took, in seconds."""
    begun = time.perf_counter()
    loop = QEventLoop()
    watch = QTimer()
    watch.timeout.connect(lambda: loop.quit() if done() or _late(begun) else None)
    watch.start(5)
    loop.exec()
    assert done()
    return time.perf_counter() - begun


def _late(begun: float) -> bool:
    return time.perf_counter() - begun > PATIENCE_S


def test_the_window_answers_while_it_opens_and_segments(
    qapp: QApplication, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = PullbackSpec(seed=4, frames=FRAMES, a_lines=504, samples=960)
    write_simulated(tmp_path, spec)
    apply_theme(qapp)
    window = MainWindow(Settings())
    window.resize(1440, 900)
    window.show()
    run_until(window.isVisible)
    pulse = Pulse()
    window.open_path(tmp_path / "pullback.dcm")
    first = run_until(lambda: window.desk.shown is not None)
    shown = time.perf_counter()
    run_until(lambda: time.perf_counter() > shown + SHOWING_S)
    opening = pulse.take()
    segmentation = window.desk.segmentation
    whole = run_until(lambda: segmentation.done == FRAMES and not segmentation.running)
    segmenting = pulse.take()
    window.close()
    with capsys.disabled():
        print(
            f"\nopening, first frame after {1e3 * first:.0f} ms: {opening}"
            f"\nsegmenting {FRAMES} frames in {whole:.1f} s ({1e3 * whole / FRAMES:.0f} ms a "
            f"frame): {segmenting}"
        )
