"""The networks that are installed, and whether they are what their cards say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from calcviewer.app.measured_error import error_on
from calcviewer.core.errors import CalcViewerError
from calcviewer.core.resources import models_path
from calcviewer.inference.model_card import ModelCard, list_models
from calcviewer.inference.onnx import Network


def describe_models(*, verify: bool) -> list[dict[str, Any]]:
    """Return one record per installed model: its card and, in ``fault``, why it is not usable.

    Parameters
    ----------
    verify
        Also load each network, beyond comparing its hash with the card.
    """
    return [_describe(folder.name, verify=verify) for folder in list_models(models_path())]


def describe_line(model: dict[str, Any]) -> str:
    """Return one line about a model as `describe_models` gives it."""
    if model["fault"]:
        return f"{model['name']}: NOT USABLE. {model['fault']}"
    return (
        f"{model['name']} {model['version']}: {model['architecture']}; trained on "
        f"{model['data_origin']} data; {model['checked']}"
    )


def summarise(name: str) -> str:
    """Return what an operator chooses a network by: what it is, and how well it did on test data.

    What the card does not tell is left out; of a network that cannot be used it is said why.
    """
    try:
        card = ModelCard.load(models_path() / name)
    except CalcViewerError as error:
        return str(error)
    return "\n".join([f"{card.architecture}, version {card.version}", *_results(card)])


def _results(card: ModelCard) -> list[str]:
    """Calcium's Dice and the agreement of the largest arc, as `calcviewer evaluate` writes them."""
    found = []
    dice = _calcium_dice(card.metrics)
    if dice is not None:
        found.append(f"calcium Dice {dice:.2f}")
    if error := error_on(card):
        lower, upper = error.arc_limits_deg
        bias = f"{error.arc_bias_deg:+.0f}°"
        found.append(f"arc, true - found: {bias} (95 % {lower:+.0f}° to {upper:+.0f}°)")
    return [f"Tested on {card.metrics.get('data', 'unknown')} data:", *found] if found else []


def _calcium_dice(metrics: Mapping[str, object]) -> float | None:
    value: object = metrics
    for key in ("after_crf", "calcium", "f1"):
        value = value.get(key) if isinstance(value, Mapping) else None
    return float(value) if isinstance(value, int | float) else None


def _describe(name: str, *, verify: bool) -> dict[str, Any]:
    folder = models_path() / name
    try:
        card = Network.load(folder, device="cpu").card if verify else ModelCard.load(folder)
    except CalcViewerError as error:
        return {"name": name, "fault": str(error)}
    checked = "hash and network verified" if verify else "hash verified"
    return {**asdict(card), "name": name, "fault": "", "checked": checked}
