"""Measurements to DICOM structured reports and back.

Values travel as `Measurement` rows, words as statements made by the functions that make the printed
report's: nothing is worked out here a second time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from calcviewer.app.lesion_report.content import (
    SIMULATED_NOTE,
    calibration_rows,
    is_reviewed,
    is_simulated,
    model_rows,
    notes,
)
from calcviewer.app.lesion_report.context import ReportContext
from calcviewer.app.lesion_report.frames import FramePictures
from calcviewer.app.lesion_report.lesion import (
    guidewire_text,
    missing_parts,
    most_quadrants,
    probability,
)
from calcviewer.app.measured_error import measured_error
from calcviewer.app.results import Results
from calcviewer.app.session import IvoctStudy
from calcviewer.core.annotation import Provenance
from calcviewer.core.measurement import Measurement, Unit
from calcviewer.dicom.measured_group import GroupKind, MeasuredGroup
from calcviewer.dicom.source import ResultSource
from calcviewer.dicom.sr import Reading, write_sr
from calcviewer.dicom.sr_reader import read_sr
from calcviewer.dicom.statement import Statement, Subject
from calcviewer.modalities.ivoct.lesion import Lesion
from calcviewer.modalities.ivoct.measurements import (
    criteria_rows,
    frame_rows,
    lesion_rows,
    vessel_rows,
)
from calcviewer.report.content import RESEARCH_USE, Row

__all__ = ["GroupKind", "MeasuredGroup", "measured_groups", "measurements_of_sr", "write_study_sr"]

_MADE = {
    Provenance.AUTOMATIC: "the network",
    Provenance.SEMIAUTOMATIC: "the network, corrected by an operator",
    Provenance.MANUAL: "an operator",
}


def measured_groups(results: Results) -> tuple[MeasuredGroup, ...]:
    """Return everything measured: lesions, the vessel, then the frames.

    In frames a value that there is none of (the thickness where there is no calcium) is left out;
    in lesions and vessel it stays, with the reason.
    """
    lesions = [
        MeasuredGroup(
            GroupKind.LESION,
            f"Lesion {number}",
            lesion.frame_range,
            (*lesion_rows(lesion), _quadrants(lesion, results), *criteria_rows(lesion)),
        )
        for number, lesion in enumerate(results.lesions, start=1)
    ]
    vessel = MeasuredGroup(
        GroupKind.VESSEL, "Vessel", (0, len(results.frames) - 1), vessel_rows(results.vessel)
    )
    frames = [
        MeasuredGroup(GroupKind.FRAME, f"Frame {index + 1}", (index, index), _there(frame_rows(it)))
        for index, it in enumerate(results.frames)
        if it is not None
    ]
    return (*lesions, vessel, *frames)


def write_study_sr(
    path: Path,
    study: IvoctStudy,
    results: Results,
    source: ResultSource,
    *,
    reviewers: Sequence[str] = (),
) -> None:
    """Write everything measured, and what the printed report says about it.

    It is complete when an operator has confirmed every lesion or, without one, every frame.

    Parameters
    ----------
    reviewers
        Accounts of the operators who reviewed the study, beside those who decided about the
        guidewire; left out of what names nobody.

    Raises
    ------
    CalcViewerError
        When the file cannot be written.
    """
    context = ReportContext(
        study=study,
        results=results,
        pictures=FramePictures(study.calibrated_pullback),
        size_px=0,
        error=measured_error(study.model),
    )
    complete = is_reviewed(study, results)
    decided_by = (one.operator for one in study.review.guidewire_decisions if one.operator)
    observers = () if source.deidentified else tuple(dict.fromkeys([*reviewers, *decided_by]))
    reading = Reading(
        model=study.model,
        complete=complete,
        observers=observers,
        statements=tuple(_statements(context, complete=complete)),
    )
    write_sr(path, _stated_groups(context), source=source, reading=reading)


def measurements_of_sr(path: Path) -> tuple[MeasuredGroup, ...]:
    """Read the measurements of a structured report, the program's own or another reader's.

    Returns
    -------
    Groups in the order of the report. Concepts of the program come back under their own names;
    others as ``scheme:value``, in groups of kind OTHER where what they are about is not known.

    Raises
    ------
    UnreadableInputError
        When the file is missing, damaged, or holds no measurement groups.
    """
    return read_sr(path).groups


def _quadrants(lesion: Lesion, results: Results) -> Measurement:
    most = most_quadrants(lesion, results)
    note = "" if most is not None else "not measured in any frame"
    return Measurement("quadrants", "Quadrants, max", most, Unit.NONE, note)


def _there(rows: Iterable[Measurement]) -> tuple[Measurement, ...]:
    return tuple(row for row in rows if row.value is not None)


# --- words ---------------------------------------------------------------------------------------


def _stated_groups(context: ReportContext) -> list[MeasuredGroup]:
    """Return everything measured with what is said about it; lesions with their own lumen."""
    lesions = iter(context.results.lesions)
    groups = []
    for group in measured_groups(context.results):
        if group.kind is GroupKind.LESION:
            lesion = next(lesions)
            lumen = vessel_rows(context.vessel(lesion.frame_range))
            said = tuple(_about_lesion(lesion, context))
            groups.append(replace(group, rows=(*group.rows, *lumen), statements=said))
        elif group.kind is GroupKind.FRAME and group.frames is not None:
            groups.append(_stated_frame(group, group.frames[0], context.study))
        else:
            groups.append(group)
    return groups


def _stated_frame(group: MeasuredGroup, frame: int, study: IvoctStudy) -> MeasuredGroup:
    annotation = study.annotation(frame)
    if annotation is None:
        return group
    made = annotation.taken_from or _MADE[annotation.provenance]
    confirmed = ", confirmed" if frame in study.review.confirmed_frames else ""
    comment = study.review.comments.get(frame, "")
    said = _said([(Subject.CONTOURS, made + confirmed), (Subject.COMMENT, comment)])
    return replace(group, statements=said, drawn=annotation.provenance is Provenance.MANUAL)


def _about_lesion(lesion: Lesion, context: ReportContext) -> Iterator[Statement]:
    confirmed = lesion.frame_range in context.study.review.confirmed_lesions
    decisive = (
        f"frame {one.frame + 1}: {', '.join(one.reasons)}" for one in lesion.decisive_frames
    )
    yield from _said(
        [
            (Subject.REVIEW, "confirmed by an operator" if confirmed else "UNREVIEWED"),
            (Subject.VERDICT, _verdict(lesion)),
            (Subject.GUIDEWIRE, guidewire_text(lesion, context.results)),
            (Subject.PROBABILITY, probability(lesion, context)),
            *((Subject.MISSING, part) for part in missing_parts(lesion)),
            *((Subject.DECISIVE_FRAME, words) for words in decisive),
        ]
    )


def _verdict(lesion: Lesion) -> str:
    expansion = "" if lesion.verdict is None else lesion.verdict.expansion
    return f"{lesion.verdict_text}: {expansion}" if expansion else lesion.verdict_text


def _statements(context: ReportContext, *, complete: bool) -> Iterator[Statement]:
    """Yield what is said of the whole document."""
    study = context.study
    voi = study.review.voi
    region = "whole pullback" if voi is None else f"frames {voi[0] + 1}–{voi[1] + 1}"
    yield from _said(
        [
            (Subject.NOTICE, RESEARCH_USE),
            (Subject.NOTICE, SIMULATED_NOTE if is_simulated(study) else ""),
            (Subject.REVIEW, "confirmed by an operator" if complete else "UNREVIEWED"),
            (Subject.REGION, region),
            *((Subject.CALIBRATION, _line(row)) for row in calibration_rows(study)),
            *((Subject.PROTOCOL, f"{name}: {rule}") for name, rule in study.protocol.rows()),
            *((Subject.MODEL, _line(row)) for row in model_rows(study)),
            *((Subject.NOTE, note) for note in notes(context)),
        ]
    )


def _line(row: Row) -> str:
    return f"{row.label}: {row.value} {row.note}".strip()


def _said(parts: Iterable[tuple[Subject, str]]) -> tuple[Statement, ...]:
    """Return statements of what there is to say."""
    return tuple(Statement(subject, text.strip()) for subject, text in parts if text.strip())
