"""The frames an operator should look at because the model may be wrong there.

They are not the decisive frames, which can change the score: these are the ones where a deposit
may have been missed, or may not be one. A frame the operator confirmed or corrected is no longer
among them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from calcviewer.app.results import Results
from calcviewer.app.session import IvoctStudy
from calcviewer.core.geometry import sectors_mask
from calcviewer.modalities.ivoct.centroid_rays import RAYS, ray_angles_deg
from calcviewer.modalities.ivoct.quantify import FrameMeasurement

LEAST_MISSED_DEG, LEAST_DOUBTFUL_DEG, LEAST_GAP_DEG = 8.0, 20.0, 20.0
"""From so much arc on a frame is to be checked; chosen on simulated pullbacks."""
LONGEST_GAP_FRAMES = 5

RayMasks = NDArray[np.bool_]
"""bool ``[frame, ray]``, 360 rays."""


class Suspicion(Enum):
    """What may be wrong, the most dangerous first."""

    MISSED = "possible missed calcium"
    GAP = "calcium before and behind, none here"
    DOUBTFUL = "doubtful calcium"


@dataclass(frozen=True)
class FrameToCheck:
    """One frame (0-based) and the arc of each suspicion, degrees, the most dangerous first."""

    frame: int
    suspicions: tuple[tuple[Suspicion, float], ...]

    @property
    def suspicion(self) -> Suspicion:
        """The most dangerous one."""
        return self.suspicions[0][0]

    @property
    def arc_deg(self) -> float:
        """The arc of the most dangerous one."""
        return self.suspicions[0][1]


def frames_to_check(study: IvoctStudy, results: Results) -> tuple[FrameToCheck, ...]:
    """Return the frames to check within the VOI, in order along the pullback."""
    review = study.review
    first, last = review.voi or (0, study.pullback.frame_count - 1)
    gaps = gaps_deg(results.frames)
    settled = review.confirmed_frames | review.edits.keys() | review.excluded.keys()
    found = []
    for frame in sorted(study.predictions):
        if first <= frame <= last and frame not in settled:
            doubt = study.predictions[frame].doubt
            arcs_deg = (
                (Suspicion.MISSED, doubt.missed_deg if doubt else 0.0, LEAST_MISSED_DEG),
                (Suspicion.GAP, gaps[frame], LEAST_GAP_DEG),
                (Suspicion.DOUBTFUL, doubt.doubtful_deg if doubt else 0.0, LEAST_DOUBTFUL_DEG),
            )
            suspicions = tuple((kind, arc) for kind, arc, least in arcs_deg if arc >= least)
            if suspicions:
                found.append(FrameToCheck(frame, suspicions))
    return tuple(found)


def next_to_check(frames: Sequence[FrameToCheck], frame: int) -> int | None:
    """Return the next frame to check after the one on screen; beyond the last, the first again."""
    numbers = [one.frame for one in frames]
    return next((number for number in numbers if number > frame), numbers[0] if numbers else None)


def gaps_deg(frames: Sequence[FrameMeasurement | None]) -> list[float]:
    """Return for every frame the widest arc that has calcium close by on both sides, not here.

    Close by is across up to five frames without it. What lies in the shadow of a guidewire in
    this frame, and frames that were not measured, are no gap.
    """
    rays = [_rays(one) for one in frames]
    nothing = np.zeros(RAYS, dtype=np.bool_)
    calcium = np.array([nothing if one is None else one.calcium for one in rays])
    hidden = np.array([~nothing if one is None else one.shadow for one in rays])
    return [float(degrees) for degrees in widest_run(_between(calcium) & ~hidden)]


def _between(calcium: RayMasks) -> RayMasks:
    """Return where calcium lies on both sides of a run of at most five frames without it."""
    count = np.int32(len(calcium))
    index = np.arange(count, dtype=np.int32)[:, None]
    nowhere = count + LONGEST_GAP_FRAMES
    before = np.maximum.accumulate(np.where(calcium, index, -nowhere), axis=0)
    behind = np.minimum.accumulate(np.where(calcium, index, 2 * nowhere)[::-1], axis=0)[::-1]
    return np.asarray(~calcium & (behind - before - 1 <= LONGEST_GAP_FRAMES))


def widest_run(rays: RayMasks) -> NDArray[np.int16]:
    """Return the longest run of true rays of every frame, round the circle, shape ``(frames,)``."""
    widest = np.zeros(len(rays), dtype=np.int16)
    some = rays.any(axis=1)
    twice = np.concatenate([rays[some], rays[some]], axis=1)
    place = np.arange(1, twice.shape[1] + 1, dtype=np.int16)
    ended = np.maximum.accumulate(np.where(twice, np.int16(0), place), axis=1)
    widest[some] = np.minimum((place - ended).max(axis=1, initial=0), rays.shape[1])
    return widest


@dataclass(frozen=True, eq=False)
class _Rays:
    """Which rays from the lumen's centroid meet calcium, and which a shadow; shape ``(360,)``."""

    calcium: NDArray[np.bool_]
    shadow: NDArray[np.bool_]


_RAYS: WeakKeyDictionary[FrameMeasurement, _Rays] = WeakKeyDictionary()
"""Kept with each measurement: during a drag all frames but one stay what they are."""


def _rays(measured: FrameMeasurement | None) -> _Rays | None:
    if measured is None:
        return None
    known = _RAYS.get(measured)
    if known is None:
        angles = ray_angles_deg()
        known = _Rays(
            sectors_mask(measured.visible_arcs, angles), sectors_mask(measured.shadow_arcs, angles)
        )
        _RAYS[measured] = known
    return known
