"""Finds the imaging catheter's sheath: its centre and outer radius, hence mm per pixel.

The sheath stands still in the picture while the vessel moves past, so the median of frames spread
over the pullback shows its rings without tissue. Its outer wall is the outermost ring behind which
the picture turns dark (the flushed lumen).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from calcviewer.core.errors import CalcViewerError
from calcviewer.core.pullback import CartesianLayout, Layout, PolarLayout

FloatArray = NDArray[np.floating]

SHEATH_DIAMETER_MM = 0.90
"""Outer diameter of the common 2.7 F imaging catheter."""

_ANGLES = 240
_REACH = 0.40
"""The sheath is sought within this part of the field radius."""
_INNERMOST = 0.03
_RELATIVE_EDGE = 0.35
_DARKER = 0.6
_LEAST_STEP = 0.06
"""Of the display range: noise makes smaller steps."""
_DISPLAY_DECADES = 1.5
"""Powers of ten that the display range stands for: 30 to 40 dB of intensity, half in amplitude."""
_SMALLEST_PX = 8
"""In a frame of fewer pixels there are no rings."""
_LEAST_SUPPORT = 0.4
_LARGEST_MISFIT = 0.04


@dataclass(frozen=True)
class Sheath:
    """The outer circle of the catheter's sheath.

    Parameters
    ----------
    centre_px
        ``(x, y)``: in a Cartesian frame the position, in a polar one the offset from the axis of
        rotation, in samples.
    outer_radius_px
        Outer radius in pixels; in a polar frame in samples from the start of sample 0.
    confidence
        Share of the circumference on which the border was seen where the circle is, 0 to 1.
    """

    centre_px: tuple[float, float]
    outer_radius_px: float
    confidence: float


def find_sheath(frames: Sequence[FloatArray], layout: Layout) -> Sheath:
    """Find the sheath in frames spread over a pullback; about 15 are enough, one may do.

    Parameters
    ----------
    frames
        Log intensity, each of the shape that ``layout`` says.
    layout
        Polar, or Cartesian with the field's centre and radius.

    Raises
    ------
    CalcViewerError
        When no ring is found that the dark lumen surrounds.
    """
    if min(frames[0].shape) < _SMALLEST_PX:
        raise _not_found()
    if isinstance(layout, PolarLayout):
        return _find_polar(frames, layout)
    return _find_cartesian(frames, layout)


def _find_polar(frames: Sequence[FloatArray], layout: PolarLayout) -> Sheath:
    reach = max(16, int(_REACH * layout.samples))
    unrolled = np.median(np.stack([frame[:, :reach] for frame in frames]), axis=0)
    # Speckle is averaged over neighbouring A-lines.
    lines = max(1, layout.a_lines // _ANGLES)
    smooth = ndimage.uniform_filter1d(unrolled, lines, axis=0, mode="wrap")[::lines]
    angle = 2 * np.pi * (np.arange(len(smooth)) * lines + 0.5) / layout.a_lines
    scale = layout.samples / 500
    radius = _outer_edge(smooth, scale)
    centre, outer, support = _fit(smooth, angle, radius, scale=scale)
    return Sheath(centre, _wall(_aligned(smooth, angle, centre), outer), support)


def _find_cartesian(frames: Sequence[FloatArray], layout: CartesianLayout) -> Sheath:
    reach = max(16, int(_REACH * layout.field_radius_px))
    left, top = (round(value) - reach - 8 for value in layout.centre_px)
    size = 2 * reach + 17
    rows = slice(max(top, 0), top + size)
    columns = slice(max(left, 0), left + size)
    image = np.median(np.stack([frame[rows, columns] for frame in frames]), axis=0)
    origin = np.array([columns.start, rows.start], dtype=float)
    centre = np.asarray(layout.centre_px, dtype=float)
    angle = 2 * np.pi * (np.arange(_ANGLES) + 0.5) / _ANGLES
    scale = layout.field_radius_px / 350
    outer, support = 0.0, 0.0
    for _ in range(3):
        unrolled = _unroll(image, centre - origin, angle, reach)
        outer = _outer_edge(unrolled, scale)
        shift, outer, support = _fit(unrolled, angle, outer, scale=scale)
        centre = centre + shift
        if np.hypot(*shift) < 0.02:
            break
    outer = _wall(_unroll(image, centre - origin, angle, reach), outer)
    return Sheath((float(centre[0]), float(centre[1])), outer, support)


def _unroll(image: FloatArray, centre_px: FloatArray, angle: FloatArray, reach: int) -> FloatArray:
    """Return the image about a centre as ``[angle, radius]``, sample j at radius j + 0.5."""
    radius = np.arange(reach) + 0.5
    x_px = centre_px[0] + radius * np.cos(angle)[:, None]
    y_px = centre_px[1] + radius * np.sin(angle)[:, None]
    values: FloatArray = ndimage.map_coordinates(image, [y_px, x_px], order=1, mode="nearest")
    return values


def _outer_edge(unrolled: FloatArray, scale: float) -> float:
    """Return the radius of the outermost falling edge with a dark ring behind it, px."""
    profile = ndimage.gaussian_filter1d(np.median(unrolled, axis=0), 1.2 * scale)
    fall = -np.gradient(profile)
    first = int(_INNERMOST / _REACH * len(profile))
    peaks = np.flatnonzero((fall[1:-1] >= fall[:-2]) & (fall[1:-1] > fall[2:])) + 1
    # Behind the sheath lies flushed lumen: as dark as anything within reach.
    floor = np.percentile(profile[first:], 5)
    least = _LEAST_STEP * float(np.subtract(*np.percentile(unrolled, [99.8, 5])))
    near, far = max(2, round(2 * scale)), max(6, round(9 * scale))
    found = []
    for peak in peaks[(peaks >= first + far) & (peaks < len(profile) - far)]:
        before = profile[peak - far : peak - near].mean() - floor
        behind = profile[peak + near : peak + far].mean() - floor
        if behind < _DARKER * before and before - behind > least:
            found.append((before - behind, peak))
    if not found:
        raise _not_found()
    strongest = max(step for step, _ in found)
    outermost = max(peak for step, peak in found if step >= _RELATIVE_EDGE * strongest)
    return float(outermost) + 0.5


def _fit(
    unrolled: FloatArray, angle: FloatArray, radius: float, *, scale: float
) -> tuple[tuple[float, float], float, float]:
    """Fit a circle to the falling edge near a radius.

    Returns
    -------
    Centre ``(x, y)`` about the origin, radius, and share of angles that support it.
    """
    smooth = ndimage.gaussian_filter(unrolled, (1.0, 1.0 * scale), mode=("wrap", "nearest"))
    fall = -np.gradient(smooth, axis=1)
    half = max(4, round(0.12 * radius))
    first = max(1, int(radius) - half)
    window = fall[:, first : int(radius) + half + 1]
    best = np.clip(window.argmax(axis=1), 1, window.shape[1] - 2)
    line = np.arange(len(window))
    left, middle, right = (window[line, best + step] for step in (-1, 0, 1))
    bend = left - 2 * middle + right
    part = np.divide(left - right, 2 * bend, out=np.zeros_like(bend), where=bend < 0)
    edge = first + best + 0.5 + np.clip(part, -0.5, 0.5)
    strong = middle > 0.35 * np.median(middle)
    points = edge[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    kept = strong & (middle > 0)
    for _ in range(6):
        if kept.sum() < 12:
            raise _not_found()
        centre, outer = _circle(points[kept])
        misfit = np.abs(np.hypot(*(points - centre).T) - outer)
        limit = max(0.6 * scale, 2.5 * float(np.median(misfit[kept])))
        kept = strong & (misfit < limit)
    spread = float(np.sqrt(np.mean(misfit[kept] ** 2)))
    support = float(kept.mean())
    if support < _LEAST_SUPPORT or spread > max(_LARGEST_MISFIT * outer, 0.8 * scale):
        raise _not_found()
    return (float(centre[0]), float(centre[1])), outer, support


def _aligned(unrolled: FloatArray, angle: FloatArray, centre_px: tuple[float, float]) -> FloatArray:
    """Shift every line of ``[angle, radius]`` so that a circle about ``centre_px`` is straight."""
    shift = centre_px[0] * np.cos(angle) + centre_px[1] * np.sin(angle)
    line, sample = np.indices(unrolled.shape, dtype=float)
    values: FloatArray = ndimage.map_coordinates(
        unrolled, [line, sample + shift[:, None]], order=1, mode="nearest"
    )
    return values


def _wall(unrolled: FloatArray, radius: float) -> float:
    """Return the radius of the wall, near the radius at which its log intensity falls fastest.

    A log display stretches the tail that the axial resolution gives to a bright wall, which makes
    the sheath look up to 5 % wider. Where the intensity itself falls fastest, the wall ends.
    """
    low, high = np.percentile(unrolled, [5, 99.8])
    shown = np.median(np.clip((unrolled - low) / max(high - low, 1e-6), 0, 1), axis=0)
    power = ndimage.gaussian_filter1d(10 ** (_DISPLAY_DECADES * shown), 1.0)
    fall = -np.gradient(power)
    half = max(4, round(0.1 * radius))
    first = max(1, int(radius) - half)
    best = first + int(np.argmax(fall[first : min(int(radius) + half + 1, len(fall) - 1)]))
    left, middle, right = fall[best - 1 : best + 2]
    bend = left - 2 * middle + right
    part = (left - right) / (2 * bend) if bend < 0 else 0.0
    return float(best + 0.5 + np.clip(part, -0.5, 0.5))


def _circle(points: FloatArray) -> tuple[NDArray[np.float64], float]:
    """Return centre and radius of the circle through points by linear least squares."""
    design = np.column_stack([2 * points, np.ones(len(points))])
    solution, *_ = np.linalg.lstsq(design, (points**2).sum(axis=1), rcond=None)
    centre = solution[:2]
    return centre, float(np.sqrt(max(solution[2] + (centre**2).sum(), 0.0)))


def _not_found() -> CalcViewerError:
    return CalcViewerError(
        "The catheter's rings were not found in the frames.",
        "Give the sample or pixel spacing in mm instead, or mark the sheath by hand.",
    )
