"""What leaves the program as files: reports, tables, pictures, results for archives.

One export writes everything that was ordered, or nothing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from functools import cache, partial
from pathlib import Path
from types import MappingProxyType

from calcviewer.app.analysis_file import (
    analysis_document,
    write_frames_csv,
    write_json,
    write_lesions_csv,
)
from calcviewer.app.lesion_report.printed import nameless, report_bytes
from calcviewer.app.results import Results
from calcviewer.app.session import IvoctStudy
from calcviewer.core.atomic import staged_file, staged_folder, system_reason
from calcviewer.core.errors import CalcViewerError, UnreadableInputError
from calcviewer.core.pullback import CartesianLayout, Pullback
from calcviewer.report.pdf import PageSize

_NAME_CHARACTERS = 80


class ExportKind(Enum):
    """What can be exported."""

    PDF = "pdf"
    CSV = "csv"
    JSON = "json"
    PNG = "png"
    GIF = "gif"
    SEG = "seg"
    SR = "sr"
    DICOM_PDF = "dicom pdf"
    NIFTI = "nifti"


ARCHIVE = (ExportKind.SEG, ExportKind.SR, ExportKind.DICOM_PDF, ExportKind.NIFTI)
"""What archives and other programs read."""
SCREEN = (ExportKind.PNG, ExportKind.GIF)
"""What shows pictures as they are on screen."""
_ENDINGS: Mapping[ExportKind, tuple[str, ...]] = MappingProxyType(
    {
        ExportKind.PDF: ("-report.pdf",),
        ExportKind.CSV: ("-frames.csv", "-lesions.csv"),
        ExportKind.JSON: ("-analysis.json",),
        ExportKind.SEG: (".seg.dcm",),
        ExportKind.SR: (".sr.dcm",),
        ExportKind.DICOM_PDF: (".pdf.dcm",),
        ExportKind.NIFTI: (".nii.gz",),
    }
)

FileWriter = Callable[[Path], Iterator[float]]
"""Writes one file and yields how far it is, from 0 to 1."""


@dataclass(frozen=True, kw_only=True)
class ExportOrder:
    """What is to be written, and where.

    Parameters
    ----------
    folder
        Exists.
    base
        What all file names begin with; see `base_name`.
    deidentify
        Write files that name nobody: no names, numbers and dates, new identifiers.
    shows
        What the picture and the animation show, for their names, as ``"polar-frame-4"``.
    """

    kinds: frozenset[ExportKind]
    folder: Path
    base: str
    deidentify: bool
    page_size: PageSize = "A4"
    shows: Mapping[ExportKind, str] = field(default_factory=lambda: MappingProxyType({}))

    def paths(self, kind: ExportKind) -> tuple[Path, ...]:
        """Return the files that one kind of export is made of."""
        base = _storable(self.base) or "pullback"
        endings = _ENDINGS.get(kind) or (f"-{self.shows[kind]}.{kind.value}",)
        return tuple(self.folder / f"{base}{ending}" for ending in endings)

    @property
    def all_paths(self) -> tuple[Path, ...]:
        """Every file that will be written, in the order of the kinds."""
        return tuple(path for kind in ExportKind if kind in self.kinds for path in self.paths(kind))


@dataclass(frozen=True)
class ExportProgress:
    """What is being written, and how much of everything is done, from 0 to 1."""

    kind: ExportKind
    part: float


def base_name(study: IvoctStudy, *, deidentify: bool) -> str:
    """Return what the names of a study's exports begin with, on every system."""
    return "pullback" if deidentify else _storable(study.pullback.name) or "pullback"


def corners_may_name(pullback: Pullback) -> bool:
    """Whether frames may show a patient's name beside the image field, as consoles write it."""
    return isinstance(pullback.layout, CartesianLayout)


def exported(
    order: ExportOrder,
    study: IvoctStudy,
    results: Results,
    *,
    screen: Mapping[ExportKind, FileWriter] = MappingProxyType({}),
    report: bytes | None = None,
) -> Iterator[ExportProgress | tuple[Path, ...]]:
    """Write what was ordered, for a task; ended early, it leaves everything as it was.

    Parameters
    ----------
    screen
        Writes the kinds of `SCREEN` that were ordered.
    report
        The report of this study as the order wants it, where it was made already.

    Yields
    ------
    How far it is; at last the files, when they are in their place.

    Raises
    ------
    CalcViewerError
        When nothing was ordered, or a file cannot be written: then none is.
    """
    writers = _writers(order, study, results, screen, report)
    if not writers:
        raise CalcViewerError("Nothing was chosen to be exported.", "Tick what to write.")
    with _whole(order.folder) as stage:
        for place, (kind, write) in enumerate(writers):
            yield ExportProgress(kind, place / len(writers))
            for part in write(stage):
                yield ExportProgress(kind, (place + part) / len(writers))
        yield ExportProgress(writers[-1][0], 1.0)  # the last place to stop
    yield order.all_paths


# --- writing -------------------------------------------------------------------------------------


@contextmanager
def _whole(folder: Path) -> Iterator[Path]:
    """Yield a folder whose files go to another one all together; a full disk is said."""
    try:
        with staged_folder(folder) as stage:
            yield stage
    except UnreadableInputError:
        raise
    except (OSError, CalcViewerError) as error:
        cause = error if isinstance(error, OSError) else error.__cause__
        if not isinstance(cause, OSError):
            raise
        raise CalcViewerError(
            f"Nothing was written to {folder}: {system_reason(cause)}.",
            "Make room on the disk, or choose another folder, and export again.",
        ) from error


def _writers(
    order: ExportOrder,
    study: IvoctStudy,
    results: Results,
    screen: Mapping[ExportKind, FileWriter],
    report: bytes | None,
) -> list[tuple[ExportKind, FileWriter]]:
    """Return what writes into the folder it is given, in the order of the kinds."""

    @cache
    def pdf() -> bytes:
        return report or report_bytes(
            study, results, page_size=order.page_size, deidentify=order.deidentify
        )

    at_once: dict[ExportKind, Callable[..., None]] = {
        ExportKind.PDF: lambda path: _write_bytes(path, pdf()),
        ExportKind.CSV: partial(_write_tables, results=results),
        ExportKind.JSON: lambda path: _write_data(
            path, study, results, deidentify=order.deidentify
        ),
    }

    def written(kind: ExportKind, stage: Path) -> Iterator[float]:
        at_once[kind](*(stage / path.name for path in order.paths(kind)))
        yield 1.0

    def drawn(kind: ExportKind, stage: Path) -> Iterator[float]:
        (path,) = order.paths(kind)
        yield from screen[kind](stage / path.name)

    writers: list[tuple[ExportKind, FileWriter]] = [
        (kind, partial(drawn if kind in SCREEN else written, kind))
        for kind in (*at_once, *SCREEN)
        if kind in order.kinds
    ]
    return writers + _archive_writers(order, study, results, pdf)


def _archive_writers(
    order: ExportOrder, study: IvoctStudy, results: Results, pdf: Callable[[], bytes]
) -> list[tuple[ExportKind, FileWriter]]:
    """Return what writes the results for archives, one by one where they stay together so.

    Of a pullback that is no DICOM they go into a new study: one writer makes them all.
    """
    kinds = [kind for kind in ARCHIVE if kind in order.kinds]
    apart = study.pullback.source.kind == "dicom"
    groups = [[kind] for kind in kinds] if apart else [kinds] if kinds else []
    if not groups:
        return []
    # Brings highdicom, which takes long to load.
    from calcviewer.app.exchange.dicom_results import ResultOptions, write_results
    from calcviewer.dicom.deidentify import UidMap

    uids = UidMap()

    def written(group: list[ExportKind], stage: Path) -> Iterator[float]:
        options = ResultOptions(
            seg=ExportKind.SEG in group,
            sr=ExportKind.SR in group,
            pdf=ExportKind.DICOM_PDF in group,
            nifti=ExportKind.NIFTI in group,
            deidentify=order.deidentify,
            page_size=order.page_size,
        )
        report = pdf() if options.pdf else None
        made = write_results(study, results, options, stage / "archive", uids=uids, report=report)
        for kind, path in zip(group, made, strict=True):
            (target,) = order.paths(kind)
            os.replace(path, stage / target.name)
        yield 1.0

    return [(group[0], partial(written, group)) for group in groups]


def _write_bytes(path: Path, content: bytes) -> None:
    """Write a file and read it back."""
    with staged_file(path) as stage:
        stage.write_bytes(content)
        if stage.read_bytes() != content:
            raise CalcViewerError(
                f"{path.name} was damaged while it was written.", "Export it to another disk."
            )


def _write_tables(frames: Path, lesions: Path, *, results: Results) -> None:
    with staged_file(frames) as frames_stage, staged_file(lesions) as lesions_stage:
        write_frames_csv(frames_stage, results)
        write_lesions_csv(lesions_stage, results)


def _write_data(path: Path, study: IvoctStudy, results: Results, *, deidentify: bool) -> None:
    if deidentify:
        study, results = nameless(study)
    document = analysis_document(study, results)
    if deidentify and "pullback" in document:
        document["pullback"]["path"] = ""  # made absolute it names a folder of this machine
    with staged_file(path) as stage:
        write_json(stage, document)


def _storable(name: str) -> str:
    """Return a name that every system can store."""
    return re.sub(r"[^\w.-]+", "-", name).strip("-.")[:_NAME_CHARACTERS]
