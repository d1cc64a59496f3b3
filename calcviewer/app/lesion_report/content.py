"""From a study and its results to everything the printed report says."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime

import numpy as np

from calcviewer import __version__
from calcviewer.app.lesion_report.context import ReportContext, frame_list, lumen_at, number
from calcviewer.app.lesion_report.figures import calcium_map, cut_deg, pullback_axis, trends
from calcviewer.app.lesion_report.frames import FramePictures, longitudinal_view, view_radius_mm
from calcviewer.app.lesion_report.key_frames import key_frames, made_by
from calcviewer.app.lesion_report.lesion import in_force, lesion_section, score_text
from calcviewer.app.results import Results, most_severe
from calcviewer.core.pullback import CalibratedValue, Origin, PolarLayout
from calcviewer.core.study import Study
from calcviewer.modalities.ivoct.lesion import Lesion
from calcviewer.modalities.ivoct.protocol import Protocol
from calcviewer.modalities.ivoct.score import MeasuredError
from calcviewer.report.content import (
    NOTHING,
    KeyFrame,
    Longitudinal,
    ReportContent,
    Row,
    Table,
)

_TITLE = "Coronary calcium report · intravascular OCT"
_LARGEST_PICTURE_PX, _SMALLEST_PICTURE_PX = 400, 140
_PICTURES_BYTES = 3.2e6
# A key frame is a square and a picture of twice its width; JPEG takes about this much a pixel.
_BYTES_PER_SQUARE_PX = 3 * 0.35
_KEY_FRAMES_PER_LESION = 5
_MICROMETRES = 1000.0
# Label of a printed row, and the header values it joins.
_IDENTIFIED_BY = {
    "Patient": ("patient_id", "patient_name"),
    "Born, sex": ("patient_birth_date", "patient_sex"),
    "Study": ("study_date", "study_time", "study_description", "accession_number"),
    "Series": ("series_description", "modality"),
    "System": ("manufacturer", "model"),
}
SIMULATED_NOTE = "Simulated images: the values are no statement about any patient."


def build_report(
    study: Study[Protocol],
    results: Results,
    *,
    error: MeasuredError | None = None,
    generated: str | None = None,
) -> ReportContent:
    """Collect everything the report prints; reads every frame of the pullback once.

    Parameters
    ----------
    error
        The model's measured error, for the probability of each score; None: none is printed.
    generated
        When the report was made; None: now.
    """
    ranked = _ranked(results)
    context = ReportContext(
        study=study,
        results=results,
        pictures=FramePictures(study.calibrated_pullback),
        size_px=_picture_size_px(len(ranked)),
        error=error,
    )
    leading = ranked[0][1] if ranked else None
    simulated = is_simulated(study)
    return ReportContent(
        title=_TITLE,
        name=study.pullback.name,
        generated=generated or datetime.now().astimezone().strftime("%Y-%m-%d %H:%M"),
        program=f"CalcViewer {__version__}",
        reviewed=is_reviewed(study, results),
        simulated=simulated,
        identification=_identification(study),
        calibration=calibration_rows(study),
        axis=pullback_axis(context, leading),
        lesions=tuple(lesion_section(lesion, place, context) for place, lesion in ranked),
        no_lesion_text=_no_lesion_text(study, results),
        longitudinal=_longitudinal(context, leading),
        calcium_map=calcium_map(context),
        trends=trends(context),
        vessel_key_frames=() if ranked else _vessel_key_frames(context),
        lesion_table=_lesion_table(context) if ranked else None,
        vessel=_vessel_rows(context, leading),
        protocol=tuple(Row(name, value) for name, value in study.protocol.rows()),
        model=model_rows(study),
        notes=(*((SIMULATED_NOTE,) if simulated else ()), *notes(context)),
    )


def _longitudinal(context: ReportContext, leading: Lesion | None) -> Longitudinal:
    """Return the pullback cut lengthwise through the leading lesion, as wide as the vessel."""
    study = context.study
    pullback = study.calibrated_pullback
    annotations = [study.annotation(index) for index in range(pullback.frame_count)]
    drawn = [annotation for annotation in annotations if annotation is not None]
    return longitudinal_view(
        pullback,
        annotations,
        cut_deg=cut_deg(context, leading),
        radius_mm=view_radius_mm(pullback, drawn),
        pictures=context.pictures,
    )


def _ranked(results: Results) -> list[tuple[int, Lesion]]:
    """Return the lesions with their place along the pullback, the most severe one first."""
    leading = most_severe(results.lesions)
    numbered = list(enumerate(results.lesions, start=1))
    return sorted(numbered, key=lambda entry: entry[1] is not leading)


def _picture_size_px(lesions: int) -> int:
    """Return the height of key-frame pictures that keeps the report's size in bounds."""
    pictures = _KEY_FRAMES_PER_LESION * max(lesions, 1)
    size = (_PICTURES_BYTES / (_BYTES_PER_SQUARE_PX * pictures)) ** 0.5
    return int(np.clip(size, _SMALLEST_PICTURE_PX, _LARGEST_PICTURE_PX))


def is_simulated(study: Study[Protocol]) -> bool:
    """Whether the images show no patient."""
    calibration = study.calibration
    values = (calibration.sample_spacing_mm, calibration.frame_pitch_mm)
    origins = {value.origin for value in values if value is not None}
    return Origin.SIMULATED in origins or "simulat" in study.pullback.source.kind.lower()


def is_reviewed(study: Study[Protocol], results: Results) -> bool:
    """Whether an operator confirmed every lesion or, without one, every frame looked at."""
    if results.lesions:
        confirmed = study.review.confirmed_lesions
        return all(lesion.frame_range in confirmed for lesion in results.lesions)
    return set(_region(study)) - set(study.review.excluded) <= study.review.confirmed_frames


def _region(study: Study[Protocol]) -> range:
    first, last = study.review.voi or (0, study.pullback.frame_count - 1)
    return range(first, last + 1)


# --- words ---------------------------------------------------------------------------------------


def _identification(study: Study[Protocol]) -> tuple[Row, ...]:
    pullback, source = study.pullback, study.pullback.source
    left = {name.lower().replace(" ", "_"): value for name, value in source.header.items()}
    rows = []
    for label, names in _IDENTIFIED_BY.items():
        parts = [_readable(name, left.pop(name, "")) for name in names]
        words = " · ".join(part for part in parts if part)
        if words or label == "Patient":
            rows.append(Row(label, words or NOTHING))
    rows += [Row(name.replace("_", " ").capitalize(), value) for name, value in left.items()]
    rows += [Row("Pullback", pullback.name), Row("Source", source.path.name, f"({source.kind})")]
    voi = study.review.voi
    region = "whole pullback" if voi is None else f"frames {voi[0] + 1}–{voi[1] + 1}"
    return (*rows, Row("Frames", str(pullback.frame_count)), Row("VOI", region))


def _readable(name: str, value: str) -> str:
    """Return a header value as people write it: DICOM dates, times and person names."""
    if name.endswith("_date") and len(value) == 8 and value.isdigit():
        return f"{value[:4]}-{value[4:6]}-{value[6:]}"
    if name.endswith("_time") and len(value) >= 6 and value[:6].isdigit():
        return f"{value[:2]}:{value[2:4]}:{value[4:6]}"
    return " ".join(value.split("^")).strip() if name == "patient_name" else value


def calibration_rows(study: Study[Protocol]) -> tuple[Row, ...]:
    """Return every calibration value in force with its origin."""
    calibration = study.calibration
    polar = isinstance(study.pullback.layout, PolarLayout)
    rows = [
        _calibrated(
            "Sample spacing" if polar else "Pixel spacing",
            calibration.sample_spacing_mm,
            lambda value: f"{_MICROMETRES * value:.2f} µm",
        ),
        _calibrated("Frame pitch", calibration.frame_pitch_mm, lambda value: f"{value:.4g} mm"),
    ]
    if polar or calibration.zero_radius_mm is not None:
        rows.append(
            _calibrated("Zero radius", calibration.zero_radius_mm, lambda value: f"{value:.3f} mm")
        )
    motorised = "motorised" if study.pullback.motorised else "not motorised: no lengths"
    rows.append(Row("Pullback", motorised))
    return tuple(rows)


def _calibrated(label: str, entry: CalibratedValue | None, written: Callable[[float], str]) -> Row:
    if entry is None:
        return Row(label, NOTHING, "unknown: set it in the calibration to get mm values")
    origin = f"origin: {entry.origin.value}" + (f", {entry.note}" if entry.note else "")
    return Row(label, written(entry.value), f"({origin})")


def _no_lesion_text(study: Study[Protocol], results: Results) -> str:
    if results.lesions:
        return ""
    looked_at = _region(study)
    measured = sum(results.frames[index] is not None for index in looked_at)
    if measured == 0:
        return "No frame was measured: nothing can be said about calcium."
    share = f"{measured}" if measured == len(looked_at) else f"{measured} of {len(looked_at)}"
    return f"No calcium found in the {share} frames that were measured."


def model_rows(study: Study[Protocol]) -> tuple[Row, ...]:
    """Return which network there was, and how many frames it, an operator or others made."""
    model = study.model
    made = Counter(
        made_by(annotation)
        for index in range(study.pullback.frame_count)
        if (annotation := study.annotation(index)) is not None and not annotation.failure
    )
    counts = ", ".join(f"{count} {how}" for how, count in sorted(made.items()))
    frames = Row("Contours", counts or "none")
    if model is None:
        return (Row("Model", "none: no network was used"), frames)
    return (
        Row("Model", f"{model.name} {model.version}".strip()),
        Row("Provider", model.provider),
        Row("SHA-256", model.sha256),
        frames,
    )


def notes(context: ReportContext) -> Iterator[str]:
    """Yield what the reader must know: about the source, and frames that are not measured."""
    study = context.study
    yield from study.pullback.notes
    reasons: dict[str, list[int]] = defaultdict(list)
    for index in range(study.pullback.frame_count):
        if index in study.review.excluded:
            reason = study.review.excluded[index] or "no reason given"
            reasons[f"Excluded ({reason})"].append(index)
            continue
        annotation = study.annotation(index)
        if annotation is None:
            reasons["Not segmented"].append(index)
        elif annotation.failure:
            reasons[f"Failed ({annotation.failure})"].append(index)
    for reason, frames in reasons.items():
        yield f"{reason}: {frame_list(tuple(frames))}."
    jumps = context.vessel(None).jump_frames
    if jumps:
        yield (
            "The lumen area jumps against both neighbours (side branch, or a contour to check): "
            f"{frame_list(jumps)}."
        )
    if context.results.lesions:
        yield f"Lesions: {context.results.lesions[0].grouping}."


# --- tables --------------------------------------------------------------------------------------


def _lesion_table(context: ReportContext) -> Table:
    confirmed = context.study.review.confirmed_lesions
    rows = []
    for place, lesion in enumerate(context.results.lesions, start=1):
        points = in_force(lesion).score.points
        parts = (points.arc, points.thickness, points.length)
        undecided = lesion.guidewire_decides and lesion.decision is None
        rows.append(
            (
                str(place),
                f"{lesion.first_frame + 1}–{lesion.last_frame + 1}",
                number(lesion.length_mm),
                number(lesion.visible.max_arc_deg, "", 0),
                number(lesion.bridged.max_arc_deg, "", 0),
                ("≥ " if lesion.thickness_capped else "") + number(lesion.max_thickness_mm),
                number(lesion.min_depth_mm),
                number(lesion.calcium_volume_mm3),
                "guidewire" if undecided else "+".join(_plain(part) for part in parts),
                score_text(lesion),
                "reviewed" if lesion.frame_range in confirmed else "unreviewed",
            )
        )
    headings = (
        "Lesion",
        "Frames",
        "Length\nmm",
        "Arc, °\nvisible",
        "Arc, °\nbridged",
        "Thickness\nmax, mm",
        "Depth\nmin, mm",
        "Volume\nmm³",
        "Points\nA+T+L",
        "Score\nof 4",
        "Status",
    )
    note = (
        "Points for arc (2), thickness (1) and length (1). ≥: capped, the back border is not "
        "visible. “guidewire”: the shadow decides the arc's points."
    )
    return Table("Lesions", headings, tuple(rows), note)


def _plain(points: int | None) -> str:
    return NOTHING if points is None else str(points)


def _vessel_rows(context: ReportContext, leading: Lesion | None) -> tuple[Row, ...]:
    """Return the smallest lumen, and the references of the VOI or of the leading lesion."""
    voi = context.study.review.voi
    region = voi or (leading.frame_range if leading else None)
    vessel = context.results.vessel
    rows = [Row("Smallest lumen, whole pullback", *lumen_at(context.vessel(None).minimum_lumen))]
    if region is not None:
        name = "volume of interest" if voi else "lesion on page 1"
        rows.append(Row("Region", name, f"frames {region[0] + 1}–{region[1] + 1}"))
        rows.append(Row("Minimum lumen area", *lumen_at(vessel.minimum_lumen)))
    if vessel.references_unavailable:
        return (*rows, Row("References", NOTHING, vessel.references_unavailable))
    return (
        *rows,
        Row("Distal reference", *lumen_at(vessel.distal_reference)),
        Row("Proximal reference", *lumen_at(vessel.proximal_reference)),
        Row("Area stenosis", number(vessel.area_stenosis_percent, "%", 0)),
    )


def _vessel_key_frames(context: ReportContext) -> tuple[KeyFrame, ...]:
    """Return, for a pullback without calcium, its narrowest frame and its ends."""
    region = _region(context.study)
    minimum = context.vessel(context.study.review.voi).minimum_lumen
    titles: dict[int, list[str]] = defaultdict(list)
    if minimum is not None:
        titles[minimum.frame].append("MLA")
    titles[region[0]].append("First frame")
    titles[region[-1]].append("Last frame")
    return key_frames(titles, context)
