"""The numbers of panels as texts and rows, without a window."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from calcviewer.app.lesion_report.lesion import in_force, score_text
from calcviewer.app.results import Results
from calcviewer.app.review import lesion_in_view
from calcviewer.modalities.ivoct.lesion import Lesion, ScoredArc
from calcviewer.modalities.ivoct.protocol import Protocol
from calcviewer.modalities.ivoct.quantify import FrameMeasurement
from calcviewer.modalities.ivoct.score import MeasuredError, score_probabilities

NOTHING = "—"
LENGTH_NEAR = ", length near its threshold"
_MINUS = "−"
_LEAST_PART = 0.005

Criterion = Literal["arc", "visible arc", "bridged arc", "thickness", "length"]


@dataclass(frozen=True, kw_only=True)
class CriterionRow:
    """One criterion of the score as a panel shows it.

    Parameters
    ----------
    near
        Whether the value lies within the protocol's margin of its threshold.
    counts
        Whether the points are part of the score in force; of two arcs one is aside, and both are
        while nobody has decided about the guidewire.
    frame
        The frame (0-based) that has the value.
    """

    criterion: Criterion
    value: str
    threshold: str
    margin: str
    near: bool
    points: int | None
    counts: bool
    frame: int | None


def number(value: float | None, unit: str = "", decimals: int = 2) -> str:
    """Return a value with its unit; a dash when there is none."""
    if value is None:
        return NOTHING
    space = "" if unit in ("", "°") else " "
    return f"{value:.{decimals}f}{space}{unit}"


def criterion_rows(lesion: Lesion, protocol: Protocol) -> tuple[CriterionRow, ...]:
    """Return the criteria of a lesion: both arcs only where they score differently."""
    points = in_force(lesion).score.points
    thickness = _row(
        "thickness",
        (lesion.max_thickness_mm, protocol.thickness_threshold_mm, lesion.margins.thickness_mm),
        near=protocol.thickness_margin_mm,
        unit="mm",
        points=points.thickness,
        frame=lesion.max_thickness_frame,
        prefix="≥ " if lesion.thickness_capped else "",
    )
    length = _row(
        "length",
        (lesion.length_mm, protocol.length_threshold_mm, lesion.margins.length_mm),
        near=protocol.length_margin_mm,
        unit="mm",
        points=points.length,
        frame=lesion.first_frame,
    )
    return (*_arc_rows(lesion, protocol), thickness, length)


def _arc_rows(lesion: Lesion, protocol: Protocol) -> list[CriterionRow]:
    readings: list[tuple[Criterion, ScoredArc, float | None]] = [
        ("visible arc", lesion.visible, lesion.margins.arc_visible_deg),
        ("bridged arc", lesion.bridged, lesion.margins.arc_bridged_deg),
    ]
    if not lesion.guidewire_decides:
        readings = [("arc", lesion.visible, lesion.margins.arc_visible_deg)]
    undecided = lesion.guidewire_decides and lesion.decision is None
    return [
        _row(
            criterion,
            (scored.max_arc_deg, protocol.arc_threshold_deg, margin),
            near=protocol.arc_margin_deg,
            unit="°",
            points=scored.score.points.arc,
            frame=scored.max_arc_frame,
            counts=scored is in_force(lesion) and not undecided,
        )
        for criterion, scored, margin in readings
    ]


def _row(
    criterion: Criterion,
    value_threshold_margin: tuple[float | None, float, float | None],
    *,
    near: float,
    unit: str,
    points: int | None,
    frame: int | None,
    prefix: str = "",
    counts: bool = True,
) -> CriterionRow:
    value, threshold, margin = value_threshold_margin
    decimals = 0 if unit == "°" else 2
    degrees = "°" if unit == "°" else ""  # mm stand beside the value
    return CriterionRow(
        criterion=criterion,
        value=prefix + number(value, unit, decimals) if value is not None else NOTHING,
        threshold=f"{'>' if points or points is None else '≤'} {threshold:g}{degrees}",
        margin=signed(margin, degrees, decimals),
        near=margin is not None and abs(margin) <= near,
        points=points,
        counts=counts and points is not None,
        frame=frame,
    )


def signed(margin: float | None, unit: str, decimals: int) -> str:
    """Return a margin with its sign; one that rounds to zero keeps the side it is on."""
    if margin is None:
        return ""
    sign = _MINUS if margin < 0 else "+" if margin > 0 else ""
    return sign + number(abs(margin), unit, decimals)


def lesion_before_and_after(
    before: Results, after: Results, frame: int
) -> tuple[Lesion | None, Lesion | None]:
    """Return a lesion as it was and as it is: that of a frame, else the most severe one."""
    was, here = _lesion_at(before, frame), _lesion_at(after, frame)
    if was is None and here is None:
        was = lesion_in_view(before, frame)
    if was is not None:
        return was, _most_shared(after, was)
    return (None if here is None else _most_shared(before, here)), here


def _lesion_at(results: Results, frame: int) -> Lesion | None:
    held = (one for one in results.lesions if one.first_frame <= frame <= one.last_frame)
    return next(held, None)


def _most_shared(results: Results, lesion: Lesion) -> Lesion | None:
    """Return the lesion that has most frames in common with one of other results."""

    def shared(one: Lesion) -> int:
        first = max(one.first_frame, lesion.first_frame)
        return min(one.last_frame, lesion.last_frame) - first + 1

    best = max(results.lesions, key=shared, default=None)
    return best if best is not None and shared(best) > 0 else None


def changed_words(before: Lesion | None, after: Lesion | None) -> tuple[str, bool]:
    """Return what an edit changed in a lesion as people read it, and whether its score did.

    Empty when nothing changed that a panel shows.
    """
    if before is None or after is None:
        if before is after:
            return "", False
        lesion, words = (before, "lesion gone") if after is None else (after, "new lesion")
        assert lesion is not None
        return f"{words}: score {score_text(lesion)}", True
    scores = _moved("score", score_text(before), score_text(after))
    values = [
        _moved("arc", *(number(in_force(one).max_arc_deg, "°", 0) for one in (before, after))),
        _moved("thickness", *(_thickness(one) for one in (before, after))),
        _moved("length", *(number(one.length_mm, "mm") for one in (before, after))),
    ]
    reasons = ", ".join(value for value in values if value)
    parts = [part for part in (scores, reasons) if part]
    return ": ".join(parts), bool(scores)


def _thickness(lesion: Lesion) -> str:
    return ("≥ " if lesion.thickness_capped else "") + number(lesion.max_thickness_mm, "mm")


def _moved(name: str, before: str, after: str) -> str:
    return f"{name} {before} → {after}" if before != after else ""


def likely_scores(
    lesion: Lesion, protocol: Protocol, error: MeasuredError | None
) -> tuple[tuple[int, float], ...]:
    """Return scores with their probability, the likeliest first; empty without a measured error."""
    if lesion.verdict is None:
        return ()
    parts: Mapping[int, float] | None = score_probabilities(
        max_arc_deg=in_force(lesion).max_arc_deg,
        max_thickness_mm=lesion.max_thickness_mm,
        length_mm=lesion.length_mm,
        protocol=protocol,
        error=error,
    )
    ordered = sorted((parts or {}).items(), key=lambda item: -item[1])
    return tuple((total, part) for total, part in ordered if part >= _LEAST_PART)


def decisive_value(frame: FrameMeasurement | None, reasons: Sequence[str]) -> str:
    """Return what a decisive frame's correction would change: its arc, its thickness, or both."""
    if frame is None:
        return NOTHING
    words = " ".join(reasons)
    bridged = "bridged" in words or "guidewire" in words
    arc_deg = frame.max_arc_deg_bridged if bridged else frame.max_arc_deg_visible
    arc, thickness = number(arc_deg, "°", 0), number(frame.max_thickness_mm, "mm")
    if "thickness" not in words:
        return arc
    return f"{arc} · {thickness}" if bridged or "arc" in words else thickness


def split_reason(reason: str) -> tuple[str, bool]:
    """Return a decisive reason without its remark on the length, and whether it had one."""
    words, comma, _ = reason.partition(LENGTH_NEAR)
    return words, bool(comma)


def frame_range(first: int, last: int) -> str:
    """Return frames (0-based, inclusive) as people read them."""
    return f"{first + 1}" if first == last else f"{first + 1}–{last + 1}"
