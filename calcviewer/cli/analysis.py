"""The main job: demo, analyze, segment, measure."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from calcviewer.app import simulate, workflows
from calcviewer.app.summary import summary_lines
from calcviewer.cli.arguments import (
    add_reading,
    add_segmenting,
    frame_range,
    positive_int,
    read_options,
    segment_options,
)
from calcviewer.cli.output import Verbs, print_json, progress_bar
from calcviewer.modalities.ivoct.read import ReadOptions


def add_verbs(verbs: Verbs) -> None:
    """Add the verbs that segment and measure a pullback."""
    for add in (_add_demo, _add_analyze, _add_segment, _add_measure):
        add(verbs)


def _add_demo(verbs: Verbs) -> None:
    parser = verbs.add_parser("demo", help="simulate a pullback, segment, measure, report")
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("calcviewer-demo"),
        metavar="DIR",
        help="for pullback and report",
    )
    parser.add_argument("--frames", type=positive_int, default=60, help="default: %(default)s")
    parser.add_argument("--headless", action="store_true", help="report at once, without a window")
    parser.set_defaults(run=_run_demo)


def _add_analyze(verbs: Verbs) -> None:
    parser = verbs.add_parser(
        "analyze", help="segment, measure and score a pullback; write a report"
    )
    parser.add_argument("path", type=Path, help="DICOM file, folder of frames, TIFF, NPY or NPZ")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="DIR", help="for the results"
    )
    parser.add_argument("--voi", type=frame_range, metavar="FIRST:LAST", help="frames from 1")
    parser.add_argument("--page-size", choices=("A4", "letter"), default="A4", help="of the report")
    parser.add_argument("--json", action="store_true", help="print analysis.json")
    add_reading(parser)
    add_segmenting(parser)
    parser.set_defaults(run=_run_analyze)


def _add_segment(verbs: Verbs) -> None:
    parser = verbs.add_parser("segment", help="write a label map for every frame")
    parser.add_argument("path", type=Path, help="DICOM file, folder of frames, TIFF, NPY or NPZ")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="DIR", help="for the results"
    )
    parser.add_argument("--json", action="store_true", help="print what was written as JSON")
    add_reading(parser)
    add_segmenting(parser)
    parser.set_defaults(run=_run_segment)


def _add_measure(verbs: Verbs) -> None:
    parser = verbs.add_parser("measure", help="measure and score given labels")
    parser.add_argument(
        "labels", type=Path, metavar="LABELS", help="label file (.npz), DICOM SEG or NIfTI"
    )
    parser.add_argument("--voi", type=frame_range, metavar="FIRST:LAST", help="frames from 1")
    parser.add_argument("--json", action="store_true", help="print the analysis as JSON")
    parser.set_defaults(run=_run_measure)


def simulate_demo(args: argparse.Namespace) -> Path:
    """Simulate the demonstration's pullback; returns the file to open."""
    with progress_bar("Simulating") as update:
        return simulate.demo_pullback(args.output, frames=args.frames, progress=update)


def _run_demo(args: argparse.Namespace) -> int:
    pullback = simulate_demo(args)
    with progress_bar("Segmenting") as update:
        analysis = workflows.analyze(
            pullback,
            args.output,
            read_options=ReadOptions(),
            segment_options=workflows.SegmentOptions(),
            progress=update,
        )
    print("\n".join(summary_lines(analysis.study, analysis.results)))
    print(f"\nReport: {(args.output / 'report.pdf').resolve()}")
    return 0


def _run_analyze(args: argparse.Namespace) -> int:
    with progress_bar("Segmenting") as update:
        analysis = workflows.analyze(
            args.path,
            args.output,
            read_options=read_options(args),
            segment_options=segment_options(args),
            voi=args.voi,
            page_size=args.page_size,
            progress=update,
        )
    if args.json:
        print_json(analysis.document)
    else:
        print("\n".join(summary_lines(analysis.study, analysis.results)))
        print(f"\nWritten to {args.output.resolve()}")
    return 0


def _run_segment(args: argparse.Namespace) -> int:
    with progress_bar("Segmenting") as update:
        segmented = workflows.segment(
            args.path,
            args.output,
            read_options=read_options(args),
            segment_options=segment_options(args),
            progress=update,
        )
    if args.json:
        print_json(segmented)
    else:
        print(f"{len(segmented['labels'])} label maps written to {args.output / 'labels'}")
        for failure in segmented["failed_frames"]:
            print(f"frame {failure['frame']}: {failure['reason']}", file=sys.stderr)
    return 0


def _run_measure(args: argparse.Namespace) -> int:
    analysis = workflows.measure(args.labels, voi=args.voi)
    if args.json:
        print_json(analysis.document)
    else:
        print("\n".join(summary_lines(analysis.study, analysis.results)))
    return 0
