"""What operators decided: export-labels, second-pass, history."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from calcviewer.app.labelled_export import export_labels
from calcviewer.app.review_store.log import history_csv
from calcviewer.app.review_store.reviewed_study import open_reviewed, with_predictions
from calcviewer.app.review_store.search import review_entries, write_history
from calcviewer.app.second_pass import SecondPassRow, second_pass, second_pass_document
from calcviewer.cli.output import Verbs, print_json, progress_bar


def add_verbs(verbs: Verbs) -> None:
    """Add the verbs that read reviews."""
    for add in (_add_export_labels, _add_second_pass, _add_history):
        add(verbs)


def _add_export_labels(verbs: Verbs) -> None:
    parser = verbs.add_parser(
        "export-labels", help="write the frames operators confirmed as data to train on"
    )
    parser.add_argument(
        "reviews", type=Path, nargs="+", metavar="REVIEW", help="review file, or its pullback"
    )
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="DIR", help="for the data set"
    )
    parser.add_argument(
        "--stride", type=int, choices=(1, 2), default=2, help="reduce the grid; default: 2"
    )
    parser.add_argument("--json", action="store_true", help="print what was written as JSON")
    parser.set_defaults(run=_run_export_labels)


def _add_second_pass(verbs: Verbs) -> None:
    parser = verbs.add_parser(
        "second-pass", help="list the frames in which model and operator differ most"
    )
    parser.add_argument("review", type=Path, metavar="REVIEW", help="review file, or its pullback")
    parser.add_argument("--json", action="store_true", help="print as JSON")
    parser.set_defaults(run=_run_second_pass)


def _add_history(verbs: Verbs) -> None:
    parser = verbs.add_parser("history", help="write who changed what in a review, and when")
    parser.add_argument("path", type=Path, help="the pullback, or the file of its review")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE.csv", help="default: print")
    parser.set_defaults(run=_run_history)


def _run_export_labels(args: argparse.Namespace) -> int:
    with progress_bar("Segmenting") as update:
        reviewed = [open_reviewed(path) for path in args.reviews]
        exported = export_labels(reviewed, args.output, stride=args.stride, progress=update)
    if args.json:
        print_json(exported.document())
        return 0
    made = ", ".join(f"{count} {name.lower()}" for name, count in sorted(exported.frames.items()))
    count = sum(exported.frames.values())
    print(f"{count} confirmed frames ({made}) in {len(exported.vois)} VOIs")
    print(f"Written to {args.output.resolve()}")
    for name, frame, reason in exported.left_out:
        print(f"{name}, frame {frame}: left out, {reason}", file=sys.stderr)
    return 0


def _run_second_pass(args: argparse.Namespace) -> int:
    study = open_reviewed(args.review).study
    if study.review.edits:  # a frame that was confirmed as it came differs in nothing
        with progress_bar("Segmenting") as update:
            study = with_predictions(study, sorted(study.review.edits), progress=update)
    rows = second_pass(study)
    unit = "mm²" if study.calibration.scaled else "mm² (working scale)"
    if args.json:
        print_json(second_pass_document(rows))
    elif not rows:
        print("No frame of this review was corrected.")
    else:
        print("\n".join(_second_pass_line(row, unit) for row in rows))
    return 0


def _second_pass_line(row: SecondPassRow, unit: str) -> str:
    both = row.model_arc_deg, row.operator_arc_deg
    arcs = ["–" if arc is None else f"{arc:.0f}°" for arc in both]
    return (
        f"frame {row.frame + 1:4d}  differs {row.difference:5.2f} {unit}  "
        f"lumen Dice {row.lumen.dice:.3f}  calcium Dice {row.calcium.dice:.3f}  "
        f"arc {arcs[0]} -> {arcs[1]}"
    )


def _run_history(args: argparse.Namespace) -> int:
    if args.output is None:
        print(history_csv(review_entries(args.path)), end="")
    else:
        write_history(args.path, args.output)
        print(f"Written to {args.output.resolve()}")
    return 0
