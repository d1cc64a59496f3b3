"""The printed lesion report of a study, with its patient or without."""

from __future__ import annotations

from calcviewer.app.lesion_report.content import build_report
from calcviewer.app.measured_error import measured_error
from calcviewer.app.results import Results, compute_results
from calcviewer.app.session import IvoctStudy
from calcviewer.report.pdf import PageSize, render_report

_DATE_REMOVED = "date removed"


def report_bytes(
    study: IvoctStudy, results: Results, *, page_size: PageSize, deidentify: bool = False
) -> bytes:
    """Return the report as a PDF; reads every frame of the pullback once.

    Parameters
    ----------
    deidentify
        Name nobody: no names, numbers and dates.
    """
    if deidentify:
        study, results = nameless(study)
    content = build_report(
        study,
        results,
        error=measured_error(study.model),
        generated=_DATE_REMOVED if deidentify else None,
    )
    return render_report(content, page_size=page_size)


def nameless(study: IvoctStudy) -> tuple[IvoctStudy, Results]:
    """Return a study that names nobody, with what follows from it."""
    # Brings highdicom, which takes long to load.
    from calcviewer.app.exchange.anonymous_study import anonymous

    bare = anonymous(study)
    return bare, compute_results(bare, {})
