"""How far a model's measurements lie from the reference, as its card says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from functools import lru_cache

from calcviewer.core.resources import models_path
from calcviewer.core.study import ModelReference
from calcviewer.inference.model_card import CARD_FILE
from calcviewer.modalities.ivoct.score import MeasuredError

METRIC = "agreement"
"""Entry of the card's metrics with one number for each field of `MeasuredError`."""


@lru_cache(maxsize=8)
def measured_error(model: ModelReference | None) -> MeasuredError | None:
    """Return the measured error of the model that made a study's predictions.

    Returns
    -------
    None when no error was measured, or the installed model is not the one that was used.
    """
    if model is None:
        return None
    try:
        text = (models_path() / model.name / CARD_FILE).read_text(encoding="utf-8")
        card = json.loads(text)
    except (OSError, ValueError):
        return None
    if not isinstance(card, dict) or card.get("sha256") != model.sha256:
        return None
    metrics = card.get("metrics")
    return _error_in(metrics) if isinstance(metrics, dict) else None


def _error_in(metrics: Mapping[str, object]) -> MeasuredError | None:
    agreement = metrics.get(METRIC)
    if not isinstance(agreement, dict):
        return None
    values = {one.name: agreement.get(one.name) for one in fields(MeasuredError)}
    numbers = {name: float(v) for name, v in values.items() if isinstance(v, (int, float))}
    return MeasuredError(**numbers) if len(numbers) == len(values) else None
