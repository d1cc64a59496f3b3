"""The row of flags above the longitudinal view: one click goes to the frame."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QToolButton, QWidget

from calcviewer.gui.flags import Flag, FlagKind
from calcviewer.gui.frame_scale import GAP_PX, packed
from calcviewer.gui.theme import BACKGROUND, CALCIUM, GUIDEWIRE, HIT_PX, LUMEN, THICKNESS
from calcviewer.gui.views.frame_axis import FrameCanvas

_COLOUR = {
    FlagKind.MAX_ARC: CALCIUM,
    FlagKind.MAX_THICKNESS: THICKNESS,
    FlagKind.MLA: LUMEN,
    FlagKind.DISTAL_REFERENCE: GUIDEWIRE,
    FlagKind.PROXIMAL_REFERENCE: GUIDEWIRE,
}
_SURFACE = {
    CALCIUM: "#1f3f7a",
    THICKNESS: "#1b5e48",
    LUMEN: "#7f2528",
    GUIDEWIRE: "#3d444d",
}
"""Backgrounds that white text stands out from."""
_EDGE_PX = 4.0


class FlagRow(QWidget):
    """Buttons at the frames they go to, side by side where frames lie close together.

    A flag whose frame is not in sight stands at the end it lies beyond, with an arrow. Values are
    left out where there is no room for all.
    """

    def __init__(self, canvas: FrameCanvas, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._canvas = canvas
        self._flags: tuple[Flag, ...] = ()
        self._buttons: dict[FlagKind, QToolButton] = {}
        self.setFixedHeight(HIT_PX + 2)
        canvas.installEventFilter(self)  # the flags stand over its frames
        canvas.axis.changed.connect(self._place)
        canvas.state.direction_changed.connect(self._place)

    @property
    def flags(self) -> tuple[Flag, ...]:
        """The flags shown."""
        return self._flags

    def button(self, kind: FlagKind) -> QToolButton:
        """Return the button of a kind of flag, which is hidden while there is no such flag."""
        if kind not in self._buttons:
            button = self._buttons[kind] = QToolButton(self)
            button.clicked.connect(lambda: self._go_to(kind))
            colour = _COLOUR[kind]
            button.setStyleSheet(
                f"QToolButton {{ background: {_SURFACE[colour]}; color: white;"
                f" border: 1px solid {_SURFACE[colour]}; border-radius: 5px;"
                f" padding: 0 7px; margin: 4px 0; min-height: {HIT_PX - 10}px; }}"
                f" QToolButton:hover, QToolButton:focus {{ border-color: {colour}; }}"
            )
        return self._buttons[kind]

    def show_flags(self, flags: tuple[Flag, ...]) -> None:
        """Show other flags."""
        self._flags = flags
        kinds = {flag.kind for flag in flags}
        for kind, button in self._buttons.items():
            button.setVisible(kind in kinds)
        for flag in flags:
            name, value = self._words(flag)
            where = self.tr("frame {number}").format(number=flag.frame + 1)
            button = self.button(flag.kind)
            button.setToolTip(f"{name} {value} · {where}")
            button.setAccessibleName(f"{name} {value}, {where}")
            button.show()
        self._place()

    def _go_to(self, kind: FlagKind) -> None:
        for flag in self._flags:
            if flag.kind is kind:
                self._canvas.state.go_to(flag.frame)

    def _words(self, flag: Flag) -> tuple[str, str]:
        """Return name and value of a flag, in full."""
        least = "≥ " if flag.capped else ""
        return {
            FlagKind.MAX_ARC: (self.tr("Maximum arc"), f"{flag.value:.0f}°"),
            FlagKind.MAX_THICKNESS: (self.tr("Maximum thickness"), f"{least}{flag.value:.2f} mm"),
            FlagKind.MLA: (self.tr("Minimum lumen area"), f"{flag.value:.2f} mm²"),
            FlagKind.DISTAL_REFERENCE: (self.tr("Distal reference"), f"{flag.value:.2f} mm²"),
            FlagKind.PROXIMAL_REFERENCE: (self.tr("Proximal reference"), f"{flag.value:.2f} mm²"),
        }[flag.kind]

    def _short(self, kind: FlagKind) -> str:
        return {
            FlagKind.MAX_ARC: self.tr("arc"),
            FlagKind.MAX_THICKNESS: self.tr("thick"),
            FlagKind.MLA: self.tr("MLA"),
            FlagKind.DISTAL_REFERENCE: self.tr("ref"),
            FlagKind.PROXIMAL_REFERENCE: self.tr("ref"),
        }[kind]

    def lines_px(self) -> list[tuple[float, str]]:
        """Return where the frames of the flags in sight lie on screen, with their colours."""
        scale = self._canvas.scale()
        return [
            (scale.x_px(flag.frame + 0.5), _COLOUR[flag.kind])
            for flag in self._flags
            if 0 <= scale.part(flag.frame + 0.5) <= 1
        ]

    def _place(self) -> None:
        scale = self._canvas.scale()
        buttons = [self.button(flag.kind) for flag in self._flags]
        parts = [scale.part(flag.frame + 0.5) for flag in self._flags]
        centres = [scale.left_px + min(max(part, 0.0), 1.0) * scale.width_px for part in parts]
        widths: list[float] = []
        for with_value in (True, False):
            for flag, button, part in zip(self._flags, buttons, parts, strict=True):
                text = self._short(flag.kind)
                text += f" {self._words(flag)[1]}" if with_value else ""
                button.setText(f"◂ {text}" if part < 0 else f"{text} ▸" if part > 1 else text)
            widths = [float(button.sizeHint().width()) for button in buttons]
            if sum(widths) + GAP_PX * len(widths) <= self.width():
                break
        lefts = packed(centres, widths, float(self.width()))
        for left, width, button in zip(lefts, widths, buttons, strict=True):
            button.setGeometry(round(left), 0, round(width), HIT_PX)
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Place the flags anew."""
        self._place()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Place the flags anew when the canvas below was given another size."""
        if watched is self._canvas and event.type() is QEvent.Type.Resize:
            self._place()
        return False

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw a line from each flag to its frame."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), QColor(BACKGROUND))
        scale = self._canvas.scale()
        for flag in self._flags:
            if 0 <= scale.part(flag.frame + 0.5) <= 1:
                x = scale.x_px(flag.frame + 0.5)
                inside = self.button(flag.kind).geometry()
                begin = min(max(x, inside.left() + _EDGE_PX), inside.right() - _EDGE_PX)
                painter.setPen(QPen(QColor(_COLOUR[flag.kind]), 1.5, Qt.PenStyle.SolidLine))
                bottom = float(inside.bottom()) - _EDGE_PX
                painter.drawLine(QPointF(begin, bottom), QPointF(x, float(self.height())))
