"""The tool that corrects guidewire shadows, with the mouse in both views."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from calcviewer.core.geometry import Arc
from calcviewer.gui.tools.guidewire import GuidewireTool, Part, SectorHit, edges_mm, hit_sector
from calcviewer.gui.tools.tool import Pointer
from tests.gui.image_views import turn_wheel
from tests.gui.tool_views import (
    TWO_DEPOSITS,
    VIEWS,
    Bench,
    off_centre,
    open_bench,
    seen_from_catheter,
)

RADIUS_MM = 3.0


@pytest.fixture
def tool() -> GuidewireTool:
    return GuidewireTool()


@pytest.fixture
def bench(qtbot: QtBot, tool: GuidewireTool) -> Bench:
    return open_bench(qtbot, tool)


def wires(bench: Bench) -> list[tuple[float, float]]:
    assert bench.annotation is not None
    return sorted((wire.start_deg, wire.extent_deg) for wire in bench.annotation.guidewires)


def sweep(bench: Bench, view: str, start_deg: float, end_deg: float) -> None:
    steps = 2 + int(abs(end_deg - start_deg) / 4)
    angles = np.linspace(start_deg, end_deg, steps)
    bench.drag(view, *(seen_from_catheter(float(angle), RADIUS_MM) for angle in angles))


def test_the_edges_begin_at_the_lumen() -> None:
    for edge, angle in zip(edges_mm(TWO_DEPOSITS, Arc(340, 30), 4.0), (340, 10), strict=True):
        begin, end = edge
        assert np.hypot(*(begin - (0.4, -0.3))) == pytest.approx(1.5, abs=2e-3)
        assert end == pytest.approx(seen_from_catheter(angle, 4.0))


@pytest.mark.parametrize("reach_deg", [None, 9.0])
def test_edges_and_bodies_are_found(reach_deg: float | None) -> None:
    annotation = off_centre(wires=(Arc(340, 40), Arc(90, 8)))

    def hit(angle_deg: float) -> SectorHit | None:
        at = seen_from_catheter(angle_deg, RADIUS_MM)
        return hit_sector(annotation, Pointer(at, 0.2, reach_deg=reach_deg), 4.0)

    assert hit(337) == SectorHit(0, Part.START)
    assert hit(343) == SectorHit(0, Part.START)
    assert hit(17) == SectorHit(0, Part.END)
    assert hit(0) == SectorHit(0, Part.BODY)
    assert hit(91) == SectorHit(1, Part.START)
    assert hit(94) == SectorHit(1, Part.BODY)  # even a narrow one can be taken by its middle
    assert hit(200) is None


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize(
    ("from_deg", "to_deg", "expected"),
    [(10, 30, (340, 50)), (340, 300, (300, 70)), (10, -5, (340, 15)), (340, 365, (5, 5))],
)
def test_an_edge_is_dragged(
    bench: Bench, view: str, from_deg: float, to_deg: float, expected: tuple[float, float]
) -> None:
    before = bench.annotation

    sweep(bench, view, from_deg, to_deg)

    assert wires(bench) == [pytest.approx(expected, abs=1)]
    assert bench.steps() == ["move guidewire edge"]
    bench.session.undo()
    assert bench.annotation is before


def test_an_edge_dragged_past_the_other_leaves_a_narrow_shadow(bench: Bench) -> None:
    sweep(bench, "section", 10, -120)

    assert wires(bench) == [pytest.approx((340, 1), abs=0.1)]


@pytest.mark.parametrize("view", VIEWS)
def test_a_shadow_is_moved(bench: Bench, tool: GuidewireTool, view: str) -> None:
    sweep(bench, view, 355, 325)

    assert wires(bench) == [pytest.approx((310, 30), abs=1)]
    assert bench.steps() == ["move guidewire"]
    assert tool.selected


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize(("from_deg", "to_deg"), [(100, 130), (130, 100)])
def test_a_drag_in_empty_space_adds_one(
    bench: Bench, tool: GuidewireTool, view: str, from_deg: float, to_deg: float
) -> None:
    before = bench.annotation

    sweep(bench, view, from_deg, to_deg)

    assert wires(bench) == [pytest.approx((100, 30), abs=1), (340, 30)]
    assert bench.steps() == ["add guidewire"]
    texts = [mark.text for mark in tool.marks() if mark.text]
    assert texts == ["30°"]
    bench.session.undo()
    assert bench.annotation is before


def test_a_first_one_across_theta_0(qtbot: QtBot, tool: GuidewireTool) -> None:
    bench = open_bench(qtbot, tool, off_centre())

    sweep(bench, "polar", 350, 375)

    assert wires(bench) == [pytest.approx((350, 25), abs=1)]


@pytest.mark.parametrize("view", VIEWS)
def test_delete_removes_the_selected_one(bench: Bench, tool: GuidewireTool, view: str) -> None:
    before = bench.annotation
    bench.click(view, seen_from_catheter(355, RADIUS_MM))
    assert bench.annotation is before
    assert tool.selected

    bench.key(Qt.Key.Key_Delete, view)

    assert wires(bench) == []
    assert bench.steps() == ["remove guidewire"]
    bench.session.undo()
    assert bench.annotation is before


@pytest.mark.parametrize("from_deg", [10, 100, 355])
def test_esc_takes_a_drag_back(bench: Bench, tool: GuidewireTool, from_deg: float) -> None:
    before = bench.annotation
    bench.press("section", seen_from_catheter(from_deg, RADIUS_MM))
    bench.move("section", seen_from_catheter(from_deg + 20, RADIUS_MM))
    assert bench.annotation is not before

    bench.key(Qt.Key.Key_Escape)
    bench.release("section", seen_from_catheter(from_deg + 20, RADIUS_MM))

    assert bench.annotation is before
    assert bench.steps() == []
    assert tool.selected == (from_deg != 100)


def test_a_click_in_empty_space_adds_nothing(bench: Bench) -> None:
    bench.click("section", seen_from_catheter(100, RADIUS_MM))

    assert wires(bench) == [(340, 30)]
    assert bench.steps() == []


def test_what_a_click_will_do_is_said(bench: Bench, tool: GuidewireTool) -> None:
    words = []
    for angle in (10, 355, 100):
        bench.hover("section", seen_from_catheter(angle, RADIUS_MM))
        words.append((tool.status(), bench.views["section"].cursor().shape()))

    assert words[0] == ("Drag the edge of the guidewire's shadow", Qt.CursorShape.SizeAllCursor)
    assert "moves the shadow" in words[1][0]
    assert words[2] == (
        "Drag over the shadow of a guidewire to add it",
        Qt.CursorShape.CrossCursor,
    )


def test_the_wheel_still_steps_one_frame(bench: Bench) -> None:
    turn_wheel(bench.views["section"], -120)

    assert bench.state.frame == 1


def test_the_bridged_arc_follows(bench: Bench) -> None:
    before = bench.session.results.frames[0]
    bench.press("section", seen_from_catheter(10, RADIUS_MM))
    for angle in range(10, 155, 5):
        bench.move("section", seen_from_catheter(angle, RADIUS_MM))
    after = bench.session.results.frames[0]

    assert before is not None
    assert after is not None
    assert before.max_arc_deg_bridged == pytest.approx(60, abs=1)
    assert after.max_arc_deg_bridged == pytest.approx(220, abs=1)


def test_an_edge_at_theta_0_can_be_seen_and_dragged_at_both_sides(
    qtbot: QtBot, tool: GuidewireTool
) -> None:
    bench = open_bench(qtbot, tool, off_centre(wires=(Arc(0, 30),)))
    polar = bench.views["polar"]
    edge = np.array([[3.0, 0.0]])

    places = [line[0, 0] for line in polar._lines_px(edge, ring=False)]
    assert places == pytest.approx([0.0, polar.width()], abs=1e-3)
    sweep(bench, "polar", 359, 330)

    assert wires(bench) == [pytest.approx((331, 59), abs=1.5)]
