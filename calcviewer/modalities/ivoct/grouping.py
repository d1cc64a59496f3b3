"""Which frames belong together as a lesion, and whether there is a length along the vessel."""

from __future__ import annotations

from collections.abc import Sequence

from calcviewer.core.pullback import Calibration
from calcviewer.modalities.ivoct.protocol import Protocol
from calcviewer.modalities.ivoct.quantify import FrameMeasurement
from calcviewer.modalities.ivoct.score import exceeds

Frames = Sequence[FrameMeasurement | None]
"""One measurement a frame; None for a frame that is excluded or not yet segmented."""
FrameRange = tuple[int, int]
"""First and last frame, 0-based, inclusive."""


def length_unavailable(calibration: Calibration, *, frame_count: int, motorised: bool) -> str:
    """Return why no length along the vessel can be given; empty when it can."""
    if frame_count < 2:
        return "a single frame has no length"
    if not motorised:
        return "length needs a motorised pullback"
    return "" if calibration.frame_pitch_mm else "the frame pitch is unknown"


def grouping_rule(
    calibration: Calibration,
    protocol: Protocol,
    *,
    voi: FrameRange | None,
    motorised: bool,
) -> str:
    """Return, in words, how calcified frames become lesions."""
    if voi is not None:
        return f"all calcium within the volume of interest, frames {voi[0] + 1} to {voi[1] + 1}"
    if frame_spacing_mm(calibration, motorised) is not None:
        return f"calcified frames less than {protocol.lesion_gap_mm:g} mm apart"
    reason = "frame pitch unknown" if motorised else "no motorised pullback"
    return f"calcified frames less than {protocol.lesion_gap_frames} frames apart ({reason})"


def frame_spacing_mm(calibration: Calibration, motorised: bool) -> float | None:
    """Return the mm between frames; None where frames have no known place along the vessel."""
    pitch = calibration.frame_pitch_mm
    return pitch.value if pitch is not None and motorised else None


def lesion_ranges(
    frames: Frames, pitch_mm: float | None, protocol: Protocol, voi: FrameRange | None
) -> list[FrameRange]:
    """Return first and last frame of every lesion, 0-based, inclusive.

    Parameters
    ----------
    pitch_mm
        Distance between frames; None: the protocol's gap in frames is used.
    """
    calcified = [i for i, frame in enumerate(frames) if frame is not None and frame.calcified]
    if voi is not None:
        within = [i for i in calcified if voi[0] <= i <= voi[1]]
        return [(within[0], within[-1])] if within else []
    ranges: list[FrameRange] = []
    for index in calcified:
        if ranges and _joins(index - ranges[-1][1] - 1, pitch_mm, protocol):
            ranges[-1] = (ranges[-1][0], index)
        else:
            ranges.append((index, index))
    return ranges


def _joins(gap_frames: int, pitch_mm: float | None, protocol: Protocol) -> bool:
    """Whether runs of calcified frames with this many frames between them are one lesion."""
    if gap_frames == 0:
        return True
    if pitch_mm is None:
        return gap_frames < protocol.lesion_gap_frames
    return exceeds(protocol.lesion_gap_mm, gap_frames * pitch_mm)
