"""The one way from a frame to the network's input, used by training and inference alike.

Gharaibeh et al. 2019, section 2.1: log transform, then a normalised Gaussian (standard deviation
2.5 pixels, 7 x 7 footprint) on a polar grid of 960 samples of 5.2 um by 480 A-lines of 0.75
degrees. Robust scaling to [0, 1] makes consoles with different gain and display range alike.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import correlate1d

from calcviewer.core.errors import CalcViewerError
from calcviewer.core.geometry import Grid, PolarGrid, resample
from calcviewer.core.pullback import Intensity, Pullback

MODEL_GRID = PolarGrid(a_lines=480, samples=960, sample_spacing_mm=0.0052)
_SIGMA_PX = 2.5
_REACH_PX = 3
# Sheath and its rings are brighter than any tissue and must not set the scale.
_CATHETER_ZONE_MM = 0.55
_BLACK_PERCENTILE = 10.0
_WHITE_PERCENTILE = 99.0
_SMALLEST_RANGE = 1e-3


def model_frame(pullback: Pullback, index: int) -> NDArray[np.float32]:
    """Return frame ``index`` (0-based) of a pullback as the network sees it.

    Returns
    -------
    float32 ``[480, 960]`` on `MODEL_GRID`, in [0, 1].

    Raises
    ------
    CalcViewerError
        When the frame cannot be read or holds values that are no numbers.
    """
    intensity = pullback.frames.intensity(index)
    if not np.isfinite(intensity).all():
        raise CalcViewerError(f"Frame {index + 1} holds values that are not numbers.")
    return preprocess(
        intensity,
        grid=pullback.grid,
        log=pullback.intensity is Intensity.LOG,
        field_radius_mm=pullback.field_radius_mm,
    )


def preprocess(
    intensity: NDArray[np.floating], *, grid: Grid, log: bool, field_radius_mm: float | None = None
) -> NDArray[np.float32]:
    """Bring one frame to the network's grid and scale.

    Parameters
    ----------
    intensity
        One value a pixel, shape ``grid.shape``.
    grid
        Where the pixels lie, in mm.
    log
        Whether the values are already logarithmic (Pixel Intensity Relationship LOG, and every
        console export).
    field_radius_mm
        Beyond this radius nothing was imaged; None: the grid's own reach.

    Returns
    -------
    float32 ``[480, 960]`` on `MODEL_GRID`, in [0, 1]; 0 where nothing was imaged.
    """
    polar = intensity if grid == MODEL_GRID else resample(intensity, grid, MODEL_GRID)
    values = np.asarray(polar, dtype=np.float32)
    if not log:
        values = _decibels(values)
    radii = MODEL_GRID.radii_mm()
    reach_mm = grid.end_radius_mm if isinstance(grid, PolarGrid) else np.inf
    inner_mm = grid.zero_radius_mm if isinstance(grid, PolarGrid) else 0.0
    field = (radii < min(field_radius_mm or np.inf, reach_mm)) & (radii > inner_mm)
    values = _smooth(np.where(field, values, _edge_values(values, field)))
    return _scale(values, field, field & (radii > _CATHETER_ZONE_MM))


def _decibels(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return ``10 log10`` of an intensity, with zeros lifted to its smallest positive value."""
    positive = values[values > 0]
    floor = float(positive.min()) if positive.size else 1.0
    return np.asarray(10 * np.log10(np.maximum(values, floor)), dtype=np.float32)


def _edge_values(values: NDArray[np.float32], field: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return, for every A-line, the last value inside the field, so that no edge is invented."""
    inside = np.flatnonzero(field)
    return values[:, inside[-1] : inside[-1] + 1] if inside.size else values[:, :1]


def _smooth(values: NDArray[np.float32]) -> NDArray[np.float32]:
    offsets = np.arange(-_REACH_PX, _REACH_PX + 1)
    weights = np.exp(-0.5 * (offsets / _SIGMA_PX) ** 2)
    weights /= weights.sum()
    along_theta = correlate1d(values, weights, axis=0, mode="wrap")
    return np.asarray(correlate1d(along_theta, weights, axis=1, mode="nearest"))


def _scale(
    values: NDArray[np.float32], field: NDArray[np.bool_], tissue: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Scale to [0, 1] between the noise floor and the brightest tissue of this frame."""
    reference = values[::3, tissue][:, ::2] if tissue.any() else values
    black, white = np.percentile(reference, [_BLACK_PERCENTILE, _WHITE_PERCENTILE])
    scaled = (values - black) / max(white - black, _SMALLEST_RANGE)
    np.clip(scaled, 0, 1, out=scaled)
    scaled[:, ~field] = 0
    return np.asarray(scaled, dtype=np.float32)
