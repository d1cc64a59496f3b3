"""The lumen along the vessel: minimum area, references, stenosis, frames to doubt."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from operator import itemgetter

import numpy as np

from calcviewer.core.pullback import Calibration
from calcviewer.modalities.ivoct.grouping import FrameRange, Frames, length_unavailable
from calcviewer.modalities.ivoct.protocol import Protocol


@dataclass(frozen=True)
class LumenAt:
    """A lumen area (mm2) and the frame (0-based) that has it."""

    frame: int
    area_mm2: float


@dataclass(frozen=True, kw_only=True)
class VesselSummary:
    """The lumen of the VOI or lesion and of its neighbourhood.

    Parameters
    ----------
    minimum_lumen
        The minimum lumen area (MLA); None when no lumen area is known.
    distal_reference, proximal_reference
        The largest lumen on each side. Frames run from distal to proximal, as a pullback does.
    references_unavailable
        Why there are no references; empty when there are.
    jump_frames
        Frames (0-based) whose lumen area differs from both neighbours by more than the
        protocol's part: a side branch, or a contour to correct.
    """

    minimum_lumen: LumenAt | None
    distal_reference: LumenAt | None
    proximal_reference: LumenAt | None
    references_unavailable: str
    jump_frames: tuple[int, ...]

    @property
    def reference(self) -> LumenAt | None:
        """The larger of the two references."""
        sides = [side for side in (self.distal_reference, self.proximal_reference) if side]
        return max(sides, key=lambda side: side.area_mm2, default=None)

    @property
    def area_stenosis_percent(self) -> float | None:
        """(reference - MLA) / reference, percent."""
        if self.minimum_lumen is None or self.reference is None:
            return None
        reference_mm2 = self.reference.area_mm2
        return 100 * (reference_mm2 - self.minimum_lumen.area_mm2) / reference_mm2


def summarise_vessel(
    frames: Frames,
    *,
    calibration: Calibration,
    protocol: Protocol,
    region: FrameRange | None,
    motorised: bool,
) -> VesselSummary:
    """Summarise the lumen (formulae after PMC7666937, table 1).

    Parameters
    ----------
    region
        The VOI or lesion, 0-based, inclusive: the MLA is looked for in it, the references
        outside it. None: the MLA of the whole pullback, and no reference.
    """
    first, last = region or (0, len(frames) - 1)
    area_mm2, frame = min(_lumens(frames, range(first, last + 1)), default=(0.0, None))
    minimum = None if frame is None else LumenAt(frame, area_mm2)
    unavailable = length_unavailable(calibration, frame_count=len(frames), motorised=motorised)
    if region is None:
        unavailable = "no lesion and no volume of interest"
    distal = proximal = None
    if not unavailable and calibration.frame_pitch_mm is not None:
        # The reach is rounded for 100 frames at 0.1 mm to lie within 10 mm.
        reach = int(protocol.reference_reach_mm / calibration.frame_pitch_mm.value + 1e-9)
        distal = _largest(frames, range(first - reach, first))
        proximal = _largest(frames, range(last + 1, last + 1 + reach))
    return VesselSummary(
        minimum_lumen=minimum,
        distal_reference=distal,
        proximal_reference=proximal,
        references_unavailable=unavailable,
        jump_frames=jump_frames(frames, protocol),
    )


def jump_frames(frames: Frames, protocol: Protocol) -> tuple[int, ...]:
    """Return the frames (0-based) whose lumen area jumps against both neighbours."""
    areas_mm2 = np.array(
        [
            nan if frame is None or frame.lumen_area_mm2 is None else frame.lumen_area_mm2
            for frame in frames
        ]
    )
    before, areas, after = areas_mm2[:-2], areas_mm2[1:-1], areas_mm2[2:]
    jumps = (abs(areas - before) > protocol.lumen_jump * before) & (
        abs(areas - after) > protocol.lumen_jump * after
    )
    return tuple(int(index) + 1 for index in np.flatnonzero(jumps))


def _lumens(frames: Frames, indices: range) -> list[tuple[float, int]]:
    """Return known lumen areas with their frames; indices beyond the pullback are left out."""
    within = range(max(indices.start, 0), min(indices.stop, len(frames)))
    measured = ((index, frames[index]) for index in within)
    return [
        (frame.lumen_area_mm2, index)
        for index, frame in measured
        if frame is not None and frame.lumen_area_mm2 is not None
    ]


def _largest(frames: Frames, indices: range) -> LumenAt | None:
    lumens = _lumens(frames, indices)
    if not lumens:
        return None
    area_mm2, frame = max(lumens, key=itemgetter(0))  # the first of equal ones
    return LumenAt(frame, area_mm2)
