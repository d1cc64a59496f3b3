"""A table of many texts whose rows lead somewhere, cheap to fill again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QItemSelectionModel, QModelIndex, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QHeaderView, QTableView, QWidget

from calcviewer.gui import theme
from calcviewer.gui.row_table import LEFT, RIGHT, Index, RowModel, show_as_rows

_LEAST_COLUMN_PX = 60
_SIZED_ROWS = 24


@dataclass(frozen=True)
class Cell:
    """A text; ``marked`` where it should be looked at, ``quiet`` where it is a remark."""

    text: str
    marked: bool = False
    quiet: bool = False


class _Rows(RowModel):
    """Rows of cells."""

    def show_rows(self, rows: Sequence[Sequence[Cell]]) -> None:
        """Show other rows; where there are as many as before, what is selected stays."""
        if len(rows) != len(self.rows):
            self.replace_rows(rows)
            return
        other = [row for row, cells in enumerate(rows) if cells is not self.rows[row]]
        self.rows = list(rows)
        if other:
            last = self.index(other[-1], self.columnCount() - 1)
            self.dataChanged.emit(self.index(other[0], 0), last)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:  # noqa: ANN401
        """Return what a cell shows."""
        cell = self.rows[index.row()][index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return cell.text
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return self.alignments[index.column()]
        if role == Qt.ItemDataRole.ForegroundRole and (cell.marked or cell.quiet):
            return QColor(theme.WARNING if cell.marked else theme.QUIET)
        return None


class Grid(QTableView):
    """Rows under headings; the first column takes the room that is left.

    Signals
    -------
    chosen
        The row (from 0) an operator clicked on or went to with the arrow keys.
    """

    chosen = Signal(int)

    def __init__(self, headings: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        alignments = [LEFT, *[RIGHT] * (len(headings) - 1)]
        self._rows = _Rows(headings, alignments, self)
        self.setModel(self._rows)
        show_as_rows(self, row_px=theme.HIT_PX, measured_rows=_SIZED_ROWS)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        header = self.horizontalHeader()
        header.setMinimumSectionSize(_LEAST_COLUMN_PX)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self._placing = False
        self.selectionModel().currentRowChanged.connect(self._tell)
        self.clicked.connect(self._tell)  # the current row too: its frame may be off screen

    def show_rows(self, rows: Sequence[Sequence[Cell]]) -> None:
        """Show other rows."""
        self._rows.show_rows(rows)

    def texts(self, row: int) -> tuple[str, ...]:
        """Return what a row shows."""
        return tuple(cell.text for cell in self._rows.rows[row])

    @property
    def row_count(self) -> int:
        """How many rows there are."""
        return len(self._rows.rows)

    def mark_row(self, row: int | None) -> None:
        """Mark a row as the current one and keep it in sight; None: no row."""
        self._placing = True
        try:
            if row is None:
                self.selectionModel().clear()
                return
            index = self._rows.index(row, 0)
            flags = QItemSelectionModel.SelectionFlag
            self.selectionModel().setCurrentIndex(index, flags.ClearAndSelect | flags.Rows)
            self.scrollTo(index)
        finally:
            self._placing = False

    def _tell(self, current: QModelIndex) -> None:
        if not self._placing and current.isValid():
            self.chosen.emit(current.row())
