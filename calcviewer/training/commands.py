"""The verbs of training. PyTorch is imported when one of them runs, not before."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from calcviewer.core.errors import CalcViewerError
from calcviewer.core.from_json import parsed, record
from calcviewer.training import evaluate_commands
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


def add_verbs(verbs: Verbs) -> None:
    """Add the verbs that make data sets, train, evaluate and export networks."""
    _add_make_dataset(verbs)
    _add_train(verbs)
    _add_average(verbs)
    evaluate_commands.add_verbs(verbs)
    _add_export(verbs)


def _add_make_dataset(verbs: Verbs) -> None:
    parser = verbs.add_parser(
        "make-dataset", help="make VOIs to train on: simulated, or frames with lumen masks"
    )
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="DIR", help="for the data set"
    )
    parser.add_argument("--vois", type=int, default=400, help="simulated VOIs")
    parser.add_argument("--frames-per-voi", type=int, default=8, help="of one pullback")
    parser.add_argument(
        "--frame-step", type=int, default=2, help="take every so manieth frame of a pullback"
    )
    parser.add_argument("--stride", type=int, default=2, help="reduce the grid by this factor")
    parser.add_argument("--seed", type=int, default=1, help="another seed, other vessels")
    parser.add_argument(
        "--physics",
        choices=PHYSICS_NAMES,
        nargs="+",
        default=[PHYSICS_NAMES[0]],
        help="how light behaves; VOIs take turns among several",
    )
    add_regimes(parser)
    real = parser.add_argument_group("real frames instead, calibrated on their catheter")
    real.add_argument("--frames", type=Path, metavar="FOLDER", help="the images")
    real.add_argument("--masks", type=Path, metavar="FOLDER", help="TIFF planes, lumen first")
    real.add_argument("--first", type=int, default=1, help="frame, from 1")
    real.add_argument("--last", type=int, help="frame, from 1")
    parser.set_defaults(run=_run_make_dataset)


def _add_train(verbs: Verbs) -> None:
    parser = verbs.add_parser("train", help="train a network on data sets")
    parser.add_argument("dataset", type=Path, nargs="+", metavar="DATASET", help="folders of VOIs")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="RUN", help="for checkpoints and log"
    )
    add_network(parser)
    split = parser.add_argument_group("split; pullbacks stay whole")
    split.add_argument("--folds", type=int, default=10, help="default: %(default)s")
    split.add_argument("--fold", type=int, default=0, help="the one that tests")
    add_regimes(parser)
    parser.add_argument("--resume", action="store_true", help="continue the run in RUN")
    parser.set_defaults(run=_run_train)


def _add_average(verbs: Verbs) -> None:
    parser = verbs.add_parser(
        "average-checkpoints", help="average networks that were trained on from the same weights"
    )
    parser.add_argument(
        "checkpoint", type=Path, nargs="+", metavar="CHECKPOINT", help="best.pt or last.pt of runs"
    )
    parser.add_argument(
        "--data", type=Path, nargs="+", required=True, metavar="DATASET", help="of their training"
    )
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE.pt", help="the average"
    )
    parser.add_argument("--seed", type=int, default=0, help="which frames of the data are seen")
    parser.set_defaults(run=_run_average)


def _add_export(verbs: Verbs) -> None:
    parser = verbs.add_parser("export-model", help="export a checkpoint to ONNX with its card")
    parser.add_argument("checkpoint", type=Path, help="best.pt or last.pt of a run")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="MODELS", help="folder of models"
    )
    parser.add_argument(
        "--description",
        type=Path,
        required=True,
        metavar="JSON",
        help="name, version, data_origin, training_data, split, metrics, licence",
    )
    parser.set_defaults(run=_run_export)


@with_training_extra
def _run_make_dataset(args: argparse.Namespace) -> int:
    from calcviewer.modalities.ivoct.read import ReadOptions
    from calcviewer.training.generate import GenerateSettings, generate_dataset
    from calcviewer.training.labelled import write_labelled_vois

    if args.frames is None:
        settings = GenerateSettings(
            vois=args.vois,
            frames_per_voi=args.frames_per_voi,
            frame_step=args.frame_step,
            stride=args.stride,
            seed=args.seed,
            physics=tuple(args.physics),
            selection=selection(args),
        )
        paths = generate_dataset(args.output, settings=settings, progress=counter("VOIs"))
    else:
        if args.masks is None or args.last is None:
            raise CalcViewerError("--frames needs --masks and --last.", "Give all three.")
        paths = write_labelled_vois(
            args.output,
            args.frames,
            args.masks,
            first=args.first - 1,
            last=args.last - 1,
            read_options=ReadOptions(calibrate_on_catheter=True),
            frames_per_voi=args.frames_per_voi,
            stride=args.stride,
            progress=counter("frames"),
        )
    print(f"{len(paths)} VOIs written to {args.output}")
    return 0


@with_training_extra
def _run_train(args: argparse.Namespace) -> int:
    settings = train_settings(args)
    print_network(settings)
    from calcviewer.training.dataset import split_vois
    from calcviewer.training.train import train

    vois = read_vois(args.dataset, args.stride, selection(args))
    split = split_vois(vois, fold=args.fold, folds=args.folds)
    extra = read_vois(args.also_train, args.stride, EVERYTHING)
    result = train(
        [*split.train, *extra],
        split.validation,
        args.output,
        settings=settings,
        resume=args.resume,
        on_step=_show_step,
        on_epoch=show_epoch,
    )
    print(f"Ended ({result.reason}) after {result.epochs} epochs; best network: {result.best}")
    return 0


def _show_step(step: int, steps: int, loss: float) -> None:
    if step % 20 == 0 or step == steps:
        print(f"step {step}/{steps}, loss {loss:.4f}", end="\r", file=sys.stderr, flush=True)


@with_training_extra
def _run_average(args: argparse.Namespace) -> int:
    from calcviewer.training.average import average_checkpoints
    from calcviewer.training.checkpoint import read_checkpoint

    stride = read_checkpoint(args.checkpoint[0])["stride"]
    vois = read_vois(args.data, stride, EVERYTHING)
    average_checkpoints(args.checkpoint, vois, args.output, seed=args.seed)
    print(f"Written to {args.output}")
    return 0


@with_training_extra
def _run_export(args: argparse.Namespace) -> int:
    from calcviewer.training.export import ModelDescription, export_model

    try:
        description = record(ModelDescription, parsed(args.description.read_bytes()))
    except (OSError, ValueError) as error:
        raise CalcViewerError(
            f"{args.description} does not describe a model: {error}",
            "See models/README.md for what it must hold.",
        ) from error
    folder = export_model(args.checkpoint, args.output, description=description)
    print(f"Written to {folder}")
    return 0
