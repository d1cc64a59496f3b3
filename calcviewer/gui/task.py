"""All work that takes longer than a frame: a generator run off the UI thread."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal, SignalInstance

from calcviewer.app.failures import report_failure

_LOG = logging.getLogger(__name__)


class Task(QObject):
    """Runs a generator in a thread and hands its items to the UI thread.

    Signals arrive in the thread the task lives in. After `cancel`, and after the task's end, no
    further item arrives, so that results of a task that was replaced cannot be mixed up.

    Parameters
    ----------
    name
        What people read beside the progress bar, e.g. "Segmenting".
    work
        Called in the thread; yields items.
    """

    item = Signal(object)
    finished = Signal()
    failed = Signal(str)
    _yielded = Signal(object)
    _ended = Signal(str)

    def __init__(
        self, name: str, work: Callable[[], Iterator[Any]], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.name = name
        self._work = work
        self._cancelled = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._yielded.connect(self._deliver, Qt.ConnectionType.QueuedConnection)
        self._ended.connect(self._end, Qt.ConnectionType.QueuedConnection)

    @property
    def running(self) -> bool:
        """Whether the thread still works."""
        return self._thread.is_alive()

    @property
    def cancelled(self) -> bool:
        """Whether the task was told to stop."""
        return self._cancelled.is_set()

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def cancel(self) -> None:
        """Stop after the item in work; nothing more arrives."""
        self._cancelled.set()

    def wait(self, seconds: float = 10.0) -> bool:
        """Wait for the thread to end; returns whether it did."""
        if self._thread.is_alive():
            self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        reason = ""
        try:
            for item in self._work():
                if self._cancelled.is_set():
                    return
                self._tell(self._yielded, item)
        except Exception as error:
            reason = report_failure(error)
            # Names and reasons hold file names, which may be a patient's.
            _LOG.info("a task ended early: %s", type(error).__name__)
        if not self._cancelled.is_set():
            self._tell(self._ended, reason)

    def _tell(self, signal: SignalInstance, value: object) -> None:
        try:
            signal.emit(value)
        except RuntimeError:
            # The task was deleted with its window while the thread was at work.
            self._cancelled.set()

    def _deliver(self, item: object) -> None:
        if not self._cancelled.is_set():
            self.item.emit(item)

    def _end(self, reason: str) -> None:
        if self._cancelled.is_set():
            return
        if reason:
            self.failed.emit(reason)
        else:
            self.finished.emit()
