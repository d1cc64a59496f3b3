"""The verbs of training. PyTorch is imported when one of them runs, not before."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from calcviewer.app.voi_file import Voi, read_dataset
from calcviewer.core.errors import CalcViewerError

if TYPE_CHECKING:
    from calcviewer.training.train import EpochReport

Verbs = Any  # argparse names the type of add_subparsers only privately


def add_verbs(verbs: Verbs) -> None:
    """Add the verbs that make data sets, train, evaluate and export networks."""
    for add in (_add_make_dataset, _add_train, _add_evaluate, _add_export):
        add(verbs)


def _add_make_dataset(verbs: Verbs) -> None:
    parser = verbs.add_parser(
        "make-dataset", help="make VOIs to train on: simulated, or frames with lumen masks"
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR")
    parser.add_argument("--vois", type=int, default=400, help="simulated VOIs")
    parser.add_argument("--frames-per-voi", type=int, default=8)
    parser.add_argument("--stride", type=int, default=2, help="reduce the grid by this factor")
    parser.add_argument("--seed", type=int, default=1)
    real = parser.add_argument_group("real frames instead, calibrated on their catheter")
    real.add_argument("--frames", type=Path, metavar="FOLDER")
    real.add_argument("--masks", type=Path, metavar="FOLDER", help="TIFF planes, lumen first")
    real.add_argument("--first", type=int, default=1)
    real.add_argument("--last", type=int)
    parser.set_defaults(run=_run_make_dataset)


def _add_train(verbs: Verbs) -> None:
    parser = verbs.add_parser("train", help="train a network on data sets")
    parser.add_argument("dataset", type=Path, nargs="+", metavar="DATASET")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="RUN")
    parser.add_argument(
        "--also-train",
        type=Path,
        nargs="*",
        default=[],
        metavar="DATASET",
        help="data that never validates or tests",
    )
    parser.add_argument("--width", type=float, default=0.25, help="1 is the published network")
    parser.add_argument("--stride", type=int, default=2)
    parser.add_argument("--batch-size", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=120)
    parser.add_argument("--minutes", type=float, help="stop after this time at the latest")
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--schedule", choices=("constant", "cosine"), default="constant")
    parser.add_argument(
        "--class-weight-power", type=float, default=1.0, help="1: median frequency; 0: none"
    )
    _add_split(parser, folds=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--init", type=Path, metavar="VGG16.pth", help="VGG-16 initialisation")
    parser.add_argument("--init-from", type=Path, metavar="CHECKPOINT", help="fine-tune")
    parser.add_argument("--resume", action="store_true", help="continue the run in RUN")
    parser.set_defaults(run=_run_train)


def _add_evaluate(verbs: Verbs) -> None:
    parser = verbs.add_parser("evaluate", help="measure a network on labelled VOIs")
    parser.add_argument("dataset", type=Path, nargs="*", metavar="DATASET")
    parser.add_argument("--model", type=Path, required=True, metavar="DIR", help="model folder")
    parser.add_argument("--no-crf", action="store_true", help="leave the refinement out")
    parser.add_argument("--stride", type=int, default=2, help="of the data sets")
    measured = parser.add_argument_group("also compare measurements on simulated pullbacks")
    measured.add_argument("--pullbacks", type=int, default=0, help="how many; default: none")
    measured.add_argument("--frames", type=int, default=20, help="frames in each")
    measured.add_argument("--seed", type=int, default=900_001, help="of the first pullback")
    _add_split(parser, folds=None)
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=_run_evaluate)


def _add_split(parser: argparse.ArgumentParser, *, folds: int | None) -> None:
    group = parser.add_argument_group("split; pullbacks stay whole")
    group.add_argument("--folds", type=int, default=folds, help="default: %(default)s")
    group.add_argument("--fold", type=int, default=0, help="the one that tests")


def _add_export(verbs: Verbs) -> None:
    parser = verbs.add_parser("export-model", help="export a checkpoint to ONNX with its card")
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="MODELS")
    parser.add_argument(
        "--description",
        type=Path,
        required=True,
        metavar="JSON",
        help="name, version, data_origin, training_data, split, metrics, licence",
    )
    parser.set_defaults(run=_run_export)


def _counter(title: str) -> Callable[[int, int], None]:
    """Return a progress callback that keeps one line on standard error up to date."""

    def show(done: int, wanted: int) -> None:
        end = "\n" if done == wanted else "\r"
        print(f"{title} {done}/{wanted}", end=end, file=sys.stderr, flush=True)

    return show


def _with_training_extra(work: Callable[[argparse.Namespace], int]) -> Callable[..., int]:
    """Say what to install when PyTorch or ONNX is not there."""

    def run(args: argparse.Namespace) -> int:
        try:
            return work(args)
        except ModuleNotFoundError as error:
            raise CalcViewerError(
                f"This command needs {error.name}, which is not installed.",
                "Install CalcViewer with the extra 'train'.",
            ) from error

    return run


@_with_training_extra
def _run_make_dataset(args: argparse.Namespace) -> int:
    from calcviewer.modalities.ivoct.read import ReadOptions
    from calcviewer.training.generate import GenerateSettings, generate_dataset
    from calcviewer.training.labelled import write_labelled_vois

    if args.frames is None:
        settings = GenerateSettings(
            vois=args.vois,
            frames_per_voi=args.frames_per_voi,
            stride=args.stride,
            seed=args.seed,
        )
        paths = generate_dataset(args.output, settings=settings, progress=_counter("VOIs"))
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
            progress=_counter("frames"),
        )
    print(f"{len(paths)} VOIs written to {args.output}")
    return 0


@_with_training_extra
def _run_train(args: argparse.Namespace) -> int:
    # Threads that spin while they wait cost a shared machine ten times the work of a step.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    from calcviewer.training.dataset import split_vois
    from calcviewer.training.train import TrainSettings, train

    split = split_vois(_read(args.dataset, args.stride), fold=args.fold, folds=args.folds)
    extra = _read(args.also_train, args.stride)
    settings = TrainSettings(
        width=args.width,
        stride=args.stride,
        batch_size=args.batch_size,
        max_epochs=args.epochs,
        max_minutes=args.minutes,
        learning_rate=args.learning_rate,
        schedule=args.schedule,
        class_weight_power=args.class_weight_power,
        seed=args.seed,
        device=args.device,
        vgg16=args.init,
        initial=args.init_from,
    )
    result = train(
        [*split.train, *extra],
        split.validation,
        args.output,
        settings=settings,
        resume=args.resume,
        on_step=_show_step,
        on_epoch=_show_epoch,
    )
    print(f"Ended ({result.reason}) after {result.epochs} epochs; best network: {result.best}")
    return 0


def _show_step(step: int, steps: int, loss: float) -> None:
    if step % 20 == 0 or step == steps:
        print(f"step {step}/{steps}, loss {loss:.4f}", end="\r", file=sys.stderr, flush=True)


def _show_epoch(report: EpochReport) -> None:
    dice = ", ".join(f"{name} {value:.3f}" for name, value in report.dice.items())
    print(
        f"epoch {report.epoch}: training loss {report.train_loss:.4f}, validation loss "
        f"{report.validation_loss:.4f}{' (best)' if report.best else ''}, Dice: {dice}",
        flush=True,
    )


def _run_evaluate(args: argparse.Namespace) -> int:
    from calcviewer.inference.crf import CrfParameters
    from calcviewer.inference.onnx import Network
    from calcviewer.training.agreement import format_agreement, measure_agreement
    from calcviewer.training.dataset import split_vois
    from calcviewer.training.evaluate import evaluate, format_tables

    if not args.dataset and not args.pullbacks:
        raise CalcViewerError("There is nothing to evaluate.", "Give data sets or --pullbacks.")
    network = Network.load(args.model)
    crf = None if args.no_crf else CrfParameters()
    results: dict[str, object] = {"model": asdict(network.card)}
    if args.dataset:
        vois = _read(args.dataset, args.stride)
        if args.folds is not None:
            vois = split_vois(vois, fold=args.fold, folds=args.folds).test
        evaluation = evaluate(network, vois, crf=crf, progress=_counter("frames"))
        results |= evaluation.as_dict()
        if not args.json:
            print(format_tables(evaluation))
    if args.pullbacks:
        agreement = measure_agreement(
            network,
            pullbacks=args.pullbacks,
            frames=args.frames,
            seed=args.seed,
            crf=crf,
            progress=_counter("pullbacks"),
        )
        results["agreement"] = agreement.as_dict()
        if not args.json:
            print(format_agreement(agreement), end="")
    if args.json:
        json.dump(results, sys.stdout, indent=2)
        print()
    return 0


@_with_training_extra
def _run_export(args: argparse.Namespace) -> int:
    from calcviewer.training.export import ModelDescription, export_model

    try:
        description = ModelDescription(**json.loads(args.description.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise CalcViewerError(
            f"{args.description} does not describe a model: {error}",
            "See models/README.md for what it must hold.",
        ) from error
    folder = export_model(args.checkpoint, args.output, description=description)
    print(f"Written to {folder}")
    return 0


def _read(directories: list[Path], stride: int) -> list[Voi]:
    return [voi for directory in directories for voi in read_dataset(directory, stride=stride)]
