"""What the tables of many rows share: rows are read only, and cost nothing until they are seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from calcviewer.gui import theme

Index = QModelIndex | QPersistentModelIndex
NOWHERE = QModelIndex()
LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class RowModel(QAbstractTableModel):
    """Rows under headings; what a cell shows is up to the table.

    Parameters
    ----------
    headings, alignments
        One a column; cells are aligned as their heading is.
    """

    def __init__(
        self, headings: Sequence[str], alignments: Sequence[Qt.AlignmentFlag], parent: QWidget
    ) -> None:
        super().__init__(parent)
        self._headings, self.alignments = tuple(headings), tuple(alignments)
        self.rows: list[Sequence[Any]] = []

    def replace_rows(self, rows: Sequence[Sequence[Any]]) -> None:
        """Show other rows; nothing is selected then."""
        self.beginResetModel()
        self.rows = list(rows)
        self.endResetModel()

    def rowCount(self, parent: Index = NOWHERE) -> int:
        """Return how many rows there are."""
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = NOWHERE) -> int:
        """Return how many columns there are."""
        return 0 if parent.isValid() else len(self._headings)

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
        return self.alignments[section] if role == Qt.ItemDataRole.TextAlignmentRole else None


def show_as_rows(view: QTableView, *, row_px: int, measured_rows: int) -> None:
    """Make a table one of whole rows without a grid.

    Parameters
    ----------
    measured_rows
        Columns are made to fit so many rows: measuring hundreds would stall the window.
    """
    view.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    view.setShowGrid(False)
    view.setWordWrap(False)
    view.setFont(theme.text_font(theme.FONT_PX))
    view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    view.verticalHeader().hide()
    view.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
    view.verticalHeader().setDefaultSectionSize(row_px)
    header = view.horizontalHeader()
    header.setHighlightSections(False)
    header.setSectionsClickable(False)
    header.setResizeContentsPrecision(measured_rows)
