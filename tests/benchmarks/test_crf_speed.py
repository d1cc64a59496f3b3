"""CRF against pydensecrf2 and its own ONNX graph: time, and how long the interpreter lock is held.

Times are prints, taken in turns: on a busy machine the ratios say more than the times. Processor
time does not tell who waited.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from calcviewer.inference.crf import CrfParameters, refine
from calcviewer.inference.crf_graph import IMAGE, LABELS, WEIGHTS, build_crf, frame_input

A_LINES, SAMPLES, SPACING_MM = 480, 960, 0.0052
ROUNDS = 3

Array = NDArray[np.float64]


def smooth_noise(rng: np.random.Generator, sigma_px: float) -> NDArray[np.float32]:
    noise = rng.standard_normal((A_LINES, SAMPLES)).astype(np.float32)
    blurred: NDArray[np.float32] = gaussian_filter(noise, sigma_px)
    blurred /= blurred.std()
    return blurred


def seconds_in_turns(*works: Callable[[], object]) -> tuple[Array, Array]:
    """Elapsed and processor time ``[round, work]`` of works that take turns."""
    elapsed, processor = np.empty((2, ROUNDS, len(works)))
    for turn in range(ROUNDS):
        for number, work in enumerate(works):
            start, start_processor = time.perf_counter(), time.process_time()
            work()
            elapsed[turn, number] = time.perf_counter() - start
            processor[turn, number] = time.process_time() - start_processor
    return elapsed, processor


def longest_stall_seconds(work: Callable[[], object]) -> float:
    """Longest time for which another thread that wants 1 ms naps did not run."""
    done = threading.Event()
    gaps = [0.0]

    def nap() -> None:
        before = time.perf_counter()
        while not done.is_set():
            time.sleep(0.001)
            now = time.perf_counter()
            gaps.append(now - before)
            before = now

    sleeper = threading.Thread(target=nap)
    sleeper.start()
    work()
    done.set()
    sleeper.join()
    return max(gaps)


def test_crf_speed(capsys: pytest.CaptureFixture[str]) -> None:
    densecrf = pytest.importorskip("pydensecrf.densecrf")
    rng = np.random.default_rng(0)
    parameters = CrfParameters()
    angle = ((np.arange(A_LINES) + 0.5) * 2 * np.pi / A_LINES)[:, np.newaxis]
    radius_mm = (np.arange(SAMPLES) + 0.5) * SPACING_MM
    depth_mm = radius_mm - 1.6 - 0.3 * np.cos(angle)
    calcium = (depth_mm > 0.1) & (depth_mm < 0.5) & (np.sin(angle) > 0.6)
    labels = np.stack([(depth_mm >= 0) & ~calcium, depth_mm < 0, calcium])
    noise = np.stack([smooth_noise(rng, 6) + 0.5 * smooth_noise(rng, 0.5) for _ in range(3)])
    scores = np.exp(3 * labels + noise)
    probabilities = (scores / scores.sum(axis=0)).astype(np.float32)
    brightness = np.array([0.7, 0.1, 0.4]) @ labels.reshape(3, -1)
    image = brightness.reshape(A_LINES, SAMPLES) + 0.09 * smooth_noise(rng, 2.5)
    image = np.clip(image, 0, 1).astype(np.float32)

    position = np.stack([radius_mm * np.cos(angle), radius_mm * np.sin(angle)]).reshape(2, -1)
    level = image.reshape(1, -1) / parameters.appearance_sigma_intensity
    appearance = np.concatenate([position / parameters.appearance_sigma_mm, level])
    smoothness = (position / parameters.smoothness_sigma_mm).astype(np.float32)
    unary = -np.log(np.maximum(probabilities, 1e-5)).reshape(3, -1)

    def reference() -> NDArray[np.float32]:
        crf = densecrf.DenseCRF(image.size, 3)
        crf.setUnaryEnergy(unary)
        crf.addPairwiseEnergy(smoothness, compat=parameters.smoothness_weight)
        crf.addPairwiseEnergy(appearance.astype(np.float32), compat=parameters.appearance_weight)
        return np.asarray(crf.inference(parameters.iterations))

    def ours() -> NDArray[np.float32]:
        return refine(probabilities, image, parameters=parameters)

    session = onnxruntime.InferenceSession(
        build_crf(parameters, probabilities.shape, SPACING_MM), providers=["CPUExecutionProvider"]
    )
    weights = np.ones(1, dtype=np.float32)
    inputs = {frame_input(0): probabilities[None], WEIGHTS: weights, IMAGE: image}

    def graph() -> NDArray[np.uint8]:
        return np.asarray(session.run([LABELS], inputs)[0])

    labels = ours().argmax(axis=0)
    equal = (labels.reshape(-1) == reference().argmax(axis=0)).mean()
    graph_equal = (labels == graph()).mean()
    elapsed, processor = seconds_in_turns(ours, reference, graph)
    ours_stall_s, reference_stall_s = longest_stall_seconds(ours), longest_stall_seconds(reference)
    with capsys.disabled():
        print(f"\nCRF {A_LINES} x {SAMPLES} x 3, {parameters.iterations} iterations")
        for number, name in enumerate(["ours", "pydensecrf2", "ONNX graph on the CPU"]):
            print(
                f"{name:>22}: {1e3 * np.median(elapsed[:, number]):5.0f} ms, "
                f"processor {1e3 * np.median(processor[:, number]):5.0f} ms; of pydensecrf2 "
                f"{np.median(elapsed[:, number] / elapsed[:, 1]):.2f}, "
                f"processor {np.median(processor[:, number] / processor[:, 1]):.2f}"
            )
        print(
            f"equal labels {equal:.2%}, with the graph {graph_equal:.4%}; longest stall of "
            f"another thread {ours_stall_s * 1e3:.0f} ms, pydensecrf2 "
            f"{reference_stall_s * 1e3:.0f} ms"
        )
    assert equal >= 0.995
    assert graph_equal >= 0.9999
