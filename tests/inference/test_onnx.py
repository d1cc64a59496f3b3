import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="onnx comes with the extra 'train'")

from onnx import TensorProto, helper  # noqa: E402

from calcviewer.core.errors import CalcViewerError  # noqa: E402
from calcviewer.inference import onnx as inference  # noqa: E402
from calcviewer.inference.model_card import ModelCard, sha256_of  # noqa: E402
from calcviewer.inference.onnx import Network, available_cores  # noqa: E402


def write_card(directory):
    ModelCard(
        name="tiny",
        version="1",
        architecture="none",
        data_origin="simulated",
        training_data="none",
        split={},
        metrics={},
        licence="MIT",
        sha256=sha256_of(directory / "model.onnx"),
        opset=18,
        created="2025-01-01T00:00:00+00:00",
    ).write(directory)


@pytest.fixture
def model(tmp_path):
    """A network that calls brightness lumen and darkness other."""
    nodes = [
        helper.make_node("Sub", ["image", "image"], ["zero"]),
        helper.make_node("Cos", ["zero"], ["one"]),
        helper.make_node("Sub", ["one", "image"], ["dark"]),
        helper.make_node("Concat", ["dark", "image", "zero"], ["probabilities"], axis=1),
    ]
    values = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", channels, 480, 960])
        for name, channels in (("image", 1), ("probabilities", 3))
    ]
    graph = helper.make_graph(nodes, "tiny", values[:1], values[1:])
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    (tmp_path / "model.onnx").write_bytes(proto.SerializeToString())
    write_card(tmp_path)
    return tmp_path


@pytest.fixture
def images():
    return np.random.default_rng(0).random((2, 480, 960), dtype=np.float32)


def test_predict(model, images):
    found = Network.load(model, device="cpu", threads=1).predict(images)
    assert found.shape == (2, 3, 480, 960)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found[:, 1], images)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-6)


def test_other_float_types_and_layouts_are_taken(model, images):
    network = Network.load(model, device="cpu", threads=1)
    found = network.predict(np.asfortranarray(images.astype(np.float64)))
    np.testing.assert_allclose(found, network.predict(images))


def test_a_frame_is_seen_as_it_is_predicted(model, images):
    network = Network.load(model, device="cpu")
    seen = network.see(images[0])
    assert isinstance(seen, inference.onnxruntime.OrtValue)
    assert seen.device_name() == network.place == "cpu"
    np.testing.assert_array_equal(seen.numpy(), network.predict(images[:1]))


def test_no_frames_give_no_probabilities(model):
    found = Network.load(model, device="cpu").predict(np.zeros((0, 480, 960), np.float32))
    assert found.shape == (0, 3, 480, 960)


@pytest.mark.parametrize("shape", [(480, 960), (1, 960, 480), (1, 1, 480, 960)])
def test_other_shapes_are_refused(model, shape):
    with pytest.raises(CalcViewerError, match="shape"):
        Network.load(model, device="cpu").predict(np.zeros(shape, np.float32))


def test_provider_is_the_one_that_runs(model):
    network = Network.load(model, device="cpu")
    assert network.provider == "CPUExecutionProvider"
    assert network.note == ""


def test_cuda_that_was_not_built_in_is_refused(model, monkeypatch):
    monkeypatch.setattr(
        inference.onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"]
    )
    with pytest.raises(CalcViewerError, match="cannot use a GPU"):
        Network.load(model, device="cuda")
    assert Network.load(model, device="auto").note == ""


@pytest.fixture
def cuda_that_does_not_load(monkeypatch):
    """ONNX Runtime offers CUDA and then drops it silently."""
    monkeypatch.setattr(
        inference.onnxruntime,
        "get_available_providers",
        lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"],
    )
    opened = inference.open_session
    monkeypatch.setattr(
        inference,
        "open_session",
        lambda model, name, *, cuda, threads: opened(model, name, cuda=False, threads=threads),
    )


@pytest.mark.usefixtures("cuda_that_does_not_load")
def test_cuda_that_does_not_load_is_refused_when_asked_for(model):
    with pytest.raises(CalcViewerError, match="could not be used"):
        Network.load(model, device="cuda")


@pytest.mark.usefixtures("cuda_that_does_not_load")
def test_cuda_that_does_not_load_is_reported_by_auto(model):
    network = Network.load(model, device="auto")
    assert network.provider == "CPUExecutionProvider"
    assert "could not be used" in network.note


@pytest.mark.usefixtures("cuda_that_does_not_load")
def test_cpu_is_used_without_a_note_when_asked_for(model):
    assert Network.load(model, device="cpu").note == ""


def test_a_file_that_is_no_network_is_refused(model):
    (model / "model.onnx").write_bytes(b"no network")
    write_card(model)
    with pytest.raises(CalcViewerError, match="cannot be loaded"):
        Network.load(model, device="cpu")


@pytest.fixture
def opened(monkeypatch):
    """Models that reached ONNX Runtime."""
    seen = []
    session = inference.onnxruntime.InferenceSession

    def open_one(content, *arguments, **options):
        seen.append(content)
        return session(content, *arguments, **options)

    monkeypatch.setattr(inference.onnxruntime, "InferenceSession", open_one)
    return seen


@pytest.mark.parametrize("place", [0, 100, -1])
def test_a_changed_byte_never_reaches_onnx_runtime(model, opened, place):
    content = bytearray((model / "model.onnx").read_bytes())
    content[place] ^= 1
    (model / "model.onnx").write_bytes(content)
    with pytest.raises(CalcViewerError, match="not the one its card describes"):
        Network.load(model, device="cpu")
    assert opened == []


def test_what_is_loaded_is_what_was_checked(model, opened, monkeypatch):
    content = (model / "model.onnx").read_bytes()
    verified = inference.load_verified

    def then_exchanged(directory):
        found = verified(directory)
        (directory / "model.onnx").write_bytes(b"another network")
        return found

    monkeypatch.setattr(inference, "load_verified", then_exchanged)
    Network.load(model, device="cpu")
    assert opened == [content]


def test_weights_in_another_file_are_refused(model, monkeypatch):
    weights = onnx.numpy_helper.from_array(np.ones((1, 1, 480, 960), np.float32), "weights")
    proto = onnx.load_from_string((model / "model.onnx").read_bytes())
    proto.graph.initializer.append(weights)
    proto.graph.node.append(helper.make_node("Add", ["image", "weights"], ["sum"]))
    value = helper.make_tensor_value_info("sum", TensorProto.FLOAT, ["n", 1, 480, 960])
    proto.graph.output.append(value)
    onnx.save_model(proto, model / "model.onnx", save_as_external_data=True, location="weights.bin")
    write_card(model)
    monkeypatch.chdir(model)  # where ONNX Runtime looks of its own accord
    with pytest.raises(CalcViewerError, match="weights in another file"):
        Network.load(model, device="cpu")


def test_onnx_runtime_reports_to_nobody(model, monkeypatch):
    told = []
    monkeypatch.setattr(
        inference.onnxruntime, "disable_telemetry_events", lambda: told.append("off")
    )
    Network.load(model, device="cpu")
    assert told == ["off"]


def test_a_failure_while_running_is_an_error_with_a_hint(model, images):
    class Failing:
        def get_inputs(self):
            raise_on_run = type("Input", (), {"name": "image"})
            return [raise_on_run]

        def run(self, *_arguments):
            raise RuntimeError("out of memory")

    network = Network(Network.load(model, device="cpu").card, Failing())
    with pytest.raises(CalcViewerError, match="out of memory") as caught:
        network.predict(images)
    assert "fewer frames" in caught.value.hint


def test_there_is_a_core():
    assert available_cores() >= 1
