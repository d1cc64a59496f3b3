"""A table of what a peer or the receiver told: one record a row, read only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QPersistentModelIndex,
    Qt,
    Signal,
)
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from calcviewer.gui import theme

_ROW_PX = 36
_MOST_COLUMN_PX = 260
_MEASURED_ROWS = 30
"""Columns are made to fit so many rows: measuring all of a long answer would stall the window."""
_AnyIndex = QModelIndex | QPersistentModelIndex
_NOWHERE = QModelIndex()


@dataclass(frozen=True)
class Column:
    """A column: its heading, whether it takes the room that is left, whether it holds figures."""

    heading: str
    stretches: bool = False
    figures: bool = False


class _Rows(QAbstractTableModel):
    """Texts in rows; a view asks only for those it shows."""

    def __init__(self, columns: Sequence[Column], parent: QWidget) -> None:
        super().__init__(parent)
        self._columns = tuple(columns)
        self._rows: tuple[tuple[str, ...], ...] = ()

    def show(self, rows: Sequence[Sequence[str]]) -> None:
        self.beginResetModel()
        self._rows = tuple(tuple(row) for row in rows)
        self.endResetModel()

    def rowCount(self, parent: _AnyIndex = _NOWHERE) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: _AnyIndex = _NOWHERE) -> int:
        return 0 if parent.isValid() else len(self._columns)

    def data(self, index: _AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if role == Qt.ItemDataRole.DisplayRole:
            return self._rows[index.row()][index.column()]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(self._columns[index.column()])
        return None

    def headerData(
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> object:
        if orientation is Qt.Orientation.Vertical:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self._columns[section].heading
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(self._columns[section])
        return None


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
        self._rows = _Rows(columns, self)
        self.setModel(self._rows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setFont(theme.text_font(theme.FONT_PX))
        self.setStyleSheet(
            f"QTableView {{ border: 1px solid {theme.BORDER}; border-radius: 6px; }}"
            f"QTableView::item {{ border-bottom: 1px solid {theme.BORDER}; padding: 0 8px; }}"
            f"QTableView::item:selected {{ background: {theme.ACCENT_QUIET}; }}"
            f"QTableView:focus {{ border-color: {theme.ACCENT}; }}"
            "QHeaderView::section { padding: 4px 11px; }"
        )
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(_ROW_PX)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionsClickable(False)
        header.setResizeContentsPrecision(_MEASURED_ROWS)
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
        self._rows.show(rows)
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


def _alignment(column: Column) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignRight if column.figures else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter
