"""How far a model's measurements lie from the reference, as its card says."""

from __future__ import annotations

from dataclasses import fields
from functools import lru_cache

from calcviewer.core.errors import CalcViewerError
from calcviewer.core.resources import models_path
from calcviewer.core.study import ModelReference
from calcviewer.inference.model_card import ModelCard
from calcviewer.modalities.ivoct.score import MeasuredError

METRIC = "agreement"
"""Entry of the card's metrics with one number for each field of `MeasuredError`."""


@lru_cache(maxsize=8)
def measured_error(model: ModelReference | None) -> MeasuredError | None:
    """Return the measured error of the model that made a study's predictions.

    Returns
    -------
    None when no error was measured, or the installed model is damaged or not the one that was used.
    """
    if model is None:
        return None
    try:
        card = ModelCard.load(models_path() / model.name)
    except CalcViewerError:
        return None
    return error_on(card) if card.sha256 == model.sha256 else None


def error_on(card: ModelCard) -> MeasuredError | None:
    """Return the measured error that a model card tells; None where it tells none."""
    agreement = card.metrics.get(METRIC)
    if not isinstance(agreement, dict):
        return None
    values = {one.name: agreement.get(one.name) for one in fields(MeasuredError)}
    numbers = {name: float(v) for name, v in values.items() if isinstance(v, (int, float))}
    return MeasuredError(**numbers) if len(numbers) == len(values) else None
