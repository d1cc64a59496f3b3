"""What a file is: inspect."""

from __future__ import annotations

import argparse
from pathlib import Path

from calcviewer.app.inspect import inspect
from calcviewer.app.inspection import inspection_document, inspection_lines
from calcviewer.cli.output import Verbs, print_json


def add_verbs(verbs: Verbs) -> None:
    """Add the verb that says what a file is."""
    parser = verbs.add_parser(
        "inspect", help="say what a file is, its calibration, and what it lacks"
    )
    parser.add_argument(
        "path", type=Path, help="pullback, result, review, or any DICOM file, or a folder of it"
    )
    parser.add_argument("--json", action="store_true", help="print as JSON")
    parser.add_argument(
        "--show-patient", action="store_true", help="print what identifies the patient"
    )
    parser.set_defaults(run=_run_inspect)


def _run_inspect(args: argparse.Namespace) -> int:
    found = inspect(args.path)
    if args.json:
        print_json(inspection_document(found, show_patient=args.show_patient))
    else:
        print("\n".join(inspection_lines(found, show_patient=args.show_patient)))
    return 0
