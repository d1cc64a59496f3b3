"""How long frames and pullbacks take on this machine."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from calcviewer.core.resources import models_path
from calcviewer.inference.crf import CrfParameters
from calcviewer.inference.onnx import Network, available_cores
from calcviewer.inference.refinement import refine_mean, see
from calcviewer.modalities.ivoct.preprocess import MODEL_GRID, preprocess
from calcviewer.modalities.ivoct.segment import IvoctSegmenter
from calcviewer.simulation import PullbackSpec, simulate_pullback

_FRAMES = 8
_TIMED_ALONE = 4
_ROUNDS = 2
_PULLBACK_FRAMES = 540

Image = NDArray[np.float32]


def measure_speed(*, model: str, device: Literal["cpu", "cuda"]) -> dict[str, Any]:
    """Time the segmentation of simulated frames of 960 x 480.

    Returns
    -------
    Medians of a frame alone: ``frame_ms`` (network and CRF), ``network_ms``, ``crf_ms``. Of a
    short pullback segmented as the program does it, contours and guidewires included:
    ``frames_per_s``; ``pullback_540_s``, what 540 frames take at this rate; ``cores_used``, the
    processor time per elapsed time. And ``cores`` (that the process may use), ``provider``,
    ``peak_mb`` (of this process).
    """
    spec = PullbackSpec(
        seed=1, frames=_FRAMES, a_lines=MODEL_GRID.a_lines, samples=MODEL_GRID.samples
    )
    frames = [frame.intensity for frame in simulate_pullback(spec)]

    def image(index: int) -> Image:
        return preprocess(frames[index], grid=MODEL_GRID, log=False)

    network = Network.load(models_path() / model, device=device)
    network_ms, crf_ms = _time_steps(network, [image(index) for index in range(_TIMED_ALONE)])
    segmenter = IvoctSegmenter(image, _FRAMES, MODEL_GRID.end_radius_mm, network, CrfParameters())
    elapsed_s, processor_s = _timed(lambda: list(segmenter.predict(range(_FRAMES))))
    return {
        "frame_ms": round(statistics.median(map(sum, zip(network_ms, crf_ms, strict=True))), 1),
        "network_ms": round(statistics.median(network_ms), 1),
        "crf_ms": round(statistics.median(crf_ms), 1),
        "frames_per_s": round(_FRAMES / elapsed_s, 2),
        "pullback_540_s": round(_PULLBACK_FRAMES * elapsed_s / _FRAMES, 1),
        "cores_used": round(processor_s / elapsed_s, 2),
        "cores": available_cores(),
        "provider": network.provider,
        "peak_mb": _peak_mb(),
    }


def _time_steps(network: Network, images: list[Image]) -> tuple[list[float], list[float]]:
    """Time network and CRF on each image, alone, several times; milliseconds."""
    parameters = CrfParameters()
    refine_mean(images[0], [(1.0, see(network, images[0]))], parameters=parameters)  # fills caches
    network_ms, crf_ms = [], []
    for image in images * _ROUNDS:
        start = time.perf_counter()
        seen = see(network, image)
        predicted = time.perf_counter()
        refine_mean(image, [(1.0, seen)], parameters=parameters)
        network_ms.append(1000 * (predicted - start))
        crf_ms.append(1000 * (time.perf_counter() - predicted))
    return network_ms, crf_ms


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    """Return the elapsed and the processor time of some work, seconds."""
    elapsed, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - elapsed, time.process_time() - processor


def _peak_mb() -> float | None:
    """Return the peak memory of this process; None on Windows, which does not tell it this way."""
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1024**2 if sys.platform == "darwin" else 1024), 1)
