"""What the views along the pullback share: their axis of frames, cursor, VOI, mouse and ruler.

Each view paints what does not follow the frame on screen once, into a picture of its own, and
puts it back under the cursor: a step through the frames costs one copy of it.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QElapsedTimer, QEvent, QObject, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QHelpEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from calcviewer.app.session import Change
from calcviewer.gui.frame_scale import FrameScale, Tick, frame_ticks, moved, zoomed
from calcviewer.gui.shown import ShownStudy
from calcviewer.gui.theme import BACKGROUND, FONT_PX, QUIET, TEXT, VOI, text_font
from calcviewer.gui.throttle import Throttle
from calcviewer.gui.view_state import ViewState
from calcviewer.gui.views.drawing import draw_message
from calcviewer.gui.views.image_view import NOTCH, whole_notches

LEFT_PX, RIGHT_PX = 48.0, 104.0
"""Margins beside the frames, the same in all views, so that frames lie above one another."""
TICKS_PX = 19.0
RIGHT = Qt.AlignmentFlag.AlignRight
MIDDLE = Qt.AlignmentFlag.AlignVCenter
_FAR_STEP = 10
_ZOOM_PER_NOTCH = 1.25
_CURSOR = QColor("#ffffff")
_CASING = QColor(0, 0, 0, 150)
_OUTSIDE_VOI = QColor(14, 17, 23, 150)


class FrameAxis(QObject):
    """Which part of the pullback the views show; one for the window, shared by its views.

    Frame i spans the positions i to i + 1.
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._count = 0
        self._span = (0.0, 1.0)

    @property
    def span(self) -> tuple[float, float]:
        """The positions at the two ends of the views."""
        return self._span

    def reset(self, frame_count: int) -> None:
        """Show all frames of another study."""
        self._count = frame_count
        self._show((0.0, float(max(frame_count, 1))))

    def fit(self) -> None:
        """Show all frames."""
        self.reset(self._count)

    def zoom(self, factor: float, at: float) -> None:
        """Show fewer frames (factor > 1) or more about a position."""
        if self._count:
            self._show(zoomed(self._span, self._count, factor=factor, at=at))

    def pan(self, frames: float) -> None:
        """Move along the pullback."""
        if self._count:
            self._show(moved(self._span, self._count, frames))

    def reveal(self, frame: int) -> None:
        """Move just so far that a frame is shown."""
        first, last = self._span
        self.pan(min(0.0, frame - first) + max(0.0, frame + 1 - last))

    def _show(self, span: tuple[float, float]) -> None:
        if span != self._span:
            self._span = span
            self.changed.emit()


class FrameCanvas(QWidget):
    """A view whose x axis is the frames of the pullback.

    The left button goes to a frame and scrubs, the wheel steps, Ctrl+wheel zooms along the
    frames, the middle button moves along them.
    """

    def __init__(self, state: ViewState, axis: FrameAxis, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.state = state
        self.axis = axis
        self.shown: ShownStudy | None = None
        self.top_px, self.bottom_px = 0.0, TICKS_PX
        self._static: QPixmap | None = None
        self._drag = ""
        self._drag_from = QPointF()
        self._gathered = 0
        self.refreshes = Throttle(self._refresh, self)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.setMouseTracking(True)
        state.frame_changed.connect(self._frame_changed)
        state.direction_changed.connect(self.invalidate)
        axis.changed.connect(self.invalidate)

    # What a view is made of ------------------------------------------------------------------

    def empty_text(self) -> str:
        """Return what the view says without a study."""
        raise NotImplementedError

    def _paint_static(self, painter: QPainter) -> None:
        raise NotImplementedError

    def _paint_moving(self, painter: QPainter) -> None:
        self.draw_cursor(painter)

    def _refresh(self) -> None:
        """Take over what changed in the session."""
        raise NotImplementedError

    def _begin_drag(self, at: QPointF, button: Qt.MouseButton) -> str:
        """Return what a press begins; empty for nothing."""
        if button == Qt.MouseButton.MiddleButton:
            return "pan"
        if button == Qt.MouseButton.LeftButton:
            self.go_to(at)
            return "scrub"
        return ""

    def _drag_to(self, at: QPointF, by: QPointF) -> None:
        if self._drag == "scrub":
            self.go_to(at)
        elif self._drag == "pan":
            frames = by.x() / self.scale().frame_px
            self.axis.pan(frames if self.state.flipped else -frames)

    def _end_drag(self, at: QPointF) -> None:
        pass

    def _hover(self, at: QPointF) -> None:
        pass

    def _turn_wheel(self, notches: int, *, far: bool) -> None:
        self.state.step(-notches * (_FAR_STEP if far else 1))

    # Study and geometry ----------------------------------------------------------------------

    def set_study(self, shown: ShownStudy | None) -> None:
        """Show another study, or none; nothing of the last one stays."""
        self.refreshes.stop()
        self.shown = shown
        self._drag, self._gathered = "", 0
        self.axis.reset(shown.session.study.pullback.frame_count if shown else 0)
        self.invalidate()

    def show_change(self, change: Change) -> None:
        """Show a change of the session soon; many changes at once are shown together."""
        if self.shown is not None:
            self.refreshes.ask()

    def fit(self) -> None:
        """Show all frames."""
        self.axis.fit()

    @property
    def frame_count(self) -> int:
        """Number of frames of the study; 0 without one."""
        return self.shown.session.study.pullback.frame_count if self.shown else 0

    @property
    def voi(self) -> tuple[int, int] | None:
        """First and last frame of the VOI, 0-based; None without one."""
        return self.shown.session.study.review.voi if self.shown else None

    def area(self) -> QRectF:
        """Return where the frames lie."""
        width = max(1.0, self.width() - LEFT_PX - RIGHT_PX)
        height = max(1.0, self.height() - self.top_px - self.bottom_px)
        return QRectF(LEFT_PX, self.top_px, width, height)

    def scale(self) -> FrameScale:
        """Return where each frame lies on screen."""
        area = self.area()
        first, last = self.axis.span
        return FrameScale(first, last, area.left(), area.width(), self.state.flipped)

    def go_to(self, at: QPointF) -> None:
        """Go to the frame at a place on screen."""
        self.state.go_to(self.scale().frame(at.x(), self.frame_count))

    def invalidate(self) -> None:
        """Paint everything anew."""
        self._static = None
        self.update()

    def _frame_changed(self, frame: int) -> None:
        self.axis.reveal(frame)
        self.update()

    # Painting --------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """Put the painted view back, and what follows the frame on top."""
        painter = QPainter(self)
        if not self.frame_count:
            painter.fillRect(self.rect(), QColor(BACKGROUND))
            self._paint_empty(painter)
            return
        if self._static is None:
            clock = QElapsedTimer()
            clock.start()
            self._static = self._painted()
            self.refreshes.took(int(clock.elapsed()))
        painter.drawPixmap(0, 0, self._static)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(text_font(FONT_PX))
        self._paint_moving(painter)

    def _painted(self) -> QPixmap:
        ratio = self.devicePixelRatioF()
        pixmap = QPixmap(self.size() * ratio)
        pixmap.setDevicePixelRatio(ratio)
        pixmap.fill(QColor(BACKGROUND))
        painter = QPainter(pixmap)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(text_font(FONT_PX))
        self._paint_static(painter)
        painter.end()
        return pixmap

    def _paint_empty(self, painter: QPainter) -> None:
        area = QRectF(self.rect())
        if area.height() > 120:
            draw_message(painter, area, self.tr("No pullback is open"), self.empty_text())
            return
        painter.setFont(text_font(FONT_PX))
        painter.setPen(QColor(QUIET))
        painter.drawText(area, Qt.AlignmentFlag.AlignCenter, self.empty_text())

    def draw_ticks(self, painter: QPainter, ticks: Sequence[Tick], unit: str) -> None:
        """Draw an axis below the frames; the unit stands in the left margin."""
        top = self.height() - TICKS_PX
        painter.setPen(QPen(QColor(QUIET), 1.0))
        for tick in ticks:
            painter.drawLine(QPointF(tick.x_px, top), QPointF(tick.x_px, top + 3))
            box = QRectF(tick.x_px - 40, top + 3, 80, TICKS_PX - 3)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, tick.text)
        painter.drawText(QRectF(0, top + 3, LEFT_PX - 7, TICKS_PX - 3), RIGHT | MIDDLE, unit)

    def draw_frame_ticks(self, painter: QPainter) -> None:
        """Draw frame numbers below the frames."""
        self.draw_ticks(painter, frame_ticks(self.scale(), self.frame_count), self.tr("frame"))

    def draw_voi(self, painter: QPainter, area: QRectF) -> None:
        """Dim what lies outside the VOI, and draw its ends."""
        if self.voi is None:
            return
        scale = self.scale()
        ends = sorted((scale.x_px(self.voi[0]), scale.x_px(self.voi[1] + 1)))
        left, right = (min(max(x, area.left()), area.right()) for x in ends)
        outside = (
            QRectF(area.left(), area.top(), left - area.left(), area.height()),
            QRectF(right, area.top(), area.right() - right, area.height()),
        )
        for part in outside:
            painter.fillRect(part, _OUTSIDE_VOI)
        painter.setPen(QPen(QColor(VOI), 2.0))
        for x in ends:
            if area.left() - 1 <= x <= area.right() + 1:
                painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))

    def cursor_px(self) -> float:
        """Return where the frame on screen lies."""
        return self.scale().x_px(self.state.frame + 0.5)

    def draw_cursor(self, painter: QPainter) -> None:
        """Draw the line at the frame on screen."""
        area, x = self.area(), self.cursor_px()
        if area.left() <= x <= area.right():
            for colour, width in ((_CASING, 3.5), (_CURSOR, 1.5)):
                painter.setPen(QPen(colour, width))
                painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))

    def draw_tag(self, painter: QPainter, at: QPointF, text: str, colour: str = TEXT) -> None:
        """Write on the picture; ``at`` is the upper left corner."""
        metrics = QFontMetricsF(painter.font())
        box = QRectF(at.x(), at.y(), metrics.horizontalAdvance(text) + 8, metrics.height())
        painter.fillRect(box, QColor(0, 0, 0, 140))
        painter.setPen(QColor(colour))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    # Mouse -----------------------------------------------------------------------------------

    def event(self, event: QEvent) -> bool:
        """Show the tool tip beside the frames only: it would cover them."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            if self.area().contains(QPointF(event.pos())):
                return True
        return super().event(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Paint in the new size."""
        self.invalidate()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a drag; a second button does not disturb it."""
        if self.frame_count and not self._drag:
            self._drag_from = event.position()
            self._drag = self._begin_drag(event.position(), event.button())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Go on with the drag."""
        if not self.frame_count:
            return
        at = event.position()
        if self._drag:
            self._drag_to(at, at - self._drag_from)
            self._drag_from = at
        else:
            self._hover(at)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End the drag."""
        if self._drag and not event.buttons():
            self._end_drag(event.position())
            self._drag = ""

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom along the frames with Ctrl; else what the view does with its wheel."""
        event.accept()
        if not self.frame_count:
            return
        # Some systems turn the wheel sideways while Shift is held.
        delta = event.angleDelta().y() or event.angleDelta().x()
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            at = self.scale().position(event.position().x())
            self.axis.zoom(_ZOOM_PER_NOTCH ** (delta / NOTCH), at)
            return
        notches, self._gathered = whole_notches(self._gathered, delta)
        if notches:
            far = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self._turn_wheel(notches, far=far)
