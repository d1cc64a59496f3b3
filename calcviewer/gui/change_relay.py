"""Hands the changes of a session to views and panels, so that streaming never stalls the window."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from PySide6.QtCore import QObject, QTimer

from calcviewer.app.session import Change
from calcviewer.gui.shown import ShownStudy

_ROUND_MS = 100


class Receiver(Protocol):
    """What shows changes: a view or a panel."""

    def show_change(self, change: Change) -> None:
        """Redraw what the change says."""
        ...


class StudyReceiver(Receiver, Protocol):
    """What shows a study and its changes."""

    def set_study(self, shown: ShownStudy | None) -> None:
        """Show another study, or none."""
        ...


class ChangeRelay(QObject):
    """Passes changes on: the operator's at once, streaming ones gathered, ten times a second.

    Gathered changes go to one receiver per pass of the event loop, so that the longest gap is
    that of the slowest receiver, not the sum of all.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._receivers: Sequence[Receiver] = ()
        self._waiting: dict[int, Change] = {}
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._pass_one_on)

    def connect_to(self, receivers: Sequence[Receiver]) -> None:
        """Say who gets the changes, in which order."""
        self._receivers = receivers

    def clear(self) -> None:
        """Forget what was gathered: another study is being shown."""
        self._waiting.clear()
        self._timer.stop()

    def pass_on(self, change: Change) -> None:
        """Tell everybody at once, with what was gathered before."""
        gathered, self._waiting = self._waiting, {}
        self._timer.stop()
        for index, receiver in enumerate(self._receivers):
            receiver.show_change(merged(gathered.get(index), change))

    def gather(self, change: Change) -> None:
        """Tell everybody soon."""
        for index in range(len(self._receivers)):
            self._waiting[index] = merged(self._waiting.get(index), change)
        if not self._timer.isActive():
            self._timer.start(_ROUND_MS)

    def _pass_one_on(self) -> None:
        if not self._waiting:
            return
        index = next(iter(self._waiting))
        change = self._waiting.pop(index)
        if self._waiting:
            self._timer.start(0)
        self._receivers[index].show_change(change)


def merged(earlier: Change | None, later: Change) -> Change:
    """Return one change that says what both say."""
    if earlier is None:
        return later
    return Change(
        earlier.facets | later.facets,
        earlier.frames | later.frames,
        earlier.decided | later.decided,
    )
