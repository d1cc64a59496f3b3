"""What stays in memory when studies are opened and closed again and again. Prints only."""

from __future__ import annotations

import os

os.environ["QT_QPA_PLATFORM"] = os.environ.get("CALCVIEWER_TEST_PLATFORM", "offscreen")

import sys
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from calcviewer.app.settings import Settings
from calcviewer.gui.main_window import MainWindow
from tests.gui.stored_studies import PhantomSegmenter, write_study

pytestmark = pytest.mark.slow
CYCLES, WARM_UP = 50, 5
REST_MS = 2_500
"""The window gives memory back when it has rested."""


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_fifty_studies(
    qtbot: QtBot,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("calcviewer.gui.segmentation.load_segmenter", lambda *_: PhantomSegmenter())
    paths = [write_study(tmp_path, frames=40, name=name) for name in ("one", "two")]
    window = MainWindow(Settings())
    window.resize(1440, 900)
    window.show()
    desk = window.desk
    used = []
    for cycle in range(WARM_UP + CYCLES):
        window.open_path(paths[cycle % 2])
        qtbot.waitUntil(lambda: desk.shown is not None and not desk.opening.what)
        qtbot.waitUntil(lambda: not desk.segmentation.running)
        window.commands.tool("contour")
        desk.close_study()
        if cycle in (WARM_UP - 1, WARM_UP + CYCLES - 1):
            qtbot.wait(REST_MS)
            used.append(resident_mb())
    window.close()
    before, after = used
    with capsys.disabled():
        print(
            f"\nopened, segmented and closed {CYCLES} times after {WARM_UP}: "
            f"{before:.0f} to {after:.0f} MB"
        )
