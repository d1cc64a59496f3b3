from __future__ import annotations

import math
import time
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calcviewer.core.annotation import FrameAnnotation, Label, annotation_from_labels
from calcviewer.core.contour import Contour
from calcviewer.core.geometry import Arc, PolarGrid, to_xy
from calcviewer.core.pullback import CalibratedValue, Calibration, Origin
from calcviewer.modalities.ivoct.arcs import see_deposit
from calcviewer.modalities.ivoct.protocol import Protocol
from calcviewer.modalities.ivoct.quantify import FrameMeasurement, quantify_frame

GRID = PolarGrid(480, 960, 0.0052)
SAMPLE_MM = GRID.sample_spacing_mm
A_LINE_DEG = GRID.a_line_deg
PROTOCOL = Protocol()
LENIENT = Protocol(minimum_arc_deg=0, minimum_area_mm2=0)
CALIBRATION = Calibration(
    sample_spacing_mm=CalibratedValue(SAMPLE_MM, Origin.DICOM),
    frame_pitch_mm=CalibratedValue(0.2, Origin.DICOM),
    zero_radius_mm=CalibratedValue(0.0, Origin.DICOM),
)
LUMEN_MM, FRONT_MM, BACK_MM = 1.5, 1.8, 2.4
Sector = tuple[float, float]
"""Where a deposit begins and how far it extends, degrees about the vessel's centre."""


def phantom(
    *deposits: Sector,
    centre: tuple[float, float] = (0.0, 0.0),
    wires: tuple[Arc, ...] = (),
    radii: tuple[float, float] = (FRONT_MM, BACK_MM),
) -> FrameAnnotation:
    """A round lumen with calcium in the sectors of a ring, read back from a label map."""
    points = to_xy(GRID.angles_deg()[:, None], GRID.radii_mm()[None, :]) - centre
    radius = np.hypot(points[..., 0], points[..., 1])
    angle = np.rad2deg(np.arctan2(points[..., 1], points[..., 0]))
    labels = np.zeros(GRID.shape, dtype=np.uint8)
    ring = (radius > radii[0]) & (radius < radii[1])
    for start, extent in deposits:
        labels[ring & ((angle - start) % 360 < extent)] = Label.CALCIUM
    for wire in wires:
        labels[wire.contains(GRID.angles_deg())] = Label.GUIDEWIRE_SHADOW
    labels[radius < LUMEN_MM] = Label.LUMEN
    return annotation_from_labels(labels, GRID)


def measured(annotation: FrameAnnotation, protocol: Protocol = PROTOCOL) -> FrameMeasurement:
    return quantify_frame(annotation, CALIBRATION, protocol)


def polar_contour(angles: np.ndarray, radii: np.ndarray | float, centre=(0.0, 0.0)) -> Contour:
    return Contour(to_xy(angles, np.broadcast_to(radii, np.shape(angles))) + centre)


def circle(radius: float, centre=(0.0, 0.0)) -> Contour:
    return polar_contour(np.arange(720) / 2, radius, centre)


def sector(start: float, extent: float, front=FRONT_MM, back=BACK_MM, centre=(0.0, 0.0)) -> Contour:
    """Calcium between two rays and two circles about the vessel's centre."""
    angles = np.linspace(start, start + extent, 3 + 2 * round(extent))
    radii = np.repeat([front, back], angles.size)
    return polar_contour(np.concatenate([angles, angles[::-1]]), radii, centre)


def ring(front=FRONT_MM, back=BACK_MM) -> Contour:
    return Contour(circle(back).points_mm, (circle(front).points_mm,))


def drawn(*calcium: Contour, centre=(0.0, 0.0), **rest) -> FrameAnnotation:
    return FrameAnnotation(lumen=circle(LUMEN_MM, centre), calcium=calcium, **rest)


CENTRES = [(0.0, 0.0), (0.4, -0.3), (-0.7, 0.1), (0.0, 1.0), (-0.6, -0.8)]
EXTENTS = [20.0, 75.0, 146.0, 180.0, 227.0, 330.0]


@pytest.mark.validation
@pytest.mark.parametrize("centre", CENTRES)
@pytest.mark.parametrize("extent", EXTENTS)
@pytest.mark.parametrize("start", [0.0, 110.0, 305.0])
def test_arc_of_an_exact_contour_is_exact(centre, extent, start):
    frame = measured(drawn(sector(start, extent, centre=centre), centre=centre))
    assert frame.max_arc_deg_visible == pytest.approx(extent, abs=1e-6)
    assert frame.max_arc_deg_bridged == frame.max_arc_deg_visible
    assert frame.sum_arc_deg == pytest.approx(extent, abs=1e-6)


@pytest.mark.validation
@pytest.mark.parametrize("extent", EXTENTS)
@pytest.mark.parametrize("start", [0.0, 305.0])
def test_label_map_concentric(extent, start):
    frame = measured(phantom((start, extent)))
    assert frame.max_arc_deg_visible == pytest.approx(extent, abs=1.0)
    for thickness in (frame.max_thickness_mm, frame.mean_thickness_mm):
        assert thickness == pytest.approx(BACK_MM - FRONT_MM, abs=SAMPLE_MM)
    for depth in (frame.min_depth_mm, frame.mean_depth_mm):
        assert depth == pytest.approx(FRONT_MM - LUMEN_MM, abs=SAMPLE_MM)


@pytest.mark.validation
@pytest.mark.parametrize("centre", CENTRES[1:])
@pytest.mark.parametrize("extent", [75.0, 227.0])
@pytest.mark.parametrize("start", [0.0, 305.0])
def test_label_map_with_the_catheter_off_centre(centre, extent, start):
    frame = measured(phantom((start, extent), centre=centre))
    assert frame.max_arc_deg_visible == pytest.approx(extent, abs=1.0)
    # Rays that cross the borders obliquely meet them a little further apart.
    oblique = 1 / np.cos(np.arcsin(np.hypot(*centre) / FRONT_MM))
    assert frame.max_thickness_mm == pytest.approx(BACK_MM - FRONT_MM, abs=oblique * SAMPLE_MM)
    assert frame.mean_thickness_mm == pytest.approx(BACK_MM - FRONT_MM, abs=2 * SAMPLE_MM)
    assert frame.min_depth_mm == pytest.approx(FRONT_MM - LUMEN_MM, abs=oblique * SAMPLE_MM)
    assert frame.mean_depth_mm == pytest.approx(FRONT_MM - LUMEN_MM, abs=SAMPLE_MM)


@pytest.mark.validation
@pytest.mark.parametrize("centre", CENTRES)
def test_areas_and_diameters(centre):
    frame = measured(phantom((20.0, 100.0), centre=centre))
    assert frame.lumen_centroid_mm == pytest.approx(centre, abs=0.005)
    assert frame.lumen_area_mm2 == pytest.approx(np.pi * LUMEN_MM**2, rel=0.005)
    assert frame.calcium_area_mm2 == pytest.approx(
        np.pi * (BACK_MM**2 - FRONT_MM**2) * 100 / 360, rel=0.015
    )
    for diameter in (
        frame.min_lumen_diameter_mm,
        frame.max_lumen_diameter_mm,
        frame.mean_lumen_diameter_mm,
    ):
        assert diameter == pytest.approx(2 * LUMEN_MM, abs=0.02)


@pytest.mark.validation
def test_diameters_of_an_ellipse():
    angles = np.deg2rad(np.arange(3600) / 10)
    ellipse = Contour(np.stack([0.3 + 2 * np.cos(angles), 0.2 + 1.2 * np.sin(angles)], axis=1))
    frame = measured(FrameAnnotation(lumen=ellipse))
    assert frame.lumen_area_mm2 == pytest.approx(np.pi * 2.0 * 1.2, rel=1e-5)
    assert frame.lumen_centroid_mm == pytest.approx((0.3, 0.2))
    assert frame.min_lumen_diameter_mm == pytest.approx(2.4, abs=1e-3)
    assert frame.max_lumen_diameter_mm == pytest.approx(4.0, abs=1e-3)


@pytest.mark.validation
@pytest.mark.parametrize("centre", CENTRES)
def test_plaque_burden_of_circles(centre):
    eel = circle(2.0, (0.1, 0.2))
    frame = measured(FrameAnnotation(lumen=circle(1.2, centre), eel=eel))
    assert frame.eel_area_mm2 == pytest.approx(np.pi * 2.0**2, rel=1e-4)
    assert frame.plaque_burden_percent == pytest.approx(100 * (1 - 1.2**2 / 2.0**2), abs=1e-3)


def test_plaque_burden_needs_both_contours():
    without = measured(drawn(sector(0, 90)))
    assert without.eel_area_mm2 is None
    assert without.plaque_burden_percent is None
    alone = measured(FrameAnnotation(eel=circle(2.0)))
    assert alone.eel_area_mm2 == pytest.approx(np.pi * 4, rel=1e-4)
    assert alone.plaque_burden_percent is None
    for not_outside in (circle(1.4), circle(1.5)):
        frame = measured(FrameAnnotation(lumen=circle(1.5), eel=not_outside))
        assert frame.plaque_burden_percent is None
    unscaled = quantify_frame(FrameAnnotation(circle(1), eel=circle(2)), Calibration(), PROTOCOL)
    assert unscaled.eel_area_mm2 is None
    assert unscaled.plaque_burden_percent is None


def test_thickness_and_depth_follow_the_border():
    # A wedge whose front is 1.8 mm and whose back grows linearly from 2.0 to 2.8 mm.
    angles = np.linspace(30, 110, 801)
    back = np.linspace(2.0, 2.8, 801)
    outline = np.concatenate([to_xy(angles, np.full(801, 1.8)), to_xy(angles, back)[::-1]])
    frame = measured(drawn(Contour(outline)))
    assert frame.max_thickness_mm == pytest.approx(1.0, abs=0.01)
    assert frame.max_thickness_ray_deg == 109.5
    assert frame.mean_thickness_mm == pytest.approx(0.6, abs=0.001)
    assert frame.mean_depth_mm == pytest.approx(0.3, abs=0.001)
    assert frame.thickness_by_ray_mm[70] == pytest.approx(0.2 + 0.8 * 40.5 / 80, abs=0.001)
    assert np.isnan(frame.thickness_by_ray_mm[[29, 110]]).all()
    assert not np.isnan(frame.thickness_by_ray_mm[30:110]).any()


@pytest.mark.validation
@pytest.mark.parametrize("centre", [(0.0, 0.0), (0.5, 0.4)])
def test_deposit_through_angle_zero_is_one(centre):
    annotation = phantom((320.0, 80.0), centre=centre)
    frame = measured(annotation)
    assert len(annotation.calcium) == len(frame.deposits) == len(frame.visible_arcs) == 1
    assert frame.visible_arcs[0].start_deg == pytest.approx(320, abs=1)
    assert frame.visible_arcs[0].end_deg == pytest.approx(40, abs=1)


@pytest.mark.validation
def test_ring_of_calcium():
    for annotation in (phantom((0.0, 361.0)), drawn(ring())):
        frame = measured(annotation)
        assert [arc.extent_deg for arc in frame.visible_arcs] == [360.0]
        assert frame.max_arc_deg_visible == frame.max_arc_deg_bridged == 360.0
        assert frame.max_thickness_mm == pytest.approx(0.6, abs=SAMPLE_MM)
        assert frame.mean_depth_mm == pytest.approx(0.3, abs=SAMPLE_MM)
        assert frame.calcium_area_mm2 == pytest.approx(np.pi * (2.4**2 - 1.8**2), rel=0.01)
        assert frame.quadrants == 4
        assert not np.isnan(frame.thickness_by_ray_mm).any()


def test_calcium_drawn_over_the_lumen_is_cut_at_its_border():
    whole = measured(drawn(circle(BACK_MM)))
    assert whole.max_arc_deg_visible == 360.0
    assert whole.min_depth_mm == pytest.approx(0.0, abs=1e-9)
    assert whole.max_thickness_mm == pytest.approx(BACK_MM - LUMEN_MM, abs=1e-4)
    assert whole.calcium_area_mm2 == pytest.approx(np.pi * (BACK_MM**2 - LUMEN_MM**2), rel=1e-4)
    part = measured(drawn(sector(10, 60, front=1.2)))
    assert part.max_arc_deg_visible == pytest.approx(60, abs=1e-6)
    assert part.max_thickness_mm == pytest.approx(BACK_MM - LUMEN_MM, abs=1e-4)
    assert part.superficial
    assert measured(drawn(sector(10, 60, front=0.2, back=1.0))).deposits == ()


@pytest.mark.parametrize(
    ("gap", "arcs"), [(1.0, [61.0]), (2.9, [62.9]), (3.0, [20.0, 40.0]), (4.0, [20.0, 40.0])]
)
def test_join_tolerance(gap, arcs):
    frame = measured(drawn(sector(340, 40), sector(20 + gap, 20)))
    assert sorted(arc.extent_deg for arc in frame.visible_arcs) == pytest.approx(arcs)
    strict = measured(drawn(sector(340, 40), sector(20 + gap, 20)), Protocol(join_tolerance_deg=0))
    assert strict.max_arc_deg_visible == pytest.approx(40)
    assert strict.sum_arc_deg == pytest.approx(60)


def test_largest_arc_is_not_the_sum():
    frame = measured(drawn(sector(0, 100), sector(120, 90), sector(250, 30)))
    assert frame.max_arc_deg_visible == pytest.approx(100)
    assert frame.sum_arc_deg == pytest.approx(220)


def test_arcs_that_overlap_as_seen_from_the_centroid_are_one():
    frame = measured(drawn(sector(0, 60, 1.6, 1.8), sector(50, 60, 2.0, 2.5)))
    assert [arc.extent_deg for arc in frame.visible_arcs] == pytest.approx([110])
    assert len(frame.deposits) == 2
    assert frame.max_thickness_mm == pytest.approx(0.5, abs=1e-3)
    assert frame.depth_by_ray_mm[55] == pytest.approx(0.1, abs=1e-3)
    assert frame.thickness_by_ray_mm[55] == pytest.approx(0.5, abs=1e-3)


WIRE = Arc(200, 20)


@pytest.mark.validation
@pytest.mark.parametrize("turn", [0.0, 130.0, 170.0])
def test_two_deposits_beside_a_guidewire(turn):
    """The seed's figure 8: 146 degrees beside the shadow, 227 with the shadow counted."""
    wire = Arc(200 + turn, 20)
    frame = measured(drawn(sector(54 + turn, 146), sector(220 + turn, 61), guidewires=(wire,)))
    assert frame.max_arc_deg_visible == pytest.approx(146)
    assert frame.max_arc_deg_bridged == pytest.approx(227)
    assert frame.sum_arc_deg == pytest.approx(207)
    assert len(frame.bridged_arcs) == 1
    assert len(frame.visible_arcs) == 2
    assert not frame.calcium_in_shadow


@pytest.mark.validation
@pytest.mark.parametrize("centre", CENTRES)
def test_bridge_in_a_label_map(centre):
    """The deposit runs on behind the wire: bridging gives back the arc it has."""
    wire = Arc(150, 18)
    behind_deg = np.rad2deg(np.arctan2(*(to_xy(159.0, 1.8) - centre)[::-1]))
    start = behind_deg - 120
    frame = measured(phantom((start, 227.0), centre=centre, wires=(wire,)))
    one_a_line_deg = A_LINE_DEG * (FRONT_MM + np.hypot(*centre)) / FRONT_MM
    assert len(frame.visible_arcs) == 2
    assert frame.max_arc_deg_visible < 125
    assert frame.max_arc_deg_bridged == pytest.approx(227, abs=one_a_line_deg)


@pytest.mark.parametrize(
    ("left_gap", "right_gap", "bridged"),
    [
        (0, 0, True),
        (5.9, 5.9, True),
        (6, 0, True),
        (6.1, 0, False),
        (0, 6.1, False),
    ],
)
def test_bridge_reach(left_gap, right_gap, bridged):
    left, right = sector(80, 120 - left_gap), sector(220 + right_gap, 50)
    frame = measured(drawn(left, right, guidewires=(WIRE,)))
    expected = 120 + 20 + 50 + right_gap if bridged else 120 - left_gap
    assert frame.max_arc_deg_bridged == pytest.approx(expected)
    assert frame.max_arc_deg_visible == pytest.approx(120 - left_gap)


def test_calcium_on_one_side_only_is_not_bridged():
    frame = measured(drawn(sector(100, 100), guidewires=(WIRE,)))
    assert frame.max_arc_deg_bridged == frame.max_arc_deg_visible == pytest.approx(100)


def test_calcium_all_round_with_one_guidewire():
    frame = measured(drawn(sector(221, 338), guidewires=(WIRE,)))
    assert frame.max_arc_deg_visible == pytest.approx(338)
    assert frame.max_arc_deg_bridged == 360.0


def test_calcium_that_goes_round_the_catheter_leaves_nothing_to_bridge():
    frame = measured(drawn(ring(), guidewires=(WIRE,)))
    assert frame.max_arc_deg_visible == frame.max_arc_deg_bridged == 360.0
    assert [arc.extent_deg for arc in frame.bridged_arcs] == [360.0]


def test_several_guidewires():
    wires = (Arc(350, 20), Arc(100, 10), Arc(250, 10))
    deposits = (sector(10, 90), sector(110, 140), sector(265, 5))
    frame = measured(drawn(*deposits, guidewires=wires))
    assert frame.max_arc_deg_visible == pytest.approx(140)
    # The third deposit reaches the third wire and not the first.
    assert [arc.extent_deg for arc in frame.bridged_arcs] == pytest.approx([260])
    everywhere = measured(
        drawn(sector(10, 90), sector(110, 140), sector(260, 90), guidewires=wires)
    )
    assert everywhere.max_arc_deg_bridged == 360.0
    assert everywhere.max_arc_deg_visible == pytest.approx(140)


def test_two_sectors_that_overlap_are_one_shadow():
    wires = (Arc(200, 12), Arc(208, 12))
    frame = measured(drawn(sector(80, 120), sector(220, 50), guidewires=wires))
    assert frame.max_arc_deg_bridged == pytest.approx(190)


def test_narrow_guidewire_is_never_bridged_by_the_join_tolerance():
    for wire in (Arc(200, 2), Arc(200.5, 1)):
        frame = measured(drawn(sector(100, 100), sector(202, 90), guidewires=(wire,)))
        assert frame.max_arc_deg_visible == pytest.approx(100)
        assert frame.max_arc_deg_bridged == pytest.approx(192)
    elsewhere = measured(drawn(sector(100, 100), sector(202, 90), guidewires=(Arc(300, 20),)))
    assert elsewhere.max_arc_deg_visible == pytest.approx(192)


def test_calcium_drawn_across_the_shadow_counts_and_is_said():
    frame = measured(drawn(sector(54, 227), guidewires=(WIRE,)))
    assert frame.max_arc_deg_visible == pytest.approx(227)
    assert frame.max_arc_deg_bridged == pytest.approx(227)
    assert frame.calcium_in_shadow


def test_calcium_reaching_into_the_shadow_by_the_join_tolerance_is_noise():
    annotation = drawn(sector(100, 103.5), guidewires=(WIRE,))
    reach_deg = see_deposit(annotation.calcium[0].points_mm, (0.0, 0.0)).catheter_arc.overlap_deg(
        WIRE
    )
    assert reach_deg == pytest.approx(3.5)
    assert measured(annotation).calcium_in_shadow
    assert not measured(annotation, Protocol(join_tolerance_deg=reach_deg)).calcium_in_shadow


def test_bridge_of_deposits_that_overlap_from_the_centroid():
    """Seen from a centroid far to the side, deposits behind and before the wire overlap."""
    centre = (0.9, 0.0)
    near = Contour(to_xy(np.array([60.0, 60.0, 88.0, 88.0]), np.array([1.4, 1.5, 1.5, 1.4])))
    far = Contour(to_xy(np.array([92.0, 92.0, 120.0, 120.0]), np.array([3.0, 3.2, 3.2, 3.0])))
    frame = measured(drawn(near, far, centre=centre, guidewires=(Arc(88, 4),)))
    assert frame.max_arc_deg_bridged <= frame.sum_arc_deg + 30
    assert frame.max_arc_deg_bridged < 180


def test_shadow_as_seen_from_the_centroid():
    centred = measured(drawn(guidewires=(WIRE,))).shadow_arcs[0]
    assert (centred.start_deg, centred.extent_deg) == pytest.approx((200, 20))
    shadow = measured(drawn(centre=(0.5, 0.0), guidewires=(Arc(350, 20),))).shadow_arcs[0]
    # The catheter lies further from that side of the wall, so the shadow looks wider from O.
    exit_mm = 0.5 * np.cos(np.deg2rad(10)) + np.sqrt(1.5**2 - (0.5 * np.sin(np.deg2rad(10))) ** 2)
    x, y = to_xy(10.0, exit_mm) - (0.5, 0.0)
    assert shadow.extent_deg == pytest.approx(2 * np.rad2deg(np.arctan2(y, x)), abs=0.01)
    assert shadow.centre_deg == pytest.approx(0.0, abs=1e-6) or shadow.centre_deg > 359.9


THICK = dict(front=1.8, back=3.2)


def test_cap_only_where_the_back_border_is_hidden():
    seen = measured(drawn(sector(0, 90, **THICK)))
    assert seen.max_thickness_mm == pytest.approx(1.4, abs=1e-3)
    assert not seen.thickness_capped
    assert not seen.back_hidden
    hidden = measured(drawn(sector(0, 90, **THICK), hidden_back=(Arc(350, 120),)))
    assert hidden.max_thickness_mm == 1.0
    assert hidden.thickness_capped
    assert hidden.deposits[0].thickness_capped
    part = measured(drawn(sector(0, 90, **THICK), hidden_back=(Arc(350, 40),)))
    assert part.max_thickness_mm == pytest.approx(1.4, abs=1e-3)
    assert not part.thickness_capped
    assert part.thickness_by_ray_mm[10] == 1.0
    assert part.thickness_by_ray_mm[60] == pytest.approx(1.4, abs=1e-3)


def test_cap_switched_off_or_moved():
    annotation = drawn(sector(0, 90, **THICK), hidden_back=(Arc(350, 120),))
    off = measured(annotation, Protocol(thickness_cap_mm=None))
    assert off.max_thickness_mm == pytest.approx(1.4, abs=1e-3)
    assert not off.thickness_capped
    assert off.back_hidden
    assert measured(annotation, Protocol(thickness_cap_mm=0.8)).max_thickness_mm == 0.8


def test_hidden_calcium_thinner_than_the_cap_is_not_capped():
    frame = measured(drawn(sector(0, 90), hidden_back=(Arc(350, 120),)))
    assert frame.max_thickness_mm == pytest.approx(0.6, abs=1e-3)
    assert not frame.thickness_capped
    assert frame.back_hidden


def test_hidden_back_is_judged_from_the_catheter():
    centre = (0.0, 1.0)
    annotation = drawn(sector(0, 40, centre=centre, **THICK), centre=centre)
    back_points = to_xy(np.array([0.0, 40.0]), np.full(2, 3.2)) + centre
    low, high = np.rad2deg(np.arctan2(back_points[:, 1], back_points[:, 0]))
    assert low > 15  # from the centroid the deposit begins at 0 degrees
    hidden = FrameAnnotation(
        lumen=annotation.lumen, calcium=annotation.calcium, hidden_back=(Arc(low, high - low),)
    )
    assert measured(hidden).thickness_capped
    elsewhere = FrameAnnotation(
        lumen=annotation.lumen, calcium=annotation.calcium, hidden_back=(Arc(0, low - 1),)
    )
    assert not measured(elsewhere).thickness_capped


def test_a_frame_with_one_deposit_has_its_values():
    frame = measured(drawn(sector(0, 90, 1.9, 2.4), hidden_back=(Arc(350, 120),)))
    (deposit,) = frame.deposits
    assert deposit.max_thickness_mm == pytest.approx(0.5, abs=1e-3)
    for name in (
        "max_thickness_mm",
        "max_thickness_ray_deg",
        "mean_thickness_mm",
        "thickness_capped",
        "back_hidden",
        "min_depth_mm",
        "mean_depth_mm",
        "superficial",
    ):
        assert getattr(deposit, name) == getattr(frame, name), name
    assert deposit.back_hidden
    assert deposit.area_mm2 == frame.calcium_area_mm2
    assert deposit.arc == frame.visible_arcs[0]


def test_a_frame_says_of_its_thickest_deposit_whether_it_was_hidden():
    thin_and_hidden, thick = sector(0, 60, 1.8, 2.1), sector(120, 60, 1.8, 2.6)
    seen = measured(drawn(thin_and_hidden, thick, hidden_back=(Arc(350, 80),)))
    assert (seen.max_thickness_ray_deg, seen.back_hidden) == (
        seen.deposits[1].max_thickness_ray_deg,
        False,
    )
    assert [deposit.back_hidden for deposit in seen.deposits] == [True, False]
    hidden = measured(drawn(thin_and_hidden, thick, hidden_back=(Arc(110, 80),)))
    assert (hidden.max_thickness_ray_deg, hidden.back_hidden) == (
        hidden.deposits[1].max_thickness_ray_deg,
        True,
    )


def test_label_map_cut_by_the_depth_range_is_capped():
    frame = measured(phantom((100.0, 60.0), radii=(FRONT_MM, 9.0)))
    assert frame.max_thickness_mm == 1.0
    assert frame.thickness_capped


def test_superficial_and_deep():
    assert measured(drawn(sector(0, 40, 1.99, 2.4))).superficial
    deep = measured(drawn(sector(0, 40, 2.01, 2.4)))
    assert deep.superficial is False
    both = measured(drawn(sector(0, 40, 2.1, 2.4), sector(90, 40, 1.6, 2.0)))
    assert [deposit.superficial for deposit in both.deposits] == [False, True]
    assert both.superficial


def test_at_the_superficial_depth_it_is_deep():
    annotation = drawn(sector(0, 40, 2.0, 2.4))
    depth_mm = measured(annotation).min_depth_mm
    for limit_mm, superficial in ((depth_mm, False), (math.nextafter(depth_mm, 1), True)):
        frame = measured(annotation, Protocol(superficial_mm=limit_mm))
        assert frame.superficial is frame.deposits[0].superficial is superficial


def test_quadrants():
    frame = measured(drawn(sector(350, 30), sector(100, 30)))
    assert frame.quadrant_arcs_deg == pytest.approx((20, 30, 0, 10))
    assert frame.quadrants == 3
    assert measured(drawn(sector(358, 32))).quadrants == 1  # 2 degrees are no calcified quadrant


def test_calcified_needs_arc_and_area():
    assert measured(drawn(sector(0, 20))).calcified
    assert not measured(drawn(sector(0, 4.9))).calcified
    assert not measured(drawn(sector(0, 20, 1.8, 1.82))).calcified
    assert not measured(drawn()).calcified
    thin = measured(drawn(sector(0, 4), sector(8, 4)))
    assert not thin.calcified
    assert thin.max_arc_deg_visible == pytest.approx(4)


def test_the_minimum_arc_and_area_suffice():
    annotation = drawn(sector(10, 20))
    frame = measured(annotation)
    arc_deg, area_mm2 = frame.deposits[0].arc.extent_deg, frame.deposits[0].area_mm2
    exactly = Protocol(minimum_arc_deg=arc_deg, minimum_area_mm2=area_mm2)
    assert measured(annotation, exactly).calcified
    assert measured(annotation, exactly).quadrants == 1
    assert quantify_frame(annotation, Calibration(), exactly).calcified
    wider = Protocol(minimum_arc_deg=math.nextafter(arc_deg, 90), minimum_area_mm2=area_mm2)
    assert not measured(annotation, wider).calcified
    assert measured(annotation, wider).quadrants == 0
    larger = Protocol(minimum_arc_deg=arc_deg, minimum_area_mm2=math.nextafter(area_mm2, 9))
    assert not measured(annotation, larger).calcified


def test_deposit_between_two_rays():
    frame = measured(drawn(sector(10.6, 0.5)))
    assert frame.deposits[0].arc.extent_deg == pytest.approx(0.5)
    assert not frame.deposits[0].counts
    assert measured(drawn(sector(10.6, 0.5)), LENIENT).deposits[0].counts
    assert not frame.deposits[0].thickness_capped
    assert not frame.deposits[0].back_hidden
    assert frame.max_thickness_mm is None
    assert frame.deposits[0].area_mm2 > 0
    assert frame.max_arc_deg_visible == pytest.approx(0.5)
    assert not frame.calcified


def test_no_calcium():
    frame = measured(drawn())
    assert frame.max_arc_deg_visible == frame.max_arc_deg_bridged == frame.sum_arc_deg == 0.0
    assert frame.calcium_area_mm2 == 0.0
    assert frame.max_thickness_mm is None
    assert not frame.thickness_capped
    assert not frame.back_hidden
    assert np.isnan(frame.thickness_by_ray_mm).all()


def test_no_lumen():
    frame = measured(FrameAnnotation(calcium=(sector(0, 60),)))
    assert frame.lumen_area_mm2 is None
    assert frame.max_arc_deg_visible is None
    assert frame.max_thickness_mm is None
    assert frame.calcium_area_mm2 == pytest.approx(np.pi * (2.4**2 - 1.8**2) / 6, rel=1e-3)
    assert [deposit.area_mm2 for deposit in frame.deposits] == [frame.calcium_area_mm2]
    assert frame.deposits[0].counts
    assert frame.calcified
    assert not frame.calcium_in_shadow
    assert not measured(FrameAnnotation()).calcified


def test_without_a_lumen_the_area_decides():
    annotation = FrameAnnotation(calcium=(sector(0, 60), sector(90, 0.5)))
    frame = measured(annotation)
    assert [deposit.counts for deposit in frame.deposits] == [True, False]
    large_mm2 = frame.deposits[0].area_mm2
    assert measured(annotation, Protocol(minimum_area_mm2=large_mm2)).calcified
    assert not measured(annotation, Protocol(minimum_area_mm2=1.001 * large_mm2)).calcified


def test_without_lumen_and_scale_any_calcium_counts():
    frame = quantify_frame(FrameAnnotation(calcium=(sector(0, 60),)), Calibration(), PROTOCOL)
    assert frame.calcified is True
    assert quantify_frame(FrameAnnotation(), Calibration(), PROTOCOL).calcified is False


def test_without_sample_spacing_only_angles_are_known():
    annotation = drawn(sector(0, 60), guidewires=(WIRE,))
    frame = quantify_frame(annotation, Calibration(), PROTOCOL)
    assert frame.max_arc_deg_visible == pytest.approx(60)
    assert frame.calcified
    assert frame.shadow_arcs
    assert [deposit.arc.extent_deg for deposit in frame.deposits] == pytest.approx([60])
    lengths = [name for name in vars(frame) if name.endswith(("_mm", "_mm2"))]
    assert len(lengths) >= 10
    assert all(getattr(frame, name) is None for name in lengths)
    assert all(
        getattr(deposit, name) is None
        for deposit in frame.deposits
        for name in vars(deposit)
        if name.endswith(("_mm", "_mm2"))
    )
    no_lumen = quantify_frame(FrameAnnotation(calcium=(sector(0, 60),)), Calibration(), PROTOCOL)
    assert no_lumen.calcium_area_mm2 is None


def test_lumen_with_a_side_branch():
    """Depth is taken from the border just before the calcium, not from the branch's far wall."""
    angles = np.arange(720) / 2
    radii = np.where((angles > 80) & (angles < 100), 2.5, LUMEN_MM)
    annotation = FrameAnnotation(
        lumen=polar_contour(angles, radii), calcium=(sector(180, 60), sector(85, 10, 2.8, 3.1))
    )
    frame = measured(annotation)
    across, branch = frame.deposits
    assert branch.max_thickness_mm == pytest.approx(0.3, abs=0.02)
    assert branch.mean_depth_mm == pytest.approx(0.3, abs=0.02)
    assert across.mean_depth_mm == pytest.approx(0.3, abs=0.02)


def test_per_ray_values_cannot_be_changed():
    frame = measured(drawn(sector(0, 60)))
    with pytest.raises(ValueError, match="read-only"):
        frame.thickness_by_ray_mm[0] = 1.0
    with pytest.raises(ValueError, match="read-only"):
        frame.depth_by_ray_mm[0] = 1.0
    assert "by_ray" not in repr(frame)  # a log is no place for 720 numbers


def test_measurements_are_immutable_and_known_by_identity():
    """Sessions keep measurements by the identity of what was measured."""
    frame = measured(drawn(sector(0, 60)))
    for measurement in (frame, frame.deposits[0]):
        with pytest.raises(FrozenInstanceError):
            measurement.max_thickness_mm = 1.0
        assert measurement != replace(measurement)
        with pytest.raises(TypeError, match="positional"):
            type(measurement)(*vars(measurement).values())


EXTENT = st.floats(6, 350)
ANGLE = st.floats(0, 360, exclude_max=True)


@st.composite
def blobs(draw: st.DrawFn) -> Contour:
    """A sector with a wavy front and back."""
    extent = draw(EXTENT)
    angles = draw(ANGLE) + np.linspace(0, extent, 60)
    waves = draw(st.integers(1, 5))
    front = 2.0 + 0.2 * np.sin(np.linspace(0, waves * np.pi, 60))
    back = front + 0.05 + draw(st.floats(0.1, 0.8)) * np.sin(np.linspace(0, np.pi, 60))
    return Contour(np.concatenate([to_xy(angles, front), to_xy(angles, back)[::-1]]))


def transformed(contour: Contour, matrix: np.ndarray) -> Contour:
    return Contour(contour.points_mm @ matrix.T)


@settings(deadline=None, max_examples=60)
@given(blobs(), ANGLE)
def test_arcs_do_not_change_with_rotation(blob, turn):
    cos, sin = np.cos(np.deg2rad(turn)), np.sin(np.deg2rad(turn))
    matrix = np.array([[cos, -sin], [sin, cos]])
    lumen = circle(LUMEN_MM, (0.2, -0.1))
    before = measured(FrameAnnotation(lumen, (blob,)))
    after = measured(FrameAnnotation(transformed(lumen, matrix), (transformed(blob, matrix),)))
    assert after.max_arc_deg_visible == pytest.approx(before.max_arc_deg_visible, abs=1e-6)
    assert after.max_arc_deg_bridged == pytest.approx(before.max_arc_deg_bridged, abs=1e-6)
    assert after.sum_arc_deg == pytest.approx(before.sum_arc_deg, abs=1e-6)
    assert after.calcium_area_mm2 == pytest.approx(before.calcium_area_mm2)


@settings(deadline=None, max_examples=60)
@given(blobs(), st.floats(0.2, 5))
def test_lengths_scale_and_angles_do_not(blob, factor):
    protocol = Protocol(thickness_cap_mm=None, minimum_area_mm2=0)
    lumen = circle(LUMEN_MM)
    matrix = factor * np.eye(2)
    small = measured(FrameAnnotation(lumen, (blob,)), protocol)
    large = measured(
        FrameAnnotation(transformed(lumen, matrix), (transformed(blob, matrix),)), protocol
    )
    for name in ("max_thickness_mm", "mean_thickness_mm", "min_depth_mm", "max_lumen_diameter_mm"):
        assert getattr(large, name) == pytest.approx(factor * getattr(small, name), abs=1e-6)
    assert large.calcium_area_mm2 == pytest.approx(factor**2 * small.calcium_area_mm2)
    assert large.max_arc_deg_visible == pytest.approx(small.max_arc_deg_visible)


@settings(deadline=None, max_examples=60)
@given(st.lists(blobs(), max_size=4), st.lists(st.builds(Arc, ANGLE, st.floats(1, 40)), max_size=3))
def test_values_stay_in_their_range(calcium, wires):
    frame = measured(drawn(*calcium, guidewires=tuple(wires), hidden_back=tuple(wires[:1])))
    assert frame.calcium_area_mm2 >= 0
    assert 0 <= frame.max_arc_deg_visible <= frame.max_arc_deg_bridged + 1e-9 <= 360 + 1e-9
    assert frame.max_arc_deg_visible <= frame.sum_arc_deg + 1e-9 <= 360 + 1e-6
    assert sum(frame.quadrant_arcs_deg) == pytest.approx(frame.sum_arc_deg, abs=1e-6)
    if calcium:
        assert frame.min_depth_mm >= 0
        assert 0 < frame.mean_thickness_mm <= frame.max_thickness_mm


def test_speed_of_a_pullback(capsys):
    """Printed, not asserted: what the machine does meanwhile is not this test's business."""
    annotation = phantom((340.0, 120.0), (150.0, 60.0), wires=(Arc(100, 20),))
    begin = time.process_time()
    for _ in range(540):
        measured(annotation)
    elapsed_s = time.process_time() - begin
    with capsys.disabled():
        print(f"\n540 frames quantified in {elapsed_s:.2f} s, {elapsed_s / 0.54:.2f} ms a frame")
