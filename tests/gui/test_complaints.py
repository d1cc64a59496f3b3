"""What users of peer tools complain about while viewing: none of it may be true here.

Complaints about editing are in `test_editing_complaints`.
"""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QAbstractSlider, QDoubleSpinBox, QScrollBar, QWidget
from pytestqt.qtbot import QtBot

from calcviewer.app.session import Session
from calcviewer.app.simulate import write_pullback
from calcviewer.core.annotation import FrameAnnotation, annotation_from_labels
from calcviewer.core.geometry import Arc
from calcviewer.gui.flags import FlagKind
from calcviewer.gui.main_window import MainWindow
from calcviewer.gui.view_state import ViewState
from calcviewer.gui.views.cross_section import CrossSectionView
from calcviewer.gui.views.overlay import frame_overlay
from tests.gui.image_views import make_shown, pixels, reddish, show_in, turn_wheel
from tests.gui.open_windows import at_rest, double_scale, opened, press, shown_window
from tests.gui.stored_studies import PhantomSegmenter, write_study
from tests.phantoms import GRID as PHANTOM_GRID
from tests.phantoms import label_map, make_pullback

SHIFT, CTRL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier
FRAMES = 12
NOTCH = 120


@pytest.fixture
def window(qtbot: QtBot, segmenter: PhantomSegmenter) -> Iterator[MainWindow]:
    made = shown_window(qtbot)
    yield made
    made.close()


@pytest.fixture
def session(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> Session:
    return opened(window, qtbot, write_study(tmp_path, FRAMES))


# --- wheel over a slider steps more than one frame ----------------------------------------------


@pytest.mark.parametrize("name", ["cross_section", "polar", "trends", "calcium_map"])
def test_a_notch_of_the_wheel_is_one_frame_in_every_view(
    window: MainWindow, session: Session, name: str
) -> None:
    view = window.views[name]
    at = (view.width() / 3, view.height() / 2)
    turn_wheel(view, -NOTCH, at=at)
    assert window.desk.state.frame == 1
    turn_wheel(view, -NOTCH, -NOTCH, at=at)
    assert window.desk.state.frame == 3
    turn_wheel(view, *[NOTCH // 8] * 8, at=at)  # a fine wheel sends a notch in parts
    assert window.desk.state.frame == 2


def test_the_wheel_over_bars_and_panels_steps_no_frame_and_changes_no_value(
    window: MainWindow, session: Session
) -> None:
    window.calibration.catheter.click()
    study = session.study
    (diameter,) = window.cross_section.findChildren(QDoubleSpinBox)
    before = diameter.value()
    for widget in (*window.panels, window.top_bar, window.tool_bar, window.status):
        turn_wheel(widget, -NOTCH, at=(5, 5))
    assert window.desk.state.frame == 0
    turn_wheel(diameter, -NOTCH, at=(5, 5))
    assert window.desk.state.frame <= 1
    assert diameter.value() == before
    assert session.study is study


def test_there_is_no_slider_that_takes_the_wheel(window: MainWindow, session: Session) -> None:
    sliders = window.findChildren(QAbstractSlider)
    assert all(isinstance(slider, QScrollBar) for slider in sliders)


# --- undo -----------------------------------------------------------------------------------------


def test_undo_does_not_reset_what_is_visible(
    window: MainWindow, session: Session, qtbot: QtBot
) -> None:
    state = window.desk.state
    state.go_to(4)
    press(qtbot, window, Qt.Key.Key_B)
    state.set_overlay_visible(False)
    state.set_flipped(True)
    state.set_cut(30)
    state.set_levels(20, 180)
    press(qtbot, window, Qt.Key.Key_3)
    turn_wheel(window.cross_section, NOTCH, modifier=CTRL)
    at_rest(window, qtbot)
    before = pixels(window.cross_section)
    press(qtbot, window, Qt.Key.Key_Z, modifier=CTRL)
    assert not session.study.review.bookmarks
    at_rest(window, qtbot)
    assert not state.overlay_visible
    assert (state.frame, state.flipped, state.cut_deg) == (4, True, 30)
    assert (state.display.black, state.display.white) == (20, 180)
    assert window.desk.settings.layout == 3
    assert np.array_equal(pixels(window.cross_section), before)


def test_undo_has_no_limit(window: MainWindow, session: Session, qtbot: QtBot) -> None:
    for _ in range(100):
        press(qtbot, window, Qt.Key.Key_B)
    press(qtbot, window, *[Qt.Key.Key_Z] * 99, modifier=CTRL)
    assert session.study.review.bookmarks == {0}
    press(qtbot, window, Qt.Key.Key_Z, modifier=CTRL)
    assert session.undo_label is None
    press(qtbot, window, *[Qt.Key.Key_Z] * 99, modifier=CTRL | SHIFT)
    assert session.study.review.bookmarks == {0}


# --- the longitudinal view is stale after segmentation ------------------------------------------


def test_the_longitudinal_view_shows_what_was_segmented_without_being_touched(
    window: MainWindow, segmenter: PhantomSegmenter, qtbot: QtBot, tmp_path: Path
) -> None:
    segmenter.seconds = 0.05
    window.open_path(write_study(tmp_path, FRAMES))
    qtbot.waitUntil(lambda: window.desk.segmentation.done >= 2)
    canvas = window.longitudinal.canvas
    early = int(reddish(pixels(canvas)).sum())
    qtbot.waitUntil(lambda: not window.desk.segmentation.running)
    qtbot.waitUntil(lambda: int(reddish(pixels(canvas)).sum()) > early + 100)
    at_rest(window, qtbot)
    area = canvas.area()
    red = reddish(pixels(canvas))[:, int(area.left()) : int(area.right())]
    assert red.any(axis=0).mean() > 0.9, "frames without a lumen border"
    assert window.longitudinal.flag_row.flags


# --- state leaks from one case into the next ----------------------------------------------------


def test_a_study_looks_the_same_whatever_was_open_before(
    segmenter: PhantomSegmenter, qtbot: QtBot, tmp_path: Path
) -> None:
    first, second = write_study(tmp_path, FRAMES, "first"), write_study(tmp_path, 9, "second")
    fresh = shown_window(qtbot)
    opened(fresh, qtbot, second)
    expected = {name: pixels(part) for name, part in parts(fresh).items()}
    fresh.close()
    used = shown_window(qtbot)
    session = opened(used, qtbot, first)
    spoil(used, session, qtbot)
    opened(used, qtbot, second)
    used.cross_section.setFocus()
    at_rest(used, qtbot)
    seen = {name: pixels(part) for name, part in parts(used).items()}
    different = [name for name in expected if not np.array_equal(seen[name], expected[name])]
    used.close()
    assert different == []


def test_a_calibrated_study_is_let_go_when_it_is_left(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    session = opened(window, qtbot, write_study(tmp_path, FRAMES, "first"))
    double_scale(session)
    at_rest(window, qtbot)
    frames = weakref.ref(session.study.pullback.frames)
    del session
    opened(window, qtbot, write_study(tmp_path, 9, "second"))
    gc.collect()
    assert frames() is None


def parts(window: MainWindow) -> dict[str, QWidget]:
    """Return what is on screen and belongs to the study."""
    shown = {name: view for name, view in window.views.items() if view.isVisible()}
    panels = {type(panel).__name__: panel for panel in window.panels}
    return {**shown, **panels, "status": window.status, "top_bar": window.top_bar}


def spoil(window: MainWindow, session: Session, qtbot: QtBot) -> None:
    """Leave a trace everywhere a study can."""
    state = window.desk.state
    press(qtbot, window, Qt.Key.Key_Right, Qt.Key.Key_B, Qt.Key.Key_V, Qt.Key.Key_Return)
    press(qtbot, window, Qt.Key.Key_Return, modifier=CTRL)
    press(qtbot, window, Qt.Key.Key_Z, modifier=CTRL)
    double_scale(session)
    state.set_levels(40, 120)
    state.set_overlay_visible(False)
    turn_wheel(window.cross_section, 3 * NOTCH, modifier=CTRL)
    turn_wheel(window.longitudinal.canvas, 3 * NOTCH, modifier=CTRL)
    window.toolbox.choose("ruler")
    qtbot.mousePress(window.cross_section, Qt.MouseButton.LeftButton, pos=QPoint(100, 100))
    qtbot.mouseMove(window.cross_section, QPoint(160, 140))
    qtbot.mouseRelease(window.cross_section, Qt.MouseButton.LeftButton, pos=QPoint(160, 140))
    window.commands.play()


# --- files with modality alias OPT or US are refused --------------------------------------------


@pytest.mark.parametrize("modality", ["OPT", "US", "OCT", "IVOCT"])
def test_modality_aliases_are_opened(
    window: MainWindow, qtbot: QtBot, tmp_path: Path, modality: str
) -> None:
    write_pullback(tmp_path / "made", seed=1, frames=2, a_lines=60, samples=120)
    path = tmp_path / "made" / "presentation.dcm"
    dataset = pydicom.dcmread(path)
    dataset.Modality = modality
    dataset.save_as(path)
    opened(window, qtbot, path)
    assert window.banner.message == ""


# --- z-spacing silently 1.0 ---------------------------------------------------------------------


def test_without_a_frame_pitch_there_is_no_length_and_it_is_said(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    path = tmp_path / "no_pitch.npz"
    with np.load(write_study(tmp_path, FRAMES)) as stored:
        np.savez(path, **{name: stored[name] for name in stored if name != "frame_pitch_mm"})
    session = opened(window, qtbot, path)
    assert session.study.calibration.frame_pitch_mm is None
    assert [lesion.length_mm for lesion in session.results.lesions] == [None]
    assert any("frame pitch unknown" in chip.text() for chip in window.top_bar._chips)
    assert window.calibration.pitch.field.text() == ""
    assert window.longitudinal.canvas._pitch_mm() is None


# --- measurements move when calibration changes -------------------------------------------------


def test_a_new_scale_scales_every_number_and_moves_no_contour(
    window: MainWindow, session: Session, qtbot: QtBot
) -> None:
    window.desk.state.go_to(5)
    at_rest(window, qtbot)
    before, seen = session.results.frames[5], reddish(pixels(window.cross_section))
    double_scale(session)
    at_rest(window, qtbot)
    after = session.results.frames[5]
    assert before is not None
    assert after is not None
    assert before.lumen_area_mm2 is not None
    assert after.lumen_area_mm2 == pytest.approx(4 * before.lumen_area_mm2, rel=1e-6)
    assert after.max_arc_deg_visible == pytest.approx(before.max_arc_deg_visible, abs=1e-6)
    moved = reddish(pixels(window.cross_section)) ^ seen
    assert moved.sum() < 0.02 * seen.sum()
    press(qtbot, window, Qt.Key.Key_Z, modifier=CTRL)
    again = session.results.frames[5]
    assert again is not None
    assert again.lumen_area_mm2 == before.lumen_area_mm2


# --- contours are opaque ------------------------------------------------------------------------


def test_calcium_lets_the_picture_through(qtbot: QtBot) -> None:
    rng = np.random.default_rng(0)
    values = rng.random((1, *PHANTOM_GRID.shape), dtype=np.float32)
    drawn = annotation_from_labels(label_map((40, 200)), PHANTOM_GRID)
    state = ViewState()
    view = CrossSectionView(state)
    qtbot.addWidget(view)
    view.resize(500, 500)
    show_in(view, make_shown(make_pullback(1, values=values), {0: drawn}), state)
    over = pixels(view)
    state.set_overlay_visible(False)
    bare = pixels(view)
    changed = np.abs(over - bare).sum(axis=2) > 0
    where = changed & (bare.max(axis=2) > 30) & (over.max(axis=2) < 250)
    assert where.sum() > 2000
    seen = np.corrcoef(over[where].sum(axis=1), bare[where].sum(axis=1))[0, 1]
    assert seen > 0.8
    share = np.polyfit(bare[where][:, 0], over[where][:, 0], 1)[0]
    assert 0.65 < share < 0.85  # a fill of 25 %


# --- start and end of the ROI are missing -------------------------------------------------------


def test_both_ends_of_the_voi_are_shown_set_and_in_force(
    window: MainWindow, session: Session, qtbot: QtBot
) -> None:
    canvas = window.longitudinal.canvas
    window.desk.state.go_to(3)
    press(qtbot, window, Qt.Key.Key_V)
    window.desk.state.go_to(7)
    press(qtbot, window, Qt.Key.Key_V, modifier=SHIFT)
    assert session.study.review.voi == (3, 7)
    at_rest(window, qtbot)
    row = pixels(canvas)[int(canvas.area().top()) + 30]
    for x in canvas.voi_ends_px():
        red, _, blue = row[round(x) - 2 : round(x) + 3].max(axis=0)
        assert red > 200 > blue, "an end of the VOI is not drawn"
    assert all(3 <= f <= 7 for lesion in session.results.lesions for f in lesion.frame_range)
    window.actions_by_id["voi_clear"].trigger()
    assert session.study.review.voi is None


# --- one guidewire only -------------------------------------------------------------------------


def test_two_guidewires_are_both_hatched_and_both_left_out(qtbot: QtBot) -> None:
    one = annotation_from_labels(label_map((40, 60), wire=(100, 20)), PHANTOM_GRID)
    two = FrameAnnotation(one.lumen, one.calcium, (Arc(100, 20), Arc(250, 25)))
    overlay = frame_overlay(two, reach_mm=3.0)
    assert len(overlay.shadows) == 2
    single, double = (hatched(qtbot, annotation) for annotation in (one, two))
    grown = double & ~single
    assert grown.sum() > 200


def hatched(qtbot: QtBot, annotation: FrameAnnotation) -> NDArray[np.bool_]:
    """Return which pixels the overlay of a black frame draws."""
    state = ViewState()
    view = CrossSectionView(state)
    qtbot.addWidget(view)
    view.resize(400, 400)
    show_in(view, make_shown(make_pullback(1), {0: annotation}), state)
    drawn: NDArray[np.bool_] = pixels(view).max(axis=2) > 20
    return drawn


def test_flags_stay_over_their_frames_in_every_layout(
    window: MainWindow, session: Session, qtbot: QtBot
) -> None:
    row, state = window.longitudinal.flag_row, window.desk.state
    button = row.button(FlagKind.MAX_ARC)
    (frame,) = (flag.frame for flag in row.flags if flag.kind is FlagKind.MAX_ARC)
    state.go_to(frame)
    for number in (4, 1, 5, 2):
        window.commands.layout(number)
        at_rest(window, qtbot)
        placed = button.geometry()
        row._place()
        assert button.geometry() == placed
