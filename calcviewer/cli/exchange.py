"""Results for archives and other programs: export."""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack
from pathlib import Path

from calcviewer.app.exchange.stored_study import open_stored
from calcviewer.app.results import compute_results
from calcviewer.app.session import IvoctStudy
from calcviewer.app.workflows import Progress
from calcviewer.cli.output import Verbs, progress_bar


def add_verbs(verbs: Verbs) -> None:
    """Add the verb that writes results."""
    _add_export(verbs)


def _add_export(verbs: Verbs) -> None:
    parser = verbs.add_parser("export", help="write results for archives and other programs")
    parser.add_argument(
        "study", type=Path, metavar="STUDY", help="folder of analyze, review file, or its pullback"
    )
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="DIR", help="for the files"
    )
    parser.add_argument("--seg", action="store_true", help="DICOM Segmentation")
    parser.add_argument("--sr", action="store_true", help="DICOM structured report")
    parser.add_argument("--pdf", action="store_true", help="report as DICOM Encapsulated PDF")
    parser.add_argument("--nifti", action="store_true", help="label volume")
    parser.add_argument("--deidentify", action="store_true", help="name no patient, new UIDs")
    parser.add_argument("--page-size", choices=("A4", "letter"), default="A4", help="of the report")
    parser.set_defaults(run=_run_export)


def _run_export(args: argparse.Namespace) -> int:
    # Brings highdicom, which takes long to load.
    from calcviewer.app.exchange.anonymous_study import burned_in_warnings
    from calcviewer.app.exchange.dicom_results import ResultOptions, write_results

    study = _opened(args.study)
    options = ResultOptions(
        seg=args.seg,
        sr=args.sr,
        pdf=args.pdf,
        nifti=args.nifti,
        deidentify=args.deidentify,
        page_size=args.page_size,
    )
    for path in write_results(study, compute_results(study, {}), options, args.output):
        print(path.resolve())
    if args.deidentify:
        for warning in burned_in_warnings(study.pullback):
            print(f"calcviewer: {warning}", file=sys.stderr)
    return 0


def _opened(path: Path) -> IvoctStudy:
    """Open what was stored; a bar is shown only where frames are segmented for it."""
    with ExitStack() as stack:
        shown: list[Progress] = []

        def update(done: int, wanted: int) -> None:
            if not shown:
                shown.append(stack.enter_context(progress_bar("Segmenting")))
            shown[0](done, wanted)

        return open_stored(path, progress=update)
