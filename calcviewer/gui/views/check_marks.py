"""Which marks stand at which frames of an axis: frames whose marks would overlap share one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from calcviewer.app.frames_to_check import FrameToCheck
from calcviewer.gui.frame_scale import FrameScale


@dataclass(frozen=True)
class CheckMark:
    """Frames to check that share a mark, which stands at the most urgent of them."""

    worst: FrameToCheck
    frames: tuple[FrameToCheck, ...]


def check_marks(
    frames: Sequence[FrameToCheck], scale: FrameScale, mark_px: float
) -> tuple[CheckMark, ...]:
    """Return the marks of the frames in sight, in order along the pullback.

    Marks are at least ``mark_px`` apart; a frame without a mark of its own belongs to the nearest.
    """
    in_sight = [one for one in frames if 0 <= scale.part(one.frame + 0.5) <= 1]
    chosen: list[FrameToCheck] = []
    for one in sorted(in_sight, key=_urgency):
        if all(_apart(one, other) * scale.frame_px >= mark_px for other in chosen):
            chosen.append(one)
    shared: dict[FrameToCheck, list[FrameToCheck]] = {one: [] for one in chosen}
    for one in in_sight:
        shared[min(chosen, key=lambda other: _apart(one, other))].append(one)
    marks = (CheckMark(worst, tuple(those)) for worst, those in shared.items())
    return tuple(sorted(marks, key=lambda mark: mark.worst.frame))


def _apart(one: FrameToCheck, other: FrameToCheck) -> int:
    return abs(one.frame - other.frame)


def _urgency(one: FrameToCheck) -> tuple[int, float]:
    return list(type(one.suspicion)).index(one.suspicion), -one.arc_deg
