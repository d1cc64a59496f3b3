"""What is known of the pullbacks of a cohort, as tables and for programs.

Neither names a path or anything of a DICOM header: a pullback goes by its name in the cohort.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from io import StringIO
from pathlib import Path
from typing import Any

from calcviewer.app.analysis_file import NOTICE
from calcviewer.app.cohort.finished import Finished
from calcviewer.app.cohort.found import Member
from calcviewer.core.atomic import staged_file

COHORT_TABLE, LESIONS_TABLE = "cohort.csv", "lesions.csv"
_OF_MOST_SEVERE = (
    "score",
    "score_visible",
    "score_bridged",
    "max_arc_deg_visible",
    "max_arc_deg_bridged",
    "max_thickness_mm",
    "length_mm",
)
_FORMAT, _VERSION = "calcviewer-cohort-results", 1

Value = int | float | str | None


class Status(Enum):
    """How far a pullback is."""

    FINISHED = "finished"
    FAILED = "failed"
    OPEN = "open"


@dataclass(frozen=True)
class Result:
    """What is known of one pullback.

    Parameters
    ----------
    finished
        Its mark; None when it is not finished.
    failure
        Why its last attempt failed.
    """

    member: Member
    finished: Finished | None = None
    failure: str = ""

    @property
    def status(self) -> Status:
        """How far it is."""
        if self.finished is not None:
            return Status.FINISHED
        return Status.FAILED if self.failure else Status.OPEN


def total_length_mm(finished: Finished) -> float | None:
    """Return the length of all lesions together; None when one of them is unknown."""
    lengths = [lesion["length_mm"] for lesion in finished.summary.lesions]
    known = [length for length in lengths if length is not None]
    return sum(known) if len(known) == len(lengths) else None


def cohort_row(result: Result) -> dict[str, Value]:
    """Return the row of a pullback; the measurements are those of its most severe lesion."""
    finished = result.finished
    row: dict[str, Value] = {
        "pullback": result.member.name,
        "status": result.status.value,
        "reason": result.failure,
        **dict.fromkeys(("frames", "failed_frames", "lesions", "calcium_length_mm", "lesion")),
        **dict.fromkeys(_OF_MOST_SEVERE),
        "unknown": "",
        "seconds": None,
    }
    if finished is None:
        return row
    summary = finished.summary
    row |= {
        "frames": summary.frames,
        "failed_frames": summary.failed_frames,
        "lesions": len(summary.lesions),
        "calcium_length_mm": total_length_mm(finished),
        "unknown": ", ".join(summary.missing),
        "seconds": finished.seconds,
    }
    if summary.most_severe is not None:
        lesion = summary.lesions[summary.most_severe]
        row["lesion"] = summary.most_severe + 1
        row |= {concept: lesion[concept] for concept in _OF_MOST_SEVERE}
    return row


def lesion_rows_of(result: Result) -> list[dict[str, Value]]:
    """Return a row for every lesion of a pullback."""
    lesions = result.finished.summary.lesions if result.finished else ()
    name = result.member.name
    return [
        {"pullback": name, "lesion": number, **lesion}
        for number, lesion in enumerate(lesions, start=1)
    ]


def write_tables(folder: Path, results: Sequence[Result]) -> None:
    """Write ``cohort.csv``, one row a pullback, and ``lesions.csv``, one row a lesion.

    Raises
    ------
    CalcViewerError
        When they cannot be written.
    """
    lesions = [row for result in results for row in lesion_rows_of(result)]
    tables = {COHORT_TABLE: [cohort_row(result) for result in results], LESIONS_TABLE: lesions}
    for name, rows in tables.items():
        with staged_file(folder / name) as stage:
            stage.write_text(_csv(rows), encoding="utf-8", newline="")


def cohort_document(results: Sequence[Result]) -> dict[str, Any]:
    """Return the results for programs; the layout is in docs/cohort.md."""
    pullbacks = [{**cohort_row(one), "lesions": lesion_rows_of(one)} for one in results]
    return {"format": _FORMAT, "version": _VERSION, "notice": NOTICE, "pullbacks": pullbacks}


def _csv(rows: Iterable[dict[str, Value]]) -> str:
    stream = StringIO()
    writer = csv.writer(stream)
    for number, row in enumerate(rows):
        if number == 0:
            writer.writerow(row)
        writer.writerow([_cell(value) for value in row.values()])
    return stream.getvalue()


def _cell(value: Value) -> str:
    return f"{value:.6g}" if isinstance(value, float) else "" if value is None else str(value)
