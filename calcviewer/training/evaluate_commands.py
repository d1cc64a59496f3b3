"""The verbs that measure networks. PyTorch is imported when one of them needs it, not before."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from calcviewer.app.voi_file import Voi
from calcviewer.core.errors import CalcViewerError
from calcviewer.inference.crf import CrfParameters
from calcviewer.training.options import (
    PHYSICS_NAMES,
    Verbs,
    add_network,
    add_regimes,
    counter,
    print_network,
    read_vois,
    selection,
    show_epoch,
    train_settings,
    with_training_extra,
)
from calcviewer.training.regimes import EVERYTHING

if TYPE_CHECKING:
    from calcviewer.training.agreement import AgreementSettings
    from calcviewer.training.result import Result


def add_verbs(verbs: Verbs) -> None:
    """Add the verbs that evaluate one network, and one architecture over folds."""
    _add_evaluate(verbs)
    _add_cross_validate(verbs)


def _add_evaluate(verbs: Verbs) -> None:
    parser = verbs.add_parser(
        "evaluate", help="measure a network: the paper's tables and figures, ours beside its own"
    )
    parser.add_argument("dataset", type=Path, nargs="*", metavar="DATASET", help="folders of VOIs")
    parser.add_argument("--model", type=Path, required=True, metavar="DIR", help="model folder")
    parser.add_argument(
        "--against", type=Path, metavar="DIR", help="another model to compare it with"
    )
    parser.add_argument(
        "-o", "--output", type=Path, metavar="DIR", help="write results, report and plots there"
    )
    parser.add_argument("--stride", type=int, default=2, help="of the data sets")
    parser.add_argument(
        "--neighbours",
        action="store_true",
        help="segment frames with their neighbours, as in a pullback; the data sets need "
        "consecutive frames (make-dataset --frame-step 1)",
    )
    split = parser.add_argument_group("only the part of the data sets that one fold tests")
    split.add_argument("--folds", type=int, help="default: all of the data")
    split.add_argument("--fold", type=int, default=0, help="the one that tests")
    _add_measuring(parser)
    add_regimes(parser)
    parser.add_argument("--json", action="store_true", help="print as JSON")
    parser.set_defaults(run=_run_evaluate)


def _add_cross_validate(verbs: Verbs) -> None:
    parser = verbs.add_parser(
        "cross-validate", help="train and test a network a fold; goes on where it was stopped"
    )
    parser.add_argument("dataset", type=Path, nargs="+", metavar="DATASET", help="folders of VOIs")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="DIR", help="for folds and report"
    )
    parser.add_argument("--folds", type=int, default=10, help="default: %(default)s")
    parser.add_argument(
        "--against",
        type=Path,
        metavar="DIR",
        help="a finished cross-validation of the same VOIs to compare it with",
    )
    add_network(parser)
    _add_measuring(parser)
    add_regimes(parser)
    parser.set_defaults(run=_run_cross_validate)


def _add_measuring(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--no-crf", action="store_true", help="leave the refinement out")
    group = parser.add_argument_group("also compare measurements on simulated pullbacks")
    group.add_argument("--pullbacks", type=int, default=0, help="how many; default: none")
    group.add_argument(
        "--frames",
        type=int,
        nargs="+",
        default=[10, 60],
        metavar="N",
        help="frames in each: one number, or the fewest and the most; default: 10 60",
    )
    group.add_argument("--pullback-seed", type=int, default=900_001, help="of the first pullback")
    group.add_argument(
        "--physics",
        choices=PHYSICS_NAMES,
        default=PHYSICS_NAMES[0],
        help="how light behaves in them",
    )


def _measuring(args: argparse.Namespace) -> AgreementSettings | None:
    from calcviewer.training.agreement import AgreementSettings

    fewest, most = args.frames[0], args.frames[-1]
    if len(args.frames) > 2 or not 1 <= fewest <= most:
        raise CalcViewerError(
            f"--frames {' '.join(map(str, args.frames))} is no length.",
            "Give one number, or the fewest and the most.",
        )
    if not args.pullbacks:
        return None
    return AgreementSettings(
        pullbacks=args.pullbacks,
        frames=(fewest, most),
        seed=args.pullback_seed,
        physics=args.physics,
    )


def _run_evaluate(args: argparse.Namespace) -> int:
    from calcviewer.inference.model_card import ModelCard
    from calcviewer.training.report import as_document, as_markdown, write_report

    if not args.dataset and not args.pullbacks:
        raise CalcViewerError("There is nothing to evaluate.", "Give data sets or --pullbacks.")
    if args.against and not args.dataset:
        raise CalcViewerError("--against compares on data sets.", "Give a data set.")
    if args.neighbours and not args.dataset:
        raise CalcViewerError(
            "--neighbours is for data sets; pullbacks are always segmented with neighbours.",
            "Give a data set, or leave --neighbours out.",
        )
    vois = _test_vois(args)
    measuring = _measuring(args)
    result = _result(args, args.model, vois, measuring)
    against = _result(args, args.against, vois, None) if args.against else None
    if args.output:
        write_report(args.output, result, against=against)
        print(f"Written to {args.output}", file=sys.stderr)
    if args.json:
        document = {"model": asdict(ModelCard.load(args.model))}
        json.dump(document | as_document(result, against=against), sys.stdout, indent=2)
        print()
    elif not args.output:
        print(as_markdown(result, against=against), end="")
    return 0


def _test_vois(args: argparse.Namespace) -> list[Voi]:
    from calcviewer.training.dataset import split_vois

    vois = read_vois(args.dataset, args.stride, selection(args))
    if vois and args.folds is not None:
        return split_vois(vois, fold=args.fold, folds=args.folds).test
    return vois


def _result(
    args: argparse.Namespace, model: Path, vois: list[Voi], measuring: AgreementSettings | None
) -> Result:
    from calcviewer.inference.onnx import Network
    from calcviewer.training.agreement import measure_agreement
    from calcviewer.training.evaluate import evaluate
    from calcviewer.training.result import result_of

    network = Network.load(model)
    crf = None if args.no_crf else CrfParameters()
    evaluation = (
        evaluate(network, vois, crf=crf, neighbours=args.neighbours, progress=counter("frames"))
        if vois
        else None
    )
    agreement = (
        measure_agreement(network, settings=measuring, crf=crf, progress=counter("pullbacks"))
        if measuring
        else None
    )
    return result_of(network.card, evaluation, agreement)


@with_training_extra
def _run_cross_validate(args: argparse.Namespace) -> int:
    settings = train_settings(args)
    print_network(settings)
    from calcviewer.training.cross_validate import Listener, cross_validate, read_cross_validation
    from calcviewer.training.report import as_markdown, write_report

    against = read_cross_validation(args.against) if args.against else None
    result = cross_validate(
        read_vois(args.dataset, args.stride, selection(args)),
        args.output,
        settings=settings,
        extra=read_vois(args.also_train, args.stride, EVERYTHING),
        folds=args.folds,
        crf=None if args.no_crf else CrfParameters(),
        agreement=_measuring(args),
        listener=Listener(_show_fold, show_epoch, counter("frames")),
    )
    write_report(args.output, result, against=against)
    print(as_markdown(result, against=against), end="")
    print(f"Written to {args.output}", file=sys.stderr)
    return 0


def _show_fold(fold: int, finished: bool) -> None:
    print(f"fold {fold}{': finished earlier' if finished else ''}", file=sys.stderr, flush=True)
