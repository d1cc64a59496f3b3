"""The tool that adds calcium in three steps, with the mouse in both views."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from calcviewer.core.annotation import FrameAnnotation
from calcviewer.gui.tools.deposit_targets import see
from calcviewer.gui.tools.sector import Sector, SectorTool, Step, depth_behind, line_behind
from tests.gui.image_views import turn_wheel
from tests.gui.tool_views import (
    CENTRE_MM,
    LUMEN_MM,
    VIEWS,
    Bench,
    off_centre,
    open_bench,
    ring,
    seen_from_o,
)

ON_WALL_MM = 1.9


@pytest.fixture
def tool() -> SectorTool:
    return SectorTool()


@pytest.fixture
def bench(qtbot: QtBot, tool: SectorTool) -> Bench:
    return open_bench(qtbot, tool, off_centre())


def sweep(bench: Bench, view: str, start_deg: float, end_deg: float) -> None:
    steps = 2 + int(abs(end_deg - start_deg) / 6)
    angles = np.linspace(start_deg, end_deg, steps)
    bench.drag(view, *(seen_from_o(float(angle), ON_WALL_MM) for angle in angles))


def added(bench: Bench) -> tuple[float, float, float, float]:
    """Return start, extent, depth and thickness of the one deposit in the frame."""
    assert bench.annotation is not None
    (contour,) = bench.annotation.calcium
    seen = see(contour, CENTRE_MM)
    front, back = float(np.median(seen.front_mm)), float(np.median(seen.back_mm))
    return seen.arc.start_deg, seen.arc.extent_deg, front - LUMEN_MM, back - front


def test_depth_behind_the_lumen() -> None:
    lumen = ring(LUMEN_MM)

    assert depth_behind(lumen, seen_from_o(70, 1.9)) == pytest.approx(0.4, abs=1e-3)
    assert depth_behind(lumen, seen_from_o(0.1, 1.2)) == pytest.approx(-0.3, abs=1e-3)


def test_a_line_behind_the_lumen_through_theta_0() -> None:
    line = line_behind(ring(LUMEN_MM), Sector(20, -50), 0.3)

    assert np.hypot(*(line - CENTRE_MM).T) == pytest.approx(np.full(len(line), 1.8), abs=1e-3)
    assert line[0] == pytest.approx(seen_from_o(330, 1.8), abs=1e-3)
    assert line[-1] == pytest.approx(seen_from_o(20, 1.8), abs=1e-3)


def test_borders_stay_in_order() -> None:
    sector = Sector(0, 40).with_inner(-0.2)
    assert sector.inner_mm == 0
    assert sector.outer_mm == pytest.approx(0.4)
    assert sector.with_outer(-1).outer_mm == pytest.approx(0.05)
    assert Sector(0, 350).turned_by(40).extent_deg < 360


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize(("start_deg", "end_deg"), [(100, 160), (30, -40), (-40, 30), (300, 420)])
def test_three_short_steps_add_a_deposit(
    bench: Bench, tool: SectorTool, view: str, start_deg: float, end_deg: float
) -> None:
    before = bench.annotation
    middle = (start_deg + end_deg) / 2
    assert tool.status().startswith("1 of 3")
    sweep(bench, view, start_deg, end_deg)
    assert tool.step is Step.INNER
    assert tool.status().startswith("2 of 3")
    bench.hover(view, seen_from_o(middle, 1.65))
    assert added(bench)[2] == pytest.approx(0.15, abs=0.02)  # it follows the mouse
    bench.click(view, seen_from_o(middle, 1.7))
    assert tool.status().startswith("3 of 3")
    bench.hover(view, seen_from_o(middle, 2.5))
    bench.click(view, seen_from_o(middle, 2.4))

    start, extent, depth, thickness = added(bench)
    assert (start - min(start_deg, end_deg) + 180) % 360 - 180 == pytest.approx(0, abs=1)
    assert extent == pytest.approx(abs(end_deg - start_deg), abs=1.5)
    assert depth == pytest.approx(0.2, abs=0.02)
    assert thickness == pytest.approx(0.7, abs=0.02)
    assert tool.step is Step.ARC
    assert bench.steps() == ["add calcium"]
    bench.session.undo()
    assert bench.annotation is before


def test_the_score_follows_from_the_first_step_on(bench: Bench) -> None:
    bench.press("section", seen_from_o(100, ON_WALL_MM))
    bench.move("section", seen_from_o(150, ON_WALL_MM))

    measured = bench.session.results.frames[0]
    assert measured is not None
    assert measured.max_arc_deg_visible == pytest.approx(50, abs=1.5)


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("key", [Qt.Key.Key_Escape, Qt.Key.Key_Undo])
def test_esc_steps_back(bench: Bench, tool: SectorTool, view: str, key: Qt.Key) -> None:
    before = bench.annotation
    sweep(bench, view, 100, 160)
    bench.click(view, seen_from_o(130, 1.7))
    assert tool.step is Step.OUTER

    assert tool.wants(key)
    tool.press_key(key)
    assert tool.step is Step.INNER
    assert added(bench)[1] == pytest.approx(60, abs=1.5)
    tool.press_key(key)

    assert tool.step is Step.ARC
    assert bench.annotation is before
    assert bench.steps() == []
    assert not tool.wants(key)


def test_a_click_adds_nothing(bench: Bench, tool: SectorTool) -> None:
    before = bench.annotation

    bench.click("section", seen_from_o(100, ON_WALL_MM))

    assert tool.step is Step.ARC
    assert bench.annotation is before
    assert bench.steps() == []


def test_undo_from_elsewhere_begins_anew(bench: Bench, tool: SectorTool) -> None:
    before = bench.annotation
    sweep(bench, "section", 100, 160)
    bench.session.undo()

    bench.hover("section", seen_from_o(130, 2.0))

    assert tool.step is Step.ARC
    assert bench.annotation is before
    assert bench.steps() == []


def test_the_wheel_steps_one_frame_and_keeps_what_was_drawn(bench: Bench, tool: SectorTool) -> None:
    sweep(bench, "section", 100, 160)
    turn_wheel(bench.views["section"], -120)

    assert bench.state.frame == 1
    assert tool.step is Step.ARC
    assert bench.steps() == ["add calcium"]
    bench.state.go_to(0)
    assert added(bench)[1] == pytest.approx(60, abs=1.5)


def test_without_a_lumen_nothing_can_be_added(qtbot: QtBot, tool: SectorTool) -> None:
    bench = open_bench(qtbot, tool, FrameAnnotation())

    sweep(bench, "section", 100, 160)
    bench.hover("section", seen_from_o(100, 2.0))

    assert bench.steps() == []
    assert "lumen" in tool.status()
    assert bench.views["section"].cursor().shape() == Qt.CursorShape.ForbiddenCursor


@pytest.mark.parametrize("calibrated", [True, False])
def test_each_step_shows_its_figure(qtbot: QtBot, tool: SectorTool, *, calibrated: bool) -> None:
    bench = open_bench(qtbot, tool, off_centre(), calibrated=calibrated)

    def figure() -> str:
        (mark,) = tool.marks()
        return mark.text

    bench.hover("section", seen_from_o(100, ON_WALL_MM))
    assert figure() == ""  # only where it would begin
    bench.press("section", seen_from_o(100, ON_WALL_MM))
    assert tool.marks() == ()
    bench.move("section", seen_from_o(150, ON_WALL_MM))
    assert figure() == "50°"
    bench.release("section", seen_from_o(150, ON_WALL_MM))
    bench.hover("section", seen_from_o(130, 1.7))
    assert figure() in (("depth 0.19 mm", "depth 0.20 mm") if calibrated else ("50°",))
    bench.click("section", seen_from_o(130, 1.7))
    bench.hover("section", seen_from_o(130, 2.3))
    thicknesses = [f"thickness {mm:.2f} mm" for mm in (0.59, 0.6, 0.61)]
    assert figure() in (thicknesses if calibrated else ("50°",))
