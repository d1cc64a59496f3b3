"""The measured error is that of the very model that was used, or none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from calcviewer.app import measured_error as module
from calcviewer.app.measured_error import measured_error
from calcviewer.core.study import ModelReference
from calcviewer.inference.model_card import CARD_FILE, MODEL_FILE, ModelCard, sha256_of

AGREEMENT = {
    "arc_bias_deg": 1.0,
    "arc_sd_deg": 8,
    "thickness_bias_mm": -0.02,
    "thickness_sd_mm": 0.1,
}


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(module, "models_path", lambda: tmp_path)
    measured_error.cache_clear()
    return tmp_path


def installed(models: Path, metrics: Mapping[str, object]) -> ModelReference:
    """Install a model with these metrics and return what a study says that used it."""
    folder = models / "net"
    folder.mkdir(exist_ok=True)
    (folder / MODEL_FILE).write_bytes(b"a network")
    card = ModelCard(
        name="net",
        version="1",
        architecture="",
        data_origin="simulated",
        training_data="",
        split={},
        metrics=metrics,
        licence="MIT",
        sha256=sha256_of(folder / MODEL_FILE),
        opset=18,
        created="2025-01-01T00:00:00+00:00",
    )
    card.write(folder)
    measured_error.cache_clear()
    return ModelReference(card.name, card.version, card.sha256, "CPU")


def test_the_error_of_the_card(models: Path) -> None:
    error = measured_error(installed(models, {"agreement": AGREEMENT}))
    assert error is not None
    assert (error.arc_sd_deg, error.thickness_bias_mm) == (8.0, -0.02)


def test_no_error_without_a_model(models: Path) -> None:
    assert measured_error(None) is None
    assert measured_error(ModelReference("other", "1", "a" * 64, "CPU")) is None


@pytest.mark.parametrize(
    "metrics", [{}, {"agreement": {"arc_bias_deg": 1.0}}, {"agreement": "small"}]
)
def test_no_error_where_none_was_measured(models: Path, metrics: Mapping[str, object]) -> None:
    assert measured_error(installed(models, metrics)) is None


def test_no_error_of_another_model(models: Path) -> None:
    used = installed(models, {"agreement": AGREEMENT})
    assert measured_error(replace(used, sha256="b" * 64)) is None


@pytest.mark.parametrize("file", [CARD_FILE, MODEL_FILE])
def test_no_error_of_a_damaged_model(models: Path, file: str) -> None:
    used = installed(models, {"agreement": AGREEMENT})
    (models / "net" / file).write_text("{")
    assert measured_error(used) is None
