"""The cross-section view, driven with mouse, wheel and keys."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QObject, QPointF, Qt
from PySide6.QtGui import QFocusEvent, QPixmap
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from calcviewer.app.review import guidewire_decision
from calcviewer.app.session import Change, Facet, Session
from calcviewer.core.annotation import FrameAnnotation
from calcviewer.core.geometry import to_xy
from calcviewer.core.pullback import CalibratedValue, Origin
from calcviewer.gui.frames import FramePictures
from calcviewer.gui.shown import ShownStudy
from calcviewer.gui.tools.ruler import RulerTool
from calcviewer.gui.view_state import LookUpTable, ViewState
from calcviewer.gui.views.cross_section import CrossSectionView
from calcviewer.gui.views.drawing import wrapped
from calcviewer.gui.views.image_view import whole_notches
from tests.gui.image_views import (
    SPOT_RADIUS_MM,
    bluish,
    count_paints,
    drag,
    export_shown,
    pixels,
    reddish,
    show_in,
    spots_shown,
    turn_wheel,
)
from tests.lesion_studies import ACROSS_WIRE, study_of

CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def state() -> ViewState:
    return ViewState()


@pytest.fixture
def view(qtbot: QtBot, state: ViewState) -> CrossSectionView:
    view = CrossSectionView(state)
    qtbot.addWidget(view)
    view.resize(400, 400)
    return view


def open_spots(view: CrossSectionView, state: ViewState, **options: bool) -> ShownStudy:
    shown = spots_shown(**options)
    show_in(view, shown, state)
    return shown


def texts(view: CrossSectionView) -> str:
    view.grab()
    return "\n".join("".join(run.text for run in line) for line in view.value_lines())


def place(view: CrossSectionView, angle_deg: float, radius_mm: float) -> tuple[int, int]:
    point = to_xy(np.array([angle_deg]), np.array([radius_mm]))
    x, y = view.to_px(point)[0]
    return round(x), round(y)


def test_an_empty_view_says_what_to_do(view: CrossSectionView) -> None:
    shown = pixels(view)

    assert shown.max() > 100  # words


@pytest.mark.parametrize("frame", [0, 3, 9, 18])
def test_the_picture_lies_where_its_angles_say(
    view: CrossSectionView, state: ViewState, frame: int
) -> None:
    open_spots(view, state, annotated=False)
    state.set_overlay_visible(False)  # no cut line over the spot
    state.go_to(frame)

    shown = pixels(view)

    x, y = place(view, 10.0 * frame, SPOT_RADIUS_MM)
    assert shown[y, x].sum() > 600
    x, y = place(view, 10.0 * frame + 60, SPOT_RADIUS_MM)
    assert shown[y, x].sum() < 120


def test_contours_lie_on_the_picture(view: CrossSectionView, state: ViewState) -> None:
    open_spots(view, state)

    shown = pixels(view)

    rows, columns = np.nonzero(reddish(shown))
    away = np.hypot(columns - 199.5, rows - 199.5) / view.px_per_mm()
    assert rows.size > 300
    assert np.median(away) == pytest.approx(1.5, abs=0.02)
    x, y = place(view, 20.0, 2.25)  # deposit from 330 to 30 degrees, 1.7 to 2.3 mm
    assert bluish(shown)[y, x]
    x, y = place(view, 60.0, 2.0)
    assert not bluish(shown)[y, x]


def test_holding_h_hides_the_overlay(view: CrossSectionView, state: ViewState) -> None:
    open_spots(view, state)

    QTest.keyPress(view, Qt.Key.Key_H)
    assert not state.overlay_visible
    assert reddish(pixels(view)).sum() == 0
    QTest.keyRelease(view, Qt.Key.Key_H)

    assert state.overlay_visible
    assert reddish(pixels(view)).sum() > 300


def test_the_overlay_comes_back_when_the_focus_leaves(
    view: CrossSectionView, state: ViewState
) -> None:
    open_spots(view, state)

    QTest.keyPress(view, Qt.Key.Key_H)
    QApplication.sendEvent(view, QFocusEvent(QEvent.Type.FocusOut))

    assert state.overlay_visible


@pytest.mark.parametrize(
    ("deltas", "frames"),
    [
        ((-120,), 1),
        ((-15,) * 8, 1),
        ((-15,) * 7, 0),
        ((-240,), 2),
        ((-120, 120), 0),
        ((-100, 100, -100), 0),
        ((-7,) * 40, 2),
    ],
)
def test_a_wheel_notch_is_one_frame_however_it_is_bundled(
    view: CrossSectionView, state: ViewState, deltas: tuple[int, ...], frames: int
) -> None:
    open_spots(view, state)
    state.go_to(5)
    before = (view.px_per_mm(), view.to_mm(QPointF(0, 0)))

    turn_wheel(view, *deltas)

    assert state.frame == 5 + frames
    assert (view.px_per_mm(), view.to_mm(QPointF(0, 0))) == before


def test_shift_and_wheel_is_ten_frames(view: CrossSectionView, state: ViewState) -> None:
    open_spots(view, state)

    turn_wheel(view, -120, modifier=SHIFT)

    assert state.frame == 10


def test_notches_begin_anew_in_the_other_direction() -> None:
    assert whole_notches(100, 30) == (1, 10)
    assert whole_notches(100, -30) == (0, -30)
    assert whole_notches(-110, -20) == (-1, -10)


def test_ctrl_and_wheel_zooms_at_the_pointer(view: CrossSectionView, state: ViewState) -> None:
    open_spots(view, state)
    at = QPointF(300, 120)
    before, scale = view.to_mm(at), view.px_per_mm()

    turn_wheel(view, 120, 120, at=(300, 120), modifier=CONTROL)

    assert state.frame == 0
    assert view.px_per_mm() == pytest.approx(scale * 1.44)
    assert view.to_mm(at) == pytest.approx(before)
    QTest.keyClick(view, Qt.Key.Key_F)
    assert view.px_per_mm() == pytest.approx(scale)
    assert view.to_mm(QPointF(200, 200)) == pytest.approx((0, 0))


def test_middle_drag_pans_and_right_drag_sets_the_window(
    view: CrossSectionView, state: ViewState
) -> None:
    open_spots(view, state)
    before = np.array(view.to_mm(QPointF(0, 0)))

    drag(view, (100, 100), (120, 100), (140, 130), button=Qt.MouseButton.MiddleButton)

    moved = (before - view.to_mm(QPointF(0, 0))) * view.px_per_mm()
    assert moved == pytest.approx((40, 30))
    corner = view.to_mm(QPointF(0, 0))
    drag(view, (100, 100), (200, 100), button=Qt.MouseButton.RightButton)
    assert state.display.white - state.display.black > 300
    drag(view, (100, 100), (100, 150), button=Qt.MouseButton.RightButton)
    assert (state.display.white + state.display.black) / 2 > 150
    assert view.to_mm(QPointF(0, 0)) == corner


def test_a_left_drag_on_nothing_moves_nothing(view: CrossSectionView, state: ViewState) -> None:
    open_spots(view, state)
    before = view.to_mm(QPointF(0, 0))

    drag(view, (50, 200), (150, 250))

    assert view.to_mm(QPointF(0, 0)) == before
    assert state.cut_deg == 90.0


def test_dragging_its_end_turns_the_cut(view: CrossSectionView, state: ViewState) -> None:
    open_spots(view, state)
    ends = view._cut_ends()
    assert ends is not None
    x, y = ends[1]

    drag(view, (x + 6, y - 6), (330, 330), (390, 200))

    assert state.cut_deg == pytest.approx(0.0, abs=0.5)
    handle = view._cut_ends()
    assert handle is not None
    assert handle[1][1] == pytest.approx(200, abs=1.5)


def test_the_handle_of_the_cut_stays_in_sight(view: CrossSectionView, state: ViewState) -> None:
    open_spots(view, state)
    turn_wheel(view, *(120,) * 10, at=(200, 200), modifier=CONTROL)

    ends = view._cut_ends()

    assert ends is not None
    assert ((ends > 0) & (ends < 400)).all()


def test_resizing_keeps_the_whole_picture_fitted(view: CrossSectionView, state: ViewState) -> None:
    open_spots(view, state)
    view.grab()

    view.resize(800, 600)
    view.grab()

    assert view.px_per_mm() == pytest.approx(600 / 8)


def test_texts_say_what_was_measured(view: CrossSectionView, state: ViewState) -> None:
    open_spots(view, state)

    assert texts(view) == (
        "arc 60° visible · 60° bridged\nthickness 0.60 mm · depth 0.20 mm\nlumen 7.07 mm²"
    )


def test_texts_without_scale_have_dashes(view: CrossSectionView, state: ViewState) -> None:
    open_spots(view, state, calibrated=False)

    assert texts(view) == ("arc 60° visible · 60° bridged\nthickness — · depth —\nlumen —")


def test_texts_follow_a_prediction_that_comes_in(view: CrossSectionView, state: ViewState) -> None:
    shown = open_spots(view, state, annotated=False)
    assert texts(view) == "not segmented yet"
    prediction = spots_shown(1).session.study.predictions[0]

    shown.session.add_prediction(0, 0, prediction)
    view.show_change(Change(frozenset({Facet.ANNOTATION}), frozenset({0})))

    assert texts(view).startswith("arc 60°")
    assert reddish(pixels(view)).sum() > 300


def test_a_failed_and_an_excluded_frame_say_why(view: CrossSectionView, state: ViewState) -> None:
    shown = open_spots(view, state, annotated=False)
    shown.session.add_prediction(0, 0, FrameAnnotation(failure="too dark"))
    review = shown.session.study.review.with_exclusion(1, "blood")
    shown.session.edit("exclude frame", review)
    view.show_change(Change(frozenset({Facet.ANNOTATION, Facet.EXCLUSION}), frozenset({0, 1})))

    assert texts(view) == ""
    assert view._frame_troubles()[0][0].text == "Not segmented: too dark"
    state.go_to(1)
    assert texts(view) == ""
    assert view._frame_troubles()[0][0].text == "Excluded: blood"


def test_an_export_keeps_its_own_colours_until_levels_change(
    view: CrossSectionView, state: ViewState
) -> None:
    rgb = np.zeros((200, 200, 3), dtype=np.uint8)
    rgb[:, :100] = 10, 200, 90
    rgb[:50, 100:] = 255
    show_in(view, export_shown(rgb), state)

    assert tuple(pixels(view)[250, 100]) == (10, 200, 90)
    state.set_levels(20, 220)
    changed = pixels(view)[250, 100]
    assert changed[0] > changed[1] > changed[2]  # gold
    state.set_levels(0, 255)
    state.set_table(LookUpTable.GREY)
    grey = pixels(view)[250, 100]
    assert grey[0] == grey[1] == grey[2]


def test_a_frame_that_cannot_be_read_says_so(view: CrossSectionView, state: ViewState) -> None:
    rgb = np.full((200, 200, 3), 200, dtype=np.uint8)
    show_in(view, export_shown(rgb, broken=frozenset({1})), state)
    state.go_to(1)

    shown = pixels(view)

    assert shown[120, 120].sum() == 0
    assert "the file ends early" in view._frame_troubles()[0][0].text


def test_one_repaint_a_frame_change(view: CrossSectionView, state: ViewState, qtbot: QtBot) -> None:
    paints = count_paints(view)
    open_spots(view, state)
    view.show()
    qtbot.waitExposed(view)
    QApplication.processEvents()
    paints.clear()

    for _ in range(5):
        state.step(1)
        view.show_change(Change(frozenset({Facet.ANNOTATION}), frozenset({state.frame})))
        QApplication.processEvents()
    assert len(paints) == 5

    paints.clear()
    for _ in range(5):  # faster than the screen: only the last is read and painted
        state.step(1)
    QApplication.processEvents()
    assert len(paints) == 1


def test_a_hidden_view_reads_nothing(view: CrossSectionView, state: ViewState) -> None:
    shown = open_spots(view, state)

    for _ in range(10):
        state.step(1)
    QApplication.processEvents()

    assert shown.pictures.cartesian.cache_info().misses == 0


def test_a_change_of_another_frame_repaints_nothing(
    view: CrossSectionView, state: ViewState
) -> None:
    open_spots(view, state)
    view.show()
    QApplication.processEvents()
    paints = count_paints(view)

    view.show_change(Change(frozenset({Facet.ANNOTATION}), frozenset({7})))
    view.show_change(Change(frozenset({Facet.BOOKMARK}), frozenset()))
    QApplication.processEvents()

    assert paints == []


def test_steps_leave_no_objects_behind(view: CrossSectionView, state: ViewState) -> None:
    open_spots(view, state)
    view.grab()
    before = len(view.findChildren(QObject))

    for _ in range(15):
        state.step(1)
        view.grab()

    assert len(view.findChildren(QObject)) == before


def test_another_study_leaves_nothing_of_the_last(view: CrossSectionView, state: ViewState) -> None:
    shown = open_spots(view, state)
    tool = RulerTool()
    tool.activate(shown, state)
    view.set_tool(tool)
    state.go_to(4)
    turn_wheel(view, 120, -60, modifier=CONTROL)
    view.grab()

    show_in(view, spots_shown(annotated=False), state)

    assert view.tool is None
    assert texts(view) == "not segmented yet"
    assert view.overlay.lumen is None
    assert view.px_per_mm() == pytest.approx(50.0)
    assert reddish(pixels(view)).sum() == 0
    view.set_study(None)
    state.reset(0)
    view.grab()
    tool.deactivate()


def test_a_new_calibration_moves_the_scale_not_the_picture(
    view: CrossSectionView, state: ViewState
) -> None:
    shown = open_spots(view, state)
    before = pixels(view)[60:360]
    study = shown.session.study
    spacing = CalibratedValue(0.02, Origin.OPERATOR)
    wider = replace(study.calibration, sample_spacing_mm=spacing)

    shown.session.edit("set the spacing", replace(study.review, calibration=wider))
    change = Change(frozenset({Facet.CALIBRATION}), frozenset(range(state.frame_count)))
    view.show_change(change)

    assert view.px_per_mm() == pytest.approx(25.0)
    after = pixels(view)[60:360]
    # O, rays and contours are where they were, and so is the picture.
    assert (np.abs(after - before).max(axis=2) > 60).mean() < 0.003
    assert "lumen 28.2" in texts(view)


def test_high_resolution_screens(view: CrossSectionView, state: ViewState) -> None:
    open_spots(view, state)
    picture = QPixmap(800, 800)
    picture.setDevicePixelRatio(2.0)

    view.render(picture)

    image = picture.toImage()
    corner = [image.pixelColor(x, y).red() for x in range(600, 780) for y in range(16, 50)]
    assert max(corner) > 150  # the text at the right edge is inside the picture


def test_a_long_text_is_broken_between_words(view: CrossSectionView) -> None:
    assert wrapped("one two", 1000.0) == ["one two"]
    assert wrapped("one two", 1.0) == ["one", "two"]
    assert wrapped("", 100.0) == []
    assert wrapped("one two · three", 1000.0) == ["one two · three"]
    assert wrapped("one two · three four five", 150.0) == ["one two", "three four five"]


def test_the_rays_enclose_the_arc_that_counts(view: CrossSectionView, state: ViewState) -> None:
    study = study_of([ACROSS_WIRE] * 4)
    shown = ShownStudy(Session(study), FramePictures(study.pullback))
    show_in(view, shown, state)
    shown.session.subscribe(view.show_change)
    (lesion,) = shown.session.results.lesions

    def rays_deg() -> list[float]:
        view.grab()
        ends = np.array([ray[-1] - ray[0] for ray in view.overlay.rays_mm])
        return sorted(np.degrees(np.arctan2(ends[:, 1], ends[:, 0])) % 360)

    assert rays_deg() == pytest.approx([130, 220], abs=3)
    step = guidewire_decision(study.review, lesion, bridge=True, operator="A", when="2026-01-02")
    shown.session.edit(step.label, step.review)
    assert rays_deg() == pytest.approx([20, 220], abs=3)
    assert texts(view).splitlines()[0].endswith("visible · 200° bridged")
    shown.session.undo()
    assert rays_deg() == pytest.approx([130, 220], abs=3)
