"""Brush and eraser, with the mouse in both views."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from calcviewer.core.annotation import Provenance
from calcviewer.core.editing.structures import Structure
from calcviewer.gui.tools.brush import BrushTool
from tests.gui.image_views import pixels, turn_wheel
from tests.gui.tool_bench import BOTH_VIEWS, LUMEN_MM, UNSEGMENTED, Bench, assert_holds, radius_at


@pytest.fixture
def bench(qtbot: QtBot) -> Bench:
    return Bench(BrushTool(), qtbot)


@pytest.fixture
def eraser(qtbot: QtBot) -> Bench:
    return Bench(BrushTool(erase=True), qtbot)


def brush_of(bench: Bench) -> BrushTool:
    assert isinstance(bench.tool, BrushTool)
    return bench.tool


@pytest.mark.parametrize("name", BOTH_VIEWS)
def test_painting_makes_a_deposit_as_wide_as_the_brush(bench: Bench, name: str) -> None:
    before = bench.annotation

    bench.drag(name, *((float(angle), 2.2) for angle in range(150, 201, 5)))

    deposit = bench.annotation.calcium[-1]
    assert len(bench.annotation.calcium) == 2
    width = radius_at(deposit, 175) - 2.2
    assert width == pytest.approx(brush_of(bench).radius_mm, abs=0.03)
    assert deposit.area_mm2 == pytest.approx(0.3 * 2.2 * np.deg2rad(50) + np.pi * 0.15**2, rel=0.1)
    assert_holds(bench.annotation)
    assert bench.labels() == ["brush calcium"]
    assert bench.annotation is before


@pytest.mark.parametrize("name", BOTH_VIEWS)
def test_a_click_paints_and_live(bench: Bench, name: str) -> None:
    bench.press(name, (180, 2.2))
    assert len(bench.annotation.calcium) == 2
    one = bench.annotation.calcium[-1].area_mm2
    bench.move(name, (190, 2.2))
    assert bench.annotation.calcium[-1].area_mm2 > one
    bench.release(name, (190, 2.2))

    assert bench.labels() == ["brush calcium"]


@pytest.mark.parametrize("name", BOTH_VIEWS)
def test_painting_across_theta_0_joins_what_it_touches(bench: Bench, name: str) -> None:
    angles = [float(angle) for angle in range(300, 360, 4)]

    bench.drag(name, *((angle, 2.0) for angle in angles))

    assert len(bench.annotation.calcium) == 1
    assert_holds(bench.annotation)


def test_calcium_never_enters_the_lumen(bench: Bench) -> None:
    bench.drag("section", (180, 1.0), (180, 1.5), (180, 1.8))

    assert len(bench.annotation.calcium) == 2
    assert_holds(bench.annotation)


@pytest.mark.parametrize("name", BOTH_VIEWS)
def test_the_eraser_takes_away(eraser: Bench, name: str) -> None:
    before = eraser.annotation
    area = sum(one.area_mm2 for one in before.calcium)

    eraser.drag(name, (2, 1.6), (2, 2.0), (2, 2.5))

    assert len(eraser.annotation.calcium) == 2  # cut in two
    assert sum(one.area_mm2 for one in eraser.annotation.calcium) < area - 0.1
    assert_holds(eraser.annotation)
    assert eraser.labels() == ["erase calcium"]
    assert eraser.annotation is before


def test_the_lumen_is_painted_and_erased_too(bench: Bench) -> None:
    brush_of(bench).choose(Structure.LUMEN)
    bench.drag("section", (180, 1.4), (180, 1.6))
    assert radius_at(bench.lumen, 180) == pytest.approx(1.75, abs=0.03)
    assert bench.session.undo_label == "brush lumen"

    brush_of(bench).erase = True
    bench.drag("section", (180, 1.75), (180, 1.5))

    assert radius_at(bench.lumen, 180) == pytest.approx(1.35, abs=0.03)
    assert bench.session.undo_label == "erase lumen"


def test_the_wheel_changes_the_brush_while_it_paints(bench: Bench) -> None:
    before = brush_of(bench).radius_mm
    bench.press("polar", (180, 2.2))

    turn_wheel(bench.polar, 120, 120, 120)
    bench.move("polar", (190, 2.2))
    bench.release("polar", (190, 2.2))

    assert bench.state.frame == 0
    assert brush_of(bench).radius_mm > before
    deposit = bench.annotation.calcium[-1]
    assert radius_at(deposit, 190) == pytest.approx(2.2 + brush_of(bench).radius_mm, abs=0.03)
    turn_wheel(bench.polar, -120)
    assert bench.state.frame == 1


def test_escape_takes_the_stroke_back(bench: Bench) -> None:
    before = bench.annotation
    bench.press("section", (180, 2.2))
    bench.move("section", (200, 2.2))

    bench.key("section", Qt.Key.Key_Escape)
    bench.move("section", (220, 2.2))
    bench.release("section", (220, 2.2))

    assert bench.annotation is before
    assert bench.session.undo_label is None


@pytest.mark.parametrize("name", BOTH_VIEWS)
def test_the_brush_is_drawn_under_the_mouse(bench: Bench, name: str) -> None:
    assert bench.tool.marks() == ()
    view = bench.view(name)
    empty = pixels(view)

    bench.hover(name, (180, 2.5))

    (circle,) = bench.tool.marks()
    assert np.hypot(*(circle.line_mm - (-2.5, 0.0)).T) == pytest.approx(0.15, abs=0.03)
    at = bench.px(name, (180, 2.5))
    around = np.s_[at.y() - 20 : at.y() + 20, at.x() - 20 : at.x() + 20]
    assert (pixels(view)[around] != empty[around]).any()
    QApplication.sendEvent(view, QEvent(QEvent.Type.Leave))
    assert bench.tool.marks() == ()


def test_a_painted_deposit_lets_the_picture_through(bench: Bench) -> None:
    bench.drag("section", (180, 2.0), (180, 2.4))
    bench.tool.leave()
    at = bench.px("section", (180, 2.2))
    bench.state.set_overlay_visible(False)
    bare = pixels(bench.section)[at.y(), at.x()]

    bench.state.set_overlay_visible(True)

    tinted = pixels(bench.section)[at.y(), at.x()]
    blue = np.array([0x44, 0x93, 0xF8])
    assert tinted == pytest.approx(bare * 0.75 + 0.25 * blue, abs=4)


def test_a_frame_without_a_segmentation_gets_a_lumen_first(bench: Bench) -> None:
    bench.state.go_to(UNSEGMENTED)
    brush_of(bench).radius_mm = 1.0
    bench.hover("section", (0, 0.01))
    assert "No lumen in this frame yet" in bench.tool.status()

    bench.click("section", (0, 0.01))

    assert bench.lumen.area_mm2 == pytest.approx(np.pi, rel=0.03)
    assert bench.annotation.provenance is Provenance.MANUAL
    assert "Paint calcium" in bench.tool.status()
    assert bench.labels() == ["brush lumen"]
    assert bench.session.study.annotation(UNSEGMENTED) is None


def test_an_excluded_frame_says_why_nothing_happens(bench: Bench, eraser: Bench) -> None:
    bench.exclude()
    bench.hover("section", (180, 2.2))
    bench.click("section", (180, 2.2))
    assert "excluded" in bench.tool.status()
    assert bench.tool.marks() == ()
    assert bench.session.undo_label == "exclude"

    eraser.state.go_to(UNSEGMENTED)
    eraser.hover("section", (180, 2.2))
    eraser.click("section", (180, 2.2))

    assert "Nothing to erase" in eraser.tool.status()
    assert eraser.session.undo_label is None


def test_the_row_of_settings_chooses_the_structure(bench: Bench) -> None:
    options = bench.tool.make_options(bench.section)
    assert options is not None
    bench.section.show()
    options.show()
    buttons = {button.text(): button for button in options.findChildren(QPushButton)}
    assert list(buttons) == ["Calcium", "Lumen"]
    assert all(button.height() >= 32 for button in buttons.values())
    assert buttons["Calcium"].isChecked()

    buttons["Lumen"].click()

    assert not buttons["Calcium"].isChecked()
    assert "Paint lumen" in bench.tool.status()
    assert options.geometry().bottom() < bench.section.height()
    bench.section.resize(500, 300)
    assert options.geometry().center().x() == pytest.approx(250, abs=2)


def test_painting_near_the_rim_stays_in_the_image(bench: Bench) -> None:
    bench.drag("section", (180, 3.8), (180, 3.99), (182, 4.2))

    assert radius_at(bench.annotation.calcium[-1], 180) <= 4.0 + 1e-9
    assert LUMEN_MM < radius_at(bench.annotation.calcium[-1], 180)
    assert_holds(bench.annotation)
