from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch comes with the extra 'train'")
pytest.importorskip("onnx", reason="onnx comes with the extra 'train'")

from calcviewer.core.errors import CalcViewerError  # noqa: E402
from calcviewer.inference.onnx import Network  # noqa: E402
from calcviewer.training import export  # noqa: E402
from calcviewer.training.architectures import build_network  # noqa: E402
from calcviewer.training.checkpoint import load_network, write_checkpoint  # noqa: E402
from calcviewer.training.export import (  # noqa: E402
    ModelDescription,
    argmax_agreement,
    export_model,
)
from calcviewer.training.onnx_graph import fold_batch_norm  # noqa: E402

WIDTH = 1 / 16


@pytest.fixture(autouse=True)
def noise_frames(monkeypatch):
    """Check exports on noise: a random network decides black areas by the last bit of a sum."""
    images = np.random.default_rng(1).random((1, 480, 960), dtype=np.float32)
    monkeypatch.setattr(export, "simulate_voi", lambda *_args, **_kwargs: (images, None))


def description(name="tiny"):
    return ModelDescription(
        name=name,
        version="1",
        data_origin="simulated",
        training_data="nothing",
        split={"train": 0},
        metrics={},
        licence="MIT",
    )


def checkpoint(path, *, architecture="segnet", stride, geometry="polar"):
    """A random network whose normalisation has seen noise, so that folding it matters."""
    torch.manual_seed(0)
    network = build_network(architecture, width=WIDTH, stride=stride, geometry=geometry)
    with torch.no_grad():
        for _ in range(5):
            network(torch.rand(1, 1, 480, 960))
    write_checkpoint(path / "last.pt", network, optimiser={}, progress={})
    return path / "last.pt"


@pytest.mark.parametrize(
    ("architecture", "stride", "geometry"),
    [
        ("segnet", 1, "polar"),
        ("segnet", 2, "polar"),
        ("segnet", 4, "polar"),
        ("unet", 2, "polar"),
        ("unet", 4, "polar"),
        ("deeplabv3plus", 2, "polar"),
        ("segnet", 2, "cartesian"),
        ("unet", 4, "cartesian"),
        ("deeplabv3plus", 4, "cartesian"),
    ],
)
def test_onnx_equals_torch(tmp_path, architecture, stride, geometry):
    source = checkpoint(tmp_path, architecture=architecture, stride=stride, geometry=geometry)
    directory = export_model(source, tmp_path / "models", description=description())
    runtime = Network.load(directory, device="cpu", threads=1)
    images = np.random.default_rng(0).random((2, 480, 960), dtype=np.float32)
    network = load_network(source)
    assert argmax_agreement(network, runtime, images) >= 0.9999
    found = runtime.predict(images)
    with torch.no_grad():
        expected = network.probabilities(torch.from_numpy(images)[:, None]).numpy()
    assert np.median(np.abs(found - expected)) < 1e-6
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(runtime.predict(images[1:])[0], found[1], atol=1e-5)


def test_card_tells_what_was_exported(tmp_path):
    source = checkpoint(tmp_path, stride=2)
    directory = export_model(source, tmp_path / "models", description=description("mine"))
    card = Network.load(directory, device="cpu").card
    assert directory == tmp_path / "models" / "mine"
    assert card.architecture == "SegNet, width 0.0625, stride 2"
    assert (card.name, card.data_origin, card.opset) == ("mine", "simulated", 18)
    assert sorted(path.name for path in directory.iterdir()) == ["card.json", "model.onnx"]


def test_folding_equals_convolution_and_normalisation():
    torch.manual_seed(0)
    layer, norm = torch.nn.Conv2d(2, 4, 3), torch.nn.BatchNorm2d(4)
    torch.nn.init.uniform_(norm.running_mean)
    torch.nn.init.uniform_(norm.running_var, 0.5, 2)
    torch.nn.init.uniform_(norm.weight)
    norm.eval()
    x = torch.rand(1, 2, 5, 5)
    weight, bias = map(torch.from_numpy, fold_batch_norm(layer, norm))
    torch.testing.assert_close(torch.nn.functional.conv2d(x, weight, bias), norm(layer(x)))


def test_a_network_that_differs_is_not_written(tmp_path, monkeypatch):
    monkeypatch.setattr(export, "argmax_agreement", lambda *_: 0.99)
    source = checkpoint(tmp_path, stride=2)
    with pytest.raises(CalcViewerError, match=r"99\.000 %"):
        export_model(source, tmp_path / "models", description=description())
    assert not list((tmp_path / "models").iterdir())


def test_a_large_file_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(export, "LARGEST_FILE", 1000)
    with pytest.raises(CalcViewerError, match="64 MB"):
        export_model(checkpoint(tmp_path, stride=2), tmp_path / "models", description=description())


@pytest.mark.parametrize("name", ["", ".", "a/b", ".hidden"])
def test_a_name_must_be_a_folder_name(tmp_path, name):
    with pytest.raises(CalcViewerError, match="name"):
        export_model(tmp_path / "last.pt", tmp_path, description=description(name))


def test_the_operating_point_multiplies_the_odds_of_calcium(tmp_path):
    source = checkpoint(tmp_path, stride=2)
    image = np.random.default_rng(0).random((1, 480, 960), dtype=np.float32)
    odds = []
    for factor in (1.0, 3.0):
        wanted = replace(description(), calcium_odds=factor)
        folder = export_model(source, tmp_path / f"{factor:g}", description=wanted)
        probabilities = Network.load(folder, device="cpu").predict(image)[0].astype(np.float64)
        odds.append(probabilities[2] / (probabilities[0] + probabilities[1]))
    # Logits are interpolated before the softmax, so that odds are scaled everywhere alike.
    np.testing.assert_allclose(odds[1], 3.0 * odds[0], rtol=1e-3)
