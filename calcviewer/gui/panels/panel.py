"""What every panel does: follow the open study, the frame on screen, and changes at their pace."""

from __future__ import annotations

from typing import ClassVar

from PySide6.QtCore import QTimer
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QWidget

from calcviewer.app.session import Change, Facet
from calcviewer.gui.shown import ShownStudy
from calcviewer.gui.view_state import ViewState

DECIDING = frozenset(Facet) - {Facet.BOOKMARK, Facet.COMMENT}
"""Changes that lesions, their scores or their confirmation can follow."""
_LEAST_MS = 100


class Panel(QWidget):
    """Shows part of the study's results.

    What the operator does is shown at once; streaming results and the frame on screen at most
    every 100 ms, and nothing while the panel is hidden.
    """

    facets: ClassVar[frozenset[Facet]] = frozenset(Facet)
    """The changes after which the panel shows something else."""

    def __init__(self, state: ViewState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._shown: ShownStudy | None = None
        self._stale = True
        self._timer = QTimer(self, singleShot=True, interval=_LEAST_MS)
        self._timer.timeout.connect(self._refresh_if_stale)
        state.frame_changed.connect(self._soon)

    def set_study(self, shown: ShownStudy | None) -> None:
        """Show a study that was opened, or that there is none."""
        self._shown = shown
        self._stale = False
        self.refresh()  # also while hidden: nothing of the last study is kept

    def show_change(self, change: Change) -> None:
        """Show what changed in the study."""
        if self._shown is None or not change.facets & self.facets:
            return
        if self.is_streamed(change):
            self._soon()
        else:
            self._refresh_now()

    def is_streamed(self, change: Change) -> bool:
        """Whether a change only brings predictions, which the operator did not ask for."""
        return change.facets == {Facet.ANNOTATION} and not change.decided

    def refresh(self) -> None:
        """Show the study as it is; called when something the panel shows may be another."""
        raise NotImplementedError

    def showEvent(self, event: QShowEvent) -> None:
        """Catch up with what changed while the panel was hidden."""
        super().showEvent(event)
        self._refresh_if_stale()

    def _soon(self) -> None:
        self._stale = True
        if not self._timer.isActive():
            self._refresh_if_stale()

    def _refresh_now(self) -> None:
        self._stale = True
        self._refresh_if_stale()

    def _refresh_if_stale(self) -> None:
        if self._stale and self.isVisible():
            self._stale = False
            self.refresh()
            self._timer.start()
