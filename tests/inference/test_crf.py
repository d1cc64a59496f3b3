"""The CRF against an exact sum, against pydensecrf2, and on what it must keep and remove."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from calcviewer.core.errors import CalcViewerError
from calcviewer.inference.crf import CrfParameters, refine
from tests.inference.crf_frames import (
    A_LINES,
    CALCIUM,
    LUMEN,
    SAMPLES,
    SPACING_MM,
    Array,
    noisy_frame,
    polar_grid,
    reference,
    softmax,
    speckled,
)

WIDE = CrfParameters(
    smoothness_sigma_mm=0.04,
    appearance_weight=3.0,
    appearance_sigma_mm=0.1,
    appearance_sigma_intensity=0.15,
)


def plaque_frame(
    contrast: float, *, calcium: float = 0.7, front_mm: float = 1.8
) -> tuple[Array, Array, Array]:
    """A sheet of calcium 0.1 mm thick over 30 degrees across the seam, behind a round lumen."""
    rng = np.random.default_rng(5)
    angle, radius_mm = polar_grid(A_LINES, SAMPLES, SPACING_MM)
    lumen = radius_mm < 1.7
    sheet = np.cos(angle) > np.cos(np.deg2rad(15))
    sheet &= (radius_mm >= front_mm) & (radius_mm < front_mm + 0.1)
    image = speckled(np.where(lumen, 0.08, np.where(sheet, 0.7 - contrast, 0.7)), rng)
    mean = np.array([0.9, 0.02, 0.08])[:, np.newaxis, np.newaxis] * np.ones(sheet.shape)
    mean[:, lumen] = np.array([[0.02], [0.97], [0.01]])
    mean[:, sheet] = np.array([[0.98 - calcium], [0.02], [calcium]])
    return softmax(np.log(mean) + 0.3 * rng.standard_normal(mean.shape)), image, sheet


def exact_mean_field(
    probabilities: Array, image: Array, parameters: CrfParameters, spacing_mm: float
) -> Array:
    """Mean field with every pair of pixels summed."""
    angle, radius_mm = polar_grid(image.shape[0], image.shape[1], spacing_mm)
    position = np.stack([radius_mm * np.cos(angle), radius_mm * np.sin(angle)]).reshape(2, -1)
    level = image.reshape(1, -1) / parameters.appearance_sigma_intensity
    total = 0
    for weight, features in (
        (parameters.smoothness_weight, position / parameters.smoothness_sigma_mm),
        (
            parameters.appearance_weight,
            np.concatenate([position / parameters.appearance_sigma_mm, level]),
        ),
    ):
        squared = ((features[:, :, np.newaxis] - features[:, np.newaxis]) ** 2).sum(axis=0)
        kernel = np.exp(-squared / 2)
        scale = 1 / np.sqrt(kernel.sum(axis=1))
        total = total + weight * kernel * scale[:, np.newaxis] * scale
    logs = np.log(probabilities.reshape(len(probabilities), -1))
    marginals = softmax(logs)
    for _ in range(parameters.iterations):
        marginals = softmax(logs + marginals @ total)
    return marginals.reshape(probabilities.shape)


def dice(labels: Array, truth: Array, label: int) -> float:
    found, true = labels == label, truth == label
    return float(2 * (found & true).sum() / (found.sum() + true.sum()))


# At 0.02 mm every sample is a point of the grid; at 0.01 mm two share one.
@pytest.mark.parametrize(("spacing_mm", "equal"), [(0.02, 0.995), (0.01, 0.985)])
def test_agrees_with_the_exact_sum_over_all_pairs(spacing_mm: float, equal: float) -> None:
    rng = np.random.default_rng(2)
    angle, radius_mm = polar_grid(64, 24, spacing_mm)
    disc = radius_mm + 0.05 * np.cos(angle) < 12 * spacing_mm
    scores = np.where(np.stack([disc, ~disc]), 1.0, 0.0) + rng.standard_normal((2, *disc.shape))
    brightness = np.where(disc, 0.3, 0.6) + 0.05 * rng.standard_normal(disc.shape)
    probabilities, image = softmax(scores), brightness.astype(np.float32)
    parameters = CrfParameters(
        smoothness_weight=1.5,
        smoothness_sigma_mm=0.04,
        appearance_sigma_mm=0.1,
        appearance_sigma_intensity=0.15,
    )

    ours = refine(probabilities, image, parameters=parameters, sample_spacing_mm=spacing_mm)
    exact = exact_mean_field(probabilities, image, parameters, spacing_mm)

    changed = (probabilities.argmax(axis=0) != exact.argmax(axis=0)).mean()
    assert changed > 0.15
    assert (ours.argmax(axis=0) == exact.argmax(axis=0)).mean() > equal
    assert np.abs(ours - exact).mean() < 0.02


@pytest.mark.parametrize("parameters", [CrfParameters(), WIDE], ids=["default", "wide"])
@pytest.mark.parametrize("seed", [1, 2])
def test_labels_agree_with_pydensecrf(parameters: CrfParameters, seed: int) -> None:
    probabilities, image, _ = noisy_frame(seed)

    expected = reference(probabilities, image, parameters)
    refined = refine(probabilities, image, parameters=parameters)

    assert (expected.argmax(axis=0) != probabilities.argmax(axis=0)).mean() > 0.02
    assert (refined.argmax(axis=0) == expected.argmax(axis=0)).mean() >= 0.999
    seam = [-2, -1, 0, 1]
    near = refined[:, seam].argmax(axis=0) == expected[:, seam].argmax(axis=0)
    assert near.mean() >= 0.995


def test_noisy_labels_get_better() -> None:
    probabilities, image, truth = noisy_frame(3)

    before = probabilities.argmax(axis=0)
    after = refine(probabilities, image).argmax(axis=0)

    assert dice(after, truth, CALCIUM) > dice(before, truth, CALCIUM) + 0.1
    assert dice(after, truth, LUMEN) > 0.99


def test_marginals_are_probabilities() -> None:
    probabilities, image, _ = noisy_frame(4)

    refined = refine(probabilities, image)

    assert refined.shape == probabilities.shape
    assert refined.dtype == np.float32
    assert refined.min() >= 0
    np.testing.assert_allclose(refined.sum(axis=0), 1, atol=1e-5)


def test_certain_input_stays_finite() -> None:
    probabilities = np.zeros((3, 16, 20), np.float32)
    probabilities[LUMEN] = 1
    heavy = CrfParameters(smoothness_weight=500.0)

    refined = refine(probabilities, np.zeros((16, 20), np.float32), parameters=heavy)

    assert np.isfinite(refined).all()
    assert (refined[LUMEN] > 0.999).all()


@pytest.mark.parametrize(("shift", "equal"), [(1, 0.9995), (7, 0.9995), (133, 0.9995), (240, 1)])
def test_turning_the_frame_turns_the_result(shift: int, equal: float) -> None:
    probabilities, image, _ = noisy_frame(6)

    still = refine(probabilities, image)
    turned = refine(np.roll(probabilities, shift, axis=1), np.roll(image, shift, axis=0))

    back = np.roll(turned, -shift, axis=1)
    assert (back.argmax(axis=0) == still.argmax(axis=0)).mean() >= equal
    assert np.abs(back - still).mean() < 5e-4


def test_the_last_a_line_speaks_to_the_first() -> None:
    probabilities = np.full((2, 480, 40), 0.5, np.float32)
    probabilities[:, -20:] = np.array([0.05, 0.95], np.float32)[:, np.newaxis, np.newaxis]
    refined = refine(probabilities, np.full((480, 40), 0.5, np.float32))

    # The undecided A-lines on either side of the decided ones hear them equally.
    np.testing.assert_allclose(refined[:, :5], refined[:, -25:-20][:, ::-1], atol=0.02)
    assert (refined[1, 0] > 0.8).all()


@pytest.mark.parametrize("contrast", [0.0, 0.15, 0.3])
def test_thin_calcium_is_kept(contrast: float) -> None:
    probabilities, image, sheet = plaque_frame(contrast)

    found = refine(probabilities, image).argmax(axis=0) == CALCIUM

    assert found[sheet].mean() > 0.85
    assert found[~sheet].sum() < 0.02 * sheet.sum()
    angles, samples = np.nonzero(found & sheet)
    assert (samples.max() - samples.min() + 1) * SPACING_MM > 0.09
    assert np.unique(angles).size * 0.75 > 26


def test_islands_are_removed() -> None:
    probabilities, image, sheet = plaque_frame(0.15)
    for k, (width, depth) in enumerate([(1, 1), (2, 3), (3, 4), (2, 8)]):
        for sample in (150, 380, 600):  # in the lumen, near its border, deep
            lines = slice(100 + 60 * k, 100 + 60 * k + width)
            island = np.array([0.15, 0.05, 0.8])[:, np.newaxis, np.newaxis]
            probabilities[:, lines, sample : sample + depth] = island
    assert (probabilities.argmax(axis=0) == CALCIUM)[~sheet].any()

    found = refine(probabilities, image).argmax(axis=0) == CALCIUM

    assert not found[60:420].any()


def test_two_classes_and_odd_sample_counts_work() -> None:
    probabilities, image, _ = noisy_frame(7)
    odd = probabilities[:2, :, :301] / probabilities[:2, :, :301].sum(axis=0)

    assert refine(odd, image[:, :301]).shape == (2, A_LINES, 301)


def test_memory_stays_moderate() -> None:
    probabilities, image, _ = noisy_frame(8)
    tracemalloc.start()
    refine(probabilities, image)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 150e6


def test_inputs_are_left_alone() -> None:
    probabilities, image, _ = noisy_frame(9)
    same = replace(CrfParameters(), appearance_sigma_mm=CrfParameters().smoothness_sigma_mm)
    kept = probabilities.copy(), image.copy()

    first = refine(probabilities, image, parameters=same)
    second = refine(probabilities, image, parameters=same)  # with what the first call cached

    np.testing.assert_array_equal(probabilities, kept[0])
    np.testing.assert_array_equal(image, kept[1])
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(
    ("probabilities", "image", "message"),
    [
        (np.ones((4, 4)), np.ones((4, 4)), "shape"),
        (np.ones((1, 4, 4)), np.ones((4, 4)), "shape"),
        (np.ones((3, 4, 4)), np.ones((4, 5)), "shape"),
        (np.full((3, 4, 4), np.nan), np.ones((4, 4)), "finite"),
        (np.full((3, 4, 4), 2.0), np.ones((4, 4)), "within"),
        (np.full((3, 4, 4), 0.3), np.full((4, 4), 255.0), "within"),
        (np.full((3, 4, 4), 0.3), np.full((4, 4), np.nan), "finite"),
    ],
)
def test_wrong_arrays_are_refused(probabilities: Array, image: Array, message: str) -> None:
    with pytest.raises(CalcViewerError, match=message):
        refine(probabilities, image)


@pytest.mark.parametrize(
    "wrong",
    [
        {"iterations": 0},
        {"smoothness_weight": -1.0},
        {"appearance_weight": float("nan")},
        {"smoothness_sigma_mm": 0.0},
        {"appearance_sigma_intensity": float("inf")},
    ],
)
def test_wrong_parameters_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(CalcViewerError, match=next(iter(wrong))):
        CrfParameters(**wrong)  # type: ignore[arg-type]


def test_a_kernel_too_narrow_for_the_field_is_refused() -> None:
    narrow = CrfParameters(smoothness_sigma_mm=1e-4)
    with pytest.raises(CalcViewerError, match="narrow"):
        refine(
            np.full((2, 8, 960), 0.5, np.float32),
            np.zeros((8, 960), np.float32),
            parameters=narrow,
        )


def test_a_sample_spacing_of_zero_is_refused() -> None:
    with pytest.raises(CalcViewerError, match="spacing"):
        refine(
            np.full((2, 8, 8), 0.5, np.float32),
            np.zeros((8, 8), np.float32),
            sample_spacing_mm=0.0,
        )
