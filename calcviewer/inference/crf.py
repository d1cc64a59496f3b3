"""Refine class probabilities with a fully connected conditional random field (CRF).

Mean-field inference of Kraehenbuehl & Koltun, "Efficient Inference in Fully Connected CRFs with
Gaussian Edge Potentials" (NIPS 2011), as Gharaibeh et al. (J Med Imaging 2019, 6(4):045002,
section 2.3) use it behind their network: Potts compatibility, one Gaussian kernel on position
(smoothness) and one on position and intensity (appearance), both normalised symmetrically. Both
are periodic in the angle; `calcviewer.inference.bilateral_grid` sums them.

This is the CPU's, on as many cores as there are kernels and classes to sum;
`calcviewer.inference.crf_graph` is the same for a GPU.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from calcviewer.core.errors import CalcViewerError
from calcviewer.inference.bilateral_grid import (
    Kernel,
    appearance_kernel,
    filter_points,
    smoothness_kernel,
)

FloatArray = NDArray[np.float32]

# Two neighbouring samples (10 um) share one point of the grid where the kernels are wide enough:
# half the work, and the preprocessing blur (13 um) is wider too. Messages are interpolated back.
_SAMPLES_PER_POINT = 2
_MAX_POINT_SPACING_SIGMAS = 0.6

MIN_PROBABILITY = 1e-5
MAX_LOG_ODDS = 80.0
"""exp() of it, summed over classes, still fits float32."""


@dataclass(frozen=True, kw_only=True)
class CrfParameters:
    """The energy of the CRF and how long to minimise it.

    Parameters
    ----------
    iterations
        Mean-field updates, at least 1.
    smoothness_weight, appearance_weight
        Energy of two different labels under each kernel, in nats, >= 0. A kernel sums to about
        1 over a point's neighbours, so an island is outvoted once the network's log odds for it
        are smaller than the two weights together.
    smoothness_sigma_mm
        Standard deviation of the smoothness kernel in the cross-section, mm.
    appearance_sigma_mm
        Standard deviation of the appearance kernel in the cross-section, mm. Kept below the
        thickness of the thinnest calcium: a wider kernel votes it away where contrast is low.
    appearance_sigma_intensity
        Standard deviation of the appearance kernel in preprocessed intensity (0 to 1).

    Raises
    ------
    CalcViewerError
        A value is outside its range.
    """

    iterations: int = 5
    smoothness_weight: float = 3.0
    smoothness_sigma_mm: float = 0.02
    appearance_weight: float = 2.0
    appearance_sigma_mm: float = 0.04
    appearance_sigma_intensity: float = 0.1

    def __post_init__(self) -> None:
        if self.iterations < 1:
            raise CalcViewerError(f"CRF iterations must be at least 1, got {self.iterations}.")
        for name in ("smoothness_weight", "appearance_weight"):
            if not 0 <= getattr(self, name) < math.inf:
                raise CalcViewerError(f"CRF {name} must be >= 0, got {getattr(self, name)}.")
        sigmas = ("smoothness_sigma_mm", "appearance_sigma_mm", "appearance_sigma_intensity")
        for name in sigmas:
            if not 0 < getattr(self, name) < math.inf:
                raise CalcViewerError(f"CRF {name} must be > 0, got {getattr(self, name)}.")


_DEFAULT_PARAMETERS = CrfParameters()


def refine(
    probabilities: FloatArray,
    image: FloatArray,
    *,
    parameters: CrfParameters = _DEFAULT_PARAMETERS,
    sample_spacing_mm: float = 0.0052,
) -> FloatArray:
    """Refine the network's probabilities of one polar frame.

    Parameters
    ----------
    probabilities
        Float32 ``[class, a_line, sample]`` in 0..1, two classes or more, summing to 1 over the
        classes. The A-lines cover the full circle in equal steps.
    image
        Float32 ``[a_line, sample]``, the preprocessed intensity in 0..1.
    parameters
        Weights and widths of the two kernels.
    sample_spacing_mm
        Radial sample spacing in mm; the default is the model grid's. Sample 0 starts at the
        catheter's centre.

    Returns
    -------
    FloatArray
        Marginal probabilities, float32 ``[class, a_line, sample]``, summing to 1 over the
        classes. On realistic frames at least 99.9 % of the labels equal those of
        ``pydensecrf2`` on the same energy (99.4 % where borders and noise fill the frame).

    Raises
    ------
    CalcViewerError
        A shape does not fit, a value is not finite or out of range, or a kernel is too narrow
        for the field of view.
    """
    probabilities = np.asarray(probabilities, dtype=np.float32)
    image = np.asarray(image, dtype=np.float32)
    _check(probabilities, image, sample_spacing_mm)
    classes, a_lines, samples = probabilities.shape
    group = samples_per_point(samples, sample_spacing_mm, parameters)
    points = (a_lines, samples // group)
    kernels = _kernels(image, points, group * sample_spacing_mm, parameters)

    log_odds = _log_odds(probabilities, group)
    marginals = log_odds.copy()
    reference = _to_marginals(marginals)
    with ThreadPoolExecutor(len(kernels) * (classes - 1)) as threads:
        for _ in range(parameters.iterations):
            # Sums are linear: those of the difference to class 0 are the messages' difference.
            differences = (marginals - reference[:, np.newaxis]).mean(axis=0)
            sums = [threads.map(partial(filter_points, kernel), differences) for kernel in kernels]
            messages = np.sum([list(of_kernel) for of_kernel in sums], axis=0)
            _add_messages(log_odds, messages.reshape(-1, *points), out=marginals)
            reference = _to_marginals(marginals)

    refined = np.empty((classes, a_lines * points[1], group), dtype=np.float32)
    refined[0] = reference.T
    refined[1:] = np.moveaxis(marginals, 0, 2)
    return refined.reshape(probabilities.shape)


def samples_per_point(samples: int, sample_spacing_mm: float, parameters: CrfParameters) -> int:
    """Return how many of an A-line's ``samples`` share one point of the kernels: 1 or 2."""
    narrowest_mm = min(parameters.smoothness_sigma_mm, parameters.appearance_sigma_mm)
    fine = sample_spacing_mm * _SAMPLES_PER_POINT <= _MAX_POINT_SPACING_SIGMAS * narrowest_mm
    divides = samples % _SAMPLES_PER_POINT == 0 and samples > _SAMPLES_PER_POINT
    return _SAMPLES_PER_POINT if fine and divides else 1


def check_image(image: FloatArray) -> None:
    """Raise CalcViewerError unless the image is finite and within 0 and 1."""
    if not (image.min() >= 0 and image.max() <= 1):  # NaN fails too
        raise CalcViewerError(
            "The image must be finite and within 0 and 1.", "Preprocess the frame first."
        )


def _check(probabilities: FloatArray, image: FloatArray, sample_spacing_mm: float) -> None:
    if probabilities.ndim != 3 or probabilities.shape[0] < 2 or min(probabilities.shape[1:]) < 2:
        raise CalcViewerError(
            "Probabilities must have shape (classes, a_line, sample) with at least two of each, "
            f"got {probabilities.shape}."
        )
    if image.shape != probabilities.shape[1:]:
        raise CalcViewerError(
            f"The image must have shape {probabilities.shape[1:]} like the probabilities, "
            f"got {image.shape}."
        )
    # Written so that NaN fails too. Softmax rounding may exceed 1 by a little.
    if not (probabilities.min() >= 0 and probabilities.max() <= 1.001):
        raise CalcViewerError("Probabilities must be finite and within 0 and 1.")
    check_image(image)
    if not 0 < sample_spacing_mm < math.inf:
        raise CalcViewerError(f"The sample spacing must be > 0 mm, got {sample_spacing_mm}.")


def _kernels(
    image: FloatArray, points: tuple[int, int], spacing_mm: float, parameters: CrfParameters
) -> tuple[Kernel, Kernel]:
    smoothness = smoothness_kernel(
        points,
        spacing_mm,
        sigma_mm=parameters.smoothness_sigma_mm,
        weight=parameters.smoothness_weight,
    )
    appearance = appearance_kernel(
        image.reshape(points[0] * points[1], -1).mean(axis=1),
        points,
        spacing_mm,
        sigma_mm=parameters.appearance_sigma_mm,
        sigma_intensity=parameters.appearance_sigma_intensity,
        weight=parameters.appearance_weight,
    )
    return smoothness, appearance


def _log_odds(probabilities: FloatArray, group: int) -> FloatArray:
    """Log odds against class 0 as ``[sample in group, class - 1, point]``.

    Each sample of a group has its own contiguous plane: sums over a group stay fast.
    """
    logs = np.log(np.maximum(probabilities, np.float32(MIN_PROBABILITY)))
    odds = (logs[1:] - logs[0]).reshape(len(probabilities) - 1, -1, group)
    return np.ascontiguousarray(np.moveaxis(odds, 2, 0))


def _to_marginals(odds: FloatArray) -> FloatArray:
    """Turn log odds ``[sample in group, class - 1, point]`` into probabilities, in place.

    Returns class 0's, ``[sample in group, point]``.
    """
    np.minimum(odds, np.float32(MAX_LOG_ODDS), out=odds)
    np.exp(odds, out=odds)
    reference: FloatArray = odds.sum(axis=1)
    reference += 1
    np.reciprocal(reference, out=reference)
    odds *= reference[:, np.newaxis]
    return reference


def _add_messages(log_odds: FloatArray, messages: FloatArray, *, out: FloatArray) -> None:
    """Write log odds plus ``messages`` ``[class - 1, a_line, point]`` to ``out``.

    A point's message holds at the middle of its samples; each sample gets the linear
    interpolation at its own radius.
    """
    group, others, points = log_odds.shape
    flat = messages.reshape(others, points)
    slope = np.gradient(messages, axis=2).reshape(others, points) if group > 1 else None
    for k in range(group):
        np.add(log_odds[k], flat, out=out[k])
        if slope is not None:
            out[k] += slope * np.float32((k + 0.5) / group - 0.5)
