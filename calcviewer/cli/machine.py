"""What a machine can do, and what went wrong on it: simulate, models, benchmark, report-problem."""

from __future__ import annotations

import argparse
from pathlib import Path

from calcviewer.app import benchmark, models, simulate, workflows
from calcviewer.app.problem_report import problem_report, write_problem_report
from calcviewer.cli.arguments import positive_int
from calcviewer.cli.output import Verbs, print_json, progress_bar
from calcviewer.core.errors import CalcViewerError


def add_verbs(verbs: Verbs) -> None:
    """Add the verbs that need nobody's pullback."""
    for add in (_add_simulate, _add_models, _add_benchmark, _add_report_problem):
        add(verbs)


def _add_simulate(verbs: Verbs) -> None:
    parser = verbs.add_parser("simulate", help="write a simulated pullback with its truth")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="DIR", help="for the pullback"
    )
    parser.add_argument("--seed", type=int, default=0, help="another seed, another vessel")
    parser.add_argument("--frames", type=positive_int, default=120, help="of the pullback")
    parser.add_argument("--a-lines", type=positive_int, default=480, help="of a frame")
    parser.add_argument("--samples", type=positive_int, default=960, help="of an A-line")
    parser.set_defaults(run=_run_simulate)


def _add_models(verbs: Verbs) -> None:
    parser = verbs.add_parser("models", help="list the installed models")
    parser.add_argument("--verify", action="store_true", help="check hashes and load each model")
    parser.add_argument("--json", action="store_true", help="print as JSON")
    parser.set_defaults(run=_run_models)


def _add_benchmark(verbs: Verbs) -> None:
    parser = verbs.add_parser("benchmark", help="measure the time a frame takes on this machine")
    parser.add_argument(
        "--device", choices=("cpu", "cuda"), default="cpu", help="where the network runs"
    )
    parser.add_argument(
        "--model", default=workflows.DEFAULT_MODEL, metavar="NAME", help="one of those models lists"
    )
    parser.add_argument("--json", action="store_true", help="print as JSON")
    parser.set_defaults(run=_run_benchmark)


def _add_report_problem(verbs: Verbs) -> None:
    parser = verbs.add_parser(
        "report-problem", help="collect log and versions for the developers, without patient data"
    )
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FILE.zip", help="default: print all of it"
    )
    parser.set_defaults(run=_run_report_problem)


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
        print_json(described)
    else:
        for model in described:
            print(models.describe_line(model))
    damaged = [model["name"] for model in described if model["fault"]]
    if damaged:
        raise CalcViewerError(f"Not usable: {', '.join(damaged)}.", "Install CalcViewer again.")
    return 0


def _run_benchmark(args: argparse.Namespace) -> int:
    figures = benchmark.measure_speed(model=args.model, device=args.device)
    if args.json:
        print_json(figures)
    else:
        for name, value in figures.items():
            print(f"{name:>12}  {value}")
    return 0


def _run_report_problem(args: argparse.Namespace) -> int:
    report = problem_report()
    for name, text in report.items():
        if args.output is None:
            print(f"== {name}\n{text}\n")
        else:
            print(f"{name:>14}  {len(text.splitlines())} lines")
    if args.output is not None:
        write_problem_report(report, args.output)
        print(f"Written to {args.output.resolve()}. Look into it before you send it.")
    return 0
