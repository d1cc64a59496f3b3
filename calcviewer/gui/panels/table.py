"""A small table of texts whose rows lead somewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from calcviewer.gui import theme

_MOST_ROWS = 8


@dataclass(frozen=True)
class Column:
    """A column of a table: its heading, and whether it takes the room that is left."""

    heading: str
    stretches: bool = False
    left: bool = False


class Table(QTableWidget):
    """Rows of texts, as tall as its rows up to a limit; a click or an arrow key chooses a row.

    Signals
    -------
    chosen
        The row an operator chose, from 0.
    """

    chosen = Signal(int)

    def __init__(self, columns: Sequence[Column], parent: QWidget | None = None) -> None:
        super().__init__(0, len(columns), parent)
        self._columns = tuple(columns)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setFont(theme.text_font(theme.FONT_PX))
        self.setStyleSheet(
            f"QTableView::item {{ border-bottom: 1px solid {theme.BORDER}; padding: 0 6px; }}"
            "QTableView::item:selected { background: #1d2a3d; }"
            f"QTableView:focus {{ border: 1px solid {theme.ACCENT}; }}"
        )
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(theme.HIT_PX)
        self._set_up_header()
        self.cellClicked.connect(lambda row, _column: self.chosen.emit(row))
        self._fit_height()

    def show_rows(self, rows: Sequence[Sequence[str]], marked: int | None = None) -> None:
        """Show rows of texts, one of them marked as the current one and kept in sight."""
        if self.rowCount() != len(rows):
            self.setRowCount(len(rows))
        for row, texts in enumerate(rows):
            lines = max(text.count("\n") for text in texts)
            self.setRowHeight(row, theme.HIT_PX + lines * self.fontMetrics().lineSpacing())
            for column, text in enumerate(texts):
                item = self._item(row, column)
                if item.text() != text:
                    item.setText(text)
                    item.setToolTip(
                        text.replace("\n", " ") if self._columns[column].stretches else ""
                    )
        self._fit_height()
        if marked is None:
            self.setCurrentCell(-1, -1)
            self.clearSelection()
        elif [index.row() for index in self.selectionModel().selectedRows()] != [marked]:
            self.selectRow(marked)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Let the arrow keys choose a row."""
        before = self.currentRow()
        super().keyPressEvent(event)
        if self.currentRow() != before:
            self.chosen.emit(self.currentRow())

    def _item(self, row: int, column: int) -> QTableWidgetItem:
        item = self.item(row, column)
        if item is None:
            item = QTableWidgetItem()
            item.setTextAlignment(_alignment(self._columns[column]))
            self.setItem(row, column, item)
        return item

    def _set_up_header(self) -> None:
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionsClickable(False)
        header.setMinimumSectionSize(24)
        for index, column in enumerate(self._columns):
            mode = QHeaderView.ResizeMode
            header.setSectionResizeMode(
                index, mode.Stretch if column.stretches else mode.ResizeToContents
            )
            title = QTableWidgetItem(column.heading)
            title.setTextAlignment(_alignment(column))
            self.setHorizontalHeaderItem(index, title)

    def _fit_height(self) -> None:
        heights = [self.rowHeight(row) for row in range(self.rowCount())]
        most = _MOST_ROWS * theme.HIT_PX
        shown = min(sum(heights), most)
        self.setFixedHeight(self.horizontalHeader().sizeHint().height() + shown + 2)
        more = sum(heights) > most
        policy = Qt.ScrollBarPolicy
        self.setVerticalScrollBarPolicy(
            policy.ScrollBarAsNeeded if more else policy.ScrollBarAlwaysOff
        )


def _alignment(column: Column) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignLeft if column.left else Qt.AlignmentFlag.AlignRight
    return side | Qt.AlignmentFlag.AlignVCenter
