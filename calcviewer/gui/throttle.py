"""Slows down what need not follow the mouse at every move."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QElapsedTimer, QObject, QTimer

_REFRESH_MS, _LATEST_MS = 100, 500
_REST = 16
"""How many times longer than a repaint the pause between two of them is at least."""


class Throttle(QObject):
    """Calls a function soon after it was asked for, but at most ten times a second.

    On a slow machine it is fewer times: what follows from a call may take a part of the time only,
    so that the views that follow the mouse stay fast.
    """

    def __init__(self, call: Callable[[], None], parent: QObject) -> None:
        super().__init__(parent)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._due)
        self._since = QElapsedTimer()
        self._call = call
        self._wait_ms = _REFRESH_MS

    def ask(self) -> None:
        """Ask for a call."""
        if not self._timer.isActive():
            passed = self._since.elapsed() if self._since.isValid() else self._wait_ms
            self._timer.start(max(0, self._wait_ms - int(passed)))

    def ask_now(self) -> None:
        """Ask for a call in the next pass of the event loop: there is more to do."""
        self._timer.start(0)

    def took(self, milliseconds: int) -> None:
        """Say how long it took to show what the last call changed."""
        self._wait_ms = min(max(_REFRESH_MS, _REST * milliseconds), _LATEST_MS)

    def stop(self) -> None:
        """Forget what was asked for."""
        self._timer.stop()

    def _due(self) -> None:
        self._since.start()
        self._call()
