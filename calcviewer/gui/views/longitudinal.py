"""The longitudinal view: flags and marks, one click from their frames, and the pullback cut."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from calcviewer.app.frames_to_check import frames_to_check
from calcviewer.app.session import Change
from calcviewer.gui.flags import flags_of
from calcviewer.gui.shown import ShownStudy
from calcviewer.gui.throttle import Throttle
from calcviewer.gui.view_state import ViewState
from calcviewer.gui.views.check_row import CheckRow
from calcviewer.gui.views.flag_row import FlagRow
from calcviewer.gui.views.frame_axis import FrameAxis
from calcviewer.gui.views.longitudinal_canvas import LongitudinalCanvas


class LongitudinalView(QWidget):
    """The pullback along the cut line, with lumen, calcium, shadows, VOI, bookmarks and flags."""

    def __init__(self, state: ViewState, axis: FrameAxis, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.canvas = LongitudinalCanvas(state, axis, self)
        self.flag_row = FlagRow(self.canvas, self)
        self.check_row = CheckRow(self.flag_row, self.canvas, self)
        self._shown: ShownStudy | None = None
        self._flags_due = Throttle(self._show_flags, self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.flag_row)
        layout.addWidget(self.check_row)
        layout.addWidget(self.canvas, 1)
        self.setMinimumSize(320, 90)
        self.canvas.setAccessibleName(self.tr("Longitudinal view"))

    def set_study(self, shown: ShownStudy | None) -> None:
        """Show another study, or none; nothing of the last one stays."""
        self._flags_due.stop()
        self._shown = shown
        self.canvas.set_study(shown)
        self.flag_row.show_flags(())
        self.check_row.show_frames(())
        if shown is not None:
            self._flags_due.ask()

    def show_change(self, change: Change) -> None:
        """Show a change of the session; many at once are shown together."""
        if self._shown is not None:
            self.canvas.show_change(change)
            self._flags_due.ask()

    def fit(self) -> None:
        """Show all frames."""
        self.canvas.fit()

    def _show_flags(self) -> None:
        if self._shown is not None:
            session = self._shown.session
            self.flag_row.show_flags(flags_of(session.results))
            self.check_row.show_frames(frames_to_check(session.study, session.results))
