"""The one background task of a widget."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject

from calcviewer.gui.task import Task


class CurrentTask:
    """Holds what a widget has in work: starting another task ends it, and so does its end.

    A task that was cancelled emits nothing more, so it may outlive the widget it worked for.
    """

    def __init__(self, owner: QObject) -> None:
        self._held: list[Task] = []
        owner.destroyed.connect(partial(_cancel, self._held))

    @property
    def running(self) -> bool:
        """Whether a task was started and neither cancelled nor done with."""
        return bool(self._held)

    def start(self, task: Task) -> None:
        """Start a task in the place of the one in work."""
        self.cancel()
        self._held.append(task)
        task.start()

    def cancel(self, *, wait_s: float = 0.0) -> bool:
        """Stop the task in work; returns whether its thread was still running.

        Parameters
        ----------
        wait_s
            How long to wait for its thread to end.
        """
        ran = [task.running for task in self._held]
        for task in self._held:
            task.cancel()
            task.wait(wait_s)
        self.done()
        return any(ran)

    def done(self) -> None:
        """Let go of the task and of all it works on."""
        for task in self._held:
            task.deleteLater()
        self._held.clear()


def _cancel(held: list[Task]) -> None:
    for task in held:
        task.cancel()
