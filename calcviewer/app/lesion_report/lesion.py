"""One lesion as the report prints it: score, components, guidewire verdict, key frames."""

from __future__ import annotations

from calcviewer.app.lesion_report.context import (
    ReportContext,
    at_frame,
    frame_list,
    lumen_at,
    number,
)
from calcviewer.app.lesion_report.key_frames import key_frames
from calcviewer.app.results import Results
from calcviewer.modalities.ivoct.lesion import Lesion, ScoredArc
from calcviewer.modalities.ivoct.protocol import Protocol
from calcviewer.modalities.ivoct.score import ARC_POINTS, Score, score_probabilities
from calcviewer.report.content import NOTHING, Criterion, KeyFrame, LesionSection, Row, Standing

_MINUS = "−"


def lesion_section(lesion: Lesion, place: int, context: ReportContext) -> LesionSection:
    """Return a lesion as it is printed; ``place`` counts the lesions from 1 along the pullback."""
    review = context.study.review
    comments = tuple(
        f"Comment on frame {frame + 1}: {words}"
        for frame, words in sorted(review.comments.items())
        if lesion.first_frame <= frame <= lesion.last_frame
    )
    return LesionSection(
        number=place,
        first_frame=lesion.first_frame,
        last_frame=lesion.last_frame,
        reviewed=lesion.frame_range in review.confirmed_lesions,
        score=score_text(lesion),
        verdict=_expansion(lesion),
        criteria=_criteria(lesion, context.study.protocol),
        guidewire=guidewire_text(lesion, context.results),
        guidewire_decides=lesion.guidewire_decides and lesion.decision is None,
        probability=probability(lesion, context),
        missing=missing_parts(lesion),
        measurements=_measurements(lesion, context),
        key_frames=_key_frames(lesion, context),
        comments=comments,
    )


# --- score ---------------------------------------------------------------------------------------


def score_text(lesion: Lesion) -> str:
    """Return the score as it is printed large: "4", "2–3" or "2 or 4"."""
    if lesion.verdict is not None:
        return _short(lesion.verdict)
    return f"{_short(lesion.visible.score)} or {_short(lesion.bridged.score)}"


def _short(score: Score) -> str:
    return str(score.total) if score.total is not None else f"{score.lowest}–{score.highest}"


def in_force(lesion: Lesion) -> ScoredArc:
    """Return the arc that counts: the bridged one only when an operator said so."""
    bridge = lesion.decision is not None and lesion.decision.bridge
    return lesion.bridged if bridge else lesion.visible


def _expansion(lesion: Lesion) -> str:
    if lesion.verdict is not None:
        return lesion.verdict.expansion
    both = {lesion.visible.score.expansion, lesion.bridged.score.expansion}
    return both.pop() if len(both) == 1 else ""


def probability(lesion: Lesion, context: ReportContext) -> str:
    """Return how probable each score is under the model's measured error; empty without one."""
    if lesion.verdict is None:
        return ""
    parts = score_probabilities(
        max_arc_deg=in_force(lesion).max_arc_deg,
        max_thickness_mm=lesion.max_thickness_mm,
        length_mm=lesion.length_mm,
        protocol=context.study.protocol,
        error=context.error,
    )
    if not parts:
        return ""
    likely = sorted(parts.items(), key=lambda item: -item[1])
    shown = [f"{total} ({100 * part:.0f} %)" for total, part in likely if part >= 0.005]
    return "score " + ", ".join(shown)


def _criteria(lesion: Lesion, protocol: Protocol) -> tuple[Criterion, ...]:
    thickness_points = lesion.visible.score.points.thickness
    length_points = lesion.visible.score.points.length
    return (
        *_arc_criteria(lesion, protocol),
        Criterion(
            name="Maximum thickness",
            value=("≥ " if lesion.thickness_capped else "") + number(lesion.max_thickness_mm, "mm"),
            threshold=f"> {protocol.thickness_threshold_mm:g} mm",
            margin=_signed(lesion.margins.thickness_mm, "mm", 2),
            points=_points(thickness_points, 1),
            standing=_standing(thickness_points),
            where=at_frame(lesion.max_thickness_frame),
            note=_thickness_note(lesion),
        ),
        Criterion(
            name="Length",
            value=number(lesion.length_mm, "mm"),
            threshold=f"> {protocol.length_threshold_mm:g} mm",
            margin=_signed(lesion.margins.length_mm, "mm", 2),
            points=_points(length_points, 1),
            standing=_standing(length_points),
            where=f"{lesion.frame_count} frames" if lesion.frame_count > 1 else "1 frame",
        ),
    )


def _arc_criteria(lesion: Lesion, protocol: Protocol) -> list[Criterion]:
    """Return both arcs: as one line while they are the same, else as two."""
    same = lesion.visible.max_arc_deg == lesion.bridged.max_arc_deg
    chosen = in_force(lesion)
    undecided = lesion.guidewire_decides and lesion.decision is None
    readings = (
        ("visible", lesion.visible, lesion.margins.arc_visible_deg),
        ("bridged", lesion.bridged, lesion.margins.arc_bridged_deg),
    )
    lines = []
    for reading, scored, margin in readings[:1] if same else readings:
        points = scored.score.points.arc
        standing = _standing(points) if scored is chosen else Standing.ASIDE
        lines.append(
            Criterion(
                name="Maximum arc" if same else f"Maximum arc, {reading}",
                value=number(scored.max_arc_deg, "°", 0),
                threshold=f"> {protocol.arc_threshold_deg:g}°",
                margin=_signed(margin, "°", 0),
                points=_points(points, ARC_POINTS),
                standing=Standing.OPEN if undecided else standing,
                where=at_frame(scored.max_arc_frame),
                note="the same visible and bridged" if same else "",
            )
        )
    return lines


def _points(points: int | None, worth: int) -> str:
    return f"{NOTHING if points is None else points} of {worth}"


def _standing(points: int | None) -> Standing:
    if points is None:
        return Standing.OPEN
    return Standing.SCORES if points else Standing.ZERO


def _signed(margin: float | None, unit: str, decimals: int) -> str:
    """Return a margin with its sign; one that rounds to zero keeps the side it is on."""
    if margin is None:
        return NOTHING
    sign = _MINUS if margin < 0 else "+" if margin > 0 else ""
    return sign + number(abs(margin), unit, decimals)


def _thickness_note(lesion: Lesion) -> str:
    if lesion.thickness_capped:
        return "capped: the back border is not visible"
    return "the back border is not visible" if lesion.back_hidden else ""


def guidewire_text(lesion: Lesion, results: Results) -> str:
    """Return what the guidewire shadow does to the score, and who decided."""
    visible, bridged = _short(lesion.visible.score), _short(lesion.bridged.score)
    frames = results.frames[lesion.first_frame : lesion.last_frame + 1]
    if not lesion.guidewire_decides:
        shadowed = any(frame is not None and frame.shadow_arcs for frame in frames)
        words = (
            f"The guidewire does not decide: score {visible} visible, {bridged} bridged."
            if shadowed
            else "No guidewire shadow in this lesion."
        )
    elif lesion.decision is None:
        words = (
            f"Guidewire decides: {visible} or {bridged}. Score {visible} with nothing claimed "
            f"behind the wire, {bridged} with its shadow bridged; no operator has decided."
        )
    else:
        choice = "bridged" if lesion.decision.bridge else "not bridged"
        words = (
            f"The guidewire decides ({visible} visible, {bridged} bridged): {choice}, decided by "
            f"{lesion.decision.operator or 'an operator'}, {lesion.decision.when}."
        )
    drawn = lesion.frames_with_calcium_in_shadow
    if drawn:
        words += f" Calcium is drawn across the shadow in {frame_list(drawn)}."
    return words


def missing_parts(lesion: Lesion) -> tuple[str, ...]:
    """Return, for each component without a value, why."""
    points = in_force(lesion).score.points
    missing = []
    if points.arc is None:
        missing.append("Arc unavailable: no frame of the lesion has a lumen.")
    if points.thickness is None:
        missing.append("Thickness unavailable: the sample spacing or the lumen is unknown.")
    if points.length is None:
        missing.append(f"Length unavailable: {lesion.length_unavailable}.")
    if lesion.unmeasured_frames:
        missing.append(
            f"Not measured within the lesion: {frame_list(lesion.unmeasured_frames)} "
            "(excluded, failed or not segmented)."
        )
    return tuple(missing)


# --- measurements --------------------------------------------------------------------------------


def _measurements(lesion: Lesion, context: ReportContext) -> tuple[Row, ...]:
    vessel = context.vessel(lesion.frame_range)
    quadrants = most_quadrants(lesion, context.results)
    return (
        Row("Length", number(lesion.length_mm, "mm")),
        Row("Arc visible, max", number(lesion.visible.max_arc_deg, "°", 1)),
        Row("Arc bridged, max", number(lesion.bridged.max_arc_deg, "°", 1)),
        Row("Arc visible, mean", number(lesion.mean_arc_deg, "°", 1)),
        Row("Quadrants, max", NOTHING if quadrants is None else str(quadrants)),
        Row("Thickness, max", number(lesion.max_thickness_mm, "mm")),
        Row("Thickness, mean", number(lesion.mean_thickness_mm, "mm")),
        Row("Depth, min", number(lesion.min_depth_mm, "mm")),
        Row("Depth, mean", number(lesion.mean_depth_mm, "mm")),
        Row("Calcium volume", number(lesion.calcium_volume_mm3, "mm³")),
        Row("Lumen, min", *lumen_at(vessel.minimum_lumen)),
        Row("Reference, distal", *lumen_at(vessel.distal_reference)),
        Row("Reference, proximal", *lumen_at(vessel.proximal_reference)),
        Row("Area stenosis", number(vessel.area_stenosis_percent, "%", 0)),
        Row("Calcium area, mean", number(lesion.mean_calcium_area_mm2, "mm²")),
    )


def most_quadrants(lesion: Lesion, results: Results) -> int | None:
    """Return the largest number of quadrants with calcium in a frame; None without a lumen."""
    frames = results.frames[lesion.first_frame : lesion.last_frame + 1]
    return max(
        (frame.quadrants for frame in frames if frame is not None and frame.quadrants),
        default=None,
    )


def _key_frames(lesion: Lesion, context: ReportContext) -> tuple[KeyFrame, ...]:
    """Return the frames the score rests on; one that is several things is printed once."""
    minimum = context.vessel(lesion.frame_range).minimum_lumen
    wanted: list[tuple[str, int | None]] = [
        ("Maximum arc", in_force(lesion).max_arc_frame),
        ("Maximum bridged arc", lesion.bridged.max_arc_frame if lesion.guidewire_decides else None),
        ("Maximum thickness", lesion.max_thickness_frame),
        ("MLA", minimum.frame if minimum else None),
        ("First frame", lesion.first_frame),
        ("Last frame", lesion.last_frame),
    ]
    titles: dict[int, list[str]] = {}
    for title, frame in wanted:
        if frame is not None:
            titles.setdefault(frame, []).append(title)
    bridge = in_force(lesion) is lesion.bridged
    return key_frames(titles, context, bridge=bridge)
