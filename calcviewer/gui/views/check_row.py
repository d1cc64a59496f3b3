"""The row of marks above the longitudinal view: frames in which the model may be wrong."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF, QResizeEvent
from PySide6.QtWidgets import QToolButton, QWidget

from calcviewer.app.frames_to_check import FrameToCheck, Suspicion, next_to_check
from calcviewer.gui.theme import BACKGROUND, CHECK, HIT_PX, RAISED, named
from calcviewer.gui.views.check_marks import CheckMark, check_marks
from calcviewer.gui.views.flag_row import FlagRow
from calcviewer.gui.views.frame_axis import RIGHT_PX, FrameCanvas

ROW_PX = 20
"""The marks' height; what can be clicked reaches down over the picture's edge."""
_GLYPH_PX = 12.0
_LISTED = 5


class CheckRow(QWidget):
    """Marks at the frames to check; a click goes to the most urgent frame of a mark.

    At its right end stands how many there are; a click there goes to the next one.
    """

    def __init__(self, flags: FlagRow, canvas: FrameCanvas, parent: QWidget) -> None:
        super().__init__(parent)
        self._view = parent
        self._flags = flags
        self._canvas = canvas
        self._frames: tuple[FrameToCheck, ...] = ()
        self._marks: tuple[CheckMark, ...] = ()
        self._buttons: list[_MarkButton] = []
        self.next_button = named(QToolButton(parent), "flat")
        self.next_button.setStyleSheet("padding: 0;")  # the words just fit beside the canvas
        self.next_button.setToolTip(self.tr("Go to the next frame in which the model may be wrong"))
        self.next_button.clicked.connect(self._go_to_next)
        self.next_button.hide()
        self.setFixedHeight(ROW_PX)
        canvas.installEventFilter(self)  # the marks stand over its frames
        canvas.axis.changed.connect(self._place)
        canvas.state.direction_changed.connect(self._place)

    @property
    def frames(self) -> tuple[FrameToCheck, ...]:
        """The frames that are marked."""
        return self._frames

    @property
    def buttons(self) -> list[QToolButton]:
        """The buttons of the marks in sight."""
        return list(self._buttons[: len(self._marks)])

    def show_frames(self, frames: tuple[FrameToCheck, ...]) -> None:
        """Mark other frames."""
        if frames != self._frames:
            self._frames = frames
            self._place()
        self.update()  # the flags' lines run through the row

    def _go_to_next(self) -> None:
        frame = next_to_check(self._frames, self._canvas.state.frame)
        if frame is not None:
            self._canvas.state.go_to(frame)

    def _go_to(self, place: int) -> None:
        if place < len(self._marks):
            self._canvas.state.go_to(self._marks[place].worst.frame)

    def _place(self) -> None:
        scale = self._canvas.scale()
        self._marks = check_marks(self._frames, scale, float(HIT_PX))
        while len(self._buttons) < len(self._marks):
            place = len(self._buttons)
            button = _MarkButton(self._view)
            button.clicked.connect(lambda _=False, place=place: self._go_to(place))
            self._buttons.append(button)
        for mark, button in zip(self._marks, self._buttons, strict=False):
            x = scale.x_px(mark.worst.frame + 0.5)
            button.setGeometry(round(x - HIT_PX / 2), self.y(), HIT_PX, HIT_PX)
            button.show_mark(mark.worst.suspicion, self._words(mark))
            button.show()
            button.raise_()
        for button in self._buttons[len(self._marks) :]:
            button.hide()
        self._place_next()
        self.update()

    def _place_next(self) -> None:
        self.next_button.setVisible(bool(self._frames))
        self.next_button.setText(self.tr("Check {n} ▸").format(n=len(self._frames)))
        left = self.width() - round(RIGHT_PX) + 4
        self.next_button.setGeometry(left, self.y() - 6, round(RIGHT_PX) - 4, HIT_PX)
        self.next_button.raise_()

    def _words(self, mark: CheckMark) -> str:
        """Return why the frames of a mark are to be checked."""
        urgent = sorted(mark.frames, key=lambda one: one is not mark.worst)
        lines = [self._why(one) for one in urgent[:_LISTED]]
        if len(urgent) > _LISTED:
            lines.append(self.tr("and {n} more frames").format(n=len(urgent) - _LISTED))
        lines.append(self.tr("Confirm or correct a frame, and its mark goes."))
        return "\n".join(lines)

    def _why(self, one: FrameToCheck) -> str:
        words = {
            Suspicion.MISSED: self.tr("possible missed calcium"),
            Suspicion.GAP: self.tr("calcium before and behind, none here"),
            Suspicion.DOUBTFUL: self.tr("doubtful calcium"),
        }
        reasons = ", ".join(f"{words[kind]} {arc_deg:.0f}°" for kind, arc_deg in one.suspicions)
        return self.tr("Frame {number}: {reasons}").format(number=one.frame + 1, reasons=reasons)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Place the marks anew when the canvas below was moved or given another size."""
        if watched is self._canvas and event.type() in (QEvent.Type.Resize, QEvent.Type.Move):
            self._place()
        return False

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Place the marks anew."""
        self._place()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw which frames each mark stands for, and the lines of the flags above."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), QColor(BACKGROUND))
        for x, colour in self._flags.lines_px():
            painter.setPen(QPen(QColor(colour), 1.5))
            painter.drawLine(QPointF(x, 0), QPointF(x, float(self.height())))
        scale = self._canvas.scale()
        half_px = max(scale.frame_px / 2, 1.0)
        for mark in self._marks:
            for one in mark.frames:
                x = scale.x_px(one.frame + 0.5)
                line = QRectF(x - half_px, self.height() - 3.0, 2 * half_px, 3.0)
                painter.fillRect(line, QColor(CHECK))


class _MarkButton(QToolButton):
    """One mark: a hollow diamond, two bars with a gap, or a half-filled circle."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._suspicion = Suspicion.MISSED

    def show_mark(self, suspicion: Suspicion, words: str) -> None:
        """Show another mark, and say why."""
        self._suspicion = suspicion
        self.setToolTip(words)
        self.setAccessibleName(words.partition("\n")[0])
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the mark in the row; nothing covers the picture below."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        middle = QPointF(self.width() / 2, (ROW_PX - 4) / 2)
        if self.underMouse() or self.hasFocus():
            painter.setPen(QPen(QColor(CHECK), 1.0))
            painter.setBrush(QColor(RAISED))
            half = _GLYPH_PX / 2 + 3
            painter.drawRoundedRect(
                QRectF(middle.x() - half - 2, 0.5, 2 * half + 4, ROW_PX - 4.5), 4, 4
            )
        draw_check_mark(painter, middle, self._suspicion)


def draw_check_mark(painter: QPainter, middle: QPointF, suspicion: Suspicion) -> None:
    """Draw the mark of a suspicion; their shapes tell them apart without colour."""
    colour, half = QColor(CHECK), _GLYPH_PX / 2
    x, y = middle.x(), middle.y()
    painter.setPen(QPen(colour, 2.0))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    if suspicion is Suspicion.MISSED:
        corners = ((x, y - half), (x + half, y), (x, y + half), (x - half, y))
        painter.drawPolygon(QPolygonF([QPointF(*corner) for corner in corners]))
    elif suspicion is Suspicion.GAP:
        for side in (-1, 1):
            bar = QRectF(x + side * (half - 1.5) - 1.75, y - half + 1, 3.5, 2 * half - 2)
            painter.fillRect(bar, colour)
    else:
        circle = QRectF(x - half + 1, y - half + 1, 2 * half - 2, 2 * half - 2)
        painter.drawEllipse(circle)
        painter.setBrush(colour)
        painter.drawPie(circle, 90 * 16, 180 * 16)
