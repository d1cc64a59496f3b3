"""What is said of the networks that are installed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from calcviewer.app.models import describe_line, describe_models
from calcviewer.core.resources import models_path


@pytest.fixture
def two_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shipped = models_path() / "segnet-cpu"
    for name in ("sound", "altered"):
        shutil.copytree(shipped, tmp_path / name)
    network = next((tmp_path / "altered").glob("*.onnx"))
    network.write_bytes(network.read_bytes()[:-1] + b"!")
    monkeypatch.setattr("calcviewer.app.models.models_path", lambda: tmp_path)
    return tmp_path


@pytest.mark.parametrize("verify", [False, True])
def test_a_network_that_was_altered_is_not_usable(two_models: Path, *, verify: bool) -> None:
    found = {model["name"]: model for model in describe_models(verify=verify)}
    assert found.keys() == {"sound", "altered"}
    assert found["sound"]["fault"] == ""
    checked = "hash and network verified" if verify else "hash verified"
    assert describe_line(found["sound"]).endswith(checked)
    assert found["altered"]["fault"]
    assert describe_line(found["altered"]).startswith("altered: NOT USABLE. ")
