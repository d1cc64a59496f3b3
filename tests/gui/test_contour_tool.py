"""The contour tool, with the mouse in both views."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from calcviewer.core.annotation import Provenance
from calcviewer.core.contour import Contour
from calcviewer.core.geometry import to_xy
from calcviewer.core.pullback import CalibratedValue, Origin
from calcviewer.gui.tools.contour import ContourTool
from tests.gui.image_views import turn_wheel
from tests.gui.tool_bench import (
    BACK_MM,
    BOTH_VIEWS,
    FRONT_MM,
    LUMEN_MM,
    UNSEGMENTED,
    Bench,
    assert_holds,
    radius_at,
)


@pytest.fixture
def bench(qtbot: QtBot) -> Bench:
    return Bench(ContourTool(), qtbot)


@pytest.mark.parametrize("name", BOTH_VIEWS)
@pytest.mark.parametrize("angle", [90.0, 200.0, 359.0])
def test_the_lumen_follows_the_mouse(bench: Bench, name: str, angle: float) -> None:
    before = bench.annotation

    bench.drag(name, (angle, LUMEN_MM), (angle, 1.35), (angle, 1.2))

    assert radius_at(bench.lumen, angle) == pytest.approx(1.2, abs=0.03)
    beside = [radius_at(bench.lumen, angle + away) for away in (-12, 12)]
    assert beside[0] == pytest.approx(beside[1], abs=0.04)  # the same on both sides of theta = 0
    assert 1.2 < beside[0] < LUMEN_MM - 0.02
    assert radius_at(bench.lumen, angle + 180) == pytest.approx(LUMEN_MM, abs=0.02)
    assert bench.annotation.provenance is Provenance.SEMIAUTOMATIC
    assert_holds(bench.annotation)
    assert bench.labels() == ["drag the lumen"]
    assert bench.annotation is before


@pytest.mark.parametrize("name", BOTH_VIEWS)
def test_every_move_is_in_force_at_once(bench: Bench, name: str) -> None:
    areas = [bench.lumen.area_mm2]
    bench.press(name, (90, LUMEN_MM))

    for radius in (1.6, 1.7, 1.8):
        bench.move(name, (90, radius))
        areas.append(bench.lumen.area_mm2)

    assert areas == sorted(set(areas))
    assert bench.session.results.frames[0] is not None
    bench.release(name, (90, 1.8))
    assert bench.labels() == ["drag the lumen"]


@pytest.mark.parametrize("name", BOTH_VIEWS)
def test_the_border_of_a_deposit(bench: Bench, name: str) -> None:
    bench.drag(name, (5, BACK_MM), (5, 2.5), (5, 2.7))

    (deposit,) = bench.annotation.calcium
    assert radius_at(deposit, 5) == pytest.approx(2.7, abs=0.05)
    assert bench.labels() == ["drag the calcium"]


def test_calcium_gives_way_to_the_lumen(bench: Bench) -> None:
    bench.drag("section", (0, LUMEN_MM), (0, 1.7), (0, 1.95))

    assert radius_at(bench.lumen, 0) == pytest.approx(1.95, abs=0.04)
    assert_holds(bench.annotation)


def test_a_border_pulled_through_itself_stays_simple(bench: Bench) -> None:
    bench.press("section", (90, LUMEN_MM))
    for place in ((90, 0.3), (270, 0.8), (270, 3.0), (180, 3.9), (0, 3.9)):
        bench.move("section", place)
        assert_holds(bench.annotation)
    bench.release("section", (0, 3.9))


def test_the_wheel_changes_the_radius_while_the_button_is_held(bench: Bench) -> None:
    tool = bench.tool
    assert isinstance(tool, ContourTool)
    before = tool.radius_mm
    bench.press("section", (90, LUMEN_MM))
    bench.move("section", (90, 1.8))
    narrow = bench.lumen.area_mm2
    assert "wheel" in tool.status()

    turn_wheel(bench.section, 120, 120)

    assert bench.state.frame == 0
    assert tool.radius_mm > before
    assert bench.lumen.area_mm2 > narrow  # at once, without a move
    turn_wheel(bench.section, -120, -120, -120)
    assert tool.radius_mm < before
    assert bench.lumen.area_mm2 < narrow
    bench.release("section", (90, 1.8))
    radius = tool.radius_mm
    turn_wheel(bench.section, -120)
    assert bench.state.frame == 1  # and the tool is still in hand
    assert tool.radius_mm == radius
    assert bench.section.tool is tool


def test_brackets_change_the_radius_within_limits(bench: Bench) -> None:
    tool = bench.tool
    assert isinstance(tool, ContourTool)
    before = tool.radius_mm

    bench.key("section", Qt.Key.Key_BracketRight)
    assert tool.radius_mm > before
    bench.hover("section", (90, LUMEN_MM))
    assert f"radius {tool.radius_mm:.2f} mm: [ ]" in tool.status()
    bench.key("polar", Qt.Key.Key_BracketLeft)
    assert tool.radius_mm == pytest.approx(before)
    for _ in range(50):
        bench.key("polar", Qt.Key.Key_BracketLeft)

    assert 0.01 < tool.radius_mm < 0.05


@pytest.mark.parametrize("name", BOTH_VIEWS)
def test_escape_takes_the_drag_back(bench: Bench, name: str) -> None:
    before = bench.annotation
    bench.press(name, (90, LUMEN_MM))
    bench.move(name, (90, 1.9))
    assert bench.annotation is not before

    bench.key(name, Qt.Key.Key_Escape)
    bench.move(name, (90, 2.0))
    bench.release(name, (90, 2.0))

    assert bench.annotation is before
    assert bench.session.undo_label is None
    assert bench.session.redo_label is None
    assert not bench.tool.wants(Qt.Key.Key_Escape)  # then Esc leaves the tool


def test_what_comes_back_to_where_it_was_leaves_no_step(bench: Bench) -> None:
    before = bench.annotation

    bench.drag("section", (90, LUMEN_MM), (90, 1.8), (90, LUMEN_MM))
    bench.click("section", (200, LUMEN_MM))

    assert bench.annotation is before
    assert bench.session.undo_label is None


@pytest.mark.parametrize("name", BOTH_VIEWS)
@pytest.mark.parametrize("middle", [100.0, 0.0])
def test_drawing_over_a_border_redraws_that_part(bench: Bench, name: str, middle: float) -> None:
    angles = middle + np.linspace(-24, 24, 13)
    off = [(float(angles[0]), 1.0), *((float(angle), 1.62) for angle in angles[1:-1])]

    if name == "polar" and middle == 0.0:
        bench.polar._pan(bench.polar.rect().center().toPointF())  # the seam in the middle
        left = bench.polar.left_deg
        off = [(angle - left, radius) for angle, radius in off]
        angles = angles - left
    bench.drag(name, *off, (float(angles[-1]), 1.0))

    for angle in (-12.0, 0.0, 12.0):
        assert radius_at(bench.lumen, middle + angle) == pytest.approx(1.62, abs=0.03)
    assert radius_at(bench.lumen, middle + 60) == pytest.approx(LUMEN_MM, abs=0.02)
    assert_holds(bench.annotation)
    assert bench.labels() == ["redraw the lumen"]


def test_where_the_stroke_begins_and_ends_says_what_is_redrawn(bench: Bench) -> None:
    bench.press("section", (-24, 2.9))
    for angle in range(-20, 21, 4):
        bench.move("section", (angle, 2.15))
    bench.move("section", (24, 2.9))
    assert "calcium" in bench.tool.status()
    bench.release("section", (24, 2.9))

    (deposit,) = bench.annotation.calcium
    assert radius_at(deposit, 0) == pytest.approx(2.15, abs=0.03)
    assert radius_at(bench.lumen, 0) == pytest.approx(LUMEN_MM, abs=0.02)
    assert bench.labels() == ["redraw the calcium"]


def test_a_stroke_far_from_every_border_does_nothing(bench: Bench) -> None:
    before = bench.annotation

    bench.drag("section", (180, 3.6), (190, 3.6), (200, 3.6))

    assert bench.annotation is before
    assert bench.session.undo_label is None


def test_hovering_shows_what_a_press_would_take(bench: Bench) -> None:
    bench.hover("section", (90, LUMEN_MM + 0.05))
    (mark,) = bench.tool.marks()
    assert mark.handles_mm is not None
    assert mark.handles_mm[0] == pytest.approx((0.0, LUMEN_MM), abs=0.02)
    assert len(mark.line_mm) < 100  # not all of the border: what follows
    assert "Drag the lumen" in bench.tool.status()
    assert bench.section.cursor().shape() is Qt.CursorShape.OpenHandCursor

    bench.hover("polar", (0, FRONT_MM))
    assert "Drag the calcium" in bench.tool.status()
    bench.hover("polar", (200, 3.0))
    assert "draw over" in bench.tool.status()
    assert bench.tool.marks() == ()
    assert bench.polar.cursor().shape() is Qt.CursorShape.CrossCursor


def test_frames_that_cannot_be_corrected_say_why(bench: Bench) -> None:
    bench.state.go_to(UNSEGMENTED)
    bench.hover("section", (90, LUMEN_MM))
    assert "lasso" in bench.tool.status()
    bench.drag("section", (90, LUMEN_MM), (90, 1.9))
    bench.state.go_to(1)
    bench.exclude()
    bench.hover("section", (90, LUMEN_MM))
    bench.drag("section", (90, LUMEN_MM), (90, 1.9))

    assert "excluded" in bench.tool.status()
    assert bench.section.cursor().shape() is Qt.CursorShape.ForbiddenCursor
    assert bench.session.undo_label == "exclude"
    assert not bench.session.study.review.edits


def test_another_frame_ends_the_drag_on_its_own(bench: Bench) -> None:
    bench.press("section", (90, LUMEN_MM))
    bench.move("section", (90, 1.9))

    bench.state.go_to(1)
    bench.move("section", (90, 2.2))
    bench.release("section", (90, 2.2))

    assert radius_at(bench.lumen, 90) == pytest.approx(LUMEN_MM, abs=0.02)
    bench.state.go_to(0)
    assert radius_at(bench.lumen, 90) == pytest.approx(1.9, abs=0.03)
    assert bench.labels() == ["drag the lumen"]


def test_the_eel_is_a_border_like_the_others(bench: Bench) -> None:
    ring = to_xy(np.arange(0, 360, 2.0), np.full(180, 3.0))
    drawn = replace(bench.annotation, eel=Contour(ring))
    bench.session.edit("eel", bench.session.study.review.with_edit(0, drawn))

    bench.drag("polar", (180, 3.0), (180, 3.2), (180, 3.4))

    assert bench.annotation.eel is not None
    assert radius_at(bench.annotation.eel, 180) == pytest.approx(3.4, abs=0.04)
    assert bench.session.undo_label == "drag the EEL"


def test_edits_at_another_scale_lie_where_they_were_drawn(bench: Bench) -> None:
    study = bench.session.study
    wider = replace(study.calibration, sample_spacing_mm=CalibratedValue(0.02, Origin.OPERATOR))
    bench.session.edit("calibrate", replace(study.review, calibration=wider))
    before = bench.annotation

    bench.drag("section", (90, 2 * LUMEN_MM), (90, 3.3), (90, 3.6))

    assert radius_at(bench.lumen, 90) == pytest.approx(3.6, abs=0.06)
    bench.session.undo()
    assert bench.annotation is before


def test_the_cut_stays_in_reach(bench: Bench) -> None:
    bench.state.set_cut(90.0)
    handle = bench.section._cut_ends()
    assert handle is not None
    at_mm = bench.section.to_mm(bench.section.rect().center().toPointF())
    assert at_mm == pytest.approx((0.0, 0.0), abs=0.02)

    bench.drag("section", (90, 3.6), (120, 3.6), (150, 3.6))

    assert bench.state.cut_deg == pytest.approx(150, abs=2)
    assert bench.session.undo_label is None


def test_no_tool_works_without_a_study(qtbot: QtBot) -> None:
    tool = ContourTool()

    assert tool.marks() == ()
    assert tool.status()
    assert not tool.wants(Qt.Key.Key_Escape)
