"""A table of many texts whose rows lead somewhere, cheap to fill again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from calcviewer.gui import theme

_LEAST_COLUMN_PX = 60
_SIZED_ROWS = 24
"""Columns are as wide as what is in sight and in so many more rows: not in all of hundreds."""
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_Index = QModelIndex | QPersistentModelIndex
_NOWHERE = QModelIndex()


@dataclass(frozen=True)
class Cell:
    """A text; ``marked`` where it should be looked at, ``quiet`` where it is a remark."""

    text: str
    marked: bool = False
    quiet: bool = False


class _Rows(QAbstractTableModel):
    """Rows of cells under headings."""

    def __init__(self, headings: Sequence[str], parent: QWidget) -> None:
        super().__init__(parent)
        self._headings = tuple(headings)
        self.rows: list[Sequence[Cell]] = []

    def show_rows(self, rows: Sequence[Sequence[Cell]]) -> None:
        """Show other rows; where there are as many as before, what is selected stays."""
        if len(rows) != len(self.rows):
            self.beginResetModel()
            self.rows = list(rows)
            self.endResetModel()
            return
        other = [row for row, cells in enumerate(rows) if cells is not self.rows[row]]
        self.rows = list(rows)
        if other:
            last = self.index(other[-1], len(self._headings) - 1)
            self.dataChanged.emit(self.index(other[0], 0), last)

    def rowCount(self, parent: _Index = _NOWHERE) -> int:
        """Return how many rows there are."""
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: _Index = _NOWHERE) -> int:
        """Return how many columns there are."""
        return 0 if parent.isValid() else len(self._headings)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:  # noqa: ANN401
        """Return what a cell shows."""
        cell = self.rows[index.row()][index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return cell.text
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _LEFT if index.column() == 0 else _RIGHT
        if role == Qt.ItemDataRole.ForegroundRole and (cell.marked or cell.quiet):
            return QColor(theme.WARNING if cell.marked else theme.QUIET)
        return None

    def headerData(
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> Any:  # noqa: ANN401
        """Return a heading."""
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self._headings[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _LEFT if section == 0 else _RIGHT
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
        self._rows = _Rows(headings, self)
        self.setModel(self._rows)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setFont(theme.text_font(theme.FONT_PX))
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(theme.HIT_PX)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionsClickable(False)
        header.setMinimumSectionSize(_LEAST_COLUMN_PX)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setResizeContentsPrecision(_SIZED_ROWS)
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
