"""Labels of a frame from what the network saw in it and in its neighbours.

The neighbours' probabilities are averaged before the CRF, so network and CRF are two steps. On a
GPU the second is an ONNX graph that takes the probabilities where the first left them: only the
image goes in, and only the labels and the mean come back. On a CPU there is no way to save, and
the sparse products of `calcviewer.inference.crf` take a fraction of the graph's time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from calcviewer.inference.crf import CrfParameters, check_image, refine
from calcviewer.inference.crf_graph import IMAGE, LABELS, MEAN, WEIGHTS, build_crf, frame_input
from calcviewer.inference.model_card import SAMPLE_SPACING_MM
from calcviewer.inference.onnx import Network, Place, Seen, failures, open_session, run_bound

MOST_FRAMES = 5
"""Of how many frames the mean can be taken."""


class Predicting(Protocol):
    """What the segmentation asks of a network."""

    def predict(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """As `Network.predict`."""


@dataclass(frozen=True, eq=False)
class Refined:
    """What a frame shows.

    Attributes
    ----------
    labels
        Class of every sample, uint8 ``[480, 960]``.
    mean
        The mean probabilities, before the refinement, float32 ``[class, 480, 960]``.
    """

    labels: NDArray[np.uint8]
    mean: NDArray[np.float32]


def see(network: Predicting, image: NDArray[np.float32]) -> Seen:
    """Class probabilities of a preprocessed frame, for `refine_mean`; kept on the GPU if there."""
    if isinstance(network, Network) and network.place == "cuda":
        return network.see(image)
    return network.predict(image[None])


def refine_mean(
    image: NDArray[np.float32],
    seen: Sequence[tuple[float, Seen]],
    *,
    parameters: CrfParameters | None,
) -> Refined:
    """Average the probabilities of a frame and its neighbours and refine the mean.

    Parameters
    ----------
    image
        The preprocessed frame, ``[480, 960]`` in 0..1.
    seen
        Weights and probabilities of at most `MOST_FRAMES` frames, all in the same place.
    parameters
        None leaves the refinement out.

    Raises
    ------
    CalcViewerError
        An array does not fit the CRF, or the GPU fails.
    """
    kept = isinstance(seen[0][1], onnxruntime.OrtValue)
    if kept and parameters is not None:
        return _refine_in_place(image, seen, parameters)
    total = sum(weight for weight, _ in seen)
    mean = np.float32(seen[0][0] / total) * _in_memory(seen[0][1])[0]
    for weight, probabilities in seen[1:]:
        mean += np.float32(weight / total) * _in_memory(probabilities)[0]
    refined = mean if parameters is None else refine(mean, image, parameters=parameters)
    return Refined(np.argmax(refined, axis=0).astype(np.uint8), mean)


def _refine_in_place(
    image: NDArray[np.float32],
    seen: Sequence[tuple[float, onnxruntime.OrtValue]],
    parameters: CrfParameters,
) -> Refined:
    image = np.ascontiguousarray(image, dtype=np.float32)
    check_image(image)  # beyond 1 lie no nodes
    first = seen[0][1]
    session = _session(parameters, (first.shape()[1], *image.shape), first.device_name())
    # One graph for any number: frames that are missing get no weight.
    filled = [*seen, *[(0.0, first)] * (MOST_FRAMES - len(seen))]
    weights = np.array([weight for weight, _ in filled], dtype=np.float32)
    inputs: dict[str, Seen] = {IMAGE: image, WEIGHTS: weights / weights.sum()}
    inputs |= {frame_input(number): one for number, (_, one) in enumerate(filled)}
    with failures("The CRF failed on a frame"):
        labels, mean = run_bound(session, inputs, {LABELS: "cpu", MEAN: "cpu"})
        return Refined(labels.numpy(), mean.numpy())


# The graph of a pullback, and the one before it while that is still shown.
@lru_cache(maxsize=2)
def _session(
    parameters: CrfParameters, shape: tuple[int, ...], place: Place
) -> onnxruntime.InferenceSession:
    model = build_crf(parameters, shape, SAMPLE_SPACING_MM, frames=MOST_FRAMES)
    return open_session(model, "The CRF", cuda=place == "cuda")


def _in_memory(probabilities: Seen) -> NDArray[np.float32]:
    if isinstance(probabilities, np.ndarray):
        return probabilities
    return np.asarray(probabilities.numpy(), dtype=np.float32)
