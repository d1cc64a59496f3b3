"""Pullbacks along which calcium is known, for tests of the views along the pullback."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QWidget

from calcviewer.app.session import Change, Session
from calcviewer.core.annotation import FrameAnnotation, annotation_from_labels
from calcviewer.core.geometry import PolarGrid
from calcviewer.core.study import ModelReference, Study
from calcviewer.gui.frames import FramePictures
from calcviewer.gui.shown import ShownStudy
from calcviewer.gui.view_state import ViewState
from calcviewer.gui.views.frame_axis import FrameAxis
from calcviewer.modalities.ivoct.protocol import Protocol
from tests.gui.waiting import wait_for_timers
from tests.phantoms import label_map, make_pullback

GRID = PolarGrid(a_lines=180, samples=200, sample_spacing_mm=0.02)
MODEL = ModelReference("phantom", "1.0", "0" * 64, "CPUExecutionProvider")
FRAMES = 40
LUMEN_MM, FRONT_MM, BACK_MM = 1.5, 1.7, 2.3


def annotation(
    *deposits: tuple[float, float], lumen_mm: float = LUMEN_MM, **more
) -> FrameAnnotation:
    labels = label_map(*deposits, grid=GRID, lumen_mm=lumen_mm, **more)
    return annotation_from_labels(labels, GRID)


def predictions() -> dict[int, FrameAnnotation]:
    """Calcium in frames 10 to 19, its arc largest in 14, thickest in 17; least lumen in 12."""
    plain = annotation()
    found = dict.fromkeys(range(FRAMES), plain)
    for frame in range(10, 20):
        found[frame] = annotation((20, 200 if frame == 14 else 100))
    found[12] = annotation((20, 100), lumen_mm=1.3)
    found[17] = annotation((20, 100), back_mm=2.6)
    found[30] = annotation((200, 90), wire=(100, 20))
    return found


def make_session(
    frames: dict[int, FrameAnnotation] | None = None,
    *,
    count: int = FRAMES,
    calibrated: bool = True,
) -> Session:
    values = np.zeros((count, *GRID.shape), dtype=np.float32)
    values[:, :, 75:115] = 1.0  # tissue from 1.5 to 2.3 mm
    pullback = make_pullback(count, grid=GRID, calibrated=calibrated, values=values)
    found = predictions() if frames is None else frames
    return Session(Study(pullback, Protocol(), predictions=found, model=MODEL))


class Bench:
    """A view on its own, fed as the main window feeds it."""

    def __init__(self, qtbot, view_type, session: Session | None = None) -> None:
        self.qtbot = qtbot
        self.state = ViewState()
        self.axis = FrameAxis()
        self.view = view_type(self.state, self.axis)
        qtbot.addWidget(self.view)
        self.view.resize(952, 300)
        self.view.show()
        self.shown: ShownStudy | None = None
        self.changes: list[Change] = []
        if session is not None:
            self.open(session)

    def open(self, session: Session) -> None:
        self.shown = ShownStudy(session, FramePictures(session.study.pullback))
        self.state.reset(session.study.pullback.frame_count)
        self.view.set_study(self.shown)
        session.subscribe(self.changes.append)
        session.subscribe(self.view.show_change)

    @property
    def session(self) -> Session:
        assert self.shown is not None
        return self.shown.session

    def settle(self) -> None:
        """Wait until the view shows all it has been told."""
        wait_for_timers(self.qtbot, self.view)


def wheel(
    widget: QWidget, at: QPoint, notches: float, modifiers=Qt.KeyboardModifier.NoModifier
) -> None:
    event = QWheelEvent(
        QPointF(at),
        QPointF(widget.mapToGlobal(at)),
        QPoint(),
        QPoint(0, round(120 * notches)),
        Qt.MouseButton.NoButton,
        modifiers,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(widget, event)


def drag(
    qtbot, widget: QWidget, points: Iterable[QPoint], button=Qt.MouseButton.LeftButton
) -> None:
    first, *others = points
    qtbot.mousePress(widget, button, pos=first)
    for point in others:
        qtbot.mouseMove(widget, point)
    qtbot.mouseRelease(widget, button, pos=others[-1] if others else first)
