"""Brush, eraser, lasso; clipping; guidewire sectors."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from calcviewer.core.annotation import FrameAnnotation
from calcviewer.core.contour import Contour
from calcviewer.core.editing import guidewires, regions
from calcviewer.core.editing.border import pulled
from calcviewer.core.editing.clipping import SLIVER_MM2, clipped, image_field
from calcviewer.core.editing.structures import (
    Structure,
    Target,
    contour_at,
    with_contour,
)
from calcviewer.core.geometry import Arc, CartesianGrid, PolarGrid
from tests.editing_scenes import FIELD, assert_in_order, circle, frame

LUMEN = Target(Structure.LUMEN)


@pytest.mark.validation
def test_area_of_a_brush():
    dot = regions.brush_region(np.array([(1.0, 1.0)] * 3), 0.2)
    assert dot.area == pytest.approx(np.pi * 0.04, rel=0.01)
    line = regions.brush_region(np.array([(0.0, 0.0), (1.0, 0.0)]), 0.2)
    assert line.area == pytest.approx(0.4 + np.pi * 0.04, rel=0.01)
    assert regions.brush_region(np.zeros((0, 2)), 0.2).is_empty
    assert regions.brush_region(np.zeros((1, 2)), 0.0).is_empty


def test_the_largest_loop_of_a_lasso_counts():
    eight = np.array([(0, 0), (2, 2), (2, 0), (0, 0.5)], dtype=float)
    region = regions.lasso_region(eight)
    assert region.is_valid
    assert region.area == pytest.approx(1.6)
    assert regions.lasso_region(eight[:2]).is_empty
    assert regions.lasso_region(np.zeros((5, 2))).is_empty


def test_paint_merges_with_what_it_touches_and_spares_the_lumen():
    before = frame((-40, 30, 0.1, 0.5), (10, 30, 0.1, 0.5), (150, 30, 0.1, 0.5))
    path = np.array([(1.75, -0.5), (1.8, 0.0), (1.75, 0.5)])
    after = regions.calcium_added(before, regions.brush_region(path, 0.4), FIELD)
    assert len(after.calcium) == 2
    assert after.calcium[1] is before.calcium[2]
    assert after.lumen is before.lumen
    assert_in_order(after)
    again = regions.calcium_added(after, regions.brush_region(path, 0.3), FIELD)
    assert again is after or again.calcium[0].area_mm2 == pytest.approx(
        after.calcium[0].area_mm2, abs=1e-6
    )


def test_paint_apart_is_a_new_deposit_and_paint_in_the_lumen_is_none():
    before = frame((0, 30, 0.1, 0.5))
    dot = regions.brush_region(np.array([(-1.9, 0.0)]), 0.2)
    assert len(regions.calcium_added(before, dot, FIELD).calcium) == 2
    inside = regions.brush_region(np.array([(0.2, 0.0)]), 0.2)
    assert regions.calcium_added(before, inside, FIELD) is before


def test_paint_within_a_deposit_changes_nothing():
    before = frame((0, 60, 0.1, 0.9))
    dot = regions.brush_region(np.array([(1.7, 1.0)]), 0.1)
    assert before.calcium[0].polygon.covers(dot)
    assert regions.calcium_added(before, dot, FIELD) is before


def test_the_eraser_cuts_and_slivers_vanish():
    before = frame((-40, 80, 0.1, 0.5))
    cut = regions.brush_region(np.array([(1.4, 0.0), (2.3, 0.0)]), 0.1)
    after = regions.calcium_erased(before, cut, FIELD)
    assert len(after.calcium) == 2
    nearly_all = before.calcium[0].polygon.buffer(-0.0005)
    assert regions.calcium_erased(before, nearly_all, FIELD).calcium == ()
    apart = regions.brush_region(np.array([(-2.0, 0.0)]), 0.1)
    assert regions.calcium_erased(before, apart, FIELD) is before


def test_lumen_paint_pushes_calcium_away():
    before = frame((-40, 80, 0.1, 0.5), (150, 30, 0.1, 0.5))
    dot = regions.brush_region(np.array([(1.5, 0.0)]), 0.3)
    after = regions.lumen_added(before, dot, FIELD)
    assert after.lumen.area_mm2 > before.lumen.area_mm2
    assert after.calcium[0].area_mm2 < before.calcium[0].area_mm2
    assert after.calcium[1] is before.calcium[1]
    assert_in_order(after)
    apart = regions.brush_region(np.array([(-3.0, 0.0)]), 0.1)
    assert regions.lumen_added(before, apart, FIELD) is before


def test_the_eraser_never_takes_the_catheter_out_of_the_lumen():
    before = FrameAnnotation(lumen=circle(1.5))
    across = regions.brush_region(np.array([(-2.0, 0.0), (2.0, 0.0)]), 0.3)
    after = regions.lumen_erased(before, across, FIELD)
    assert after.lumen.polygon.contains(shapely.Point(0, 0))
    assert_in_order(after)


def test_a_first_lumen_may_be_painted():
    dot = regions.brush_region(np.array([(0.0, 0.0)]), 1.0)
    assert regions.lumen_added(FrameAnnotation(), dot, FIELD).lumen is not None


def test_the_lumen_wins_and_untouched_deposits_stay_the_same_objects():
    before = frame((-20, 40, 0.05, 0.5), (150, 30, 0.1, 0.5))
    wider = pulled(before.lumen, (1.5, 0.0), (1.8, 0.0), radius_mm=0.2)
    after = with_contour(before, LUMEN, wider, FIELD)
    assert after.lumen is wider
    assert after.calcium[1] is before.calcium[1]
    assert after.calcium[0].area_mm2 < before.calcium[0].area_mm2
    assert_in_order(after)


def test_the_edited_deposit_wins_over_the_others():
    before = frame((0, 40, 0.1, 0.5), (45, 40, 0.1, 0.5))
    for index, grab, to in ((0, (1.39, 1.16), (1.0, 1.6)), (1, (1.27, 1.27), (1.6, 0.8))):
        moved = pulled(before.calcium[index], grab, to, radius_mm=0.3)
        after = with_contour(before, Target(Structure.CALCIUM, index), moved, FIELD)
        assert_in_order(after)
        assert after.calcium[1 - index].area_mm2 < before.calcium[1 - index].area_mm2


def test_contours_stop_at_the_rim_of_the_image():
    before = frame((-20, 40, 0.05, 0.5))
    after = with_contour(before, LUMEN, circle(30.0), FIELD)
    assert after.lumen.area_mm2 == pytest.approx(FIELD.area, rel=1e-6)
    assert after.calcium == ()


def test_what_is_missing_is_added_and_none_removes():
    before = frame((0, 40, 0.1, 0.5))
    eel = with_contour(before, Target(Structure.EEL), circle(1.2), FIELD)
    assert eel.eel.polygon.buffer(1e-9).covers(before.lumen.polygon)
    assert with_contour(eel, Target(Structure.EEL), None, FIELD).eel is None
    added = with_contour(before, Target(Structure.CALCIUM, 9), circle(0.2, (-2, 0)), FIELD)
    assert len(added.calcium) == 2
    assert (
        with_contour(added, Target(Structure.CALCIUM, 0), None, FIELD).calcium
        == (added.calcium[1:])
    )
    assert contour_at(before, Target(Structure.CALCIUM, 9)) is None
    assert with_contour(before, LUMEN, before.lumen, FIELD) is before


def test_clipping_puts_everything_in_its_place():
    bow_tie = Contour(np.array([(1.8, 0), (2.4, 0.6), (2.4, 0), (1.8, 0.3)], dtype=float))
    messy = FrameAnnotation(
        lumen=circle(1.5),
        calcium=(circle(0.4, (1.5, 0)), circle(0.4, (1.9, 0.2)), bow_tie, circle(0.01, (-3, 0))),
    )
    tidy = clipped(messy, FIELD)
    assert_in_order(tidy)
    assert all(contour.area_mm2 > SLIVER_MM2 for contour in tidy.calcium[:3])
    assert clipped(tidy, FIELD) is tidy


@pytest.mark.validation
def test_the_field_of_an_image():
    polar = image_field(PolarGrid(480, 960, 0.005))
    assert polar.area == pytest.approx(np.pi * 4.8**2, rel=1e-4)
    cartesian = image_field(CartesianGrid(100, 200, 0.01, (99.5, 49.5)))
    assert cartesian.bounds == pytest.approx((-1.0, -0.5, 1.0, 0.5))


WIRES = FrameAnnotation(guidewires=(Arc(100, 20), Arc(350, 20)))


def test_guidewire_sectors_are_found_added_and_removed():
    assert guidewires.sector_at(WIRES, 5) == 1
    assert guidewires.sector_at(WIRES, 50) is None
    assert guidewires.sector_added(WIRES, 130, -20).guidewires == (Arc(100, 30), Arc(350, 20))
    assert guidewires.sector_added(WIRES, 0, 0) is WIRES
    assert guidewires.sector_added(WIRES, 105, 5) is WIRES
    assert guidewires.sector_removed(WIRES, 0).guidewires == (Arc(350, 20),)
    assert guidewires.sector_removed(WIRES, 2) is WIRES


@pytest.mark.parametrize(
    ("index", "end", "to", "expected"),
    [
        (0, "end", 130, Arc(100, 30)),
        (0, "start", 90, Arc(90, 30)),
        (0, "end", 95, Arc(100, guidewires.NARROWEST_DEG)),
        (1, "end", 20, Arc(350, 30)),
        (1, "start", 5, Arc(5, 5)),
        (1, "end", 110, Arc(350, 110 - guidewires.APART_DEG)),
    ],
)
def test_guidewire_edges_are_dragged(index, end, to, expected):
    after = guidewires.edge_moved(WIRES, index, end, to)
    found = after.guidewires[index]
    assert (found.start_deg, found.extent_deg) == pytest.approx(
        (expected.start_deg, expected.extent_deg)
    )
    assert after.guidewires[1 - index] is WIRES.guidewires[1 - index]
