"""What users of peer tools complain about while editing: none of it may be true here."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from calcviewer.app.session import Session
from calcviewer.core.annotation import FrameAnnotation
from calcviewer.core.geometry import to_xy
from calcviewer.gui.main_window import MainWindow
from calcviewer.gui.views.image_view import ImageView
from tests.gui.image_views import pixels, reddish, turn_wheel
from tests.gui.open_windows import at_rest, double_scale, opened, press, shown_window
from tests.gui.stored_studies import PhantomSegmenter, write_study

SHIFT, CTRL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier
LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
FRAMES, NOTCH = 12, 120
LUMEN_MM = 1.5
SLOWEST_MOVE_S = 1 / 30
Place = tuple[float, float]
"""Angle (deg) and radius (mm) about the catheter."""


@pytest.fixture
def window(qtbot: QtBot, segmenter: PhantomSegmenter) -> Iterator[MainWindow]:
    made = shown_window(qtbot)
    yield made
    made.close()


@pytest.fixture
def session(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> Session:
    return opened(window, qtbot, write_study(tmp_path, FRAMES))


def annotation(window: MainWindow) -> FrameAnnotation:
    """Return what is in force in the frame on screen."""
    assert window.desk.shown is not None
    found = window.desk.shown.session.study.annotation(window.desk.state.frame)
    assert found is not None
    return found


def names(session: Session) -> list[str]:
    return [step.label for step in session.history.past]


def at_px(view: ImageView, place: Place) -> QPoint:
    point = to_xy(np.array([place[0]]), np.array([place[1]]))
    return QPointF(*view._lines_px(point, ring=False)[0][-1]).toPoint()


def begin(view: ImageView, places: Sequence[Place]) -> None:
    """Press at the first place and move over the others."""
    QTest.mousePress(view, LEFT, NONE, at_px(view, places[0]))
    for place in places[1:]:
        move(view, place)


def move(view: ImageView, place: Place) -> None:
    point = at_px(view, place)
    at, on_screen = QPointF(point), QPointF(view.mapToGlobal(point))
    none = Qt.MouseButton.NoButton
    event = QMouseEvent(QEvent.Type.MouseMove, at, on_screen, none, LEFT, NONE)
    QApplication.sendEvent(view, event)


def end(view: ImageView, place: Place) -> None:
    QTest.mouseRelease(view, LEFT, NONE, at_px(view, place))


def drag(view: ImageView, *places: Place) -> None:
    begin(view, places)
    end(view, places[-1])


def click(view: ImageView, place: Place) -> None:
    drag(view, place)


def widen_lumen(window: MainWindow, frame: int, by_mm: float = 0.25) -> None:
    """Drag the lumen of a frame outward where there is no calcium."""
    window.desk.state.go_to(frame)
    window.toolbox.choose("contour")
    drag(
        window.cross_section, (300, LUMEN_MM), (300, LUMEN_MM + by_mm / 2), (300, LUMEN_MM + by_mm)
    )
    window.toolbox.choose("")


# --- painting lags --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["cross_section", "polar"])
def test_painting_keeps_up_with_the_hand(window: MainWindow, session: Session, name: str) -> None:
    view = window.views[name]
    assert isinstance(view, ImageView)
    window.toolbox.choose("brush")
    places = [(290 + angle, 1.9) for angle in np.linspace(0, 60, 40)]
    begin(view, places[:1])
    spent = []
    for place in places[1:]:
        start = time.process_time()
        move(view, place)
        QApplication.processEvents()  # whatever shows it, in every panel
        spent.append(time.process_time() - start)
        assert len(annotation(window).calcium) == 2
    end(view, places[-1])
    assert names(session) == ["brush calcium"]
    assert np.median(spent) < SLOWEST_MOVE_S


# --- five undo steps only; undo resets visibility -------------------------------------------------


def test_thirty_corrections_are_taken_back_one_by_one(
    window: MainWindow, session: Session, qtbot: QtBot
) -> None:
    seen = [annotation(window)]
    window.toolbox.choose("brush")
    for step in range(30):
        click(window.cross_section, (225 + 4 * step, 1.9))
        seen.append(annotation(window))
    assert len(set(map(id, seen))) == 31
    window.toolbox.choose("")
    window.desk.state.set_overlay_visible(False)
    for expected in reversed(seen[:-1]):
        press(qtbot, window, Qt.Key.Key_Z, modifier=CTRL)
        assert annotation(window) is expected
        assert not window.desk.state.overlay_visible
    assert session.undo_label is None


# --- the last polygon point cannot be undone ------------------------------------------------------


def test_the_last_point_of_a_curve_is_undone_and_the_curve_goes_on(
    window: MainWindow, session: Session, qtbot: QtBot
) -> None:
    view = window.cross_section
    press(qtbot, window, Qt.Key.Key_O)
    corners = [(angle, 2.8) for angle in range(0, 360, 60)]
    for corner in corners:
        click(view, corner)
    whole = annotation(window).eel
    click(view, (330, 1.7))  # a slip
    assert annotation(window).eel is not whole
    press(qtbot, window, Qt.Key.Key_Z, modifier=CTRL)
    eel = annotation(window).eel
    assert whole is not None
    assert eel is not None
    assert eel.area_mm2 == pytest.approx(whole.area_mm2, rel=1e-6)
    press(qtbot, window, Qt.Key.Key_Return)
    assert names(session) == ["draw the EEL"]
    press(qtbot, window, Qt.Key.Key_Z, modifier=CTRL)
    assert annotation(window).eel is None


# --- the longitudinal view is stale ---------------------------------------------------------------


def test_every_view_follows_a_drag_before_it_ends(
    window: MainWindow, session: Session, qtbot: QtBot
) -> None:
    window.desk.state.go_to(6)
    window.desk.state.set_cut(300)
    at_rest(window, qtbot)
    views = {
        name: window.views[name] for name in ("longitudinal", "trends", "cross_section", "polar")
    }
    before = {name: pixels(view) for name, view in views.items()}
    window.toolbox.choose("contour")
    begin(window.cross_section, [(300, LUMEN_MM), (300, 1.7), (300, 1.9)])
    at_rest(window, qtbot)
    stale = [name for name, view in views.items() if np.array_equal(pixels(view), before[name])]
    end(window.cross_section, (300, 1.9))
    assert stale == []


# --- copying to the next frame is slower than interpolating ---------------------------------------


def test_two_corrections_do_all_frames_between_in_one_step(
    window: MainWindow, session: Session, qtbot: QtBot
) -> None:
    assert window.desk.settings.interpolate
    widen_lumen(window, 2)
    widen_lumen(window, 9)
    qtbot.waitUntil(lambda: not window.desk.interpolation.running)
    assert session.study.review.interpolated == set(range(3, 9))
    assert names(session) == ["drag the lumen"] * 2
    press(qtbot, window, Qt.Key.Key_Z, modifier=CTRL)
    assert session.study.review.edits.keys() == {2}


def test_a_copy_to_the_next_frame_is_one_key(
    window: MainWindow, session: Session, qtbot: QtBot
) -> None:
    widen_lumen(window, 2)
    drawn = annotation(window).lumen
    window.desk.state.go_to(3)
    press(qtbot, window, Qt.Key.Key_Comma)
    copied = annotation(window).lumen
    assert drawn is not None
    assert copied is not None
    assert copied.area_mm2 == pytest.approx(drawn.area_mm2)


# --- no lasso -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["cross_section", "polar"])
def test_there_is_a_lasso(window: MainWindow, session: Session, qtbot: QtBot, name: str) -> None:
    press(qtbot, window, Qt.Key.Key_L)
    view = window.views[name]
    assert isinstance(view, ImageView)
    ring = [(290, 1.7), (290, 2.2), (310, 2.2), (330, 2.2), (330, 1.7), (310, 1.7), (291, 1.7)]
    drag(view, *ring)
    assert names(session) == ["add calcium"]
    assert len(annotation(window).calcium) == 2


# --- the wheel ------------------------------------------------------------------------------------


def test_the_wheel_steps_no_frame_while_something_is_dragged(
    window: MainWindow, session: Session
) -> None:
    view = window.cross_section
    window.toolbox.choose("contour")
    begin(view, [(300, LUMEN_MM), (300, 1.7)])
    area = annotation(window).lumen
    at = at_px(view, (300, 1.7))
    turn_wheel(view, NOTCH, at=(at.x(), at.y()))
    assert window.desk.state.frame == 0
    assert annotation(window).lumen is not area
    end(view, (300, 1.7))
    turn_wheel(view, -NOTCH, at=(at.x(), at.y()))
    assert window.desk.state.frame == 1


# --- measurements move when calibration changes ---------------------------------------------------


def test_a_correction_stays_on_its_pixels_at_another_scale(
    window: MainWindow, session: Session, qtbot: QtBot
) -> None:
    widen_lumen(window, 0)
    at_rest(window, qtbot)
    before = reddish(pixels(window.cross_section))
    measured = session.results.frames[0]
    double_scale(session)
    at_rest(window, qtbot)
    after = session.results.frames[0]
    assert measured is not None
    assert measured.lumen_area_mm2 is not None
    assert after is not None
    assert after.lumen_area_mm2 == pytest.approx(4 * measured.lumen_area_mm2, rel=1e-6)
    moved = reddish(pixels(window.cross_section)) ^ before
    assert moved.sum() < 0.02 * before.sum()
