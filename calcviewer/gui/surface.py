"""The vessel as triangles: the lumen's surface and the shells of calcium deposits.

Every frame is seen from its lumen centroid O along the same 120 rays. The surface goes from ray to
ray and from frame to frame. Coordinates are ``(along, x, -y)`` in mm, along the vessel from the
first frame: a right-handed system seen as the cross-section is, with y up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calcviewer.core.annotation import FrameAnnotation
from calcviewer.core.contour import ray_crossings
from calcviewer.core.geometry import to_xy

RAYS = 120
MOST_RINGS = 240
"""Longer pullbacks are thinned to this many frames."""
_LONGEST_GAP = 3
"""The surface runs on across so many rings without a lumen."""

_MARK_MM, _LONG_MARK_MM = 1.0, 5.0

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Rings:
    """One frame along the rays, all relative to the catheter, mm.

    Parameters
    ----------
    centroid_mm
        The point O, ``(x, y)``.
    lumen_mm
        Radius of the lumen border from O, shape ``(120,)``.
    front_mm, back_mm
        Radii at which calcium begins and ends, shape ``(120,)``, NaN on rays without.
    """

    centroid_mm: tuple[float, float]
    lumen_mm: Floats
    front_mm: Floats
    back_mm: Floats


@dataclass(frozen=True, eq=False)
class Mesh:
    """Triangles.

    Parameters
    ----------
    vertices
        float32 ``(N, 3)``, mm.
    normals
        Unit vectors at the vertices, either way out, float32 ``(N, 3)``.
    faces
        Indices of vertices, uint32 ``(M, 3)``.
    """

    vertices: NDArray[np.float32]
    normals: NDArray[np.float32]
    faces: NDArray[np.uint32]


@dataclass(frozen=True, eq=False)
class Surfaces:
    """What the 3-D view shows; ``step_mm`` lies between two frames of the pullback."""

    lumen: Mesh
    calcium: Mesh
    step_mm: float
    length_mm: float
    radius_mm: float


Known = MutableMapping[int, tuple[FrameAnnotation, Rings | None]]
"""Rings by frame, each with the annotation it was made from."""


def rings_of(annotation: FrameAnnotation) -> Rings | None:
    """Return a frame's rings; None without a lumen."""
    if annotation.lumen is None:
        return None
    centroid = annotation.lumen.centroid_mm
    ray, radius = ray_crossings([annotation.lumen.points_mm], centroid, RAYS)
    lumen = np.full(RAYS, np.nan)
    np.fmax.at(lumen, ray, radius)
    if np.isnan(lumen).any():  # the centroid of a very crooked lumen can lie outside
        return None
    front, back = np.full(RAYS, np.nan), np.full(RAYS, np.nan)
    for contour in annotation.calcium:
        ray, radius = ray_crossings(contour.rings_mm, centroid, RAYS)
        np.fmin.at(front, ray, radius)
        np.fmax.at(back, ray, radius)
    front = np.maximum(front, lumen)
    front[~(back > front)] = np.nan
    back[np.isnan(front)] = np.nan
    return Rings(centroid, lumen, front, back)


def build_surfaces(
    annotation_of: Callable[[int], FrameAnnotation | None],
    *,
    frame_count: int,
    step_mm: float,
    known: Known,
) -> Iterator[Surfaces | None]:
    """Yield None after every frame and the surfaces at last, so that a task can be stopped.

    Parameters
    ----------
    annotation_of
        Returns the annotation in force of a frame (0-based), None where there is none.
    step_mm
        Distance between two frames.
    known
        Memory of earlier rings; a frame is crossed with rays again only when its annotation is
        another object. Updated in place.
    """
    chosen = _chosen(frame_count)
    rings: list[Rings | None] = []
    for frame in chosen:
        annotation = annotation_of(frame)
        if annotation is None:
            rings.append(None)
            continue
        if frame not in known or known[frame][0] is not annotation:
            known[frame] = (annotation, rings_of(annotation))
        rings.append(known[frame][1])
        yield None
    along = np.asarray(chosen) * step_mm
    lumen = _lumen_mesh(rings, along)
    yield None
    calcium = _calcium_mesh(rings, along)
    reach = [float(np.nanmax([one.lumen_mm.max(), *one.back_mm])) for one in rings if one]
    yield Surfaces(lumen, calcium, step_mm, (frame_count - 1) * step_mm, max(reach, default=2.0))


def frame_ring(annotation: FrameAnnotation | None, along_mm: float) -> NDArray[np.float32]:
    """Return a closed ring a little outside a frame's calcium and lumen, ``(121, 3)``, mm."""
    rings = None if annotation is None else rings_of(annotation)
    if rings is None:
        points = _placed((0.0, 0.0), np.full(RAYS, 2.0), along_mm)
    else:
        outermost = np.fmax(rings.lumen_mm, rings.back_mm)
        points = _placed(rings.centroid_mm, np.full(RAYS, 1.08 * outermost.max()), along_mm)
    return np.concatenate([points, points[:1]]).astype(np.float32)


def ruler_lines(length_mm: float, radius_mm: float) -> NDArray[np.float32]:
    """Return a ruler below the vessel as pairs of points, shape ``(2 N, 3)``, mm."""
    y = z = -1.35 * radius_mm
    points = [(0.0, y, z), (length_mm, y, z)]
    for mark in np.arange(0.0, length_mm + 1e-6, _MARK_MM):
        long = round(mark / _MARK_MM) % round(_LONG_MARK_MM / _MARK_MM) == 0
        points += [(mark, y, z), (mark, y, z + (0.45 if long else 0.2))]
    return np.array(points, dtype=np.float32)


def _chosen(frame_count: int) -> list[int]:
    """Return the frames that get a ring: all, or evenly spread ones with both ends."""
    count = min(frame_count, MOST_RINGS)
    return [int(frame) for frame in np.linspace(0, max(frame_count - 1, 0), count).round()]


def _placed(centroid_mm: tuple[float, float], radius_mm: Floats, along_mm: float) -> Floats:
    """Return points on the rays from a centroid, shape ``(120, 3)``."""
    angles = (np.arange(RAYS) + 0.5) * 360.0 / RAYS
    x, y = (to_xy(angles, radius_mm) + np.asarray(centroid_mm)).T
    return np.stack([np.full(RAYS, along_mm), x, -y], axis=1)


def _lumen_mesh(rings: Sequence[Rings | None], along_mm: Floats) -> Mesh:
    """Return the tube through all lumen rings; it is open where too many are missing."""
    present = [place for place, one in enumerate(rings) if one is not None]
    if not present:
        return _mesh([], [])
    vertices = []
    for place in present:
        one = rings[place]
        assert one is not None
        vertices.append(_placed(one.centroid_mm, one.lumen_mm, float(along_mm[place])))
    faces = [
        _band(number * RAYS, (number + 1) * RAYS, np.ones(RAYS, dtype=np.bool_))
        for number in range(len(present) - 1)
        if present[number + 1] - present[number] <= _LONGEST_GAP + 1
    ]
    return _mesh(vertices, faces)


def _calcium_mesh(rings: Sequence[Rings | None], along_mm: Floats) -> Mesh:
    """Return closed shells: front, back, and walls where calcium ends on a ray or a ring.

    Each ring stands for a slab that reaches half-way to its neighbours, so that calcium of a
    single frame has a body too; where the neighbour has calcium the two meet in the middle.
    """
    half_mm = float(np.diff(along_mm).min()) / 2 if len(along_mm) > 1 else 0.05
    layers = [
        None if one is None else _layers(one, float(at))
        for one, at in zip(rings, along_mm, strict=True)
    ]
    vertices: list[Floats] = []
    faces: list[NDArray[np.int64]] = []
    for place, layer in enumerate(layers):
        if layer is None or not layer.mask.any():
            continue
        before = layers[place - 1] if place else None
        after = layers[place + 1] if place + 1 < len(layers) else None
        points = [*layer.ends(before, -half_mm), *layer.ends(after, half_mm)]
        offset = len(vertices) * RAYS
        # Walls have vertices of their own: the surface is not smooth across their edges.
        vertices += [*points, *points]
        faces += [part + offset for part in _shell(layer.mask)]
        walls = _walls(layer.mask, layer.shared(before), layer.shared(after))
        faces += [part + offset + len(points) * RAYS for part in walls]
    return _mesh(vertices, faces)


@dataclass(frozen=True, eq=False)
class _Layers:
    """The calcium of one ring as points, each ``(120, 3)``, and on which rays there is any."""

    mask: NDArray[np.bool_]
    front: Floats
    back: Floats

    def shared(self, other: _Layers | None) -> NDArray[np.bool_]:
        """Return the rays on which a neighbour has calcium too."""
        return self.mask & other.mask if other is not None else np.zeros(RAYS, dtype=np.bool_)

    def ends(self, other: _Layers | None, half_mm: float) -> tuple[Floats, Floats]:
        """Return front and back where the slab ends towards a neighbour."""
        step = np.array([half_mm, 0.0, 0.0])
        if other is None:
            return self.front + step, self.back + step
        both = self.shared(other)[:, None]
        front = np.where(both, (self.front + other.front) / 2, self.front + step)
        return front, np.where(both, (self.back + other.back) / 2, self.back + step)


def _layers(rings: Rings, along_mm: float) -> _Layers:
    mask = np.isfinite(rings.front_mm)
    front = _placed(rings.centroid_mm, np.where(mask, rings.front_mm, 0.0), along_mm)
    back = _placed(rings.centroid_mm, np.where(mask, rings.back_mm, 0.0), along_mm)
    return _Layers(mask, front, back)


_NEAR_FRONT, _NEAR_BACK, _FAR_FRONT, _FAR_BACK = (RAYS * layer for layer in range(4))


def _shell(mask: NDArray[np.bool_]) -> list[NDArray[np.int64]]:
    """Return the faces of a slab's front and back surface."""
    pair = mask & np.roll(mask, -1)
    return [_band(_NEAR_FRONT, _FAR_FRONT, pair), _band(_NEAR_BACK, _FAR_BACK, pair)]


def _walls(
    mask: NDArray[np.bool_], before: NDArray[np.bool_], after: NDArray[np.bool_]
) -> list[NDArray[np.int64]]:
    """Return the faces that close a slab: across the vessel where no calcium follows, and along."""
    pair = mask & np.roll(mask, -1)
    faces = [
        _band(_NEAR_FRONT, _NEAR_BACK, pair & ~(before & np.roll(before, -1))),
        _band(_FAR_FRONT, _FAR_BACK, pair & ~(after & np.roll(after, -1))),
    ]
    for edge in (mask & ~np.roll(mask, 1), mask & ~np.roll(mask, -1)):
        ray = np.flatnonzero(edge)
        a, b, c, d = (ray + layer for layer in (_NEAR_FRONT, _NEAR_BACK, _FAR_FRONT, _FAR_BACK))
        faces += [np.stack([a, b, c], axis=1), np.stack([b, d, c], axis=1)]
    return faces


def _band(first: int, second: int, used: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return two triangles for every used ray between two rings of vertices."""
    ray = np.flatnonzero(used)
    following = (ray + 1) % RAYS
    a, b = first + ray, first + following
    c, d = second + ray, second + following
    return np.concatenate([np.stack([a, b, c], axis=1), np.stack([b, d, c], axis=1)])


def _mesh(vertices: list[Floats], faces: list[NDArray[np.int64]]) -> Mesh:
    """Join parts, leaving out vertices without a face."""
    points = np.concatenate(vertices) if vertices else np.zeros((0, 3))
    triangles = np.concatenate(faces) if faces else np.zeros((0, 3), dtype=np.int64)
    used, renumbered = np.unique(triangles, return_inverse=True)
    points, triangles = points[used], renumbered.reshape(triangles.shape)
    normals = _normals(points, triangles)
    return Mesh(points.astype(np.float32), normals.astype(np.float32), triangles.astype(np.uint32))


def _normals(points: Floats, triangles: NDArray[np.int64]) -> Floats:
    """Return the mean direction of the faces at every vertex, larger faces counting more."""
    a, b, c = (points[triangles[:, corner]] for corner in range(3))
    across = np.cross(b - a, c - a)
    normals = np.stack(
        [
            sum(
                np.bincount(triangles[:, corner], across[:, axis], minlength=len(points))
                for corner in range(3)
            )
            for axis in range(3)
        ],
        axis=1,
    )
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    return np.asarray(normals / np.maximum(length, 1e-12))
