"""The tool that corrects deposits, with the mouse in both views."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from calcviewer.core.annotation import FrameAnnotation, Provenance
from calcviewer.core.pullback import CalibratedValue, Origin
from calcviewer.gui.tools.deposit import DepositTool
from calcviewer.gui.tools.deposit_targets import see
from tests.gui.image_views import pixels, turn_wheel
from tests.gui.tool_views import (
    BACK_MM,
    CENTRE_MM,
    FRONT_MM,
    TWO_DEPOSITS,
    VIEWS,
    Bench,
    off_centre,
    open_bench,
    sector,
    seen_from_o,
)

SHIFT = Qt.KeyboardModifier.ShiftModifier
ACROSS_0, OTHER = 0, 1
MIDDLE_MM = (FRONT_MM + BACK_MM) / 2


@pytest.fixture
def tool() -> DepositTool:
    return DepositTool()


@pytest.fixture
def bench(qtbot: QtBot, tool: DepositTool) -> Bench:
    return open_bench(qtbot, tool)


def arcs_deg(annotation: FrameAnnotation | None) -> list[float]:
    assert annotation is not None
    return [see(contour, CENTRE_MM).arc.extent_deg for contour in annotation.calcium]


def round_to(start_deg: float, end_deg: float) -> list[tuple[float, float]]:
    """Return the way of a mouse about O, in small moves."""
    steps = 2 + int(abs(end_deg - start_deg) / 5)
    return [seen_from_o(float(a), MIDDLE_MM) for a in np.linspace(start_deg, end_deg, steps)]


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize(
    ("from_deg", "to_deg", "index", "extent_deg"),
    [
        (30, 60, ACROSS_0, 90),
        (330, 300, ACROSS_0, 90),
        (30, 5, ACROSS_0, 35),
        (30, 345, ACROSS_0, 15),
        (190, 250, OTHER, 100),
        (150, 170, OTHER, 20),
    ],
)
def test_an_end_of_an_arc_is_dragged(
    bench: Bench,
    tool: DepositTool,
    view: str,
    from_deg: float,
    to_deg: float,
    index: int,
    extent_deg: float,
) -> None:
    before = bench.annotation
    turn = (to_deg - from_deg + 180) % 360 - 180

    bench.drag(view, *round_to(from_deg, from_deg + turn))

    after = bench.annotation
    assert after is not None
    assert before is not None
    assert arcs_deg(after)[index] == pytest.approx(extent_deg, abs=1.5)
    assert arcs_deg(after)[1 - index] == pytest.approx(arcs_deg(before)[1 - index])
    assert after.provenance is Provenance.SEMIAUTOMATIC
    wider = extent_deg > arcs_deg(before)[index]
    assert bench.steps() == ["widen calcium arc" if wider else "narrow calcium arc"]
    bench.session.undo()
    assert bench.annotation is before
    bench.session.redo()
    assert bench.annotation is after


@pytest.mark.parametrize("view", VIEWS)
def test_the_arc_and_thickness_shown_are_those_that_are_measured(
    bench: Bench, tool: DepositTool, view: str
) -> None:
    bench.press(view, seen_from_o(30, MIDDLE_MM))
    for place in round_to(30, 100)[1:]:
        bench.move(view, place)
        measured = bench.session.results.frames[0]
        assert measured is not None
        assert measured.max_arc_deg_visible is not None
        (text,) = [mark.text for mark in tool.marks() if mark.text]
        arc, thickness = text.split(" · ")
        assert float(arc.removesuffix("°")) == pytest.approx(measured.max_arc_deg_visible, abs=1)
        assert thickness == f"{measured.deposits[0].max_thickness_mm:.2f} mm"

    bench.release(view, seen_from_o(100, MIDDLE_MM))
    assert measured.max_arc_deg_visible == pytest.approx(130, abs=1.5)


def test_an_end_dragged_past_the_other_leaves_little_and_never_turns_round(bench: Bench) -> None:
    bench.drag("section", *round_to(30, -120))

    assert arcs_deg(bench.annotation)[ACROSS_0] == pytest.approx(2, abs=0.5)


def test_an_end_dragged_far_goes_on_growing(qtbot: QtBot, tool: DepositTool) -> None:
    bench = open_bench(qtbot, tool, off_centre(sector(330, 60)))
    bench.press("section", seen_from_o(30, MIDDLE_MM))
    extents = []
    for place in round_to(30, 320)[1:]:
        bench.move("section", place)
        extents.append(arcs_deg(bench.annotation)[0])

    assert extents == sorted(extents)
    assert extents[-1] > 240


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize(("index", "angle_deg"), [(ACROSS_0, 0.0), (OTHER, 170.0)])
def test_the_back_border_is_dragged(bench: Bench, view: str, index: int, angle_deg: float) -> None:
    before = bench.annotation
    thickness = [see(c, CENTRE_MM) for c in TWO_DEPOSITS.calcium][index]
    assert thickness.borders_at(angle_deg) == pytest.approx((FRONT_MM, BACK_MM), abs=1e-3)

    bench.drag(view, seen_from_o(angle_deg, BACK_MM), seen_from_o(angle_deg, BACK_MM + 0.4))

    assert bench.annotation is not None
    after = see(bench.annotation.calcium[index], CENTRE_MM)
    front, back = after.borders_at(angle_deg) or (0.0, 0.0)
    assert back == pytest.approx(BACK_MM + 0.4, abs=0.03)
    assert front == pytest.approx(FRONT_MM, abs=0.01)
    assert bench.steps() == ["move calcium back"]
    bench.session.undo()
    assert bench.annotation is before


@pytest.mark.parametrize("view", VIEWS)
def test_the_front_border_stops_at_the_lumen(bench: Bench, view: str) -> None:
    bench.drag(view, seen_from_o(170, FRONT_MM), seen_from_o(170, 1.0))

    assert bench.annotation is not None
    front, back = see(bench.annotation.calcium[OTHER], CENTRE_MM).borders_at(170) or (0.0, 0.0)
    assert front == pytest.approx(1.5, abs=0.01)
    assert back == pytest.approx(BACK_MM, abs=0.01)
    assert bench.steps() == ["move calcium front"]


def test_the_wheel_changes_how_much_follows_only_while_a_border_is_held(
    bench: Bench, tool: DepositTool
) -> None:
    radius = tool.radius_mm
    turn_wheel(bench.views["section"], -120)
    assert bench.state.frame == 1
    assert tool.radius_mm == radius

    bench.press("section", seen_from_o(170, BACK_MM))
    bench.move("section", seen_from_o(170, BACK_MM + 0.3))
    narrow = bench.annotation
    turn_wheel(bench.views["section"], 120)

    assert bench.state.frame == 1
    assert tool.radius_mm > radius
    assert narrow is not None
    assert bench.annotation is not None
    assert bench.annotation.calcium[OTHER].area_mm2 > narrow.calcium[OTHER].area_mm2
    assert "mm" in tool.status()


@pytest.mark.parametrize("view", VIEWS)
def test_esc_takes_a_drag_back_without_a_trace(bench: Bench, tool: DepositTool, view: str) -> None:
    before = bench.annotation
    bench.press(view, seen_from_o(30, MIDDLE_MM))
    bench.move(view, seen_from_o(60, MIDDLE_MM))
    assert bench.annotation is not before

    bench.key(Qt.Key.Key_Escape, view)
    bench.move(view, seen_from_o(80, MIDDLE_MM))
    bench.release(view, seen_from_o(80, MIDDLE_MM))

    assert bench.annotation is before
    assert bench.steps() == []
    assert tool.selected
    bench.key(Qt.Key.Key_Escape, view)
    assert not tool.selected
    assert not tool.wants(Qt.Key.Key_Escape)  # the next one leaves the tool


@pytest.mark.parametrize("view", VIEWS)
def test_a_click_selects_and_delete_deletes(bench: Bench, tool: DepositTool, view: str) -> None:
    before = bench.annotation
    bench.click(view, seen_from_o(0, MIDDLE_MM))
    assert tool.chosen == ACROSS_0
    assert bench.steps() == []
    assert bench.annotation is before

    bench.key(Qt.Key.Key_Delete, view)

    assert arcs_deg(bench.annotation) == pytest.approx([40], abs=0.1)
    assert bench.steps() == ["delete calcium"]
    assert not tool.selected
    bench.session.undo()
    assert bench.annotation is before


@pytest.mark.parametrize("view", VIEWS)
def test_shift_and_click_merges(bench: Bench, tool: DepositTool, view: str) -> None:
    before = bench.annotation
    bench.click(view, seen_from_o(0, MIDDLE_MM))

    bench.click(view, seen_from_o(170, MIDDLE_MM), SHIFT)

    assert arcs_deg(bench.annotation) == pytest.approx([220], abs=1)
    assert bench.steps() == ["merge calcium"]
    assert tool.chosen == 0
    bench.session.undo()
    assert bench.annotation is before


@pytest.mark.parametrize("view", VIEWS)
def test_one_deposit_dragged_onto_another_merges(
    bench: Bench, tool: DepositTool, view: str
) -> None:
    bench.press(view, seen_from_o(0, MIDDLE_MM))
    bench.move(view, seen_from_o(80, MIDDLE_MM))
    assert len(arcs_deg(bench.annotation)) == 2
    bench.move(view, seen_from_o(170, MIDDLE_MM))
    assert tool.status() == "Release to merge"
    assert arcs_deg(bench.annotation) == pytest.approx([220], abs=1)

    bench.release(view, seen_from_o(170, MIDDLE_MM))

    assert bench.steps() == ["merge calcium"]


def test_a_deposit_that_leaves_the_other_one_again_is_not_merged(bench: Bench) -> None:
    before = bench.annotation

    bench.drag("section", *(seen_from_o(angle, MIDDLE_MM) for angle in (0, 170, 90)))

    assert bench.annotation is before
    assert bench.steps() == []


def test_what_a_click_will_do_is_said_and_shown(bench: Bench, tool: DepositTool) -> None:
    section = bench.views["section"]
    cursors, words = {}, {}
    for name, place in {
        "end": seen_from_o(30, MIDDLE_MM),
        "front": seen_from_o(0, FRONT_MM),
        "back": seen_from_o(0, BACK_MM),
        "body": seen_from_o(0, MIDDLE_MM),
        "nothing": seen_from_o(90, 3.0),
    }.items():
        bench.hover("section", place)
        cursors[name], words[name] = section.cursor().shape(), tool.status()

    assert "end of the arc" in words["end"]
    assert "front" in words["front"]
    assert "back" in words["back"]
    assert "merge" in words["body"]
    assert "Click calcium" in words["nothing"]
    assert cursors["end"] == cursors["front"] == Qt.CursorShape.SizeAllCursor
    assert cursors["body"] == Qt.CursorShape.PointingHandCursor
    assert cursors["nothing"] == Qt.CursorShape.ArrowCursor


def test_what_is_under_the_mouse_is_seen_in_both_views(bench: Bench) -> None:
    bench.hover("section", seen_from_o(80, 3.0))
    before = {name: pixels(view) for name, view in bench.views.items()}

    bench.hover("polar", seen_from_o(0, MIDDLE_MM))

    for name, view in bench.views.items():
        assert (pixels(view) != before[name]).any()


def test_a_frame_change_ends_the_drag_on_its_own_frame(bench: Bench) -> None:
    bench.press("section", seen_from_o(30, MIDDLE_MM))
    bench.move("section", seen_from_o(60, MIDDLE_MM))

    bench.state.go_to(1)
    other = bench.annotation
    bench.move("section", seen_from_o(90, MIDDLE_MM))
    bench.release("section", seen_from_o(90, MIDDLE_MM))

    assert bench.annotation is other
    assert bench.steps() == ["widen calcium arc"]
    bench.state.go_to(0)
    assert arcs_deg(bench.annotation)[ACROSS_0] == pytest.approx(90, abs=1.5)


def test_nothing_happens_in_an_excluded_frame(bench: Bench, tool: DepositTool) -> None:
    review = bench.session.study.review
    bench.session.edit("exclude", review.with_exclusion(0, "blood"))

    bench.drag("section", seen_from_o(30, MIDDLE_MM), seen_from_o(60, MIDDLE_MM))

    assert bench.steps() == ["exclude"]
    assert "excluded" in tool.status()


def test_frames_without_lumen_or_calcium_say_what_to_do(qtbot: QtBot, tool: DepositTool) -> None:
    open_bench(qtbot, tool, off_centre())
    assert "sector tool" in tool.status()
    other = DepositTool()
    open_bench(qtbot, other, FrameAnnotation())
    assert "lumen" in other.status()
    assert other.marks() == ()


def test_in_another_calibration_it_works_where_the_mouse_is(
    bench: Bench, tool: DepositTool
) -> None:
    study = bench.session.study
    wider = replace(study.calibration, sample_spacing_mm=CalibratedValue(0.02, Origin.OPERATOR))
    bench.session.edit("set the spacing", replace(study.review, calibration=wider))
    centre = np.array(CENTRE_MM) * 2

    def place(angle_deg: float) -> tuple[float, float]:
        x_mm, y_mm = 2 * (np.array(seen_from_o(angle_deg, MIDDLE_MM)) - CENTRE_MM) + centre
        return float(x_mm), float(y_mm)

    bench.drag("section", place(30), place(50))

    assert bench.annotation is not None
    own = see(bench.annotation.calcium[0], (float(centre[0]), float(centre[1])))
    assert own.arc.extent_deg == pytest.approx(80, abs=1.5)
    stored = bench.session.study.review.edits[0]
    assert see(stored.calcium[0], CENTRE_MM).arc.extent_deg == pytest.approx(80, abs=1.5)
