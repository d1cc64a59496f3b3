"""Frames to refine, and what others make of them."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from calcviewer.inference.crf import CrfParameters

Array = NDArray[Any]

A_LINES, SAMPLES, SPACING_MM = 480, 960, 0.0052
OTHER, LUMEN, CALCIUM = 0, 1, 2
ROUND_THE_CIRCLE = ("wrap", "nearest")


def polar_grid(a_lines: int, samples: int, spacing_mm: float) -> tuple[Array, Array]:
    angle = (np.arange(a_lines) + 0.5) * 2 * np.pi / a_lines
    radius_mm = (np.arange(samples) + 0.5) * spacing_mm
    return np.repeat(angle[:, np.newaxis], samples, axis=1), np.tile(radius_mm, (a_lines, 1))


def softmax(scores: Array) -> Array:
    probabilities: Array = np.exp(scores - scores.max(axis=0))
    probabilities /= probabilities.sum(axis=0)
    return probabilities.astype(np.float32)


def speckled(mean: Array, rng: np.random.Generator) -> Array:
    """Log-like noise as the preprocessing leaves it: blurred with sigma 2.5 px."""
    noisy = mean + 0.8 * rng.standard_normal(mean.shape)
    blurred: Array = gaussian_filter(noisy, 2.5, mode=ROUND_THE_CIRCLE)
    return np.clip(blurred, 0, 1).astype(np.float32)


@cache
def noisy_frame(seed: int) -> tuple[Array, Array, Array]:
    """Probabilities with soft borders, blotches and pixel noise; image; true labels."""
    rng = np.random.default_rng(seed)
    angle, radius_mm = polar_grid(A_LINES, SAMPLES, SPACING_MM)
    depth_mm = radius_mm - (1.6 + 0.3 * np.cos(angle + 1) + 0.1 * np.cos(3 * angle))
    truth = np.where(depth_mm < 0, LUMEN, OTHER).astype(np.uint8)
    # Both deposits lie across the seam between the last A-line and the first.
    truth[(np.cos(angle - 0.2) > 0.6) & (depth_mm > 0.2) & (depth_mm < 0.6)] = CALCIUM
    truth[(np.cos(angle) > 0.966) & (depth_mm > 0.05) & (depth_mm < 0.15)] = CALCIUM
    tissue = 0.05 + 0.75 * np.exp(-np.maximum(depth_mm, 0) / 1.2)
    image = speckled(np.select([truth == LUMEN, truth == CALCIUM], [0.08, 0.4], tissue), rng)
    scores = np.stack(
        [
            3 * gaussian_filter((truth == label).astype(float), (2, 6), mode=ROUND_THE_CIRCLE)
            + 16 * gaussian_filter(rng.standard_normal(truth.shape), (4, 8), mode=ROUND_THE_CIRCLE)
            + 0.5 * rng.standard_normal(truth.shape)
            for label in (OTHER, LUMEN, CALCIUM)
        ]
    )
    frame = softmax(scores), image, truth
    for array in frame:
        array.setflags(write=False)
    return frame


def small_frame(number: int) -> tuple[Array, Array]:
    """Probabilities ``[3, 120, 300]`` and image of a piece of a noisy frame; not around its centre.

    Every number is another piece.
    """
    probabilities, image, _ = noisy_frame(1)
    lines = (np.arange(0, A_LINES, 4) + 37 * number) % A_LINES
    return probabilities[:, lines, 200:500], image[lines, 200:500]


def reference(probabilities: Array, image: Array, parameters: CrfParameters) -> Array:
    """Run pydensecrf2 on the same energy; positions in mm make it periodic in the angle."""
    densecrf = pytest.importorskip("pydensecrf.densecrf")
    classes, pixels = len(probabilities), image.size
    angle, radius_mm = polar_grid(image.shape[0], image.shape[1], SPACING_MM)
    position = np.stack([radius_mm * np.cos(angle), radius_mm * np.sin(angle)]).reshape(2, -1)
    level = image.reshape(1, -1) / parameters.appearance_sigma_intensity
    appearance = np.concatenate([position / parameters.appearance_sigma_mm, level])
    crf = densecrf.DenseCRF(pixels, classes)
    unary = -np.log(np.maximum(probabilities, 1e-5)).reshape(classes, pixels)
    crf.setUnaryEnergy(np.ascontiguousarray(unary, dtype=np.float32))
    crf.addPairwiseEnergy(
        np.ascontiguousarray(position / parameters.smoothness_sigma_mm, dtype=np.float32),
        compat=parameters.smoothness_weight,
    )
    crf.addPairwiseEnergy(
        np.ascontiguousarray(appearance, dtype=np.float32), compat=parameters.appearance_weight
    )
    return np.asarray(crf.inference(parameters.iterations)).reshape(probabilities.shape)
