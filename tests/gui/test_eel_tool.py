"""The EEL: drawn by dragging or clicking, seen in both views."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from calcviewer.core.contour import Contour
from calcviewer.core.geometry import to_xy
from calcviewer.gui.tools.eel import EelTool
from tests.gui.image_views import pixels, turn_wheel
from tests.gui.tool_bench import BOTH_VIEWS, UNSEGMENTED, Bench, assert_holds, radius_at

EEL_MM = 3.0
CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def bench(qtbot: QtBot) -> Bench:
    return Bench(EelTool(), qtbot)


def click_round(bench: Bench, name: str, *angles: float) -> None:
    for angle in angles:
        bench.hover(name, (angle, EEL_MM))
        bench.click(name, (angle, EEL_MM))


def eel_of(bench: Bench) -> Contour:
    eel = bench.annotation.eel
    assert eel is not None
    return eel


def aqua(rgb: NDArray[np.int16]) -> NDArray[np.bool_]:
    """Return where the line of the EEL is drawn."""
    red, green, blue = np.moveaxis(rgb, -1, 0)
    return np.asarray((green > 110) & (blue > 100) & (green > red + 40))


@pytest.mark.parametrize("name", BOTH_VIEWS)
def test_dragging_round_the_vessel(bench: Bench, name: str) -> None:
    before = bench.annotation

    bench.drag(name, *((float(angle), EEL_MM) for angle in range(1, 359, 5)))

    assert eel_of(bench).area_mm2 == pytest.approx(np.pi * EEL_MM**2, rel=0.02)
    assert_holds(bench.annotation)
    assert bench.labels() == ["draw the EEL"]
    assert bench.annotation is before


@pytest.mark.parametrize("name", BOTH_VIEWS)
def test_clicking_round_it_makes_a_smooth_curve(bench: Bench, name: str) -> None:
    before = bench.annotation
    click_round(bench, name, 20, 80)
    assert bench.annotation is before
    click_round(bench, name, 140, 200, 260)
    assert eel_of(bench).polygon.is_valid  # live from the third click on
    click_round(bench, name, 320)

    bench.hover(name, (20, EEL_MM))
    assert bench.tool.status() == "Click to end the EEL here"
    assert bench.view(name).cursor().shape() is Qt.CursorShape.PointingHandCursor
    bench.click(name, (20, EEL_MM))

    assert not bench.tool.marks()
    assert eel_of(bench).area_mm2 == pytest.approx(np.pi * EEL_MM**2, rel=0.03)
    for angle in range(0, 360, 30):
        assert radius_at(eel_of(bench), angle) == pytest.approx(EEL_MM, abs=0.12)
    assert bench.labels() == ["draw the EEL"]
    assert bench.annotation is before


@pytest.mark.parametrize(
    ("key", "modifier"),
    [
        (Qt.Key.Key_Backspace, Qt.KeyboardModifier.NoModifier),
        (Qt.Key.Key_Delete, Qt.KeyboardModifier.NoModifier),
        (Qt.Key.Key_Z, CONTROL),
    ],
)
def test_the_last_point_can_be_undone(
    bench: Bench, key: Qt.Key, modifier: Qt.KeyboardModifier
) -> None:
    before = bench.annotation
    click_round(bench, "section", 20, 110, 200)
    three = eel_of(bench).area_mm2
    click_round(bench, "section", 290)
    assert eel_of(bench).area_mm2 > three + 1

    bench.key("section", key, modifier)
    assert eel_of(bench).area_mm2 == pytest.approx(three)
    bench.key("section", key, modifier)
    assert bench.annotation is before
    bench.key("section", key, modifier)
    bench.key("section", key, modifier)

    assert not bench.tool.marks()
    assert bench.session.undo_label is None
    assert not bench.tool.wants(Qt.Key.Key_Undo)  # then undo is the session's


def test_undo_from_the_menu_takes_all_of_it_back(bench: Bench) -> None:
    before = bench.annotation
    click_round(bench, "section", 20, 140, 260)

    bench.session.undo()

    assert bench.annotation is before
    assert bench.tool.marks() == ()
    click_round(bench, "section", 20, 140)
    assert bench.annotation is before  # a new curve
    click_round(bench, "section", 260)
    bench.key("section", Qt.Key.Key_Return)
    assert bench.labels() == ["draw the EEL"]


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Enter])
def test_enter_ends_it(bench: Bench, key: Qt.Key) -> None:
    click_round(bench, "section", 20, 140)
    bench.key("section", key)
    assert len(bench.tool.marks()) == 2  # two points are no curve
    click_round(bench, "section", 260)

    bench.key("section", key)

    assert not bench.tool.marks()
    assert eel_of(bench).polygon.is_valid
    assert not bench.tool.wants(key)


def test_a_second_click_on_the_last_point_ends_it(bench: Bench) -> None:
    click_round(bench, "section", 20, 140, 260)

    bench.click("section", (260, EEL_MM))

    assert not bench.tool.busy
    assert bench.session.undo_label == "draw the EEL"


def test_escape_drops_it(bench: Bench) -> None:
    before = bench.annotation
    click_round(bench, "section", 20, 140, 260)

    bench.key("section", Qt.Key.Key_Escape)

    assert bench.annotation is before
    assert not bench.tool.marks()
    assert bench.session.undo_label is None
    bench.press("section", (0, EEL_MM))
    bench.move("section", (120, EEL_MM))
    bench.key("section", Qt.Key.Key_Escape)
    bench.release("section", (240, EEL_MM))
    assert bench.annotation is before


def test_a_curve_that_is_there_is_kept_on_leaving(bench: Bench) -> None:
    click_round(bench, "section", 20, 140, 260)
    turn_wheel(bench.section, -120)  # between clicks no button is held
    assert bench.state.frame == 1
    assert not bench.tool.marks()
    click_round(bench, "section", 20, 140, 260)

    bench.section.set_tool(None)
    bench.polar.set_tool(None)
    bench.tool.deactivate()

    assert set(bench.session.study.review.edits) == {0, 1}
    assert bench.labels() == ["draw the EEL", "draw the EEL"]


def test_drawing_anew_and_removing(bench: Bench) -> None:
    bench.drag("section", *((float(angle), EEL_MM) for angle in range(0, 356, 5)))
    assert "anew" in bench.tool.status()
    bench.drag("section", *((float(angle), 3.5) for angle in range(0, 356, 5)))
    assert radius_at(eel_of(bench), 90) == pytest.approx(3.5, abs=0.03)

    bench.key("section", Qt.Key.Key_Delete)

    assert bench.annotation.eel is None
    assert not bench.tool.wants(Qt.Key.Key_Delete)
    assert bench.labels() == ["remove the EEL", "draw the EEL", "draw the EEL"]


def test_it_can_be_drawn_before_there_is_a_segmentation(bench: Bench) -> None:
    bench.state.go_to(UNSEGMENTED)

    bench.drag("section", *((float(angle), EEL_MM) for angle in range(0, 356, 5)))

    assert eel_of(bench).polygon.is_valid
    assert bench.annotation.lumen is None


def test_an_excluded_frame_says_why_nothing_happens(bench: Bench) -> None:
    bench.exclude()
    click_round(bench, "section", 20, 140, 260)

    assert "excluded" in bench.tool.status()
    assert bench.session.undo_label == "exclude"


@pytest.mark.parametrize("name", BOTH_VIEWS)
def test_the_views_draw_it_thin_and_without_filling(bench: Bench, name: str) -> None:
    view = bench.view(name)
    bare = pixels(view)
    ring = to_xy(np.arange(0, 360, 1.0), np.full(360, EEL_MM))
    drawn = replace(bench.annotation, eel=Contour(ring))

    bench.session.edit("eel", bench.session.study.review.with_edit(0, drawn))

    shown = pixels(view)
    seen = [
        aqua(shown[at.y() - 1 : at.y() + 2, at.x() - 1 : at.x() + 2]).any()
        for at in (bench.px(name, (float(angle), EEL_MM)) for angle in range(5, 356, 3))
    ]
    assert 0.4 < np.mean(seen) < 1.0  # a line with gaps
    inside = bench.px(name, (200, 2.6))
    assert (shown[inside.y(), inside.x()] == bare[inside.y(), inside.x()]).all()
