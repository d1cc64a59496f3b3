"""Averaging and refining what a network saw, in memory and where an ONNX session keeps it."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest

from calcviewer.core.errors import CalcViewerError
from calcviewer.inference import refinement
from calcviewer.inference.crf import CrfParameters, refine
from calcviewer.inference.onnx import Seen
from calcviewer.inference.refinement import MOST_FRAMES, refine_mean, see
from tests.inference.crf_frames import Array, small_frame

PARAMETERS = CrfParameters(iterations=2)


def seen_frame(number: int) -> tuple[Array, Array]:
    """Probabilities as a network gives them, and the image."""
    probabilities, image = small_frame(number)
    return probabilities[None], image


def kept(seen: list[tuple[float, Array]]) -> list[tuple[float, Seen]]:
    """Return the same as values that a session keeps, here on the CPU."""
    return [
        (weight, onnxruntime.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(one)))
        for weight, one in seen
    ]


def test_the_weighted_mean_is_refined() -> None:
    seen = [(weight, seen_frame(seed)[0]) for seed, weight in enumerate([3.0, 2.0, 1.0])]
    image = seen_frame(0)[1]

    found = refine_mean(image, seen, parameters=PARAMETERS)

    mean = sum(weight * one[0] for weight, one in seen) / 6
    np.testing.assert_allclose(found.mean, mean, atol=1e-6)
    expected = refine(found.mean, image, parameters=PARAMETERS).argmax(axis=0)
    np.testing.assert_array_equal(found.labels, expected)
    assert found.labels.dtype == np.uint8


@pytest.mark.parametrize("frames", [1, 3, MOST_FRAMES])
@pytest.mark.parametrize("parameters", [PARAMETERS, None], ids=["refined", "mean only"])
def test_kept_probabilities_give_the_same(frames: int, parameters: CrfParameters | None) -> None:
    seen = [(1.0 + seed, seen_frame(seed)[0]) for seed in range(frames)]
    image = seen_frame(0)[1]

    expected = refine_mean(image, seen, parameters=parameters)
    found = refine_mean(image, kept(seen), parameters=parameters)

    assert (found.labels == expected.labels).mean() >= 0.9999
    assert found.labels.dtype == expected.labels.dtype
    np.testing.assert_allclose(found.mean, expected.mean, atol=1e-6)


def test_what_was_seen_is_left_alone() -> None:
    probabilities, image = seen_frame(1)
    before = probabilities.copy()
    refine_mean(image, [(3.0, probabilities), (1.0, probabilities)], parameters=None)
    np.testing.assert_array_equal(probabilities, before)


def test_one_graph_serves_all_frames_of_a_pullback() -> None:
    refinement._session.cache_clear()
    probabilities, image = seen_frame(2)
    for frames in (3, 4, 5):
        refine_mean(image, kept([(1.0, probabilities)] * frames), parameters=PARAMETERS)
    assert refinement._session.cache_info().misses == 1


def test_images_of_another_type_are_taken() -> None:
    probabilities, image = seen_frame(3)
    seen = kept([(1.0, probabilities)])
    expected = refine_mean(image, seen, parameters=PARAMETERS)
    found = refine_mean(np.asfortranarray(image.astype(float)), seen, parameters=PARAMETERS)
    np.testing.assert_array_equal(found.labels, expected.labels)


@pytest.mark.parametrize("wrong", [np.full((120, 300), 255.0), np.full((120, 300), np.nan)])
def test_images_that_are_not_preprocessed_are_refused(wrong: Array) -> None:
    with pytest.raises(CalcViewerError, match="within 0 and 1"):
        refine_mean(wrong, kept([(1.0, seen_frame(4)[0])]), parameters=PARAMETERS)


def test_probabilities_of_another_shape_are_refused() -> None:
    probabilities, image = seen_frame(4)
    with pytest.raises(CalcViewerError, match="CRF failed"):
        refine_mean(image, kept([(1.0, probabilities[:, :, :-1])]), parameters=PARAMETERS)


def test_anything_that_predicts_can_be_asked() -> None:
    class Predicts:
        def predict(self, images: Array) -> Array:
            return images[:, None] + np.zeros((1, 3, 1, 1), dtype=np.float32)

    image = seen_frame(5)[1]
    seen = see(Predicts(), image)
    assert isinstance(seen, np.ndarray)
    np.testing.assert_array_equal(seen[0, 2], image)
