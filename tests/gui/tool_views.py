"""A frame with an off-centre lumen in both image views, and a mouse that works in millimetres."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from calcviewer.app.session import Session
from calcviewer.core.annotation import FrameAnnotation
from calcviewer.core.contour import Contour
from calcviewer.core.geometry import Arc, to_xy
from calcviewer.gui.shown import ShownStudy
from calcviewer.gui.tools.tool import Tool
from calcviewer.gui.view_state import ViewState
from calcviewer.gui.views.cross_section import CrossSectionView
from calcviewer.gui.views.image_view import ImageView
from calcviewer.gui.views.polar import PolarView
from tests.gui.image_views import make_shown, show_in
from tests.phantoms import make_pullback

Point = tuple[float, float]
VIEWS = ("section", "polar")
CENTRE_MM = (0.4, -0.3)
LUMEN_MM, FRONT_MM, BACK_MM = 1.5, 1.7, 2.3
NO_MODIFIER = Qt.KeyboardModifier.NoModifier


def ring(radius_mm: float, centre_mm: Point = CENTRE_MM) -> Contour:
    """Return a circle."""
    return Contour(to_xy(np.arange(360.0), np.full(360, radius_mm)) + centre_mm)


def sector(
    start_deg: float, extent_deg: float, *, front_mm: float = FRONT_MM, back_mm: float = BACK_MM
) -> Contour:
    """Return a deposit between two rays from the middle of the lumen."""
    angles = start_deg + np.linspace(0, extent_deg, 2 + round(extent_deg))
    radii = np.repeat([front_mm, back_mm], angles.size)
    return Contour(to_xy(np.concatenate([angles, angles[::-1]]), radii) + CENTRE_MM)


def off_centre(*deposits: Contour, wires: tuple[Arc, ...] = ()) -> FrameAnnotation:
    """Return a lumen about `CENTRE_MM` with deposits."""
    return FrameAnnotation(lumen=ring(LUMEN_MM), calcium=deposits, guidewires=wires)


TWO_DEPOSITS = off_centre(sector(330, 60), sector(150, 40), wires=(Arc(340, 30),))
"""One deposit and one wire lie across theta = 0."""


def seen_from_o(angle_deg: float, radius_mm: float) -> Point:
    """Return a place by its polar coordinates about the middle of the lumen."""
    x_mm, y_mm = to_xy(np.array(angle_deg), np.array(radius_mm)) + CENTRE_MM
    return float(x_mm), float(y_mm)


def seen_from_catheter(angle_deg: float, radius_mm: float) -> Point:
    """Return a place by its polar coordinates about the catheter."""
    x_mm, y_mm = to_xy(np.array(angle_deg), np.array(radius_mm))
    return float(x_mm), float(y_mm)


@dataclass
class Bench:
    """A study in both views with a tool in hand."""

    shown: ShownStudy
    state: ViewState
    views: dict[str, ImageView]

    @property
    def session(self) -> Session:
        """The session of the study."""
        return self.shown.session

    @property
    def annotation(self) -> FrameAnnotation | None:
        """The annotation of the frame on screen."""
        return self.session.study.annotation(self.state.frame)

    def steps(self) -> list[str]:
        """Return the names of what can be undone."""
        return [step.label for step in self.session.history.past]

    def take(self, tool: Tool) -> None:
        """Take a tool in hand."""
        for view in self.views.values():
            view.set_tool(None)
        tool.activate(self.shown, self.state)
        for view in self.views.values():
            view.set_tool(tool)

    def px(self, view: str, at_mm: Point) -> QPoint:
        """Return where a place is in a view."""
        line = self.views[view]._lines_px(np.array([at_mm]), ring=False)[0]
        return QPointF(*line[0]).toPoint()

    def hover(self, view: str, at_mm: Point) -> None:
        """Move the mouse without a button."""
        self.move(view, at_mm, held=Qt.MouseButton.NoButton)

    def press(self, view: str, at_mm: Point, modifier: Qt.KeyboardModifier = NO_MODIFIER) -> None:
        """Press the left button."""
        place = self.px(view, at_mm)
        QTest.mousePress(self.views[view], Qt.MouseButton.LeftButton, modifier, place)

    def move(
        self, view: str, at_mm: Point, held: Qt.MouseButton = Qt.MouseButton.LeftButton
    ) -> None:
        """Move the mouse, the left button held."""
        widget, place = self.views[view], self.px(view, at_mm)
        at, on_screen = QPointF(place), QPointF(widget.mapToGlobal(place))
        none = Qt.MouseButton.NoButton
        event = QMouseEvent(QEvent.Type.MouseMove, at, on_screen, none, held, NO_MODIFIER)
        QApplication.sendEvent(widget, event)

    def release(self, view: str, at_mm: Point, modifier: Qt.KeyboardModifier = NO_MODIFIER) -> None:
        """Let the left button go."""
        place = self.px(view, at_mm)
        QTest.mouseRelease(self.views[view], Qt.MouseButton.LeftButton, modifier, place)

    def drag(self, view: str, *places_mm: Point) -> None:
        """Press, move over places, release at the last."""
        self.press(view, places_mm[0])
        for place in places_mm[1:]:
            self.move(view, place)
        self.release(view, places_mm[-1])

    def click(self, view: str, at_mm: Point, modifier: Qt.KeyboardModifier = NO_MODIFIER) -> None:
        """Press and release."""
        self.press(view, at_mm, modifier)
        self.release(view, at_mm, modifier)

    def key(self, key: Qt.Key, view: str = "section") -> None:
        """Press a key in a view."""
        QTest.keyClick(self.views[view], key)


def open_bench(
    qtbot: QtBot,
    tool: Tool,
    annotation: FrameAnnotation = TWO_DEPOSITS,
    *,
    calibrated: bool = True,
) -> Bench:
    """Show a pullback of three such frames in both views, with a tool in hand."""
    frames = {index: replace(annotation) for index in range(3)}
    shown = make_shown(make_pullback(3, calibrated=calibrated), frames)
    state = ViewState()
    views: dict[str, ImageView] = {"section": CrossSectionView(state), "polar": PolarView(state)}
    for view in views.values():
        qtbot.addWidget(view)
        view.resize(640, 560)
        show_in(view, shown, state)
        shown.session.subscribe(view.show_change)
    bench = Bench(shown, state, views)
    bench.take(tool)
    return bench
