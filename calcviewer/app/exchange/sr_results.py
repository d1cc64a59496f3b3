"""Measurements to DICOM structured reports and back."""

from __future__ import annotations

from pathlib import Path

from calcviewer.app.results import Results
from calcviewer.app.session import IvoctStudy
from calcviewer.dicom.measured_group import GroupKind, MeasuredGroup
from calcviewer.dicom.source import ResultSource
from calcviewer.dicom.sr import write_sr
from calcviewer.dicom.sr_reader import read_sr
from calcviewer.modalities.ivoct.measurements import frame_rows, lesion_rows, vessel_rows

__all__ = ["GroupKind", "MeasuredGroup", "measured_groups", "measurements_of_sr", "write_study_sr"]


def measured_groups(results: Results) -> tuple[MeasuredGroup, ...]:
    """Return everything measured: lesions, the vessel, then the frames.

    In frames a value that there is none of (the thickness where there is no calcium) is left out;
    in lesions and vessel it stays, with the reason.
    """
    lesions = [
        MeasuredGroup(GroupKind.LESION, f"Lesion {number}", lesion.frame_range, lesion_rows(lesion))
        for number, lesion in enumerate(results.lesions, start=1)
    ]
    vessel = MeasuredGroup(
        GroupKind.VESSEL, "Vessel", (0, len(results.frames) - 1), vessel_rows(results.vessel)
    )
    frames = [
        MeasuredGroup(
            GroupKind.FRAME,
            f"Frame {index + 1}",
            (index, index),
            tuple(row for row in frame_rows(measured) if row.value is not None),
        )
        for index, measured in enumerate(results.frames)
        if measured is not None
    ]
    return (*lesions, vessel, *frames)


def write_study_sr(path: Path, study: IvoctStudy, results: Results, source: ResultSource) -> None:
    """Write everything measured; complete when an operator has confirmed every lesion.

    Raises
    ------
    CalcViewerError
        When the file cannot be written.
    """
    confirmed = study.review.confirmed_lesions
    complete = bool(results.lesions) and all(
        lesion.frame_range in confirmed for lesion in results.lesions
    )
    write_sr(path, measured_groups(results), source=source, model=study.model, complete=complete)


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
    return read_sr(path)
