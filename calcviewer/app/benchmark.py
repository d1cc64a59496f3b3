"""How long a frame takes on this machine."""

from __future__ import annotations

import statistics
import sys
import time
from typing import Any, Literal

from calcviewer.core.resources import models_path
from calcviewer.inference.crf import refine
from calcviewer.inference.onnx import Network, available_cores
from calcviewer.modalities.ivoct.preprocess import MODEL_GRID, preprocess
from calcviewer.simulation import PullbackSpec, simulate_pullback

_FRAMES = 4
_ROUNDS = 3


def measure_speed(*, model: str, device: Literal["cpu", "cuda"]) -> dict[str, Any]:
    """Time network and CRF on simulated frames of 960 x 480.

    Returns
    -------
    Medians over the frames: ``frame_ms`` (network and CRF), ``network_ms``, ``crf_ms``; and
    ``provider``, ``threads``, ``peak_mb`` (of this process).
    """
    pullback = simulate_pullback(
        PullbackSpec(seed=1, frames=_FRAMES, a_lines=MODEL_GRID.a_lines, samples=MODEL_GRID.samples)
    )
    images = [preprocess(frame.intensity, grid=MODEL_GRID, log=False) for frame in pullback]
    network = Network.load(models_path() / model, device=device)
    refine(network.predict(images[0][None])[0], images[0])  # the first call fills caches
    network_ms, crf_ms = [], []
    for image in images * _ROUNDS:
        start = time.perf_counter()
        probabilities = network.predict(image[None])[0]
        predicted = time.perf_counter()
        refine(probabilities, image)
        network_ms.append(1000 * (predicted - start))
        crf_ms.append(1000 * (time.perf_counter() - predicted))
    return {
        "frame_ms": round(statistics.median(map(sum, zip(network_ms, crf_ms, strict=True))), 1),
        "network_ms": round(statistics.median(network_ms), 1),
        "crf_ms": round(statistics.median(crf_ms), 1),
        "provider": network.provider,
        "threads": available_cores(),
        "peak_mb": _peak_mb(),
    }


def _peak_mb() -> float | None:
    """Return the peak memory of this process; None on Windows, which does not tell it this way."""
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1024**2 if sys.platform == "darwin" else 1024), 1)
