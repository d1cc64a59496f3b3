import dataclasses
import hashlib
import json

import pytest

from calcviewer.core.errors import CalcViewerError
from calcviewer.inference.model_card import ModelCard, list_models, load_verified, sha256_of

CONTENT = b"a network"


@pytest.fixture
def card():
    return ModelCard(
        name="tiny",
        version="1",
        architecture="SegNet, width 0.25, stride 2",
        data_origin="simulated",
        training_data="300 simulated VOIs",
        split={"train": 240, "validation": 30, "test": 30},
        metrics={"dice": {"lumen": 0.99, "calcium": 0.7}},
        licence="MIT",
        sha256="4b3ce4a9cab2a5e1cc0e3b7a5f5ae47d",
        opset=18,
        created="2025-01-01T00:00:00+00:00",
    )


@pytest.fixture
def model(tmp_path, card):
    directory = tmp_path / "tiny"
    directory.mkdir()
    (directory / "model.onnx").write_bytes(CONTENT)
    card = dataclasses.replace(card, sha256=sha256_of(directory / "model.onnx"))
    card.write(directory)
    return directory


def change(directory, **entries):
    path = directory / "card.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | entries))


def test_hash_is_sha256(tmp_path):
    path = tmp_path / "abc"
    path.write_bytes(b"abc")
    assert sha256_of(path).startswith("ba7816bf8f01cfea414140de5dae2223")


def test_round_trip(model, card):
    loaded = ModelCard.load(model)
    assert dataclasses.replace(loaded, sha256=card.sha256) == card
    assert sorted(path.name for path in model.iterdir()) == ["card.json", "model.onnx"]


def test_a_changed_network_is_refused(model):
    (model / "model.onnx").write_bytes(CONTENT + b"!")
    with pytest.raises(CalcViewerError, match="not the one its card describes"):
        ModelCard.load(model)


def test_the_bytes_that_were_checked_are_handed_out(model, card):
    found, content = load_verified(model)
    assert content == CONTENT
    (model / "model.onnx").write_bytes(b"exchanged since")
    assert hashlib.sha256(content).hexdigest() == found.sha256


def test_a_network_larger_than_any_is_not_read(model, monkeypatch):
    monkeypatch.setattr("calcviewer.inference.model_card._LARGEST_MODEL_BYTES", len(CONTENT) - 1)
    with pytest.raises(CalcViewerError, match="larger than any can be"):
        load_verified(model)


@pytest.mark.parametrize(
    "classes", [["other", "calcium", "lumen"], ["lumen", "calcium"], ["a", "b", "c"]]
)
def test_other_classes_are_refused(model, classes):
    change(model, classes=classes)
    with pytest.raises(CalcViewerError, match="needs other, lumen, calcium"):
        ModelCard.load(model)


@pytest.mark.parametrize("grid", [{"a_lines": 504}, {"samples": 1024}, {"sample_spacing_mm": 0.01}])
def test_another_grid_is_refused(model, grid):
    change(model, **grid)
    with pytest.raises(CalcViewerError, match=r"gives it 480 x 960 of 0\.0052 mm"):
        ModelCard.load(model)


def test_an_unknown_entry_is_refused(model):
    change(model, surplus=1)
    with pytest.raises(CalcViewerError, match="surplus"):
        ModelCard.load(model)


@pytest.mark.parametrize(
    "entry", [{"sha256": 1}, {"sample_spacing_mm": "0.0052"}, {"classes": "other"}, {"metrics": []}]
)
def test_an_entry_of_another_type_is_refused(model, entry):
    change(model, **entry)
    with pytest.raises(CalcViewerError, match=f"wrong value of {next(iter(entry))}"):
        ModelCard.load(model)


def test_a_missing_entry_is_refused(model):
    content = json.loads((model / "card.json").read_text())
    del content["licence"]
    (model / "card.json").write_text(json.dumps(content))
    with pytest.raises(CalcViewerError, match="lacks licence"):
        ModelCard.load(model)


@pytest.mark.parametrize("text", ["{", "[]", "\xff"])
def test_a_damaged_card_is_refused(model, text):
    (model / "card.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(CalcViewerError, match="model card"):
        ModelCard.load(model)


def test_missing_files_are_named(model):
    (model / "model.onnx").unlink()
    with pytest.raises(CalcViewerError, match=r"cannot be read"):
        ModelCard.load(model)
    (model / "card.json").unlink()
    with pytest.raises(CalcViewerError, match=r"it has no card\.json"):
        ModelCard.load(model)


def test_models_are_listed_by_name(model):
    (model.parent / "empty").mkdir()
    second = model.parent / "another"
    second.mkdir()
    (second / "card.json").write_text("{}")
    assert list_models(model.parent) == [second, model]
    assert list_models(model.parent / "nowhere") == []
