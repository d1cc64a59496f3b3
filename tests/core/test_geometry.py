from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calcviewer.core.geometry import (
    Arc,
    CartesianGrid,
    PolarGrid,
    arcs_of_mask,
    centred_grid,
    join_arcs,
    resample,
    to_polar,
    to_xy,
)

ANGLE = st.floats(0, 360, exclude_max=True)
EXTENT = st.floats(0, 360)
ARCS = st.builds(Arc, ANGLE, EXTENT)
# Whole degrees, so that a circle of bins is the exact truth for unions.
BIN_ARCS = st.lists(st.builds(Arc, st.integers(0, 359), st.integers(1, 120)), max_size=6)


def bins_of(arcs) -> np.ndarray:
    centres = np.arange(360) + 0.5
    return np.any([arc.contains(centres) for arc in arcs] or [np.zeros(360, bool)], axis=0)


def test_polar_grid_positions():
    grid = PolarGrid(8, 4, 0.5, 1.0)
    assert grid.shape == (8, 4)
    assert grid.a_line_deg == 45
    assert grid.angles_deg()[:2] == pytest.approx([22.5, 67.5])
    assert grid.radii_mm() == pytest.approx([1.25, 1.75, 2.25, 2.75])
    assert grid.end_radius_mm == 3.0


@given(st.integers(1, 700), st.integers(1, 1000), st.floats(1e-3, 0.1), st.floats(-0.5, 2))
def test_polar_indices_invert_positions(a_lines, samples, spacing_mm, zero_mm):
    grid = PolarGrid(a_lines, samples, spacing_mm, zero_mm)
    assert grid.a_line_index(grid.angles_deg()) == pytest.approx(np.arange(a_lines), abs=1e-6)
    assert grid.sample_index(grid.radii_mm()) == pytest.approx(np.arange(samples), abs=1e-6)


def test_cartesian_grid_positions():
    grid = CartesianGrid(100, 80, 0.1, (40.0, 50.0))
    assert grid.to_mm(np.array([[40.0, 50.0], [50.0, 50.0], [40.0, 60.0]])) == pytest.approx(
        np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    )
    points = np.array([[1.2, -0.7], [0.0, 3.0]])
    assert grid.to_mm(grid.to_px(points)) == pytest.approx(points)


def test_centred_grid_covers_the_disc():
    grid = centred_grid(101, 5.0)
    assert grid.centre_px == (50, 50)
    assert grid.to_mm(np.array([[-0.5, 50.0], [100.5, 50.0]]))[:, 0] == pytest.approx([-5, 5])


def test_angles_grow_from_x_towards_y():
    assert to_xy(np.array([0.0, 90.0]), np.array([2.0, 3.0])) == pytest.approx(
        np.array([[2.0, 0.0], [0.0, 3.0]]), abs=1e-12
    )


@given(ANGLE, st.floats(1e-3, 10))
def test_polar_and_cartesian_are_inverse(angle, radius):
    found_angle, found_radius = to_polar(to_xy(angle, radius))
    assert 0 <= found_angle < 360
    assert (found_angle - angle + 180) % 360 - 180 == pytest.approx(0, abs=1e-6)
    assert found_radius == pytest.approx(radius)


def test_angle_just_below_zero_stays_below_a_full_circle():
    angle, _ = to_polar(np.array([1.0, -1e-300]))
    assert 0 <= angle < 360
    assert 0 <= Arc(-1e-17, 10).start_deg < 360


@given(st.floats(-1e4, 1e4), st.floats(-100, 1e3))
def test_arc_is_normalised(start, extent):
    arc = Arc(start, extent)
    assert 0 <= arc.start_deg < 360
    assert 0 <= arc.extent_deg <= 360
    assert 0 <= arc.end_deg < 360
    assert 0 <= arc.centre_deg < 360


def test_arc_through_zero():
    arc = Arc(350, 20)
    assert arc.end_deg == 10
    assert arc.centre_deg == 0
    assert arc.contains(np.array([349.0, 350.0, 0.0, 10.0, 11.0])).tolist() == [
        False,
        True,
        True,
        True,
        False,
    ]
    assert arc.widened(5) == Arc(345, 30)


@given(ARCS, st.floats(0, 1))
def test_arc_contains_its_points(arc, part):
    angle = arc.start_deg + 1e-9 + part * max(arc.extent_deg - 2e-9, 0)
    assert arc.extent_deg < 1e-8 or arc.contains(angle)


@pytest.mark.parametrize(
    ("first", "second", "overlap"),
    [
        (Arc(0, 90), Arc(45, 90), 45),
        (Arc(45, 90), Arc(0, 90), 45),
        (Arc(350, 20), Arc(0, 90), 10),
        (Arc(0, 90), Arc(350, 20), 10),
        (Arc(0, 10), Arc(20, 10), 0),
        (Arc(0, 300), Arc(250, 200), 50 + 90),  # they meet at both ends
        (Arc(0, 360), Arc(123, 45), 45),
        (Arc(123, 45), Arc(0, 360), 45),
        (Arc(77, 360), Arc(10, 360), 360),
    ],
)
def test_overlap(first, second, overlap):
    assert first.overlap_deg(second) == pytest.approx(overlap)
    assert second.overlap_deg(first) == pytest.approx(overlap)


@given(st.integers(0, 359), st.integers(1, 360), st.integers(0, 359), st.integers(1, 360))
def test_overlap_counts_the_common_degrees(start, extent, other_start, other_extent):
    first, second = Arc(start, extent), Arc(other_start, other_extent)
    common = bins_of([first]) & bins_of([second])
    assert first.overlap_deg(second) == pytest.approx(common.sum())


@pytest.mark.parametrize(
    ("arcs", "tolerance", "joined"),
    [
        ([], 0, []),
        ([Arc(5, 0)], 0, []),
        ([Arc(0, 10), Arc(10, 10)], 0, [Arc(0, 20)]),
        ([Arc(0, 10), Arc(12, 10)], 0, [Arc(0, 10), Arc(12, 10)]),
        ([Arc(0, 10), Arc(12, 10)], 3, [Arc(0, 22)]),
        ([Arc(350, 9), Arc(1, 9)], 3, [Arc(350, 20)]),
        ([Arc(350, 30), Arc(5, 3), Arc(15, 20)], 0, [Arc(350, 45)]),
        ([Arc(0, 358)], 3, [Arc(0, 360)]),
        ([Arc(0, 180), Arc(180, 180)], 0, [Arc(0, 360)]),
        ([Arc(0, 120), Arc(121, 118), Arc(240, 119)], 3, [Arc(0, 360)]),
        ([Arc(200, 300), Arc(100, 50)], 0, [Arc(200, 310)]),
    ],
)
def test_join_arcs(arcs, tolerance, joined):
    found = join_arcs(arcs, tolerance)
    assert [arc.extent_deg for arc in found] == pytest.approx([arc.extent_deg for arc in joined])
    assert [arc.start_deg for arc in found if arc.extent_deg < 360] == pytest.approx(
        [arc.start_deg for arc in joined if arc.extent_deg < 360]
    )


@given(BIN_ARCS)
def test_joined_arcs_cover_the_same_and_are_disjoint(arcs):
    joined = join_arcs(arcs)
    covered = bins_of(arcs)
    assert np.array_equal(bins_of(joined), covered)
    assert sum(arc.extent_deg for arc in joined) == pytest.approx(covered.sum())
    assert [arc.start_deg for arc in joined] == sorted(arc.start_deg for arc in joined)


@given(BIN_ARCS, st.integers(0, 359), st.sampled_from([0.0, 0.5, 3.0, 10.0]))
def test_joining_does_not_depend_on_where_the_circle_is_cut(arcs, turn, tolerance):
    turned = [Arc(arc.start_deg + turn, arc.extent_deg) for arc in arcs]
    before = sorted(arc.extent_deg for arc in join_arcs(arcs, tolerance))
    after = sorted(arc.extent_deg for arc in join_arcs(turned, tolerance))
    assert after == pytest.approx(before)


@given(BIN_ARCS, st.sampled_from([0.5, 3.0, 10.0]))
def test_joined_arcs_lie_further_apart_than_the_tolerance(arcs, tolerance):
    joined = join_arcs(arcs, tolerance)
    for first, second in zip(joined, joined[1:] + joined[:1], strict=True):
        if first.extent_deg < 360:
            gap = (second.start_deg - first.end_deg) % 360
            assert gap > tolerance


@given(st.lists(st.booleans(), min_size=1, max_size=40))
def test_arcs_of_a_mask_give_the_mask_back(values):
    mask = np.array(values)
    arcs = arcs_of_mask(mask)
    step = 360 / mask.size
    centres = (np.arange(mask.size) + 0.5) * step
    covered = np.any([arc.contains(centres) for arc in arcs] or [np.zeros(mask.size, bool)], axis=0)
    assert np.array_equal(covered, mask)
    assert sum(arc.extent_deg for arc in arcs) == pytest.approx(mask.sum() * step)


def test_arcs_of_a_mask_through_zero_are_one():
    assert arcs_of_mask(np.array([True, False, False, True])) == (Arc(270, 180),)
    assert arcs_of_mask(np.zeros(5, bool)) == ()
    assert arcs_of_mask(np.ones(5, bool)) == (Arc(0, 360),)


def smooth(angle_deg: np.ndarray, radius_mm: np.ndarray) -> np.ndarray:
    return 2 + np.cos(np.deg2rad(angle_deg)) * radius_mm / 5 + 0.1 * radius_mm


@pytest.mark.validation
def test_resample_a_smooth_image_there_and_back():
    polar = PolarGrid(360, 200, 0.025)
    image = smooth(polar.angles_deg()[:, None], polar.radii_mm()[None, :])
    cartesian = centred_grid(401, 5.0)
    drawn = resample(image, polar, cartesian)
    y_px, x_px = np.mgrid[:401, :401]
    angle, radius = to_polar(cartesian.to_mm(np.stack([x_px, y_px], axis=-1)))
    inner = (radius > 0.1) & (radius < 4.9)
    assert np.abs(drawn - smooth(angle, radius))[inner].max() < 0.01
    assert (drawn[radius > 5.0] == 0).all()
    back = resample(drawn, cartesian, polar)
    assert np.abs(back - image)[:, 10:190].max() < 0.02


def test_resample_is_continuous_through_angle_zero():
    source = PolarGrid(90, 50, 0.1)
    image = smooth(source.angles_deg()[:, None], source.radii_mm()[None, :])
    target = PolarGrid(720, 50, 0.1)
    truth = smooth(target.angles_deg()[:, None], target.radii_mm()[None, :])
    assert np.abs(resample(image, source, target) - truth).max() < 0.01


def test_resample_to_the_same_grid_changes_nothing():
    rng = np.random.default_rng(1)
    for grid in (PolarGrid(30, 20, 0.1, 0.3), CartesianGrid(20, 30, 0.1, (14.0, 9.5))):
        image = rng.random(grid.shape, dtype=np.float32)
        assert resample(image, grid, grid) == pytest.approx(image, abs=1e-5)


def test_resample_labels_takes_the_nearest():
    source = PolarGrid(8, 4, 1.0)
    labels = np.arange(32, dtype=np.uint8).reshape(8, 4)
    fine = resample(labels, source, PolarGrid(24, 12, 1 / 3), order=0)
    assert np.array_equal(fine, np.kron(labels, np.ones((3, 3))))


def test_resample_fills_beyond_the_depth_range():
    source = PolarGrid(16, 10, 0.1, 0.5)
    filled = resample(np.ones((16, 10)), source, PolarGrid(16, 40, 0.05), fill=-1)
    radii = PolarGrid(16, 40, 0.05).radii_mm()
    outside = (radii < 0.5) | (radii > 1.5)
    assert (filled[:, outside] == -1).all()
    assert (filled[:, ~outside] == 1).all()


def test_resample_fills_beyond_a_cartesian_frame():
    source, target = centred_grid(20, 1.0), centred_grid(40, 2.0)
    filled = resample(np.ones((20, 20)), source, target, fill=7)
    assert (filled[10:30, 10:30] == 1).all()
    filled[10:30, 10:30] = 7
    assert (filled == 7).all()


def test_resample_refuses_another_shape():
    grid = PolarGrid(16, 10, 0.1)
    with pytest.raises(ValueError, match=r"must have shape \(16, 10\)"):
        resample(np.ones((10, 16)), grid, grid)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 23))
def test_turning_a_polar_image_turns_the_cartesian_one(steps):
    source = PolarGrid(24, 30, 0.1)
    rng = np.random.default_rng(2)
    image = rng.random(source.shape)
    target = PolarGrid(24, 60, 0.05)
    turned = resample(np.roll(image, steps, axis=0), source, target)
    assert turned == pytest.approx(np.roll(resample(image, source, target), steps, axis=0))
