"""The networks that are installed, and whether they are what their cards say."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

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


def _describe(name: str, *, verify: bool) -> dict[str, Any]:
    folder = models_path() / name
    try:
        card = Network.load(folder, device="cpu").card if verify else ModelCard.load(folder)
    except CalcViewerError as error:
        return {"name": name, "fault": str(error)}
    checked = "hash and network verified" if verify else "hash verified"
    return {**asdict(card), "name": name, "fault": "", "checked": checked}
