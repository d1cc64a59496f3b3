from __future__ import annotations

import pickle

import numpy as np
import pytest

from calcviewer.core.errors import UnreadableInputError
from calcviewer.core.pullback import Intensity
from calcviewer.modalities.ivoct.gold import gold_table
from calcviewer.modalities.ivoct.pictures import (
    ColourPictures,
    EvenFrames,
    FieldFinder,
    GreyPictures,
    Orientation,
    PolarFrames,
    readable,
    spread,
)
from calcviewer.modalities.ivoct.read_arrays import LoadedFrames
from tests.dicom.samples import cross_sections, polar_frames


def test_spread_covers_first_and_last() -> None:
    assert spread(1) == [0]
    assert spread(3) == [0, 1, 2]
    assert spread(540, 5) == [0, 135, 270, 404, 539]


def test_a_frame_unlike_the_first_is_refused_and_the_others_go_on() -> None:
    class Mixed:
        count = 3

        def frame(self, index: int) -> np.ndarray:
            return np.zeros((8, 9, 3) if index == 1 else (8, 9), dtype=np.uint8)

    frames = EvenFrames(Mixed())
    assert frames.frame(2).shape == (8, 9)
    with pytest.raises(UnreadableInputError, match=r"Frame 2 has shape \(8, 9, 3\), frame 1"):
        frames.frame(1)
    assert len(readable(frames, [0, 1, 2])) == 2


def test_sixteen_bit_frames_are_shown_with_one_window_for_all() -> None:
    frames = np.linspace(1000, 60000, 3 * 40 * 50).reshape(3, 40, 50).astype(np.uint16)
    pictures = GreyPictures(LoadedFrames(frames), Intensity.LOG)
    shown = [pictures.shown(index) for index in range(3)]
    assert all(frame.dtype == np.uint8 for frame in shown)
    assert shown[0].max() < shown[2].min()
    assert shown[0].min() == 0
    assert shown[2].max() == 255


def test_linear_values_are_compressed_for_the_screen_only() -> None:
    level_db = np.linspace(0, 60, 4000).reshape(1, 40, 100)
    linear = (10 ** (level_db / 10)).astype(np.float32)
    pictures = GreyPictures(LoadedFrames(linear), Intensity.LINEAR)
    np.testing.assert_array_equal(pictures.values(0), linear[0])
    # A median sample is nothing on a linear scale and clearly seen on a log one.
    assert pictures.shown(0)[20, 50] > 60


def test_not_a_number_becomes_no_signal() -> None:
    frames = np.full((1, 4, 4), np.nan, dtype=np.float32)
    frames[0, 0, 0], frames[0, 0, 1] = 7, np.inf
    values = GreyPictures(LoadedFrames(frames), Intensity.LOG).values(0)
    assert values[0, 0] == 7
    assert values.sum() == 7


@pytest.mark.parametrize("clockwise", [True, False])
@pytest.mark.parametrize("first", [0, 90, 215])
def test_orientation_puts_a_mark_where_the_header_says(clockwise: bool, first: int) -> None:
    """A stored A-line k lies k steps from the first one, in the direction of rotation."""
    stored = np.zeros((360, 3))
    seam, line = 10, 40
    stored[seam + line, :] = 1
    orientation = Orientation(
        a_lines=360, clockwise=clockwise, first_a_line=first, seam_indices=(seam,)
    )
    turned = orientation.apply(stored, 0)
    expected = (first + (line if clockwise else -line)) % 360
    assert np.flatnonzero(turned[:, 0]).tolist() == [expected]


def test_padded_a_lines_are_dropped_and_samples_shifted() -> None:
    stored = np.arange(1, 31).reshape(6, 5)
    orientation = Orientation(a_lines=4, shifts_px=(0, 2, -1, 9))
    np.testing.assert_array_equal(orientation.apply(stored, 0), stored[:4])
    np.testing.assert_array_equal(orientation.apply(stored, 1)[0], [0, 0, 1, 2, 3])
    np.testing.assert_array_equal(orientation.apply(stored, 2)[0], [2, 3, 4, 5, 0])
    assert not orientation.apply(stored, 3).any()


def test_colour_frames_learn_their_ramp_once() -> None:
    grey = cross_sections(6)
    raw = LoadedFrames(gold_table()[grey])
    pictures = ColourPictures(raw, FieldFinder(raw))
    inside = pictures.values(2) > 0
    assert np.abs(pictures.values(2) - grey[2])[inside].max() < 1.0
    np.testing.assert_array_equal(pictures.shown(2), gold_table()[grey[2]])


def test_frame_sources_go_to_other_processes() -> None:
    source = PolarFrames(
        GreyPictures(LoadedFrames(polar_frames(2)), Intensity.LOG), Orientation(a_lines=24)
    )
    copy = pickle.loads(pickle.dumps(source))
    np.testing.assert_array_equal(copy.intensity(1), source.intensity(1))


class _Faulty:
    count = 3

    def frame(self, index: int) -> np.ndarray:
        if index != 1:
            raise UnreadableInputError(f"frame {index} is damaged")
        return np.zeros((2, 2))


def test_damaged_frames_are_left_out_when_sampling() -> None:
    assert len(readable(_Faulty(), [0, 1, 2])) == 1
    with pytest.raises(UnreadableInputError, match="frame 2"):
        readable(_Faulty(), [0, 2])
