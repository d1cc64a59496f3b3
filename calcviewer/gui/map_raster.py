"""The calcium map as arrays: the vessel unrolled about the lumen centre, and its colours."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from calcviewer.app.along_pullback import calcium_rays, shadow_rays
from calcviewer.modalities.ivoct.centroid_rays import RAYS
from calcviewer.modalities.ivoct.quantify import FrameMeasurement

TOP_MM = 1.0
"""Values from here on have the last colour."""
UNKNOWN_MM = 0.5
"""What calcium is coloured as while there is no scale."""
Rgb = NDArray[np.uint8]

_ANCHORS = (
    (0.0, (44, 62, 140)),
    (0.35, (33, 118, 145)),
    (0.6, (62, 170, 125)),
    (1.0, (222, 220, 72)),
)
"""Dark to light, told apart by lightness alone."""
_NO_CALCIUM = np.array((20, 25, 44), dtype=np.uint8)
_NOT_MEASURED = np.array((33, 38, 45), dtype=np.uint8)
_DOT = np.array((95, 103, 113), dtype=np.uint8)
_HATCH = np.array((154, 160, 166), dtype=np.uint8)
_HATCH_PX, _DOT_PX = 6, 5


class Quantity(Enum):
    """What the colours of the map mean."""

    THICKNESS = "thickness"
    DEPTH = "depth"


class MapRaster:
    """Thickness, depth and shadow by frame and ray, kept up to date frame by frame.

    Attributes
    ----------
    thickness_mm, depth_mm
        ``(frames, 360)``, NaN where no calcium is seen.
    shadow
        ``(frames, 360)``.
    measured
        ``(frames,)``.
    """

    def __init__(self, frame_count: int) -> None:
        self.thickness_mm = np.full((frame_count, RAYS), np.nan, dtype=np.float32)
        self.depth_mm = np.full((frame_count, RAYS), np.nan, dtype=np.float32)
        self.shadow = np.zeros((frame_count, RAYS), dtype=np.bool_)
        self.measured = np.zeros(frame_count, dtype=np.bool_)
        self._seen: list[FrameMeasurement | None] = [None] * frame_count
        self._colours: dict[Quantity, Rgb] = {}

    def update(self, frames: Sequence[FrameMeasurement | None]) -> list[int]:
        """Take over the frames whose measurement is another object; returns them."""
        seen = self._seen
        changed = [i for i, frame in enumerate(frames) if frame is not seen[i]]
        for index in changed:
            self._put(index, frames[index])
            for quantity, colours in self._colours.items():
                colours[index] = self._coloured(quantity, slice(index, index + 1))[0]
        self._seen = list(frames)
        return changed

    def values_mm(self, quantity: Quantity) -> NDArray[np.float32]:
        """Return the values of a quantity, ``(frames, 360)``."""
        return self.depth_mm if quantity is Quantity.DEPTH else self.thickness_mm

    def colours(self, quantity: Quantity) -> Rgb:
        """Return the colour of every frame and ray, ``(frames, 360, 3)``."""
        if quantity not in self._colours:
            self._colours[quantity] = self._coloured(quantity, slice(None))
        return self._colours[quantity]

    def _coloured(self, quantity: Quantity, part: slice) -> Rgb:
        values = self.values_mm(quantity)[part]
        found = np.isfinite(values)
        colours = np.empty((*values.shape, 3), dtype=np.uint8)
        colours[...] = _NO_CALCIUM
        colours[found] = map_colours(values[found], quantity)
        colours[~self.measured[part]] = _NOT_MEASURED
        return colours

    def _put(self, index: int, frame: FrameMeasurement | None) -> None:
        self.measured[index] = frame is not None
        self.thickness_mm[index] = self.depth_mm[index] = np.nan
        self.shadow[index] = False
        if frame is None:
            return
        if frame.shadow_arcs:
            self.shadow[index] = shadow_rays(frame)
        if frame.thickness_by_ray_mm is None or frame.depth_by_ray_mm is None:
            found = np.where(calcium_rays(frame), UNKNOWN_MM, np.nan)
            self.thickness_mm[index] = self.depth_mm[index] = found
        else:
            self.thickness_mm[index] = frame.thickness_by_ray_mm
            self.depth_mm[index] = frame.depth_by_ray_mm


def map_colours(values_mm: NDArray[np.floating], quantity: Quantity) -> Rgb:
    """Return the colour of every value, ``(..., 3)``: light is thick, or near the lumen."""
    part = np.clip(np.asarray(values_mm, dtype=np.float64) / TOP_MM, 0.0, 1.0)
    if quantity is Quantity.DEPTH:
        part = 1.0 - part
    at = [position for position, _ in _ANCHORS]
    channels = [np.interp(part, at, [rgb[c] for _, rgb in _ANCHORS]) for c in range(3)]
    return np.asarray(np.rint(np.stack(channels, axis=-1)), dtype=np.uint8)


def map_picture(
    raster: MapRaster, quantity: Quantity, *, columns: NDArray[np.intp], rows: int
) -> Rgb:
    """Return the map in screen pixels, angle 0 in the first row.

    Parameters
    ----------
    columns
        The frame of every column, ``(width,)``.
    rows
        Height in pixels.

    Returns
    -------
    RGB ``(rows, width, 3)``: shadows hatched, frames without a measurement grey and dotted.
    """
    colours = raster.colours(quantity)
    ray = np.minimum((np.arange(rows) + 0.5) * RAYS / rows, RAYS - 1).astype(np.intp)
    picture: Rgb = colours[columns[None, :], ray[:, None]]
    y, x = np.mgrid[:rows, : columns.size]
    hatched = raster.shadow[columns[None, :], ray[:, None]] & ((x + y) % _HATCH_PX == 0)
    picture[hatched] = _HATCH
    dotted = ~raster.measured[columns][None, :] & (x % _DOT_PX == 0) & (y % _DOT_PX == 0)
    picture[dotted] = _DOT
    return picture
