"""Grids, the way from polar to Cartesian and back, and arcs on a circle.

Canonical coordinates are millimetres about the catheter: x to the right, y down, angle 0 along
+x and growing towards +y (clockwise on screen).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

FloatArray = NDArray[np.floating]
FULL_CIRCLE_DEG = 360.0


@dataclass(frozen=True)
class PolarGrid:
    """Where the samples of a polar frame ``[a_line, sample]`` lie.

    A-line k is at ``(k + 0.5) * 360 / a_lines`` degrees, sample j at
    ``zero_radius_mm + (j + 0.5) * sample_spacing_mm``.
    """

    a_lines: int
    samples: int
    sample_spacing_mm: float
    zero_radius_mm: float = 0.0

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of a frame on this grid: ``(a_lines, samples)``."""
        return self.a_lines, self.samples

    @property
    def a_line_deg(self) -> float:
        """Angle between two neighbouring A-lines, degrees."""
        return FULL_CIRCLE_DEG / self.a_lines

    @property
    def end_radius_mm(self) -> float:
        """Radius at the far edge of the last sample, mm."""
        return self.zero_radius_mm + self.samples * self.sample_spacing_mm

    def angles_deg(self) -> NDArray[np.float64]:
        """Angle of every A-line, shape ``(a_lines,)``, degrees."""
        return np.asarray((np.arange(self.a_lines, dtype=np.float64) + 0.5) * self.a_line_deg)

    def radii_mm(self) -> NDArray[np.float64]:
        """Radius of every sample centre, shape ``(samples,)``, mm."""
        index = np.arange(self.samples, dtype=np.float64)
        return np.asarray(self.zero_radius_mm + (index + 0.5) * self.sample_spacing_mm)

    def a_line_index(self, angle_deg: FloatArray) -> NDArray[np.float64]:
        """Fractional A-line index of angles (degrees), not wrapped."""
        return np.asarray(np.asarray(angle_deg, dtype=np.float64) / self.a_line_deg - 0.5)

    def sample_index(self, radius_mm: FloatArray) -> NDArray[np.float64]:
        """Fractional sample index of radii (mm)."""
        radius = np.asarray(radius_mm, dtype=np.float64)
        return np.asarray((radius - self.zero_radius_mm) / self.sample_spacing_mm - 0.5)


@dataclass(frozen=True)
class CartesianGrid:
    """Where the pixels of a Cartesian frame ``[row, column]`` lie.

    ``centre_px`` is the catheter's ``(x, y)`` in pixels, where pixel ``[0, 0]`` has its centre
    at ``(0, 0)``.
    """

    rows: int
    columns: int
    pixel_spacing_mm: float
    centre_px: tuple[float, float]

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of a frame on this grid: ``(rows, columns)``."""
        return self.rows, self.columns

    def to_px(self, points_mm: FloatArray) -> NDArray[np.float64]:
        """Convert ``(N, 2)`` canonical mm to ``(N, 2)`` pixel coordinates ``(x, y)``."""
        centre = np.array(self.centre_px)
        points = np.asarray(points_mm, dtype=np.float64)
        return np.asarray(points / self.pixel_spacing_mm + centre)

    def to_mm(self, points_px: FloatArray) -> NDArray[np.float64]:
        """Convert ``(N, 2)`` pixel coordinates ``(x, y)`` to ``(N, 2)`` canonical mm."""
        centre = np.array(self.centre_px)
        points = np.asarray(points_px, dtype=np.float64)
        return np.asarray((points - centre) * self.pixel_spacing_mm)


Grid = PolarGrid | CartesianGrid


def centred_grid(size_px: int, radius_mm: float) -> CartesianGrid:
    """Return a square grid of ``size_px`` pixels that shows the disc of ``radius_mm``."""
    middle = (size_px - 1) / 2
    return CartesianGrid(size_px, size_px, 2 * radius_mm / size_px, (middle, middle))


def to_xy(angle_deg: FloatArray, radius_mm: FloatArray) -> NDArray[np.float64]:
    """Convert polar coordinates to ``(..., 2)`` canonical mm."""
    angle = np.deg2rad(np.asarray(angle_deg, dtype=float))
    return np.stack([radius_mm * np.cos(angle), radius_mm * np.sin(angle)], axis=-1)


def to_polar(points_mm: FloatArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Convert ``(..., 2)`` canonical mm to angles in [0, 360) degrees and radii in mm."""
    points = np.asarray(points_mm, dtype=float)
    angle = np.rad2deg(np.arctan2(points[..., 1], points[..., 0])) % FULL_CIRCLE_DEG
    # A tiny negative angle is rounded up to a full circle by the remainder.
    angle = np.where(angle < FULL_CIRCLE_DEG, angle, 0.0)
    return angle, np.hypot(points[..., 0], points[..., 1])


def _sample_polar(
    image: FloatArray, a_line: FloatArray, sample: FloatArray, *, order: int, fill: float
) -> NDArray[np.float32]:
    """Interpolate a polar image at fractional indices; theta wraps, outside depth is ``fill``."""
    wrapped = np.concatenate([image[-2:], image, image[:2]])  # room for the interpolation's reach
    a_lines, samples = image.shape
    coordinates = [a_line % a_lines + 2, np.clip(sample, 0, samples - 1)]
    values: NDArray[np.float32] = map_coordinates(
        wrapped.astype(np.float32, copy=False), coordinates, order=order, mode="nearest"
    )
    values[(sample < -0.5) | (sample > samples - 0.5)] = fill
    return values


def resample(
    image: NDArray[Any], source: Grid, target: Grid, *, order: int = 1, fill: float = 0.0
) -> NDArray[np.float32]:
    """Resample a frame from one grid to another, in any combination of polar and Cartesian.

    Parameters
    ----------
    image
        Frame of shape ``source.shape``.
    order
        0 for label maps (nearest), 1 for images (bilinear).
    fill
        Value outside the source.

    Returns
    -------
    float32 array of shape ``target.shape``.

    Raises
    ------
    ValueError
        When the image does not have the source grid's shape.
    """
    if image.shape != source.shape:
        raise ValueError(f"image must have shape {source.shape}, got {image.shape}")
    angle, radius = _polar_coordinates(target)
    if isinstance(source, PolarGrid):
        index = source.a_line_index(angle), source.sample_index(radius)
        return _sample_polar(image, *np.broadcast_arrays(*index), order=order, fill=fill)
    x_px, y_px = np.moveaxis(source.to_px(to_xy(angle, radius)), -1, 0)
    values: NDArray[np.float32] = map_coordinates(
        image.astype(np.float32, copy=False), [y_px, x_px], order=order, mode="nearest"
    )
    # Half a pixel around the outermost centres still belongs to the frame.
    inside_x = (x_px >= -0.5) & (x_px <= source.columns - 0.5)
    inside_y = (y_px >= -0.5) & (y_px <= source.rows - 0.5)
    values[~(inside_x & inside_y)] = fill
    return values


def _polar_coordinates(grid: Grid) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Angle (degrees) and radius (mm) of every pixel of a grid, broadcastable to its shape."""
    if isinstance(grid, PolarGrid):
        return grid.angles_deg()[:, None], grid.radii_mm()[None, :]
    y_px, x_px = np.mgrid[: grid.rows, : grid.columns]
    return to_polar(grid.to_mm(np.stack([x_px, y_px], axis=-1)))


@dataclass(frozen=True)
class Arc:
    """An arc on the circle: from ``start_deg`` over ``extent_deg`` in growing angle; wraps.

    ``start_deg`` is normalised to [0, 360), ``extent_deg`` lies in [0, 360].
    """

    start_deg: float
    extent_deg: float

    def __post_init__(self) -> None:
        extent = min(max(float(self.extent_deg), 0.0), FULL_CIRCLE_DEG)
        start = float(self.start_deg) % FULL_CIRCLE_DEG
        # A tiny negative angle is rounded up to a full circle by the remainder.
        object.__setattr__(self, "start_deg", start if start < FULL_CIRCLE_DEG else 0.0)
        object.__setattr__(self, "extent_deg", extent)

    @property
    def end_deg(self) -> float:
        """Where the arc ends, in [0, 360)."""
        return (self.start_deg + self.extent_deg) % FULL_CIRCLE_DEG

    @property
    def centre_deg(self) -> float:
        """The middle of the arc, in [0, 360)."""
        return (self.start_deg + self.extent_deg / 2) % FULL_CIRCLE_DEG

    def contains(self, angle_deg: FloatArray | float) -> NDArray[np.bool_]:
        """Whether angles (degrees) lie on the arc, ends included."""
        offset = (np.asarray(angle_deg) - self.start_deg) % FULL_CIRCLE_DEG
        return np.asarray(offset <= self.extent_deg)

    def widened(self, margin_deg: float) -> Arc:
        """Return the arc widened by a margin at both ends."""
        extent = self.extent_deg + 2 * margin_deg
        return Arc(self.start_deg - margin_deg, extent)

    def overlap_deg(self, other: Arc) -> float:
        """Degrees covered by both arcs."""
        offset = (other.start_deg - self.start_deg) % FULL_CIRCLE_DEG
        first = max(0.0, min(self.extent_deg, offset + other.extent_deg) - offset)
        wrapped = max(0.0, min(self.extent_deg, offset + other.extent_deg - FULL_CIRCLE_DEG))
        return first + wrapped


def join_arcs(arcs: Iterable[Arc], tolerance_deg: float = 0.0) -> tuple[Arc, ...]:
    """Join arcs that overlap or lie within a tolerance of each other.

    Returns
    -------
    Disjoint arcs in order of their start. One arc of 360 degrees when they close the circle.
    """
    ordered = sorted((arc for arc in arcs if arc.extent_deg > 0), key=lambda arc: arc.start_deg)
    if not ordered:
        return ()
    spans = _join_on_line(ordered, tolerance_deg)
    start, end = spans[0]
    # The last spans may run through 360 degrees into the first ones.
    while len(spans) > 1 and spans[-1][1] + tolerance_deg >= start + FULL_CIRCLE_DEG:
        last = spans.pop()
        start, end = last[0] - FULL_CIRCLE_DEG, max(end, last[1] - FULL_CIRCLE_DEG)
        spans[0] = (start, end)
        while len(spans) > 1 and spans[1][0] <= end + tolerance_deg:
            end = max(end, spans.pop(1)[1])
            spans[0] = (start, end)
    if len(spans) == 1 and end - start + tolerance_deg >= FULL_CIRCLE_DEG:
        return (Arc(start, FULL_CIRCLE_DEG),)
    joined = (Arc(first, last - first) for first, last in spans)
    return tuple(sorted(joined, key=lambda arc: arc.start_deg))


def _join_on_line(ordered: Sequence[Arc], tolerance_deg: float) -> list[tuple[float, float]]:
    """Join arcs sorted by start as if the circle were cut open at 0."""
    spans: list[tuple[float, float]] = []
    for arc in ordered:
        end = arc.start_deg + arc.extent_deg
        if spans and arc.start_deg <= spans[-1][1] + tolerance_deg:
            spans[-1] = (spans[-1][0], max(spans[-1][1], end))
        else:
            spans.append((arc.start_deg, end))
    return spans


def sectors_mask(sectors: Iterable[Arc], angle_deg: FloatArray) -> NDArray[np.bool_]:
    """Return which angles (degrees, any shape) lie in any of the sectors."""
    angle = np.asarray(angle_deg)
    inside = np.zeros(angle.shape, dtype=np.bool_)
    for sector in sectors:
        inside |= sector.contains(angle)
    return inside


def arcs_of_mask(mask: NDArray[np.bool_]) -> tuple[Arc, ...]:
    """Return the arcs of consecutive true A-lines of a circular mask, shape ``(a_lines,)``."""
    count = mask.size
    if mask.all():
        return (Arc(0.0, FULL_CIRCLE_DEG),)
    step = FULL_CIRCLE_DEG / count
    starts = np.flatnonzero(mask & ~np.roll(mask, 1))
    ends = np.flatnonzero(mask & ~np.roll(mask, -1))
    arcs = []
    for start in starts:
        later = ends[ends >= start]
        end = later[0] if later.size else ends[0] + count
        arcs.append(Arc(start * step, (end - start + 1) * step))
    return tuple(arcs)
