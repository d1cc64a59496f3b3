"""Who did what about the frame on screen, and when."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QHeaderView,
    QLabel,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from calcviewer.gui.desk import Desk
from calcviewer.gui.theme import HIT_PX, named

_TIME_CHARACTERS = 19


class FrameHistory(QDialog):
    """Follows the frame on screen while it is open; the newest entry stands first."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self.resize(560, 360)
        self.table = QTableWidget(0, 3)
        heads = (self.tr("When"), self.tr("What"), self.tr("Who"))
        self.table.setHorizontalHeaderLabels(heads)
        self.table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.table.setSelectionMode(QTableWidget.SelectionMode.NoSelection)
        self.table.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.table.setShowGrid(False)
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(HIT_PX)
        header = self.table.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
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
        self.table.setRowCount(len(rows))
        for place, row in enumerate(rows):
            when = row.when.replace("T", " ")[:_TIME_CHARACTERS]
            for column, text in enumerate((when, row.what, row.who)):
                item = QTableWidgetItem(text)
                item.setToolTip(text)
                self.table.setItem(place, column, item)
