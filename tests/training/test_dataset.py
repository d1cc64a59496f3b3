from dataclasses import replace

import numpy as np
import pytest

from calcviewer.app.voi_file import Voi, VoiMetadata
from calcviewer.core.errors import CalcViewerError
from calcviewer.training.augment import DEFAULT
from calcviewer.training.dataset import batches, split_vois

NO_FRAMES = np.zeros((0, 480, 960), np.float16), np.zeros((0, 480, 960), np.uint8)


def metadata(name="a", *, stride=1, source="patient"):
    return VoiMetadata(name, "simulated", source=source, seed=3, stride=stride)


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


def test_split_keeps_sources_whole_and_tests_every_voi_once():
    vois = [
        Voi(metadata(f"{source}-{part}", source=str(source)), *NO_FRAMES)
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


def test_whole_frames_are_turned_by_any_angle():
    ramp = np.repeat(np.arange(240, dtype=np.float16)[:, None] / 240, 480, axis=1)
    labels = (ramp > 0.5).astype(np.uint8)
    known = metadata(stride=2)
    one = Voi(known, np.stack([ramp] * 6), np.stack([labels] * 6))
    plain = replace(
        DEFAULT,
        turn_whole_frames=True,
        flip_probability=0.0,
        radial_scale=(1.0, 1.0),
        radial_shift=(0.0, 0.0),
        field_cut_probability=0.0,
    )
    shown = [found for _, found in batches([one], batch_size=1, augmentation=plain)]
    turns = set()
    for found in shown:
        starts = np.flatnonzero(np.diff(found[0, :, 0].astype(int), prepend=found[0, -1, 0]) == 1)
        assert starts.size == 1
        np.testing.assert_array_equal(found[0], np.roll(labels, starts[0] - 121, axis=0))
        turns.add(int(starts[0]))
    assert len(turns) > 3
