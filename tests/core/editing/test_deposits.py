"""Sectors, splits, merges, arc ends and the two borders of a deposit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from calcviewer.core.annotation import FrameAnnotation
from calcviewer.core.editing import deposits
from calcviewer.core.editing.bands import fronts_and_backs, wall_of
from calcviewer.core.geometry import to_xy
from tests.editing_scenes import FIELD, assert_in_order, circle, frame


def arcs(annotation):
    found = [deposits.arc_of(annotation, k) for k in range(len(annotation.calcium))]
    return [(arc.start_deg, arc.extent_deg) for arc in found]


@pytest.mark.validation
@pytest.mark.parametrize("start", [10.0, 340.0])
@pytest.mark.parametrize("centre", [(0.0, 0.0), (0.4, -0.3)])
def test_a_sector_has_the_arc_and_depths_asked_for(start, centre):
    made = frame((start, 60, 0.2, 0.6), lumen=circle(1.5, centre))
    assert arcs(made)[0] == pytest.approx((start, 60), abs=1e-6)
    expected = np.deg2rad(60) / 2 * (2.1**2 - 1.7**2)
    assert made.calcium[0].area_mm2 == pytest.approx(expected, rel=1e-3)


def test_a_sector_drawn_backwards_and_inside_out_is_the_same():
    one, other = frame((0, 60, 0.2, 0.6)), frame((60, -60, 0.6, 0.2))
    assert one.calcium[0].polygon.symmetric_difference(other.calcium[0].polygon).area < 1e-9


def test_a_sector_all_the_way_round_is_a_ring():
    made = frame((20, 400, 0.2, 0.6))
    assert len(made.calcium[0].holes_mm) == 1
    assert deposits.arc_of(made, 0).extent_deg == 360


def test_a_sector_needs_a_lumen_and_an_extent():
    empty = FrameAnnotation()
    assert deposits.sector_deposit(empty, 0, 50, 0.1, 0.4, FIELD) is empty
    bare = FrameAnnotation(lumen=circle(1.5))
    assert deposits.sector_deposit(bare, 0, 0, 0.1, 0.4, FIELD) is bare


def test_the_new_sector_wins_over_the_old_one():
    before = frame((0, 60, 0.1, 0.5))
    after = deposits.sector_deposit(before, 30, 60, 0.1, 0.5, FIELD)
    assert arcs(after) == [pytest.approx((0, 30), abs=0.3), pytest.approx((30, 60), abs=1e-6)]


def test_a_line_splits_what_it_crosses_and_nothing_else():
    before = frame((-40, 80, 0.1, 0.5), (100, 60, 0.1, 0.5))
    after = deposits.deposit_split(before, np.array([(1.45, 0.0), (2.15, 0.0)]))
    assert len(after.calcium) == 3
    assert after.calcium[1] is before.calcium[1]
    assert_in_order(after)
    short = np.array([(1.75, 0.0), (1.8, 0.0)])
    assert deposits.deposit_split(before, short) is before


def test_a_line_opens_a_ring():
    before = frame((0, 360, 0.1, 0.5))
    after = deposits.deposit_split(before, np.array([(1.4, 0.0), (2.2, 0.0)]))
    assert len(after.calcium) == 1
    assert after.calcium[0].holes_mm == ()
    assert 355 < deposits.arc_of(after, 0).extent_deg < 360


@pytest.mark.parametrize("turn", [0.0, 150.0, 330.0])
def test_merging_bridges_the_gap_along_the_wall(turn):
    before = frame((turn, 40, 0.1, 0.5), (turn + 60, 40, 0.2, 0.6), (turn + 180, 20, 0.1, 0.5))
    after = deposits.deposits_merged(before, 1, 0, FIELD)
    assert len(after.calcium) == 2
    assert after.calcium[1] is before.calcium[2]
    assert arcs(after)[0] == (pytest.approx(turn, abs=1e-3), pytest.approx(100, abs=1e-3))
    angle, front, back = fronts_and_backs(after.calcium[0], wall_of(after.lumen))
    middle = np.abs((angle - turn - 50 + 180) % 360 - 180) < 1
    assert front[middle] == pytest.approx(0.15, abs=0.01)
    assert back[middle] == pytest.approx(0.55, abs=0.01)


def test_merging_fills_what_lies_between_two_layers():
    before = frame((0, 60, 0.1, 0.3), (20, 20, 0.5, 0.7))
    after = deposits.deposits_merged(before, 0, 1, FIELD)
    assert len(after.calcium) == 1
    assert after.calcium[0].polygon.covers(replace(before.calcium[1]).polygon.centroid.buffer(0.01))


@pytest.mark.parametrize("pair", [(0, 0), (0, 5), (-1, 0)])
def test_a_merge_needs_two_deposits(pair):
    before = frame((0, 40, 0.1, 0.5))
    assert deposits.deposits_merged(before, *pair, FIELD) is before


@pytest.mark.parametrize("turn", [0.0, 200.0, 325.0])
@pytest.mark.parametrize(
    ("end", "to", "expected"),
    [
        ("end", 80, (0, 80)),
        ("end", 150, (0, 150)),
        ("end", 20, (0, 20)),
        ("end", -20, (0, deposits.NARROWEST_DEG)),
        ("start", -30, (-30, 80)),
        ("start", 40, (40, 10)),
        ("start", 60, (50 - deposits.NARROWEST_DEG, deposits.NARROWEST_DEG)),
    ],
)
def test_an_arc_end_goes_where_it_is_dragged(turn, end, to, expected):
    before = frame((turn, 50, 0.15, 0.55), lumen=circle(1.5, (0.2, 0.1)))
    after = deposits.arc_end_moved(before, 0, end=end, to_deg=to + turn, field=FIELD)
    ((start, extent),) = arcs(after)
    assert extent == pytest.approx(expected[1], abs=0.01)
    assert (start - expected[0] - turn + 180) % 360 - 180 == pytest.approx(0, abs=0.01)
    _, front, back = fronts_and_backs(after.calcium[0], wall_of(after.lumen))
    assert front[2:-2] == pytest.approx(0.15, abs=0.01)
    assert back[2:-2] == pytest.approx(0.55, abs=0.01)


def test_without_a_lumen_there_is_nothing_along_which_to_merge():
    apart = replace(frame((0, 40, 0.1, 0.5), (90, 40, 0.1, 0.5)), lumen=None)
    assert deposits.deposits_merged(apart, 0, 1, FIELD) is apart


def test_a_sector_too_small_to_be_seen_is_none():
    before = frame()
    assert deposits.sector_deposit(before, 0, 0.01, 0.1, 0.11, FIELD) is before


def test_an_arc_can_be_closed_to_a_ring():
    before = frame((0, 340, 0.15, 0.55))
    after = deposits.arc_end_moved(before, 0, end="end", to_deg=359.99, field=FIELD)
    assert deposits.arc_of(after, 0).extent_deg == pytest.approx(360, abs=0.1)


def test_a_ring_has_no_ends():
    before = frame((0, 360, 0.15, 0.55))
    assert deposits.arc_end_moved(before, 0, end="end", to_deg=90, field=FIELD) is before


@pytest.mark.parametrize("extent", [80.0, 360.0])
@pytest.mark.parametrize("turn", [0.0, 130.0])
def test_one_border_is_pulled_and_the_other_stays(turn, extent):
    before = frame((turn - extent / 2, extent, 0.2, 0.6))
    for side, radius, to, rows in (("back", 2.1, 2.4, (0.2, 0.9)), ("front", 1.7, 1.6, (0.1, 0.6))):
        after = deposits.border_pulled(
            before,
            0,
            side=side,
            grab_mm=tuple(to_xy(np.array(turn), np.array(radius))),
            to_mm=tuple(to_xy(np.array(turn), np.array(to))),
            radius_mm=0.2,
            field=FIELD,
        )
        angle, front, back = fronts_and_backs(after.calcium[0], wall_of(after.lumen))
        near = np.abs((angle - turn + 180) % 360 - 180).argmin()
        assert front[near] == pytest.approx(rows[0], abs=0.01)
        assert back[near] == pytest.approx(rows[1], abs=0.01)
        still = front if side == "back" else back
        assert still[2:-2] == pytest.approx(0.2 if side == "back" else 0.6, abs=0.003)


@pytest.mark.parametrize("turn", [0.0, 20.0, 70.0, 90.0, 160.0, 250.0])
def test_the_ends_of_a_sector_are_of_neither_border(turn):
    """From near O the inner corners are nearer than the back, and rounding must not matter."""
    before = frame((turn - 20, 40, 0.2, 0.6))
    grab, to = (tuple(to_xy(np.array(turn), np.array(radius))) for radius in (0.1, 0.4))
    after = deposits.border_pulled(
        before, 0, side="back", grab_mm=grab, to_mm=to, radius_mm=0.2, field=FIELD
    )
    angle, front, back = fronts_and_backs(after.calcium[0], wall_of(after.lumen))
    near = np.abs((angle - turn + 180) % 360 - 180).argmin()
    assert back[near] == pytest.approx(0.6 + 0.3, abs=0.01)
    assert front[1:-1] == pytest.approx(0.2, abs=0.003)


def test_the_front_stops_at_the_lumen():
    before = frame((-40, 80, 0.2, 0.6))
    after = deposits.border_pulled(
        before, 0, side="front", grab_mm=(1.7, 0), to_mm=(1.2, 0), radius_mm=0.2, field=FIELD
    )
    assert_in_order(after)
    assert after.lumen is before.lumen


def test_deleting():
    before = frame((0, 40, 0.1, 0.5), (90, 40, 0.1, 0.5))
    assert deposits.deposit_deleted(before, 0).calcium == before.calcium[1:]
    assert deposits.deposit_deleted(before, 2) is before
