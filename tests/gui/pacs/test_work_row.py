"""The line that runs network work: who is told, and what it leaves behind."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator
from functools import partial

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from calcviewer.core.errors import CalcViewerError
from calcviewer.gui.pacs.work_row import WorkRow
from calcviewer.gui.tasks import Tasks
from tests.patience import PATIENCE_S


def counting(last: int) -> Iterator[int]:
    yield from range(last)


def failing() -> Iterator[int]:
    yield 0
    raise CalcViewerError("It broke.", "Mend it.")


def _note(row: WorkRow, told: list[int], item: int) -> None:
    row.say(str(item))
    told.append(item)


def test_items_and_the_end_are_told(qtbot: QtBot) -> None:
    told: list[object] = []
    row = WorkRow(Tasks())
    qtbot.addWidget(row)
    row.run(
        "Counting", lambda: counting(3), item=told.append, finished=lambda: told.append(row.running)
    )
    qtbot.waitUntil(lambda: len(told) == 4)
    assert told == [0, 1, 2, False]


@pytest.mark.parametrize("told_of_failure", [True, False])
def test_a_failure_is_said_and_told(qtbot: QtBot, told_of_failure: bool) -> None:
    told: list[str] = []
    row = WorkRow(Tasks())
    qtbot.addWidget(row)
    failed = told.append if told_of_failure else None
    row.run("Failing", failing, finished=lambda: told.append("finished"), failed=failed)
    qtbot.waitUntil(lambda: not row.running)
    assert row.words == "It broke. Mend it."
    assert told == (["It broke. Mend it."] if told_of_failure else [])


def test_work_that_outlives_its_window_keeps_nothing_of_it(qtbot: QtBot) -> None:
    answers = threading.Event()

    def waiting() -> Iterator[int]:
        answers.wait(PATIENCE_S)
        yield 1

    tasks, shown = Tasks(), [0]
    row = WorkRow(tasks)
    said = partial(_note, row, shown)
    row.run("Waiting", waiting, item=said, finished=lambda: None)
    del said
    tasks.cancel_all()
    watched = weakref.ref(row)
    row.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    answers.set()
    assert tasks.wait(PATIENCE_S)
    del row
    gc.collect()
    assert watched() is None
    assert shown == [0]
