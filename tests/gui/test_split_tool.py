"""The tool that splits deposits, with the mouse in both views."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from calcviewer.gui.tools.deposit_targets import see
from calcviewer.gui.tools.split import SplitTool
from tests.gui.image_views import turn_wheel
from tests.gui.tool_views import CENTRE_MM, VIEWS, Bench, off_centre, open_bench, seen_from_o


@pytest.fixture
def tool() -> SplitTool:
    return SplitTool()


@pytest.fixture
def bench(qtbot: QtBot, tool: SplitTool) -> Bench:
    return open_bench(qtbot, tool)


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize(
    ("at_deg", "arcs_deg"), [(0, [30, 30, 40]), (345, [15, 45, 40]), (160, [10, 30, 60])]
)
def test_a_line_across_a_deposit_splits_it(
    bench: Bench, tool: SplitTool, view: str, at_deg: float, arcs_deg: list[float]
) -> None:
    before = bench.annotation
    bench.press(view, seen_from_o(at_deg, 1.4))
    bench.move(view, seen_from_o(at_deg, 1.9))
    assert bench.annotation is before
    assert "Draw on" in tool.status()
    bench.move(view, seen_from_o(at_deg, 2.5))
    assert "Release to split" in tool.status()
    (mark,) = tool.marks()
    shown = sorted(float(text.removesuffix("°")) for text in mark.text.split(" | "))
    assert shown == pytest.approx(sorted(arcs_deg[:2]), abs=1)

    bench.release(view, seen_from_o(at_deg, 2.5))

    assert bench.annotation is not None
    found = [see(contour, CENTRE_MM).arc.extent_deg for contour in bench.annotation.calcium]
    assert sorted(found) == pytest.approx(sorted(arcs_deg), abs=1)
    assert bench.steps() == ["split calcium"]
    bench.session.undo()
    assert bench.annotation is before


def test_a_line_that_does_not_get_across_leaves_no_trace(bench: Bench) -> None:
    before = bench.annotation

    bench.drag("section", *(seen_from_o(0, radius) for radius in (1.4, 2.5, 1.9)))

    assert bench.annotation is before
    assert bench.steps() == []


def test_esc_takes_the_cut_back(bench: Bench, tool: SplitTool) -> None:
    before = bench.annotation
    bench.press("polar", seen_from_o(0, 1.4))
    bench.move("polar", seen_from_o(0, 2.5))

    bench.key(Qt.Key.Key_Escape, "polar")
    bench.release("polar", seen_from_o(0, 2.5))

    assert bench.annotation is before
    assert bench.steps() == []


def test_the_wheel_still_steps_one_frame(bench: Bench) -> None:
    turn_wheel(bench.views["section"], -120)

    assert bench.state.frame == 1


def test_without_calcium_there_is_nothing_to_split(qtbot: QtBot, tool: SplitTool) -> None:
    bench = open_bench(qtbot, tool, off_centre())

    bench.drag("section", seen_from_o(0, 1.4), seen_from_o(0, 2.5))
    bench.hover("section", seen_from_o(0, 2.0))

    assert bench.steps() == []
    assert "No calcium" in tool.status()
    assert bench.views["section"].cursor().shape() == Qt.CursorShape.ForbiddenCursor


def test_the_deposit_that_would_be_split_glows(bench: Bench, tool: SplitTool) -> None:
    assert bench.annotation is not None
    bench.hover("section", seen_from_o(170, 2.0))
    (mark,) = tool.marks()
    assert mark.line_mm is bench.annotation.calcium[1].points_mm
    assert "right across" in tool.status()
    bench.hover("section", seen_from_o(250, 2.0))
    assert tool.marks() == ()
