"""A table of what a peer or the receiver told: one record a row, of which one is selected."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHeaderView, QWidget

from calcviewer.gui import theme
from calcviewer.gui.table import Column, Row, Table

_ROW_PX = 36
_MOST_COLUMN_PX = 260


class RecordTable(Table):
    """Rows of texts of which one is selected.

    Signals
    -------
    selected
        Another row (from 0) is selected; -1: none.
    chosen
        A row was double-clicked, or Enter pressed on it.
    """

    selected = Signal(int)
    chosen = Signal(int)

    def __init__(self, columns: Sequence[Column], parent: QWidget | None = None) -> None:
        super().__init__(columns, parent, row_px=_ROW_PX)
        self._fitted = [index for index, column in enumerate(columns) if not column.stretches]
        self.setStyleSheet(
            f"QTableView {{ border: 1px solid {theme.BORDER}; border-radius: 6px; }}"
            f"QTableView::item {{ border-bottom: 1px solid {theme.BORDER}; padding: 0 8px; }}"
            f"QTableView::item:selected {{ background: {theme.ACCENT_QUIET}; }}"
            f"QTableView:focus {{ border-color: {theme.ACCENT}; }}"
            "QHeaderView::section { padding: 4px 11px; }"
        )
        for column in self._fitted:
            self.horizontalHeader().setSectionResizeMode(column, QHeaderView.ResizeMode.Interactive)
        self.selectionModel().selectionChanged.connect(
            lambda: self.selected.emit(self.row_selected)
        )
        self.doubleClicked.connect(lambda index: self.chosen.emit(index.row()))

    def show_rows(self, rows: Sequence[Row], *, select: int = -1) -> None:
        """Show other rows and select one of them, or none."""
        blocked = self.blockSignals(True)
        self.selectionModel().clear()
        super().show_rows(rows)
        self._fit_columns()
        self.scrollToTop()
        if select >= 0:
            self.selectRow(select)
        self.blockSignals(blocked)
        self.selected.emit(self.row_selected)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Let Enter choose the selected row."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.row_selected >= 0:
            self.chosen.emit(self.row_selected)
            return
        super().keyPressEvent(event)

    def _fit_columns(self) -> None:
        """Give every column room for its texts, up to a limit: a peer may send long ones."""
        for column in self._fitted:
            self.resizeColumnToContents(column)
            self.setColumnWidth(column, min(self.columnWidth(column) + 8, _MOST_COLUMN_PX))
