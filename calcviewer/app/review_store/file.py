"""The file of a review: an append-only log in SQLite. Only this module knows its tables."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
import stat
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from calcviewer import __version__
from calcviewer.app.review_store.encoding import Changes, annotation_bytes, annotation_of
from calcviewer.app.review_store.log import Entry, Kind
from calcviewer.core.annotation import FrameAnnotation
from calcviewer.core.errors import CalcViewerError, CalibrationError
from calcviewer.core.from_json import parsed, value_of
from calcviewer.core.geometry import CartesianGrid, Grid, PolarGrid
from calcviewer.core.pullback import check_scale
from calcviewer.core.scratch import scratch_folder
from calcviewer.core.study import REVIEW_SUFFIX

Stamp = tuple[tuple[int, int], ...]
VERSION = 1
_APPLICATION_ID = 0x43565257  # "CVRW": what the file says it is, at byte 68
_SNAPSHOT_TRIES = 5
_SMALLEST_BYTES = 1 << 20
_TABLES = (
    "CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    "CREATE TABLE steps (sequence INTEGER PRIMARY KEY, kind TEXT NOT NULL, label TEXT NOT NULL,"
    " who TEXT NOT NULL, at TEXT NOT NULL, model TEXT NOT NULL, frames TEXT NOT NULL,"
    " changes TEXT NOT NULL, grid TEXT NOT NULL, checksum INTEGER NOT NULL)",
    "CREATE TABLE annotations (sequence INTEGER NOT NULL, frame INTEGER NOT NULL, annotation BLOB,"
    " PRIMARY KEY (sequence, frame))",
)


class UnusableReviewError(CalcViewerError):
    """A file in the place of a review that is damaged, foreign, or of a newer version."""


class ReviewConflictError(CalcViewerError):
    """A review file that holds other steps than those that were written or read."""


@dataclass(frozen=True, eq=False)
class StoredReview:
    """What a review file holds: the identity of its pullback, and the log."""

    source: str
    entries: tuple[Entry, ...]


def read_review_file(path: Path) -> StoredReview:
    """Read a review without touching its file, also while another process writes to it.

    Raises
    ------
    UnusableReviewError
        When it is damaged, foreign, or was written by a newer version.
    OSError
        When it cannot be read.
    """
    with scratch_folder() as folder:
        copy = _snapshot(path, folder)
        try:
            with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
                # A damaged length makes no room for more than the file can hold.
                connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _size_bytes(copy))
                return _read(connection, path)
        except sqlite3.Error as error:
            raise _damaged(path, str(error)) from error
        except (ValueError, KeyError, TypeError, CalibrationError) as error:
            raise _damaged(path, f"{type(error).__name__}: {error}") from error


def file_stamp(path: Path) -> Stamp:
    """Return what changes whenever a review file does: times and sizes; empty without a file."""
    stamp = []
    for file in (path, _beside(path, "-wal")):
        with contextlib.suppress(OSError):
            known = file.stat()
            stamp.append((known.st_mtime_ns, known.st_size))
    return tuple(stamp)


def _snapshot(path: Path, folder: Path) -> Path:
    """Copy file and write-ahead log as they were at one moment."""
    log, copy = _beside(path, "-wal"), folder / "review"
    copied_log = _beside(copy, "-wal")
    for _ in range(_SNAPSHOT_TRIES):
        before = file_stamp(path)
        shutil.copyfile(path, copy)
        copied_log.unlink(missing_ok=True)
        with contextlib.suppress(FileNotFoundError):
            shutil.copyfile(log, copied_log)
        if file_stamp(path) == before:
            break
    return copy


def _size_bytes(path: Path) -> int:
    """Return the size of a file and its write-ahead log, at least that of some pages."""
    return _SMALLEST_BYTES + sum(size for _, size in file_stamp(path))


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _read(connection: sqlite3.Connection, path: Path) -> StoredReview:
    if not _is_made(connection, path):
        return StoredReview("", ())
    (fault,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if fault != "ok":
        raise _damaged(path, fault)
    (source,) = connection.execute("SELECT value FROM about WHERE name = 'source'").fetchone()
    edits: dict[int, dict[int, bytes | None]] = {}
    for sequence, frame, stored in connection.execute("SELECT * FROM annotations ORDER BY 1, 2"):
        edits.setdefault(sequence, {})[frame] = stored
    entries = []
    rows = connection.execute("SELECT * FROM steps ORDER BY sequence")
    for number, (sequence, *row, checksum) in enumerate(rows, start=1):
        stored_edits = edits.pop(sequence, {})
        if sequence != number or checksum != _checksum(row, stored_edits):
            raise _damaged(path, f"step {number} is not as it was written")
        entries.append(_entry(row, stored_edits))
    return StoredReview(source, tuple(entries))


def _entry(row: Sequence[Any], stored_edits: dict[int, bytes | None]) -> Entry:
    kind, label, who, when, model, frames, others, grid = row
    edits: dict[int, FrameAnnotation | None] = {
        frame: None if stored is None else annotation_of(stored)
        for frame, stored in stored_edits.items()
    }
    return Entry(
        kind=Kind(kind),
        label=label,
        who=who,
        when=_time_of(when),
        model=model,
        frames=value_of(tuple[int, ...], parsed(frames), "frames"),
        changes=Changes(edits, value_of(Mapping[str, object], parsed(others), "changes")),
        grid=_grid(parsed(grid)),
    )


def _grid(stored: object) -> Grid:
    grid: Grid = value_of(PolarGrid | CartesianGrid, stored, "grid")
    spacing_mm = grid.sample_spacing_mm if isinstance(grid, PolarGrid) else grid.pixel_spacing_mm
    check_scale("its scale", spacing_mm)
    return grid


def _time_of(when: str) -> str:
    """Return a time after checking that it can be compared with others."""
    datetime.fromisoformat(when).timestamp()
    return when


def _is_made(connection: sqlite3.Connection, path: Path) -> bool:
    """Return whether the file holds a review; False when it is still empty."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if not tables and application in (0, _APPLICATION_ID):
        return False
    if application != _APPLICATION_ID:
        raise UnusableReviewError(f"{path} is no review of CalcViewer.", "It was left as it is.")
    if version > VERSION:
        raise UnusableReviewError(
            f"{path} was written by a newer version of CalcViewer.",
            "It was left as it is. Update CalcViewer to open it.",
        )
    return True


def _damaged(path: Path, reason: str) -> UnusableReviewError:
    return UnusableReviewError(f"{path} is damaged ({reason}).", "It was left as it is.")


def _checksum(row: Sequence[Any], stored_edits: dict[int, bytes | None]) -> int:
    """Return the CRC-32 of a step with its annotations, for what SQLite does not check."""
    value = zlib.crc32(json.dumps(list(row)).encode())
    for frame in sorted(stored_edits):
        stored = stored_edits[frame]
        value = zlib.crc32(b"-" if stored is None else stored, zlib.crc32(b"%d" % frame, value))
    return value


class ReviewFile:
    """A review file that is open for writing: entries go to its end, each whole or not at all."""

    def __init__(self, path: Path, source: str) -> None:
        """Open the file, making it where there is none.

        Raises
        ------
        sqlite3.Error, OSError
            When that cannot be done now.
        UnusableReviewError
            When something else is in its place.
        """
        # The folder is looked at first: SQLite would only say "unable to open".
        path.parent.stat()
        _make_for_readers_of_pullback(path)
        self._path = path
        self._connection = sqlite3.connect(
            path, timeout=1.0, isolation_level=None, check_same_thread=False
        )
        try:
            self._made = _is_made(self._connection, path)
            self._connection.execute("PRAGMA journal_mode = WAL").fetchone()
            self._connection.execute("PRAGMA synchronous = FULL")
            self._source = source
            self._place = os.stat(path)
        except BaseException:
            self._connection.close()
            raise

    @property
    def in_place(self) -> bool:
        """Whether what is written is still found under the path."""
        try:
            return os.path.samestat(os.stat(self._path), self._place)
        except OSError:
            return False

    def count(self, entries: Sequence[Entry]) -> int:
        """Return how many of the entries the file holds already.

        Raises
        ------
        ReviewConflictError
            When it holds others.
        """
        if not self._made:
            return 0
        rows = self._connection.execute("SELECT label, at FROM steps ORDER BY sequence").fetchall()
        known = [(entry.label, entry.when) for entry in entries[: len(rows)]]
        (source,) = self._connection.execute(
            "SELECT value FROM about WHERE name = 'source'"
        ).fetchone()
        if rows != known or source != self._source:
            raise ReviewConflictError(f"{self._path} was changed by somebody else meanwhile.")
        return len(rows)

    def append(self, number: int, entry: Entry) -> None:
        """Write one entry, on disk when this returns.

        Parameters
        ----------
        number
            Its place in the log, from 1.

        Raises
        ------
        sqlite3.Error
            When it cannot be written; the file is as it was.
        """
        stored_edits = {
            frame: None if annotation is None else annotation_bytes(annotation)
            for frame, annotation in entry.changes.edits.items()
        }
        row = _row(entry)
        values = (number, *row, _checksum(row, stored_edits))
        run = self._connection.execute
        run("BEGIN IMMEDIATE")
        try:
            if not self._made:
                self._make()
            run("INSERT INTO steps VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
            self._connection.executemany(
                "INSERT INTO annotations VALUES (?, ?, ?)",
                ((number, frame, stored) for frame, stored in stored_edits.items()),
            )
            run("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                run("ROLLBACK")
            raise
        self._made = True

    def close(self) -> None:
        """Close the file; what it holds is in one file then, without a write-ahead log."""
        self._connection.close()

    def _make(self) -> None:
        for statement in _TABLES:
            self._connection.execute(statement)
        self._connection.executemany("INSERT INTO about VALUES (?, ?)", _about(self._source))
        self._connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
        self._connection.execute(f"PRAGMA user_version = {VERSION}")


def _make_for_readers_of_pullback(path: Path) -> None:
    """Make a review file beside a pullback, for those alone who may read the pullback.

    SQLite gives the files that it puts beside it the same rights.
    """
    pullback = path.with_name(path.name.removesuffix(REVIEW_SUFFIX))
    with contextlib.suppress(OSError):  # there is no such pullback, or a review already
        readers = pullback.stat().st_mode
        group = 0o060 if readers & stat.S_IRGRP else 0
        others = 0o006 if readers & stat.S_IROTH else 0
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600 | group | others))


def _about(source: str) -> Iterator[tuple[str, str]]:
    yield "source", source
    yield "written by", f"CalcViewer {__version__}"


def _row(entry: Entry) -> list[Any]:
    return [
        entry.kind.value,
        entry.label,
        entry.who,
        entry.when,
        entry.model,
        json.dumps(entry.frames),
        json.dumps(entry.changes.others, separators=(",", ":")),
        json.dumps(asdict(entry.grid), separators=(",", ":")),
    ]
