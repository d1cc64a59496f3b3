"""The log of a review: every finished step, who made it and when; replayed, the whole history."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from calcviewer.app.review_store.encoding import Changes, applied, changes_between, moved
from calcviewer.app.session import (
    Action,
    Finished,
    History,
    IvoctStudy,
    Step,
    decided_frames,
)
from calcviewer.core.geometry import Grid
from calcviewer.core.study import ModelReference, Review

_COLUMNS = ("step", "when", "who", "action", "what", "frames", "model")


class Kind(Enum):
    """What an entry of the log does.

    ``START`` is what the review held before it was kept; ``AMEND`` adds to the step before it.
    """

    START = "start"
    EDIT = "edit"
    AMEND = "amend"
    UNDO = "undo"
    REDO = "redo"


@dataclass(frozen=True, eq=False)
class Entry:
    """One finished step.

    Parameters
    ----------
    label
        What the step is called; of undo and redo, that of the step taken back or done again.
    who, when
        Account of the operator; ISO 8601 date and time with offset.
    model
        The network whose predictions were on screen: name, version and hash; empty without one.
    frames
        The frames (0-based) it is about; for a range its ends.
    changes
        What it changed; nothing for undo and redo, which follow from the steps before them.
    grid
        The grid of the pullback's own calibration, in whose mm the changes are.
    """

    kind: Kind
    label: str
    who: str
    when: str
    model: str
    frames: tuple[int, ...]
    changes: Changes
    grid: Grid


_NOTHING = Changes({}, {})
_CHANGING = (Kind.START, Kind.EDIT, Kind.AMEND)


def entry_of(finished: Finished, *, who: str, when: str) -> Entry:
    """Return the entry that records a finished step."""
    before, study = finished.before, finished.study
    edited = finished.action in (Action.EDIT, Action.AMEND)
    return Entry(
        kind=Kind(finished.action.value),
        label=finished.label,
        who=who,
        when=when,
        model=_model_text(study.model),
        frames=tuple(sorted(decided_frames(before, study.review))),
        changes=changes_between(before, study.review) if edited else _NOTHING,
        grid=study.pullback.grid,
    )


def start_entry(study: IvoctStudy, *, who: str, when: str) -> Entry:
    """Return the entry for what a review holds before its first step."""
    nothing, review = Review(), study.review
    return Entry(
        kind=Kind.START,
        label="start of the review",
        who=who,
        when=when,
        model="",
        frames=tuple(sorted(decided_frames(nothing, review))),
        changes=changes_between(nothing, review),
        grid=study.pullback.grid,
    )


def on_grid(entry: Entry, grid: Grid) -> Entry:
    """Return an entry as it lies on the pullback when its own calibration is read differently.

    Raises
    ------
    ValueError
        When the entry lies on frames of another shape.
    """
    if entry.grid == grid:
        return entry
    if type(entry.grid) is not type(grid) or entry.grid.shape != grid.shape:
        raise ValueError(f"“{entry.label}” lies on frames of another shape")
    return replace(entry, changes=moved(entry.changes, entry.grid, grid), grid=grid)


def replayed(entries: Iterable[Entry]) -> History:
    """Return what the entries lead to: the review with everything to undo and to redo.

    Raises
    ------
    ValueError, KeyError, TypeError
        When the entries do not follow from one another.
    """
    review = Review()
    past: list[Step] = []
    future: list[Step] = []
    for entry in entries:
        if entry.kind is Kind.EDIT:
            past.append(Step(entry.label, review))
            future.clear()
        if entry.kind in _CHANGING:
            review = applied(entry.changes, review)
            continue
        taken, given = (past, future) if entry.kind is Kind.UNDO else (future, past)
        if not taken:
            raise ValueError(f"nothing to {entry.kind.value} at “{entry.label}”")
        step = taken.pop()
        given.append(Step(step.label, review))
        review = step.review
    return History(review, tuple(past), tuple(future))


@dataclass(frozen=True)
class HistoryRow:
    """What happened once, for people to read."""

    who: str
    when: str
    what: str


def frame_history(entries: Iterable[Entry], frame: int) -> tuple[HistoryRow, ...]:
    """Return what was done about one frame (0-based), the oldest first."""
    return tuple(
        HistoryRow(entry.who, entry.when, what_happened(entry))
        for entry in entries
        if frame in entry.frames
    )


def what_happened(entry: Entry) -> str:
    """Return what an entry did, in words."""
    named = entry.kind in (Kind.START, Kind.EDIT)
    return entry.label if named else f"{_WORDS[entry.kind]}: {entry.label}"


_WORDS = {Kind.AMEND: "filled in", Kind.UNDO: "undo", Kind.REDO: "redo"}


def history_csv(entries: Sequence[Entry]) -> str:
    """Return the whole log as CSV, the oldest step first; frames are counted from 1."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for number, entry in enumerate(entries, start=1):
        frames = " ".join(str(frame + 1) for frame in entry.frames)
        kind = entry.kind.value
        writer.writerow((number, entry.when, entry.who, kind, entry.label, frames, entry.model))
    return text.getvalue()


def _model_text(model: ModelReference | None) -> str:
    return "" if model is None else f"{model.name} {model.version} {model.sha256}"
