"""Frames grouped into lesions, each scored with the guidewire left out and bridged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from calcviewer.core.pullback import Calibration
from calcviewer.core.study import GuidewireDecision
from calcviewer.modalities.ivoct.grouping import (
    FrameRange,
    Frames,
    frame_spacing_mm,
    grouping_rule,
    length_unavailable,
    lesion_ranges,
)
from calcviewer.modalities.ivoct.protocol import Protocol
from calcviewer.modalities.ivoct.quantify import FrameMeasurement
from calcviewer.modalities.ivoct.score import Score, exceeds, fujino

_LENGTH_DECIMALS = 9
"""Lengths are rounded here: 3 x 0.1 mm is 0.3 mm, not a rounding error more."""


@dataclass(frozen=True)
class ScoredArc:
    """The maximum arc of a lesion under one reading of the guidewire, and its score.

    ``max_arc_frame`` is 0-based; both are None when no frame of the lesion has a lumen.
    """

    max_arc_deg: float | None
    max_arc_frame: int | None
    score: Score


@dataclass(frozen=True)
class DecisiveFrame:
    """A frame (0-based) whose correction alone can change the score, and why."""

    frame: int
    reasons: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Margins:
    """Value minus threshold for each criterion; None where the value is missing."""

    arc_visible_deg: float | None
    arc_bridged_deg: float | None
    thickness_mm: float | None
    length_mm: float | None


@dataclass(frozen=True, kw_only=True)
class Lesion:
    """A run of calcified frames.

    Parameters
    ----------
    first_frame, last_frame
        0-based, inclusive.
    grouping
        The rule by which these frames became one lesion, for reports.
    length_mm
        Number of frames times the frame pitch; None when ``length_unavailable`` says why.
    thickness_capped, back_hidden
        Whether the maximum thickness was limited by the cap, and whether the back border cannot
        be seen there.
    mean_thickness_mm, mean_depth_mm, mean_arc_deg, mean_calcium_area_mm2
        Means over the lesion's frames that have the value; the arc is the visible maximum arc.
    calcium_volume_mm3
        Sum of calcium area times the frame pitch.
    visible, bridged
        Maximum arc and score with nothing claimed behind the guidewire, and with it bridged.
    guidewire_decides
        Whether the two scores differ.
    decision
        The operator's answer that holds for every frame with the question; None without one.
    verdict
        The score in force; None while the guidewire decides and nobody has.
    unmeasured_frames
        Frames (0-based) of the lesion that are excluded or not segmented.
    frames_with_calcium_in_shadow
        Frames (0-based) in which calcium was drawn across a guidewire shadow.
    """

    first_frame: int
    last_frame: int
    grouping: str
    length_mm: float | None
    length_unavailable: str
    max_thickness_mm: float | None
    max_thickness_frame: int | None
    thickness_capped: bool
    back_hidden: bool
    mean_thickness_mm: float | None
    min_depth_mm: float | None
    mean_depth_mm: float | None
    mean_arc_deg: float | None
    mean_calcium_area_mm2: float | None
    calcium_volume_mm3: float | None
    visible: ScoredArc
    bridged: ScoredArc
    guidewire_decides: bool
    decision: GuidewireDecision | None
    verdict: Score | None
    margins: Margins
    decisive_frames: tuple[DecisiveFrame, ...]
    unmeasured_frames: tuple[int, ...]
    frames_with_calcium_in_shadow: tuple[int, ...]

    @property
    def frame_range(self) -> FrameRange:
        """First and last frame, 0-based, inclusive: what reviews key a lesion by."""
        return self.first_frame, self.last_frame

    @property
    def frame_count(self) -> int:
        """Number of frames from first to last, inclusive."""
        return self.last_frame - self.first_frame + 1

    @property
    def verdict_text(self) -> str:
        """The score as people read it, e.g. ``"4"`` or ``"guidewire decides: 2 or 4"``."""
        if self.verdict is None:
            return f"guidewire decides: {self.visible.score.text} or {self.bridged.score.text}"
        return self.verdict.text


def find_lesions(
    frames: Frames,
    *,
    calibration: Calibration,
    protocol: Protocol,
    voi: FrameRange | None,
    decisions: Sequence[GuidewireDecision],
    motorised: bool,
) -> tuple[Lesion, ...]:
    """Group calcified frames into lesions and score them.

    Parameters
    ----------
    frames
        One measurement a frame; None for a frame that is excluded or not yet segmented, which
        counts as one without calcium.
    voi
        First and last frame, 0-based, inclusive. Only calcium within it is looked at, and all of
        it is one lesion.
    decisions
        The operator's answers about the guidewire, oldest first.
    motorised
        Whether the frames are evenly spaced along the vessel; without that there is no length.

    Returns
    -------
    Lesions in order of their first frame.
    """
    rule = grouping_rule(calibration, protocol, voi=voi, motorised=motorised)
    unavailable = length_unavailable(calibration, frame_count=len(frames), motorised=motorised)
    pitch_mm = None if unavailable else frame_spacing_mm(calibration, motorised)
    ranges = lesion_ranges(frames, frame_spacing_mm(calibration, motorised), protocol, voi)
    return tuple(
        _lesion(
            _Members(frames, *span),
            grouping=rule,
            unavailable=unavailable,
            pitch_mm=pitch_mm,
            protocol=protocol,
            decisions=decisions,
        )
        for span in ranges
    )


@dataclass(frozen=True, eq=False)
class _Members:
    """The frames of one lesion."""

    frames: Frames
    first: int
    last: int

    @cached_property
    def measured(self) -> list[tuple[int, FrameMeasurement]]:
        """Index and measurement of every measured frame."""
        within = ((i, self.frames[i]) for i in range(self.first, self.last + 1))
        return [(i, frame) for i, frame in within if frame is not None]

    def values(self, of: Callable[[FrameMeasurement], float | None]) -> list[tuple[int, float]]:
        """Return index and value of every frame that has the value."""
        return [(i, value) for i, frame in self.measured if (value := of(frame)) is not None]

    def mean(self, of: Callable[[FrameMeasurement], float | None]) -> float | None:
        """Return the mean of a value over the frames that have it."""
        values = [value for _, value in self.values(of)]
        return sum(values) / len(values) if values else None

    def largest(
        self, of: Callable[[FrameMeasurement], float | None]
    ) -> tuple[int | None, float | None]:
        """Return the first frame with the largest value, and the value."""
        values = self.values(of)
        return max(values, key=lambda entry: entry[1]) if values else (None, None)


def _lesion(
    members: _Members,
    *,
    grouping: str,
    unavailable: str,
    pitch_mm: float | None,
    protocol: Protocol,
    decisions: Sequence[GuidewireDecision],
) -> Lesion:
    """Measure and score one lesion."""
    count = members.last - members.first + 1
    length_mm = None if pitch_mm is None else round(count * pitch_mm, _LENGTH_DECIMALS)
    thickest, thickness_mm = members.largest(lambda frame: frame.max_thickness_mm)
    thickest_frame = None if thickest is None else members.frames[thickest]

    def scored(frame: int | None, arc_deg: float | None) -> ScoredArc:
        score = fujino(
            max_arc_deg=arc_deg,
            max_thickness_mm=thickness_mm,
            length_mm=length_mm,
            protocol=protocol,
        )
        return ScoredArc(arc_deg, frame, score)

    visible = scored(*members.largest(lambda frame: frame.max_arc_deg_visible))
    bridged = scored(*members.largest(lambda frame: frame.max_arc_deg_bridged))
    decides = visible.score.points != bridged.score.points
    asked = _frames_with_guidewire_question(members, protocol) if decides else []
    decision = _decision_for(asked, decisions)
    depths = members.values(lambda frame: frame.min_depth_mm)
    areas = [area for _, area in members.values(lambda frame: frame.calcium_area_mm2)]
    margins = Margins(
        arc_visible_deg=_margin(visible.max_arc_deg, protocol.arc_threshold_deg),
        arc_bridged_deg=_margin(bridged.max_arc_deg, protocol.arc_threshold_deg),
        thickness_mm=_margin(thickness_mm, protocol.thickness_threshold_mm),
        length_mm=_margin(length_mm, protocol.length_threshold_mm),
    )
    return Lesion(
        first_frame=members.first,
        last_frame=members.last,
        grouping=grouping,
        length_mm=length_mm,
        length_unavailable=unavailable,
        max_thickness_mm=thickness_mm,
        max_thickness_frame=thickest,
        thickness_capped=thickest_frame is not None and thickest_frame.thickness_capped,
        back_hidden=thickest_frame is not None and thickest_frame.back_hidden,
        mean_thickness_mm=members.mean(lambda frame: frame.mean_thickness_mm),
        min_depth_mm=min((depth for _, depth in depths), default=None),
        mean_depth_mm=members.mean(lambda frame: frame.mean_depth_mm),
        mean_arc_deg=members.mean(lambda frame: frame.max_arc_deg_visible),
        mean_calcium_area_mm2=sum(areas) / len(areas) if areas else None,
        calcium_volume_mm3=sum(areas) * pitch_mm if areas and pitch_mm is not None else None,
        visible=visible,
        bridged=bridged,
        guidewire_decides=decides,
        decision=decision,
        verdict=_verdict(visible, bridged, decides=decides, decision=decision),
        margins=margins,
        decisive_frames=_decisive_frames(
            members,
            maxima={
                "maximum arc": visible.max_arc_frame,
                "maximum bridged arc": bridged.max_arc_frame if decides else None,
                "maximum thickness": thickest,
            },
            asked=asked,
            protocol=protocol,
            length_margin_mm=margins.length_mm,
        ),
        unmeasured_frames=tuple(
            i for i in range(members.first, members.last + 1) if members.frames[i] is None
        ),
        frames_with_calcium_in_shadow=tuple(
            i for i, frame in members.measured if frame.calcium_in_shadow
        ),
    )


def _margin(value: float | None, threshold: float) -> float | None:
    return None if value is None else value - threshold


def _frames_with_guidewire_question(members: _Members, protocol: Protocol) -> list[int]:
    """Return the frames in which bridging lifts the arc above the threshold."""
    threshold = protocol.arc_threshold_deg
    return [
        i
        for i, frame in members.measured
        if exceeds(frame.max_arc_deg_bridged or 0.0, threshold)
        and not exceeds(frame.max_arc_deg_visible or 0.0, threshold)
    ]


def _decision_for(
    asked: Sequence[int], decisions: Sequence[GuidewireDecision]
) -> GuidewireDecision | None:
    """Return the last decision that was made for every frame with the question.

    A lesion that has since grown into frames nobody was asked about is undecided again.
    """
    if not asked:
        return None
    holding = (
        decision
        for decision in reversed(decisions)
        if decision.first_frame <= asked[0] and asked[-1] <= decision.last_frame
    )
    return next(holding, None)


def _verdict(
    visible: ScoredArc,
    bridged: ScoredArc,
    *,
    decides: bool,
    decision: GuidewireDecision | None,
) -> Score | None:
    """Return the score in force; None while the guidewire decides and nobody has."""
    if not decides:
        return visible.score
    if decision is None:
        return None
    return bridged.score if decision.bridge else visible.score


def _decisive_frames(
    members: _Members,
    *,
    maxima: dict[str, int | None],
    asked: Sequence[int],
    protocol: Protocol,
    length_margin_mm: float | None,
) -> tuple[DecisiveFrame, ...]:
    """Return the frames to review, in order, each with its reasons."""
    reasons: dict[int, list[str]] = {}
    for name, frame in maxima.items():
        if frame is not None:
            reasons.setdefault(frame, []).append(name)
    for index in asked:
        reasons.setdefault(index, []).append("guidewire decides")
    for index, near in _near_thresholds(members, protocol):
        reasons.setdefault(index, []).append(near)
    near_length = length_margin_mm is not None and abs(length_margin_mm) <= (
        protocol.length_margin_mm
    )
    ending = ", length near its threshold" if near_length else ""
    reasons.setdefault(members.first, []).append(f"first frame of the lesion{ending}")
    reasons.setdefault(members.last, []).append(f"last frame of the lesion{ending}")
    return tuple(DecisiveFrame(index, tuple(reasons[index])) for index in sorted(reasons))


def _near_thresholds(members: _Members, protocol: Protocol) -> list[tuple[int, str]]:
    """Return the frames near a threshold that no other frame of the lesion settles.

    Where the lesion's maximum lies beyond the margin, correcting a smaller value cannot change
    the score.
    """
    criteria: tuple[tuple[str, Callable[[FrameMeasurement], float | None], float, float], ...] = (
        (
            "arc near its threshold",
            lambda frame: frame.max_arc_deg_visible,
            protocol.arc_threshold_deg,
            protocol.arc_margin_deg,
        ),
        (
            "arc near its threshold",
            lambda frame: frame.max_arc_deg_bridged,
            protocol.arc_threshold_deg,
            protocol.arc_margin_deg,
        ),
        (
            "thickness near its threshold",
            lambda frame: frame.max_thickness_mm,
            protocol.thickness_threshold_mm,
            protocol.thickness_margin_mm,
        ),
    )
    near: dict[tuple[int, str], None] = {}
    for reason, value_of, threshold, margin in criteria:
        values = members.values(value_of)
        settled = any(value - threshold > margin for _, value in values)
        if not settled:
            near |= {(i, reason): None for i, value in values if abs(value - threshold) <= margin}
    return list(near)
