"""The command line of the viewer: one verb each; parsing and printing only, no logic."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from calcviewer.app import benchmark, models, simulate, workflows
from calcviewer.app.exchange.stored_study import open_stored
from calcviewer.app.labelled_export import export_labels
from calcviewer.app.results import compute_results
from calcviewer.app.review_store.log import history_csv
from calcviewer.app.review_store.reviewed_study import open_reviewed, with_predictions
from calcviewer.app.review_store.search import review_entries, write_history
from calcviewer.app.second_pass import SecondPassRow, second_pass, second_pass_document
from calcviewer.app.summary import summary_lines
from calcviewer.core.errors import CalcViewerError
from calcviewer.modalities.ivoct.read import ReadOptions

Verbs = Any  # argparse names the type of add_subparsers only privately


def add_verbs(verbs: Verbs) -> None:
    """Add the verbs that work on pullbacks and models."""
    for add in (_add_demo, _add_analyze, _add_segment, _add_measure, _add_simulate, _add_models):
        add(verbs)
    for add in (_add_benchmark, _add_export, _add_export_labels, _add_second_pass, _add_history):
        add(verbs)


def _add_demo(verbs: Verbs) -> None:
    parser = verbs.add_parser("demo", help="simulate a pullback, segment, measure, report")
    parser.add_argument("-o", "--output", type=Path, default=Path("calcviewer-demo"), metavar="DIR")
    parser.add_argument("--frames", type=positive_int, default=60, help="default: %(default)s")
    parser.add_argument("--headless", action="store_true", help="report at once, without a window")
    parser.set_defaults(run=_run_demo)


def _add_analyze(verbs: Verbs) -> None:
    parser = verbs.add_parser(
        "analyze", help="segment, measure and score a pullback; write a report"
    )
    parser.add_argument("path", type=Path, help="DICOM file, folder of frames, TIFF, NPY or NPZ")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR")
    parser.add_argument("--voi", type=frame_range, metavar="FIRST:LAST", help="frames from 1")
    parser.add_argument("--page-size", choices=("A4", "letter"), default="A4")
    parser.add_argument("--json", action="store_true", help="print analysis.json")
    _add_reading(parser)
    _add_segmenting(parser)
    parser.set_defaults(run=_run_analyze)


def _add_segment(verbs: Verbs) -> None:
    parser = verbs.add_parser("segment", help="write a label map for every frame")
    parser.add_argument("path", type=Path, help="DICOM file, folder of frames, TIFF, NPY or NPZ")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR")
    parser.add_argument("--json", action="store_true", help="print what was written as JSON")
    _add_reading(parser)
    _add_segmenting(parser)
    parser.set_defaults(run=_run_segment)


def _add_measure(verbs: Verbs) -> None:
    parser = verbs.add_parser("measure", help="measure and score given labels")
    parser.add_argument(
        "labels", type=Path, metavar="LABELS", help="label file (.npz), DICOM SEG or NIfTI"
    )
    parser.add_argument("--voi", type=frame_range, metavar="FIRST:LAST", help="frames from 1")
    parser.add_argument("--json", action="store_true", help="print the analysis as JSON")
    parser.set_defaults(run=_run_measure)


def _add_simulate(verbs: Verbs) -> None:
    parser = verbs.add_parser("simulate", help="write a simulated pullback with its truth")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--frames", type=positive_int, default=120)
    parser.add_argument("--a-lines", type=positive_int, default=480)
    parser.add_argument("--samples", type=positive_int, default=960)
    parser.set_defaults(run=_run_simulate)


def _add_models(verbs: Verbs) -> None:
    parser = verbs.add_parser("models", help="list the installed models")
    parser.add_argument("--verify", action="store_true", help="check hashes and load each model")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=_run_models)


def _add_history(verbs: Verbs) -> None:
    parser = verbs.add_parser("history", help="write who changed what in a review, and when")
    parser.add_argument("path", type=Path, help="the pullback, or the file of its review")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE.csv", help="default: print")
    parser.set_defaults(run=_run_history)


def _add_benchmark(verbs: Verbs) -> None:
    parser = verbs.add_parser("benchmark", help="measure the time a frame takes on this machine")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--model", default=workflows.DEFAULT_MODEL, metavar="NAME")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=_run_benchmark)


def _add_export(verbs: Verbs) -> None:
    parser = verbs.add_parser("export", help="write results for archives and other programs")
    parser.add_argument(
        "study", type=Path, metavar="STUDY", help="folder of analyze, review file, or its pullback"
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR")
    parser.add_argument("--seg", action="store_true", help="DICOM Segmentation")
    parser.add_argument("--sr", action="store_true", help="DICOM structured report")
    parser.add_argument("--pdf", action="store_true", help="report as DICOM Encapsulated PDF")
    parser.add_argument("--nifti", action="store_true", help="label volume")
    parser.add_argument("--deidentify", action="store_true", help="name no patient, new UIDs")
    parser.add_argument("--page-size", choices=("A4", "letter"), default="A4")
    parser.set_defaults(run=_run_export)


def _add_export_labels(verbs: Verbs) -> None:
    parser = verbs.add_parser(
        "export-labels", help="write the frames operators confirmed as data to train on"
    )
    parser.add_argument(
        "reviews", type=Path, nargs="+", metavar="REVIEW", help="review file, or its pullback"
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR")
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
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=_run_second_pass)


def _add_reading(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("calibration, where the file lacks it or you know better")
    group.add_argument("--sample-spacing", type=positive_mm, metavar="MM", help="polar frames")
    group.add_argument("--pixel-spacing", type=positive_mm, metavar="MM", help="Cartesian frames")
    group.add_argument("--frame-pitch", type=positive_mm, metavar="MM")
    group.add_argument("--calibrate-on-catheter", action="store_true")
    group.add_argument(
        "--catheter-diameter", type=positive_mm, default=0.9, metavar="MM", help="default: 0.9"
    )
    group.add_argument(
        "--geometry", choices=("polar", "cartesian"), help="of frames in a folder, TIFF or NPY"
    )


def _add_segmenting(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("segmentation")
    group.add_argument("--model", default=workflows.DEFAULT_MODEL, metavar="NAME")
    group.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    group.add_argument("--no-crf", action="store_true", help="leave the refinement out")


def positive_mm(text: str) -> float:
    """Parse a length in mm for argparse."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a length in mm")
    return value


def positive_int(text: str) -> int:
    """Parse a count for argparse."""
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 on")
    return int(text)


def frame_range(text: str) -> tuple[int, int]:
    """Parse ``FIRST:LAST`` (from 1, inclusive) to 0-based frame indices for argparse."""
    first, colon, last = text.partition(":")
    if not (colon and first.isdigit() and last.isdigit() and 1 <= int(first) <= int(last)):
        raise argparse.ArgumentTypeError(f"{text!r} is not FIRST:LAST, frames counted from 1")
    return int(first) - 1, int(last) - 1


def _read_options(args: argparse.Namespace) -> ReadOptions:
    return ReadOptions(
        sample_spacing_mm=args.sample_spacing,
        pixel_spacing_mm=args.pixel_spacing,
        frame_pitch_mm=args.frame_pitch,
        geometry=args.geometry,
        calibrate_on_catheter=args.calibrate_on_catheter,
        catheter_diameter_mm=args.catheter_diameter,
    )


def _segment_options(args: argparse.Namespace) -> workflows.SegmentOptions:
    return workflows.SegmentOptions(model=args.model, device=args.device, crf=not args.no_crf)


@contextmanager
def progress_bar(title: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar on standard error while the block runs; yields its update (done, wanted)."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bars:
        bar = bars.add_task(title, total=None)
        yield lambda done, wanted: bars.update(bar, completed=done, total=wanted)


def _print_json(document: object) -> None:
    json.dump(document, sys.stdout, indent=2, allow_nan=False)
    print()


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
            read_options=_read_options(args),
            segment_options=_segment_options(args),
            voi=args.voi,
            page_size=args.page_size,
            progress=update,
        )
    if args.json:
        _print_json(analysis.document)
    else:
        print("\n".join(summary_lines(analysis.study, analysis.results)))
        print(f"\nWritten to {args.output.resolve()}")
    return 0


def _run_segment(args: argparse.Namespace) -> int:
    with progress_bar("Segmenting") as update:
        segmented = workflows.segment(
            args.path,
            args.output,
            read_options=_read_options(args),
            segment_options=_segment_options(args),
            progress=update,
        )
    if args.json:
        _print_json(segmented)
    else:
        print(f"{len(segmented['labels'])} label maps written to {args.output / 'labels'}")
        for failure in segmented["failed_frames"]:
            print(f"frame {failure['frame']}: {failure['reason']}", file=sys.stderr)
    return 0


def _run_measure(args: argparse.Namespace) -> int:
    analysis = workflows.measure(args.labels, voi=args.voi)
    if args.json:
        _print_json(analysis.document)
    else:
        print("\n".join(summary_lines(analysis.study, analysis.results)))
    return 0


def _run_simulate(args: argparse.Namespace) -> int:
    with progress_bar("Simulating") as update:
        simulate.write_pullback(
            args.output,
            seed=args.seed,
            frames=args.frames,
            a_lines=args.a_lines,
            samples=args.samples,
            progress=update,
        )
    print(f"Written to {args.output.resolve()}")
    return 0


def _run_models(args: argparse.Namespace) -> int:
    described = models.describe_models(verify=args.verify)
    if args.json:
        _print_json(described)
    else:
        for model in described:
            print(models.describe_line(model))
    damaged = [model["name"] for model in described if model["fault"]]
    if damaged:
        raise CalcViewerError(f"Not usable: {', '.join(damaged)}.", "Install CalcViewer again.")
    return 0


def _run_history(args: argparse.Namespace) -> int:
    if args.output is None:
        print(history_csv(review_entries(args.path)), end="")
    else:
        write_history(args.path, args.output)
        print(f"Written to {args.output.resolve()}")
    return 0


def _run_benchmark(args: argparse.Namespace) -> int:
    figures = benchmark.measure_speed(model=args.model, device=args.device)
    if args.json:
        _print_json(figures)
    else:
        for name, value in figures.items():
            print(f"{name:>12}  {value}")
    return 0


def _run_export(args: argparse.Namespace) -> int:
    # Brings highdicom, which takes long to load.
    from calcviewer.app.exchange.dicom_results import ResultOptions, write_results

    with progress_bar("Segmenting") as update:
        study = open_stored(args.study, progress=update)
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
    return 0


def _run_export_labels(args: argparse.Namespace) -> int:
    with progress_bar("Segmenting") as update:
        reviewed = [open_reviewed(path) for path in args.reviews]
        exported = export_labels(reviewed, args.output, stride=args.stride, progress=update)
    if args.json:
        _print_json(exported.document())
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
        _print_json(second_pass_document(rows))
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
