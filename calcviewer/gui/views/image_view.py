"""What the cross-section and the polar view share: frame, overlay, mouse, tools and texts.

A view is one widget that paints itself. A change only marks what is stale; the next paint event
reads the frame and its overlay. So a step is one repaint however many things changed with it,
steps that come faster than the screen are dropped, and a hidden view costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from calcviewer.app.session import Change, Facet
from calcviewer.core.annotation import FrameAnnotation
from calcviewer.gui.look_up_tables import dragged_levels
from calcviewer.gui.shown import ShownStudy
from calcviewer.gui.tools.tool import Mark, Pointer, Tool
from calcviewer.gui.view_state import ViewState
from calcviewer.gui.views import drawing
from calcviewer.gui.views.overlay import Lines, Overlay, frame_overlay
from calcviewer.modalities.ivoct.quantify import FrameMeasurement

Points = NDArray[np.float64]

HIT_PX = 16.0
"""Half the size of a comfortable target."""
NOTCH = 120
_FAR_STEP = 10
_ZOOM_PER_NOTCH = 1.2
_REDRAWN = frozenset({Facet.ANNOTATION, Facet.EXCLUSION, Facet.CALIBRATION})


def whole_notches(gathered: int, delta: int) -> tuple[int, int]:
    """Return the whole wheel notches in what was gathered, and what is left of it.

    A wheel may send a notch in many small deltas, or several notches as one; either way one notch
    is one frame. A change of direction begins anew.

    Returns
    -------
    Notches (positive: away from the operator) and the rest, in eighths of a degree.
    """
    total = delta if gathered * delta < 0 else gathered + delta
    notches = int(total / NOTCH)
    return notches, total - notches * NOTCH


class ImageView(QWidget):
    """A view of the frame on screen."""

    def __init__(self, state: ViewState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.state = state
        self.shown: ShownStudy | None = None
        self.tool: Tool | None = None
        self.overlay = Overlay()
        self.annotation: FrameAnnotation | None = None
        self.measured: FrameMeasurement | None = None
        self._picture: QImage | None = None
        self._picture_stale = self._overlay_stale = True
        self._gathered = 0
        self._drag, self._button = "", Qt.MouseButton.NoButton
        self._drag_from = QPointF()
        self._levels_from = (0.0, 255.0)
        self._hiding = False
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMouseTracking(True)
        self.setMinimumSize(160, 120)
        state.frame_changed.connect(self._frame_changed)
        state.display_changed.connect(self._display_changed)
        state.overlay_changed.connect(self._overlay_changed)
        state.cut_changed.connect(self._overlay_changed)

    # What a view is made of -------------------------------------------------------------------

    def fit(self) -> None:
        """Show the whole picture."""
        raise NotImplementedError

    def to_mm(self, at: QPointF) -> tuple[float, float]:
        """Return what lies at a place in the widget, canonical mm."""
        raise NotImplementedError

    def px_per_mm(self) -> float:
        """Return the scale along the depth."""
        raise NotImplementedError

    def _read_picture(self, shown: ShownStudy) -> QImage:
        raise NotImplementedError

    def _paint_picture(self, painter: QPainter, picture: QImage) -> None:
        raise NotImplementedError

    def _paint_overlay(self, painter: QPainter) -> None:
        raise NotImplementedError

    def _paint_texts(self, painter: QPainter) -> None:
        raise NotImplementedError

    def _lines_px(self, line_mm: Points, *, ring: bool) -> Lines:
        """Return a line in mm as it is seen, in widget pixels; no, one or several lines."""
        raise NotImplementedError

    def _zoom(self, at: QPointF, factor: float) -> None:
        raise NotImplementedError

    def _pan(self, by: QPointF) -> None:
        raise NotImplementedError

    def _begin_own_drag(self, at: QPointF) -> bool:
        return False

    def _own_drag(self, at: QPointF, by: QPointF) -> None:
        raise NotImplementedError

    def _own_cursor(self, at: QPointF) -> Qt.CursorShape:
        return Qt.CursorShape.ArrowCursor

    # Study and changes ------------------------------------------------------------------------

    def set_study(self, shown: ShownStudy | None) -> None:
        """Show another study, or none; nothing of the last one stays."""
        self.set_tool(None)
        self.shown = shown
        self._drag, self._gathered = "", 0
        self._picture = None
        self.overlay, self.annotation, self.measured = Overlay(), None, None
        self._picture_stale = self._overlay_stale = True
        if shown is not None:
            shown.pictures.calibrate(shown.session.study.calibration)
        self.fit()
        self.update()

    def show_change(self, change: Change) -> None:
        """Draw what a change of the session touches."""
        if self.shown is None or not change.facets & _REDRAWN:
            return
        if Facet.CALIBRATION in change.facets:
            self.shown.pictures.calibrate(self.shown.session.study.calibration)
            self._picture_stale = True
            self.fit()
        if self.state.frame in change.frames:
            self._overlay_stale = True
            self.update()

    def set_tool(self, tool: Tool | None) -> None:
        """Give the left mouse button to a tool, which the caller has activated."""
        if self.tool is not None:
            self.tool.changed.disconnect(self._tool_changed)
        if self._drag == "tool":
            self._drag = ""
        self.tool = tool
        if tool is not None:
            tool.changed.connect(self._tool_changed)
        self._tool_changed()

    def _tool_changed(self) -> None:
        self.setCursor(self.tool.cursor if self.tool else Qt.CursorShape.ArrowCursor)
        self.update()

    def _frame_changed(self) -> None:
        self._picture_stale = self._overlay_stale = True
        self.update()

    def _display_changed(self) -> None:
        self._picture_stale = True
        self.update()

    def _overlay_changed(self) -> None:
        self.update()

    # Painting ---------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the frame with everything on it."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor("#000000"))
        if self.shown is None or self.state.frame_count == 0:
            title, text = (
                self.tr("No pullback is open"),
                self.tr("Drop a file or a folder here, or choose Open…"),
            )
            drawing.draw_message(painter, QRectF(self.rect()), title, text)
            return
        self._refresh(self.shown)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        if self._picture is not None:
            self._paint_picture(painter, self._picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.state.overlay_visible:
            self._paint_overlay(painter)
            self._paint_marks(painter)
        self._paint_texts(painter)

    def _refresh(self, shown: ShownStudy) -> None:
        """Read what is stale."""
        if self._picture_stale:
            self._picture = self._read_picture(shown)
            self._picture_stale = False
        if self._overlay_stale:
            study, frame = shown.session.study, self.state.frame
            self.annotation = study.annotation(frame)
            self.measured = shown.session.results.frames[frame]
            self.overlay = self._overlay_of(shown)
            self._overlay_stale = False

    def _overlay_of(self, shown: ShownStudy) -> Overlay:
        if self.annotation is None or self.annotation.failure:
            return Overlay()
        arcs = () if self.measured is None else self.measured.visible_arcs
        return frame_overlay(
            self.annotation,
            arc=max(arcs, key=lambda arc: arc.extent_deg, default=None),
            reach_mm=shown.pictures.field_radius_mm,
        )

    def _paint_structures(
        self, painter: QPainter, *, shadows: Lines, region: Lines, calcium: Lines, lumen: Lines
    ) -> None:
        """Paint shadows, calcium and lumen from lines in widget pixels."""
        if shadows:
            drawing.draw_shadow(painter, drawing.path_through(shadows))
        if calcium:
            path = drawing.path_through(region)
            drawing.draw_calcium(painter, path, drawing.path_through(calcium))
        if lumen:
            drawing.draw_lumen(painter, drawing.path_through(lumen))

    def _paint_marks(self, painter: QPainter) -> None:
        marks: Iterable[Mark] = self.tool.marks() if self.tool else ()
        for mark in marks:
            lines = self._lines_px(mark.line_mm, ring=mark.closed)
            drawing.draw_mark(painter, drawing.path_through(lines), selected=mark.selected)
            for handle in mark.handles_mm if mark.handles_mm is not None else ():
                for (at,) in self._lines_px(handle[None], ring=False):
                    drawing.draw_handle(painter, QPointF(*at), held=mark.selected)
            if mark.text and lines:
                drawing.draw_label(painter, QPointF(*lines[0][-1]), mark.text, QRectF(self.rect()))

    def _frame_troubles(self) -> Sequence[Sequence[drawing.Run]]:
        """Return why the frame on screen has no measurement; empty when it has one."""
        assert self.shown is not None
        study, frame = self.shown.session.study, self.state.frame
        reasons = []
        if fault := self.shown.pictures.fault(frame):
            reasons.append(self.tr("This frame cannot be read: {reason}").format(reason=fault))
        if frame in study.review.excluded:
            reason = study.review.excluded[frame]
            reasons.append(self.tr("Excluded: {reason}").format(reason=reason))
        elif self.annotation is not None and self.annotation.failure and not fault:
            reason = self.annotation.failure
            reasons.append(self.tr("Not segmented: {reason}").format(reason=reason))
        return [[drawing.warning(reason)] for reason in reasons]

    # Mouse and keys ---------------------------------------------------------------------------

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Step one frame a notch (Shift: ten), or zoom with Ctrl."""
        event.accept()
        turned = event.angleDelta()
        delta = turned.y() or turned.x()  # Shift turns the wheel sideways on some systems
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            if self.shown is not None:
                self._zoom(event.position(), _ZOOM_PER_NOTCH ** (delta / NOTCH))
                self.update()
            return
        notches, self._gathered = whole_notches(self._gathered, delta)
        far = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
        if notches:
            self.state.step(-notches * (_FAR_STEP if far else 1))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a drag: tool or own (left), pan (middle), window/level (right)."""
        if self.shown is None or self._drag:
            return
        at = event.position()
        self._drag_from, self._button = at, event.button()
        if event.button() == Qt.MouseButton.MiddleButton:
            self._drag = "pan"
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
        elif event.button() == Qt.MouseButton.RightButton:
            self._drag = "levels"
            self._levels_from = (self.state.display.black, self.state.display.white)
        elif event.button() == Qt.MouseButton.LeftButton:
            if self.tool is not None and self.tool.press(self._pointer(at)):
                self._drag = "tool"
            elif self._begin_own_drag(at):
                self._drag = "own"

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Go on with the drag, or show what the pointer is over."""
        at = event.position()
        by = at - self._drag_from
        if self._drag == "levels":
            black, white = self._levels_from
            self.state.set_levels(*dragged_levels(black, white, right_px=by.x(), down_px=by.y()))
            return
        self._drag_from = at
        if self._drag == "tool" and self.tool is not None:
            self.tool.drag(self._pointer(at))
        elif self._drag == "own":
            self._own_drag(at, by)
            self.update()
        elif self._drag == "pan":
            self._pan(by)
            self.update()
        elif self.shown is not None:
            own = self._own_cursor(at)
            use_tool = self.tool is not None and own == Qt.CursorShape.ArrowCursor
            self.setCursor(self.tool.cursor if self.tool and use_tool else own)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End the drag with the button that began it."""
        if event.button() != self._button:
            return
        drag, self._drag = self._drag, ""
        if drag == "tool" and self.tool is not None:
            self.tool.release(self._pointer(event.position()))
        if drag:
            self._tool_changed()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Fit with F, hide the overlay while H is held; other keys belong to tool and window."""
        if self.tool is not None and self.tool.wants(event.key()):
            self.tool.press_key(event.key())
        elif event.key() == Qt.Key.Key_F and self.shown is not None:
            self.fit()
            self.update()
        elif event.key() == Qt.Key.Key_H and self.shown is not None:
            if not event.isAutoRepeat():
                self._hide(True)
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """Show the overlay again when H is let go."""
        if event.key() == Qt.Key.Key_H and self._hiding:
            if not event.isAutoRepeat():
                self._hide(False)
        else:
            super().keyReleaseEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Show the overlay again: the release of H goes elsewhere."""
        if self._hiding:
            self._hide(False)
        super().focusOutEvent(event)

    def _hide(self, hidden: bool) -> None:
        self._hiding = hidden
        self.state.set_overlay_visible(not hidden)

    def event(self, event: QEvent) -> bool:
        """Keep keys that the tool wants from becoming shortcuts."""
        if (
            isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.ShortcutOverride
            and self.tool is not None
            and self.tool.wants(event.key())
        ):
            event.accept()
            return True
        return super().event(event)

    def _pointer(self, at: QPointF) -> Pointer:
        return Pointer(self.to_mm(at), HIT_PX / self.px_per_mm())
