"""What the last edit changed in the score: shown brightly when it happens, quietly afterwards."""

from __future__ import annotations

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from calcviewer.gui import theme

_BRIGHT_MS = 2000
_SHAPE = "border-radius: 4px; padding: 4px 8px; font-weight: 600;"
_SCORED = f"color: #ffffff; background: #9e6a03; {_SHAPE}"
_MEASURED = f"color: #ffffff; background: {theme.ACCENT_QUIET}; {_SHAPE}"
_QUIET = f"color: {theme.QUIET}; background: transparent; border-radius: 4px; padding: 4px 8px;"


class LastChange(QLabel):
    """One line, e.g. "score 2 → 4: arc 174° → 183°"."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWordWrap(True)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.setToolTip(self.tr("The last change of the score or of what it is made of"))
        self._timer = QTimer(self, singleShot=True, interval=_BRIGHT_MS)
        self._timer.timeout.connect(lambda: self._paint(_QUIET))
        self.forget()

    @property
    def bright(self) -> bool:
        """Whether the change has just happened."""
        return self._timer.isActive()

    def show_text(self, text: str, *, scored: bool) -> None:
        """Show a change; one of the score is brighter than one of a value."""
        self._paint(_SCORED if scored else _MEASURED)
        if text != self.text():
            self.setText(text)
        self.show()
        self._timer.start()

    def forget(self) -> None:
        """Show nothing."""
        self._timer.stop()
        self.clear()
        self.hide()

    def _paint(self, sheet: str) -> None:
        if self.styleSheet() != sheet:
            self.setStyleSheet(sheet)
