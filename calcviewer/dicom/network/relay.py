"""A transfer in a thread of its own, watched: it can be stopped at any time and never hangs."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from calcviewer.core.errors import CalcViewerError
from calcviewer.dicom.network.query import Transfer

Transfers: TypeAlias = Generator[Transfer, None, None]
"""A transfer under way; closing it breaks it off."""

_BEAT_S = 0.2
_LAST_WORDS_S = 5.0


class StoppedError(Exception):
    """The transfer was told to stop; nobody waits for its outcome."""


@dataclass(eq=False)
class Report:
    """What a transfer's thread tells, and how it hears that it is to stop."""

    total: int | None = None
    done: int = 0
    byte_count: int = 0
    stopped: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)
    _finished: queue.SimpleQueue[Transfer | None] = field(default_factory=queue.SimpleQueue)
    _break_off: Callable[[], None] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def moved(self, count: int) -> None:
        """Count bytes that went over the line.

        Raises
        ------
        StoppedError
            When the transfer is to end.
        """
        with self._lock:
            self.byte_count += count
        self.check()

    def finished(self, path: Path) -> None:
        """Tell that an object is complete."""
        with self._lock:
            self.done += 1
            self._finished.put(Transfer(self.done, self.total, path, self.byte_count))

    def check(self) -> None:
        """Raise StoppedError when the transfer is to end."""
        if self.stopped.is_set():
            raise StoppedError

    def stop_by(self, break_off: Callable[[], None]) -> None:
        """Say how what blocks the thread is broken off, from another thread."""
        with self._lock:
            self._break_off = break_off
        self.check()

    def stop(self) -> None:
        """End the transfer."""
        self.stopped.set()
        with self._lock:
            break_off = self._break_off
        if break_off is not None:
            break_off()

    def end(self) -> None:
        """Tell that the transfer ended, well or not."""
        self.over.set()
        self._finished.put(None)  # who waits for an object need not wait any longer

    def news(self, seconds: float) -> Transfer | None:
        """Wait for the next object; None when there was none for that long."""
        try:
            return self._finished.get(timeout=seconds)
        except queue.Empty:
            return None

    @property
    def beat(self) -> Transfer:
        """How far the transfer is between two objects."""
        with self._lock:
            return Transfer(self.done, self.total, None, self.byte_count)


def relayed(
    work: Callable[[Report], None], *, silence_s: float, silent: CalcViewerError
) -> Transfers:
    """Run a transfer in a thread and yield how far it is, at least some times a second.

    Closing the iterator stops the transfer.

    Parameters
    ----------
    work
        Called in the thread; its error is raised here.
    silence_s, silent
        After so many seconds without a byte or an object the transfer is stopped and ``silent`` is
        raised.
    """
    report = Report()
    failures: list[BaseException] = []
    thread = threading.Thread(
        target=_run, args=(work, report, failures), name="transfer", daemon=True
    )
    thread.start()
    try:
        yield from _followed(report, silence_s=silence_s, silent=silent)
        if failures:
            raise failures.pop()  # nothing here keeps it, and with it what it came from
    finally:
        if thread.is_alive():
            report.stop()
            thread.join(_LAST_WORDS_S)


def _run(work: Callable[[Report], None], report: Report, failures: list[BaseException]) -> None:
    try:
        work(report)
    except StoppedError:
        pass
    except Exception as error:  # raised again where the transfer is followed
        failures.append(error)
    finally:
        report.end()


def _followed(report: Report, *, silence_s: float, silent: CalcViewerError) -> Iterator[Transfer]:
    heard, heard_at = (0, 0), time.monotonic()
    while True:
        over = report.over.is_set()
        finished = report.news(0 if over else _BEAT_S)
        if finished is None and over:
            return
        told = finished or report.beat
        if (told.done, told.byte_count) != heard:
            heard, heard_at = (told.done, told.byte_count), time.monotonic()
        elif time.monotonic() - heard_at > silence_s:
            raise silent
        yield told
