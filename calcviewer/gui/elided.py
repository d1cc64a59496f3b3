"""A label that shortens its text instead of widening its row."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFontMetrics, QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

_LEAST_PX = 40


class ElidedLabel(QLabel):
    """Shows a text as far as there is room, and all of it as a tool tip.

    Parameters
    ----------
    largest_px
        Room to ask for at most.
    """

    def __init__(self, largest_px: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("quiet")
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.whole = ""
        self._largest_px = largest_px
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self.setMinimumWidth(_LEAST_PX)

    def setText(self, text: str) -> None:
        """Show another text."""
        self.whole = text
        self.setToolTip(text)
        self.updateGeometry()
        self._shorten()

    def sizeHint(self) -> QSize:
        """Ask for room for the whole text."""
        metrics = QFontMetrics(self.font())
        width = metrics.horizontalAdvance(self.whole) + 4
        return QSize(min(width, self._largest_px), metrics.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Use the new room."""
        super().resizeEvent(event)
        self._shorten()

    def _shorten(self) -> None:
        metrics = QFontMetrics(self.font())
        middle = Qt.TextElideMode.ElideMiddle
        super().setText(metrics.elidedText(self.whole, middle, self.width()))
