"""The vessel's triangles against bodies whose measures are known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from calcviewer.core.annotation import FrameAnnotation, annotation_from_labels
from calcviewer.gui.surface import (
    MOST_RINGS,
    RAYS,
    Known,
    Mesh,
    Surfaces,
    build_surfaces,
    frame_ring,
    rings_of,
)
from tests.phantoms import GRID, label_map


def built(
    frames: dict[int, FrameAnnotation],
    count: int,
    *,
    step_mm: float = 0.2,
    known: Known | None = None,
) -> Surfaces:
    steps = build_surfaces(
        frames.get, frame_count=count, step_mm=step_mm, known={} if known is None else known
    )
    *_, last = steps
    assert last is not None
    return last


def triangles(mesh: Mesh) -> NDArray[np.float64]:
    return mesh.vertices.astype(float)[mesh.faces]


def area_mm2(mesh: Mesh) -> float:
    a, b, c = np.moveaxis(triangles(mesh), 1, 0)
    return float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2)


RING = annotation_from_labels(label_map((0.0, 360.0)), GRID)
PLAIN = annotation_from_labels(label_map(), GRID)


def test_a_round_lumen_is_a_tube() -> None:
    surfaces = built(dict.fromkeys(range(11), PLAIN), 11)
    assert area_mm2(surfaces.lumen) == pytest.approx(2 * np.pi * 1.5 * 2.0, rel=0.01)
    assert surfaces.length_mm == pytest.approx(2.0)
    assert surfaces.radius_mm == pytest.approx(1.5, abs=0.02)
    assert not surfaces.calcium.faces.size


def test_a_ring_of_calcium_is_closed() -> None:
    surfaces = built(dict.fromkeys(range(10), RING), 10)
    # Two walls, and two ends; every frame stands for a slab of one step.
    walls = 2 * np.pi * (1.7 + 2.3) * 2.0
    ends = 2 * np.pi * (2.3**2 - 1.7**2)
    assert area_mm2(surfaces.calcium) == pytest.approx(walls + ends, rel=0.01)


def edges_once(mesh: Mesh) -> int:
    """Return how many edges, by place, belong to an odd number of triangles."""
    _, place = np.unique(np.round(mesh.vertices, 5), axis=0, return_inverse=True)
    faces = place.reshape(-1)[mesh.faces]
    edges = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    _, counts = np.unique(edges, axis=0, return_counts=True)
    return int((counts % 2).sum())


@pytest.mark.parametrize(
    "frames",
    [
        {4: annotation_from_labels(label_map((20.0, 90.0)), GRID)},
        {
            3: annotation_from_labels(label_map((20.0, 90.0)), GRID),
            4: annotation_from_labels(label_map((40.0, 120.0)), GRID),
        },
        {
            3: annotation_from_labels(label_map((340.0, 50.0)), GRID),
            4: annotation_from_labels(label_map((350.0, 30.0), (100.0, 40.0)), GRID),
            5: RING,
        },
    ],
)
def test_calcium_has_no_holes(frames: dict[int, FrameAnnotation]) -> None:
    assert edges_once(built(frames, 9).calcium) == 0


def test_the_arc_and_the_sides_are_right() -> None:
    annotation = annotation_from_labels(label_map((0.0, 90.0)), GRID)  # right and down on screen
    calcium = built({0: annotation, 1: annotation}, 2).calcium
    assert calcium.vertices[:, 1].min() > -0.1  # x to the right
    assert calcium.vertices[:, 2].max() < 0.1  # down is negative
    angle = np.rad2deg(np.arctan2(-calcium.vertices[:, 2], calcium.vertices[:, 1]))
    assert np.ptp(angle) == pytest.approx(90, abs=2 * 360 / RAYS)


def test_normals_are_unit_vectors_across_the_surface() -> None:
    mesh = built(dict.fromkeys(range(5), PLAIN), 5).lumen
    assert np.linalg.norm(mesh.normals, axis=1) == pytest.approx(1, abs=1e-5)
    outward = mesh.vertices[:, 1:] / np.linalg.norm(mesh.vertices[:, 1:], axis=1, keepdims=True)
    across = np.abs((mesh.normals[:, 1:] * outward).sum(axis=1))
    assert across.min() > 0.98


def test_frames_without_a_lumen_are_bridged_but_long_gaps_are_not() -> None:
    whole = built(dict.fromkeys(range(9), PLAIN), 9)
    short = built({i: PLAIN for i in range(9) if i != 4}, 9)
    torn = built({i: PLAIN for i in range(9) if not 2 <= i <= 6}, 9)
    assert area_mm2(short.lumen) == pytest.approx(area_mm2(whole.lumen), rel=1e-3)
    assert area_mm2(torn.lumen) == pytest.approx(area_mm2(whole.lumen) * 2 / 8, rel=1e-3)


def test_long_pullbacks_are_thinned_but_keep_both_ends() -> None:
    surfaces = built(dict.fromkeys(range(1000), PLAIN), 1000, step_mm=0.1)
    assert len(surfaces.lumen.vertices) == MOST_RINGS * RAYS
    assert surfaces.lumen.vertices[:, 0].max() == pytest.approx(99.9)


def test_only_frames_that_changed_are_crossed_again() -> None:
    known: Known = {}
    frames = dict.fromkeys(range(4), PLAIN)
    built(frames, 4, known=known)
    before = {frame: rings for frame, (_, rings) in known.items()}
    frames[2] = RING
    built(frames, 4, known=known)
    assert [known[frame][1] is before[frame] for frame in range(4)] == [True, True, False, True]


def test_nothing_segmented_gives_empty_meshes() -> None:
    surfaces = built({}, 5)
    assert surfaces.lumen.faces.shape == surfaces.calcium.faces.shape == (0, 3)
    assert rings_of(FrameAnnotation()) is None


def test_the_ring_of_a_frame_surrounds_it() -> None:
    ring = frame_ring(RING, 1.0)
    assert ring.shape == (RAYS + 1, 3)
    assert np.array_equal(ring[0], ring[-1])
    assert ring[:, 0] == pytest.approx(1.0)
    assert np.hypot(ring[:, 1], ring[:, 2]).min() > 2.3
    assert frame_ring(None, 1.0).shape == (RAYS + 1, 3)
