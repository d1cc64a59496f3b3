"""The background tasks of a window: kept until their threads have ended."""

from __future__ import annotations

import time

from PySide6.QtCore import QObject, QTimer

from calcviewer.gui.task import Task

_POLL_MS = 500


class Tasks(QObject):
    """Holds every task of a window while its thread runs.

    A thread emits the signals of its task, and a QObject must end in the thread it lives in: so
    a task that was cancelled is let go only when its thread is done.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._held: list[Task] = []
        self._timer = QTimer(self)
        self._timer.setInterval(_POLL_MS)
        self._timer.timeout.connect(self._let_go)

    def start(self, task: Task) -> None:
        """Start a task and hold it."""
        self._held.append(task)
        self._timer.start()
        task.start()

    def cancel_all(self) -> None:
        """Tell every task to stop."""
        for task in self._held:
            task.cancel()

    def wait(self, seconds: float) -> bool:
        """Wait for the threads to end; returns whether all did."""
        deadline = time.monotonic() + seconds
        ended = [task.wait(max(0.0, deadline - time.monotonic())) for task in self._held]
        self._let_go()
        return all(ended)

    def _let_go(self) -> None:
        self._held = [task for task in self._held if task.running]
        if not self._held:
            self._timer.stop()
