import numpy as np
import pytest

from calcviewer.app.voi_file import label_beyond
from calcviewer.training.augment import (
    DEFAULT,
    augment,
    clip_black,
    cut_field,
    cut_frame,
    move_radially,
)


@pytest.fixture
def frame():
    rng = np.random.default_rng(0)
    return rng.random((60, 80), dtype=np.float32), rng.integers(0, 3, (60, 80)).astype(np.uint8)


def test_theta_shift_recuts_the_concatenated_frames():
    images = np.arange(2 * 6 * 4).reshape(2, 6, 4).astype(np.float16)
    labels = images.astype(np.uint8)
    image, label = cut_frame(images, labels, frame=0, offset=2)
    whole = images.reshape(12, 4)
    np.testing.assert_array_equal(image, whole[2:8])
    np.testing.assert_array_equal(label, whole[2:8])


def test_last_frame_is_closed_on_itself():
    images = np.arange(2 * 6 * 4).reshape(2, 6, 4).astype(np.float16)
    image, _label = cut_frame(images, images.astype(np.uint8), frame=1, offset=2)
    np.testing.assert_array_equal(image, np.roll(images[1], -2, axis=0))


def test_radial_identity(frame):
    image, labels = move_radially(*frame, scale=1, shift=0)
    np.testing.assert_allclose(image, frame[0], rtol=1e-6)
    np.testing.assert_array_equal(labels, frame[1])


def test_radial_shift_moves_image_and_labels_alike(frame):
    image, labels = move_radially(*frame, scale=1, shift=0.1)
    np.testing.assert_allclose(image[:, 8:], frame[0][:, :-8], atol=1e-5)
    np.testing.assert_array_equal(labels[:, 8:], frame[1][:, :-8])
    np.testing.assert_array_equal(labels[:, :8], np.repeat(frame[1][:, :1], 8, axis=1))


def test_what_is_pulled_in_from_beyond_is_ignored(frame):
    image, labels = move_radially(*frame, scale=0.5, shift=0)
    assert np.all(image[:, 41:] == 0)
    assert np.all(labels[:, 41:] == 255)
    np.testing.assert_array_equal(labels[:, 10], frame[1][:, 20])


def test_black_clipping_blackens_the_quantile(frame):
    clipped = clip_black(frame[0], 0.3)
    assert (clipped <= 0).mean() == pytest.approx(0.3, abs=0.05)
    assert clipped.max() == pytest.approx(1, abs=0.01)


def test_field_cut_is_black_and_other(frame):
    labels = np.full((60, 80), 2, dtype=np.uint8)
    labels[:20] = 1
    labels[20:40, 70:] = 1
    image, cut = cut_field(frame[0], labels, 0.75)
    assert np.all(image[:, 60:] == 0)
    assert np.all(cut[:20, 60:] == 255), "the lumen leaves the field: nobody knows"
    assert np.all(cut[20:, 60:] == 0)
    np.testing.assert_array_equal(cut[:, :60], labels[:, :60])


@pytest.mark.parametrize("first", [0, 80, 100])
def test_no_rim_within_the_frame_changes_nothing(frame, first):
    assert label_beyond(frame[1], first) is frame[1]


def test_augment_is_repeatable_and_leaves_its_input_alone(frame):
    before = [part.copy() for part in frame]
    first = augment(*frame, np.random.default_rng(5), settings=DEFAULT)
    again = augment(*frame, np.random.default_rng(5), settings=DEFAULT)
    other = augment(*frame, np.random.default_rng(6), settings=DEFAULT)
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])
    assert not np.array_equal(first[0], other[0])
    for part, copy in zip(frame, before, strict=True):
        np.testing.assert_array_equal(part, copy)


def test_augment_keeps_type_range_and_labels(frame):
    for seed in range(20):
        image, labels = augment(*frame, np.random.default_rng(seed), settings=DEFAULT)
        assert image.dtype == np.float32
        assert labels.dtype == np.uint8
        assert image.shape == labels.shape == (60, 80)
        assert 0 <= image.min() <= image.max() <= 1
        assert set(np.unique(labels)) <= {0, 1, 2, 255}
