"""Who did what about the frame on screen, and when."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QLabel, QVBoxLayout, QWidget

from calcviewer.gui.desk import Desk
from calcviewer.gui.table import Column, Table
from calcviewer.gui.theme import named

_TIME_CHARACTERS = 19


class FrameHistory(QDialog):
    """Follows the frame on screen while it is open; the newest entry stands first."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self.resize(560, 360)
        self.table = Table(
            (
                Column(self.tr("When")),
                Column(self.tr("What"), stretches=True),
                Column(self.tr("Who")),
            )
        )
        self.empty = named(QLabel(self.tr("Nobody has changed anything in this frame.")), "quiet")
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        column = QVBoxLayout(self)
        column.addWidget(self.empty, 1)
        column.addWidget(self.table, 1)
        desk.state.frame_changed.connect(self.refresh)
        desk.keeping.changed.connect(self.refresh)
        desk.shown_changed.connect(self.close)
        self.refresh()

    def refresh(self) -> None:
        """Show the frame on screen as it is now."""
        frame = self._desk.state.frame
        self.setWindowTitle(self.tr("History of frame {}").format(frame + 1))
        rows = tuple(reversed(self._desk.frame_history(frame)))
        self.empty.setVisible(not rows)
        self.table.setVisible(bool(rows))
        self.table.show_rows(
            [(row.when.replace("T", " ")[:_TIME_CHARACTERS], row.what, row.who) for row in rows]
        )
