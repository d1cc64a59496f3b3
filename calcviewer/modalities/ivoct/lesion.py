"""Frames grouped into lesions, each scored with the guidewire left out and bridged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from typing import Literal

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

_Value = Literal[
    "max_arc_deg_visible",
    "max_arc_deg_bridged",
    "max_thickness_mm",
    "mean_thickness_mm",
    "min_depth_mm",
    "mean_depth_mm",
    "calcium_area_mm2",
]
"""What a frame's measurement may have, by the name of its attribute."""
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
            _Members(frames, *span, pitch_mm, protocol),
            grouping=rule,
            unavailable=unavailable,
            decisions=decisions,
        )
        for span in ranges
    )


@dataclass(frozen=True, eq=False)
class _Members:
    """The frames of one lesion, and what they alone say about it."""

    frames: Frames
    first: int
    last: int
    pitch_mm: float | None
    protocol: Protocol

    @cached_property
    def measured(self) -> list[tuple[int, FrameMeasurement]]:
        """Index and measurement of every measured frame."""
        within = ((i, self.frames[i]) for i in range(self.first, self.last + 1))
        return [(i, frame) for i, frame in within if frame is not None]

    @property
    def unmeasured(self) -> tuple[int, ...]:
        """Index of every frame that is excluded or not segmented."""
        return tuple(i for i in range(self.first, self.last + 1) if self.frames[i] is None)

    def values(self, name: _Value) -> list[tuple[int, float]]:
        """Return index and value of every frame that has the value."""
        of = attrgetter(name)
        return [(i, value) for i, frame in self.measured if (value := of(frame)) is not None]

    def mean(self, name: _Value) -> float | None:
        """Return the mean of a value over the frames that have it."""
        values = [value for _, value in self.values(name)]
        return sum(values) / len(values) if values else None

    def largest(self, name: _Value) -> tuple[int | None, float | None]:
        """Return the first frame with the largest value, and the value."""
        values = self.values(name)
        return max(values, key=lambda entry: entry[1]) if values else (None, None)

    @property
    def length_mm(self) -> float | None:
        """Number of frames times the frame pitch; None without a pitch."""
        if self.pitch_mm is None:
            return None
        return round((self.last - self.first + 1) * self.pitch_mm, _LENGTH_DECIMALS)

    @property
    def volume_mm3(self) -> float | None:
        """Sum of calcium area times the frame pitch; None where either is unknown."""
        areas = self.values("calcium_area_mm2")
        if not areas or self.pitch_mm is None:
            return None
        return sum(area for _, area in areas) * self.pitch_mm

    @cached_property
    def thickest(self) -> tuple[int | None, float | None]:
        """The first frame with the maximum thickness, and that thickness in mm."""
        return self.largest("max_thickness_mm")

    @cached_property
    def visible(self) -> ScoredArc:
        """Maximum arc and score with nothing claimed behind the guidewire."""
        return self._scored("max_arc_deg_visible")

    @cached_property
    def bridged(self) -> ScoredArc:
        """Maximum arc and score with the guidewire bridged."""
        return self._scored("max_arc_deg_bridged")

    def _scored(self, arc: _Value) -> ScoredArc:
        frame, arc_deg = self.largest(arc)
        score = fujino(
            max_arc_deg=arc_deg,
            max_thickness_mm=self.thickest[1],
            length_mm=self.length_mm,
            protocol=self.protocol,
        )
        return ScoredArc(arc_deg, frame, score)

    @property
    def guidewire_decides(self) -> bool:
        """Whether the score depends on what is behind the guidewire."""
        return self.visible.score.points != self.bridged.score.points

    @cached_property
    def asked(self) -> list[int]:
        """Where the guidewire decides: the frames that bridging lifts above the arc's threshold."""
        if not self.guidewire_decides:
            return []
        threshold = self.protocol.arc_threshold_deg
        visible_deg = dict(self.values("max_arc_deg_visible"))
        return [
            i
            for i, arc_deg in self.values("max_arc_deg_bridged")
            if exceeds(arc_deg, threshold) and not exceeds(visible_deg[i], threshold)
        ]


def _lesion(
    members: _Members,
    *,
    grouping: str,
    unavailable: str,
    decisions: Sequence[GuidewireDecision],
) -> Lesion:
    """Measure and score one lesion."""
    thickest, thickness_mm = members.thickest
    thickest_frame = None if thickest is None else members.frames[thickest]
    depths = members.values("min_depth_mm")
    decision = _decision_for(members.asked, decisions)
    return Lesion(
        first_frame=members.first,
        last_frame=members.last,
        grouping=grouping,
        length_mm=members.length_mm,
        length_unavailable=unavailable,
        max_thickness_mm=thickness_mm,
        max_thickness_frame=thickest,
        thickness_capped=thickest_frame is not None and thickest_frame.thickness_capped,
        back_hidden=thickest_frame is not None and thickest_frame.back_hidden,
        mean_thickness_mm=members.mean("mean_thickness_mm"),
        min_depth_mm=min((depth for _, depth in depths), default=None),
        mean_depth_mm=members.mean("mean_depth_mm"),
        mean_arc_deg=members.mean("max_arc_deg_visible"),
        mean_calcium_area_mm2=members.mean("calcium_area_mm2"),
        calcium_volume_mm3=members.volume_mm3,
        visible=members.visible,
        bridged=members.bridged,
        guidewire_decides=members.guidewire_decides,
        decision=decision,
        verdict=_verdict(members, decision),
        margins=_margins(members),
        decisive_frames=_decisive_frames(members),
        unmeasured_frames=members.unmeasured,
        frames_with_calcium_in_shadow=tuple(
            i for i, frame in members.measured if frame.calcium_in_shadow
        ),
    )


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


def _verdict(members: _Members, decision: GuidewireDecision | None) -> Score | None:
    """Return the score in force; None while the guidewire decides and nobody has."""
    if not members.guidewire_decides:
        return members.visible.score
    if decision is None:
        return None
    return members.bridged.score if decision.bridge else members.visible.score


def _margins(members: _Members) -> Margins:
    def margin(value: float | None, threshold: float) -> float | None:
        return None if value is None else value - threshold

    protocol = members.protocol
    return Margins(
        arc_visible_deg=margin(members.visible.max_arc_deg, protocol.arc_threshold_deg),
        arc_bridged_deg=margin(members.bridged.max_arc_deg, protocol.arc_threshold_deg),
        thickness_mm=margin(members.thickest[1], protocol.thickness_threshold_mm),
        length_mm=margin(members.length_mm, protocol.length_threshold_mm),
    )


def _decisive_frames(members: _Members) -> tuple[DecisiveFrame, ...]:
    """Return the frames to review, in order, each with its reasons."""
    maxima = {
        "maximum arc": members.visible.max_arc_frame,
        "maximum bridged arc": members.bridged.max_arc_frame if members.guidewire_decides else None,
        "maximum thickness": members.thickest[0],
    }
    reasons: dict[int, list[str]] = {}
    for name, frame in maxima.items():
        if frame is not None:
            reasons.setdefault(frame, []).append(name)
    for index in members.asked:
        reasons.setdefault(index, []).append("guidewire decides")
    for index, near in _near_thresholds(members):
        reasons.setdefault(index, []).append(near)
    length_margin_mm, protocol = _margins(members).length_mm, members.protocol
    near_length = (
        length_margin_mm is not None and abs(length_margin_mm) <= protocol.length_margin_mm
    )
    ending = ", length near its threshold" if near_length else ""
    reasons.setdefault(members.first, []).append(f"first frame of the lesion{ending}")
    reasons.setdefault(members.last, []).append(f"last frame of the lesion{ending}")
    return tuple(DecisiveFrame(index, tuple(reasons[index])) for index in sorted(reasons))


def _near_thresholds(members: _Members) -> list[tuple[int, str]]:
    """Return the frames near a threshold that no other frame of the lesion settles.

    Where the lesion's maximum lies beyond the margin, correcting a smaller value cannot change
    the score.
    """
    protocol = members.protocol
    arc = protocol.arc_threshold_deg, protocol.arc_margin_deg
    thickness = protocol.thickness_threshold_mm, protocol.thickness_margin_mm
    criteria: tuple[tuple[str, _Value, tuple[float, float]], ...] = (
        ("arc near its threshold", "max_arc_deg_visible", arc),
        ("arc near its threshold", "max_arc_deg_bridged", arc),
        ("thickness near its threshold", "max_thickness_mm", thickness),
    )
    near: dict[tuple[int, str], None] = {}
    for reason, name, (threshold, margin) in criteria:
        values = members.values(name)
        settled = any(value - threshold > margin for _, value in values)
        if not settled:
            near |= {(i, reason): None for i, value in values if abs(value - threshold) <= margin}
    return list(near)
