"""The small card that asks why a frame is to be left out."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QEvent, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QLineEdit, QPushButton, QWidget

from calcviewer.app.correction import EXCLUSION_REASONS

_TOP_PX = 16
_FIELD_PX = 190


class ExcludeAsk(QFrame):
    """Lies over its parent until a reason was given or the operator turned away.

    Nothing else is blocked meanwhile. The frame is the one it was asked for, also when another
    one has come on screen.

    Signals
    -------
    chosen
        A frame (0-based) and the reason, which may be empty.
    """

    chosen = Signal(int, str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._over = parent
        self._frame = 0
        self.setObjectName("card")
        self._title = QLabel()
        self.field = QLineEdit()
        self.field.setFixedWidth(_FIELD_PX)
        self.field.setPlaceholderText(self.tr("other reason"))
        self.field.installEventFilter(self)
        row = QHBoxLayout(self)
        row.addWidget(self._title)
        self.buttons = [self._suggestion(reason) for reason in EXCLUSION_REASONS]
        for widget in (*self.buttons, self.field):
            row.addWidget(widget)
        self.hide()

    def ask(self, frame: int) -> None:
        """Ask why a frame (0-based) is to be left out."""
        self._frame = frame
        self._title.setText(self.tr("Exclude frame {}:").format(frame + 1))
        self.field.clear()
        self.adjustSize()
        self.move((self._over.width() - self.width()) // 2, _TOP_PX)
        self.show()
        self.raise_()
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def leave(self) -> None:
        """Ask no more."""
        # Before it is hidden: Qt would give the focus to the next button, which takes the space
        # bar.
        self.field.clearFocus()
        self.hide()

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        """Let Enter give the reason and Esc leave; losing the focus leaves too."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._choose(self.field.text())
                return True
            if event.key() == Qt.Key.Key_Escape:
                self.leave()
                return True
        elif isinstance(event, QFocusEvent) and event.type() == QEvent.Type.FocusOut:
            self.hide()
        return False

    def _suggestion(self, reason: str) -> QPushButton:
        button = QPushButton(QCoreApplication.translate("exclude", reason))
        # A click must not take the focus: the card goes when the field loses it.
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        button.clicked.connect(lambda: self._choose(reason))
        return button

    def _choose(self, reason: str) -> None:
        self.leave()
        self.chosen.emit(self._frame, reason)
