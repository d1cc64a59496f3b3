"""One line that shows network work: what runs, how far it is, Cancel, and how it ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QWidget

from calcviewer.dicom.network.query import Transfer
from calcviewer.gui.panels.card import paint
from calcviewer.gui.task import Task
from calcviewer.gui.tasks import Tasks
from calcviewer.gui.theme import ERROR, HIT_PX, QUIET, THICKNESS

_BAR_PX = 180


@dataclass(frozen=True)
class _Receivers:
    """Who is told what comes of the work."""

    item: Callable[[Any], None] | None
    finished: Callable[[], None]
    failed: Callable[[str], None] | None


class WorkRow(QWidget):
    """Runs one task at a time; a later one replaces it.

    Parameters
    ----------
    silent
        Show neither bar nor Cancel: for work that takes no time, or goes on until it is ended.

    Signals
    -------
    changed
        Work began or ended.
    cancelled
        The operator pressed Cancel; nothing more arrives of that work.
    """

    changed = Signal()
    cancelled = Signal()

    def __init__(
        self, tasks: Tasks, parent: QWidget | None = None, *, silent: bool = False
    ) -> None:
        super().__init__(parent)
        self._silent = silent
        self._tasks = tasks
        self._task: Task | None = None
        # Not connected to the task: whatever a signal holds, it holds beyond the window's end.
        self._receivers: _Receivers | None = None
        self._words = QLabel()
        self._words.setTextFormat(Qt.TextFormat.PlainText)
        self._words.setWordWrap(True)
        self._words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedWidth(_BAR_PX)
        self.cancel_button = QPushButton(self.tr("Cancel"))
        self.cancel_button.clicked.connect(self._cancel)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        row.addWidget(self._words, 1)
        row.addWidget(self._bar)
        row.addWidget(self.cancel_button)
        if not silent:
            self.setMinimumHeight(HIT_PX + 4)
        self.say("")
        self._show_running(False)

    @property
    def running(self) -> bool:
        """Whether work was started and neither cancelled nor at its end."""
        return self._task is not None

    @property
    def words(self) -> str:
        """What it says now."""
        return self._words.text()

    def run(
        self,
        what: str,
        work: Callable[[], Iterator[Any]],
        *,
        item: Callable[[Any], None] | None = None,
        finished: Callable[[], None],
        failed: Callable[[str], None] | None = None,
    ) -> None:
        """Start work in the place of what runs.

        Parameters
        ----------
        what
            What people read beside the bar.
        work
            Called in a thread; yields items.
        item, finished, failed
            Called in the UI thread. A failure without a callback is said in this line.
        """
        self.stop()
        task = Task(what, work)
        task.item.connect(self._take)
        task.finished.connect(self._end)
        task.failed.connect(self._fail)
        self._task, self._receivers = task, _Receivers(item, finished, failed)
        self.say(what)
        self._bar.setRange(0, 0)
        self._show_running(True)
        self._tasks.start(task)
        self.changed.emit()

    def stop(self) -> None:
        """End what runs without a word."""
        if self._task is not None:
            self._task.cancel()
            self._let_go()

    def show_transfer(self, what: str, transfer: Transfer) -> None:
        """Say how far a transfer is, in objects, and within them in megabytes."""
        words = f"{what} {transfer.done}"
        if transfer.total is not None:
            words = f"{words} / {transfer.total}"
        if transfer.byte_count:
            words = f"{words} · {transfer.byte_count / 1e6:.1f} MB"
        self._words.setText(words)
        # A pullback is one object: its bar would stand still to the end, so it only moves.
        self._bar.setRange(0, transfer.total if transfer.total and transfer.total > 1 else 0)
        self._bar.setValue(transfer.done)

    def say(self, words: str) -> None:
        """Say something that is neither success nor failure."""
        self._say(words, QUIET)

    def say_done(self, words: str) -> None:
        """Say that something succeeded."""
        self._say(words, THICKNESS)

    def say_failed(self, words: str) -> None:
        """Say what failed, why, and what to do."""
        self._say(words, ERROR)

    def _say(self, words: str, colour: str) -> None:
        self._words.setText(words)
        self._words.setVisible(bool(words) or not self._silent)
        paint(self._words, colour)

    def _cancel(self) -> None:
        self.stop()
        self.cancelled.emit()

    def _take(self, item: object) -> None:
        if self._receivers is not None and self._receivers.item is not None:
            self._receivers.item(item)

    def _end(self) -> None:
        receivers = self._receivers
        self._let_go()
        if receivers is not None:
            receivers.finished()

    def _fail(self, reason: str) -> None:
        receivers = self._receivers
        self.say_failed(reason)
        self._let_go()
        if receivers is not None and receivers.failed is not None:
            receivers.failed(reason)

    def _let_go(self) -> None:
        self._task = self._receivers = None
        self._show_running(False)
        self.changed.emit()

    def _show_running(self, running: bool) -> None:
        self._bar.setVisible(running and not self._silent)
        self.cancel_button.setVisible(running and not self._silent)
