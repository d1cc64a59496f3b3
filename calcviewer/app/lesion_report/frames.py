"""The pictures of a report: frames in both views and the longitudinal view, in colour."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from calcviewer.core.annotation import FrameAnnotation
from calcviewer.core.contour import Contour, ray_crossings, trace
from calcviewer.core.errors import CalcViewerError
from calcviewer.core.geometry import (
    FULL_CIRCLE_DEG,
    CartesianGrid,
    Grid,
    PolarGrid,
    centred_grid,
    resample,
    to_xy,
)
from calcviewer.core.pullback import Intensity, Pullback
from calcviewer.modalities.ivoct.gold import gold_table
from calcviewer.report.content import Longitudinal, RgbImage

_WINDOW_FRAMES = 5
_WINDOW_PERCENTILES = (20.0, 99.0)
_FINER = 2
_POLAR_WIDTH = 2
_LONGITUDINAL_ROWS = 320
_BESIDE_DEG = 0.75
_UNREADABLE_GREY = 0.5
_OUTER_MARGIN_MM = 0.25
_SMALLEST_VIEW_MM = 1.5


class FramePictures:
    """Reads the frames of a pullback as RGB, all with the same window.

    Frames that come with colours keep them; grey ones go through the gold table.
    """

    def __init__(self, pullback: Pullback) -> None:
        self._pullback = pullback
        self._table = gold_table()
        self._window: tuple[float, float] | None = None

    def cross_section(self, index: int, *, radius_mm: float, size_px: int) -> RgbImage:
        """Return the disc of ``radius_mm`` about the catheter, ``[size_px, size_px, 3]``."""
        return self._resampled(index, centred_grid(_FINER * size_px, radius_mm))

    def polar(self, index: int, *, radius_mm: float, size_px: int) -> RgbImage:
        """Return ``[depth, angle, 3]``: ``size_px`` rows, twice as many columns."""
        samples, a_lines = _FINER * size_px, _FINER * _POLAR_WIDTH * size_px
        grid = PolarGrid(a_lines, samples, radius_mm / samples)
        return np.swapaxes(self._resampled(index, grid), 0, 1)

    def cut(
        self, index: int, *, directions_deg: Sequence[float], radii_mm: NDArray[np.float64]
    ) -> list[RgbImage]:
        """Return a frame along each direction, ``[radius, 3]``; grey when it cannot be read."""
        try:
            image = self._channels(index)
        except CalcViewerError:
            grey = round(255 * _UNREADABLE_GREY)
            return [np.full((radii_mm.size, 3), grey, dtype=np.uint8) for _ in directions_deg]
        grid = self._pullback.grid
        lines = [
            [_along(channel, grid, angle, radii_mm) for channel in image]
            for angle in directions_deg
        ]
        return [self._coloured(np.stack(line)) for line in lines]

    def _resampled(self, index: int, grid: Grid) -> RgbImage:
        """Return a frame on a grid that is finer than wanted, averaged down."""
        source = self._pullback.grid
        fine = [resample(channel, source, grid) for channel in self._channels(index)]
        rows, columns = grid.shape[0] // _FINER, grid.shape[1] // _FINER
        blocks = np.stack(fine).reshape(len(fine), rows, _FINER, columns, _FINER)
        return self._coloured(blocks.mean(axis=(2, 4)))

    def _channels(self, index: int) -> NDArray[np.float32]:
        """Return a frame as ``[channel, .., ..]``: one grey channel in 0 to 255, or three."""
        shown = np.asarray(self._pullback.frames.display(index))
        if shown.ndim == 3:
            return np.moveaxis(shown.astype(np.float32), -1, 0)
        if shown.dtype == np.uint8:
            return shown.astype(np.float32)[None]
        low, high = self._grey_window()
        scaled = (self._logarithmic(shown) - low) * (255 / (high - low))
        return np.asarray(np.clip(scaled, 0, 255), dtype=np.float32)[None]

    def _logarithmic(self, shown: NDArray[np.generic]) -> NDArray[np.float32]:
        values = np.asarray(shown, dtype=np.float32)
        if self._pullback.intensity is Intensity.LOG:
            return values
        positive = values[values > 0]
        floor = float(positive.min()) if positive.size else 1.0
        return np.asarray(10 * np.log10(np.maximum(values, floor)), dtype=np.float32)

    def _grey_window(self) -> tuple[float, float]:
        """Return the values shown black and white, from a few frames of the whole pullback."""
        if self._window is None:
            count = self._pullback.frame_count
            chosen = np.unique(np.linspace(0, count - 1, _WINDOW_FRAMES).astype(int))
            values = np.concatenate(
                [part for i in chosen for part in self._tissue(int(i))] or [np.array([0.0, 1.0])]
            )
            low, high = np.percentile(values, _WINDOW_PERCENTILES)
            self._window = float(low), float(max(high, low + 1e-6))
        return self._window

    def _tissue(self, index: int) -> list[NDArray[np.float32]]:
        """Return a sample of one frame's values, without the black around the field."""
        try:
            shown = np.asarray(self._pullback.frames.display(index))
        except CalcViewerError:
            return []
        thinned = shown[::4, ::4]
        return [self._logarithmic(shown)[::4, ::4][thinned > 0]]

    def _coloured(self, channels: NDArray[np.floating]) -> RgbImage:
        """Return ``[.., 3]`` from one grey or three colour channels in front."""
        levels = np.clip(np.rint(channels), 0, 255).astype(np.uint8)
        if len(levels) == 1:
            coloured: RgbImage = self._table[levels[0]]
            return coloured
        return np.ascontiguousarray(np.moveaxis(levels, 0, -1))


def _along(
    image: NDArray[np.float32], grid: Grid, angle_deg: float, radii_mm: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Return one channel along a direction, averaged over a narrow fan, 0 outside the image."""
    lines = []
    for angle in (angle_deg - _BESIDE_DEG, angle_deg, angle_deg + _BESIDE_DEG):
        if isinstance(grid, PolarGrid):
            a_line = round(float(grid.a_line_index(np.array(angle)))) % grid.a_lines
            at = grid.sample_index(radii_mm)
            samples = np.arange(grid.samples)
            lines.append(np.interp(at, samples, image[a_line], left=0.0, right=0.0))
        else:
            x_px, y_px = grid.to_px(to_xy(np.full_like(radii_mm, angle), radii_mm)).T
            lines.append(map_coordinates(image, [y_px, x_px], order=1, cval=0.0))
    return np.asarray(np.mean(lines, axis=0), dtype=np.float32)


def view_radius_mm(pullback: Pullback, annotations: Iterable[FrameAnnotation]) -> float:
    """Return the radius about the catheter that shows all that is drawn, within the field."""
    reach = [
        float(np.hypot(*contour.points_mm.T).max())
        for annotation in annotations
        for contour in (*annotation.calcium, *((annotation.lumen,) if annotation.lumen else ()))
    ]
    field = pullback.field_radius_mm
    if not reach:
        return field
    # One stray frame must not shrink all the others.
    wanted = 1.08 * float(np.percentile(reach, 99)) + _OUTER_MARGIN_MM
    return float(min(field, max(wanted, min(_SMALLEST_VIEW_MM, field))))


def longitudinal_view(
    pullback: Pullback,
    annotations: Sequence[FrameAnnotation | None],
    *,
    cut_deg: float,
    radius_mm: float,
    pictures: FramePictures,
) -> Longitudinal:
    """Cut the pullback lengthwise along a line through the catheter.

    Parameters
    ----------
    annotations
        One for each frame; None where there is none.
    cut_deg
        Direction of the upper half.
    """
    half = _LONGITUDINAL_ROWS // 2
    step_mm = radius_mm / half
    radii_mm = np.linspace(0.5 * step_mm, radius_mm - 0.5 * step_mm, half)
    frames = pullback.frame_count
    image = np.zeros((2 * half, frames, 3), dtype=np.uint8)
    lumen_mm = np.full((2, frames), np.nan)
    calcium = np.zeros((2 * half, frames), dtype=np.bool_)
    shadow = np.zeros_like(calcium)
    halves = (slice(half - 1, None, -1), slice(half, None))
    angles = (cut_deg % FULL_CIRCLE_DEG, (cut_deg + 180) % FULL_CIRCLE_DEG)
    for index, annotation in enumerate(annotations):
        cuts = pictures.cut(index, directions_deg=angles, radii_mm=radii_mm)
        for side, (rows, angle) in enumerate(zip(halves, angles, strict=True)):
            image[rows, index] = cuts[side]
            if annotation is None:
                continue
            if annotation.lumen is not None:
                lumen_mm[side, index] = _outermost_mm(annotation.lumen, angle)
            calcium[rows, index] = _inside(annotation.calcium, angle, radii_mm)
            hidden = any(bool(wire.contains(angle)) for wire in annotation.guidewires)
            border = np.nan_to_num(lumen_mm[side, index])
            shadow[rows, index] = hidden & (radii_mm > border)
    return Longitudinal(
        image=image,
        half_height_mm=radius_mm,
        cut_deg=cut_deg,
        scale_known=pullback.calibration.scaled,
        lumen_mm=lumen_mm,
        calcium=_regions(calcium, step_mm),
        shadow=_regions(shadow, step_mm),
    )


def _crossings_mm(contour: Contour, angle_deg: float) -> NDArray[np.float64]:
    """Return the radii at which a direction crosses a contour, in order."""
    turn = np.deg2rad(FULL_CIRCLE_DEG / 4 - angle_deg)
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    # Of two rays, the first points at 90 degrees.
    ray, radius = ray_crossings([ring @ rotation for ring in contour.rings_mm], (0.0, 0.0), 2)
    return np.asarray(radius[ray == 0])


def _outermost_mm(lumen: Contour, angle_deg: float) -> float:
    crossings = _crossings_mm(lumen, angle_deg)
    return float(crossings[-1]) if crossings.size else np.nan


def _inside(
    contours: Sequence[Contour], angle_deg: float, radii_mm: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Return which radii along a direction lie in any of the contours."""
    inside = np.zeros(radii_mm.shape, dtype=np.bool_)
    for contour in contours:
        crossings = _crossings_mm(contour, angle_deg)
        before = np.searchsorted(crossings, radii_mm)
        # With an odd number of crossings the direction begins inside.
        inside |= (before + crossings.size) % 2 == 1
    return inside


def _regions(mask: NDArray[np.bool_], step_mm: float) -> tuple[Contour, ...]:
    """Return regions of ``[row, frame]`` with ``x`` in frames and ``y`` in mm, up positive."""
    rows, columns = mask.shape
    grid = CartesianGrid(rows, columns, pixel_spacing_mm=1.0, centre_px=(0.0, 0.0))
    scale = np.array([1.0, -step_mm])
    shift = np.array([0.5, (rows / 2 - 0.5) * step_mm])
    return tuple(
        Contour(
            region.points_mm * scale + shift,
            tuple(hole * scale + shift for hole in region.holes_mm),
        )
        for region in trace(mask, grid)
    )
