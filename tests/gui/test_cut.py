from dataclasses import replace

import numpy as np
import pytest

from calcviewer.core.annotation import FrameAnnotation
from calcviewer.core.contour import Contour
from calcviewer.core.errors import UnreadableInputError
from calcviewer.core.geometry import Arc, CartesianGrid, PolarGrid, to_xy
from calcviewer.core.pullback import CartesianLayout
from calcviewer.gui.cut import (
    ANGLES,
    RADII,
    CutBorders,
    CutStore,
    angle_index,
    bands,
    border_lines,
    outward,
    radial_span_mm,
    read_frames,
    seen_from,
)
from calcviewer.gui.frames import FramePictures
from tests.gui.pullbacks import BACK_MM, FRONT_MM, GRID, LUMEN_MM, annotation
from tests.phantoms import ArrayFrames, make_pullback


def circle(radius_mm, centre_mm=(0.0, 0.0)):
    angles = np.arange(0, 360, 0.5)
    return Contour(to_xy(angles, np.full(angles.shape, radius_mm)) + np.asarray(centre_mm))


def filled_store(pullback):
    store = CutStore(pullback.frame_count)
    for read in read_frames(FramePictures(pullback), 0):
        store.put(read)
    return store


def sector_values(frames=3):
    """Frame k is bright at 1 mm from the catheter between 90 and 180 degrees, for k = 1 only."""
    values = np.zeros((frames, *GRID.shape), dtype=np.float32)
    values[0, :, :20] = 1.0
    values[1, 45:90, 45:55] = 1.0
    return values


def test_cut_shows_what_lies_in_its_direction():
    store = filled_store(make_pullback(3, grid=GRID, values=sector_values()))
    assert store.complete
    along, opposite = store.along(135), store.along(315)
    assert along.shape == (3, RADII)
    bright = np.flatnonzero(along[1] > 200) / RADII * GRID.end_radius_mm
    assert bright.min() == pytest.approx(0.9, abs=0.03)
    assert bright.max() == pytest.approx(1.1, abs=0.03)
    assert not opposite[1].any()
    assert not along[2].any()


def test_direction_wraps():
    assert angle_index(360) == angle_index(0) == 0
    assert angle_index(-0.1) == ANGLES - 1


def test_cartesian_frames_are_cut_as_polar_ones():
    grid = CartesianGrid(201, 201, 0.02, (100.0, 100.0))
    y, x = np.mgrid[:201, :201]
    values = np.zeros((2, 201, 201), dtype=np.float32)
    values[0] = np.hypot(x - 100, y - 100) * 0.02 < 0.5
    values[1] = (np.abs(x - 100) < 6) & (y > 100)  # straight down: 90 degrees
    layout = CartesianLayout(201, 201, grid.centre_px, 100.0)
    pullback = make_pullback(2, grid=GRID)
    store = filled_store(replace(pullback, frames=ArrayFrames(values), layout=layout))
    assert (store.along(90)[1, 10:240] > 200).all()
    assert not store.along(270)[1, 20:].any()
    inside = np.flatnonzero(store.along(33)[0] > 127)
    assert inside.max() / RADII * 2.0 == pytest.approx(0.5, abs=0.03)


def test_frames_are_read_outward_from_the_one_on_screen():
    assert outward(6, 2)[:3] in ([2, 1, 3], [2, 3, 1])
    frames = [read.frame for read in read_frames(FramePictures(make_pullback(5, grid=GRID)), 4)]
    assert frames == [4, 3, 2, 1, 0]


def test_unreadable_frame_is_black_and_does_not_stop_the_others():
    class Damaged(ArrayFrames):
        def intensity(self, index):
            if index == 1:
                raise UnreadableInputError("damaged", "copy it again")
            return super().intensity(index)

    pullback = replace(make_pullback(3, grid=GRID), frames=Damaged(sector_values()))
    pictures = FramePictures(pullback)
    reads = {read.frame: read for read in read_frames(pictures, 0)}
    assert set(reads) == {0, 1, 2}
    assert not reads[1].grey.any()
    assert "damaged" in pictures.fault(1)


def test_part_worth_showing_ends_where_the_signal_ends():
    values = np.zeros((4, *GRID.shape), dtype=np.float32)
    values[:, :, :120] = 1.0  # of 200 samples
    store = filled_store(make_pullback(4, grid=GRID, values=values))
    assert store.shown_part() == pytest.approx(0.65)
    assert CutStore(4).shown_part() == 1.0


def test_rows_of_the_store_in_mm_follow_the_calibration():
    assert radial_span_mm(PolarGrid(10, 100, 0.01, -0.1), 0.9) == (-0.1, pytest.approx(0.9))
    assert radial_span_mm(CartesianGrid(9, 9, 0.1, (4, 4)), 0.4) == (0.0, 0.4)


def test_borders_of_a_concentric_frame():
    borders = CutBorders(3)
    borders.put(1, annotation((20, 100), wire=(200, 30)))
    through = borders.along(60)
    assert through.lumen_mm[1] == pytest.approx(LUMEN_MM, abs=0.02)
    assert through.calcium_mm[1, 0] == pytest.approx([FRONT_MM, BACK_MM], abs=0.02)
    assert np.isnan(through.calcium_mm[1, 1]).all()
    assert not through.shadow[1]
    beside = borders.along(300)
    assert np.isnan(beside.calcium_mm[1]).all()
    assert borders.along(215).shadow[1]
    assert np.isnan(through.lumen_mm[[0, 2]]).all()
    assert borders.reach_mm[1] == pytest.approx(BACK_MM, abs=0.02)


def test_two_deposits_behind_one_another_are_both_shown():
    found = FrameAnnotation(
        lumen=circle(1.0), calcium=(circle(0.2, (2.5, 0.0)), circle(0.2, (1.5, 0.0)))
    )
    borders = CutBorders(1)
    borders.put(0, found)
    spans = borders.along(0.5).calcium_mm[0]
    np.testing.assert_allclose(spans, [[1.3, 1.7], [2.3, 2.7]], atol=0.01)


def test_borders_of_a_frame_go_when_its_annotation_goes():
    borders = CutBorders(1)
    borders.put(0, annotation((20, 100), wire=(200, 30)))
    borders.put(0, None)
    side = borders.along(60)
    assert np.isnan(side.lumen_mm).all()
    assert np.isnan(side.calcium_mm).all()
    assert not borders.along(215).shadow.any()
    assert borders.reach_mm[0] == 0


def test_border_is_torn_where_a_frame_has_none():
    first, second = border_lines(np.array([1, 2, np.nan, 3], dtype=np.float32))
    np.testing.assert_allclose(first, [[0, 1], [0.5, 1], [1.5, 2], [2, 2]])
    np.testing.assert_allclose(second, [[3, 3], [3.5, 3], [4, 3]])


def test_band_of_one_frame_is_as_wide_as_the_frame():
    nan = np.nan
    (ring,) = bands(
        np.array([nan, 1, nan], dtype=np.float32), np.array([nan, 2, nan], dtype=np.float32)
    )
    assert ring[:, 0].min() == 1
    assert ring[:, 0].max() == 2
    assert set(ring[:, 1]) == {1.0, 2.0}
    np.testing.assert_array_equal(ring[0], ring[-1])


def test_spans_that_do_not_touch_are_different_regions():
    front = np.array([1.0, 1.0, 2.5, 2.5], dtype=np.float32)
    back = np.array([2.0, 2.0, 3.0, 3.0], dtype=np.float32)
    assert len(bands(front, back)) == 2
    assert len(bands(front, back + 1)) == 1


def test_same_point_of_the_border_from_catheter_and_lumen_centre():
    centre = (0.6, -0.3)
    lumen = circle(1.5, centre)
    from_centre = 70.0
    point = np.asarray(centre) + to_xy(np.array(from_centre), np.array(1.5))
    expected = np.rad2deg(np.arctan2(point[1], point[0])) % 360
    there = seen_from(lumen, from_centre, eye_mm=centre, other_mm=(0, 0))
    assert there == pytest.approx(expected, abs=0.1)
    back = seen_from(lumen, there, eye_mm=(0, 0), other_mm=centre)
    assert back == pytest.approx(from_centre, abs=0.1)


def test_direction_that_misses_the_lumen_sees_nothing():
    assert seen_from(circle(0.5, (5.0, 0.0)), 180, eye_mm=(0, 0), other_mm=(5, 0)) is None


def test_shadow_sector_wraps():
    borders = CutBorders(1)
    borders.put(0, FrameAnnotation(lumen=circle(1.0), guidewires=(Arc(350, 20),)))
    assert borders.along(355).shadow[0]
    assert borders.along(5).shadow[0]
    assert not borders.along(20).shadow[0]
