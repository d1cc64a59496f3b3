"""Reads the measurements of structured reports that follow TID 1500, ours and other readers'."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from highdicom.sr.coding import CodedConcept
from pydicom import dcmread
from pydicom.dataset import Dataset

from calcviewer.core.errors import UnreadableInputError
from calcviewer.core.measurement import Measurement, Unit
from calcviewer.dicom.codes import COMMENT, concept_of, is_own
from calcviewer.dicom.measured_group import FINDINGS, GroupKind, MeasuredGroup
from calcviewer.dicom.values import number, text, tolerant

_MEASUREMENT_GROUP = ("125007", "DCM")
_TRACKING_IDENTIFIER = ("112039", "DCM")
_FINDING = ("121071", "DCM")
_FINDING_SITE = ("363698007", "SCT")
_SOURCE_IMAGES = (("260753009", "SCT"), ("121233", "DCM"), ("121324", "DCM"), ("121112", "DCM"))
_COMMENT = (COMMENT.value, COMMENT.scheme_designator)
_DEEPEST = 16


def read_sr(path: Path) -> tuple[MeasuredGroup, ...]:
    """Read every measurement group of a structured report.

    A value in a unit the program does not know is left out.

    Raises
    ------
    UnreadableInputError
        When the file is missing, damaged, or no structured report with measurement groups.
    """
    if not path.is_file():
        raise UnreadableInputError(f"{path}: there is no such file.", "Check the path.")
    try:
        with tolerant():
            dataset = dcmread(path, stop_before_pixels=True)
            groups = tuple(_group(item) for item in _groups(dataset, 0))
    except Exception as error:  # arbitrary bytes make the parser fail in arbitrary ways
        raise UnreadableInputError(
            f"{path} is not a readable DICOM structured report.", "Copy or export the file again."
        ) from error
    if not groups:
        raise UnreadableInputError(
            f"{path} holds no measurement groups (DICOM TID 1500).",
            "Choose a structured report with measurements.",
        )
    return groups


def _groups(item: Dataset, depth: int) -> Iterator[Dataset]:
    """Yield the measurement groups below an item, in order."""
    if _name(item) == _MEASUREMENT_GROUP:
        yield item
    elif depth < _DEEPEST:
        for child in item.get("ContentSequence") or []:
            yield from _groups(child, depth + 1)


def _group(item: Dataset) -> MeasuredGroup:
    children = list(item.get("ContentSequence") or [])
    names = [text(child, "TextValue") for child in children if _name(child) == _TRACKING_IDENTIFIER]
    findings = [_concept(child, "ConceptCodeSequence") for child in children if _is_finding(child)]
    kind = next(
        (kind for kind, code in FINDINGS.items() if code in findings),
        GroupKind.OTHER,
    )
    frames = [frame for child in children for frame in _frames(child)]
    rows = tuple(row for child in children if (row := _row(child)) is not None)
    covered = (min(frames) - 1, max(frames) - 1) if frames else None
    return MeasuredGroup(kind, next(iter(names), ""), covered, rows)


def _is_finding(item: Dataset) -> bool:
    return text(item, "ValueType") == "CODE" and _name(item) == _FINDING


def _frames(item: Dataset) -> list[int]:
    """Return the frame numbers (from 1) an image item refers to."""
    if text(item, "ValueType") != "IMAGE" or _name(item) not in _SOURCE_IMAGES:
        return []
    image = next(iter(item.get("ReferencedSOPSequence") or []), Dataset())
    numbers = image.get("ReferencedFrameNumber")
    if numbers is None:
        return []
    return [int(numbers)] if isinstance(numbers, str | int) else [int(one) for one in numbers]


def _row(item: Dataset) -> Measurement | None:
    """Return an item as a row; None for other items and unknown units."""
    name = _concept(item, "ConceptNameCodeSequence")
    kind = text(item, "ValueType")
    if name is None or kind not in ("NUM", "TEXT"):
        return None
    children = list(item.get("ContentSequence") or [])
    placed = [one for one in children if _name(one) == _FINDING_SITE]
    site = next((_concept(one, "ConceptCodeSequence") for one in placed), None)
    concept, meaning = concept_of(name, site), str(name.meaning)
    if kind == "TEXT":  # the program says so why a value is missing
        if not is_own(name):
            return None
        return Measurement(concept, meaning, None, Unit.NONE, text(item, "TextValue"))
    notes = "; ".join(text(one, "TextValue") for one in children if _name(one) == _COMMENT)
    measured = _first(item, "MeasuredValueSequence")
    code = text(_first(measured, "MeasurementUnitsCodeSequence"), "CodeValue")
    unit = next((one for one in Unit if one.value == code), None)
    value = number(measured, "NumericValue")
    if unit is None or value is None:
        return None
    return Measurement(concept, meaning, value, unit, notes)


def _first(dataset: Dataset, sequence: str) -> Dataset:
    return next(iter(dataset.get(sequence) or []), Dataset())


def _name(item: Dataset) -> tuple[str, str]:
    code = _first(item, "ConceptNameCodeSequence")
    return text(code, "CodeValue"), text(code, "CodingSchemeDesignator")


def _concept(item: Dataset, sequence: str) -> CodedConcept | None:
    code = _first(item, sequence)
    value = text(code, "CodeValue") or text(code, "LongCodeValue")
    if not value:
        return None
    return CodedConcept(
        value, text(code, "CodingSchemeDesignator"), text(code, "CodeMeaning") or value
    )
