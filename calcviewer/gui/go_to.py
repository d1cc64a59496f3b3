"""The small field that asks for a frame number."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFocusEvent, QIntValidator, QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QLineEdit, QWidget

from calcviewer.gui.theme import named

_TOP_PX = 16
_FIELD_PX = 96


class GoTo(QFrame):
    """Lies over its parent until a number was entered or the operator turned away.

    Signals
    -------
    chosen
        A frame, 0-based.
    """

    chosen = Signal(int)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._over = parent
        self.setObjectName("card")
        self._count = named(QLabel(), "quiet")
        self._field = _Field(self)
        self._field.setFixedWidth(_FIELD_PX)
        self._allowed = QIntValidator(1, 1, self._field)
        self._field.setValidator(self._allowed)
        self._field.left.connect(self._leave)
        self._field.entered.connect(self._enter)
        row = QHBoxLayout(self)
        row.addWidget(QLabel(self.tr("Go to frame")))
        row.addWidget(self._field)
        row.addWidget(self._count)
        self.hide()

    def ask(self, frame_count: int) -> None:
        """Ask for a frame of a pullback of so many."""
        self._field.clear()
        self._allowed.setTop(max(1, frame_count))
        self._count.setText(self.tr("of {}").format(frame_count))
        self.adjustSize()
        self.move((self._over.width() - self.width()) // 2, _TOP_PX)
        self.show()
        self.raise_()
        self._field.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _leave(self) -> None:
        # Before it is hidden: Qt would give the focus to the next button, which takes the space
        # bar.
        self._field.clearFocus()
        self.hide()

    def _enter(self) -> None:
        text = self._field.text()
        self._leave()
        if text:
            self.chosen.emit(int(text) - 1)


class _Field(QLineEdit):
    """A field that ends with Enter, Esc or the loss of the focus."""

    entered = Signal()
    left = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.entered.emit()
        elif event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.left.emit()
