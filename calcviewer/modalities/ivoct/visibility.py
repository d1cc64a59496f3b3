"""Where the back border of calcium cannot be seen, so that its thickness is only a lower limit.

A back border is visible by the tissue behind it. Where nothing but noise follows, calcium or the
tissue before it has used up the light; where the image ends, nothing can follow.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_closing, binary_opening, uniform_filter1d

from calcviewer.core.geometry import Arc, arcs_of_mask
from calcviewer.modalities.ivoct.preprocess import MODEL_GRID

BoolLines = NDArray[np.bool_]
FloatLines = NDArray[np.float64]

# Where behind the back border tissue is looked for. The start leaves room for a border that is
# some samples off.
_BEHIND_MM = (0.05, 0.25)
_FIELD_EDGE_MM = 0.05
# Noise floor: the dark end of box means in the image beyond the catheter. Every frame has that
# much lumen, shadow or depth without signal.
_CATHETER_ZONE_MM = 0.6
_FLOOR_PERCENTILE = 10.0
# About 4 dB on the display range of a console, a factor of 2.5 in power above the noise.
_VISIBLE_ABOVE_FLOOR = 0.12
_SMOOTHING_DEG = 5.0
_SLIVER_DEG = 2.0


def hidden_back_sectors(
    image: NDArray[np.float32], calcium: NDArray[np.bool_], *, field_radius_mm: float
) -> tuple[Arc, ...]:
    """Find the angular sectors in which the back border of calcium cannot be seen.

    On an A-line with several deposits the deepest counts.

    Parameters
    ----------
    image
        Preprocessed frame on `MODEL_GRID`, ``[480, 960]``, in [0, 1].
    calcium
        Where calcium is, ``[480, 960]``.
    field_radius_mm
        Beyond this radius nothing was imaged.

    Returns
    -------
    Disjoint sectors about the catheter; all of their A-lines cross calcium, but for gaps below
    2 degrees. Sectors below 2 degrees are left out.

    Raises
    ------
    ValueError
        When an array is not on `MODEL_GRID`.
    """
    if image.shape != MODEL_GRID.shape or calcium.shape != MODEL_GRID.shape:
        raise ValueError(
            f"image and calcium must have shape {MODEL_GRID.shape}, "
            f"got {image.shape} and {calcium.shape}"
        )
    spacing = MODEL_GRID.sample_spacing_mm
    field_end = min(round(field_radius_mm / spacing), MODEL_GRID.samples)
    crossed = np.asarray(calcium[:, :field_end].any(axis=1))
    if not crossed.any():
        return ()
    back = field_end - np.argmax(calcium[:, :field_end][:, ::-1], axis=1)
    total = np.pad(np.cumsum(image[:, :field_end], axis=1, dtype=np.float64), ((0, 0), (1, 0)))
    signal = _smoothed(_signal_behind(total, back), crossed)
    hidden = crossed & (signal < _noise_floor(total) + _VISIBLE_ABOVE_FLOOR)
    hidden |= crossed & (back >= field_end - round(_FIELD_EDGE_MM / spacing))
    hidden = _without_slivers(hidden)
    return arcs_of_mask(hidden) if hidden.any() else ()


def _signal_behind(total: FloatLines, back: NDArray[np.intp]) -> FloatLines:
    """Return the mean signal right behind the back border of every A-line."""
    spacing = MODEL_GRID.sample_spacing_mm
    field_end = total.shape[1] - 1
    start = np.minimum(back + round(_BEHIND_MM[0] / spacing), field_end - 1)
    end = np.minimum(back + round(_BEHIND_MM[1] / spacing), field_end)
    lines = np.arange(total.shape[0])
    return np.asarray((total[lines, end] - total[lines, start]) / (end - start))


def _noise_floor(total: FloatLines) -> float:
    """Estimate the level of the image where there is no signal."""
    spacing = MODEL_GRID.sample_spacing_mm
    box = round((_BEHIND_MM[1] - _BEHIND_MM[0]) / spacing)
    edges = total[:, min(round(_CATHETER_ZONE_MM / spacing), total.shape[1] - 1 - box) :: box]
    return float(np.percentile(np.diff(edges, axis=1) / box, _FLOOR_PERCENTILE))


def _smoothed(signal: FloatLines, crossed: BoolLines) -> FloatLines:
    """Average over neighbouring A-lines that cross calcium."""
    size = 1 + 2 * round(_SMOOTHING_DEG / MODEL_GRID.a_line_deg / 2)
    weight = uniform_filter1d(crossed.astype(np.float64), size, mode="wrap")
    value = uniform_filter1d(np.where(crossed, signal, 0.0), size, mode="wrap")
    return np.asarray(np.divide(value, weight, out=signal.copy(), where=crossed))


def _without_slivers(hidden: BoolLines) -> BoolLines:
    """Close gaps, then drop sectors, below the smallest width; on the circle."""
    size = round(_SLIVER_DEG / MODEL_GRID.a_line_deg)
    padded = np.pad(hidden, 2 * size, mode="wrap")
    closed = binary_closing(padded, np.ones(size))
    return np.asarray(binary_opening(closed, np.ones(size))[2 * size : -2 * size])
