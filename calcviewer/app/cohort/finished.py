"""A finished pullback: the mark that is written last, by which it is never analysed twice.

The mark says which source and settings the results were made of and how long their files are. A
process may be killed at any moment: without a mark that fits, the pullback is analysed anew.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from calcviewer.app.analysis_file import failed_frames, write_json
from calcviewer.app.cohort.found import may_count
from calcviewer.app.lesion_report.content import is_simulated
from calcviewer.app.results import most_severe
from calcviewer.app.workflows import Analysis
from calcviewer.core.atomic import staged_file
from calcviewer.core.from_json import parsed, record
from calcviewer.modalities.ivoct.measurements import lesion_rows

MARK_FILE = "finished.json"
_STAGES = ".calcviewer-*"


@dataclass(frozen=True)
class Source:
    """What tells the source of a pullback from a changed one: hashes over its files.

    Parameters
    ----------
    stamp
        Of names, sizes and times of change.
    content
        Of names and bytes.
    """

    stamp: str
    content: str


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What the tables and figures of a cohort say about a pullback.

    Parameters
    ----------
    missing
        Calibration values that are unknown, in words.
    lesions
        The measurements of every lesion by concept, in order along the pullback.
    most_severe
        Index of the most severe lesion; None when there is none.
    """

    frames: int
    failed_frames: int
    simulated: bool
    missing: tuple[str, ...]
    lesions: tuple[Mapping[str, int | float | None], ...]
    most_severe: int | None


@dataclass(frozen=True, kw_only=True)
class Finished:
    """The content of ``finished.json``.

    Parameters
    ----------
    settings
        The mark of the settings in force.
    files
        The size of every file of results, bytes.
    seconds
        How long it took.
    """

    format: Literal["calcviewer-cohort-finished"] = "calcviewer-cohort-finished"
    version: Literal[1] = 1
    settings: str
    source: Source
    files: Mapping[str, int]
    seconds: float
    summary: Summary


def summarise(analysis: Analysis) -> Summary:
    """Return what a cohort's tables say about an analysis."""
    lesions = analysis.results.lesions
    worst = most_severe(lesions)
    return Summary(
        frames=analysis.study.pullback.frame_count,
        failed_frames=len(failed_frames(analysis.study)),
        simulated=is_simulated(analysis.study),
        missing=analysis.study.calibration.missing(),
        lesions=tuple({row.concept: row.value for row in lesion_rows(one)} for one in lesions),
        most_severe=None if worst is None else lesions.index(worst),
    )


def source_of(path: Path) -> Source:
    """Return what identifies a source; it is read from end to end.

    Raises
    ------
    OSError
        When it cannot be read.
    """
    content = hashlib.sha256()
    for file in _files(path):
        content.update(f"{file.name}\0".encode())
        with file.open("rb") as stream:
            content.update(hashlib.file_digest(stream, "sha256").digest())
    return Source(stamp_of(path), content.hexdigest())


def stamp_of(path: Path) -> str:
    """Return a hash over names, sizes and times of change of a source's files."""
    states = [(file.name, file.stat()) for file in _files(path)]
    facts = [f"{name}\0{state.st_size}\0{state.st_mtime_ns}" for name, state in states]
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    return sorted(one for one in path.iterdir() if one.is_file() and may_count(one.name))


def read_finished(folder: Path, settings: str) -> Finished | None:
    """Return the mark of a folder of results; None when it is not finished with these settings.

    A mark that is damaged, or whose files are not all there in full, counts for nothing.
    """
    try:
        finished = record(Finished, parsed((folder / MARK_FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return None
    whole = finished.files.items() <= _sizes(folder).items()
    return finished if whole and finished.settings == settings else None


def is_of_source(finished: Finished, path: Path) -> bool:
    """Whether results were made of a source as it is now. A copy of it with new times counts."""
    try:
        unchanged = finished.source.stamp == stamp_of(path)
        return unchanged or finished.source.content == source_of(path).content
    except OSError:
        return False


def write_finished(
    folder: Path, *, settings: str, source: Source, seconds: float, summary: Summary
) -> Finished:
    """Mark a folder as finished, once everything in it is on the disk.

    Raises
    ------
    CalcViewerError, OSError
        When it cannot be written.
    """
    _to_disk(folder)
    finished = Finished(
        settings=settings,
        source=source,
        files=_sizes(folder),
        seconds=seconds,
        summary=summary,
    )
    with staged_file(folder / MARK_FILE) as stage:
        write_json(stage, asdict(finished))
    return finished


def discard_unfinished(folder: Path) -> None:
    """Remove what a killed process left half-written, and the folder when nothing else is in it.

    Only for who holds the lock of the pullback: others may be writing.
    """
    for stage in folder.glob(_STAGES):
        shutil.rmtree(stage, ignore_errors=True)
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def _sizes(folder: Path) -> dict[str, int]:
    return {
        one.name: one.stat().st_size
        for one in sorted(folder.iterdir())
        if one.is_file() and not one.name.startswith(".") and one.name != MARK_FILE
    }


def _to_disk(folder: Path) -> None:
    for one in folder.iterdir():
        if one.is_file():
            with one.open("rb+") as written:  # Windows syncs only what may be written to
                os.fsync(written.fileno())
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
