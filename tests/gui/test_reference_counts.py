"""PySide6 6.12.0 lost references on every repaint: True died after about 200 of them.

Where that happens the interpreter ends with "bool_dealloc", so it happens in a process of its own.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

REPAINTS = 400
MAY_DRIFT = 40
ROOT = Path(__file__).parents[2]

PROGRAM = f"""
import gc, sys
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from tests.gui.image_views import show_in, spots_shown
from calcviewer.gui.view_state import ViewState
from calcviewer.gui.views.cross_section import CrossSectionView

def counts():
    gc.collect()
    return [sys.getrefcount(one) for one in (True, False, None, 0, 1)]

app = QApplication([])
state = ViewState()
view = CrossSectionView(state)
view.resize(300, 300)
show_in(view, spots_shown(20), state)
view.show()
assert QTest.qWaitForWindowExposed(view)
painted = []
paint = view.paintEvent
view.paintEvent = lambda event: (paint(event), painted.append("x"))[0]
def repaint(times):
    for turn in range(times):
        state.go_to(turn % 20)
        view.repaint()
repaint(40)
painted.clear()
before = counts()
repaint({REPAINTS})
after = counts()
assert len(painted) >= {REPAINTS}, len(painted)
print(*(b - a for a, b in zip(before, after)))
"""


def test_repaints_neither_lose_nor_keep_references_of_constants() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stderr
    drift = [int(figure) for figure in ended.stdout.split()]
    assert len(drift) == 5
    assert max(map(abs, drift)) < MAY_DRIFT, drift
