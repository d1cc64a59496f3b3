"""The measured error is that of the very model that was used, or none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from calcviewer.app import measured_error as module
from calcviewer.app.measured_error import measured_error
from calcviewer.core.study import ModelReference

SHA = "a" * 64
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


def card(models: Path, metrics: object, sha: str = SHA) -> ModelReference:
    folder = models / "net"
    folder.mkdir(exist_ok=True)
    (folder / "card.json").write_text(json.dumps({"sha256": sha, "metrics": metrics}))
    measured_error.cache_clear()
    return ModelReference("net", "1", SHA, "CPU")


def test_the_error_of_the_card(models: Path) -> None:
    error = measured_error(card(models, {"agreement": AGREEMENT}))
    assert error is not None
    assert (error.arc_sd_deg, error.thickness_bias_mm) == (8.0, -0.02)


def test_no_error_without_a_measurement_of_this_model(models: Path) -> None:
    assert measured_error(None) is None
    assert measured_error(ModelReference("other", "1", SHA, "CPU")) is None
    assert measured_error(card(models, {})) is None
    assert measured_error(card(models, {"agreement": {"arc_bias_deg": 1.0}})) is None
    assert measured_error(card(models, {"agreement": AGREEMENT}, sha="b" * 64)) is None
    (models / "net" / "card.json").write_text("{")
    measured_error.cache_clear()
    assert measured_error(ModelReference("net", "1", SHA, "CPU")) is None
