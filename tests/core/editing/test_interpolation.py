"""Frames between two corrected ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calcviewer.core.annotation import FrameAnnotation
from calcviewer.core.contour import Contour
from calcviewer.core.editing.deposits import arc_of
from calcviewer.core.editing.interpolation import between
from calcviewer.core.editing.sectors import sectors_between
from calcviewer.core.geometry import Arc, to_xy
from tests.editing_scenes import annotations, assert_in_order, circle, difference_mm2, frame, turned

few = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.validation
@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_the_radius_of_circles_is_linear(part):
    first = FrameAnnotation(lumen=circle(1.0, (0.3, 0.0)), eel=circle(2.0))
    last = FrameAnnotation(lumen=circle(2.0, (-0.1, 0.2)), eel=circle(2.4))
    found = between(first, last, part)
    assert found.lumen.area_mm2 == pytest.approx(np.pi * (1 + part) ** 2, rel=1e-3)
    assert found.eel.area_mm2 == pytest.approx(np.pi * (2 + 0.4 * part) ** 2, rel=1e-3)
    assert found.lumen.centroid_mm == pytest.approx((0.3 - 0.4 * part, 0.2 * part), abs=1e-3)


@pytest.mark.validation
@pytest.mark.parametrize("start", [30.0, 320.0, 359.0])
@pytest.mark.parametrize("part", [0.25, 0.5, 0.75])
def test_a_deposit_that_drifts_moves(start, part):
    first = frame((start, 30, 0.1, 0.5))
    last = frame((start + 50, 60, 0.2, 0.8))  # no overlap: plain blending would let it fade
    found = between(first, last, part)
    (deposit,) = found.calcium
    arc = arc_of(found, 0)
    assert arc.extent_deg == pytest.approx(30 + 30 * part, abs=0.5)
    assert (arc.start_deg - start - 50 * part + 180) % 360 - 180 == pytest.approx(0, abs=0.5)
    areas = [frame_.calcium[0].area_mm2 for frame_ in (first, last)]
    assert areas[0] < deposit.area_mm2 < areas[1]
    thickness = 0.4 + 0.2 * part
    inner = 1.5 + 0.1 + 0.1 * part
    expected = np.deg2rad(arc.extent_deg) / 2 * ((inner + thickness) ** 2 - inner**2)
    assert deposit.area_mm2 == pytest.approx(expected, rel=0.03)


def test_rings_stay_rings():
    first, last = frame((0, 360, 0.1, 0.4)), frame((0, 360, 0.2, 0.7), lumen=circle(1.8))
    (deposit,) = between(first, last, 0.5).calcium
    assert len(deposit.holes_mm) == 1
    expected = np.pi * ((1.65 + 0.55) ** 2 - (1.65 + 0.15) ** 2)
    assert deposit.area_mm2 == pytest.approx(expected, rel=0.02)


def test_a_ring_opens_to_a_deposit():
    first, last = frame((0, 360, 0.1, 0.5)), frame((90, 100, 0.1, 0.5))
    found = between(first, last, 0.5)
    assert len(found.calcium) == 1
    assert arc_of(found, 0).extent_deg == pytest.approx(230, abs=4)
    assert arc_of(found, 0).centre_deg == pytest.approx(140, abs=2)


def test_one_deposit_splits_in_two():
    first, last = frame((0, 100, 0.1, 0.5)), frame((0, 40, 0.1, 0.5), (60, 40, 0.1, 0.5))
    assert len(between(first, last, 0.05).calcium) == 1
    assert len(between(first, last, 0.95).calcium) == 2


def test_a_deposit_without_a_partner_is_gone_half_way():
    first, last = frame((0, 60, 0.1, 0.5)), frame((180, 60, 0.1, 0.5))
    early = between(first, last, 0.25)
    assert [arc_of(early, k).centre_deg for k in range(len(early.calcium))] == pytest.approx([30])
    assert arc_of(early, 0).extent_deg == pytest.approx(30, abs=0.5)
    assert between(first, last, 0.5).calcium == ()
    assert arc_of(between(first, last, 0.75), 0).centre_deg == pytest.approx(210)


def test_a_lumen_that_is_no_star_is_blended_too():
    angle = np.deg2rad(np.linspace(0, 270, 200))
    inner, outer = 0.6, 1.4
    crescent = np.concatenate(
        [
            to_xy(np.rad2deg(angle), np.full(200, outer)),
            to_xy(np.rad2deg(angle[::-1]), np.full(200, inner)),
        ]
    )
    first = FrameAnnotation(lumen=Contour(crescent))
    last = FrameAnnotation(lumen=Contour(crescent * 1.3))
    found = between(first, last, 0.5)
    assert_in_order(found)
    areas = first.lumen.area_mm2, last.lumen.area_mm2
    assert areas[0] < found.lumen.area_mm2 < areas[1]
    assert found.lumen.area_mm2 == pytest.approx(first.lumen.area_mm2 * 1.15**2, rel=0.03)


def test_what_only_one_end_has():
    with_lumen = replace(frame((0, 50, 0.1, 0.4)), eel=circle(2.5))
    found = between(with_lumen, FrameAnnotation(), 0.25)
    assert found.lumen is with_lumen.lumen
    assert found.eel is None
    assert between(FrameAnnotation(), FrameAnnotation(), 0.5).lumen is None


def test_sectors_move_the_short_way_round():
    (arc,) = sectors_between((Arc(350, 10),), (Arc(10, 20),), 0.5)
    assert (arc.start_deg, arc.extent_deg) == pytest.approx((0, 15))
    assert sectors_between((Arc(0, 20),), (Arc(180, 20),), 0.25) == (Arc(5, 10),)
    assert sectors_between((Arc(0, 20),), (), 0.5) == ()


@few
@given(annotations(), annotations(), st.floats(0.01, 0.99))
def test_everything_stays_in_its_place(first, last, part):
    assert_in_order(between(first, last, part))


@few
@given(annotations(), annotations())
def test_it_converges_to_the_ends(first, last):
    for part, end in ((1e-6, first), (1 - 1e-6, last)):
        found = replace(between(first, last, part), eel=end.eel)
        size = sum(c.polygon.length for c in (end.lumen, *end.calcium))
        assert difference_mm2(found, end) < 0.01 * size  # 10 um along every border


@few
@given(annotations(), annotations(), st.floats(0.05, 0.95))
def test_a_quarter_turn_turns_the_result(first, last, part):
    straight = between(first, last, part)
    after = between(turned(first), turned(last), part)
    size = sum(c.polygon.length for c in (straight.lumen, *straight.calcium))
    assert difference_mm2(turned(straight), after) < 0.01 * size


@few
@given(annotations(), st.floats(0.05, 0.95))
def test_between_a_frame_and_itself_is_that_frame(frame_, part):
    found = between(frame_, frame_, part)
    assert len(found.guidewires) == len(frame_.guidewires)
    size = sum(c.polygon.length for c in (frame_.lumen, *frame_.calcium))
    assert difference_mm2(replace(found, eel=frame_.eel), frame_) < 0.01 * size
