"""The CRF's ONNX graph against the CRF of the CPU."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest

from calcviewer.inference.crf import CrfParameters, refine
from calcviewer.inference.crf_graph import IMAGE, LABELS, MEAN, WEIGHTS, build_crf, frame_input
from tests.inference.crf_frames import SPACING_MM, Array, noisy_frame, reference, small_frame

# Each has a kernel in ONNX Runtime's CUDA provider, for the types used.
CUDA_OPERATORS = {
    *("Add", "ArgMax", "Cast", "Concat", "Conv", "Div", "Exp", "Expand", "Gather", "Identity"),
    *("Log", "Max", "Min", "Mul", "ReduceMean", "ReduceSum", "Reshape", "ScatterElements"),
    *("Slice", "Sqrt", "Sub", "Sum", "Unsqueeze"),
}


def graph_labels(
    probabilities: Array,
    image: Array,
    parameters: CrfParameters | None = None,
    spacing_mm: float = SPACING_MM,
) -> Array:
    model = build_crf(parameters or CrfParameters(), probabilities.shape, spacing_mm)
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    weights = np.ones(1, dtype=np.float32)
    inputs = {frame_input(0): probabilities[None], WEIGHTS: weights, IMAGE: image}
    return np.asarray(session.run([LABELS], inputs)[0])


def test_labels_are_those_of_the_cpu_and_of_pydensecrf() -> None:
    probabilities, image, _ = noisy_frame(1)

    labels = graph_labels(probabilities, image)

    assert labels.dtype == np.uint8
    assert (labels == refine(probabilities, image).argmax(axis=0)).mean() >= 0.9999
    expected = reference(probabilities, image, CrfParameters()).argmax(axis=0)
    assert (expected != probabilities.argmax(axis=0)).mean() > 0.02
    assert (labels == expected).mean() >= 0.995


@pytest.mark.parametrize(
    "parameters",
    [
        CrfParameters(iterations=1),
        CrfParameters(appearance_weight=0.0, smoothness_sigma_mm=0.05),
        CrfParameters(iterations=8, smoothness_weight=0.5, appearance_sigma_intensity=0.3),
    ],
)
def test_every_parameter_counts(parameters: CrfParameters) -> None:
    probabilities, image = small_frame(2)
    expected = refine(probabilities, image, parameters=parameters).argmax(axis=0)
    assert (graph_labels(probabilities, image, parameters) == expected).mean() >= 0.9999


@pytest.mark.parametrize("samples", [299, 300], ids=["each a point", "two a point"])
@pytest.mark.parametrize("classes", [2, 3])
def test_other_numbers_of_classes_and_samples(samples: int, classes: int) -> None:
    probabilities, image = small_frame(3)
    probabilities = probabilities[:classes, :, :samples]
    probabilities = probabilities / probabilities.sum(axis=0)
    expected = refine(probabilities, image[:, :samples]).argmax(axis=0)
    assert (graph_labels(probabilities, image[:, :samples]) == expected).mean() >= 0.9999


def test_black_and_white_and_certainty_are_met() -> None:
    probabilities, image = small_frame(4)
    probabilities = np.moveaxis(np.eye(3)[probabilities.argmax(axis=0)], 2, 0).astype(np.float32)
    image = np.round(image).astype(np.float32)
    heavy = CrfParameters(smoothness_weight=20.0)
    expected = refine(probabilities, image, parameters=heavy).argmax(axis=0)
    assert len(np.unique(expected)) == 3
    assert (graph_labels(probabilities, image, heavy) == expected).mean() >= 0.9999


def test_turning_the_frame_turns_the_labels() -> None:
    probabilities, image = small_frame(5)
    still = graph_labels(probabilities, image)
    half = graph_labels(np.roll(probabilities, 60, axis=1), np.roll(image, 60, axis=0))
    assert (np.roll(half, -60, axis=0) == still).mean() >= 0.9999
    seam = graph_labels(np.roll(probabilities, 1, axis=1), np.roll(image, 1, axis=0))
    near = [-3, -2, -1, 0, 1, 2]
    assert (np.roll(seam, -1, axis=0)[near] == still[near]).mean() >= 0.998


def test_the_mean_of_frames_is_refined() -> None:
    frames = [small_frame(seed)[0] for seed in (6, 7)]
    image = small_frame(6)[1]
    weights = np.array([0.75, 0.25], dtype=np.float32)
    model = build_crf(CrfParameters(), frames[0].shape, SPACING_MM, frames=2)
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    inputs = {frame_input(number): frame[None] for number, frame in enumerate(frames)}

    labels, mean = session.run([LABELS, MEAN], inputs | {WEIGHTS: weights, IMAGE: image})

    expected = (0.75 * frames[0] + 0.25 * frames[1]).astype(np.float32)
    np.testing.assert_allclose(mean, expected, atol=1e-6)
    assert (labels == refine(expected, image).argmax(axis=0)).mean() >= 0.9999


def test_the_graph_is_valid_and_made_of_operators_of_cuda() -> None:
    onnx = pytest.importorskip("onnx", reason="onnx comes with the extra 'train'")
    model = onnx.load_from_string(build_crf(CrfParameters(), (3, 48, 64), SPACING_MM))
    onnx.checker.check_model(model, full_check=True)
    assert {node.op_type for node in model.graph.node} <= CUDA_OPERATORS
