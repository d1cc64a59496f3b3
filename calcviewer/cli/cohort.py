"""Many pullbacks at once: cohort."""

from __future__ import annotations

import argparse
from contextlib import closing
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from calcviewer.app.cohort.cohort import Cohort, open_cohort
from calcviewer.app.cohort.figures import FIGURES, score_words
from calcviewer.app.cohort.order import ORDER_FILE, CohortOptions
from calcviewer.app.cohort.result import (
    COHORT_TABLE,
    LESIONS_TABLE,
    Result,
    Status,
    cohort_document,
)
from calcviewer.app.cohort.work import Ended
from calcviewer.cli.arguments import (
    add_reading,
    add_segmenting,
    positive_int,
    read_options,
    segment_options,
)
from calcviewer.cli.output import Verbs, print_json
from calcviewer.core.errors import CalcViewerError


def add_verbs(verbs: Verbs) -> None:
    """Add the verb that analyses many pullbacks."""
    parser = verbs.add_parser("cohort", help="analyze many pullbacks; tables and figures of all")
    parser.add_argument(
        "paths",
        type=Path,
        nargs="+",
        metavar="PATH",
        help="pullback, or folder that is searched for some",
    )
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="DIR", help="for the results"
    )
    place = parser.add_mutually_exclusive_group()
    place.add_argument(
        "--workers", type=positive_int, metavar="N", help="pullbacks at a time; default: cores"
    )
    place.add_argument("--scheduler", metavar="ADDRESS", help="of a Dask cluster to work on")
    parser.add_argument("--page-size", choices=("A4", "letter"), default="A4", help="of reports")
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    add_reading(parser)
    add_segmenting(parser)
    parser.set_defaults(run=_run_cohort)


def _run_cohort(args: argparse.Namespace) -> int:
    options = CohortOptions(
        read=read_options(args), segment=segment_options(args), page_size=args.page_size
    )
    with open_cohort(args.paths, args.output, options) as cohort:
        console = Console(stderr=True, highlight=False, soft_wrap=True)
        _tell_beginning(cohort, console)
        try:
            _show_work(cohort, args, console)
        except KeyboardInterrupt as stopped:
            finished = len(cohort.asked_results(Status.FINISHED))
            raise CalcViewerError(
                f"Stopped. {finished} of {len(cohort.asked)} pullbacks are finished and kept.",
                "Give the same command again to go on.",
            ) from stopped
        if args.json:
            print_json(cohort_document(tuple(cohort.results.values())))
        else:
            _tell_end(cohort)
        return 1 if cohort.asked_results(Status.FAILED) else 0


def _tell_beginning(cohort: Cohort, console: Console) -> None:
    finished, todo = (len(cohort.asked_results(one)) for one in (Status.FINISHED, Status.OPEN))
    words = f"{len(cohort.asked)} pullbacks"
    console.print(f"{words}, {finished} finished before, {todo} to analyze")
    if cohort.passed_over:
        console.print(f"{cohort.passed_over} other files passed over: see {ORDER_FILE}")


def _show_work(cohort: Cohort, args: argparse.Namespace, console: Console) -> None:
    """Run the cohort with a bar for all, and one for every pullback that is being analysed."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    steps = cohort.run(workers=args.workers, scheduler=args.scheduler)
    with closing(steps), Progress(*columns, console=console, transient=True) as bars:
        whole = bars.add_task("pullbacks", total=len(cohort.asked_results(Status.OPEN)))
        by_name: dict[str, TaskID] = {}
        for step in steps:
            name = step.member.name
            if isinstance(step, Ended):
                if name in by_name:
                    bars.remove_task(by_name.pop(name))
                bars.advance(whole)
                console.print(_line(cohort.results[name]), markup=False)
                continue
            if name not in by_name:
                by_name[name] = bars.add_task(f"  {name}", total=None)
            bars.update(by_name[name], completed=step.done, total=step.wanted or None)


def _line(result: Result) -> str:
    name = result.member.name
    if result.finished is None:
        return f"{name}: failed. {result.failure}"
    words = score_words(result.finished)
    score = f"score {words}" if words.isdigit() else words
    return f"{name}: {score}, {result.finished.seconds:.0f} s"


def _tell_end(cohort: Cohort) -> None:
    finished, failed = (cohort.asked_results(one) for one in (Status.FINISHED, Status.FAILED))
    print(f"{len(finished)} of {len(cohort.asked)} pullbacks finished, {len(failed)} failed")
    for result in failed:
        print(f"  {result.member.name}: {result.failure}")
    folder = cohort.work.folder
    print(f"Written to {folder}: {COHORT_TABLE}, {LESIONS_TABLE}, {FIGURES}")
