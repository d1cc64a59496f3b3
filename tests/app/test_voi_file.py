import json

import numpy as np
import pytest

from calcviewer.app.voi_file import (
    CALCIUM,
    IGNORE,
    LUMEN,
    OTHER,
    FrameOrigin,
    VoiMetadata,
    read_dataset,
    reduce_labels,
    write_voi,
)
from calcviewer.core.errors import CalcViewerError


def metadata(name="a", *, stride=1, source="patient"):
    return VoiMetadata(name, "simulated", source=source, seed=3, stride=stride)


def arrays(frames=1):
    rng = np.random.default_rng(0)
    images = rng.random((frames, 480, 960)).astype(np.float16)
    return images, rng.integers(0, 3, images.shape).astype(np.uint8)


def test_round_trip(tmp_path):
    images, labels = arrays(2)
    write_voi(tmp_path, metadata("b"), images=images, labels=labels)
    write_voi(tmp_path, metadata("a"), images=images[:1], labels=labels[:1])
    first, second = read_dataset(tmp_path)
    assert first.metadata == metadata("a")
    np.testing.assert_array_equal(second.images, images)
    np.testing.assert_array_equal(second.labels, labels)


def test_reducing_when_writing_equals_reducing_when_reading(tmp_path):
    images, labels = arrays()
    write_voi(tmp_path / "full", metadata(), images=images, labels=labels)
    write_voi(tmp_path / "half", metadata(stride=2), images=images, labels=labels)
    (full,) = read_dataset(tmp_path / "full", stride=2)
    (half,) = read_dataset(tmp_path / "half", stride=2)
    assert half.images.shape == (1, 240, 480)
    assert full.metadata == half.metadata
    np.testing.assert_array_equal(full.images, half.images)
    np.testing.assert_array_equal(full.labels, half.labels)


def test_images_are_averaged(tmp_path):
    images = np.tile(np.array([[0, 1], [1, 1]], dtype=np.float16), (1, 240, 480))
    write_voi(tmp_path, metadata(stride=2), images=images, labels=np.zeros_like(images, np.uint8))
    assert np.all(read_dataset(tmp_path, stride=2)[0].images == 0.75)


@pytest.mark.parametrize(
    ("block", "label"),
    [
        ([OTHER, OTHER, OTHER, CALCIUM], OTHER),
        ([OTHER, OTHER, CALCIUM, CALCIUM], CALCIUM),
        ([OTHER, LUMEN, LUMEN, OTHER], LUMEN),
        ([IGNORE, IGNORE, IGNORE, LUMEN], IGNORE),
    ],
)
def test_labels_follow_the_majority(block, label):
    labels = np.array(block, dtype=np.uint8).reshape(1, 2, 2)
    assert reduce_labels(labels, 2).tolist() == [[[label]]]


def test_data_coarser_than_wanted_is_refused(tmp_path):
    images, labels = arrays()
    write_voi(tmp_path, metadata(stride=2), images=images, labels=labels)
    with pytest.raises(CalcViewerError, match="stride 2"):
        read_dataset(tmp_path, stride=1)


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(CalcViewerError, match="no training data"):
        read_dataset(tmp_path)


@pytest.mark.parametrize("change", [{"format": 2}, {"a_lines": 504}, {"surplus": 1}, {"stride": 4}])
def test_metadata_that_does_not_fit_is_refused(tmp_path, change):
    images, labels = arrays()
    path = write_voi(tmp_path, metadata(), images=images, labels=labels).with_suffix(".json")
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(CalcViewerError, match=r"a\.json"):
        read_dataset(tmp_path, stride=4)


def test_a_damaged_file_is_refused(tmp_path):
    images, labels = arrays()
    path = write_voi(tmp_path, metadata(), images=images, labels=labels)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(CalcViewerError, match="could not be read"):
        read_dataset(tmp_path)


def test_frames_off_the_model_grid_are_refused(tmp_path):
    images = np.zeros((1, 504, 960), dtype=np.float16)
    with pytest.raises(CalcViewerError, match="504"):
        write_voi(tmp_path, metadata(), images=images, labels=images.astype(np.uint8))


def test_origins_of_frames_are_kept(tmp_path):
    origins = FrameOrigin(7, "SEMIAUTOMATIC", True, "reader"), FrameOrigin(8, "MANUAL")
    given = VoiMetadata("a", "real", source="pullback", stride=2, frames=origins)
    images, labels = arrays(2)
    write_voi(tmp_path, given, images=images, labels=labels)
    assert read_dataset(tmp_path, stride=2)[0].metadata == given
    assert read_dataset(tmp_path, stride=4)[0].metadata.frames == origins
