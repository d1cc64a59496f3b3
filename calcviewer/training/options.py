"""What the verbs of training share: options, progress, and how data sets are read."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from calcviewer.app.voi_file import Voi, read_dataset
from calcviewer.core.errors import CalcViewerError
from calcviewer.simulation.physics import FITTED, PHYSICS
from calcviewer.training.regimes import REGIMES, Choice, Selection, parse_choice

if TYPE_CHECKING:
    from calcviewer.training.train import EpochReport, TrainSettings

Verbs = Any  # argparse names the type of add_subparsers only privately
ARCHITECTURE_NAMES = ("segnet", "unet", "deeplabv3plus")
PHYSICS_NAMES = (FITTED, *PHYSICS)


def add_regimes(parser: argparse.ArgumentParser) -> None:
    """Add the selection of simulated VOIs by their regimes."""
    group = parser.add_argument_group(f"regimes of simulated VOIs ({', '.join(REGIMES)})")
    for option, words in (("--only", "all of these"), ("--without", "none of these")):
        group.add_argument(
            option, type=_choice, nargs="+", default=[], metavar="NAME=VALUE", help=words
        )


def selection(args: argparse.Namespace) -> Selection:
    """Return the selection that was asked for."""
    return Selection(only=tuple(args.only), without=tuple(args.without))


def add_network(parser: argparse.ArgumentParser) -> None:
    """Add what fixes a network and how it is trained, but not its data."""
    parser.add_argument(
        "--architecture", choices=ARCHITECTURE_NAMES, default="segnet", help="kind of network"
    )
    parser.add_argument("--width", type=float, default=0.25, help="1 is the published network")
    parser.add_argument("--stride", type=int, default=2, help="reduce the grid by this factor")
    parser.add_argument(
        "--geometry",
        choices=("polar", "cartesian"),
        default="polar",
        help="frames to work on; data sets and results are polar either way",
    )
    parser.add_argument("--batch-size", type=int, default=2, help="frames a step")
    parser.add_argument("--epochs", type=int, default=120, help="at most")
    parser.add_argument("--minutes", type=float, help="stop after this time at the latest")
    parser.add_argument("--learning-rate", type=float, default=1e-3, help="of Adam")
    parser.add_argument(
        "--schedule",
        choices=("constant", "cosine"),
        default="constant",
        help="of the learning rate",
    )
    parser.add_argument(
        "--class-weight-power", type=float, default=1.0, help="1: median frequency; 0: none"
    )
    parser.add_argument("--seed", type=int, default=0, help="of first weights and order")
    parser.add_argument(
        "--device", choices=("auto", "cpu", "cuda"), default="auto", help="where it is trained"
    )
    parser.add_argument("--init", type=Path, metavar="VGG16.pth", help="VGG-16 initialisation")
    parser.add_argument("--init-from", type=Path, metavar="CHECKPOINT", help="fine-tune")
    parser.add_argument(
        "--also-train",
        type=Path,
        nargs="*",
        default=[],
        metavar="DATASET",
        help="data that never validates or tests",
    )


def train_settings(args: argparse.Namespace) -> TrainSettings:
    """Return the settings of the options that `add_network` added."""
    # Threads that spin while they wait cost a shared machine ten times the work of a step.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    from calcviewer.training.train import TrainSettings

    return TrainSettings(
        architecture=args.architecture,
        width=args.width,
        stride=args.stride,
        geometry=args.geometry,
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


def print_network(settings: TrainSettings) -> None:
    """Say on standard error which network is trained and what it costs."""
    from calcviewer.training.architectures import build_network, cost_of, description_of

    network = build_network(
        settings.architecture,
        width=settings.width,
        stride=settings.stride,
        geometry=settings.geometry,
    )
    print(f"{description_of(network)}: {cost_of(network)}", file=sys.stderr, flush=True)


def read_vois(directories: list[Path], stride: int, wanted: Selection) -> list[Voi]:
    """Read the wanted VOIs of data sets.

    Raises
    ------
    CalcViewerError
        None of them is wanted, or a data set cannot be read.
    """
    vois = [voi for directory in directories for voi in read_dataset(directory, stride=stride)]
    kept = [voi for voi in vois if wanted.accepts(voi.metadata.regimes)]
    if vois and not kept:
        raise CalcViewerError(
            "No VOI is of the regimes asked for.",
            "Only simulated VOIs know their regimes; older data sets have to be made again.",
        )
    return kept


def counter(title: str) -> Callable[[int, int], None]:
    """Return a progress callback that keeps one line on standard error up to date."""

    def show(done: int, wanted: int) -> None:
        end = "\n" if done == wanted else "\r"
        print(f"{title} {done}/{wanted}", end=end, file=sys.stderr, flush=True)

    return show


def show_epoch(report: EpochReport) -> None:
    """Print one line on an epoch."""
    dice = ", ".join(f"{name} {value:.3f}" for name, value in report.dice.items())
    print(
        f"epoch {report.epoch}: training loss {report.train_loss:.4f}, validation loss "
        f"{report.validation_loss:.4f}{' (best)' if report.best else ''}, Dice: {dice}",
        flush=True,
    )


def with_training_extra(work: Callable[[argparse.Namespace], int]) -> Callable[..., int]:
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


def _choice(text: str) -> Choice:
    try:
        return parse_choice(text)
    except CalcViewerError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
