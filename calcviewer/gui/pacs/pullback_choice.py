"""Which of several retrieved pullbacks is to be opened."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from calcviewer.app.pacs.retrieved import RetrievedPullback
from calcviewer.gui.pacs.record_table import RecordTable
from calcviewer.gui.panels.card import heading, quiet
from calcviewer.gui.table import Column
from calcviewer.gui.theme import named


class PullbackChoice(QWidget):
    """A list of pullbacks; it stays, so that one after the other can be opened.

    Signals
    -------
    chosen
        The path of the pullback to open.
    left
        Back to the worklist.
    """

    chosen = Signal(object)
    left = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pullbacks: tuple[RetrievedPullback, ...] = ()
        self.title = heading("")
        self.table = RecordTable(
            (
                Column(self.tr("Series"), figures=True),
                Column(self.tr("Modality")),
                Column(self.tr("Description"), stretches=True),
                Column(self.tr("Frames"), figures=True),
            )
        )
        self.open_button = named(QPushButton(self.tr("Open")), "primary")
        back = QPushButton(self.tr("Back to the worklist"))
        for button in (self.open_button, back):
            button.setAutoDefault(False)
        buttons = QHBoxLayout()
        buttons.addWidget(back)
        buttons.addStretch(1)
        buttons.addWidget(self.open_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        column.addWidget(self.title)
        self._hint = quiet(self.tr("The longest one is selected. Double-click opens another."))
        column.addWidget(self._hint)
        column.addWidget(self.table, 1)
        column.addLayout(buttons)
        self.table.chosen.connect(self._choose)
        self.open_button.clicked.connect(lambda: self._choose(self.table.row_selected))
        back.clicked.connect(self.left)

    def offer(self, pullbacks: Sequence[RetrievedPullback]) -> None:
        """Show pullbacks to choose from, the longest one selected."""
        self._pullbacks = tuple(pullbacks)
        count = len(self._pullbacks)
        self._hint.setVisible(count > 1)
        self.title.setText(
            self.tr("The pullback was retrieved.")
            if count == 1
            else self.tr("{} pullbacks were retrieved. Which one is to be opened?").format(count)
        )
        rows = [
            (
                "" if one.series_number is None else str(one.series_number),
                one.modality,
                one.description,
                str(one.frame_count),
            )
            for one in self._pullbacks
        ]
        longest = max(range(len(rows)), key=lambda row: self._pullbacks[row].frame_count)
        self.table.show_rows(rows, select=longest)
        self.table.setFocus()

    def _choose(self, row: int) -> None:
        if 0 <= row < len(self._pullbacks):
            self.chosen.emit(self._pullbacks[row].path)
