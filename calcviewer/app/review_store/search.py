"""Finds the review of a pullback among the places where it may lie."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from pathlib import Path

from calcviewer.app.review_store.file import (
    Stamp,
    StoredReview,
    UnusableReviewError,
    file_stamp,
    read_review_file,
)
from calcviewer.app.review_store.log import Entry, history_csv, on_grid, replayed
from calcviewer.app.review_store.place import numbered, places, source_identity
from calcviewer.app.session import History
from calcviewer.core.atomic import staged_file
from calcviewer.core.errors import CalcViewerError
from calcviewer.core.pullback import Pullback
from calcviewer.core.study import REVIEW_SUFFIX, Review
from calcviewer.modalities.ivoct.read import read_pullback


@dataclass(frozen=True, eq=False)
class FoundReview:
    """Where the review of a pullback is, or will be, and what it holds.

    Parameters
    ----------
    source
        Identity of the pullback.
    paths
        Where it is to be written, the preferred place first; all but the first come into
        question where that cannot be written to.
    entries, history
        The log, empty before the first step, and what it leads to.
    notes
        What the operator is to know about files that were passed over.
    stamp
        The state of the file when it was read.
    """

    source: str
    paths: tuple[Path, ...]
    entries: tuple[Entry, ...] = ()
    history: History = field(default_factory=lambda: History(Review()))
    notes: tuple[str, ...] = ()
    stamp: Stamp = ()

    @property
    def is_stale(self) -> bool:
        """Whether the file changed since it was read."""
        return file_stamp(self.paths[0]) != self.stamp


def find_review(pullback: Pullback) -> FoundReview:
    """Find the review of a pullback; of two, the one with the latest step.

    A file in its place that is damaged, belongs to another pullback or to a newer version of the
    program is passed over and left as it is; the review then has a number in its name.
    """
    source = source_identity(pullback)
    notes: list[str] = []
    begun: list[_Begun] = []
    free: list[Path] = []
    for place in places(pullback):
        for number in count(1):
            path = numbered(place, number)
            if not path.exists():
                free.append(path)
                break
            one = _begun(path, source, pullback, notes)
            if one is None:
                continue
            if not one.entries:
                free.append(path)
                break
            begun.append(one)
    if not begun:
        stamp = file_stamp(free[0])
        return FoundReview(source, tuple(free), notes=tuple(notes), stamp=stamp)
    latest = max(begun, key=lambda one: (_time(one.entries[-1]), len(one.entries)))
    paths = tuple(dict.fromkeys((latest.path, free[-1])))
    return FoundReview(
        source=source,
        paths=paths,
        entries=latest.entries,
        history=latest.history,
        notes=tuple(notes),
        stamp=latest.stamp,
    )


@dataclass(frozen=True, eq=False)
class _Begun:
    """A review that was begun."""

    path: Path
    entries: tuple[Entry, ...]
    history: History
    stamp: Stamp


def _begun(path: Path, source: str, pullback: Pullback, notes: list[str]) -> _Begun | None:
    """Read a review; None, with a note, when it cannot be used."""
    stamp = file_stamp(path)
    try:
        stored = read_review_file(path)
        if stored.entries and stored.source != source:
            notes.append(f"{path} belongs to another pullback. It was left as it is.")
            return None
        return _Begun(path, *log_on(stored, pullback, path), stamp)
    except CalcViewerError as error:
        notes.append(str(error))
    except OSError as error:
        notes.append(f"{path} cannot be read: {error.strerror}. It was left as it is.")
    return None


def log_on(
    stored: StoredReview, pullback: Pullback, path: Path
) -> tuple[tuple[Entry, ...], History]:
    """Return the log of a review as it lies on its pullback, and what it leads to.

    Raises
    ------
    CalcViewerError
        When its steps do not follow from one another, or do not fit the pullback.
    """
    try:
        entries = tuple(on_grid(entry, pullback.grid) for entry in stored.entries)
        history = replayed(entries)
        first, last = history.review.voi or (0, 0)
        if not 0 <= first <= last < pullback.frame_count:
            raise ValueError(f"its VOI is {first + 1} to {last + 1}")
    except (ValueError, KeyError, TypeError) as error:
        raise UnusableReviewError(
            f"{path} is damaged ({error}).", "It was left as it is."
        ) from error
    return entries, history


def _time(entry: Entry) -> float:
    return datetime.fromisoformat(entry.when).timestamp()


def review_entries(path: Path) -> tuple[Entry, ...]:
    """Return the log of a review, given the review's file or the pullback.

    Raises
    ------
    CalcViewerError
        When there is no review, or it cannot be read.
    """
    if REVIEW_SUFFIX in path.name:
        try:
            entries = read_review_file(path).entries
        except OSError as error:
            raise CalcViewerError(f"{path} cannot be read: {error.strerror}.") from error
    else:
        entries = find_review(read_pullback(path)).entries
    if not entries:
        raise CalcViewerError(f"{path} has no review.", "Nothing was edited or confirmed so far.")
    return entries


def write_history(path: Path, target: Path) -> None:
    """Write the log of a review as CSV, given the review's file or the pullback.

    Raises
    ------
    CalcViewerError
        When there is no review, it cannot be read, or ``target`` cannot be written.
    """
    text = history_csv(review_entries(path))
    with staged_file(target) as stage:
        stage.write_text(text, encoding="utf-8")
