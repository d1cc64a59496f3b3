"""Writes a study's results for archives and other programs: SEG, SR, PDF, NIfTI."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from calcviewer.app.exchange.nifti import write_nifti
from calcviewer.app.exchange.seg_results import write_study_seg
from calcviewer.app.exchange.sr_results import write_study_sr
from calcviewer.app.lesion_report.printed import nameless, report_bytes
from calcviewer.app.results import Results
from calcviewer.app.review_store.encoding import decides
from calcviewer.app.review_store.search import find_review
from calcviewer.app.session import IvoctStudy
from calcviewer.core.atomic import staged_folder
from calcviewer.core.errors import CalcViewerError
from calcviewer.dicom.deidentify import UidMap, deidentified
from calcviewer.dicom.encapsulated import write_encapsulated_pdf
from calcviewer.dicom.header import is_dicom
from calcviewer.dicom.source import ResultSource, no_source, source_of
from calcviewer.report.pdf import PageSize

_NAME_CHARACTERS = 80


@dataclass(frozen=True, kw_only=True)
class ResultOptions:
    """What is written, and whether the patient is taken out of it.

    Parameters
    ----------
    deidentify
        Write files that name nobody, with new identifiers, the same in all files of one export.
    """

    seg: bool = False
    sr: bool = False
    pdf: bool = False
    nifti: bool = False
    deidentify: bool = False
    page_size: PageSize = "A4"


def write_results(
    study: IvoctStudy,
    results: Results,
    options: ResultOptions,
    folder: Path,
    *,
    uids: UidMap | None = None,
    report: bytes | None = None,
) -> tuple[Path, ...]:
    """Write what was chosen into a folder, all of it or nothing.

    Files are called after the pullback (``pullback`` when de-identified) and end in ``.seg.dcm``,
    ``.sr.dcm``, ``.pdf.dcm`` and ``.nii.gz``. They belong to the study of the source; of a source
    that is no DICOM to a new one without a patient.

    Parameters
    ----------
    uids
        Replaces identifiers when de-identifying; None: a new one. The same one keeps together what
        is exported in several steps.
    report
        The printed report of this study as the options want it, where it was made already.

    Returns
    -------
    The files written.

    Raises
    ------
    CalcViewerError
        When nothing was chosen, the source is gone, or a file cannot be written.
    """
    source = _source(study)
    name = _file_name(study)
    printed = partial(
        report_bytes, study, results, page_size=options.page_size, deidentify=options.deidentify
    )
    if options.deidentify:
        source = deidentified(source, uids or UidMap())
        study, results = nameless(study)
        name = "pullback"

    def sr(path: Path) -> None:
        write_study_sr(path, study, results, source, reviewers=reviewers_of(study))

    def pdf(path: Path) -> None:
        write_encapsulated_pdf(path, report or printed(), source=source)

    writers: list[tuple[bool, str, Callable[[Path], None]]] = [
        (options.seg, ".seg.dcm", lambda path: write_study_seg(path, study, source)),
        (options.sr, ".sr.dcm", sr),
        (options.pdf, ".pdf.dcm", pdf),
        (options.nifti, ".nii.gz", lambda path: write_nifti(path, study)),
    ]
    chosen = [(suffix, write) for wanted, suffix, write in writers if wanted]
    if not chosen:
        raise CalcViewerError("Nothing was chosen to be exported.", "Choose SEG, SR, PDF or NIfTI.")
    with staged_folder(folder) as stage:
        for suffix, write in chosen:
            write(stage / f"{name}{suffix}")
    return tuple(folder / f"{name}{suffix}" for suffix, _ in chosen)


def reviewers_of(study: IvoctStudy) -> tuple[str, ...]:
    """Return the accounts in the log of the review that is kept of a study's pullback.

    None when the study holds no decision: a VOI alone is none.
    """
    if not decides(replace(study.review, voi=None)):
        return ()
    entries = find_review(study.pullback).entries
    return tuple(dict.fromkeys(entry.who for entry in entries if entry.who))


def _source(study: IvoctStudy) -> ResultSource:
    """Return what results inherit from the study's source."""
    reference = study.pullback.source
    if reference.kind != "dicom":
        return no_source()
    path = reference.path
    if not path.is_dir():
        return source_of([path])
    names = set(reference.frame_names)
    files = sorted(one for one in path.iterdir() if one.is_file() and one.stem in names)
    return source_of([one for one in files if is_dicom(one)])


def _file_name(study: IvoctStudy) -> str:
    name = re.sub(r"[^\w.-]+", "-", study.pullback.name).strip("-.")[:_NAME_CHARACTERS]
    return name or "pullback"
