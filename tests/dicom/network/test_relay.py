"""A transfer in a thread is followed, stopped, and never waited for without end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from calcviewer.core.errors import CalcViewerError
from calcviewer.dicom.network.query import Transfer
from calcviewer.dicom.network.relay import Report, relayed
from tests.patience import PATIENCE_S

SILENT = CalcViewerError("silent", "wait")
A, B = Path("a"), Path("b")


def followed(work: Callable[[Report], None], silence_s: float = 5.0) -> Iterator[Transfer]:
    return relayed(work, silence_s=silence_s, silent=SILENT)


def test_each_object_is_told_once_and_in_order() -> None:
    def work(report: Report) -> None:
        report.total = 2
        report.moved(10)
        report.finished(A)
        report.moved(5)
        report.finished(B)

    assert [one for one in followed(work) if one.path] == [
        Transfer(1, 2, A, 10),
        Transfer(2, 2, B, 15),
    ]


def test_its_error_is_raised_after_what_was_finished() -> None:
    def work(report: Report) -> None:
        report.finished(A)
        raise CalcViewerError("gone")

    transfers = followed(work)
    assert next(one for one in transfers if one.path).path == A
    with pytest.raises(CalcViewerError, match="gone"):
        list(transfers)


def test_a_bug_is_not_swallowed() -> None:
    def work(report: Report) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(followed(work))


def test_between_objects_it_tells_how_far_it_is() -> None:
    go_on = threading.Event()

    def work(report: Report) -> None:
        report.moved(7)
        go_on.wait(PATIENCE_S)

    transfers = followed(work)
    assert next(transfers) == Transfer(0, None, None, 7)
    assert next(transfers) == Transfer(0, None, None, 7)
    go_on.set()
    list(transfers)


def test_silence_ends_it_and_bytes_keep_it_alive() -> None:
    silence_s, moved = 1.5, []

    def work(report: Report) -> None:
        for byte in range(4):
            time.sleep(0.3 * silence_s)  # in all longer than the silence
            report.moved(1)
            moved.append(byte)
        moved.append("stopped" if report.stopped.wait(PATIENCE_S) else "still at work")
        report.check()

    with pytest.raises(CalcViewerError, match="silent"):
        list(followed(work, silence_s=silence_s))
    assert moved == [0, 1, 2, 3, "stopped"]


def test_closing_stops_it_by_what_it_named() -> None:
    woken, ended = threading.Event(), threading.Event()

    def work(report: Report) -> None:
        report.stop_by(woken.set)
        report.moved(1)
        woken.wait(PATIENCE_S)
        try:
            report.moved(1)
        finally:
            ended.set()

    transfers = followed(work)
    next(transfers)
    transfers.close()
    assert woken.is_set()
    assert ended.is_set()


def test_one_that_is_stopped_before_it_can_say_how_stops_there() -> None:
    began, ended = threading.Event(), threading.Event()

    def work(report: Report) -> None:
        began.wait(PATIENCE_S)
        try:
            report.stop_by(lambda: None)
        finally:
            ended.set()
        raise AssertionError("it went on")

    transfers = followed(work)
    next(transfers)
    threading.Timer(0.1, began.set).start()
    transfers.close()
    assert ended.is_set()
