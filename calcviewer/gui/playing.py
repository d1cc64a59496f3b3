"""Cine: the frames one after the other, never faster than they are painted."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal

from calcviewer.gui.view_state import ViewState

_FRAMES_PER_SECOND = 20


class Player(QObject):
    """Plays the frames of a range again and again.

    Signals
    -------
    changed
        It began or ended.
    """

    changed = Signal(bool)

    def __init__(self, state: ViewState, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._range = (0, 0)
        # A timer that is late does not make up for it, so that frames never queue up.
        self._timer = QTimer(self)
        self._timer.setInterval(1000 // _FRAMES_PER_SECOND)
        self._timer.timeout.connect(self._next)

    @property
    def playing(self) -> bool:
        """Whether it plays."""
        return self._timer.isActive()

    def play(self, first: int, last: int) -> None:
        """Play from the frame on screen on, through a range of frames (0-based, inclusive)."""
        if last > first:
            self._range = (first, last)
            self._timer.start()
            self.changed.emit(True)

    def stop(self) -> None:
        """Stop at the frame on screen."""
        if self.playing:
            self._timer.stop()
            self.changed.emit(False)

    def _next(self) -> None:
        first, last = self._range
        frame = self._state.frame + 1
        self._state.go_to(frame if first <= frame <= last else first)
