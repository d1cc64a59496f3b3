"""Tables: what is read only, what leads to a frame, and columns that show all of their texts."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from PySide6.QtCore import QModelIndex, Qt
from pytestqt.qtbot import QtBot

from calcviewer.gui import theme
from calcviewer.gui.table import Cell, Column, FrameTable, Table
from tests.gui.waiting import deliver_events

COLUMNS = (
    Column("frame"),
    Column("why", stretches=True),
    Column("arc", figures=True),
)
Role = Qt.ItemDataRole


@pytest.fixture
def table(qtbot: QtBot) -> FrameTable:
    made = FrameTable(COLUMNS, fitted=True)
    qtbot.addWidget(made)
    made.resize(500, 300)
    made.show()
    made.show_rows(rows(3))
    deliver_events()
    return made


def rows(count: int, arc: str = "180°") -> list[Sequence[str]]:
    return [(str(row + 1), "maximum arc", arc) for row in range(count)]


def index(table: Table, row: int, column: int = 1) -> QModelIndex:
    return table.model().index(row, column)


def click(table: Table, qtbot: QtBot, row: int) -> None:
    where = table.visualRect(index(table, row)).center()
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=where)


def test_a_click_and_the_arrow_keys_choose_a_row(table: FrameTable, qtbot: QtBot) -> None:
    chosen: list[int] = []
    table.chosen.connect(chosen.append)
    click(table, qtbot, 1)
    click(table, qtbot, 1)  # its frame may have gone from the screen meanwhile
    qtbot.keyClick(table, Qt.Key.Key_Down)
    qtbot.keyClick(table, Qt.Key.Key_Down)  # there is no further row
    qtbot.keyClick(table, Qt.Key.Key_Up)
    assert chosen == [1, 1, 2, 1]


def test_marking_a_row_is_no_choice(table: FrameTable) -> None:
    chosen: list[int] = []
    table.chosen.connect(chosen.append)
    table.mark_row(2)
    assert table.row_selected == 2
    table.show_rows(rows(3, "90°"))
    assert table.row_selected == 2
    assert table.texts(2) == ("3", "maximum arc", "90°")
    table.mark_row(None)
    assert table.row_selected == -1
    assert chosen == []


def test_rows_come_and_go_without_losing_the_marked_one(table: FrameTable) -> None:
    table.mark_row(1)
    table.show_rows(rows(7))
    assert (table.row_count, table.row_selected) == (7, 1)
    table.show_rows(rows(2))
    assert (table.row_count, table.row_selected) == (2, 1)
    table.show_rows(rows(1))
    assert (table.row_count, table.row_selected) == (1, -1)
    table.show_rows(())
    assert table.row_count == 0


@pytest.mark.parametrize("count", [0, 1, 3, 5])
def test_columns_are_as_wide_as_what_comes_into_them(table: FrameTable, count: int) -> None:
    table.show_rows(rows(count))
    table.show_rows(rows(3, "180° visible, 227° bridged"))
    deliver_events()
    shown = table.fontMetrics().horizontalAdvance("180° visible, 227° bridged")
    assert table.columnWidth(2) > shown


def test_it_is_as_tall_as_its_rows_up_to_a_few(table: FrameTable) -> None:
    three = table.height()
    table.show_rows([("1", "maximum arc,\nlength near 5 mm", "180°"), *rows(2)])
    assert table.rowHeight(0) > table.rowHeight(1) == theme.HIT_PX
    assert table.height() > three
    table.show_rows(rows(8))
    eight = table.height()
    assert table.verticalScrollBarPolicy() is Qt.ScrollBarPolicy.ScrollBarAlwaysOff
    table.show_rows(rows(30))
    assert table.height() == eight
    assert table.verticalScrollBarPolicy() is Qt.ScrollBarPolicy.ScrollBarAsNeeded
    table.mark_row(29)
    assert table.viewport().rect().intersects(table.visualRect(index(table, 29)))


def test_what_may_be_cut_short_is_a_hint_too(table: FrameTable) -> None:
    table.show_rows([("1", "maximum arc,\nlength near 5 mm", "180°")])
    assert index(table, 0).data(Role.ToolTipRole) == "maximum arc, length near 5 mm"
    assert index(table, 0, 2).data(Role.ToolTipRole) is None


def test_figures_are_aligned_right_under_their_heading(table: FrameTable) -> None:
    for column, side in ((0, Qt.AlignmentFlag.AlignLeft), (2, Qt.AlignmentFlag.AlignRight)):
        assert index(table, 0, column).data(Role.TextAlignmentRole) & side
        heading = table.model().headerData(
            column, Qt.Orientation.Horizontal, Role.TextAlignmentRole
        )
        assert heading & side


def test_cells_are_marked_or_quiet(qtbot: QtBot) -> None:
    table = Table(COLUMNS)
    qtbot.addWidget(table)
    table.show_rows([(Cell("1"), Cell("differs", marked=True, quiet=True), Cell("0", quiet=True))])
    colours = [index(table, 0, column).data(Role.ForegroundRole) for column in range(3)]
    assert colours[0] is None
    assert [colour.name() for colour in colours[1:]] == [theme.WARNING, theme.QUIET]
    assert table.texts(0) == ("1", "differs", "0")
    assert not index(table, 0).flags() & Qt.ItemFlag.ItemIsEditable
