"""Frames of a pullback as 8-bit pictures, ready to be shown."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from calcviewer.core.errors import CalcViewerError
from calcviewer.core.geometry import (
    CartesianGrid,
    Grid,
    PolarGrid,
    centred_grid,
    to_polar,
    to_xy,
)
from calcviewer.core.pullback import Calibration, CartesianLayout, Intensity, Pullback

Picture = NDArray[np.uint8]

_CACHED_FRAMES = 48
_LARGEST_PX = 1024
_BLACK_PERCENTILE, _WHITE_PERCENTILE = 25.0, 99.7


class FramePictures:
    """Pictures of one pullback's frames, on one Cartesian and one polar grid.

    Grey levels are the same for all frames of the pullback. A frame that cannot be read is black;
    `fault` says why.

    Attributes
    ----------
    cartesian_grid, polar_grid
        The grids of `cartesian` and `polar`, in mm (working mm without calibration).
    """

    def __init__(self, pullback: Pullback) -> None:
        self.pullback = pullback
        self._levels: tuple[float, float] | None = None
        self._faults: dict[int, str] = {}
        self.grey = lru_cache(_CACHED_FRAMES)(self.read_grey)
        self.cartesian = lru_cache(_CACHED_FRAMES)(self._cartesian)
        self._lay_out()

    @property
    def field_radius_mm(self) -> float:
        """Radius up to which the frames show tissue, mm of the calibration in force."""
        return self.pullback.field_radius_mm

    def calibrate(self, calibration: Calibration) -> None:
        """Lay the pictures out in the mm of another calibration; their pixels stay."""
        if calibration != self.pullback.calibration:
            self.pullback = self.pullback.calibrated(calibration)
            self._lay_out()

    def _lay_out(self) -> None:
        """Choose the grids for the calibration in force."""
        grid = self.pullback.grid
        self.source_grid = grid
        self.cartesian_grid, self.polar_grid = self._grids(grid)
        shown_too = self.polar_grid if isinstance(grid, CartesianGrid) else self.cartesian_grid
        self._nearest = _nearest(grid, shown_too)
        self.cartesian.cache_clear()

    def _grids(self, grid: Grid) -> tuple[CartesianGrid, PolarGrid]:
        if isinstance(grid, CartesianGrid):
            return grid, PolarGrid(480, 480, self.pullback.field_radius_mm / 480)
        size_px = min(_LARGEST_PX, 2 * grid.samples)
        return centred_grid(size_px, grid.end_radius_mm), grid

    def fault(self, index: int) -> str:
        """Return why a frame that was shown could not be read; empty when it could."""
        return self._faults.get(index, "")

    def polar(self, index: int) -> Picture:
        """Return frame ``index`` as grey levels ``[a_line, sample]`` on `polar_grid`."""
        grey = self.grey(index)
        return grey if isinstance(self.source_grid, PolarGrid) else _taken(grey, self._nearest)

    def original(self, index: int) -> Picture | None:
        """Return an export's own colours, RGB ``[row, column, 3]``; None when it has none."""
        if not isinstance(self.pullback.layout, CartesianLayout):
            return None
        try:
            picture = self.pullback.frames.display(index)
        except CalcViewerError:
            return None
        return np.asarray(picture, dtype=np.uint8) if picture.ndim == 3 else None

    def _cartesian(self, index: int) -> Picture:
        """Return frame ``index`` as grey levels ``[row, column]`` on `cartesian_grid`."""
        grey = self.grey(index)
        if isinstance(self.source_grid, CartesianGrid):
            return grey
        return _taken(grey, self._nearest)

    def read_grey(self, index: int) -> Picture:
        """Return frame ``index`` as grey levels in the source's own layout, without keeping it.

        `grey` does the same and keeps the last ones. Safe to call from any thread.
        """
        black, white = self._black_and_white()
        try:
            values = self._values(index)
        except CalcViewerError as error:
            self._faults[index] = str(error)
            return np.zeros(self.source_grid.shape, dtype=np.uint8)
        scaled = (values - black) * np.float32(255.0 / (white - black))
        return np.asarray(np.clip(scaled, 0, 255, out=scaled), dtype=np.uint8)

    def _values(self, index: int) -> NDArray[np.float32]:
        values = self.pullback.frames.intensity(index)
        if self.pullback.intensity is Intensity.LINEAR:
            values = np.log10(np.maximum(values, 1e-6), dtype=np.float32)
        return values

    def _black_and_white(self) -> tuple[float, float]:
        """Return the values shown black and white: from the first frame, to show it at once."""
        if self._levels is None:
            try:
                sample = self._values(0)[::4, ::4]
            except CalcViewerError:
                return 0.0, 1.0
            lowest = sample.min()
            if isinstance(self.source_grid, PolarGrid) and sample.max() > lowest:
                # A-lines are padded with their lowest value beyond the field of view.
                sample = sample[sample > lowest]
            black, white = np.percentile(sample, [_BLACK_PERCENTILE, _WHITE_PERCENTILE])
            black = black if black < white else lowest
            self._levels = float(black), float(max(white, black + 1e-3))
        return self._levels


def _nearest(source: Grid, target: Grid) -> NDArray[np.intp]:
    """Return the flat index of the nearest source pixel of every target pixel.

    Where there is none it is one beyond the last.
    """
    if isinstance(source, PolarGrid):
        assert isinstance(target, CartesianGrid)
        return _nearest_sample(source, target)
    assert isinstance(target, PolarGrid)
    points = to_xy(target.angles_deg()[:, None], target.radii_mm()[None, :])
    x_px, y_px = np.moveaxis(source.to_px(points), -1, 0)
    row, column = np.rint(y_px).astype(np.intp), np.rint(x_px).astype(np.intp)
    rows, columns = source.shape
    inside = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
    return np.where(inside, row * columns + column, rows * columns)


def _nearest_sample(source: PolarGrid, target: CartesianGrid) -> NDArray[np.intp]:
    """Return the flat index of the sample nearest to every pixel; one beyond the last for none.

    What no calibration changes is remembered: only the radius is another one after it.
    """
    begin, radius_px = _a_lines_of(target.rows, target.centre_px, source.a_lines, source.samples)
    per_px = np.float32(target.pixel_spacing_mm / source.sample_spacing_mm)
    shift = np.float32(source.zero_radius_mm / source.sample_spacing_mm + 0.5)
    sample = np.rint(radius_px * per_px - shift).astype(np.int32)
    outside = (sample < 0) | (sample >= source.samples)
    sample += begin
    sample[outside] = source.a_lines * source.samples
    return np.asarray(sample, dtype=np.intp)


@lru_cache(maxsize=2)
def _a_lines_of(
    size_px: int, centre_px: tuple[float, float], a_lines: int, samples: int
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return where the A-line nearest to every pixel begins, and the pixel's radius in pixels."""
    x_px = np.arange(size_px) - centre_px[0]
    y_px = np.arange(size_px) - centre_px[1]
    angle, radius = to_polar(np.stack(np.meshgrid(x_px, y_px), axis=-1))
    index = PolarGrid(a_lines, samples, 1.0).a_line_index(angle)
    begin = np.rint(index).astype(np.int32) % a_lines * samples
    return begin, radius.astype(np.float32)


def _taken(grey: Picture, look_up: NDArray[np.intp]) -> Picture:
    black = np.zeros(1, dtype=np.uint8)
    return np.concatenate([grey.ravel(), black]).take(look_up, mode="clip")
