"""What is said of the networks that are installed."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from calcviewer.app.models import describe_line, describe_models, summarise
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


def test_a_network_is_summarised_for_the_choice(two_models: Path) -> None:
    what, data, dice, arc = summarise("sound").splitlines()
    assert what.startswith("SegNet, width 0.25, stride 2, version ")
    assert data == "Tested on simulated data:"
    assert re.fullmatch(r"calcium Dice 0\.\d\d", dice)
    assert re.fullmatch(r"arc, true - found: [+-]\d+° \(95 % [+-]\d+° to [+-]\d+°\)", arc)


def test_what_a_card_does_not_tell_is_left_out(two_models: Path) -> None:
    card = two_models / "sound" / "card.json"
    card.write_text(json.dumps({**json.loads(card.read_text()), "metrics": {}}))
    assert summarise("sound").startswith("SegNet, width 0.25, stride 2, version ")
    assert "\n" not in summarise("sound")


def test_the_summary_of_an_unusable_network_says_why(two_models: Path) -> None:
    assert "is not the one its card describes" in summarise("altered")
    assert "is not a model" in summarise("removed-since")
