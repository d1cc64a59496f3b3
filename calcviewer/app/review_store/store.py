"""Keeps a review: every finished step goes to disk at once, on a thread of its own."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import shutil
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from calcviewer.app.review import now, operator_name
from calcviewer.app.review_store.encoding import decides
from calcviewer.app.review_store.file import ReviewConflictError, ReviewFile, UnusableReviewError
from calcviewer.app.review_store.lock import Holder, ReviewLock, take_lock
from calcviewer.app.review_store.log import (
    Entry,
    HistoryRow,
    entry_of,
    frame_history,
    history_csv,
    start_entry,
)
from calcviewer.app.review_store.place import data_folder, lock_path, numbered
from calcviewer.app.review_store.search import FoundReview, find_review
from calcviewer.app.session import Finished, IvoctStudy, Session
from calcviewer.core.errors import CalcViewerError
from calcviewer.core.private import private_folder

_LOG = logging.getLogger(__name__)
PATIENCE_S = 0.25
RETRY_S = 5.0
_CLOSE_S = 5.0
_TRIED_NAMES = 100
_FULL_BELOW_BYTES = 1 << 16
_NOT_WRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS)
_FULL = (errno.ENOSPC, errno.EDQUOT)
_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)


class Saving(Enum):
    """How it stands with what was decided."""

    NOTHING = "nothing to save"
    RUNNING = "saving"
    DONE = "saved"
    FAILED = "not saved"
    READ_ONLY = "read-only"


@dataclass(frozen=True)
class SaveState:
    """What is to be said about saving.

    Parameters
    ----------
    when
        ISO 8601 time of the last step that was saved; empty before the first.
    waiting
        How many steps are kept in memory only.
    reason
        Why they could not be saved.
    holder
        Who has the review open for writing, while it is read-only here.
    """

    saving: Saving
    when: str = ""
    waiting: int = 0
    reason: str = ""
    holder: Holder | None = None


def _silent() -> None:
    """Tell nobody."""


class ReviewStore:
    """The review of one study on disk.

    A step is written by a thread. `record` waits until it is on disk, but no longer than
    `PATIENCE_S`, so that a disk that hangs does not stall the window. What cannot be written is
    kept, tried again, and written as a whole when that is possible.
    """

    def __init__(self, found: FoundReview) -> None:
        self._source = found.source
        self._entries = list(found.entries)
        self._kept = self._saved = len(found.entries)
        self._tried = self._saved
        self._notes = list(found.notes)
        self._history = found.history
        self._told = _silent
        self._file: ReviewFile | None = None
        self._lock: ReviewLock | None = None
        self._holder: Holder | None = None
        self._reason = ""
        self._urgent = self._closing = False
        self._thread: threading.Thread | None = None
        self._turn = threading.Condition()
        self._path, self._last_resort = found.paths[0], found.paths[-1]
        self._hold()

    def follow(self, session: Session) -> None:
        """Put what is stored in force in a session, and record its steps from now on."""
        if self._entries:
            session.resume(self._history)
        elif decides(session.study.review):
            self._add(start_entry(session.study, who=operator_name(), when=now()))
        if self._holder is None:
            session.keep(self.record)

    def subscribe(self, told: Callable[[], None]) -> None:
        """Call ``told``, on any thread, when `state` is another one."""
        self._told = told

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    @property
    def holder(self) -> Holder | None:
        """Who has the review open for writing; None when it is written here."""
        return self._holder

    @property
    def state(self) -> SaveState:
        """How it stands with saving."""
        with self._turn:
            waiting = len(self._entries) - self._saved
            when = self._entries[self._saved - 1].when if self._saved else ""
            if self._holder is not None:
                return SaveState(Saving.READ_ONLY, when, holder=self._holder)
            if self._reason and waiting:
                return SaveState(Saving.FAILED, when, waiting, self._reason)
            if waiting:
                return SaveState(Saving.RUNNING, when, waiting)
            return SaveState(Saving.DONE if self._entries else Saving.NOTHING, when)

    def take_notes(self) -> tuple[str, ...]:
        """Return what the operator is to know and was not told yet."""
        with self._turn:
            notes, self._notes = tuple(self._notes), []
            return notes

    def history(self, frame: int) -> tuple[HistoryRow, ...]:
        """Return what was done about a frame (0-based), the oldest first."""
        return frame_history(tuple(self._entries), frame)

    def history_csv(self) -> str:
        """Return everything that was done, as CSV."""
        return history_csv(tuple(self._entries))

    def record(self, finished: Finished) -> None:
        """Keep a finished step; on disk when this returns, unless `state` says otherwise."""
        self._add(entry_of(finished, who=operator_name(), when=now()))

    def flush(self) -> int:
        """Write what waits; returns how many steps could not be saved.

        Where the review cannot be written in its place, it goes to the user's data folder.
        """
        with self._turn:
            if self._saved < len(self._entries) and self._thread is not None:
                self._urgent = True
                self._turn.notify_all()
                self._turn.wait_for(lambda: not self._urgent, _CLOSE_S)
            return len(self._entries) - self._saved

    def close(self) -> int:
        """Write what waits as `flush` does, and let go of the file."""
        waiting = self.flush()
        with self._turn:
            self._closing = True
            self._turn.notify_all()
        if self._thread is not None:
            self._thread.join(_CLOSE_S)
        else:
            self._let_go()
        return waiting

    # Opening ----------------------------------------------------------------------------------

    def _hold(self) -> None:
        """Take the lock of the first path that can be written to."""
        for path in dict.fromkeys((self._path, self._last_resort)):
            if path.exists() and not os.access(path, os.W_OK):
                continue
            try:
                self._holder = self._take_lock(path)
            except OSError as error:
                _LOG.warning("the review is not locked: %s", error.strerror)
                if error.errno not in _FULL:
                    continue
            self._go_to(path)
            return
        self._reason = "its folder is read-only"

    def _take_lock(self, path: Path) -> Holder | None:
        """Take the lock of a path, or return who has it."""
        if path.parent == data_folder():
            private_folder(path.parent)
        self._release()
        try:
            taken = take_lock(lock_path(path))
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
            # Steps of another window are noticed all the same, when the next one is written.
            _LOG.warning("there are no locks in the place of the review: %s", error.strerror)
            return None
        if isinstance(taken, Holder):
            return taken
        self._lock = taken
        return None

    def _go_to(self, path: Path) -> None:
        """Write to a path from now on: the whole log when it is not the one that was read."""
        if path != self._path:
            self._path, self._kept = path, 0

    # Writing ----------------------------------------------------------------------------------

    def _add(self, entry: Entry) -> None:
        with self._turn:
            if self._closing or self._holder is not None:
                return
            self._entries.append(entry)
            wanted = len(self._entries)
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._work, name="calcviewer-review", daemon=True
                )
                self._thread.start()
            self._turn.notify_all()
            if not self._reason:
                self._turn.wait_for(lambda: self._tried >= wanted, PATIENCE_S)
        self._told()

    def _work(self) -> None:
        """Write what comes until the store is closed."""
        while not self._closing:
            with self._turn:
                pause = RETRY_S if self._saved < len(self._entries) else None
                self._turn.wait_for(self._is_wanted, pause)
            self._write()
            if self._urgent:
                self._rescue()
        self._let_go()

    def _is_wanted(self) -> bool:
        return self._closing or self._urgent or self._tried < len(self._entries)

    def _rescue(self) -> None:
        """Write to the last resort what could not be written in its place."""
        place = self._path
        if self._saved < len(self._entries) and place != self._last_resort:
            self._let_go()
            self._go_to(self._last_resort)
            self._write()
            if self._saved < len(self._entries):
                self._go_to(place)
        with self._turn:
            self._urgent = False
            self._turn.notify_all()

    def _write(self) -> None:
        """Write every step that is not on disk yet, and tell how that went."""
        before, wanted, reason = self.state, len(self._entries), ""
        try:
            self._write_to_file()
        except (sqlite3.Error, OSError, CalcViewerError) as error:
            reason = _reason(error, self._path.parent)
            _LOG.warning("the review was not saved: %s", type(error).__name__)
            self._close_file()
        except Exception as error:  # a bug must not end the thread that keeps the operator's work
            reason = f"{type(error).__name__}: {error}"
            _LOG.exception("the review was not saved")
            self._close_file()
        with self._turn:
            self._reason, self._tried = reason, wanted
            self._turn.notify_all()
        if self.state != before:
            self._told()

    def _write_to_file(self) -> None:
        if self._file is not None and not self._file.in_place:
            self._close_file()
            with self._turn:
                self._saved = 0
        file = self._file or self._open()
        while self._kept < len(self._entries):
            file.append(self._kept + 1, self._entries[self._kept])
            with self._turn:
                self._kept += 1
                self._saved = max(self._saved, self._kept)

    def _open(self) -> ReviewFile:
        """Open the file; where another one took its place, one with the next free number."""
        wanted = self._path
        for number in range(1, _TRIED_NAMES):
            path = numbered(wanted, number)
            try:
                if self._lock is None or path != self._path or not self._lock.in_place:
                    holder = self._take_lock(path)
                    if holder is not None:
                        raise ReviewConflictError(f"{path} is open in another window.")
                self._go_to(path)
                self._file = ReviewFile(path, self._source)
                self._kept = self._file.count(self._entries)
                return self._file
            except (UnusableReviewError, ReviewConflictError) as error:
                self._close_file()
                with self._turn:
                    self._notes.append(f"{error} The review goes on beside it.")
        raise ReviewConflictError(f"There is no free name beside {wanted}.")

    def _close_file(self) -> None:
        if self._file is not None:
            file, self._file = self._file, None
            with contextlib.suppress(sqlite3.Error):
                file.close()

    def _release(self) -> None:
        if self._lock is not None:
            lock, self._lock = self._lock, None
            lock.release()

    def _let_go(self) -> None:
        self._close_file()
        self._release()


def open_review(study: IvoctStudy, found: FoundReview | None = None) -> ReviewStore:
    """Open the review of a study for writing; read-only while another window has it.

    Parameters
    ----------
    found
        What was found on another thread; looked for again when it has changed since.
    """
    store = ReviewStore(found or find_review(study.pullback))
    if found is None or not found.is_stale:
        return store
    store.close()
    return ReviewStore(find_review(study.pullback))


def _reason(error: Exception, folder: Path) -> str:
    """Return why a review could not be written, in words."""
    if isinstance(error, CalcViewerError):
        return error.message
    if not folder.is_dir():
        return "its folder is not there"
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    full = code == sqlite3.SQLITE_FULL or getattr(error, "errno", 0) in _FULL
    if full or _free_bytes(folder) < _FULL_BELOW_BYTES:
        return "the disk is full"
    if code == sqlite3.SQLITE_READONLY or getattr(error, "errno", 0) in _NOT_WRITABLE:
        return "its folder is read-only"
    return str(error)


def _free_bytes(folder: Path) -> int:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return _FULL_BELOW_BYTES
