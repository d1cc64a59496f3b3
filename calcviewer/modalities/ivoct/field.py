"""Where the circular image field of a Cartesian frame lies, and telling it from a polar frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy import ndimage

Mask = NDArray[np.bool_]

_DARK = 0.03
"""Beyond the field a picture is darker than this part of its range."""
_LEAST_FILL = 0.80
_SKIRT_PX = 0.5
_SMALLEST_RADIUS = 0.2
"""Of the shorter side of the frame."""


@dataclass(frozen=True)
class Field:
    """A circular image field: centre ``(x, y)`` and radius in pixels."""

    centre_px: tuple[float, float]
    radius_px: float

    def mask(self, shape: tuple[int, int]) -> Mask:
        """Return the mask of the field's pixels in a frame of ``(rows, columns)``."""
        y_px, x_px = np.ogrid[: shape[0], : shape[1]]
        distance = np.hypot(x_px - self.centre_px[0], y_px - self.centre_px[1])
        return np.asarray(distance <= self.radius_px)


def find_field(frames: Sequence[NDArray[np.generic]]) -> Field | None:
    """Find the circular field of Cartesian frames; None when there is none.

    Parameters
    ----------
    frames
        Grey ``[row, column]`` or RGB ``[row, column, 3]`` frames of one shape, spread over the
        pullback so that what one guidewire hides another frame shows.
    """
    grey = _grey(frames[0])
    for frame in frames[1:]:
        grey = np.maximum(grey, _grey(frame))
    lit = _lit(grey)
    regions, count = ndimage.label(lit)
    if not count:
        return None
    largest = 1 + int(np.argmax(np.bincount(regions.ravel())[1:]))
    rim = _rim(regions == largest)
    circle = _circle_of(rim, grey.shape) if rim is not None else None
    return _trimmed(circle, grey) if circle is not None else None


def whole_field(rows: int, columns: int) -> Field:
    """Return the circle inscribed in a frame, for frames whose field cannot be seen."""
    return Field(((columns - 1) / 2, (rows - 1) / 2), min(rows, columns) / 2)


def _grey(frame: NDArray[np.generic]) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):  # float64 may hold what float32 cannot
        values = np.nan_to_num(frame.astype(np.float32), posinf=0.0, neginf=0.0)
    return values if values.ndim == 2 else values.max(axis=-1)


def _lit(brightest: NDArray[np.float32]) -> Mask:
    """Return the mask of what is brighter than the surround, noise and fine text removed."""
    smooth = ndimage.uniform_filter(brightest, 5)
    lowest = float(brightest.min())
    limit = lowest + _DARK * max(float(np.percentile(brightest, 99)) - lowest, 1.0)
    return np.asarray(ndimage.binary_opening(smooth > limit, iterations=3))


def _rim(region: Mask) -> NDArray[np.float64] | None:
    """Return the points of a region's convex rim, ``(N, 2)`` as ``(x, y)``."""
    columns = np.flatnonzero(region.any(axis=0))
    first = region.argmax(axis=0)[columns]
    last = region.shape[0] - 1 - region[::-1].argmax(axis=0)[columns]
    points = np.concatenate([np.stack([columns, first], 1), np.stack([columns, last], 1)])
    hull = shapely.MultiPoint(points.astype(float)).convex_hull
    if not isinstance(hull, shapely.Polygon) or hull.area < 100:
        return None
    # Evenly spaced points: the hull has few where the picture is cut straight.
    at = np.linspace(0, 1, 720, endpoint=False)
    points = shapely.line_interpolate_point(hull.exterior, at, normalized=True)
    return np.asarray(shapely.get_coordinates(points))


def _trimmed(circle: Field, grey: NDArray[np.float32]) -> Field:
    """Return the circle drawn in to where the picture has half its brightness.

    Compression and smoothing leave a dim skirt, which would look like the end of the tissue.
    """
    y_px, x_px = np.ogrid[: grey.shape[0], : grey.shape[1]]
    distance = np.hypot(x_px - circle.centre_px[0], y_px - circle.centre_px[1])
    inmost = 0.9 * circle.radius_px
    ring = (distance > inmost) & (distance < circle.radius_px + 2)
    bins = (distance[ring] - inmost).astype(int)
    profile = np.bincount(bins, grey[ring]) / np.maximum(np.bincount(bins), 1)
    bright = np.flatnonzero(profile > profile[: len(profile) // 2].mean() / 2)
    if not bright.size:
        return circle
    radius = min(inmost + bright[-1] + 0.5, circle.radius_px) - _SKIRT_PX
    return Field(circle.centre_px, float(radius))


def _circle_of(rim: NDArray[np.float64], shape: tuple[int, ...]) -> Field | None:
    """Fit a circle to a rim parts of which may be cut off or spoiled by drawings."""
    kept = np.ones(len(rim), dtype=np.bool_)
    centre, radius = rim.mean(axis=0), 1.0
    for _ in range(12):
        design = np.column_stack([2 * rim[kept], np.ones(int(kept.sum()))])
        solution, *_ = np.linalg.lstsq(design, (rim[kept] ** 2).sum(axis=1), rcond=None)
        centre = solution[:2]
        radius = float(np.sqrt(max(solution[2] + (centre**2).sum(), 0.0)))
        misfit = np.abs(np.hypot(*(rim - centre).T) - radius)
        kept = misfit < max(1.5, 1.5 * float(np.median(misfit)))
    agreeing = float((misfit < max(2.0, 0.01 * radius)).mean())
    corners = np.array([[0, 0], [0, shape[0]], [shape[1], 0], [shape[1], shape[0]]])
    reaches_corner = np.hypot(*(corners - centre).T).min() < 0.98 * radius
    if agreeing < _LEAST_FILL * 0.7 or radius < _SMALLEST_RADIUS * min(shape) or reaches_corner:
        return None
    return Field((float(centre[0]), float(centre[1])), radius)
