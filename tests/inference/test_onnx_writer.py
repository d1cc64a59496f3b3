"""Models written without the package onnx, as ONNX Runtime and onnx read them."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest

from calcviewer.inference.onnx_writer import Graph, element_type


def run(graph: Graph, **inputs: np.ndarray) -> list[np.ndarray]:
    session = onnxruntime.InferenceSession(graph.model("test"), providers=["CPUExecutionProvider"])
    return [np.asarray(output) for output in session.run(None, inputs)]


def every_kind() -> Graph:
    """A graph with each kind of input, constant, attribute and output."""
    graph = Graph()
    x = graph.input("x", [2, 300])
    turned = graph.add("Transpose", graph.add("Mul", x, 2.0), perm=[1, 0])
    flat = graph.add("Reshape", turned, [-1])
    empty = graph.constant(np.zeros(2, dtype=np.float32))
    where = np.arange(600, dtype=np.int32) // 300
    graph.output(
        "sums",
        graph.add("ScatterElements", empty, where, flat, axis=0, reduction="add"),
        np.float32,
        [2],
    )
    graph.output("bytes", graph.add("Cast", x, to=element_type(np.uint8)), np.uint8, [2, 300])
    return graph


def test_a_model_computes_what_was_written() -> None:
    x = np.arange(600, dtype=np.float32).reshape(2, 300) % 200
    sums, as_bytes = run(every_kind(), x=x)
    np.testing.assert_allclose(sums, 2 * x.T.reshape(2, -1).sum(axis=1))
    np.testing.assert_array_equal(as_bytes, x.astype(np.uint8))


@pytest.mark.parametrize("constant", [0.25, [3, -1, 0], np.array([[1, 2]], dtype=np.int32)])
def test_constants_keep_value_type_and_shape(constant: float | list[int] | np.ndarray) -> None:
    onnx = pytest.importorskip("onnx", reason="onnx comes with the extra 'train'")
    graph = Graph()
    graph.constant(constant)
    (tensor,) = onnx.load_from_string(graph.model("test")).graph.initializer
    found = onnx.numpy_helper.to_array(tensor)
    expected = np.asarray(constant, dtype=np.float32 if isinstance(constant, float) else None)
    assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
    np.testing.assert_array_equal(found, expected)


def test_the_model_is_valid() -> None:
    onnx = pytest.importorskip("onnx", reason="onnx comes with the extra 'train'")
    model = onnx.load_from_string(every_kind().model("test"))
    onnx.checker.check_model(model, full_check=True)
    assert model.graph.name == "test"
    assert [one.version for one in model.opset_import] == [18]
