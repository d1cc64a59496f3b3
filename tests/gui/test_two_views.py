"""A gesture in one image view, seen in the other."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from calcviewer.gui.tools.contour import ContourTool
from tests.gui.tool_bench import BOTH_VIEWS, LUMEN_MM, Bench

MOVES = 60
ANGLE_DEG = 120.0


@pytest.mark.parametrize("name", BOTH_VIEWS)
def test_the_view_without_the_mouse_follows_slower_and_ends_up_to_date(
    name: str, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(ContourTool(), qtbot)
    here = bench.view(name)
    (there,) = (view for view in bench.views if view is not here)
    for view in bench.views:
        with qtbot.waitExposed(view):
            view.show()
    painted = dict.fromkeys(bench.views, 0)
    for view in bench.views:
        refresh = view._refresh

        def counted(shown: object, view: object = view, refresh: object = refresh) -> None:
            painted[view] += 1
            refresh(shown)

        monkeypatch.setattr(view, "_refresh", counted)

    bench.press(name, (ANGLE_DEG, LUMEN_MM))
    for move in range(MOVES):
        bench.move(name, (ANGLE_DEG, LUMEN_MM + 0.1 * (1 + move % 2)))
        QApplication.processEvents()
    assert painted[here] >= MOVES
    assert painted[there] < MOVES
    last = (ANGLE_DEG, LUMEN_MM + 0.15)
    bench.move(name, last)
    bench.release(name, last)
    qtbot.waitUntil(lambda: there.annotation is bench.annotation)
