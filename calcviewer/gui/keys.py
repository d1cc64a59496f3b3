"""What shortcuts cannot do by themselves: keys that are held, and keys that others need."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QTextEdit,
    QWidget,
)

_TYPED_INTO = (QLineEdit, QAbstractSpinBox, QTextEdit, QPlainTextEdit)
_COMMAND = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier
_AFTER_PAINT = Qt.EventPriority.LowEventPriority.value - 1
_PAINTED = QEvent.Type(QEvent.registerEventType())


class KeyWatch(QObject):
    """Watches the keys of a window that nobody below it took.

    - While somebody types into a field, plain keys are text and no shortcuts; a button reached
      with Tab keeps its space bar.
    - A key that is held repeats only when the window was repainted since: steps never queue up.
    - A key that acts while held is told of its release, and of the window losing the focus.

    Parameters
    ----------
    released
        Called for every held key that ends, by key.
    """

    def __init__(self, window: QWidget, released: Mapping[Qt.Key, Callable[[], None]]) -> None:
        super().__init__(window)
        self._released = dict(released)
        self._repeated = False
        self._painting = False
        window.installEventFilter(self)

    def may_step(self) -> bool:
        """Whether a step may be made now: a fresh key press, or the last step is on screen.

        A step that may be made is taken as made.
        """
        if self._repeated and self._painting:
            return False
        self._painting = True
        # Posted behind the repaint of the step in the event queue.
        QCoreApplication.postEvent(self, QEvent(_PAINTED), _AFTER_PAINT)
        return True

    def customEvent(self, event: QEvent) -> None:
        """Take note that the step is on screen."""
        if event.type() == _PAINTED:
            self._painting = False

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Look at keys on their way to the window."""
        kind = event.type()
        if kind == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            self._repeated = event.isAutoRepeat()
            if _belongs_to_focus(event):
                event.accept()
                return True
        elif kind == QEvent.Type.KeyRelease and isinstance(event, QKeyEvent):
            call = self._released.get(Qt.Key(event.key()))
            if call is not None and not event.isAutoRepeat():
                call()
        elif kind == QEvent.Type.WindowDeactivate:
            for call in self._released.values():
                call()
        return False


def _belongs_to_focus(event: QKeyEvent) -> bool:
    """Whether the widget with the focus needs a key that is also a shortcut."""
    focus = QApplication.focusWidget()
    if isinstance(focus, _TYPED_INTO):
        return not event.modifiers() & _COMMAND
    if isinstance(focus, QComboBox):
        return event.key() in (Qt.Key.Key_Space, Qt.Key.Key_Home, Qt.Key.Key_End)
    return isinstance(focus, QAbstractButton) and event.key() == Qt.Key.Key_Space
