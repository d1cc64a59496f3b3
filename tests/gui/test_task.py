"""Background work: items in order, in the UI thread; nothing after a cancel."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from calcviewer.core.errors import CalcViewerError
from calcviewer.gui.task import Task
from calcviewer.gui.tasks import Tasks
from tests.gui.waiting import deliver_events
from tests.patience import PATIENCE_S


def test_items_arrive_in_order_in_the_ui_thread(qtbot: QtBot) -> None:
    seen: list[tuple[int, bool]] = []
    worked_in: list[threading.Thread] = []

    def work() -> Iterator[int]:
        worked_in.append(threading.current_thread())
        yield from range(5)

    task = Task("counting", work)
    main = threading.current_thread()
    task.item.connect(lambda item: seen.append((item, threading.current_thread() is main)))
    with qtbot.waitSignal(task.finished):
        task.start()
    assert seen == [(number, True) for number in range(5)]
    assert worked_in[0] is not main
    assert task.wait(PATIENCE_S)


def test_an_expected_failure_gives_its_reason(qtbot: QtBot) -> None:
    def work() -> Iterator[int]:
        yield 1
        raise CalcViewerError("The file is damaged.", "Copy it again.")

    task = Task("reading", work)
    with qtbot.waitSignal(task.failed) as failed:
        task.start()
    assert failed.args == ["The file is damaged. Copy it again."]
    assert task.wait(PATIENCE_S)


def test_a_bug_is_told_with_its_log(qtbot: QtBot) -> None:
    def work() -> Iterator[int]:
        raise ZeroDivisionError("oops")
        yield

    task = Task("reading", work)
    with qtbot.waitSignal(task.failed) as failed:
        task.start()
    assert failed.args is not None
    assert "internal error" in failed.args[0]
    assert "problem report" in failed.args[0]
    assert task.wait(PATIENCE_S)


@pytest.mark.parametrize("ends", ["by itself", "with an error"])
def test_nothing_arrives_after_a_cancel(qtbot: QtBot, ends: str) -> None:
    go_on, seen = threading.Event(), []

    def work() -> Iterator[int]:
        yield 1
        go_on.wait(PATIENCE_S)
        if ends == "with an error":
            raise CalcViewerError("Too late.")
        yield 2

    task = Task("waiting", work)
    for signal in (task.item, task.finished, task.failed):
        signal.connect(lambda *values: seen.append(values))
    task.start()
    qtbot.waitUntil(lambda: seen == [(1,)])
    task.cancel()
    go_on.set()
    assert task.wait(PATIENCE_S)
    deliver_events()
    assert seen == [(1,)]


def test_an_item_on_its_way_is_dropped_by_a_cancel(qtbot: QtBot) -> None:
    seen = []
    task = Task("counting", lambda: iter(range(3)))
    task.item.connect(seen.append)
    task.start()
    assert task.wait(PATIENCE_S)  # the items wait in the event queue now
    task.cancel()
    deliver_events()
    assert seen == []


def test_a_task_is_held_until_its_thread_has_ended(qtbot: QtBot) -> None:
    go_on = threading.Event()

    def work() -> Iterator[int]:
        go_on.wait(PATIENCE_S)
        yield 1

    tasks = Tasks()
    tasks.start(Task("waiting", work))
    tasks.cancel_all()
    assert not tasks.wait(0.05)
    go_on.set()
    assert tasks.wait(PATIENCE_S)
