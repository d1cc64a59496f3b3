"""Cohorts of pullbacks so small that a test can analyse them, and marks that nobody worked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from calcviewer.app.cohort.finished import Finished, Source, Summary
from calcviewer.app.cohort.found import Member
from calcviewer.app.cohort.order import CohortOptions, Settings
from calcviewer.app.cohort.result import Result
from calcviewer.app.cohort.work import Work
from calcviewer.app.simulate import write_pullback


def pullback(folder: Path, *, seed: int = 4, frames: int = 1) -> Path:
    """Simulate a pullback and return its file."""
    write_pullback(folder, seed=seed, frames=frames, a_lines=120, samples=240)
    return folder / "pullback.dcm"


def work_in(folder: Path) -> Work:
    options = CohortOptions()
    return Work(folder=folder, options=options, settings=Settings.of(options).mark)


def lesion(**values: float | None) -> dict[str, int | float | None]:
    usual = {
        "first_frame": 1,
        "last_frame": 20,
        "length_mm": 4.0,
        "max_arc_deg_visible": 100.0,
        "max_arc_deg_bridged": 120.0,
        "max_thickness_mm": 0.6,
        "score_visible": 1,
        "score_bridged": 1,
        "score": 1,
    }
    return {**usual, **values}


def finished(*lesions: dict[str, int | float | None], **about: Any) -> Finished:
    usual = {
        "frames": 54,
        "failed_frames": 0,
        "simulated": False,
        "missing": (),
        "most_severe": 0 if lesions else None,
    }
    summary = Summary(**{**usual, "lesions": lesions, **about})
    source = Source("stamp", "content")
    return Finished(settings="mark", source=source, files={}, seconds=12.5, summary=summary)


def result(name: str, mark: Finished | None = None, failure: str = "") -> Result:
    return Result(Member(name, Path("/private/Rook^Ada") / name), mark, failure)
