"""The lasso, with the mouse in both views."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from calcviewer.core.annotation import Provenance
from calcviewer.core.editing.structures import Structure
from calcviewer.gui.tools.lasso import LassoTool
from tests.gui.image_views import pixels, turn_wheel
from tests.gui.tool_bench import (
    BOTH_VIEWS,
    LUMEN_MM,
    UNSEGMENTED,
    Bench,
    Place,
    assert_holds,
    radius_at,
)

ALT = Qt.KeyboardModifier.AltModifier


@pytest.fixture
def bench(qtbot: QtBot) -> Bench:
    return Bench(LassoTool(), qtbot)


def lasso_of(bench: Bench) -> LassoTool:
    assert isinstance(bench.tool, LassoTool)
    return bench.tool


def band(start: float, end: float, inner: float, outer: float) -> list[Place]:
    """Return the way round a band about the catheter."""
    there = np.linspace(start, end, 15)
    return [
        *((float(angle), inner) for angle in there),
        *((float(angle), outer) for angle in there[::-1]),
    ]


@pytest.mark.parametrize("name", BOTH_VIEWS)
def test_what_is_drawn_round_becomes_calcium(bench: Bench, name: str) -> None:
    before = bench.annotation

    bench.drag(name, *band(150, 210, 1.8, 2.4))

    deposit = bench.annotation.calcium[-1]
    assert len(bench.annotation.calcium) == 2
    expected = np.pi * (2.4**2 - 1.8**2) * 60 / 360
    assert deposit.area_mm2 == pytest.approx(expected, rel=0.05)
    assert_holds(bench.annotation)
    assert bench.labels() == ["add calcium"]
    assert bench.annotation is before


@pytest.mark.parametrize("name", BOTH_VIEWS)
@pytest.mark.parametrize("alt", [True, False])
def test_taking_away_with_alt_or_with_the_switch(bench: Bench, name: str, alt: bool) -> None:
    lasso_of(bench).set_subtract(not alt)
    before = sum(one.area_mm2 for one in bench.annotation.calcium)
    around = band(2, 12, 1.55, 2.5)  # in the polar view it stays on one side of theta = 0

    bench.drag(name, *around, modifier=ALT if alt else Qt.KeyboardModifier.NoModifier)

    assert len(bench.annotation.calcium) == 2
    left = sum(one.area_mm2 for one in bench.annotation.calcium)
    assert left == pytest.approx(before * 50 / 60, rel=0.05)
    assert bench.labels() == ["cut calcium"]


def test_the_line_is_shown_and_the_picture_through_it(bench: Bench) -> None:
    empty = pixels(bench.polar)
    around = band(150, 210, 1.8, 2.4)
    bench.press("polar", around[0])
    for place in around[1:]:
        bench.move("polar", place)

    (mark,) = bench.tool.marks()
    assert mark.filled
    at = bench.px("polar", (180, 2.1))
    tinted = pixels(bench.polar)[at.y(), at.x()]
    assert tinted == pytest.approx(
        empty[at.y(), at.x()] * 0.75 + 0.25 * np.array([0x44, 0x93, 0xF8]), abs=4
    )
    assert "Let go" in bench.tool.status()
    bench.release("polar", around[-1])
    assert bench.tool.marks() == ()


def test_a_line_round_the_catheter_is_tinted_inside_in_the_polar_view(bench: Bench) -> None:
    lasso_of(bench).choose(Structure.LUMEN)
    bench.tool.leave()
    empty = pixels(bench.polar)
    bench.press("section", (0, 1.3))
    for angle in range(10, 351, 10):
        bench.move("section", (angle, 1.3))

    inside, outside = bench.px("polar", (120, 0.8)), bench.px("polar", (120, 2.8))

    drawn = pixels(bench.polar)
    assert (drawn[inside.y(), inside.x()] != empty[inside.y(), inside.x()]).any()
    assert (drawn[outside.y(), outside.x()] == empty[outside.y(), outside.x()]).all()
    bench.key("section", Qt.Key.Key_Escape)
    assert bench.tool.marks() == ()


@pytest.mark.parametrize("name", BOTH_VIEWS)
def test_the_lumen_of_a_frame_that_was_not_segmented(bench: Bench, name: str) -> None:
    bench.state.go_to(UNSEGMENTED)
    bench.hover(name, (90, LUMEN_MM))
    assert "No lumen in this frame yet" in bench.tool.status()

    if name == "section":
        bench.drag(name, *((float(angle), 1.4) for angle in range(0, 356, 8)))
    else:  # round the catheter the polar view goes from edge to edge
        bench.drag(name, *((float(angle), 1.4) for angle in range(1, 359, 6)))

    assert bench.lumen.area_mm2 == pytest.approx(np.pi * 1.4**2, rel=0.03)
    assert bench.annotation.provenance is Provenance.MANUAL
    assert "Drag round calcium" in bench.tool.status()
    assert bench.labels() == ["draw the lumen"]
    assert bench.session.study.annotation(UNSEGMENTED) is None


def test_the_lumen_can_be_widened(bench: Bench) -> None:
    lasso_of(bench).choose(Structure.LUMEN)

    bench.drag("section", *band(90, 130, 1.2, 1.8))

    assert radius_at(bench.lumen, 110) == pytest.approx(1.8, abs=0.03)
    assert bench.session.undo_label == "add lumen"


def test_a_line_that_crosses_itself_gives_a_simple_deposit(bench: Bench) -> None:
    bench.drag("section", (150, 1.8), (190, 2.4), (190, 1.8), (150, 2.6), (140, 2.2))

    assert_holds(bench.annotation)


def test_clicks_and_escape_change_nothing(bench: Bench) -> None:
    before = bench.annotation
    bench.click("section", (180, 2.2))
    around = band(150, 210, 1.8, 2.4)
    bench.press("section", around[0])
    for place in around[1:]:
        bench.move("section", place)

    bench.key("section", Qt.Key.Key_Escape)
    bench.release("section", around[-1])

    assert bench.annotation is before
    assert bench.session.undo_label is None
    turn_wheel(bench.section, -120)
    assert bench.state.frame == 1


def test_an_excluded_frame_says_why_nothing_happens(bench: Bench) -> None:
    bench.exclude()
    bench.hover("section", (180, 2.2))
    bench.drag("section", *band(150, 210, 1.8, 2.4))

    assert "excluded" in bench.tool.status()
    assert bench.session.undo_label == "exclude"


def test_the_row_of_settings(bench: Bench) -> None:
    options = bench.tool.make_options(bench.section)
    assert options is not None
    buttons = {button.text(): button for button in options.findChildren(QPushButton)}
    assert list(buttons) == ["Calcium", "Lumen", "Take away"]

    buttons["Lumen"].click()
    buttons["Take away"].click()

    assert buttons["Lumen"].isChecked()
    assert bench.tool.status() == "Drag round lumen to take it away"
