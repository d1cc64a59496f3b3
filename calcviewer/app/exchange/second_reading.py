"""Results of other readers, read from files for the pullback that is open."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from calcviewer.app.exchange.nifti import annotations_of_nifti, is_own_nifti
from calcviewer.app.exchange.seg_results import annotations_of_seg
from calcviewer.app.exchange.sr_results import GroupKind, MeasuredGroup, measurements_of_sr
from calcviewer.app.second_reader import (
    NIFTI_SUFFIXES,
    GivenAnnotations,
    MeasuredLesion,
    Rows,
    SecondReading,
)
from calcviewer.core.annotation import FrameAnnotation, Label
from calcviewer.core.errors import CalcViewerError, UnreadableInputError
from calcviewer.core.pullback import Pullback
from calcviewer.dicom.result_header import ResultHeader, ResultKind, read_result_header
from calcviewer.dicom.seg_reader import read_seg_header

OWN = "CalcViewer"
"""Who made what the program wrote, where the file does not say more."""
_HINT = "Choose the results that were made on the pullback that is open."
_NUMBER = re.compile(r"(\d+)\D*$")


def open_results(path: Path, pullback: Pullback) -> GivenAnnotations | SecondReading:
    """Read annotations (SEG, NIfTI) or measurements (SR) that were made on a pullback.

    Raises
    ------
    CalcViewerError
        When the file holds neither, cannot be read, or was made on another pullback.
    """
    if not path.is_file():
        raise UnreadableInputError(f"{path}: there is no such file.", "Check the path.")
    if path.name.lower().endswith(NIFTI_SUFFIXES):
        return _nifti(path, pullback)
    header = read_result_header(path)
    if header is None:
        raise UnreadableInputError(
            f"{path.name} holds no results that can be read.",
            "Choose a DICOM SEG or SR, or a NIfTI volume of labels.",
        )
    assured = _is_assured(path, header, pullback)
    if header.kind is ResultKind.SEG:
        return _segmentation(path, header, pullback, assured=assured)
    return _reading(path, header, pullback, assured=assured)


def _is_assured(path: Path, header: ResultHeader, pullback: Pullback) -> bool:
    """Whether a file names this pullback; one that names another is refused.

    De-identified files carry new identifiers: they name no image there is.
    """
    uid = pullback.source.sop_instance_uid
    if header.deidentified or not header.instance_uids or not uid:
        return False
    if uid not in header.instance_uids:
        raise CalcViewerError(f"{path.name} was made on another image.", _HINT)
    return True


# --- annotations ---------------------------------------------------------------------------------


def _segmentation(
    path: Path, header: ResultHeader, pullback: Pullback, *, assured: bool
) -> GivenAnnotations:
    # Which image it was made on is known by now, and of de-identified files cannot be.
    unnamed = replace(pullback, source=replace(pullback.source, sop_instance_uid=""))
    annotations = annotations_of_seg(path, unnamed)
    structures = frozenset(read_seg_header(path).labels_by_segment.values())
    maker = header.maker or "another program"
    return GivenAnnotations(maker, annotations, structures, assured)


def _nifti(path: Path, pullback: Pullback) -> GivenAnnotations:
    annotations = annotations_of_nifti(path, pullback)
    if is_own_nifti(path):
        return GivenAnnotations(OWN, annotations, frozenset(Label), assured=False)
    structures = _structures(annotations)
    return GivenAnnotations("a NIfTI volume", annotations, structures, assured=False)


def _structures(annotations: Mapping[int, FrameAnnotation]) -> frozenset[Label]:
    """Return the structures that any frame has."""
    found = set()
    for annotation in annotations.values():
        if annotation.lumen is not None:
            found.add(Label.LUMEN)
        if annotation.calcium:
            found.add(Label.CALCIUM)
        if annotation.guidewires:
            found.add(Label.GUIDEWIRE_SHADOW)
    return frozenset(found)


# --- measurements --------------------------------------------------------------------------------


def _reading(
    path: Path, header: ResultHeader, pullback: Pullback, *, assured: bool
) -> SecondReading:
    groups = measurements_of_sr(path)
    last = max((one.frames[1] for one in groups if one.frames is not None), default=0)
    if last >= pullback.frame_count:
        raise CalcViewerError(
            f"{path.name} measures frame {last + 1}, the pullback has {pullback.frame_count}.",
            _HINT,
        )
    kinds = [(_kind(group), group) for group in groups]
    frames = {
        frame: _rows(group)
        for kind, group in kinds
        if kind is GroupKind.FRAME and (frame := _frame(group)) is not None
        if frame < pullback.frame_count
    }
    return SecondReading(
        maker=_who(header),
        lesions=tuple(
            MeasuredLesion(group.name, _lesion_frames(group), _rows(group))
            for kind, group in kinds
            if kind is GroupKind.LESION
        ),
        frames=MappingProxyType(frames),
        vessel=next((_rows(group) for kind, group in kinds if kind is GroupKind.VESSEL), {}),
        assured=assured,
    )


def _kind(group: MeasuredGroup) -> GroupKind:
    """Return what a group is about; other programs' by the frames it covers."""
    if group.kind is not GroupKind.OTHER or group.frames is None:
        return group.kind
    return GroupKind.FRAME if group.frames[0] == group.frames[1] else GroupKind.LESION


def _frame(group: MeasuredGroup) -> int | None:
    """Return the frame a group is about; where it refers to none, its name may tell."""
    if group.frames is not None:
        return group.frames[0]
    found = _NUMBER.search(group.name)
    return int(found[1]) - 1 if found and int(found[1]) > 0 else None


def _lesion_frames(group: MeasuredGroup) -> tuple[int, int] | None:
    """Return the frames of a lesion: as measured, else those it refers to."""
    rows = _rows(group)
    ends = [rows.get(name) for name in ("first_frame", "last_frame")]
    values = [int(row.value) - 1 for row in ends if row is not None and row.value is not None]
    return (values[0], values[1]) if len(values) == 2 else group.frames


def _rows(group: MeasuredGroup) -> Rows:
    return MappingProxyType({row.concept: row for row in group.rows})


def _who(header: ResultHeader) -> str:
    return " · ".join(part for part in (header.reader, header.maker) if part) or "another reader"
