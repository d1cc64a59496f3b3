"""Tables of texts: rows are read only, and cost nothing until they are seen."""

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
from PySide6.QtGui import QColor, QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from calcviewer.gui import theme

Index = QModelIndex | QPersistentModelIndex
_NOWHERE = QModelIndex()
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_MEASURED_ROWS, _MEASURED_AGAIN_ROWS = 200, 30
"""Columns are made to fit so many rows; fewer where rows change while they are looked at."""
_MOST_FITTED_ROWS = 8


@dataclass(frozen=True)
class Column:
    """A column: its heading, whether it takes the room that is left, whether it holds figures."""

    heading: str
    stretches: bool = False
    figures: bool = False


@dataclass(frozen=True)
class Cell:
    """A text; ``marked`` where it should be looked at, ``quiet`` where it is a remark."""

    text: str
    marked: bool = False
    quiet: bool = False


Row = Sequence[Cell | str]


class _Rows(QAbstractTableModel):
    """Rows of cells under headings."""

    def __init__(self, columns: Sequence[Column], parent: QWidget) -> None:
        super().__init__(parent)
        self._columns = tuple(columns)
        self.rows: list[Row] = []

    def show_rows(self, rows: Sequence[Row]) -> None:
        """Show other rows."""
        before, now = len(self.rows), len(rows)
        if now == before:
            other = [row for row in range(now) if rows[row] != self.rows[row]]
            self.rows = list(rows)
        elif now < before:
            self.beginRemoveRows(_NOWHERE, now, before - 1)
            other, self.rows = list(range(now)), list(rows)
            self.endRemoveRows()
        else:
            self.beginInsertRows(_NOWHERE, before, now - 1)
            other, self.rows = list(range(now)), list(rows)
            self.endInsertRows()
        if other:  # told of new rows too: that is when columns are made to fit
            last = self.index(other[-1], len(self._columns) - 1)
            self.dataChanged.emit(self.index(other[0], 0), last)

    def rowCount(self, parent: Index = _NOWHERE) -> int:
        """Return how many rows there are."""
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = _NOWHERE) -> int:
        """Return how many columns there are."""
        return 0 if parent.isValid() else len(self._columns)

    def headerData(
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> Any:  # noqa: ANN401
        """Return a heading, aligned as its column is."""
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self._columns[section].heading
        return self._alignment(section) if role == Qt.ItemDataRole.TextAlignmentRole else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:  # noqa: ANN401
        """Return what a cell shows; where a text may be cut short, all of it as a hint."""
        cell = self.rows[index.row()][index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return text_of(cell)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return self._alignment(index.column())
        if role == Qt.ItemDataRole.ToolTipRole and self._columns[index.column()].stretches:
            return text_of(cell).replace("\n", " ")
        if role == Qt.ItemDataRole.ForegroundRole and isinstance(cell, Cell):
            if cell.marked or cell.quiet:
                return QColor(theme.WARNING if cell.marked else theme.QUIET)
        return None

    def _alignment(self, column: int) -> Qt.AlignmentFlag:
        return _RIGHT if self._columns[column].figures else _LEFT


class Table(QTableView):
    """Rows of texts under headings, to be read."""

    def __init__(
        self,
        columns: Sequence[Column],
        parent: QWidget | None = None,
        *,
        row_px: int = theme.HIT_PX,
    ) -> None:
        super().__init__(parent)
        self._rows = _Rows(columns, self)
        self.setModel(self._rows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setTabKeyNavigation(False)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setFont(theme.text_font(theme.FONT_PX))
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(row_px)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionsClickable(False)
        header.setResizeContentsPrecision(_MEASURED_ROWS)
        self.setStyleSheet(
            f"QTableView::item {{ border-bottom: 1px solid {theme.BORDER}; padding: 0 6px; }}"
            "QTableView::item:selected { background: #1d2a3d; }"
            f"QTableView:focus {{ border: 1px solid {theme.ACCENT}; }}"
        )
        for index, column in enumerate(columns):
            mode = QHeaderView.ResizeMode
            header.setSectionResizeMode(
                index, mode.Stretch if column.stretches else mode.ResizeToContents
            )

    @property
    def row_count(self) -> int:
        """Number of rows."""
        return len(self._rows.rows)

    @property
    def row_selected(self) -> int:
        """The selected row (from 0); -1: none."""
        rows = self.selectionModel().selectedRows()
        return rows[0].row() if rows else -1

    def texts(self, row: int) -> tuple[str, ...]:
        """Return the texts of a row (from 0)."""
        return tuple(text_of(cell) for cell in self._rows.rows[row])

    def show_rows(self, rows: Sequence[Row]) -> None:
        """Show other rows; the selected one stays selected while it is there."""
        if self.row_selected >= len(rows):
            self.selectionModel().clear()  # else the row before it would be selected
        self._rows.show_rows(rows)


class FrameTable(Table):
    """Rows that lead to frames: a click or an arrow key chooses one.

    Parameters
    ----------
    fitted
        Whether the table is as tall as its rows, up to a few; else it takes the room there is.

    Signals
    -------
    chosen
        The row (from 0) an operator clicked on or went to with the arrow keys.
    """

    chosen = Signal(int)

    def __init__(
        self,
        columns: Sequence[Column],
        parent: QWidget | None = None,
        *,
        fitted: bool = False,
    ) -> None:
        super().__init__(columns, parent)
        self._fitted = fitted
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.horizontalHeader().setMinimumSectionSize(24)
        self.horizontalHeader().setResizeContentsPrecision(_MEASURED_AGAIN_ROWS)
        self.clicked.connect(lambda index: self.chosen.emit(index.row()))
        self._fit_height()

    def show_rows(self, rows: Sequence[Row]) -> None:
        """Show other rows; the marked one stays marked while it is there."""
        super().show_rows(rows)
        self._fit_height()

    def mark_row(self, row: int | None) -> None:
        """Mark a row as the current one and bring it in sight; None: no row."""
        if row is None:
            self.selectionModel().clear()
        elif row != self.row_selected:
            index = self._rows.index(row, 0)
            flags = QItemSelectionModel.SelectionFlag
            self.selectionModel().setCurrentIndex(index, flags.ClearAndSelect | flags.Rows)
            self.scrollTo(index)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Let the arrow keys choose a row."""
        before = self.currentIndex().row()
        super().keyPressEvent(event)
        if self.currentIndex().row() != before:
            self.chosen.emit(self.currentIndex().row())

    def _fit_height(self) -> None:
        if not self._fitted:
            return
        for row in range(self.row_count):
            lines = max(text.count("\n") for text in self.texts(row))
            self.setRowHeight(row, theme.HIT_PX + lines * self.fontMetrics().lineSpacing())
        height = sum(self.rowHeight(row) for row in range(self.row_count))
        most = _MOST_FITTED_ROWS * theme.HIT_PX
        self.setFixedHeight(self.horizontalHeader().sizeHint().height() + min(height, most) + 2)
        policy = Qt.ScrollBarPolicy
        self.setVerticalScrollBarPolicy(
            policy.ScrollBarAsNeeded if height > most else policy.ScrollBarAlwaysOff
        )


def text_of(cell: Cell | str) -> str:
    """Return the text of a cell."""
    return cell if isinstance(cell, str) else cell.text
