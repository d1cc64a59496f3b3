"""Measured values as rows that report, CSV and structured report share.

The concepts are stable keys: they are the CSV headers and the names in JSON.
"""

from __future__ import annotations

from dataclasses import replace

from calcviewer.core.measurement import Measurement, Unit
from calcviewer.modalities.ivoct.lesion import Lesion, ScoredArc
from calcviewer.modalities.ivoct.quantify import FrameMeasurement
from calcviewer.modalities.ivoct.vessel import LumenAt, VesselSummary

Rows = tuple[Measurement, ...]
_NO_LUMEN = "no lumen found"
_NO_SCALE = "the sample spacing or the zero radius is unknown"
_NO_CALCIUM = "no calcium"
_UNMEASURED = "not measured in any frame"
_NO_EEL = "no external elastic lamina drawn"
_LUMEN_NOT_SMALLER = "the lumen is not smaller than the external elastic lamina"


def frame_rows(frame: FrameMeasurement) -> Rows:
    """Return the rows of one frame."""
    why = _why_empty(frame)
    thickness_why = why or (_NO_CALCIUM if frame.max_thickness_mm is None else "")
    arc_why = _NO_LUMEN if frame.max_arc_deg_visible is None else ""
    area_why = _NO_SCALE if frame.calcium_area_mm2 is None else ""

    def mm(concept: str, meaning: str, value: float | None, note: str = "") -> Measurement:
        return Measurement(concept, meaning, value, Unit.MM, note)

    def deg(concept: str, meaning: str, value: float | None) -> Measurement:
        return Measurement(concept, meaning, value, Unit.DEGREE, arc_why)

    limit = thickness_note(
        frame.max_thickness_mm, capped=frame.thickness_capped, hidden=frame.back_hidden
    )
    return (
        Measurement("lumen_area_mm2", "Lumen area", frame.lumen_area_mm2, Unit.MM2, why),
        mm("min_lumen_diameter_mm", "Minimum lumen diameter", frame.min_lumen_diameter_mm, why),
        mm("max_lumen_diameter_mm", "Maximum lumen diameter", frame.max_lumen_diameter_mm, why),
        mm("mean_lumen_diameter_mm", "Mean lumen diameter", frame.mean_lumen_diameter_mm, why),
        Measurement("calcium_area_mm2", "Calcium area", frame.calcium_area_mm2, Unit.MM2, area_why),
        deg("max_arc_deg_visible", "Maximum arc, visible", frame.max_arc_deg_visible),
        deg("max_arc_deg_bridged", "Maximum arc, guidewire bridged", frame.max_arc_deg_bridged),
        deg("sum_arc_deg", "Sum of visible arcs", frame.sum_arc_deg),
        mm("max_thickness_mm", "Maximum thickness", frame.max_thickness_mm, limit or thickness_why),
        mm("mean_thickness_mm", "Mean thickness", frame.mean_thickness_mm, thickness_why),
        mm("min_depth_mm", "Minimum depth", frame.min_depth_mm, thickness_why),
        mm("mean_depth_mm", "Mean depth", frame.mean_depth_mm, thickness_why),
        Measurement("quadrants", "Quadrants with calcium", frame.quadrants, Unit.NONE, arc_why),
        *_eel_rows(frame),
    )


def _eel_rows(frame: FrameMeasurement) -> Rows:
    """Return the rows of the external elastic lamina."""
    why = _NO_SCALE if frame.calcium_area_mm2 is None else ""
    if frame.eel_area_mm2 is None:
        why = why or _NO_EEL
    burden, burden_why = frame.plaque_burden_percent, why or _why_empty(frame)
    if burden is None:
        burden_why = burden_why or _LUMEN_NOT_SMALLER
    return (
        Measurement(
            "eel_area_mm2", "External elastic lamina area", frame.eel_area_mm2, Unit.MM2, why
        ),
        Measurement("plaque_burden_percent", "Plaque burden", burden, Unit.PERCENT, burden_why),
    )


def lesion_rows(lesion: Lesion) -> Rows:
    """Return the rows of one lesion; frame numbers are 1-based."""
    why = lesion.length_unavailable
    limit = thickness_note(
        lesion.max_thickness_mm, capped=lesion.thickness_capped, hidden=lesion.back_hidden
    )
    volume = Measurement(
        "calcium_volume_mm3", "Calcium volume", lesion.calcium_volume_mm3, Unit.MM3, why
    )
    rows = (
        Measurement("first_frame", "First frame", lesion.first_frame + 1, Unit.NONE),
        Measurement("last_frame", "Last frame", lesion.last_frame + 1, Unit.NONE),
        Measurement("length_mm", "Length", lesion.length_mm, Unit.MM, why),
        _arc_row("visible", "Maximum arc, visible", lesion.visible),
        _arc_row("bridged", "Maximum arc, guidewire bridged", lesion.bridged),
        Measurement("mean_arc_deg", "Mean visible arc", lesion.mean_arc_deg, Unit.DEGREE),
        Measurement(
            "max_thickness_mm", "Maximum thickness", lesion.max_thickness_mm, Unit.MM, limit
        ),
        Measurement("mean_thickness_mm", "Mean thickness", lesion.mean_thickness_mm, Unit.MM),
        Measurement("min_depth_mm", "Minimum depth", lesion.min_depth_mm, Unit.MM),
        Measurement("mean_depth_mm", "Mean depth", lesion.mean_depth_mm, Unit.MM),
        Measurement(
            "mean_calcium_area_mm2", "Mean calcium area", lesion.mean_calcium_area_mm2, Unit.MM2
        ),
        volume,
        _score_row("score_visible", "Score, visible", lesion.visible),
        _score_row("score_bridged", "Score, guidewire bridged", lesion.bridged),
        _verdict_row(lesion),
    )
    return tuple(
        replace(row, note=_UNMEASURED) if row.value is None and not row.note else row
        for row in rows
    )


def criteria_rows(lesion: Lesion) -> Rows:
    """Return the points of each criterion, and by how much it is above its threshold."""
    visible, bridged = lesion.visible.score.points, lesion.bridged.score.points
    margins, thickest = lesion.margins, lesion.max_thickness_frame
    capped = "at least: the thickness is capped" if lesion.thickness_capped else ""
    arc = (
        Measurement("points_arc_visible", "Points, arc visible", visible.arc, Unit.NONE),
        Measurement("points_arc_bridged", "Points, arc bridged", bridged.arc, Unit.NONE),
        Measurement(
            "margin_arc_deg_visible", "Margin, arc visible", margins.arc_visible_deg, Unit.DEGREE
        ),
        Measurement(
            "margin_arc_deg_bridged", "Margin, arc bridged", margins.arc_bridged_deg, Unit.DEGREE
        ),
    )
    thickness = (
        Measurement("points_thickness", "Points, thickness", visible.thickness, Unit.NONE),
        Measurement(
            "margin_thickness_mm", "Margin, thickness", margins.thickness_mm, Unit.MM, capped
        ),
        Measurement(
            "max_thickness_frame",
            "Frame of the maximum thickness",
            None if thickest is None else thickest + 1,
            Unit.NONE,
        ),
    )
    length = (
        Measurement("points_length", "Points, length", visible.length, Unit.NONE),
        Measurement("margin_length_mm", "Margin, length", margins.length_mm, Unit.MM),
    )
    return tuple(
        replace(row, note=why) if row.value is None else row
        for rows, why in (
            (arc, _NO_LUMEN),
            (thickness, _UNMEASURED),
            (length, lesion.length_unavailable),
        )
        for row in rows
    )


def vessel_rows(vessel: VesselSummary) -> Rows:
    """Return the rows of the lumen along the vessel."""
    why = vessel.references_unavailable
    stenosis = Measurement(
        "area_stenosis_percent",
        "Area stenosis",
        vessel.area_stenosis_percent,
        Unit.PERCENT,
        why or ("" if vessel.reference else "no lumen within reach"),
    )
    return (
        _lumen_row("mla_mm2", "Minimum lumen area", vessel.minimum_lumen, "no lumen area known"),
        _lumen_row(
            "distal_reference_mm2", "Distal reference lumen area", vessel.distal_reference, why
        ),
        _lumen_row(
            "proximal_reference_mm2",
            "Proximal reference lumen area",
            vessel.proximal_reference,
            why,
        ),
        stenosis,
    )


def thickness_note(value_mm: float | None, *, capped: bool, hidden: bool) -> str:
    """Return what must be said beside a maximum thickness; empty when nothing must."""
    if value_mm is None or not (capped or hidden):
        return ""
    shown = f"{value_mm:.2f}".removesuffix("0")
    return f"≥ {shown} (capped)" if capped else "back border not visible"


def _why_empty(frame: FrameMeasurement) -> str:
    """Return why the lumen's millimetre values are empty; empty when they are not."""
    if frame.lumen_area_mm2 is not None:
        return ""
    return _NO_LUMEN if frame.max_arc_deg_visible is None else _NO_SCALE


def _arc_row(reading: str, meaning: str, scored: ScoredArc) -> Measurement:
    frame = scored.max_arc_frame
    note = _NO_LUMEN if frame is None else f"frame {frame + 1}"
    return Measurement(f"max_arc_deg_{reading}", meaning, scored.max_arc_deg, Unit.DEGREE, note)


def _score_row(concept: str, meaning: str, scored: ScoredArc) -> Measurement:
    score = scored.score
    note = score.text if score.total is None else score.expansion
    return Measurement(concept, meaning, score.total, Unit.NONE, note)


def _verdict_row(lesion: Lesion) -> Measurement:
    """Return the score in force; it has no value while the guidewire decides."""
    verdict = lesion.verdict
    if verdict is None or verdict.total is None:
        note = lesion.verdict_text
    else:
        note = verdict.expansion
    total = verdict.total if verdict is not None else None
    return Measurement("score", "Stent-deployment calcium score", total, Unit.NONE, note)


def _lumen_row(concept: str, meaning: str, at: LumenAt | None, why: str) -> Measurement:
    if at is None:
        return Measurement(concept, meaning, None, Unit.MM2, why or "no lumen within reach")
    return Measurement(concept, meaning, at.area_mm2, Unit.MM2, f"frame {at.frame + 1}")
