"""Network and CRF on CUDA give what they give on the CPU.

Needs a GPU and onnxruntime-gpu in place of onnxruntime: ``pytest -s tests/inference/test_cuda.py``.
"""

from __future__ import annotations

import statistics
import time

import numpy as np
import onnxruntime
import pytest

from calcviewer.core.resources import models_path
from calcviewer.inference.crf import CrfParameters
from calcviewer.inference.model_card import list_models
from calcviewer.inference.onnx import Network
from calcviewer.inference.refinement import refine_mean, see
from tests.inference.crf_frames import noisy_frame

pytestmark = pytest.mark.skipif(
    "CUDAExecutionProvider" not in onnxruntime.get_available_providers(),
    reason="this ONNX Runtime has no CUDA",
)


@pytest.mark.parametrize("model", [path.name for path in list_models(models_path())])
def test_labels_are_those_of_the_cpu(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    images = [noisy_frame(seed)[1] for seed in range(3)]
    labels, times_ms = {}, {}
    for device in ("cpu", "cuda"):
        network = Network.load(models_path() / model, device=device)
        found, elapsed = [], []
        for image in images * 3:
            start = time.perf_counter()
            seen = [(1.0, see(network, image))]
            found.append(refine_mean(image, seen, parameters=CrfParameters()).labels)
            elapsed.append(1000 * (time.perf_counter() - start))
        labels[device], times_ms[device] = np.stack(found[:3]), statistics.median(elapsed[3:])
    with capsys.disabled():
        print(f"\n{model}: CPU {times_ms['cpu']:.1f} ms, CUDA {times_ms['cuda']:.1f} ms a frame")
    assert (labels["cpu"] == labels["cuda"]).mean() >= 0.9999
