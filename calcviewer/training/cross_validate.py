"""Ten-fold cross-validation (Gharaibeh et al. 2019, section 3.2): every VOI is tested once."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from calcviewer.app.voi_file import Voi
from calcviewer.core.atomic import staged_file
from calcviewer.core.errors import CalcViewerError
from calcviewer.core.from_json import parsed, value_of
from calcviewer.inference.crf import CrfParameters
from calcviewer.training.agreement import Agreement, AgreementSettings, measure_agreement, together
from calcviewer.training.architectures import describe
from calcviewer.training.blocks import FrameNetwork
from calcviewer.training.checkpoint import load_network
from calcviewer.training.dataset import split_vois
from calcviewer.training.evaluate import Evaluation, evaluate
from calcviewer.training.report import RESULTS
from calcviewer.training.result import Result
from calcviewer.training.train import (
    LAST,
    EpochReport,
    TrainSettings,
    choose_device,
    train,
)

PLAN = "plan.json"
_LIMITS_OF_A_RUN = ("max_minutes", "device", "precision")
"""Settings that say where and how long to compute, not what."""


@dataclass(frozen=True, eq=False)
class TorchPredictor:
    """Runs a network in PyTorch, on the device it was trained on."""

    network: FrameNetwork
    device: torch.device

    @classmethod
    def load(cls, checkpoint: Path, device: torch.device) -> TorchPredictor:
        """Load the network of a checkpoint."""
        return cls(load_network(checkpoint).to(device), device)

    def predict(self, images: NDArray[np.floating]) -> NDArray[np.float32]:
        """Class probabilities [n, 3, 480, 960] of preprocessed frames [n, 480, 960]."""
        x = torch.from_numpy(np.ascontiguousarray(images[:, None], dtype=np.float32))
        with torch.inference_mode():
            probabilities = self.network.probabilities(x.to(self.device)).cpu().numpy()
        return np.asarray(probabilities, dtype=np.float32)


@dataclass(frozen=True)
class Listener:
    """What is called while folds are computed."""

    on_fold: Callable[[int, bool], None]
    """(fold, whether it was finished earlier)."""
    on_epoch: Callable[[EpochReport], None]
    on_frame: Callable[[int, int], None]


def cross_validate(
    vois: Sequence[Voi],
    directory: Path,
    *,
    settings: TrainSettings,
    extra: Sequence[Voi] = (),
    folds: int = 10,
    crf: CrfParameters | None,
    agreement: AgreementSettings | None = None,
    listener: Listener | None = None,
) -> Result:
    """Train and test one network a fold, each in ``directory/fold-N``.

    What is finished is kept: called again, it goes on where it was stopped.

    Parameters
    ----------
    vois
        Read at ``settings.stride``; a source stays on one side of every split.
    extra
        Trained on in every fold, never tested.
    crf
        Parameters of the refinement; None leaves it out.
    agreement
        Also compare measurements on simulated pullbacks, other ones for every fold.

    Raises
    ------
    CalcViewerError
        The folder holds a cross-validation of other data or settings, or training fails.
    """
    folds = min(folds, len({voi.metadata.source for voi in vois}))
    plan = _plan(vois, extra, settings, folds=folds, agreement=agreement, crf=crf)
    _keep_to(plan, directory)
    parts = []
    for fold in range(folds):
        run = directory / f"fold-{fold}"
        finished = (run / RESULTS).exists()
        if listener:
            listener.on_fold(fold, finished)
        if not finished:
            split = split_vois(vois, fold=fold, folds=folds)
            best = train(
                [*split.train, *extra],
                split.validation,
                run,
                settings=settings,
                resume=(run / LAST).exists(),
                on_epoch=listener.on_epoch if listener else None,
            ).best
            network = TorchPredictor.load(best, choose_device(settings.device))
            _test(
                network, split.test, run, fold=fold, crf=crf, agreement=agreement, listener=listener
            )
        parts.append(_read_fold(run))
    return _result(parts, settings)


def read_cross_validation(directory: Path) -> Result:
    """Read what `cross_validate` left in a folder when all its folds were finished.

    Raises
    ------
    CalcViewerError
        There is none, or a fold is missing.
    """
    try:
        plan = parsed((directory / PLAN).read_bytes())
        parts = [_read_fold(directory / f"fold-{fold}") for fold in range(plan["folds"])]
        return _result(parts, TrainSettings(**plan["settings"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CalcViewerError(
            f"{directory} holds no finished cross-validation: {error}",
            "Finish it first with the command that began it.",
        ) from error


def _plan(
    vois: Sequence[Voi],
    extra: Sequence[Voi],
    settings: TrainSettings,
    *,
    folds: int,
    crf: CrfParameters | None,
    agreement: AgreementSettings | None,
) -> dict[str, Any]:
    """Return all that must be equal for folds to belong together, as JSON reads it back."""
    described = {
        "folds": folds,
        "vois": [voi.metadata.name for voi in vois],
        "also_trained": [voi.metadata.name for voi in extra],
        "settings": asdict(settings),
        "crf": asdict(crf) if crf else None,
        "agreement": asdict(agreement) if agreement else None,
    }
    plan: dict[str, Any] = json.loads(json.dumps(described, default=str))
    return plan


def _keep_to(plan: Mapping[str, Any], directory: Path) -> None:
    """Write the plan, or check that it is the one the folder was begun with."""
    path = directory / PLAN
    if not path.exists():
        directory.mkdir(parents=True, exist_ok=True)
        with staged_file(path) as stage:
            stage.write_text(json.dumps(plan, indent=2) + "\n", encoding="utf-8")
        return
    try:
        begun = value_of(Mapping[str, object], parsed(path.read_bytes()))
    except ValueError as error:
        raise CalcViewerError(f"{path} cannot be read: {error}", "Give another folder.") from error
    different = [key for key in plan if _essence(plan[key]) != _essence(begun.get(key))]
    if different:
        raise CalcViewerError(
            f"{directory} was begun with other {', '.join(different)}.",
            "Give the same data and options, or another folder.",
        )


def _essence(value: object) -> object:
    if isinstance(value, dict):
        return {key: one for key, one in value.items() if key not in _LIMITS_OF_A_RUN}
    return value


def _test(
    network: TorchPredictor,
    vois: Sequence[Voi],
    run: Path,
    *,
    fold: int,
    crf: CrfParameters | None,
    agreement: AgreementSettings | None,
    listener: Listener | None,
) -> None:
    """Test a trained fold and write its results, which mark it as finished."""
    progress = listener.on_frame if listener else None
    document: dict[str, Any] = {
        "evaluation": evaluate(network, vois, crf=crf, progress=progress).as_dict()
    }
    if agreement:
        own = replace(agreement, seed=agreement.seed + fold * agreement.pullbacks)
        measured = measure_agreement(network, settings=own, crf=crf)
        document["agreement"] = measured.as_dict()
    with staged_file(run / RESULTS) as stage:
        stage.write_text(json.dumps(document, allow_nan=False) + "\n", encoding="utf-8")


def _read_fold(run: Path) -> tuple[Evaluation, Agreement | None]:
    document = parsed((run / RESULTS).read_bytes())
    measured = document.get("agreement")
    evaluation = Evaluation.from_dict(document["evaluation"])
    return evaluation, Agreement.from_dict(measured) if measured else None


def _result(
    parts: Sequence[tuple[Evaluation, Agreement | None]], settings: TrainSettings
) -> Result:
    measured = [agreement for _, agreement in parts if agreement]
    words = describe(
        settings.architecture,
        width=settings.width,
        stride=settings.stride,
        geometry=settings.geometry,
    )
    return Result(
        title=f"{words}, {len(parts)} folds",
        geometry=settings.geometry,
        folds=tuple(evaluation for evaluation, _ in parts),
        agreement=together(measured) if measured else None,
    )
