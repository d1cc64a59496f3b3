"""Notices what must not happen while the window is worked, and what it holds on to."""

from __future__ import annotations

import gc
import logging
import os
import sys
import threading
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, ModuleType, TracebackType

from PySide6.QtCore import QEvent, QObject, QTimer, QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication

from calcviewer.app.program_log import log_path
from calcviewer.app.session import Session
from calcviewer.gui.frames import FramePictures
from calcviewer.gui.main_window import MainWindow

_BEAT_MS = 5
_HARMLESS = (
    "This plugin does not support",  # the off-screen platform: grabs, hints, raising
)
_POOLS = (
    # Buttons of the rows of flags and check marks: as many as there were at once, of which there
    # are no more than fit beside one another.
    "_MarkButton",
    "QToolButton",
    # What a label makes when its text can be selected, one a label.
    "QObject",
    "QTextDocument",
    "QAbstractTextDocumentLayout",
    "QTextFrame",
)
"""Made when first needed and kept: there is a limit to their number."""
_MOST_HOLDERS = 20_000
_TRACE = "Traceback (most recent call last)"


class Problems(logging.Handler):
    """Collects exceptions, warnings and errors from every place they can come out at."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self._new: list[str] = []
        self._read = 0

    def note(self, problem: str) -> None:
        """Add one; may be called on any thread."""
        self._new.append(problem)

    def take(self) -> list[str]:
        """Return the new ones, those of the log file included, and forget them."""
        self._read_log()
        new, self._new = self._new, []
        return new

    def emit(self, record: logging.LogRecord) -> None:
        """Take an error of the program's log."""
        self.note(f"logged: {self.format(record)}")

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Take all there is while the block runs."""
        before = sys.excepthook, threading.excepthook, sys.unraisablehook, warnings.showwarning
        sys.excepthook = lambda *error: self.note(_trace(*error))
        threading.excepthook = lambda args: self.note(
            f"in thread {args.thread.name if args.thread else '?'}: "
            + _trace(args.exc_type, args.exc_value, args.exc_traceback)
        )
        sys.unraisablehook = lambda args: self.note(
            f"unraisable in {args.object!r}: "
            + _trace(args.exc_type, args.exc_value, args.exc_traceback)
        )
        warnings.showwarning = self._take_warning  # type: ignore[assignment]
        warnings.simplefilter("always")
        qInstallMessageHandler(self._take_qt)
        logging.getLogger().addHandler(self)
        try:
            yield
        finally:
            logging.getLogger().removeHandler(self)
            qInstallMessageHandler(None)
            sys.excepthook, threading.excepthook, sys.unraisablehook, warnings.showwarning = before

    def _take_warning(
        self, message: Warning, category: type[Warning], place: str, line: int, *_: object
    ) -> None:
        self.note(f"{category.__name__}: {message} ({place}:{line})")

    def _take_qt(self, kind: QtMsgType, _context: object, message: str) -> None:
        told = kind not in (QtMsgType.QtDebugMsg, QtMsgType.QtInfoMsg)
        if told and not any(part in message for part in _HARMLESS):
            self.note(f"{kind.name}: {message}")

    def _read_log(self) -> None:
        """Look for bugs that were reported: tasks write their traceback to the log file."""
        log = log_path()
        size = log.stat().st_size if log.exists() else 0
        if size < self._read:
            self._read = 0  # begun anew
        if size > self._read:
            with log.open("rb") as stream:
                stream.seek(self._read)
                text = stream.read(size - self._read).decode("utf-8", errors="replace")
            self._read = size
            if _TRACE in text:
                self.note(f"in the log file: {text[text.index(_TRACE) :]}")


def _trace(
    kind: type[BaseException], error: BaseException | None, trace: TracebackType | None
) -> str:
    return "".join(traceback.format_exception(kind, error, trace)).strip()


class Pulse:
    """Notes the longest time between two turns of the event loop."""

    def __init__(self) -> None:
        self._longest_s = 0.0
        self._last = time.perf_counter()
        self._timer = QTimer()
        self._timer.timeout.connect(self._beat)
        self._timer.start(_BEAT_MS)

    def skip(self) -> None:
        """Leave out what went before: the monkey looked at the window."""
        self._last = time.perf_counter()
        self._longest_s = 0.0

    def longest_ms(self) -> float:
        """Return the longest gap since `skip`, the one that lasts included."""
        self._beat()
        return 1e3 * self._longest_s

    def _beat(self) -> None:
        now = time.perf_counter()
        self._longest_s = max(self._longest_s, now - self._last)
        self._last = now


@dataclass(frozen=True)
class Held:
    """What the process holds on to; ``objects`` are widgets and whatever else Qt knows of."""

    resident_mb: float
    windows: int
    objects: int
    threads: int
    files: int
    studies: int
    kinds: Counter[str] = field(default_factory=Counter, compare=False, repr=False)

    def grown(self, before: Held) -> list[str]:
        """Return the names of the counts that grew; memory is judged apart."""
        names = ("windows", "objects", "threads", "files", "studies")
        return [
            f"{name}: {getattr(before, name)} to {getattr(self, name)}"
            for name in names
            if getattr(self, name) > getattr(before, name)
        ] + [f"{name}: {more} more" for name, more in (self.kinds - before.kinds).items()]


def resident_mb() -> float:
    """Return the memory that is in use and in the machine."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def way_out(one: object) -> str:
    """Return the shortest way from an object over what keeps it to a module or out of Python."""
    found, kept_by = [one], {id(one): 0}
    keepers: list[object] = []
    own = {id(found), id(keepers)}
    for kept in found:
        keepers[:] = [
            keeper
            for keeper in gc.get_referrers(kept)
            if id(keeper) not in own and not isinstance(keeper, FrameType | ModuleType)
        ]
        in_module = isinstance(kept, dict) and "__builtins__" in kept
        if not keepers or in_module or len(found) > _MOST_HOLDERS:
            return " < ".join(_names(found, kept_by, kept))
        for keeper in keepers:
            if id(keeper) not in kept_by:
                kept_by[id(keeper)] = id(kept)
                found.append(keeper)
    return "only itself"


def _names(found: list[object], kept_by: dict[int, int], end: object) -> list[str]:
    by_id = {id(one): one for one in found}
    names, at = [], id(end)
    while at:
        one = by_id[at]
        keys = sorted(map(str, one))[:6] if isinstance(one, dict) else ""
        names.append(f"{type(one).__name__}{keys}")
        at = kept_by[at]
    return names[::-1]


def held() -> Held:
    """Count after everything that can go has gone; ``studies`` are sessions and their pictures."""
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    tops = QApplication.topLevelWidgets()
    roots = [top for top in tops if top.parent() is None]
    found = [one for root in roots for one in (root, *root.findChildren(QObject))]
    kinds = Counter(type(one).__name__ for one in found)
    for pool in _POOLS:
        del kinds[pool]
    return Held(
        resident_mb=resident_mb(),
        windows=sum(isinstance(top, MainWindow) for top in tops),
        objects=kinds.total(),
        threads=len(threading.enumerate()),
        files=len(os.listdir("/proc/self/fd")),
        studies=sum(isinstance(one, (Session, FramePictures)) for one in gc.get_objects()),
        kinds=kinds,
    )
