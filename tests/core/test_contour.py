from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import binary_opening

from calcviewer.core.contour import Contour, contours_of, rasterise, ray_crossings, trace
from calcviewer.core.geometry import CartesianGrid, PolarGrid, centred_grid, to_xy

POLAR = PolarGrid(96, 60, 0.05)
CARTESIAN = centred_grid(80, 3.0)
SQUARE = np.array([[0.0, 0.0], [2.0, 0.0], [2.0, 2.0], [0.0, 2.0]])


def circle(radius: float, centre=(0.0, 0.0), points: int = 360) -> Contour:
    angles = np.arange(points) * 360 / points
    return Contour(to_xy(angles, np.full(points, radius)) + centre)


def test_contour_cannot_be_changed():
    source = SQUARE.copy()
    contour = Contour(source)
    source[0] = 9.0
    assert np.array_equal(contour.points_mm, SQUARE)
    with pytest.raises(ValueError, match="read-only"):
        contour.points_mm[0] = 1.0


def test_closing_point_is_dropped():
    assert len(Contour(np.concatenate([SQUARE, SQUARE[:1]])).points_mm) == 4


@pytest.mark.parametrize("points", [np.zeros((2, 2)), np.zeros((5, 3)), np.zeros(6)])
def test_contour_needs_three_points(points):
    with pytest.raises(ValueError, match="must have shape"):
        Contour(points)


def test_area_and_centroid():
    hole = np.array([[0.5, 0.5], [0.5, 1.0], [1.0, 1.0], [1.0, 0.5]])
    contour = Contour(SQUARE, (hole,))
    assert contour.area_mm2 == pytest.approx(3.75)
    assert contour.centroid_mm == pytest.approx(((4 - 0.1875) / 3.75,) * 2)
    filled = contour.without_holes()
    assert filled.area_mm2 == pytest.approx(4)
    assert filled.centroid_mm == pytest.approx((1, 1))
    assert filled.without_holes() is filled
    assert len(contour.rings_mm) == 2


def test_contours_of_geometry():
    small, large = shapely.box(0, 0, 1, 1), shapely.box(5, 5, 8, 8)
    line = shapely.LineString([(0, 0), (1, 1)])
    found = contours_of(shapely.GeometryCollection([small, line, large]))
    assert [contour.area_mm2 for contour in found] == [9, 1]
    assert len(contours_of(shapely.GeometryCollection([small, large]), smallest_mm2=1.0)) == 1
    assert contours_of(shapely.Polygon()) == ()
    with_hole = contours_of(large.difference(shapely.box(6, 6, 7, 7)))
    assert len(with_hole[0].holes_mm) == 1


@pytest.mark.validation
@pytest.mark.parametrize("origin", [(0.0, 0.0), (0.5, -0.3), (1.5, 1.0)])
def test_rays_from_inside_cross_a_circle_once(origin):
    ray, radius = ray_crossings([circle(2.0, points=3600).points_mm], origin, 360)
    assert np.array_equal(ray, np.arange(360))
    crossing = to_xy(np.arange(360) + 0.5, radius) + origin
    assert np.hypot(*crossing.T) == pytest.approx(np.full(360, 2.0), abs=1e-5)


@pytest.mark.validation
def test_rays_from_outside_cross_a_circle_twice():
    centre = (4.0, 0.0)
    ray, radius = ray_crossings([circle(1.0, centre, 7200).points_mm], (0.0, 0.0), 360)
    half_deg = np.rad2deg(np.arcsin(1 / 4))
    hit = [k for k in range(360) if min(k + 0.5, 359.5 - k) < half_deg]
    assert np.array_equal(np.unique(ray), hit)
    angle = np.deg2rad(hit[0] + 0.5)
    chord = np.sqrt(1 - (4 * np.sin(angle)) ** 2)
    assert radius[:2] == pytest.approx([4 * np.cos(angle) - chord, 4 * np.cos(angle) + chord])


def test_rays_through_vertices_cross_once():
    # Every vertex lies exactly on a ray, the worst case for counting.
    for points in (4, 8, 36, 360):
        angles = (np.arange(points) + 0.5) * 360 / points
        for ring in (to_xy(angles, np.full(points, 1.0)), to_xy(angles[::-1], np.ones(points))):
            ray, radius = ray_crossings([ring], (0.0, 0.0), points)
            assert np.array_equal(ray, np.arange(points))
            assert radius == pytest.approx(np.ones(points))


def test_no_rings_no_crossings():
    ray, radius = ray_crossings([], (0.0, 0.0), 360)
    assert ray.size == radius.size == 0


@st.composite
def polygons(draw: st.DrawFn) -> np.ndarray:
    """Star-shaped about a point anywhere, so simple, with few or many vertices."""
    count = draw(st.integers(3, 40))
    seed = draw(st.integers(0, 10**6))
    rng = np.random.default_rng(seed)
    angles = (np.arange(count) + rng.uniform(0.1, 0.9, count)) * 360 / count
    return to_xy(angles, rng.uniform(0.3, 2.0, count)) + rng.uniform(-2, 2, 2)


@settings(max_examples=150, deadline=None)
@given(polygons(), st.integers(3, 400))
def test_number_of_crossings_tells_inside_from_outside(ring, rays):
    ray, radius = ray_crossings([ring], (0.0, 0.0), rays)
    polygon = shapely.Polygon(ring)
    if polygon.exterior.distance(shapely.Point(0, 0)) < 1e-6:
        return
    inside = polygon.contains(shapely.Point(0, 0))
    counts = np.bincount(ray, minlength=rays)
    assert (counts % 2 == int(inside)).all()
    assert (radius > 0).all()
    assert (np.diff(ray) >= 0).all()
    same_ray = np.diff(ray) == 0
    assert (np.diff(radius)[same_ray] >= 0).all()
    on_border = shapely.points(to_xy((ray + 0.5) * 360 / rays, radius))
    if on_border.size:
        assert shapely.distance(polygon.exterior, on_border).max() < 1e-5


@settings(max_examples=60, deadline=None)
@given(polygons())
def test_rasterise_agrees_with_shapely(ring):
    polygon = shapely.Polygon(ring)
    angles, radii = np.meshgrid(POLAR.angles_deg(), POLAR.radii_mm(), indexing="ij")
    rows, columns = np.mgrid[: CARTESIAN.rows, : CARTESIAN.columns]
    for grid, points in (
        (POLAR, to_xy(angles, radii)),
        (CARTESIAN, CARTESIAN.to_mm(np.stack([columns, rows], axis=-1))),
    ):
        mask = rasterise([Contour(ring)], grid)
        inside = shapely.contains_xy(polygon, points[..., 0], points[..., 1])
        distance = shapely.distance(polygon.exterior, shapely.points(points))
        assert np.array_equal(mask[distance > 1e-6], inside[distance > 1e-6])


def test_rasterise_unites_contours():
    first, second = circle(1.0, (0.8, 0.0)), circle(1.0, (-0.8, 0.0))
    for grid in (POLAR, CARTESIAN):
        united = rasterise([first, second], grid)
        assert np.array_equal(united, rasterise([first], grid) | rasterise([second], grid))
        assert not rasterise([], grid).any()


def test_trace_nothing_and_everything():
    for grid in (POLAR, CARTESIAN):
        assert trace(np.zeros(grid.shape, bool), grid) == ()
    (disc,) = trace(np.ones(POLAR.shape, bool), POLAR)
    assert disc.area_mm2 == pytest.approx(np.pi * 3.0**2, rel=0.002)
    assert disc.holes_mm == ()
    (box,) = trace(np.ones(CARTESIAN.shape, bool), CARTESIAN)
    assert box.area_mm2 == pytest.approx(36, rel=0.001)


def test_trace_refuses_another_shape():
    with pytest.raises(ValueError, match="must have shape"):
        trace(np.zeros((3, 3), bool), POLAR)


def polar_box(first: int, last: int, near: int, far: int) -> np.ndarray:
    """A-lines from first to last (wrapping) and samples from near to far, all inclusive."""
    mask = np.zeros(POLAR.shape, dtype=bool)
    mask[np.arange(first, last + 1) % POLAR.a_lines, near : far + 1] = True
    return mask


SHAPES = {
    "one pixel": polar_box(5, 5, 30, 30),
    "away from the seam": polar_box(20, 40, 20, 40),
    "across the seam": polar_box(90, 105, 20, 40),
    "one A-line at the seam": polar_box(0, 0, 20, 40),
    "the other side of the seam": polar_box(95, 95, 20, 40),
    "one pixel across the seam": polar_box(95, 96, 30, 30),
    "ring": polar_box(0, 95, 20, 40),
    "ring one sample thick": polar_box(0, 95, 20, 20),
    "two rings": polar_box(0, 95, 10, 20) | polar_box(0, 95, 30, 40),
    "ring around a spot": polar_box(0, 95, 40, 50) | polar_box(3, 9, 20, 25),
    "disc": polar_box(0, 95, 0, 30),
    "ring at the depth's end": polar_box(0, 95, 40, 59),
    "sector from the pole": polar_box(10, 40, 0, 30),
    "sector from the pole across the seam": polar_box(80, 110, 0, 30),
    "sector to the depth's end": polar_box(80, 110, 30, 59),
    "all but one A-line": polar_box(3, 97, 20, 40),
    "ring with a hole": polar_box(0, 95, 20, 40) & ~polar_box(30, 35, 28, 32),
    "ring with a hole at the seam": polar_box(0, 95, 20, 40) & ~polar_box(93, 99, 28, 32),
    "spot in a hole": (polar_box(0, 95, 10, 50) & ~polar_box(90, 110, 20, 40))
    | polar_box(94, 100, 28, 32),
    "diagonal touch": polar_box(10, 20, 20, 30) | polar_box(21, 30, 31, 40),
    "diagonal touch at the seam": polar_box(90, 95, 20, 30) | polar_box(0, 6, 31, 40),
    "comb at the seam": polar_box(90, 100, 10, 12)
    | polar_box(94, 98, 16, 18)
    | polar_box(90, 95, 22, 24)
    | polar_box(0, 5, 28, 30),
    "spiral": np.any([polar_box(k, k + 3, 5 + k // 3, 9 + k // 3) for k in range(120)], axis=0),
}


@pytest.mark.validation
@pytest.mark.parametrize("name", SHAPES)
def test_traced_contours_give_the_mask_back(name):
    mask = SHAPES[name]
    assert np.array_equal(rasterise(trace(mask, POLAR), POLAR), mask)


@pytest.mark.validation
@pytest.mark.parametrize("zero_mm", [0.3, 1.0])
@pytest.mark.parametrize("name", SHAPES)
def test_traced_contours_give_the_mask_back_with_a_zero_radius(name, zero_mm):
    grid = PolarGrid(POLAR.a_lines, POLAR.samples, 0.05, zero_mm)
    mask = SHAPES[name]
    assert np.array_equal(rasterise(trace(mask, grid), grid), mask)


@pytest.mark.parametrize(
    ("name", "contours", "holes"),
    [
        ("across the seam", 1, 0),
        ("ring", 1, 1),
        ("two rings", 2, 2),
        ("ring around a spot", 2, 1),
        ("disc", 1, 0),
        ("ring with a hole", 1, 2),
        ("ring with a hole at the seam", 1, 2),
        ("spot in a hole", 2, 2),
        ("diagonal touch", 2, 0),
        ("sector from the pole", 1, 0),
    ],
)
def test_number_of_regions_and_holes(name, contours, holes):
    found = trace(SHAPES[name], POLAR)
    assert len(found) == contours
    assert sum(len(contour.holes_mm) for contour in found) == holes
    assert all(contour.polygon.is_valid for contour in found)
    assert sorted((c.area_mm2 for c in found), reverse=True) == [c.area_mm2 for c in found]


def test_small_regions_can_be_left_out():
    mask = SHAPES["ring around a spot"]
    spot = min(contour.area_mm2 for contour in trace(mask, POLAR))
    assert len(trace(mask, POLAR, smallest_mm2=1.01 * spot)) == 1


@st.composite
def masks(draw: st.DrawFn, shape: tuple[int, int]) -> np.ndarray:
    """Noise, coarse or fine, dense or sparse."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    block = draw(st.sampled_from([1, 2, 4, 8]))
    dense = draw(st.floats(0.02, 0.98))
    coarse = rng.random((-(-shape[0] // block), -(-shape[1] // block))) < dense
    return np.kron(coarse, np.ones((block, block), dtype=bool))[: shape[0], : shape[1]] > 0


@settings(max_examples=60, deadline=None)
@given(masks((96, 40)), st.sampled_from([0.0, 0.4]))
def test_any_polar_mask_comes_back(mask, zero_mm):
    grid = PolarGrid(96, 40, 0.05, zero_mm)
    assert np.array_equal(rasterise(trace(mask, grid), grid), mask)


@settings(max_examples=30, deadline=None)
@given(masks((96, 40)))
def test_samples_before_the_catheter_centre_are_ignored(mask):
    grid = PolarGrid(96, 40, 0.05, -0.23)
    beyond = grid.radii_mm() > 0
    found = rasterise(trace(mask, grid), grid)
    assert np.array_equal(found[:, beyond], mask[:, beyond])


@settings(max_examples=60, deadline=None)
@given(masks((40, 50)))
def test_any_cartesian_mask_comes_back(mask):
    grid = CartesianGrid(40, 50, 0.05, (22.0, 19.0))
    assert np.array_equal(rasterise(trace(mask, grid), grid), mask)


@settings(max_examples=30, deadline=None)
@given(masks((96, 40)), st.integers(1, 95))
def test_tracing_does_not_depend_on_where_the_seam_is(mask, steps):
    grid = PolarGrid(96, 40, 0.05)
    mask = binary_opening(mask, np.ones((2, 2)))
    areas = [contour.area_mm2 for contour in trace(mask, grid)]
    turned = [contour.area_mm2 for contour in trace(np.roll(mask, steps, axis=0), grid)]
    assert turned == pytest.approx(areas)


@pytest.mark.validation
def test_area_of_a_traced_ring_is_analytic():
    grid = PolarGrid(480, 960, 0.0052)
    radius = grid.radii_mm()[None, :] + np.zeros((480, 1))
    (ring,) = trace((radius > 1.8) & (radius < 2.4), grid)
    assert ring.area_mm2 == pytest.approx(np.pi * (2.4**2 - 1.8**2), rel=0.006)
    (disc,) = trace(radius < 1.5, grid)
    assert disc.area_mm2 == pytest.approx(np.pi * 1.5**2, rel=0.004)
    assert disc.centroid_mm == pytest.approx((0, 0), abs=1e-9)
