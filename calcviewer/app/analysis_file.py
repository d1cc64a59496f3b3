"""`analysis.json`, `frames.csv` and `lesions.csv`: results for programs and spreadsheets.

Frames are numbered from 1, as DICOM does. A value that could not be measured is null (JSON) or
empty (CSV).
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from calcviewer import __version__
from calcviewer.app.frames_to_check import FrameToCheck, frames_to_check
from calcviewer.app.results import Results
from calcviewer.core.measurement import Measurement
from calcviewer.core.pullback import CalibratedValue, Pullback
from calcviewer.core.study import Study
from calcviewer.modalities.ivoct.lesion import Lesion, ScoredArc
from calcviewer.modalities.ivoct.measurements import frame_rows, lesion_rows
from calcviewer.modalities.ivoct.protocol import Protocol
from calcviewer.modalities.ivoct.quantify import FrameMeasurement
from calcviewer.modalities.ivoct.vessel import LumenAt, VesselSummary

FORMAT = "calcviewer-analysis"
FORMAT_VERSION = 1
NOTICE = "Research use only. Not for diagnostic use."


def analysis_document(study: Study[Protocol], results: Results) -> dict[str, Any]:
    """Return everything measured as plain values, ready for JSON.

    ``pullback`` and ``model`` are left out when the annotations were given instead of predicted.
    """
    document: dict[str, Any] = {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "program": f"calcviewer {__version__}",
        "notice": NOTICE,
    }
    if study.model is not None:
        document["pullback"] = _pullback(study.pullback)
        document["model"] = asdict(study.model)
    calibration = study.calibration
    document["calibration"] = {
        name: _calibrated(getattr(calibration, name))
        for name in ("sample_spacing_mm", "frame_pitch_mm", "zero_radius_mm")
    }
    document["missing"] = list(calibration.missing())
    document["protocol"] = asdict(study.protocol)
    document["voi"] = None if study.review.voi is None else [one + 1 for one in study.review.voi]
    document["frames"] = [
        _frame(index, measured) for index, measured in enumerate(results.frames) if measured
    ]
    document["failed_frames"] = failed_frames(study)
    document["frames_to_check"] = [_to_check(one) for one in frames_to_check(study, results)]
    document["lesions"] = [_lesion(lesion) for lesion in results.lesions]
    document["vessel"] = _vessel(results.vessel)
    return document


def failed_frames(study: Study[Protocol]) -> list[dict[str, Any]]:
    """Return the frames that could not be segmented, with the reason."""
    return [
        {"frame": index + 1, "reason": annotation.failure}
        for index, annotation in sorted(study.predictions.items())
        if annotation.failure
    ]


def write_json(path: Path, document: Mapping[str, Any]) -> None:
    """Write a document as JSON that every reader accepts (no NaN)."""
    path.write_text(json.dumps(document, indent=2, allow_nan=False) + "\n", encoding="utf-8")


def write_frames_csv(path: Path, results: Results) -> None:
    """Write one row a measured frame."""
    rows = (
        ({"frame": index + 1}, frame_rows(measured))
        for index, measured in enumerate(results.frames)
        if measured
    )
    _write_csv(path, rows)


def write_lesions_csv(path: Path, results: Results) -> None:
    """Write one row a lesion."""
    rows = (
        ({"lesion": number}, lesion_rows(lesion))
        for number, lesion in enumerate(results.lesions, start=1)
    )
    _write_csv(path, rows)


def _write_csv(path: Path, rows: Iterable[tuple[Mapping[str, int], Sequence[Measurement]]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        for number, (keys, measurements) in enumerate(rows):
            if number == 0:
                writer.writerow([*keys, *(one.concept for one in measurements)])
            values = ["" if one.value is None else f"{one.value:.6g}" for one in measurements]
            writer.writerow([*keys.values(), *values])


def _pullback(pullback: Pullback) -> dict[str, Any]:
    return {
        "name": pullback.name,
        "path": str(pullback.source.path.absolute()),
        "kind": pullback.source.kind,
        "frames": pullback.frame_count,
        "intensity": pullback.intensity.value,
        "sop_class_uid": pullback.source.sop_class_uid,
        "sop_instance_uid": pullback.source.sop_instance_uid,
        "study_instance_uid": pullback.source.study_instance_uid,
        "header": dict(pullback.source.header),
        "notes": list(pullback.notes),
    }


def _calibrated(entry: CalibratedValue | None) -> dict[str, Any]:
    if entry is None:
        return {"value": None, "origin": None}
    return {"value": entry.value, "origin": entry.origin.value, "note": entry.note}


def _frame(index: int, measured: FrameMeasurement) -> dict[str, Any]:
    centroid = measured.lumen_centroid_mm
    return {
        "frame": index + 1,
        "lumen_area_mm2": measured.lumen_area_mm2,
        "lumen_centroid_mm": None if centroid is None else list(centroid),
        "calcium_area_mm2": measured.calcium_area_mm2,
        "max_arc_deg_visible": measured.max_arc_deg_visible,
        "max_arc_deg_bridged": measured.max_arc_deg_bridged,
        "sum_arc_deg": measured.sum_arc_deg,
        "max_thickness_mm": measured.max_thickness_mm,
        "mean_thickness_mm": measured.mean_thickness_mm,
        "min_depth_mm": measured.min_depth_mm,
        "mean_depth_mm": measured.mean_depth_mm,
        "thickness_capped": measured.thickness_capped,
        "eel_area_mm2": measured.eel_area_mm2,
        "plaque_burden_percent": measured.plaque_burden_percent,
    }


def _to_check(one: FrameToCheck) -> dict[str, Any]:
    reasons = [{"reason": kind.value, "arc_deg": arc_deg} for kind, arc_deg in one.suspicions]
    return {"frame": one.frame + 1, "reasons": reasons}


def _scored(arc: ScoredArc) -> dict[str, Any]:
    return {
        "max_arc_deg": arc.max_arc_deg,
        "max_arc_frame": _number(arc.max_arc_frame),
        "points": asdict(arc.score.points),
        "score": arc.score.total,
        "possible_scores": [arc.score.lowest, arc.score.highest],
        "missing": list(arc.score.missing),
    }


def _lesion(lesion: Lesion) -> dict[str, Any]:
    return {
        "first_frame": lesion.first_frame + 1,
        "last_frame": lesion.last_frame + 1,
        "length_mm": lesion.length_mm,
        "length_unavailable": lesion.length_unavailable,
        "max_thickness_mm": lesion.max_thickness_mm,
        "max_thickness_frame": _number(lesion.max_thickness_frame),
        "thickness_capped": lesion.thickness_capped,
        "calcium_volume_mm3": lesion.calcium_volume_mm3,
        "visible": _scored(lesion.visible),
        "bridged": _scored(lesion.bridged),
        "guidewire_decides": lesion.guidewire_decides,
        "decisive_frames": [one.frame + 1 for one in lesion.decisive_frames],
        "decisive_reasons": {one.frame + 1: list(one.reasons) for one in lesion.decisive_frames},
    }


def _vessel(vessel: VesselSummary) -> dict[str, Any]:
    def lumen(at: LumenAt | None) -> dict[str, Any] | None:
        return None if at is None else {"frame": at.frame + 1, "area_mm2": at.area_mm2}

    return {
        "minimum_lumen": lumen(vessel.minimum_lumen),
        "distal_reference": lumen(vessel.distal_reference),
        "proximal_reference": lumen(vessel.proximal_reference),
        "references_unavailable": vessel.references_unavailable,
        "area_stenosis_percent": vessel.area_stenosis_percent,
        "lumen_jump_frames": [index + 1 for index in vessel.jump_frames],
    }


def _number(index: int | None) -> int | None:
    """Return a frame's number, from 1, for its index."""
    return None if index is None else index + 1
