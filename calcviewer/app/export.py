"""What leaves the program as files: report, tables, data, pictures; each whole or not at all."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any

import platformdirs

from calcviewer.app.analysis_file import (
    analysis_document,
    write_frames_csv,
    write_json,
    write_lesions_csv,
)
from calcviewer.app.lesion_report.content import build_report
from calcviewer.app.measured_error import measured_error
from calcviewer.app.results import Results
from calcviewer.app.session import IvoctStudy
from calcviewer.core.atomic import staged_file
from calcviewer.core.errors import CalcViewerError
from calcviewer.report.pdf import PageSize, render_report

PAGE_SIZES: tuple[PageSize, ...] = ("A4", "letter")
SPEEDS = (5, 10, 20)
"""Frames a second of an animation."""
_NAME_CHARACTERS = 80


class ExportKind(Enum):
    """What can be exported."""

    PDF = "pdf"
    CSV = "csv"
    JSON = "json"
    PNG = "png"
    GIF = "gif"


@dataclass(frozen=True, kw_only=True)
class ExportChoices:
    """What the operator chose last; ``folder`` is empty before the first export."""

    folder: str = ""
    kind: str = ExportKind.PDF.value
    page_size: PageSize = "A4"
    overlay: bool = True
    speed: int = 10


# --- writing -------------------------------------------------------------------------------------


def report_bytes(study: IvoctStudy, results: Results, *, page_size: PageSize) -> bytes:
    """Return the report as a PDF; reads every frame of the pullback once."""
    content = build_report(study, results, error=measured_error(study.model))
    return render_report(content, page_size=page_size)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file and read it back.

    Raises
    ------
    CalcViewerError
        When it cannot be written, or is damaged on the way.
    """
    with staged_file(path) as stage:
        stage.write_bytes(content)
        if stage.read_bytes() != content:
            raise CalcViewerError(
                f"{path.name} was damaged while it was written.", "Export it to another disk."
            )


def write_tables(path: Path, results: Results) -> None:
    """Write the frames as CSV to a path, and the lesions beside it (see `table_paths`)."""
    frames, lesions = table_paths(path)
    with staged_file(frames) as frames_stage, staged_file(lesions) as lesions_stage:
        write_frames_csv(frames_stage, results)
        write_lesions_csv(lesions_stage, results)


def write_analysis(path: Path, study: IvoctStudy, results: Results) -> None:
    """Write everything measured as JSON."""
    with staged_file(path) as stage:
        write_json(stage, analysis_document(study, results))


def exported(
    kind: ExportKind, path: Path, study: IvoctStudy, results: Results, page_size: PageSize
) -> Iterator[Path]:
    """Write report, tables or data and yield every path written, for a task.

    Raises
    ------
    CalcViewerError
        When a file cannot be written.
    """
    if kind is ExportKind.PDF:
        write_bytes(path, report_bytes(study, results, page_size=page_size))
        yield path
    elif kind is ExportKind.CSV:
        write_tables(path, results)
        yield from table_paths(path)
    elif kind is ExportKind.JSON:
        write_analysis(path, study, results)
        yield path
    else:
        raise ValueError(f"{kind} is made from what is on screen")


# --- names ---------------------------------------------------------------------------------------


def table_paths(path: Path) -> tuple[Path, Path]:
    """Return the paths of both tables: of the frames, and of the lesions."""
    base = path.stem.removesuffix("-frames")
    return path.with_name(f"{base}-frames.csv"), path.with_name(f"{base}-lesions.csv")


def file_name(study: IvoctStudy, kind: ExportKind, what: str = "") -> str:
    """Return a name for an export of a study that every system can store.

    Parameters
    ----------
    what
        What a picture or animation shows, as "frame-110".
    """
    base = re.sub(r"[^\w.-]+", "-", study.pullback.name).strip("-.")[:_NAME_CHARACTERS]
    suffixes = {
        ExportKind.PDF: "report",
        ExportKind.CSV: "frames",
        ExportKind.JSON: "analysis",
    }
    return f"{base or 'pullback'}-{what or suffixes.get(kind, 'picture')}.{kind.value}"


# --- what was chosen last ------------------------------------------------------------------------


def choices_path() -> Path:
    """Return where the choices are kept."""
    return Path(platformdirs.user_config_dir("calcviewer")) / "export.json"


def load_choices() -> ExportChoices:
    """Return what was chosen last; a value that cannot be used falls back alone."""
    try:
        stored: Any = json.loads(choices_path().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ExportChoices()
    if not isinstance(stored, dict):
        return ExportChoices()
    choices = ExportChoices()
    allowed: dict[str, tuple[object, ...]] = {
        "kind": tuple(kind.value for kind in ExportKind),
        "page_size": PAGE_SIZES,
        "speed": SPEEDS,
    }
    for name, values in allowed.items():
        if stored.get(name) in values:
            choices = replace(choices, **{name: stored[name]})
    if isinstance(stored.get("overlay"), bool):
        choices = replace(choices, overlay=stored["overlay"])
    if isinstance(stored.get("folder"), str):
        choices = replace(choices, folder=stored["folder"])
    return choices


def save_choices(choices: ExportChoices) -> None:
    """Keep what was chosen; where that fails it is not remembered, and nothing else happens."""
    path = choices_path()
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with staged_file(path) as stage:
            stage.write_text(json.dumps(asdict(choices), indent=2), encoding="utf-8")
    except (OSError, CalcViewerError):
        return
