import time
from dataclasses import replace
from itertools import pairwise
from types import MappingProxyType

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor

from calcviewer.app.review import bookmark
from calcviewer.app.session import Facet
from calcviewer.core.annotation import FrameAnnotation
from calcviewer.core.errors import UnreadableInputError
from calcviewer.gui.flags import FlagKind
from calcviewer.gui.theme import LUMEN, VOI
from calcviewer.gui.views.longitudinal import LongitudinalView
from calcviewer.gui.views.longitudinal_parts import FrameState, frame_states, thinned
from tests.gui.pullbacks import FRAMES, Bench, annotation, drag, make_session, wheel
from tests.gui.waiting import deliver_events
from tests.phantoms import ArrayFrames


@pytest.fixture
def bench(qtbot):
    bench = Bench(qtbot, LongitudinalView, make_session())
    qtbot.waitUntil(lambda: bench.view.canvas.store.complete)
    bench.settle()
    yield bench
    bench.view.set_study(None)


@pytest.fixture
def canvas(bench):
    return bench.view.canvas


def at(canvas, frame, part=0.25):
    """Return where a frame lies, at a part of the picture's height (0.5 is where grips are)."""
    area = canvas.area()
    return QPoint(round(canvas.scale().x_px(frame + 0.5)), round(area.top() + part * area.height()))


def handle(canvas, end):
    return QPoint(round(canvas.voi_ends_px()[end]), round(canvas.area().center().y()))


def edge(canvas, position):
    return QPoint(round(canvas.scale().x_px(position)), round(canvas.area().center().y()))


def share_of_colour(canvas, colour, tolerance=40):
    """Return how much of the picture has about this colour."""
    image = canvas.grab().toImage()
    area, wanted = canvas.area().toRect(), QColor(colour)
    hits = total = 0
    for y in range(area.top(), area.bottom(), 2):
        for x in range(area.left(), area.right(), 2):
            pixel = image.pixelColor(x, y)
            difference = max(
                abs(pixel.red() - wanted.red()),
                abs(pixel.green() - wanted.green()),
                abs(pixel.blue() - wanted.blue()),
            )
            hits += difference <= tolerance
            total += 1
    return hits / total


def blueness(canvas, frames, radii_mm=(1.8, 2.2)):
    """Return how much bluer than red the upper half is, at some frames and radii."""
    image, section = canvas.grab().toImage(), canvas.section()
    pixels = [
        image.pixelColor(round(canvas.scale().x_px(frame + 0.5)), round(section.y_px(1, radius)))
        for frame in frames
        for radius in np.linspace(*radii_mm, 5)
    ]
    return float(np.mean([pixel.blue() - pixel.red() for pixel in pixels]))


# --- frames --------------------------------------------------------------------------------------


def test_click_goes_to_the_frame(qtbot, bench, canvas):
    qtbot.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=at(canvas, 23))
    assert bench.state.frame == 23


def test_drag_scrubs(qtbot, bench, canvas):
    seen = []
    bench.state.frame_changed.connect(seen.append)
    drag(qtbot, canvas, [at(canvas, frame) for frame in (5, 6, 7, 8)])
    assert seen == [5, 6, 7, 8]
    assert bench.session.undo_label is None


def test_flipped_view_runs_the_other_way(qtbot, bench, canvas):
    left = QPoint(round(canvas.area().left()) + 2, 40)
    bench.state.set_flipped(True)
    qtbot.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=left)
    assert bench.state.frame == FRAMES - 1


def test_wheel_rotates_the_cut_by_five_degrees_a_notch(bench, canvas):
    bench.state.set_cut(0)
    wheel(canvas, at(canvas, 5), 1)
    assert bench.state.cut_deg == 5
    wheel(canvas, at(canvas, 5), -2)
    assert bench.state.cut_deg == 355
    assert bench.state.frame == 0


def test_small_wheel_deltas_add_up_to_one_notch(bench, canvas):
    bench.state.set_cut(0)
    for _ in range(4):
        wheel(canvas, at(canvas, 5), 0.25)
    assert bench.state.cut_deg == 5


def test_shift_wheel_moves_ten_frames(bench, canvas):
    wheel(canvas, at(canvas, 5), -1, Qt.KeyboardModifier.ShiftModifier)
    assert bench.state.frame == 10


def test_ctrl_wheel_zooms_along_the_frames_at_the_pointer(bench, canvas):
    before = canvas.scale().position(at(canvas, 20).x())
    wheel(canvas, at(canvas, 20), 3, Qt.KeyboardModifier.ControlModifier)
    first, last = bench.axis.span
    assert last - first < FRAMES
    assert canvas.scale().position(at(canvas, 20).x()) == pytest.approx(before, abs=0.1)
    bench.view.fit()
    assert bench.axis.span == (0, FRAMES)


def test_middle_drag_moves_along_the_frames(qtbot, bench, canvas):
    bench.axis.zoom(4, at=20)
    first = bench.axis.span[0]
    drag(qtbot, canvas, [at(canvas, 20), at(canvas, 18)], Qt.MouseButton.MiddleButton)
    assert bench.axis.span[0] == pytest.approx(first + 2, abs=0.1)
    assert bench.state.frame == 0


def test_frame_out_of_sight_comes_into_sight(bench, canvas):
    bench.axis.zoom(4, at=1)
    bench.state.go_to(35)
    first, last = bench.axis.span
    assert first <= 35 < last


def test_up_and_down_rotate_the_cut(qtbot, bench, canvas):
    bench.state.set_cut(10)
    qtbot.keyClick(canvas, Qt.Key.Key_Up)
    assert bench.state.cut_deg == 15
    qtbot.keyClick(canvas, Qt.Key.Key_Down)
    qtbot.keyClick(canvas, Qt.Key.Key_Down)
    assert bench.state.cut_deg == 5


def test_right_drag_changes_window_and_level(qtbot, bench, canvas):
    here = at(canvas, 20)
    drag(
        qtbot,
        canvas,
        [here, here + QPoint(30, 0), here + QPoint(60, 0)],
        Qt.MouseButton.RightButton,
    )
    display = bench.state.display
    assert display.white - display.black > 255


# --- volume of interest --------------------------------------------------------------------------


def test_dragging_a_handle_makes_a_voi_in_one_undo_step(qtbot, bench, canvas):
    drag(qtbot, canvas, [handle(canvas, 0), edge(canvas, 4), edge(canvas, 8)])
    assert bench.session.study.review.voi == (8, FRAMES - 1)
    assert bench.session.undo_label == "set volume of interest"
    assert bench.state.frame == 0
    bench.session.undo()
    assert bench.session.study.review.voi is None
    assert bench.session.undo_label is None


def test_two_drags_are_two_steps(qtbot, bench, canvas):
    drag(qtbot, canvas, [handle(canvas, 0), edge(canvas, 8)])
    drag(qtbot, canvas, [handle(canvas, 1), edge(canvas, 21)])
    assert bench.session.study.review.voi == (8, 20)
    bench.session.undo()
    assert bench.session.study.review.voi == (8, FRAMES - 1)


def test_handles_do_not_pass_each_other(qtbot, bench, canvas):
    bench.session.edit("voi", replace(bench.session.study.review, voi=(10, 20)))
    drag(qtbot, canvas, [handle(canvas, 0), edge(canvas, 33)])
    assert bench.session.study.review.voi == (20, 20)


def test_double_click_on_a_handle_removes_the_voi(qtbot, bench, canvas):
    bench.session.edit("voi", replace(bench.session.study.review, voi=(10, 20)))
    qtbot.mouseDClick(canvas, Qt.MouseButton.LeftButton, pos=handle(canvas, 1))
    assert bench.session.study.review.voi is None


def test_double_click_elsewhere_changes_nothing(qtbot, bench, canvas):
    bench.session.edit("voi", replace(bench.session.study.review, voi=(10, 20)))
    qtbot.mouseDClick(canvas, Qt.MouseButton.LeftButton, pos=at(canvas, 30))
    assert bench.session.study.review.voi == (10, 20)


def test_voi_is_drawn_at_once(bench, canvas):
    assert share_of_colour(canvas, VOI) < 0.002
    bench.session.edit("voi", replace(bench.session.study.review, voi=(10, 20)))
    assert share_of_colour(canvas, VOI) > 0.002


def test_menu_sets_and_clears_the_voi(bench, canvas):
    names = {a.text(): a for a in canvas.menu_at(at(canvas, 11)).actions() if a.text()}
    assert not names["No VOI: whole pullback"].isEnabled()
    names["VOI from frame 12"].trigger()
    assert bench.session.study.review.voi == (11, FRAMES - 1)
    names = {a.text(): a for a in canvas.menu_at(at(canvas, 19)).actions() if a.text()}
    names["VOI up to frame 20"].trigger()
    assert bench.session.study.review.voi == (11, 19)
    names["No VOI: whole pullback"].trigger()
    assert bench.session.study.review.voi is None


def test_menu_bookmarks_the_frame_under_the_pointer(bench, canvas):
    actions = {a.text(): a for a in canvas.menu_at(at(canvas, 6)).actions()}
    actions["Bookmark frame 7"].trigger()
    assert bench.session.study.review.bookmarks == {6}
    actions = {a.text(): a for a in canvas.menu_at(at(canvas, 6)).actions()}
    actions["Remove bookmark of frame 7"].trigger()
    assert not bench.session.study.review.bookmarks


def test_bookmark_is_drawn_over_its_frame(bench, canvas):
    step = bookmark(bench.session.study.review, 25)
    where = QPoint(round(canvas.scale().x_px(25.5)), round(canvas.area().top()) + 4)
    before = canvas.grab().toImage().pixelColor(where).lightness()
    bench.session.edit(step.label, step.review)
    assert canvas.grab().toImage().pixelColor(where).lightness() > before + 60


# --- flags ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "frame"), [(FlagKind.MAX_ARC, 14), (FlagKind.MAX_THICKNESS, 17), (FlagKind.MLA, 12)]
)
def test_one_click_on_a_flag_goes_to_its_frame(qtbot, bench, kind, frame):
    button = bench.view.flag_row.button(kind)
    assert button.isVisible()
    assert button.height() >= 32
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert bench.state.frame == frame


def test_flags_show_their_value(bench):
    row = bench.view.flag_row
    assert row.button(FlagKind.MAX_ARC).text() == "arc 200°"
    assert "frame 15" in row.button(FlagKind.MAX_ARC).toolTip()
    assert row.button(FlagKind.MLA).text().endswith(" mm²")


def test_flags_follow_the_results(bench):
    edited = annotation((20, 300))
    bench.session.edit("draw", bench.session.study.review.with_edit(15, edited))
    bench.settle()
    assert bench.view.flag_row.button(FlagKind.MAX_ARC).text() == "arc 300°"
    bench.session.undo()
    bench.settle()
    assert bench.view.flag_row.button(FlagKind.MAX_ARC).text() == "arc 200°"


def test_flag_beyond_the_visible_frames_stands_at_the_end_with_an_arrow(bench):
    bench.axis.zoom(4, at=39)
    button = bench.view.flag_row.button(FlagKind.MAX_ARC)
    assert button.text() == "◂ arc 200°"
    assert button.geometry().left() >= 0


def test_flags_never_overlap_in_a_narrow_view(bench):
    bench.view.resize(520, 200)
    row = bench.view.flag_row
    boxes = [row.button(flag.kind).geometry() for flag in row.flags]
    for box, following in pairwise(boxes):
        assert following.left() > box.right()


# --- picture -------------------------------------------------------------------------------------


def test_overlay_can_be_hidden(bench, canvas):
    bench.state.set_cut(60)
    lumen, calcium = share_of_colour(canvas, LUMEN), blueness(canvas, range(10, 20))
    bench.state.set_overlay_visible(False)
    assert lumen > 0.002 > share_of_colour(canvas, LUMEN)
    assert calcium > blueness(canvas, range(10, 20)) + 30


def test_calcium_is_drawn_only_in_its_direction(bench, canvas):
    bench.state.set_cut(60)  # calcium from 20 to 120 degrees, in frames 10 to 19
    plain = blueness(canvas, range(2, 9))
    assert blueness(canvas, range(10, 20)) > plain + 30
    bench.state.set_cut(160)  # there it is in frame 14 only
    assert blueness(canvas, [14]) > plain + 30
    assert blueness(canvas, [10, 11, 16, 18]) == pytest.approx(plain, abs=5)


def test_new_annotation_appears(bench, canvas):
    bench.state.set_cut(60)
    before = blueness(canvas, range(20, 40))
    run = bench.session.start_run(None)
    for frame in range(20, 40):
        bench.session.add_prediction(run, frame, annotation((20, 100)))
    bench.settle()
    assert blueness(canvas, range(20, 40)) > before + 30


def test_thousand_changes_are_redrawn_few_times(bench, canvas, monkeypatch):
    painted = []
    paint = canvas._paint_static
    monkeypatch.setattr(canvas, "_paint_static", lambda p: (painted.append(1), paint(p)))
    run = bench.session.start_run(None)
    drawn = annotation((20, 100))
    for k in range(1000):
        bench.session.add_prediction(run, k % FRAMES, drawn)
    bench.settle()
    assert len(painted) <= 8


def test_frame_states(bench):
    session = bench.session
    run = session.start_run(None)
    session.add_prediction(run, 3, FrameAnnotation(failure="no lumen"))
    review = replace(session.study.review, excluded=MappingProxyType({5: "blood"}))
    session.edit("exclude", review)
    states = frame_states(session.study, bench.shown.pictures)
    assert states[3] == FrameState.FAILED
    assert states[5] == FrameState.EXCLUDED
    assert states[7] == FrameState.SEGMENTED


def test_excluded_frame_is_hatched(bench, canvas):
    bench.state.set_overlay_visible(False)
    before = canvas.grab().toImage()
    review = replace(bench.session.study.review, excluded=MappingProxyType({25: "blood"}))
    bench.session.edit("exclude", review)
    bench.settle()
    after = canvas.grab().toImage()
    x, area = round(canvas.scale().x_px(25.5)), canvas.area().toRect()
    column = range(area.top() + 30, area.bottom() - 30)
    assert any(before.pixel(x, y) != after.pixel(x, y) for y in column)


def test_unreadable_frame_is_marked(qtbot):
    class Damaged(ArrayFrames):
        def intensity(self, index):
            if index == 3:
                raise UnreadableInputError("damaged", "copy it again")
            return super().intensity(index)

    session = make_session({})
    pullback = session.study.pullback
    damaged = replace(pullback, frames=Damaged(pullback.frames.values))
    session._study = replace(session.study, pullback=damaged)
    bench = Bench(qtbot, LongitudinalView, session)
    qtbot.waitUntil(lambda: bench.view.canvas.store.complete)
    states = frame_states(session.study, bench.shown.pictures)
    assert list(np.flatnonzero(states == FrameState.FAILED)) == [3]
    bench.view.set_study(None)


def test_calibration_moves_picture_and_borders_together(bench, canvas):
    """What complaint lists name: measurements and drawings that part when the scale changes."""
    section = canvas.section()
    lumen_before = canvas._borders.along(60).lumen_mm[0] / section.radii_mm[1]
    calibration = bench.session.study.calibration
    spacing = replace(calibration.sample_spacing_mm, value=0.03)
    changed = replace(calibration, sample_spacing_mm=spacing)
    bench.session.edit("scale", replace(bench.session.study.review, calibration=changed))
    assert any(Facet.CALIBRATION in change.facets for change in bench.changes)
    bench.settle()
    section = canvas.section()
    assert section.radii_mm[1] == pytest.approx(6.0)
    lumen_after = canvas._borders.along(60).lumen_mm[0] / section.radii_mm[1]
    assert lumen_after == pytest.approx(lumen_before, rel=1e-3)


def test_rows_are_averaged_not_dropped():
    grey = np.tile(np.array([0, 200], dtype=np.uint8), (3, 50))
    np.testing.assert_array_equal(thinned(grey, 50), np.full((3, 50), 100))
    assert thinned(grey, 200) is grey


def test_frames_that_are_read_appear_without_a_click(qtbot):
    bench = Bench(qtbot, LongitudinalView, make_session({}))
    qtbot.waitUntil(lambda: bench.view.canvas.store.complete)
    bench.settle()
    canvas = bench.view.canvas
    image, area = canvas.grab().toImage(), canvas.area()
    for frame in (1, 20, 38):  # tissue lies from 1.5 to 2.3 mm of the 2.3 + margin shown
        x, section = round(canvas.scale().x_px(frame + 0.5)), canvas.section()
        y = round(section.y_px(1.0, 1.9))
        assert area.top() < y < area.center().y()
        assert image.pixelColor(x, y).lightness() > 100
        assert image.pixelColor(x, round(section.y_px(1.0, 0.7))).lightness() < 40
    bench.view.set_study(None)


# --- studies -------------------------------------------------------------------------------------


def test_second_study_leaves_nothing_of_the_first(qtbot, bench, canvas):
    bench.session.edit("voi", replace(bench.session.study.review, voi=(10, 20)))
    bench.axis.zoom(4, at=20)
    bench.open(make_session({}, count=12))
    assert bench.view.flag_row.flags == ()
    assert bench.axis.span == (0, 12)
    qtbot.waitUntil(lambda: canvas.store.complete)
    bench.settle()
    assert canvas.store.filled.shape == (12,)
    assert canvas.voi is None
    assert np.isnan(canvas._borders.along(60).lumen_mm).all()
    assert not any(button.isVisible() for button in bench.view.flag_row._buttons.values())


def test_closing_while_frames_are_read_ends_the_thread(qtbot):
    class Slow(ArrayFrames):
        def intensity(self, index):
            time.sleep(0.01)
            return super().intensity(index)

    session = make_session({})
    pullback = session.study.pullback
    slow = replace(pullback, frames=Slow(pullback.frames.values))
    session._study = replace(session.study, pullback=slow)
    bench = Bench(qtbot, LongitudinalView, session)
    reading = bench.view.canvas._reading
    bench.qtbot.waitUntil(lambda: bench.view.canvas.store.filled.any())
    assert reading.running
    bench.view.set_study(None)
    assert not reading.running
    deliver_events()
    assert bench.view.canvas.store.filled.size == 0


def test_empty_view_ignores_the_mouse(qtbot):
    bench = Bench(qtbot, LongitudinalView)
    canvas = bench.view.canvas
    qtbot.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=QPoint(100, 50))
    wheel(canvas, QPoint(100, 50), 1)
    qtbot.keyClick(canvas, Qt.Key.Key_Up)
    assert bench.state.cut_deg == 90
    canvas.grab()
