"""Both image views with one editing tool in hand, driven by the mouse."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import shapely
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from calcviewer.core.annotation import FrameAnnotation, Provenance, annotation_from_labels
from calcviewer.core.contour import Contour, ray_crossings
from calcviewer.core.editing.clipping import image_field
from calcviewer.core.geometry import to_xy
from calcviewer.gui.tools.editing import EditTool
from calcviewer.gui.tools.tool import Pointer
from calcviewer.gui.view_state import ViewState
from calcviewer.gui.views.cross_section import CrossSectionView
from calcviewer.gui.views.image_view import ImageView
from calcviewer.gui.views.polar import PolarView
from tests.gui.image_views import make_shown, spot_frames
from tests.phantoms import GRID, label_map, make_pullback

LUMEN_MM, FRONT_MM, BACK_MM = 1.5, 1.7, 2.3
DEPOSIT = (330.0, 60.0)
"""The deposit lies across theta = 0."""
SIZE_PX = 400
FRAMES = 5
UNSEGMENTED = 3
BOTH_VIEWS = ("section", "polar")
_NONE = Qt.KeyboardModifier.NoModifier
Place = tuple[float, float]
"""Angle (deg) and radius (mm)."""


class Bench:
    """A study of a round lumen and one deposit; its last frames are not segmented."""

    def __init__(self, tool: EditTool, qtbot: QtBot) -> None:
        pullback = make_pullback(FRAMES, values=spot_frames(FRAMES))
        drawn = annotation_from_labels(
            label_map(DEPOSIT), GRID, provenance=Provenance.AUTOMATIC, smallest_mm2=0.0
        )
        self.shown = make_shown(pullback, {i: replace(drawn) for i in range(UNSEGMENTED)})
        self.session = self.shown.session
        self.state, self.tool = ViewState(), tool
        self.section, self.polar = CrossSectionView(self.state), PolarView(self.state)
        self.state.reset(FRAMES)
        for view in self.views:
            qtbot.addWidget(view)
            view.resize(SIZE_PX, SIZE_PX)
            view.set_study(self.shown)
            self.session.subscribe(view.show_change)
        tool.activate(self.shown, self.state)
        for view in self.views:
            view.set_tool(tool)

    @property
    def views(self) -> tuple[ImageView, ImageView]:
        return self.section, self.polar

    @property
    def annotation(self) -> FrameAnnotation:
        """The annotation of the frame on screen."""
        found = self.session.study.annotation(self.state.frame)
        assert found is not None
        return found

    @property
    def lumen(self) -> Contour:
        lumen = self.annotation.lumen
        assert lumen is not None
        return lumen

    def view(self, name: str) -> ImageView:
        return self.section if name == "section" else self.polar

    def px(self, name: str, place: Place) -> QPoint:
        """Return where a place is in a view."""
        angle, radius = place
        if name == "section":
            x, y = self.section.to_px(to_xy(np.array([angle]), np.array([radius])))[0]
        else:
            x, y = angle % 360 * SIZE_PX / 360, radius * self.polar.px_per_mm()
        return QPoint(round(float(x)), round(float(y)))

    def hover(self, name: str, place: Place) -> None:
        self.move(name, place, Qt.MouseButton.NoButton)

    def press(self, name: str, place: Place, modifier: Qt.KeyboardModifier = _NONE) -> None:
        left = Qt.MouseButton.LeftButton
        QTest.mousePress(self.view(name), left, modifier, self.px(name, place))

    def release(self, name: str, place: Place, modifier: Qt.KeyboardModifier = _NONE) -> None:
        left = Qt.MouseButton.LeftButton
        QTest.mouseRelease(self.view(name), left, modifier, self.px(name, place))

    def move(
        self,
        name: str,
        place: Place,
        held: Qt.MouseButton = Qt.MouseButton.LeftButton,
        modifier: Qt.KeyboardModifier = _NONE,
    ) -> None:
        view, point = self.view(name), self.px(name, place)
        none = Qt.MouseButton.NoButton
        on_screen = QPointF(view.mapToGlobal(point))
        event = QMouseEvent(QEvent.Type.MouseMove, QPointF(point), on_screen, none, held, modifier)
        QApplication.sendEvent(view, event)

    def drag(self, name: str, *places: Place, modifier: Qt.KeyboardModifier = _NONE) -> None:
        """Press at the first place, move over the others, release at the last."""
        self.press(name, places[0], modifier)
        for place in places[1:]:
            self.move(name, place, modifier=modifier)
        self.release(name, places[-1], modifier)

    def click(self, name: str, place: Place) -> None:
        self.drag(name, place)

    def key(self, name: str, key: Qt.Key, modifier: Qt.KeyboardModifier = _NONE) -> None:
        QTest.keyClick(self.view(name), key, modifier)

    def exclude(self) -> None:
        """Exclude the frame on screen."""
        review = self.session.study.review
        self.session.edit("exclude", review.with_exclusion(self.state.frame, "blood"))

    def labels(self) -> list[str]:
        """Take everything back; return the names of the steps, the last one first."""
        labels = []
        while (label := self.session.undo_label) is not None:
            labels.append(label)
            self.session.undo()
        return labels


def radius_at(contour: Contour, angle_deg: float) -> float:
    """Return the outermost radius of a border in a direction (whole degrees and a half)."""
    ray, radius = ray_crossings(contour.rings_mm, (0.0, 0.0), GRID.a_lines)
    return float(radius[ray == int(angle_deg % 360)].max())


def assert_holds(annotation: FrameAnnotation) -> None:
    """Check what no gesture may break."""
    field = image_field(GRID)
    single = [one for one in (annotation.lumen, annotation.eel) if one is not None]
    for contour in (*single, *annotation.calcium):
        assert contour.polygon.is_valid, shapely.is_valid_reason(contour.polygon)
        assert contour.polygon.difference(field).area < 1e-5
    if annotation.lumen is not None:
        for deposit in annotation.calcium:
            assert deposit.polygon.intersection(annotation.lumen.polygon).area < 1e-5
    for k, deposit in enumerate(annotation.calcium):
        for other in annotation.calcium[:k]:
            assert deposit.polygon.intersection(other.polygon).area < 1e-5


def pointer(angle_deg: float, radius_mm: float, *, alt: bool = False) -> Pointer:
    """Return the mouse at a place, without a view."""
    x_mm, y_mm = to_xy(np.array(angle_deg), np.array(radius_mm))
    return Pointer((float(x_mm), float(y_mm)), 0.2, alt=alt)
