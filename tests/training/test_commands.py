"""The verbs of training as a user types them, on the smallest data that works."""

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch comes with the extra 'train'")

from calcviewer.__main__ import build_parser, main  # noqa: E402
from calcviewer.app.voi_file import VoiMetadata, write_voi  # noqa: E402
from calcviewer.core.resources import models_path  # noqa: E402
from calcviewer.training import export  # noqa: E402
from calcviewer.training.architectures import ARCHITECTURES  # noqa: E402
from calcviewer.training.options import (  # noqa: E402
    ARCHITECTURE_NAMES,
    selection,
    train_settings,
)

DESCRIPTION = {
    "name": "tiny",
    "version": "1",
    "data_origin": "simulated",
    "training_data": "squares",
    "split": {"train": 4},
    "metrics": {},
    "licence": "MIT",
}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Six VOIs of one frame at stride 4."""
    directory = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    for seed in range(6):
        labels = np.zeros((1, 480, 960), dtype=np.uint8)
        labels[:, :, : 250 + 10 * seed] = 1
        labels[:, 80:240, 330:500] = 2
        images = 0.8 - 0.7 * (labels == 1) - 0.4 * (labels == 2)
        images = np.clip(images + rng.normal(0, 0.02, labels.shape), 0, 1).astype(np.float16)
        noise = "high" if seed % 2 else "low"
        regimes = {"noise": (noise,), "calcium": ("sheet", "thick")}
        metadata = VoiMetadata(
            f"v{seed}", "simulated", source=f"s{seed}", stride=4, regimes=regimes
        )
        write_voi(directory, metadata, images=images, labels=labels)
    return directory


def options(*words):
    return build_parser().parse_args(list(words))


def test_names_are_those_of_the_architectures():
    # Spelled out beside the parser, which must not import PyTorch.
    assert tuple(ARCHITECTURES) == ARCHITECTURE_NAMES


def test_the_network_is_chosen_by_options():
    unet = train_settings(options("train", "d", "-o", "r", "--architecture", "unet"))
    assert (unet.architecture, unet.width, unet.geometry) == ("unet", 0.25, "polar")
    wide = train_settings(options("cross-validate", "d", "-o", "r", "--width", "1"))
    assert (wide.architecture, wide.width, wide.stride) == ("segnet", 1.0, 2)


def test_regimes_are_parsed_and_checked(capsys):
    args = options(
        "make-dataset", "-o", "d", "--only", "noise=low", "path=lin", "--without", "calcium=nodule"
    )
    wanted = selection(args)
    assert wanted.only == (("noise", "low"), ("path", "lin"))
    assert wanted.without == (("calcium", "nodule"),)
    with pytest.raises(SystemExit):
        options("make-dataset", "-o", "d", "--only", "noise=loud")
    assert "The regime noise has no value 'loud'. Values: low, high." in capsys.readouterr().err


@pytest.mark.parametrize("frames", [["0"], ["9", "3"], ["1", "2", "3"]])
def test_impossible_lengths_are_refused(data, capsys, frames):
    model = str(models_path() / "segnet-cpu")
    assert main(["evaluate", "--model", model, "--pullbacks", "1", "--frames", *frames]) == 1
    assert "is no length" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "nothing to evaluate"),
        (["--pullbacks", "1", "--against", "other"], "compares on data sets"),
        (["--pullbacks", "1", "--neighbours"], "always segmented with neighbours"),
    ],
)
def test_what_needs_data_sets_is_refused_without(capsys, words, told):
    model = str(models_path() / "segnet-cpu")
    assert main(["evaluate", "--model", model, *words]) == 1
    assert told in capsys.readouterr().err


def train_and_export(data, folder, monkeypatch, *words):
    images = np.random.default_rng(1).random((1, 480, 960), dtype=np.float32)
    monkeypatch.setattr(export, "simulate_voi", lambda *_args, **_kwargs: (images, None))
    run = folder / "run"
    arguments = ["train", str(data), "-o", str(run), "--stride", "4", "--width", "0.0625"]
    assert main([*arguments, "--epochs", "1", "--folds", "3", "--device", "cpu", *words]) == 0
    (folder / "description.json").write_text(json.dumps(DESCRIPTION))
    description = str(folder / "description.json")
    models = str(folder / "models")
    checkpoint = str(run / "last.pt")
    assert main(["export-model", checkpoint, "-o", models, "--description", description]) == 0
    return folder / "models" / "tiny"


@pytest.mark.parametrize("change", [{"data_origin": "dreamt"}, {"split": 4}, {"colour": "red"}])
def test_a_description_that_fits_no_model_is_refused(tmp_path, capsys, change):
    path = tmp_path / "description.json"
    path.write_text(json.dumps(DESCRIPTION | change))
    assert main(["export-model", "none.pt", "-o", "models", "--description", str(path)]) == 1
    assert "does not describe a model" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("architecture", "geometry"),
    [
        ("unet", "polar"),
        pytest.param("deeplabv3plus", "polar", marks=pytest.mark.slow),
        pytest.param("segnet", "cartesian", marks=pytest.mark.slow),
    ],
)
def test_train_export_evaluate(data, tmp_path, monkeypatch, capsys, architecture, geometry):
    words = ["--architecture", architecture, "--geometry", geometry]
    model = train_and_export(data, tmp_path, monkeypatch, *words)
    shipped, out = models_path() / "segnet-cpu", tmp_path / "out"
    arguments = ["evaluate", str(data), "--stride", "4", "--only", "noise=high", "--no-crf"]
    arguments += ["--model", str(shipped), "--against", str(model), "-o", str(out)]
    assert main(arguments) == 0
    document = json.loads((out / "results.json").read_text())
    assert (document["vois"], document["origin"]) == (3, "simulated")
    assert document["against"]["geometry"] == geometry
    assert ARCHITECTURES[architecture].title in document["against"]["title"]
    assert list(document["regimes"]) == ["noise", "calcium"]
    assert "noise = high" in (out / "report.md").read_text()


def test_evaluation_is_printed(data, capsys):
    model = str(models_path() / "segnet-cpu")
    common = ["evaluate", str(data), "--stride", "4", "--folds", "6", "--model", model]
    assert main(common) == 0
    text = capsys.readouterr().out
    assert text.startswith("# segnet-cpu")
    assert "## Table 2." in text
    assert "Simulated data, 1 VOIs, 1 frames" in text
    assert main([*common, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["model"]["name"] == "segnet-cpu"
    assert document["after_crf"]["scores"]["lumen"]["f1"] > 0.5


def test_older_data_sets_know_no_regimes(tmp_path, capsys):
    labels = np.ones((1, 480, 960), dtype=np.uint8)
    metadata = VoiMetadata("a", "real", source="a", stride=4)
    write_voi(tmp_path, metadata, images=labels.astype(np.float16), labels=labels)
    model = str(models_path() / "segnet-cpu")
    arguments = ["evaluate", str(tmp_path), "--stride", "4", "--model", model]
    assert main([*arguments, "--only", "noise=low"]) == 1
    assert "No VOI is of the regimes asked for" in capsys.readouterr().err


@pytest.mark.slow
def test_cross_validation_in_one_command(data, tmp_path, capsys):
    out = tmp_path / "cv"
    arguments = ["cross-validate", str(data), "--folds", "3", "--stride", "4", "--width", "0.0625"]
    arguments += ["--epochs", "1", "--no-crf", "--device", "cpu"]
    assert main([*arguments, "-o", str(out)]) == 0
    assert "mean ± SD over the folds" in capsys.readouterr().out
    document = json.loads((out / "results.json").read_text())
    assert (document["vois"], len(document["folds"])) == (6, 3)
    other = tmp_path / "xy"
    against = ["--geometry", "cartesian", "--against", str(out), "-o", str(other)]
    assert main([*arguments, *against]) == 0
    report = (other / "report.md").read_text()
    assert "SegNet, width 0.0625, stride 4, Cartesian frames, 3 folds against SegNet" in report
