"""The training loop (Gharaibeh 2019, section 3.2)."""

import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from calcviewer.app.voi_file import Labels, Voi
from calcviewer.core.errors import CalcViewerError
from calcviewer.training import augment
from calcviewer.training.architectures import build_network
from calcviewer.training.augment import Augmentation
from calcviewer.training.blocks import FrameNetwork, Geometry
from calcviewer.training.checkpoint import take_weights, write_checkpoint
from calcviewer.training.dataset import batches
from calcviewer.training.evaluate import confusion_matrix, f1_of_classes, json_number
from calcviewer.training.loss import masked_cross_entropy, median_frequency_weights
from calcviewer.training.segnet import initialise_vgg16

LAST, BEST, LOG = "last.pt", "best.pt", "log.jsonl"


@dataclass(frozen=True)
class TrainSettings:
    """How to train. The defaults are the paper's, except for the light network.

    ``geometry`` "cartesian" trains on scan-converted frames that are turned by any angle, as the
    seed did for comparison; data sets are polar either way.
    ``schedule`` "cosine" warms up over 3 % of the run and falls to zero at its end, where the end
    is ``max_epochs`` or ``max_minutes``, whichever comes first. ``class_weight_power`` 1 is the
    published median-frequency weighting, 0 none. ``precision`` "auto" takes bfloat16 where the
    processor multiplies it natively. A run is repeatable from ``seed`` unless ``max_minutes``
    cuts it short.
    """

    architecture: str = "segnet"
    width: float = 0.25
    stride: int = 2
    geometry: Geometry = "polar"
    batch_size: int = 2
    max_epochs: int = 120
    patience: int = 10
    min_improvement: float = 1e-4
    max_minutes: float | None = None
    learning_rate: float = 1e-3
    weight_decay: float = 1e-3
    schedule: Literal["constant", "cosine"] = "constant"
    class_weight_power: float = 1.0
    augmentation: Augmentation | None = augment.DEFAULT
    seed: int = 0
    device: Literal["auto", "cpu", "cuda"] = "auto"
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    vgg16: Path | None = None
    initial: Path | None = None


@dataclass(frozen=True)
class EpochReport:
    """One line of the log: losses, Dice per class on the validation VOIs, learning rate, time."""

    epoch: int
    step: int
    train_loss: float
    validation_loss: float
    dice: dict[str, float]
    learning_rate: float
    seconds: float
    best: bool


@dataclass(frozen=True)
class TrainResult:
    """Where a run ended and why; ``best`` is the checkpoint of the lowest validation loss."""

    best: Path
    last: Path
    epochs: int
    reason: Literal["converged", "epochs", "time"]
    validation_loss: float


@dataclass
class _Progress:
    """What a resumed run must remember."""

    epoch: int = 0
    step: int = 0
    best_loss: float = math.inf
    stale_epochs: int = 0
    seconds: float = 0.0


def train(
    training: Sequence[Voi],
    validation: Sequence[Voi],
    run: Path,
    *,
    settings: TrainSettings,
    resume: bool = False,
    on_step: Callable[[int, int, float], None] | None = None,
    on_epoch: Callable[[EpochReport], None] | None = None,
) -> TrainResult:
    """Train a network and leave checkpoints and a JSON-lines log in the folder ``run``.

    Parameters
    ----------
    training, validation
        VOIs read at ``settings.stride``.
    resume
        Continue from ``run/last.pt``.
    on_step
        Called with (step, steps of this epoch, loss) after every batch.
    on_epoch
        Called after every validation.

    Raises
    ------
    CalcViewerError
        No data, a class without a pixel, an unusable device, checkpoint or initialisation, or a
        loss that is not finite.
    """
    if not training or not validation:
        raise CalcViewerError(
            "Training needs VOIs to train on and VOIs to validate on.", "Check the split."
        )
    if resume and not (run / LAST).exists():
        raise CalcViewerError(f"{run} holds no run to resume.", "Start it without resuming.")
    run.mkdir(parents=True, exist_ok=True)
    trainer = _Trainer(training, validation, run, settings)
    if resume:
        trainer.restore()
    else:
        trainer.begin()
    return trainer.loop(on_step, on_epoch)


def choose_device(wanted: Literal["auto", "cpu", "cuda"]) -> torch.device:
    """Resolve the device; asking for CUDA where there is none is an error."""
    if wanted == "cuda" and not torch.cuda.is_available():
        raise CalcViewerError(
            "No CUDA device is available to torch.", "Use --device cpu, or install torch for CUDA."
        )
    if wanted == "auto":
        wanted = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(wanted)


def use_bfloat16(precision: str, device: torch.device) -> bool:
    """Whether to multiply in bfloat16: as asked, else where the processor has it natively."""
    if precision != "auto":
        return precision == "bfloat16"
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    return bool(torch.cpu._is_avx512_bf16_supported())


class _Trainer:
    """Network, optimiser and progress of one run."""

    def __init__(
        self, training: Sequence[Voi], validation: Sequence[Voi], run: Path, settings: TrainSettings
    ) -> None:
        self.training = training
        self.validation = validation
        self.run = run
        self.settings = settings
        self.progress = _Progress()
        self.started = time.monotonic()
        self.augmentation = augment.suited_to(settings.augmentation, settings.geometry)
        self.device = choose_device(settings.device)
        self.bfloat16 = use_bfloat16(settings.precision, self.device)
        torch.manual_seed(settings.seed)
        network = build_network(
            settings.architecture,
            width=settings.width,
            stride=settings.stride,
            geometry=settings.geometry,
        )
        self.vgg16_sha256 = initialise_vgg16(network, settings.vgg16) if settings.vgg16 else None
        if settings.initial:
            take_weights(network, settings.initial)
        # Channels last is the faster layout of bfloat16 convolutions on the CPU and on CUDA.
        self.network = network.to(self.device, memory_format=torch.channels_last)
        # Decoupled decay: in plain Adam the decay is divided by the size of the gradients, which
        # for the published 1e-3 makes it stronger than what the rare class has to say.
        self.optimiser = torch.optim.AdamW(
            _parameter_groups(self.network, settings.weight_decay), lr=settings.learning_rate
        )
        self.class_weights = median_frequency_weights(
            self.work_labels(), power=settings.class_weight_power
        )
        self.weights = torch.from_numpy(self.class_weights).to(self.device)
        frame_count = sum(len(voi.images) for voi in training)
        self.steps_per_epoch = math.ceil(frame_count / settings.batch_size)

    def work_labels(self) -> Iterator[Labels]:
        """Yield the labels of every training frame as the loss sees them."""
        for voi in self.training:
            for labels in voi.labels:
                polar = torch.from_numpy(labels)[None].to(self.device)
                yield self.network.work_labels(polar)[0].cpu().numpy()

    def begin(self) -> None:
        """Start the log with all that is needed to repeat the run."""
        record = {
            "settings": asdict(self.settings),
            "class_weights": self.class_weights.tolist(),
            "training": [voi.metadata.name for voi in self.training],
            "validation": [voi.metadata.name for voi in self.validation],
            "vgg16_sha256": self.vgg16_sha256,
            "torch": torch.__version__,
            "device": str(self.device),
            "bfloat16": self.bfloat16,
        }
        (self.run / LOG).write_text(json.dumps(record, default=str) + "\n")

    def restore(self) -> None:
        """Take up network, optimiser and progress of the last epoch."""
        state = take_weights(self.network, self.run / LAST)
        self.optimiser.load_state_dict(state["optimiser"])
        self.progress = _Progress(**state["progress"])
        self.started = time.monotonic() - self.progress.seconds

    def loop(
        self,
        on_step: Callable[[int, int, float], None] | None,
        on_epoch: Callable[[EpochReport], None] | None,
    ) -> TrainResult:
        """Train until the stop rule, the epoch limit or the time limit."""
        while (reason := self.stop_reason()) is None:
            before = time.monotonic()
            losses = list(self.epoch(on_step))
            report = self.finish_epoch(float(np.mean(losses)), time.monotonic() - before)
            with (self.run / LOG).open("a") as log:
                scores = {name: json_number(value) for name, value in report.dice.items()}
                log.write(json.dumps({**asdict(report), "dice": scores}) + "\n")
            if on_epoch:
                on_epoch(report)
        return TrainResult(
            best=self.run / BEST,
            last=self.run / LAST,
            epochs=self.progress.epoch,
            reason=reason,
            validation_loss=self.progress.best_loss,
        )

    def stop_reason(self) -> Literal["converged", "epochs", "time"] | None:
        """Name the stop rule that holds after this epoch, if any."""
        if self.progress.stale_epochs >= self.settings.patience:
            return "converged"
        if self.progress.epoch >= self.settings.max_epochs:
            return "epochs"
        # However short the time, a run leaves a checkpoint: its first epoch is validated and saved.
        return "time" if self.progress.epoch and self.time_fraction() >= 1 else None

    def time_fraction(self) -> float:
        """Part of the allowed time that has passed."""
        if self.settings.max_minutes is None:
            return 0.0
        return (time.monotonic() - self.started) / (60 * self.settings.max_minutes)

    def epoch(self, on_step: Callable[[int, int, float], None] | None) -> Iterator[float]:
        """Train one epoch; yield the loss of every batch."""
        self.network.train()
        prepared = batches(
            self.training,
            batch_size=self.settings.batch_size,
            seed=self.settings.seed,
            epoch=self.progress.epoch,
            augmentation=self.augmentation,
            shuffle=True,
        )
        for number, (images, labels) in enumerate(prepared, start=1):
            loss = self.step(images, labels)
            yield loss
            if on_step:
                on_step(number, self.steps_per_epoch, loss)
            if self.time_fraction() >= 1:
                return

    def step(self, images: NDArray[np.float32], labels: Labels) -> float:
        """Take one optimiser step on a batch; return its loss."""
        rate = self.learning_rate()
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.zero_grad(set_to_none=True)
        loss = self.loss(images, labels)[0]
        loss.backward()
        self.optimiser.step()
        self.progress.step += 1
        value = float(loss.detach())
        if not math.isfinite(value):
            raise CalcViewerError(
                f"The loss became {value} at step {self.progress.step}.",
                "Lower the learning rate.",
            )
        return value

    def learning_rate(self) -> float:
        """Learning rate of the coming step."""
        peak = self.settings.learning_rate
        if self.settings.schedule == "constant":
            return peak
        steps = self.settings.max_epochs * self.steps_per_epoch
        part = min(max(self.progress.step / steps, self.time_fraction()), 1.0)
        warm_up = 0.03
        if part < warm_up:
            return peak * (0.05 + 0.95 * part / warm_up)
        return peak * 0.5 * (1 + math.cos(math.pi * (part - warm_up) / (1 - warm_up)))

    def loss(self, images: NDArray[np.float32], labels: Labels) -> tuple[Tensor, Tensor, Tensor]:
        """Loss of a batch, and logits and labels on the network's work grid."""
        x = self.network.work_images(torch.from_numpy(images).unsqueeze(1).to(self.device))
        target = self.network.work_labels(torch.from_numpy(labels).to(self.device))
        x = x.contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16):
            logits = self.network.work_logits(x)
        return masked_cross_entropy(logits, target, self.weights), logits, target

    def validate(self) -> tuple[float, dict[str, float]]:
        """Loss and Dice per class on the validation VOIs."""
        self.network.eval()
        losses: list[float] = []
        sizes: list[int] = []
        confusion = np.zeros((3, 3), dtype=np.int64)
        for images, labels in batches(self.validation, batch_size=self.settings.batch_size):
            with torch.no_grad():
                loss, logits, target = self.loss(images, labels)
            losses.append(float(loss))
            sizes.append(len(images))
            predicted = logits.argmax(dim=1).to(torch.uint8).cpu().numpy()
            confusion += confusion_matrix(target.cpu().numpy(), predicted)
        return float(np.average(losses, weights=sizes)), f1_of_classes(confusion)

    def finish_epoch(self, train_loss: float, seconds: float) -> EpochReport:
        """Validate, apply the stop rule, write the checkpoints."""
        loss, scores = self.validate()
        progress = self.progress
        progress.epoch += 1
        progress.seconds = time.monotonic() - self.started
        improved = loss < progress.best_loss * (1 - self.settings.min_improvement)
        progress.stale_epochs = 0 if improved else progress.stale_epochs + 1
        best = loss < progress.best_loss
        progress.best_loss = min(loss, progress.best_loss)
        for name in [LAST, BEST] if best else [LAST]:
            self.save(self.run / name)
        return EpochReport(
            epoch=progress.epoch,
            step=progress.step,
            train_loss=train_loss,
            validation_loss=loss,
            dice=scores,
            learning_rate=float(self.optimiser.param_groups[0]["lr"]),
            seconds=seconds,
            best=best,
        )

    def save(self, path: Path) -> None:
        """Write a checkpoint."""
        write_checkpoint(
            path,
            self.network,
            optimiser=self.optimiser.state_dict(),
            progress=asdict(self.progress),
        )


def _parameter_groups(network: FrameNetwork, weight_decay: float) -> list[dict[str, Any]]:
    """Decay convolution kernels only: the paper regularises the weights, not shifts and scales."""
    kernels = [p for p in network.parameters() if p.ndim > 1]
    others = [p for p in network.parameters() if p.ndim <= 1]
    return [
        {"params": kernels, "weight_decay": weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
