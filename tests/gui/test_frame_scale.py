from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calcviewer.gui.frame_scale import (
    FrameScale,
    frame_ticks,
    mm_ticks,
    moved,
    nearest_end,
    packed,
    runs,
    voi_with_end,
    zoomed,
)

SCALE = FrameScale(0, 100, left_px=50, width_px=800)


@pytest.mark.parametrize("flipped", [False, True])
def test_the_middle_of_a_frame_on_screen_is_that_frame(flipped):
    scale = FrameScale(20, 60, 50, 800, flipped)
    for frame in range(20, 60):
        assert scale.frame(scale.x_px(frame + 0.5), 100) == frame


def test_beyond_the_ends_is_the_end_frame():
    assert SCALE.frame(-1000, 100) == 0
    assert SCALE.frame(5000, 100) == 99


def test_flipped_axis_runs_from_right_to_left():
    scale = FrameScale(0, 100, 50, 800, flipped=True)
    assert scale.x_px(0) == 850
    assert scale.x_px(100) == 50
    np.testing.assert_allclose(scale.xs_px(np.array([0.0, 25.0])), [850, 650])


@pytest.mark.parametrize("flipped", [False, True])
def test_columns_are_the_frames_under_every_pixel(flipped):
    scale = FrameScale(10, 35, 0, 200, flipped)
    expected = [scale.frame(x + 0.5, 100) for x in range(200)]
    np.testing.assert_array_equal(scale.columns(200, 100), expected)


def test_frame_ticks_are_one_and_round_numbers_in_the_middle_of_their_frames():
    ticks = frame_ticks(SCALE, 100)
    assert [tick.text for tick in ticks] == [
        "1",
        "10",
        "20",
        "30",
        "40",
        "50",
        "60",
        "70",
        "80",
        "90",
        "100",
    ]
    assert ticks[1].x_px == pytest.approx(SCALE.x_px(9.5))


@given(st.integers(1, 800), st.integers(100, 2000))
def test_frame_ticks_never_touch(frames, width_px):
    ticks = frame_ticks(FrameScale(0, frames, 0, width_px), frames)
    places = [tick.x_px for tick in ticks]
    assert all(b - a >= 30 for a, b in pairwise(places))


def test_mm_ticks_count_from_the_middle_of_the_first_frame():
    ticks = mm_ticks(SCALE, 100, pitch_mm=0.2)
    assert [tick.text for tick in ticks[:3]] == ["0", "2", "4"]
    assert ticks[1].x_px == pytest.approx(SCALE.x_px(10.5))
    assert float(ticks[-1].text) <= 99 * 0.2


def test_zoom_keeps_the_position_under_the_pointer_and_stays_within_the_pullback():
    first, last = zoomed((0, 100), 100, factor=2, at=40)
    assert (first, last) == (20, 70)
    assert zoomed((20, 70), 100, factor=0.01, at=30) == (0, 100)
    first, last = zoomed((20, 70), 100, factor=1000, at=30)
    assert last - first == 8


def test_zoom_of_a_single_frame():
    assert zoomed((0, 1), 1, factor=3, at=0.5) == (0, 1)


def test_moving_stops_at_the_ends():
    assert moved((20, 70), 100, 50) == (50, 100)
    assert moved((20, 70), 100, -50) == (0, 50)


def test_runs():
    assert runs(np.array([True, True, False, True])) == [(0, 1), (3, 3)]
    assert runs(np.zeros(3, dtype=bool)) == []


def test_the_nearer_end_is_taken_hold_of():
    assert nearest_end(110, (100, 300), 16) == 0
    assert nearest_end(290, (100, 300), 16) == 1
    assert nearest_end(200, (100, 300), 16) is None


def test_dragging_an_end_of_no_voi_makes_one():
    assert voi_with_end(None, 100, end=0, position=19.7) == (20, 99)
    assert voi_with_end(None, 100, end=1, position=30.2) == (0, 29)


def test_voi_back_at_both_ends_is_no_voi():
    assert voi_with_end((20, 99), 100, end=0, position=-3) is None


@given(
    st.tuples(st.integers(0, 99), st.integers(0, 99)).map(sorted),
    st.integers(0, 1),
    st.floats(-50, 150),
)
def test_voi_is_always_a_valid_range(voi, end, position):
    found = voi_with_end((voi[0], voi[1]), 100, end=end, position=position)
    first, last = found or (0, 99)
    assert 0 <= first <= last <= 99
    assert (last if end == 0 else first) == (voi[1] if end == 0 else voi[0]) or found is None


@given(st.lists(st.tuples(st.floats(0, 900), st.floats(40, 140)), max_size=5))
def test_flags_lie_side_by_side(boxes):
    centres, widths = [box[0] for box in boxes], [box[1] for box in boxes]
    lefts = packed(centres, widths, 900)
    placed = sorted(zip(lefts, widths, strict=True))
    for (left, width), (following, _) in pairwise(placed):
        assert following >= left + width - 1e-6
    assert all(0 <= left <= 900 - width + 1e-6 for left, width in placed)


def test_a_flag_alone_is_centred():
    assert packed([400.0], [100.0], 900) == [350.0]
