"""The polar view: theta wraps without a seam."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from calcviewer.core.geometry import to_polar
from calcviewer.gui.view_state import ViewState
from calcviewer.gui.views.polar import PolarView
from tests.gui.image_views import (
    SPOT_RADIUS_MM,
    bluish,
    drag,
    export_shown,
    pixels,
    reddish,
    show_in,
    spots_shown,
    turn_wheel,
)

WIDTH, HEIGHT = 720, 400  # 2 px a degree, 100 px a mm
CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def state() -> ViewState:
    return ViewState()


@pytest.fixture
def view(qtbot: QtBot, state: ViewState) -> PolarView:
    view = PolarView(state)
    qtbot.addWidget(view)
    view.resize(WIDTH, HEIGHT)
    return view


def scroll(view: PolarView, right_px: float) -> None:
    drag(view, (300, 200), (300 + right_px / 2, 200), (300 + right_px, 200))


def test_an_empty_view_says_what_to_do(view: PolarView) -> None:
    assert pixels(view).max() > 100


@pytest.mark.parametrize("frame", [3, 9, 18])
def test_angles_run_to_the_right_and_depth_downward(
    view: PolarView, state: ViewState, frame: int
) -> None:
    show_in(view, spots_shown(annotated=False), state)
    state.go_to(frame)

    shown = pixels(view)

    x, y = round(20.0 * frame), round(100 * SPOT_RADIUS_MM)
    assert shown[y, x].sum() > 600
    assert shown[y, (x + 100) % WIDTH].sum() < 120
    assert shown[y + 60, x].sum() < 120


def test_a_place_on_screen_is_a_place_in_the_vessel(view: PolarView, state: ViewState) -> None:
    show_in(view, spots_shown(annotated=False), state)
    scroll(view, -100)  # the left edge is at 50 degrees

    angle, radius = to_polar(np.array(view.to_mm(QPointF(60, 250))))

    assert view.left_deg == pytest.approx(50.0)
    assert (float(angle), float(radius)) == pytest.approx((80.0, 2.5))


def test_dragging_scrolls_through_the_seam_endlessly(view: PolarView, state: ViewState) -> None:
    show_in(view, spots_shown(), state)
    before = pixels(view)

    for _ in range(9):
        scroll(view, 240)  # nine times 120 degrees: three turns

    assert view.left_deg % 360 == pytest.approx(0.0, abs=1e-9)
    assert np.array_equal(pixels(view), before)
    scroll(view, 1)
    assert view.left_deg == pytest.approx(359.5)


def test_picture_and_overlay_roll_together(view: PolarView, state: ViewState) -> None:
    show_in(view, spots_shown(), state)
    state.go_to(2)
    state.set_cut(200.0)
    inner = slice(110, 340)  # without texts and ticks
    before = pixels(view)[inner, : WIDTH - 120]

    scroll(view, 100)
    after = pixels(view)[inner, : WIDTH - 120]

    moved = np.abs(after[:, 110:] - before[:, 10:-100]).max(axis=2)
    assert (moved > 80).mean() < 0.01  # dashes begin elsewhere
    assert reddish(after).sum() == pytest.approx(reddish(before).sum(), rel=0.1)


@pytest.mark.parametrize("scrolled_px", [0, 20, 60, 300])
def test_contours_through_the_seam_are_drawn_on_both_sides(
    view: PolarView, state: ViewState, scrolled_px: int
) -> None:
    show_in(view, spots_shown(), state)
    state.go_to(10)
    scroll(view, scrolled_px)

    calcium = bluish(pixels(view))[200]  # at 2 mm; the deposit lies from 330 to 30 degrees

    x = np.arange(2, WIDTH - 2)
    angle = (x / 2 + view.left_deg + 180) % 360 - 180
    assert calcium[x[np.abs(angle) < 28]].all()
    assert not calcium[x[np.abs(angle) > 32]].any()


def test_the_lumen_border_is_one_line_at_its_radius(view: PolarView, state: ViewState) -> None:
    show_in(view, spots_shown(), state)
    scroll(view, 77)

    rows, columns = np.nonzero(reddish(pixels(view)))

    assert np.unique(columns).size > WIDTH - 60  # all round, but for rays and shadow edges
    assert np.abs(rows - 150).max() <= 3


def test_wheel_steps_and_ctrl_wheel_zooms(view: PolarView, state: ViewState) -> None:
    show_in(view, spots_shown(), state)
    at = QPointF(500, 300)
    before = np.array(view.to_mm(at))

    turn_wheel(view, -120)
    assert state.frame == 1
    turn_wheel(view, *(120,) * 4, at=(500, 300), modifier=CONTROL)

    assert state.frame == 1
    assert np.array(view.to_mm(at)) == pytest.approx(before)
    assert view.px_per_mm() > 200
    view.grab()
    QTest.keyClick(view, Qt.Key.Key_F)
    assert view.px_per_mm() == pytest.approx(100.0)


def test_depth_cannot_be_scrolled_out_of_sight(view: PolarView, state: ViewState) -> None:
    show_in(view, spots_shown(), state)

    drag(view, (300, 100), (300, 380), button=Qt.MouseButton.MiddleButton)

    _, radius = to_polar(np.array(view.to_mm(QPointF(10, 0))))
    assert float(radius) == pytest.approx(0.0)


def test_another_study_begins_at_0_degrees(view: PolarView, state: ViewState) -> None:
    show_in(view, spots_shown(), state)
    scroll(view, 130)
    view.grab()

    show_in(view, spots_shown(annotated=False), state)

    assert view.left_deg == 0.0
    assert reddish(pixels(view)).sum() == 0


def test_an_export_is_unrolled(view: PolarView, state: ViewState) -> None:
    rgb = np.zeros((200, 200, 3), dtype=np.uint8)
    rgb[100:] = 255  # the lower half: 0 to 180 degrees
    show_in(view, export_shown(rgb), state)
    state.set_overlay_visible(False)

    row = pixels(view)[200].sum(axis=1)

    assert row[20:340].min() > 600
    assert row[380:640].max() < 120
