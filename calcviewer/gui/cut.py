"""The pullback cut lengthwise: its picture and its borders for every direction of the cut."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calcviewer.core.annotation import FrameAnnotation
from calcviewer.core.contour import Contour, ray_crossings
from calcviewer.core.geometry import (
    FULL_CIRCLE_DEG,
    CartesianGrid,
    Grid,
    PolarGrid,
    sectors_mask,
    to_polar,
    to_xy,
)
from calcviewer.gui.frame_scale import runs
from calcviewer.gui.frames import FramePictures

ANGLES = 240
RADII = 256
_FINER = 2
_NOISE_GREY = 16.0
_MARGIN_PART, _STEP_PART, _LEAST_PART = 0.03, 0.05, 0.4
_LAYERS = 2
"""Deposits behind one another that the cut shows; there are hardly ever two."""

Points = NDArray[np.float64]
Values = NDArray[np.float32]


def angle_index(angle_deg: float) -> int:
    """Return the index, of `ANGLES`, of the direction nearest to an angle."""
    return int(np.floor(angle_deg % FULL_CIRCLE_DEG * ANGLES / FULL_CIRCLE_DEG)) % ANGLES


@dataclass(frozen=True, eq=False)
class CutFrame:
    """One frame reduced for the store.

    Parameters
    ----------
    grey
        ``(ANGLES, RADII)``.
    reach
        How much of the radius shows more than noise, 0 to 1.
    """

    frame: int
    grey: NDArray[np.uint8]
    reach: float


class CutStore:
    """All frames reduced to few directions and radii, so that any cut is there at once.

    Memory is 61 kB a frame. A store belongs to the thread that shows it: frames are read in
    another one, by `read_frames`, and put in here. (An array must not change while numpy selects
    by it.)

    Attributes
    ----------
    filled
        Which frames are there, ``(frames,)``.
    """

    def __init__(self, frame_count: int) -> None:
        self.filled = np.zeros(frame_count, dtype=np.bool_)
        self._reach = np.zeros(frame_count)
        self._grey = np.zeros((ANGLES, frame_count, RADII), dtype=np.uint8)

    @property
    def complete(self) -> bool:
        """Whether every frame is there."""
        return bool(self.filled.all())

    def put(self, read: CutFrame) -> None:
        """Take a frame in."""
        self._grey[:, read.frame] = read.grey
        self._reach[read.frame] = read.reach
        self.filled[read.frame] = True

    def shown_part(self) -> float:
        """Return how much of the radius is worth showing, 0 to 1, in coarse steps."""
        if not self.filled.any():
            return 1.0
        # One stray frame must not shrink all the others.
        wanted = float(np.percentile(self._reach[self.filled], 95)) + _MARGIN_PART
        return min(1.0, max(_LEAST_PART, float(np.ceil(wanted / _STEP_PART)) * _STEP_PART))

    def along(self, angle_deg: float) -> NDArray[np.uint8]:
        """Return grey levels along one direction, ``[frame, radius]``; 0 where not yet read."""
        return np.asarray(self._grey[angle_index(angle_deg)])


def read_frames(pictures: FramePictures, around: int) -> Iterator[CutFrame]:
    """Read all frames, outward from one; a frame that cannot be read is black."""
    pullback = pictures.pullback
    look_up = _look_up(pullback.grid, pullback.field_radius_mm)
    for frame in outward(pullback.frame_count, around):
        grey = _reduced(pictures.read_grey(frame).ravel().take(look_up))
        bright = np.flatnonzero(grey.mean(axis=0) > _NOISE_GREY)
        yield CutFrame(frame, grey, (int(bright[-1]) + 1) / RADII if bright.size else 0.0)


def outward(frame_count: int, around: int) -> list[int]:
    """Return all frames, those nearest to one first."""
    return sorted(range(frame_count), key=lambda frame: abs(frame - around))


def radial_span_mm(grid: Grid, field_radius_mm: float) -> tuple[float, float]:
    """Return the radii (mm) between which the rows of a store lie, in a grid's own mm."""
    if isinstance(grid, PolarGrid):
        return grid.zero_radius_mm, grid.end_radius_mm
    return 0.0, field_radius_mm


def _look_up(grid: Grid, field_radius_mm: float) -> NDArray[np.intp]:
    """Return the flat index of the source pixel of every fine polar pixel."""
    part = (np.arange(_FINER * RADII) + 0.5) / (_FINER * RADII)
    turn = (np.arange(_FINER * ANGLES) + 0.5) / (_FINER * ANGLES)
    if isinstance(grid, PolarGrid):
        a_line = (turn * grid.a_lines).astype(np.intp)
        sample = (part * grid.samples).astype(np.intp)
        return np.asarray(a_line[:, None] * grid.samples + sample[None, :])
    points = to_xy(FULL_CIRCLE_DEG * turn[:, None], field_radius_mm * part[None, :])
    return _cartesian_pixels(grid, points)


def _cartesian_pixels(grid: CartesianGrid, points_mm: Points) -> NDArray[np.intp]:
    x_px, y_px = np.moveaxis(grid.to_px(points_mm), -1, 0)
    column = np.clip(np.rint(x_px), 0, grid.columns - 1).astype(np.intp)
    row = np.clip(np.rint(y_px), 0, grid.rows - 1).astype(np.intp)
    return np.asarray(row * grid.columns + column)


def _reduced(fine: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the means of blocks of 2 x 2 pixels."""
    wide = fine[:, ::2].astype(np.uint16) + fine[:, 1::2]
    return np.asarray((wide[::2] + wide[1::2]) >> 2, dtype=np.uint8)


# --- borders -------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Side:
    """What is drawn along one direction of the cut; radii in mm from the catheter.

    Parameters
    ----------
    lumen_mm
        Where the direction last leaves the lumen, ``(frames,)``, NaN without a lumen.
    calcium_mm
        Front and back of up to two deposits, ``(frames, 2, 2)``, NaN where there is none.
    shadow
        Whether the direction lies in a guidewire shadow, ``(frames,)``.
    """

    lumen_mm: Values
    calcium_mm: Values
    shadow: NDArray[np.bool_]


class CutBorders:
    """Lumen, calcium and shadows of all frames, crossed by every direction of the cut.

    Attributes
    ----------
    reach_mm
        Largest radius of anything drawn, ``(frames,)``.
    """

    def __init__(self, frame_count: int) -> None:
        self._lumen = np.full((frame_count, ANGLES), np.nan, dtype=np.float32)
        self._calcium = np.full((frame_count, ANGLES, _LAYERS, 2), np.nan, dtype=np.float32)
        self._shadow = np.zeros((frame_count, ANGLES), dtype=np.bool_)
        self._drawn: list[FrameAnnotation | None] = [None] * frame_count
        self.reach_mm = np.zeros(frame_count)

    def put(self, frame: int, annotation: FrameAnnotation | None) -> None:
        """Take the annotation in force for a frame; nothing is done when it is the same object."""
        if self._drawn[frame] is annotation:
            return
        self._drawn[frame] = annotation
        self._lumen[frame] = np.nan
        self._calcium[frame] = np.nan
        self._shadow[frame] = False
        self.reach_mm[frame] = 0.0
        if annotation is None:
            return
        if annotation.lumen is not None:
            ray, radius = ray_crossings(annotation.lumen.rings_mm, (0.0, 0.0), ANGLES)
            self._lumen[frame, ray] = radius  # in order: the outermost stays
        rings = [ring for contour in annotation.calcium for ring in contour.rings_mm]
        ray, radius = ray_crossings(rings, (0.0, 0.0), ANGLES)
        counts = np.bincount(ray, minlength=ANGLES)
        place = np.arange(ray.size) - (np.cumsum(counts) - counts)[ray]
        kept = (place < 2 * _LAYERS) & (place < counts[ray] // 2 * 2)
        self._calcium.reshape(-1, ANGLES, 2 * _LAYERS)[frame, ray[kept], place[kept]] = radius[kept]
        drawn = np.concatenate([radius, self._lumen[frame][np.isfinite(self._lumen[frame])]])
        self.reach_mm[frame] = drawn.max(initial=0.0)
        angles = (np.arange(ANGLES) + 0.5) * FULL_CIRCLE_DEG / ANGLES
        self._shadow[frame] = sectors_mask(annotation.guidewires, angles)

    def along(self, angle_deg: float) -> Side:
        """Return what one direction crosses."""
        index = angle_index(angle_deg)
        return Side(self._lumen[:, index], self._calcium[:, index], self._shadow[:, index])


def border_lines(radius_mm: NDArray[np.floating]) -> list[Points]:
    """Return a border with one radius a frame as lines of (position, mm), torn where it is NaN."""
    return [_stretch(radius_mm, first, last) for first, last in runs(np.isfinite(radius_mm))]


def bands(front_mm: Values, back_mm: Values) -> list[Points]:
    """Return the regions between two borders as closed rings of (position, mm).

    Neighbouring frames whose spans do not touch belong to different regions.
    """
    rings = []
    for first, last in runs(np.isfinite(front_mm) & np.isfinite(back_mm)):
        front, back = front_mm[first : last + 1], back_mm[first : last + 1]
        apart = np.flatnonzero((front[1:] > back[:-1]) | (back[1:] < front[:-1]))
        starts, ends = [first, *(first + 1 + apart)], [*(first + apart), last]
        for start, end in zip(starts, ends, strict=True):
            ahead = _stretch(front_mm, int(start), int(end))
            behind = _stretch(back_mm, int(start), int(end))
            rings.append(np.concatenate([ahead, behind[::-1], ahead[:1]]))
    return rings


def _stretch(radius_mm: NDArray[np.floating], first: int, last: int) -> Points:
    """Return a border over a run of frames, from the first one's outer edge to the last one's."""
    line = np.empty((last - first + 3, 2))
    line[1:-1, 0] = np.arange(first, last + 1) + 0.5
    line[1:-1, 1] = radius_mm[first : last + 1]
    line[0] = first, radius_mm[first]
    line[-1] = last + 1, radius_mm[last]
    return line


def seen_from(
    lumen: Contour, angle_deg: float, *, eye_mm: tuple[float, float], other_mm: tuple[float, float]
) -> float | None:
    """Return the direction, from another point, of the lumen border seen from one.

    The calcium map has its angles about the lumen centroid, the cut about the catheter.

    Returns
    -------
    Degrees in [0, 360); None when the direction does not cross the border.
    """
    turn = np.deg2rad(FULL_CIRCLE_DEG / 4 - angle_deg)
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    ring = (lumen.points_mm - np.asarray(eye_mm)) @ rotation
    # Of two rays, the first points at 90 degrees.
    ray, radius = ray_crossings([ring], (0.0, 0.0), 2)
    crossings = radius[ray == 0]
    if not crossings.size:
        return None
    point = np.asarray(eye_mm) + to_xy(np.array(angle_deg), crossings[-1]) - np.asarray(other_mm)
    return float(to_polar(point)[0])
