"""Where frames lie along a screen axis, its ticks, and the two ends of the volume of interest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_FRAME_STEPS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
_MM_STEPS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
_LEAST_SPAN = 8.0
_ROUNDING = 1e-6
GAP_PX = 4.0
"""Between flags."""


@dataclass(frozen=True)
class FrameScale:
    """An axis of frames on screen; frame i spans the positions i to i + 1.

    Parameters
    ----------
    first, last
        Positions at the two ends of the axis.
    flipped
        Whether the axis runs from right to left.
    """

    first: float
    last: float
    left_px: float
    width_px: float
    flipped: bool = False

    @property
    def frame_px(self) -> float:
        """Width of a frame on screen."""
        return self.width_px / (self.last - self.first)

    def part(self, position: float) -> float:
        """Return where a position lies: 0 at the left end of the axis, 1 at the right one."""
        part = (position - self.first) / (self.last - self.first)
        return 1.0 - part if self.flipped else part

    def x_px(self, position: float) -> float:
        """Return where a position lies on screen."""
        return self.left_px + self.part(position) * self.width_px

    def xs_px(self, positions: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return where positions lie on screen."""
        part = (np.asarray(positions, dtype=np.float64) - self.first) / (self.last - self.first)
        return np.asarray(
            self.left_px + (1.0 - part if self.flipped else part) * self.width_px, dtype=np.float64
        )

    def position(self, x_px: float) -> float:
        """Return the position at a place on screen."""
        part = (x_px - self.left_px) / self.width_px
        return self.first + (1.0 - part if self.flipped else part) * (self.last - self.first)

    def columns(self, count_px: int, frame_count: int) -> NDArray[np.intp]:
        """Return the frame of every column of ``count_px`` pixels that the axis is drawn into."""
        part = (np.arange(count_px) + 0.5) / count_px
        part = 1.0 - part if self.flipped else part
        position = self.first + part * (self.last - self.first)
        return np.clip(position.astype(np.intp), 0, frame_count - 1)

    def frame(self, x_px: float, frame_count: int) -> int:
        """Return the frame (0-based) at a place on screen; beyond the ends the end frame."""
        return max(0, min(int(np.floor(self.position(x_px))), frame_count - 1))


@dataclass(frozen=True)
class Tick:
    """A labelled place on an axis."""

    x_px: float
    text: str


def frame_ticks(scale: FrameScale, frame_count: int, least_px: float = 56.0) -> list[Tick]:
    """Return frame numbers (1-based) at the middle of their frames: 1 and round numbers."""
    step = next((s for s in _FRAME_STEPS if s * scale.frame_px >= least_px), _FRAME_STEPS[-1])
    numbers = [number for number in range(step, frame_count + 1, step) if number > 0.6 * step]
    if step > 1 and frame_count and (not numbers or numbers[0] > 1):
        numbers.insert(0, 1)
    if len(numbers) > 1 and numbers[1] - numbers[0] < 0.6 * step:
        numbers.pop(1)
    return [
        Tick(scale.x_px(number - 0.5), str(number))
        for number in numbers
        if scale.first <= number - 0.5 <= scale.last
    ]


def mm_ticks(
    scale: FrameScale, frame_count: int, pitch_mm: float, least_px: float = 56.0
) -> list[Tick]:
    """Return round distances from the middle of the first frame, mm."""
    px_per_mm = scale.frame_px / pitch_mm
    step = next((s for s in _MM_STEPS if s * px_per_mm >= least_px), _MM_STEPS[-1])
    end_mm = (frame_count - 1) * pitch_mm
    found = []
    for number in range(int(end_mm / step + _ROUNDING) + 1):
        position = number * step / pitch_mm + 0.5
        if scale.first <= position <= scale.last:
            found.append(Tick(scale.x_px(position), f"{number * step:g}"))
    return found


def zoomed(
    span: tuple[float, float], frame_count: int, *, factor: float, at: float
) -> tuple[float, float]:
    """Return the visible positions after a zoom about a position; factor > 1 shows fewer."""
    first, last = span
    width = np.clip((last - first) / factor, min(_LEAST_SPAN, frame_count), frame_count)
    part = (at - first) / (last - first)
    return moved((at - part * width, at + (1 - part) * width), frame_count)


def moved(span: tuple[float, float], frame_count: int, by: float = 0.0) -> tuple[float, float]:
    """Return the visible positions moved along the pullback, kept within it."""
    first, last = span[0] + by, span[1] + by
    shift = max(0.0, -first) - max(0.0, last - frame_count)
    return max(0.0, float(first + shift)), min(float(frame_count), float(last + shift))


def runs(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return first and last index of every run of true values."""
    steps = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]])))
    return [(int(a), int(b) - 1) for a, b in zip(steps[::2], steps[1::2], strict=True)]


def nearest_end(x_px: float, ends_px: Sequence[float], reach_px: float) -> int | None:
    """Return which of the ends a pointer takes hold of; None when none is within reach."""
    distance = [abs(x_px - end) for end in ends_px]
    nearest = min(range(len(distance)), key=distance.__getitem__)
    return nearest if distance[nearest] <= reach_px else None


def voi_with_end(
    voi: tuple[int, int] | None, frame_count: int, *, end: int, position: float
) -> tuple[int, int] | None:
    """Return the VOI after one of its ends was dragged to a position.

    Parameters
    ----------
    voi
        First and last frame, 0-based, inclusive; None is the whole pullback.
    end
        0 for the first frame, 1 for the last.

    Returns
    -------
    The VOI, at least one frame; None when it is the whole pullback again.
    """
    first, last = voi or (0, frame_count - 1)
    edge = round(position)
    if end == 0:
        first = max(0, min(edge, last))
    else:
        last = max(first, min(edge - 1, frame_count - 1))
    return None if (first, last) == (0, frame_count - 1) else (first, last)


def packed(centres_px: Sequence[float], widths_px: Sequence[float], total_px: float) -> list[float]:
    """Return left edges of boxes near their centres, side by side without an overlap.

    Boxes keep the order of their centres. Those that do not fit at all overlap at the right.
    """
    order = sorted(range(len(centres_px)), key=centres_px.__getitem__)
    lefts = [0.0] * len(order)
    end = 0.0
    for i in order:
        lefts[i] = max(end, centres_px[i] - widths_px[i] / 2)
        end = lefts[i] + widths_px[i] + GAP_PX
    limit = total_px
    for i in reversed(order):
        lefts[i] = max(0.0, min(lefts[i], limit - widths_px[i]))
        limit = lefts[i] - GAP_PX
    return lefts
