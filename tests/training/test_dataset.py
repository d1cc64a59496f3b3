import json

import numpy as np
import pytest

from calcviewer.core.errors import CalcViewerError
from calcviewer.training.augment import DEFAULT
from calcviewer.training.dataset import (
    CALCIUM,
    IGNORE,
    LUMEN,
    OTHER,
    Voi,
    VoiMetadata,
    batches,
    read_dataset,
    reduce_labels,
    split_vois,
    write_voi,
)


def metadata(name="a", *, stride=1, source="patient"):
    return VoiMetadata(name, "simulated", source=source, seed=3, stride=stride)


def arrays(frames=1):
    rng = np.random.default_rng(0)
    images = rng.random((frames, 480, 960)).astype(np.float16)
    return images, rng.integers(0, 3, images.shape).astype(np.uint8)


def tiny_vois(count, frames=2):
    """VOIs whose frames are constant and all different."""
    vois = []
    for index in range(count):
        values = (index * frames + np.arange(frames)) / 100
        images = np.ones((frames, 64, 64)) * values[:, None, None]
        labels = np.zeros(images.shape, dtype=np.uint8)
        one = metadata(f"v{index}", stride=8, source=f"s{index}")
        vois.append(Voi(one, images.astype(np.float16), labels))
    return vois


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


def test_split_keeps_sources_whole_and_tests_every_voi_once():
    vois = [
        Voi(metadata(f"{source}-{part}", source=str(source)), *arrays(0))
        for source in range(12)
        for part in range(2)
    ]
    tested = []
    for fold in range(10):
        split = split_vois(vois, fold=fold)
        sides = [
            {voi.metadata.source for voi in side}
            for side in (split.train, split.validation, split.test)
        ]
        assert all(sides)
        assert sum(len(side) for side in sides) == len(set.union(*sides)) == 12
        tested += [voi.metadata.name for voi in split.test]
    assert sorted(tested) == sorted(voi.metadata.name for voi in vois)


def test_split_depends_on_the_seed_alone():
    vois = tiny_vois(10)
    first = split_vois(vois, seed=1)
    again = split_vois(vois[::-1], seed=1)
    other = split_vois(vois, seed=2)
    assert {v.metadata.name for v in first.train} == {v.metadata.name for v in again.train}
    assert {v.metadata.name for v in first.train} != {v.metadata.name for v in other.train}


def test_two_sources_cannot_be_split():
    with pytest.raises(CalcViewerError, match="2 source"):
        split_vois(tiny_vois(2))


def test_batches_show_every_frame_once():
    shown = [
        float(image.mean())
        for images, _labels in batches(tiny_vois(3), batch_size=4, shuffle=True)
        for image in images
    ]
    assert np.round(sorted(shown), 2).tolist() == [0, 0.01, 0.02, 0.03, 0.04, 0.05]


def test_batches_repeat_from_the_seed_and_change_with_the_epoch():
    def images(**choice):
        found = batches(tiny_vois(3), batch_size=2, augmentation=DEFAULT, shuffle=True, **choice)
        return np.concatenate([batch for batch, _labels in found])

    np.testing.assert_array_equal(images(seed=1), images(seed=1))
    assert not np.array_equal(images(seed=1), images(seed=1, epoch=1))
    assert not np.array_equal(images(seed=1), images(seed=2))
