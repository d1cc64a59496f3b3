"""Guidewire shadows: angular sectors, about the catheter, in which the wall cannot be seen.

A guidewire is a bright crescent between the sheath and the wall with nothing but noise behind
it. Both are asked for: attenuating plaque is dark but has a bright surface and no crescent before
it, a side branch is dark and has no crescent, and floating blood is bright but does not extinguish
the wall. A wire that lies in the wall shows no crescent of its own; its shadow is then told from
that of plaque by two sharp edges as far apart as a wire is thick.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_closing, grey_closing, uniform_filter1d

from calcviewer.core.geometry import Arc, arcs_of_mask, join_arcs
from calcviewer.modalities.ivoct.preprocess import MODEL_GRID

FloatLines = NDArray[np.float64]
BoolLines = NDArray[np.bool_]
Indices = NDArray[np.intp]

_LINE_DEG = MODEL_GRID.a_line_deg
_LINES = MODEL_GRID.a_lines
# Pairs of samples are averaged: a wire is tens of samples thick.
_SPACING_MM = 2 * MODEL_GRID.sample_spacing_mm
# The smallest sheath; a wire lies outside of it.
_INNERMOST_MM = 0.40
# Up to here circles of the catheter are taken off before a crescent is looked for.
_CATHETER_ZONE_MM = 0.75
# A border drawn around the wire instead of behind it has a notch this narrow, deep and abrupt.
_BRIDGE_DEG = 72.0
_NOTCH_MM = 0.2
_STEP_MM = 0.15
# Depths behind the border at which the wall is looked for: just behind it, where even attenuating
# plaque is bright, and behind a wire that lies in the wall.
_NEAR_MM = (0.03, 0.6)
_DEEP_MM = (0.38, 0.85)
_WINDOW_MM = 0.1
_SURFACE_MM = (-0.2, 0.26)
_BEFORE_WALL_MM = 0.05
_CLEAR_OF_WALL_MM = 0.5
# Fractions of the wall's typical signal.
_DARK = 0.4
_BRIGHT = 0.5
_SPECULAR = 0.9
_TYPICAL_PERCENTILE = 60.0
# A crescent may be interrupted, and may be narrower than its shadow.
_CRESCENT_GAP_DEG = 6.0
_BEYOND_CRESCENT_DEG = 8.0
_FLANK_DEG = 6.0
_LARGEST_SECTOR_DEG = 95.0
# A wire is 0.36 mm (0.014 in) thick; two side by side cast one shadow. A strut is thinner.
_WIRE_RADIUS_MM = 0.18
# Pressed into the wall by the catheter, whose sheath measures up to 0.55 mm.
_FARTHEST_IN_WALL_MM = 0.62
_CRESCENT_WIDTH_MM = (0.15, 1.0)
_SHADOW_WIDTH_MM = (0.3, 0.5)
# Metal lets no light in: what is bright for longer is thrombus or plaque.
_THICKEST_CRESCENT_MM = 0.25
# The edges of a wire's shadow rise within 3 degrees, by fractions of the deep wall's signal.
_SHARP_LINES = 4
_SHARP_RISE = 0.45
_SHARP_STEP = 0.6
_DEEP_DARK = 0.25


@dataclass(frozen=True, eq=False)
class _Lines:
    """What the A-lines of a frame show; arrays of shape ``(a_lines,)`` unless said otherwise.

    Parameters
    ----------
    samples
        The frame with pairs of samples averaged, ``[a_line, sample]``.
    border_mm
        The lumen border, bridged over shadows.
    near, deep
        Signal of the wall just behind the border and deeper; nan beyond the field.
    tail
        Strongest signal anywhere behind the border but just behind it.
    before
        Samples from `_INNERMOST_MM` on without circles of the catheter, 0 outside the lumen.
    crescent, peak
        The strongest of ``before``, and where it is.
    typical, typical_deep
        What ``near`` and ``deep`` are for most of the wall.
    """

    samples: NDArray[np.float32]
    border_mm: FloatLines
    near: FloatLines
    deep: FloatLines
    tail: FloatLines
    before: NDArray[np.float32]
    crescent: FloatLines
    peak: Indices
    typical: float
    typical_deep: float


def find_guidewires(
    image: NDArray[np.float32], lumen_radius_mm: NDArray[np.floating], *, field_radius_mm: float
) -> tuple[Arc, ...]:
    """Find the sectors of one frame that lie in the shadow of a guidewire.

    Parameters
    ----------
    image
        Preprocessed frame on `MODEL_GRID`, ``[480, 960]``, in [0, 1].
    lumen_radius_mm
        Outermost lumen border of every A-line, shape ``(480,)``; nan where unknown. It may be
        wrong inside the shadow.
    field_radius_mm
        Beyond this radius nothing was imaged.

    Returns
    -------
    Disjoint sectors about the catheter, whose edges are where the wall's signal has fallen by
    half.

    Raises
    ------
    ValueError
        When an array does not have the shape named above.
    """
    if image.shape != MODEL_GRID.shape or lumen_radius_mm.shape != (_LINES,):
        raise ValueError(
            f"image must have shape {MODEL_GRID.shape} and lumen_radius_mm {(_LINES,)}, "
            f"got {image.shape} and {lumen_radius_mm.shape}"
        )
    known = np.isfinite(lumen_radius_mm)
    if not known.any():
        return ()
    lines = _describe(image, _filled(lumen_radius_mm, known), field_radius_mm)
    if not lines.typical > 0:
        return ()
    return join_arcs([*_before_wall(lines), *_in_wall(lines)])


def _filled(border_mm: NDArray[np.floating], known: BoolLines) -> FloatLines:
    """Interpolate unknown borders along the circle."""
    lines = np.arange(_LINES)
    return np.asarray(np.interp(lines, lines[known], border_mm[known], period=_LINES))


def _bridged(border_mm: FloatLines) -> FloatLines:
    """Bridge notches of the border that begin or end with a step, as those around a wire do."""
    size = round(_BRIDGE_DEG / _LINE_DEG)
    closed = grey_closing(border_mm, size, mode="wrap")
    notched = closed - border_mm > _NOTCH_MM
    step = np.abs(np.roll(border_mm, -2) - np.roll(border_mm, 2)) > _STEP_MM
    bridged = border_mm.copy()
    for notch in arcs_of_mask(notched) if notched.any() else ():
        if step[_members(notch.widened(2 * _LINE_DEG))].any():
            bridged[_members(notch)] = closed[_members(notch)]
    return bridged


def _describe(image: NDArray[np.float32], border_mm: FloatLines, field_mm: float) -> _Lines:
    """Measure what lies before and behind the border of every A-line."""
    samples = (image[:, ::2] + image[:, 1::2]) * np.float32(0.5)
    border_mm = _bridged(border_mm)
    total = np.pad(np.cumsum(samples, axis=1, dtype=np.float64), ((0, 0), (1, 0)))
    near = _wall_signal(total, border_mm + _NEAR_MM[0], border_mm + _NEAR_MM[1], field_mm)
    deep = _wall_signal(total, border_mm + _DEEP_MM[0], border_mm + _DEEP_MM[1], field_mm)
    end_mm = np.full(_LINES, min(field_mm, samples.shape[1] * _SPACING_MM))
    tail = _wall_signal(total, border_mm + _DEEP_MM[0], end_mm, field_mm)
    before = _before_border(samples, border_mm)
    peak = np.argmax(before, axis=1)
    crescent = before[np.arange(_LINES), peak].astype(np.float64)
    return _Lines(
        samples=samples,
        border_mm=border_mm,
        near=near,
        deep=deep,
        tail=tail,
        before=before,
        crescent=crescent,
        peak=peak,
        typical=_typical(near),
        typical_deep=_typical(deep),
    )


def _typical(signal: FloatLines) -> float:
    known = signal[np.isfinite(signal)]
    return float(np.percentile(known, _TYPICAL_PERCENTILE)) if known.size else 0.0


def _wall_signal(
    total: FloatLines, start_mm: FloatLines, end_mm: FloatLines, field_mm: float
) -> FloatLines:
    """Return the strongest mean over a short window between two radii, nan out of the field.

    ``total`` is the running sum along every A-line, one longer than the A-line.
    """
    window = round(_WINDOW_MM / _SPACING_MM)
    last = int(min(field_mm / _SPACING_MM, total.shape[1] - 1)) - window
    steps = np.arange(0.0, (end_mm - start_mm).max() / _SPACING_MM - window + 1, window / 2)
    first = np.rint(start_mm[:, None] / _SPACING_MM + steps).astype(np.intp)
    begin = np.clip(first, 0, last)
    ends = np.take_along_axis(total, begin + window, axis=1)
    mean = (ends - np.take_along_axis(total, begin, axis=1)) / window
    best = np.where(first <= last, mean, -1.0).max(axis=1, initial=-1.0)
    return np.where(best >= 0, best, np.nan)


def _before_border(samples: NDArray[np.float32], border_mm: FloatLines) -> NDArray[np.float32]:
    """Return the signal between sheath and border with circles of the catheter taken off."""
    inner = round(_INNERMOST_MM / _SPACING_MM)
    outer = max(inner + 1, int((border_mm.max() - _BEFORE_WALL_MM) / _SPACING_MM))
    before = uniform_filter1d(samples[:, inner:outer], 3, axis=1, mode="nearest")
    radii = (np.arange(inner, inner + before.shape[1]) + 0.5) * _SPACING_MM
    lumen = radii < (border_mm - _BEFORE_WALL_MM)[:, None]
    before[~lumen] = 0
    circles = radii < _CATHETER_ZONE_MM
    before[:, circles] -= _circle_levels(before[:, circles], lumen[:, circles])
    return np.asarray(before)


def _circle_levels(values: NDArray[np.float32], inside: BoolLines) -> NDArray[np.float32]:
    """Return the median along every circle, shape ``(samples,)``, over A-lines that are inside."""
    some = np.where(inside[::4], values[::4], np.inf)
    some.sort(axis=0)
    middle = inside[::4].sum(axis=0) // 2
    level = some[np.minimum(middle, len(some) - 1), np.arange(some.shape[1])]
    return np.asarray(np.where(np.isfinite(level), level, 0.0), dtype=np.float32)


def _before_wall(lines: _Lines) -> list[Arc]:
    """Return the shadows of crescents that stand clear of the wall."""
    dark = ~(lines.near >= _DARK * lines.typical)
    shadow = _close(dark & (lines.crescent > _BRIGHT * lines.typical), _CRESCENT_GAP_DEG)
    sectors = []
    for core in arcs_of_mask(shadow) if shadow.any() else ():
        index = _members(core)
        if _is_crescent(core, index, lines):
            sectors.append(_with_edges(core, lines.near))
    return [sector for sector in sectors if sector.extent_deg <= _LARGEST_SECTOR_DEG]


def _close(mask: BoolLines, gap_deg: float) -> BoolLines:
    """Close gaps of a circular mask."""
    size = 1 + 2 * round(gap_deg / _LINE_DEG / 2)
    padded = np.pad(mask, size, mode="wrap")
    return np.asarray(binary_closing(padded, np.ones(size))[size:-size])


def _members(arc: Arc) -> Indices:
    """Return the indices of the A-lines on an arc."""
    first = round(arc.start_deg / _LINE_DEG)
    return (first + np.arange(max(1, round(arc.extent_deg / _LINE_DEG)))) % _LINES


def _is_crescent(core: Arc, index: Indices, lines: _Lines) -> bool:
    """Whether bright and dark A-lines are those of a wire: its width, thickness, brightness."""
    radius_mm = _INNERMOST_MM + float(np.median(lines.peak[index])) * _SPACING_MM
    width_mm = 2 * radius_mm * np.tan(np.deg2rad(min(core.extent_deg, 150.0) / 2))
    if not _CRESCENT_WIDTH_MM[0] <= width_mm <= _CRESCENT_WIDTH_MM[1]:
        return False
    if _has_tail(index, lines):
        return False
    if np.isfinite(lines.near[index]).mean() < 0.25:
        # The wall is out of the field. What is bright must not be a rim of it.
        clear_mm = np.median(lines.border_mm[index]) - radius_mm
        if clear_mm < _CLEAR_OF_WALL_MM:
            return False
    columns = lines.peak[index] + round(_INNERMOST_MM / _SPACING_MM)
    if np.percentile(lines.samples[index, columns], 75) < _SPECULAR * lines.typical:
        return False
    return _thickness_mm(index, lines) <= _THICKEST_CRESCENT_MM


def _thickness_mm(index: Indices, lines: _Lines) -> float:
    """Return the median length over which crescents are brighter than half their peak."""
    peak = lines.peak[index, None]
    before = lines.before[index]
    dim = before < lines.crescent[index, None] / 2
    column = np.arange(before.shape[1])
    behind = np.where(dim & (column > peak), column, before.shape[1]).min(axis=1)
    front = np.where(dim & (column < peak), column, -1).max(axis=1)
    return float(np.median(behind - front - 1)) * _SPACING_MM


def _has_tail(index: Indices, lines: _Lines) -> bool:
    """Whether anything is seen behind: nothing is behind a wire."""
    tail = lines.tail[index][np.isfinite(lines.tail[index])]
    return bool(tail.size and np.median(tail) > _DARK * lines.typical)


def _in_wall(lines: _Lines) -> list[Arc]:
    """Return the shadows of wires that lie in the wall: dark, sharp and as wide as a wire's."""
    if lines.typical_deep < _BRIGHT * lines.typical / 2:
        return []  # the whole wall fades: no shadow can be told from it
    deep = np.nan_to_num(lines.deep) / lines.typical_deep
    dark = deep < _DARK
    cores = arcs_of_mask(dark) if dark.any() else ()
    return [_with_edges(core, lines.deep) for core in cores if _is_wire_in_wall(core, deep, lines)]


def _is_wire_in_wall(core: Arc, deep: FloatLines, lines: _Lines) -> bool:
    index = _members(core)
    quarter = index.size // 4
    middle = index[quarter : index.size - quarter]
    if np.median(deep[middle]) > _DEEP_DARK or _has_tail(middle, lines):
        return False
    first = np.rint((lines.border_mm[middle] + _SURFACE_MM[0]) / _SPACING_MM).astype(np.intp)
    first = np.maximum(first, round(_INNERMOST_MM / _SPACING_MM))
    reach = np.arange(round((_SURFACE_MM[1] - _SURFACE_MM[0]) / _SPACING_MM))
    columns = np.minimum(first[:, None] + reach, lines.samples.shape[1] - 1)
    surface = np.take_along_axis(lines.samples[middle], columns, axis=1)
    if np.median(surface.max(axis=1)) < _SPECULAR * lines.typical:
        return False
    bright = surface > _SPECULAR * lines.typical
    front_mm = float(np.median(first + np.argmax(bright, axis=1))) * _SPACING_MM
    width_mm = 2 * (front_mm + _WIRE_RADIUS_MM) * np.sin(np.deg2rad(core.extent_deg / 2))
    if front_mm > _FARTHEST_IN_WALL_MM or not (
        _SHADOW_WIDTH_MM[0] <= width_mm <= _SHADOW_WIDTH_MM[1]
    ):
        return False
    return _is_sharp(deep, int(index[0]), -1) and _is_sharp(deep, int(index[-1]), 1)


def _is_sharp(deep: FloatLines, line: int, side: int) -> bool:
    """Whether the signal rises steeply, and far enough, outward of the last dark A-line."""
    profile = deep[(line + side * np.arange(-6, 9)) % _LINES]
    rise = (profile[_SHARP_LINES:] - profile[:-_SHARP_LINES]).max()
    step = np.median(profile[9:]) - np.median(profile[:6])
    return bool(rise >= _SHARP_RISE and step >= _SHARP_STEP)


def _with_edges(core: Arc, signal: FloatLines) -> Arc:
    """Return a core of dark A-lines, extended to where the wall's signal has risen by half."""
    index = _members(core)
    known = signal[index][np.isfinite(signal[index])]
    level = float(np.median(known)) if known.size else 0.0
    before = _edge(signal, int(index[0]), -1, level)
    after = _edge(signal, int(index[-1]), 1, level)
    return Arc(core.start_deg - before, core.extent_deg + before + after)


def _edge(signal: FloatLines, line: int, side: int, level: float) -> float:
    """Return how many degrees beyond the last dark A-line the signal has risen by half.

    0 when it does not rise within reach: the crescent's own edge is the best there is then.
    """
    reach = round((_BEYOND_CRESCENT_DEG + _FLANK_DEG) / _LINE_DEG)
    outward = signal[(line + side * np.arange(reach + 1)) % _LINES]
    flank = outward[np.isfinite(outward)]
    if not flank.size:
        return 0.0
    half = (level + float(np.percentile(flank, 75))) / 2
    above = np.flatnonzero(outward >= half)
    limit = round(_BEYOND_CRESCENT_DEG / _LINE_DEG)
    if not above.size or not 0 < above[0] <= limit:
        return 0.0
    low, high = outward[above[0] - 1], outward[above[0]]
    part = (half - low) / (high - low) if np.isfinite(low) else 0.5
    return float((above[0] - 1 + part - 0.5) * _LINE_DEG)
