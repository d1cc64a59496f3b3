from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calcviewer.core.annotation import (
    FrameAnnotation,
    Label,
    Provenance,
    annotation_from_labels,
    cut_out_sectors,
    labels_of_annotation,
    moved_radially,
)
from calcviewer.core.contour import Contour
from calcviewer.core.geometry import Arc, PolarGrid, centred_grid, resample, to_polar, to_xy

GRID = PolarGrid(120, 100, 0.03)


def empty() -> np.ndarray:
    return np.zeros(GRID.shape, dtype=np.uint8)


def shaded(labels: np.ndarray, first: int, last: int) -> np.ndarray:
    """The label map with a guidewire shadow over A-lines first to last, from the lumen outward."""
    labels = labels.copy()
    for k in np.arange(first, last + 1) % GRID.a_lines:
        labels[k, labels[k] != Label.LUMEN] = Label.GUIDEWIRE_SHADOW
    return labels


def typical() -> np.ndarray:
    labels = empty()
    labels[:, :50] = Label.LUMEN
    labels[20:60, 58:75] = Label.CALCIUM
    labels[:8, 55:80] = labels[112:, 55:80] = Label.CALCIUM
    return labels


def test_labels_have_the_agreed_values():
    assert [label.value for label in Label] == [0, 1, 2, 3]


def test_typical_label_map():
    found = annotation_from_labels(shaded(typical(), 40, 47), GRID)
    assert found.lumen.area_mm2 == pytest.approx(np.pi * 1.5**2, rel=0.01)
    assert len(found.calcium) == 3  # two parts beside the wire, and the one through angle 0
    assert found.guidewires == (Arc(120, 24),)
    assert found.hidden_back == ()
    assert found.provenance is Provenance.MANUAL
    assert found.failure == ""


def test_empty_label_map():
    found = annotation_from_labels(empty(), GRID)
    assert found.lumen is None
    assert found.calcium == found.guidewires == found.hidden_back == ()
    assert np.array_equal(labels_of_annotation(found, GRID), empty())


@pytest.mark.validation
@pytest.mark.parametrize(
    "wires",
    [
        [],
        [(40, 47)],
        [(116, 123)],
        [(0, 3)],
        [(117, 119)],
        [(10, 15), (90, 99)],
        [(0, 0), (119, 119)],
    ],
)
def test_label_map_comes_back(wires):
    labels = typical()
    for first, last in wires:
        labels = shaded(labels, first, last)
    found = annotation_from_labels(labels, GRID)
    assert np.array_equal(labels_of_annotation(found, GRID), labels)


@pytest.mark.validation
def test_label_map_with_a_ring_comes_back():
    labels = empty()
    labels[:, :50] = Label.LUMEN
    labels[:, 55:70] = Label.CALCIUM
    labels[30:40, 60:65] = Label.OTHER
    found = annotation_from_labels(labels, GRID)
    assert len(found.calcium) == 1
    assert len(found.calcium[0].holes_mm) == 2
    assert np.array_equal(labels_of_annotation(found, GRID), labels)


def test_holes_in_the_lumen_are_filled_and_stray_lumen_is_dropped():
    labels = empty()
    labels[:, :50] = Label.LUMEN
    labels[10:20, 20:30] = Label.OTHER
    labels[70:80, 70:80] = Label.LUMEN
    found = annotation_from_labels(labels, GRID)
    expected = empty()
    expected[:, :50] = Label.LUMEN
    assert np.array_equal(labels_of_annotation(found, GRID), expected)


def test_small_calcium_can_be_left_out():
    labels = typical()
    labels[90, 90] = Label.CALCIUM
    assert len(annotation_from_labels(labels, GRID).calcium) == 3
    assert len(annotation_from_labels(labels, GRID, smallest_mm2=0.02).calcium) == 2


def test_calcium_at_the_end_of_the_depth_range_has_a_hidden_back():
    labels = typical()
    labels[80:90, 60:] = Label.CALCIUM
    labels[118:, 60:] = labels[:2, 60:] = Label.CALCIUM
    found = annotation_from_labels(labels, GRID)
    assert found.hidden_back == (Arc(240, 30), Arc(354, 12))


def test_drawn_calcium_in_the_shadow_stays_calcium():
    calcium = annotation_from_labels(typical(), GRID).calcium
    annotation = FrameAnnotation(calcium=calcium, guidewires=(Arc(90, 60),))
    labels = labels_of_annotation(annotation, GRID)
    assert (labels[35:45, 60:74] == Label.CALCIUM).all()
    assert (labels[35:45, :50] == Label.GUIDEWIRE_SHADOW).all()


def test_lumen_covers_calcium_and_shadow():
    annotation = annotation_from_labels(typical(), GRID)
    wide = Contour(to_xy(np.arange(360.0), np.full(360, 2.0)))
    labels = labels_of_annotation(
        FrameAnnotation(lumen=wide, calcium=annotation.calcium, guidewires=(Arc(0, 90),)), GRID
    )
    assert (labels[:, :66] == Label.LUMEN).all()


@st.composite
def label_maps(draw: st.DrawFn) -> np.ndarray:
    """A wavy lumen, blocks of calcium beyond it, and shadows."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    waves = np.sin(2 * np.pi * np.arange(120) / 120 * rng.integers(1, 4) + rng.uniform(0, 6))
    border = np.round(40 + rng.uniform(0, 15) * waves).astype(int)
    sample = np.arange(GRID.samples)
    labels = empty()
    for _ in range(draw(st.integers(0, 4))):
        lines = np.arange(rng.integers(120), rng.integers(121, 220)) % 120
        near = rng.integers(20, 80)
        labels[lines, near : near + rng.integers(1, 25)] = Label.CALCIUM
    labels[sample[None, :] < border[:, None]] = Label.LUMEN
    for _ in range(draw(st.integers(0, 2))):
        first = int(rng.integers(120))
        labels = shaded(labels, first, first + int(rng.integers(12)))
    return labels


@pytest.mark.validation
@settings(max_examples=80, deadline=None)
@given(label_maps())
def test_any_label_map_comes_back(labels):
    found = annotation_from_labels(labels, GRID)
    assert np.array_equal(labels_of_annotation(found, GRID), labels)


def test_cartesian_label_map_comes_back():
    grid = centred_grid(240, 3.0)
    polar = shaded(typical(), 70, 79)
    labels = resample(polar, GRID, grid, order=0).astype(np.uint8)
    found = annotation_from_labels(labels, grid)
    assert len(found.guidewires) == 1
    wire = found.guidewires[0]
    assert wire.start_deg == pytest.approx(210, abs=1)
    assert wire.extent_deg == pytest.approx(30, abs=1.5)
    again = labels_of_annotation(found, grid)
    y_px, x_px = np.mgrid[:240, :240]
    angle, radius = to_polar(grid.to_mm(np.stack([x_px, y_px], axis=-1)))
    edges = np.minimum(np.abs(angle - 210), np.abs(angle - 240)) < 2
    inner = (radius < 2.95) & ~edges
    assert np.array_equal(again[inner], labels[inner])


def test_cut_out_sectors():
    ring = Contour(
        to_xy(np.arange(360.0), np.full(360, 2.4)),
        (to_xy(np.arange(360.0), np.full(360, 1.8)),),
    )
    assert cut_out_sectors((ring,), ()) == (ring,)
    assert cut_out_sectors((), (Arc(0, 90),)) == ()
    parts = cut_out_sectors((ring,), (Arc(350, 20), Arc(100, 10)))
    assert len(parts) == 2
    kept = sum(part.area_mm2 for part in parts)
    assert kept == pytest.approx(ring.area_mm2 * 330 / 360, rel=1e-3)
    for part in parts:
        angle, _ = to_polar(part.points_mm)
        assert not Arc(350.01, 19.98).contains(angle).any()
        assert not Arc(100.01, 9.98).contains(angle).any()


@pytest.mark.parametrize("extent", [5.0, 90.0, 200.0, 355.0])
def test_cut_out_a_sector_of_any_width(extent):
    disc = Contour(to_xy(np.arange(720) / 2, np.full(720, 2.0)))
    (rest,) = cut_out_sectors((disc,), (Arc(30, extent),))
    assert rest.area_mm2 == pytest.approx(np.pi * 4 * (360 - extent) / 360, rel=0.01)


def test_the_eel_moves_with_the_calibration_and_is_no_label():
    eel = Contour(to_xy(np.arange(360.0), np.full(360, 2.0)))
    moved = moved_radially(FrameAnnotation(eel=eel), GRID, PolarGrid(120, 100, 0.06))
    assert np.allclose(moved.eel.points_mm, 2 * eel.points_mm)
    assert moved_radially(FrameAnnotation(), GRID, GRID).eel is None
    assert not labels_of_annotation(FrameAnnotation(eel=eel), GRID).any()
