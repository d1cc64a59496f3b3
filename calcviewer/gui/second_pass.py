"""The frames in which model and operator differ most, one click from each."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QDialog, QVBoxLayout, QWidget

from calcviewer.app.second_pass import SecondPassRow, second_pass
from calcviewer.app.session import IvoctStudy
from calcviewer.gui.current_task import CurrentTask
from calcviewer.gui.desk import Desk
from calcviewer.gui.panels.card import quiet
from calcviewer.gui.table import Column, FrameTable
from calcviewer.gui.task import Task

_LATER_MS = 500
"""Comparing is for after a correction, not for every move of a drag."""


class SecondPass(QDialog):
    """Lists confirmed and corrected frames while it is open, the most different first."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Second pass: where model and operator differ most"))
        self.resize(640, 420)
        self._desk = desk
        self._rows: tuple[SecondPassRow, ...] = ()
        self._task = CurrentTask(self)
        self._later = QTimer(self, singleShot=True, interval=_LATER_MS)
        self._later.timeout.connect(self.compare)
        self.table = FrameTable(
            (
                Column(self.tr("Frame"), figures=True),
                Column(self.tr("Differs, mm²"), figures=True),
                Column(self.tr("Lumen Dice"), figures=True),
                Column(self.tr("Calcium Dice"), figures=True),
                Column(self.tr("Arc: model → operator"), stretches=True, figures=True),
            )
        )
        self.table.chosen.connect(self._go)
        self.note = quiet("", wrap=True)
        column = QVBoxLayout(self)
        column.addWidget(self.note)
        column.addWidget(self.table, 1)
        column.addStretch()
        desk.state.frame_changed.connect(self._mark)
        desk.changed.connect(self._later.start)
        desk.shown_changed.connect(self.close)
        self.compare()

    def compare(self) -> None:
        """Compare the study as it is now, in the background."""
        if self._desk.shown is None:
            return
        study = self._desk.shown.session.study
        task = Task(self.tr("Comparing"), lambda: _compared(study), self)
        task.item.connect(self._take)
        task.finished.connect(self._task.done)
        task.failed.connect(self.note.setText)
        self._task.start(task)

    def _take(self, rows: tuple[SecondPassRow, ...]) -> None:
        self._rows = rows
        words = (
            self.tr("What the operator was right about teaches a model most; a slip shows up too.")
            if rows
            else self.tr("No segmented frame is confirmed or corrected yet.")
        )
        self.note.setText(words)
        self.table.setVisible(bool(rows))
        self.table.show_rows([_texts(row) for row in rows])
        self._mark()

    def _mark(self) -> None:
        frame = self._desk.state.frame
        place = next((k for k, row in enumerate(self._rows) if row.frame == frame), None)
        self.table.mark_row(place)

    def _go(self, place: int) -> None:
        self._desk.state.go_to(self._rows[place].frame)


def _compared(study: IvoctStudy) -> Iterator[tuple[SecondPassRow, ...]]:
    yield second_pass(study)


def _texts(row: SecondPassRow) -> tuple[str, ...]:
    arcs = (
        "–" if arc is None else f"{arc:.0f}°" for arc in (row.model_arc_deg, row.operator_arc_deg)
    )
    return (
        str(row.frame + 1),
        f"{row.difference:.2f}",
        f"{row.lumen.dice:.3f}",
        f"{row.calcium.dice:.3f}",
        " → ".join(arcs),
    )
