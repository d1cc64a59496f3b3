"""The 3-D view: it says where there is no OpenGL, and follows the study where there is."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from calcviewer.app.session import Change, Facet
from calcviewer.core.annotation import annotation_from_labels
from calcviewer.gui.surface import Surfaces, ruler_lines
from calcviewer.gui.view_state import ViewState
from calcviewer.gui.views import volume
from calcviewer.gui.views.opengl import why_no_opengl
from calcviewer.gui.views.volume import VolumeView
from tests.gui.studies import shown_of
from tests.lesion_studies import (
    GRID,
    TWO_LESIONS,
    arc,
    study_of,
)


class FakeScene(QLabel):
    """Takes what the real picture takes; it needs no OpenGL."""

    def __init__(self, parent: object = None) -> None:
        super().__init__()
        self.caption = QLabel()
        self.surfaces: list[Surfaces] = []
        self.rings: list[float] = []
        self.fits = 0
        self.zoomed = 0.0

    def clear(self) -> None:
        self.surfaces = []

    def show_surfaces(self, surfaces: Surfaces) -> None:
        self.surfaces.append(surfaces)

    def show_ring(self, points: object) -> None:
        self.rings.append(round(float(points[0, 0]), 6))  # type: ignore[index]

    def fit(self, surfaces: Surfaces) -> None:
        self.fits += 1

    def zoom(self, notches: float) -> None:
        self.zoomed += notches


@pytest.fixture
def with_gl(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(volume, "why_no_opengl", lambda: "")
    monkeypatch.setattr(volume, "new_scene", FakeScene)


def opened(qtbot: QtBot, state: ViewState, count: int | None = None) -> VolumeView:
    view = VolumeView(state)
    qtbot.addWidget(view)
    view.resize(400, 300)
    view.show()
    study = study_of(TWO_LESIONS, count=count)
    state.reset(study.pullback.frame_count)
    shown = shown_of(study)
    shown.session.subscribe(view.show_change)
    view.set_study(shown)
    return view


def scene(view: VolumeView) -> FakeScene:
    assert isinstance(view._scene, FakeScene)
    return view._scene


def test_without_opengl_it_says_so_and_goes_on(qtbot: QtBot) -> None:
    if not why_no_opengl():
        pytest.skip("there is OpenGL here")
    view = opened(qtbot, state := ViewState())
    assert "needs OpenGL" in view.message
    state.go_to(3)
    view.fit()
    view.set_study(None)
    assert view.message == "Open a pullback to see the vessel in 3-D."


def test_it_shows_the_study_and_a_ring_at_the_frame(qtbot: QtBot, with_gl: None) -> None:
    view = opened(qtbot, state := ViewState())
    qtbot.waitUntil(lambda: not view.message)
    (surfaces,) = scene(view).surfaces
    assert surfaces.calcium.faces.size
    assert surfaces.length_mm == pytest.approx(0.2 * 17)
    assert scene(view).fits == 1
    assert "1" in scene(view).caption.text()
    state.go_to(10)
    assert scene(view).rings[-1] == pytest.approx(2.0)
    view.set_study(None)
    assert view.message
    assert not scene(view).surfaces


def test_changes_of_contours_are_shown_once_they_settle(qtbot: QtBot, with_gl: None) -> None:
    view = opened(qtbot, ViewState())
    qtbot.waitUntil(lambda: not view.message)
    assert view._shown is not None
    session = view._shown.session
    for extent in (100, 110, 120):
        drawn = annotation_from_labels(arc(extent), GRID)
        session.edit("draw", session.study.review.with_edit(8, drawn), gesture="drag")
    assert len(scene(view).surfaces) == 1
    qtbot.waitUntil(lambda: len(scene(view).surfaces) == 2)
    assert scene(view).fits == 1  # the camera stays
    session.edit("bookmark", replace(session.study.review, bookmarks=frozenset({2})))
    assert not view._settle.isActive()


def test_nothing_is_built_while_it_is_hidden(qtbot: QtBot, with_gl: None) -> None:
    view = VolumeView(ViewState())
    qtbot.addWidget(view)
    view.set_study(shown_of(study_of(TWO_LESIONS)))
    view.show_change(Change(frozenset({Facet.ANNOTATION}), frozenset({1})))
    assert not view._task.running
    view.show()
    qtbot.waitUntil(lambda: not view.message)


def test_not_to_scale_is_said(qtbot: QtBot, with_gl: None) -> None:
    view = VolumeView(ViewState())
    qtbot.addWidget(view)
    view.show()
    view.set_study(shown_of(study_of(TWO_LESIONS, pitch_mm=None)))
    qtbot.waitUntil(lambda: not view.message)
    assert "not to scale" in scene(view).caption.text()


def wheel(view: VolumeView, delta: int, modifiers: Qt.KeyboardModifier) -> None:
    at = QPointF(50, 50)
    event = QWheelEvent(
        at,
        view.mapToGlobal(at),
        QPointF(0, 0).toPoint(),
        QPointF(0, delta).toPoint(),
        Qt.MouseButton.NoButton,
        modifiers,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(scene(view), event)


def test_the_wheel_is_one_frame_and_zooms_with_ctrl(qtbot: QtBot, with_gl: None) -> None:
    view = opened(qtbot, state := ViewState())
    qtbot.waitUntil(lambda: not view.message)
    none, shift = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier
    wheel(view, -120, none)
    assert state.frame == 1
    for _ in range(4):
        wheel(view, -30, none)
    assert state.frame == 2
    wheel(view, -120, shift)
    assert state.frame == 12
    wheel(view, 120, none)
    assert state.frame == 11
    wheel(view, 240, Qt.KeyboardModifier.ControlModifier)
    assert state.frame == 11
    assert scene(view).zoomed == 2


def test_the_ruler_has_a_mark_every_mm() -> None:
    lines = ruler_lines(12.3, 2.0).reshape(-1, 2, 3)
    marks = lines[1:]
    assert marks[:, 0, 0].tolist() == list(range(13))
    long = [int(mark[0, 0]) for mark in marks if mark[1, 2] - mark[0, 2] > 0.3]
    assert long == [0, 5, 10]


def test_with_opengl_the_calcium_is_seen_where_it_is(qtbot: QtBot) -> None:
    if reason := why_no_opengl():
        pytest.skip(f"no OpenGL here: {reason}")
    view = opened(qtbot, ViewState(), count=60)
    qtbot.waitUntil(lambda: not view.message)
    picture = view.grab().toImage()
    width = picture.width()
    columns = {
        x
        for x in range(width)
        for y in range(0, picture.height(), 3)
        if (colour := picture.pixelColor(x, y)).blue() > 2 * colour.red() + 60
    }
    # The vessel of 59 steps fills the view but for a margin.
    frames = [((x / width - 0.5) * 1.19 + 0.5) * 59 for x in (min(columns), max(columns))]
    assert frames == pytest.approx([2 - 0.5, 15 + 0.5], abs=2.0)
    view.set_study(None)
    assert view.message
