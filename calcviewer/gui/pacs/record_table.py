"""A table of what a peer or the receiver told: one record a row, read only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHeaderView, QTableView, QWidget

from calcviewer.gui import theme
from calcviewer.gui.row_table import LEFT, RIGHT, Index, RowModel, show_as_rows

_ROW_PX = 36
_MOST_COLUMN_PX = 260
_MEASURED_ROWS = 30


@dataclass(frozen=True)
class Column:
    """A column: its heading, whether it takes the room that is left, whether it holds figures."""

    heading: str
    stretches: bool = False
    figures: bool = False


class _Rows(RowModel):
    """Texts in rows."""

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if role == Qt.ItemDataRole.DisplayRole:
            return self.rows[index.row()][index.column()]
        return (
            self.alignments[index.column()] if role == Qt.ItemDataRole.TextAlignmentRole else None
        )


class RecordTable(QTableView):
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
        super().__init__(parent)
        self._columns = tuple(columns)
        self._rows = _Rows(
            [column.heading for column in columns],
            [RIGHT if column.figures else LEFT for column in columns],
            self,
        )
        self.setModel(self._rows)
        show_as_rows(self, row_px=_ROW_PX, measured_rows=_MEASURED_ROWS)
        self.setTabKeyNavigation(False)
        self.setStyleSheet(
            f"QTableView {{ border: 1px solid {theme.BORDER}; border-radius: 6px; }}"
            f"QTableView::item {{ border-bottom: 1px solid {theme.BORDER}; padding: 0 8px; }}"
            f"QTableView::item:selected {{ background: {theme.ACCENT_QUIET}; }}"
            f"QTableView:focus {{ border-color: {theme.ACCENT}; }}"
            "QHeaderView::section { padding: 4px 11px; }"
        )
        header = self.horizontalHeader()
        for index, column in enumerate(columns):
            mode = QHeaderView.ResizeMode
            header.setSectionResizeMode(
                index, mode.Stretch if column.stretches else mode.Interactive
            )
        self.selectionModel().selectionChanged.connect(
            lambda: self.selected.emit(self.row_selected)
        )
        self.doubleClicked.connect(lambda index: self.chosen.emit(index.row()))

    @property
    def row_selected(self) -> int:
        """The selected row (from 0); -1: none."""
        rows = self.selectionModel().selectedRows()
        return rows[0].row() if rows else -1

    @property
    def row_count(self) -> int:
        """Number of rows."""
        return self._rows.rowCount()

    def texts(self, row: int) -> tuple[str, ...]:
        """Return the texts of a row (from 0)."""
        return tuple(
            str(self._rows.data(self._rows.index(row, column)))
            for column in range(len(self._columns))
        )

    def show_rows(self, rows: Sequence[Sequence[str]], *, select: int = -1) -> None:
        """Show other rows and select one of them, or none."""
        blocked = self.blockSignals(True)
        self._rows.replace_rows(rows)
        self._fit_columns()
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
        for index, column in enumerate(self._columns):
            if not column.stretches:
                self.resizeColumnToContents(index)
                wanted = min(self.columnWidth(index) + 8, _MOST_COLUMN_PX)
                self.setColumnWidth(index, wanted)
