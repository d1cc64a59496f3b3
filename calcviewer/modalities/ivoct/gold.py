"""The gold look-up table, its inversion, and what consoles draw over the picture.

A console's export shows log intensity through a gold table and draws on top: a cut line with dots,
arcs around the sheath, text. Pixels of the picture lie on one curve in colour space, the *ramp*;
drawings do not. The position on the ramp is the intensity; drawn pixels are replaced by the tissue
beside them before inference, and stay as they are on screen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from calcviewer.modalities.ivoct.vendor_rules import GOLD_ANCHORS

FloatArray = NDArray[np.float32]
Mask = NDArray[np.bool_]
Rgb = NDArray[np.uint8]

TABLE_SIZE = 256
_LUMINANCE = np.array([0.299, 0.587, 0.114])
_STEPS_PER_LEVEL = 4
_LEVELS = 255 * _STEPS_PER_LEVEL + 1
# Length in RGB of our own table. Its arc length equals the table index within 3 %, so the arc
# length of a ramp whose index is unknown is taken for the index.
_GOLD_LENGTH = 452.0
_BIN_WIDTH = 6
_ON_TABLE = 5.0
"""Median chroma distance up to which a picture counts as drawn with a known table."""
_SEEN_AT_ONCE = 40.0
"""Chroma distance that hardly any tissue pixel of a single frame reaches."""
_SEED, _GROWN, _SMALLEST_PX = 15.0, 7.5, 20
"""Chroma distance where a drawing begins, where it ends, and its least size."""
_REACH_PX = 3
"""How far compression smears a drawing."""
_LARGEST_PART = 0.05
"""More of a frame than this is never drawn over."""
_LINE_LENGTH_PX = 30
_BRIDGED_PART = 0.6
"""Of a line that was seen; the rest is closed."""
_FEW_FRAMES = 5
_RAMP_PIXELS = 100_000
_STRAY_PART = 4e-4
"""This part of the field far off the ramp, outside the known drawings, is a drawing that moved."""


def gold_table() -> Rgb:
    """Return the gold look-up table, uint8, shape ``(256, 3)``."""
    at = np.array([position for position, _ in GOLD_ANCHORS]) * (TABLE_SIZE - 1)
    colours = np.array([colour for _, colour in GOLD_ANCHORS], dtype=float)
    index = np.arange(TABLE_SIZE)
    channels = [np.interp(index, at, colours[:, channel]) for channel in range(3)]
    return np.asarray(np.rint(np.stack(channels, axis=1)), dtype=np.uint8)


def grey_table() -> Rgb:
    """Return the identity look-up table, uint8, shape ``(256, 3)``."""
    return np.repeat(np.arange(TABLE_SIZE, dtype=np.uint8)[:, None], 3, axis=1)


@dataclass(frozen=True, eq=False)
class Ramp:
    """A curve in colour space that grows in luminance, tabulated in quarter levels of luminance.

    Parameters
    ----------
    position
        Position on the ramp, 0 to about 255, shape ``(1021,)``.
    blue, red
        B - Y and R - Y of the ramp, each ``(1021,)``.
    name
        ``"gold"``, ``"grey"`` or ``"measured"``.
    """

    position: FloatArray
    blue: FloatArray
    red: FloatArray
    name: str

    def positions(self, rgb: Rgb) -> FloatArray:
        """Return the position on the ramp of every pixel, float32, shape ``rgb.shape[:-1]``.

        The nearest colour of the ramp is sought along luminance, which every compression keeps
        best; colours off the ramp get the position of their luminance.
        """
        return self.position[_level(rgb)]

    def distance(self, rgb: Rgb) -> tuple[FloatArray, FloatArray]:
        """Return how far every pixel lies off the ramp, in B - Y and in R - Y."""
        level = _level(rgb)
        luminance = level.astype(np.float32) / np.float32(_STEPS_PER_LEVEL)
        blue: FloatArray = rgb[..., 2] - luminance - self.blue[level]
        red: FloatArray = rgb[..., 0] - luminance - self.red[level]
        return blue, red


def ramp_of_table(colours: Rgb, name: str) -> Ramp:
    """Return the ramp of a table ``(N, 3)`` whose index is the position; N up to 256."""
    table = colours.astype(float)
    luminance = np.maximum.accumulate(table @ _LUMINANCE)
    return _ramp(luminance, table, np.linspace(0, 255, len(table)), name)


def measure_ramp(pixels: Rgb) -> Ramp:
    """Find the ramp that the pixels of a picture lie on.

    Parameters
    ----------
    pixels
        Pixels of the image field, uint8, shape ``(N, 3)``; a few per cent may be drawings.

    Returns
    -------
    The gold or the grey ramp when the pixels lie on it, else the median colour at every luminance
    with its arc length as the position.
    """
    return _known_ramp(pixels) or _median_ramp(pixels)


def _known_ramp(pixels: Rgb) -> Ramp | None:
    """Return the gold or the grey ramp when the pixels lie on it."""
    known = (ramp_of_table(gold_table(), "gold"), ramp_of_table(grey_table(), "grey"))
    # Dark pixels lie on every ramp.
    lit = pixels[_level(pixels) > 24 * _STEPS_PER_LEVEL]
    lit = lit if len(lit) else pixels
    near = (ramp for ramp in known if np.median(np.hypot(*ramp.distance(lit))) < _ON_TABLE)
    return next(near, None)


def _level(rgb: Rgb) -> NDArray[np.intp]:
    """Return the luminance of every pixel in quarter levels, 0 to 1020."""
    wide = rgb.astype(np.int32)
    # Fixed-point luminance: four times faster than floating point.
    total = 4899 * wide[..., 0] + 9617 * wide[..., 1] + 1868 * wide[..., 2]
    return (total + 2048 >> 12).astype(np.intp)


def _ramp(
    luminance: NDArray[np.float64],
    colours: NDArray[np.float64],
    position: NDArray[np.float64],
    name: str,
) -> Ramp:
    level = np.arange(_LEVELS) / _STEPS_PER_LEVEL
    red, _, blue = (np.interp(level, luminance, colours[:, channel]) for channel in range(3))
    # Beyond its brightest colour the ramp goes on in the chroma it ended with.
    own = np.clip(level, luminance[0], luminance[-1])
    return Ramp(
        position=np.interp(level, luminance, position).astype(np.float32),
        blue=(blue - own).astype(np.float32),
        red=(red - own).astype(np.float32),
        name=name,
    )


def _median_ramp(pixels: Rgb) -> Ramp:
    """Return the median colour at every luminance as a ramp."""
    luminance = pixels.astype(float) @ _LUMINANCE
    bins = (luminance / _BIN_WIDTH).astype(int)
    knots: list[tuple[float, NDArray[np.float64]]] = [(0.0, np.zeros(3))]
    for index in range(int(255 / _BIN_WIDTH) + 1):
        inside = pixels[bins == index].astype(float)
        if len(inside) < max(20, 5e-4 * len(pixels)):
            continue
        quarter, middle, three_quarters = np.percentile(inside, [25, 50, 75], axis=0)
        bright = float(middle @ _LUMINANCE)
        # Colours of drawings mixed with those of tissue, or of drawings alone, far from the ramp.
        mixed = (three_quarters - quarter)[[0, 2]].max() > 6 * _BIN_WIDTH
        step = np.abs((middle - bright) - (knots[-1][1] - knots[-1][0]))[[0, 2]].max()
        if mixed or step > 4 * (bright - knots[-1][0]) + 12:
            continue
        knots.append((bright, middle))
    if len(knots) < 3:
        return ramp_of_table(gold_table(), "gold")
    level = np.array([knot[0] for knot in knots])
    colours = np.stack([knot[1] for knot in knots])
    colours[2:-1] = (colours[1:-2] + colours[2:-1] + colours[3:]) / 3
    level[2:-1] = (level[1:-2] + level[2:-1] + level[3:]) / 3
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(colours, axis=0), axis=1))])
    level, colours, length = _extended(level, colours, length)
    return _ramp(level, colours, length * 255 / _GOLD_LENGTH, "measured")


def _extended(
    level: NDArray[np.float64], colours: NDArray[np.float64], length: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Carry a ramp on, beyond the brightest colour seen often enough, in its last direction."""
    back = min(4, len(level) - 1)
    rise = max(level[-1] - level[-1 - back], 1.0)
    step = (colours[-1] - colours[-1 - back]) / rise
    more = np.arange(1, 13) * (255 - level[-1]) / 12
    if more[-1] <= 0:
        return level, colours, length
    beyond = np.clip(colours[-1] + more[:, None] * step, 0, 255)
    pace = (length[-1] - length[-1 - back]) / rise
    return (
        np.concatenate([level, level[-1] + more]),
        np.concatenate([colours, beyond]),
        np.concatenate([length, length[-1] + more * pace]),
    )


def static_drawings(frames: Sequence[Rgb], ramp: Ramp) -> Mask:
    """Return the mask of what is drawn at the same place in several frames.

    Parameters
    ----------
    frames
        RGB frames spread over the pullback. With fewer than five, each is searched by itself.
    """
    if len(frames) < _FEW_FRAMES:
        return np.asarray(np.any([frame_drawings(frame, ramp) for frame in frames], axis=0))
    distances = [np.stack(ramp.distance(frame)) for frame in frames]
    blue, red = np.mean(distances, axis=0)
    mean = np.hypot(blue, red)
    # The median is dear: it is taken only where the mean is off the ramp, too.
    candidate = mean > _GROWN / 2
    steady = np.median([pair[:, candidate] for pair in distances], axis=0)
    distance = np.zeros_like(mean)
    distance[candidate] = np.hypot(*steady)
    return _grown(distance)


def frame_drawings(rgb: Rgb, ramp: Ramp) -> Mask:
    """Return the mask of what is drawn in one frame, found in that frame alone."""
    blue, red = ramp.distance(rgb)
    smooth = np.hypot(ndimage.gaussian_filter(blue, 1.1), ndimage.gaussian_filter(red, 1.1))
    mask = _grown(smooth)
    for harder in (1.4, 2.0, 2.8):
        if mask.mean() < _LARGEST_PART:
            break
        # Strong compression throws tissue off the ramp, too.
        mask = _grown(smooth / harder)
    return mask | _bridged(mask)


def _bridged(mask: Mask) -> Mask:
    """Return the straight bands that close the gaps of lines where the ramp comes near them."""
    bands = np.zeros_like(mask)
    regions, _ = ndimage.label(mask, np.ones((3, 3)))
    rows, columns = np.nonzero(mask)
    drawn = np.stack([columns, rows], axis=1).astype(float)
    for index, box in enumerate(ndimage.find_objects(regions), start=1):
        y_px, x_px = np.nonzero(regions[box] == index)
        points = np.stack([x_px + box[1].start, y_px + box[0].start], axis=1).astype(float)
        centre = points.mean(axis=0)
        spread, axes = np.linalg.eigh(np.cov((points - centre).T))
        if spread[1] < _LINE_LENGTH_PX**2 / 12 or spread[1] < 25 * spread[0]:
            continue  # no line
        along, across = axes[:, 1], axes[:, 0]
        on_line = np.abs((drawn - centre) @ across) < _REACH_PX
        place = np.unique(((drawn[on_line] - centre) @ along).round())
        if len(place) < _BRIDGED_PART * (place[-1] - place[0] + 1):
            continue
        step = np.arange(place[0], place[-1] + 1)
        x, y = (centre[:, None] + along[:, None] * step).round().astype(int)
        bands[np.clip(y, 0, mask.shape[0] - 1), np.clip(x, 0, mask.shape[1] - 1)] = True
    return np.asarray(ndimage.binary_dilation(bands, _disc(_REACH_PX)))


def _grown(distance: FloatArray) -> Mask:
    """Return the regions off the ramp that hold a pixel far off it."""
    regions, count = ndimage.label(distance > _GROWN, np.ones((3, 3)))
    if not count:
        return np.zeros(distance.shape, dtype=np.bool_)
    flat = regions.ravel()
    size = np.bincount(flat, minlength=count + 1)
    seeds = np.bincount(flat[distance.ravel() > _SEED], minlength=count + 1)
    kept = (seeds >= _SMALLEST_PX / 4) & (size >= _SMALLEST_PX)
    kept[0] = False
    return _closed(kept[regions])


def _closed(mask: Mask) -> Mask:
    """Widen a mask by the reach of compression and fill what it encloses narrowly, such as dots."""
    cores = ndimage.binary_closing(mask, _disc(4)) | mask
    return np.asarray(ndimage.binary_dilation(cores, _disc(_REACH_PX)))


def _disc(radius: int) -> Mask:
    y, x = np.ogrid[-radius : radius + 1, -radius : radius + 1]
    return np.asarray(x * x + y * y <= radius * radius + 0.5)


@dataclass(frozen=True, eq=False)
class Patch:
    """Where the masked pixels of a frame take their values from.

    ``target`` and ``source`` are flat indices of equal length.
    """

    target: NDArray[np.intp]
    source: NDArray[np.intp]

    def apply(self, values: FloatArray) -> FloatArray:
        """Fill the masked pixels of a frame in place and return it."""
        flat = values.reshape(-1)
        flat[self.target] = flat[self.source]
        return values


def patch(mask: Mask) -> Patch:
    """Plan the in-painting of a mask: every pixel mirrors the tissue across the mask's border.

    Mirroring keeps the speckle's contrast and grain, which averaging would not.
    """
    rows, columns = np.nonzero(mask)
    if not rows.size or mask.all():
        return Patch(np.zeros(0, dtype=np.intp), np.zeros(0, dtype=np.intp))
    margin = 16
    top, left = max(rows.min() - margin, 0), max(columns.min() - margin, 0)
    cut = mask[top : rows.max() + margin + 1, left : columns.max() + margin + 1]
    nearest = ndimage.distance_transform_edt(cut, return_distances=False, return_indices=True)
    here = np.stack([rows - top, columns - left])
    border = nearest[:, here[0], here[1]]
    mirrored = np.clip(2 * border - here, 0, np.array(cut.shape)[:, None] - 1)
    chosen = np.where(cut[mirrored[0], mirrored[1]], border, mirrored)
    width = mask.shape[1]
    return Patch(
        target=(rows * width + columns).astype(np.intp),
        source=((chosen[0] + top) * width + chosen[1] + left).astype(np.intp),
    )


@dataclass(frozen=True, eq=False)
class Inverter:
    """Turns the colour frames of one pullback into intensity.

    Parameters
    ----------
    field
        Mask of the image field; beyond it the intensity is 0.
    drawings
        What is drawn at one place throughout.
    """

    ramp: Ramp
    field: Mask
    drawings: Mask
    fill: Patch

    def intensity(self, rgb: Rgb) -> FloatArray:
        """Return the ramp positions of a frame, drawings in-painted, float32 ``[row, column]``."""
        values = self.ramp.positions(rgb)
        blue, red = self.ramp.distance(rgb)
        stray = (blue * blue + red * red > _SEEN_AT_ONCE**2) & self.field & ~self.drawings
        if np.count_nonzero(stray) > _STRAY_PART * np.count_nonzero(self.field):
            own = self.drawings | frame_drawings(rgb, self.ramp) | ndimage.binary_dilation(stray)
            patch(own).apply(values)
        else:
            self.fill.apply(values)
        values[~self.field] = 0
        return values


def inverter(frames: Sequence[Rgb], field: Mask) -> Inverter:
    """Learn the ramp and the drawings of a pullback from some of its frames."""
    pixels = np.concatenate([frame[field] for frame in frames])
    pixels = pixels[:: max(1, len(pixels) // _RAMP_PIXELS)]
    ramp = measure_ramp(pixels)
    drawings = static_drawings(frames, ramp)
    return Inverter(ramp, field, drawings, patch(drawings))


def is_one_ramp(palette: Rgb) -> bool:
    """Whether a palette ``(256, 3)`` is one unbroken ramp, which leaves no colour to draw with."""
    rise = np.diff(palette.astype(float) @ _LUMINANCE)
    return bool(rise.min() > -1.5 and rise.max() < 12)


def invert_palette(palette: Rgb, ramp_indices: tuple[int, int]) -> tuple[FloatArray, Mask, str]:
    """Return the intensity of every index of a palette, and which indices are drawing colours.

    Parameters
    ----------
    palette
        Colours, uint8, shape ``(256, 3)``.
    ramp_indices
        First and last index of the ramp; the others are for drawing.

    Returns
    -------
    Intensity float32 ``(256,)``, drawing colours bool ``(256,)``, and the ramp's name: ``"gold"``,
    ``"grey"`` or ``"own"``.
    """
    first, last = ramp_indices
    members = np.zeros(TABLE_SIZE, dtype=np.bool_)
    members[first : last + 1] = True
    ramp = _known_ramp(palette[members])
    drawing = ~members & (palette.astype(float) @ _LUMINANCE > 4)
    if ramp is None:
        # A table is exact: its colours need no medians, only their order.
        order = np.argsort(palette[members].astype(float) @ _LUMINANCE, kind="stable")
        colours = palette[members][order].astype(float)
        length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(colours, axis=0), axis=1))])
        values = np.zeros(TABLE_SIZE)
        values[np.flatnonzero(members)[order]] = length * 255 / max(length[-1], 1.0)
        return values.astype(np.float32), drawing, "own"
    return ramp.positions(palette), drawing, ramp.name
