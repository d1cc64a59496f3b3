"""Reads the measurements of structured reports that follow TID 1500, ours and other readers'."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydicom import dcmread
from pydicom.dataset import Dataset

from calcviewer.core.bounded_file import BoundedFile
from calcviewer.core.errors import UnreadableInputError
from calcviewer.core.measurement import Measurement, Unit
from calcviewer.dicom.codes import (
    COMMENT,
    DERIVATION,
    FINDING_SITE,
    MEASUREMENT_METHOD,
    QUALITATIVE_EVALUATIONS,
    CodeKey,
    concept_of,
    is_own,
    key_of,
    subject_of,
)
from calcviewer.dicom.measured_group import FINDINGS, GroupKind, MeasuredGroup
from calcviewer.dicom.statement import Statement
from calcviewer.dicom.values import number, text, tolerant

_MEASUREMENT_GROUP = ("125007", "DCM")
_TRACKING_IDENTIFIER = ("112039", "DCM")
_FINDING = ("121071", "DCM")
_SOURCE_IMAGES = (("260753009", "SCT"), ("121233", "DCM"), ("121324", "DCM"), ("121112", "DCM"))
_ALGORITHM_NAME = ("111001", "DCM")
_COMMENT = key_of(COMMENT)
_EVALUATIONS = key_of(QUALITATIVE_EVALUATIONS)
_MODIFIERS = {
    "site": key_of(FINDING_SITE),
    "derivation": key_of(DERIVATION),
    "method": key_of(MEASUREMENT_METHOD),
}
_KINDS = {key_of(code): kind for kind, code in FINDINGS.items()}
_DEEPEST = 16


@dataclass(frozen=True)
class StructuredReport:
    """What a structured report holds: its measurement groups, and what it says as a whole."""

    groups: tuple[MeasuredGroup, ...]
    statements: tuple[Statement, ...]


def read_sr(path: Path) -> StructuredReport:
    """Read the measurement groups and the statements of a structured report.

    A value in a unit the program does not know is left out, and so are other programs' texts.

    Raises
    ------
    UnreadableInputError
        When the file is missing, damaged, or no structured report with measurement groups.
    """
    if not path.is_file():
        raise UnreadableInputError(f"{path}: there is no such file.", "Check the path.")
    try:
        with BoundedFile(path) as stream, tolerant():
            root = _item(dcmread(stream, stop_before_pixels=True), 0)
            groups = tuple(_group(item) for item in _groups(root))
            report = StructuredReport(groups, _statements(root))
    except Exception as error:  # arbitrary bytes make the parser fail in arbitrary ways
        raise UnreadableInputError(
            f"{path} is not a readable DICOM structured report.", "Copy or export the file again."
        ) from error
    if not groups:
        raise UnreadableInputError(
            f"{path} holds no measurement groups (DICOM TID 1500).",
            "Choose a structured report with measurements.",
        )
    return report


@dataclass(frozen=True, eq=False)
class _Item:
    """A content item, its attributes read once: reports of long pullbacks have many thousands.

    Parameters
    ----------
    kind
        Value Type (0040,A040).
    name, meaning
        Concept Name Code Sequence (0040,A043).
    """

    dataset: Dataset
    kind: str
    name: CodeKey
    meaning: str
    children: tuple[_Item, ...]

    @property
    def text(self) -> str:
        """Text Value (0040,A160)."""
        return text(self.dataset, "TextValue")

    @property
    def code(self) -> CodeKey:
        """Concept Code Sequence (0040,A168)."""
        return _code(_first(self.dataset, "ConceptCodeSequence"))[0]

    def named(self, *names: CodeKey) -> list[_Item]:
        """Return the children with one of these names."""
        return [child for child in self.children if child.name in names]


def _item(dataset: Dataset, depth: int) -> _Item:
    name, meaning = _code(_first(dataset, "ConceptNameCodeSequence"))
    children = dataset.get("ContentSequence") or [] if depth < _DEEPEST else []
    return _Item(
        dataset,
        text(dataset, "ValueType"),
        name,
        meaning,
        tuple(_item(child, depth + 1) for child in children),
    )


def _code(code: Dataset) -> tuple[CodeKey, str]:
    """Return an item of a code sequence with its meaning."""
    value = text(code, "CodeValue") or text(code, "LongCodeValue")
    return (value, text(code, "CodingSchemeDesignator")), text(code, "CodeMeaning") or value


def _first(dataset: Dataset, sequence: str) -> Dataset:
    return next(iter(dataset.get(sequence) or []), Dataset())


def _statements(root: _Item) -> tuple[Statement, ...]:
    """Return what stands in the Qualitative Evaluations of TID 1500."""
    return tuple(
        said
        for container in root.named(_EVALUATIONS)
        for item in container.children
        if (said := _statement(item)) is not None
    )


def _groups(item: _Item) -> Iterator[_Item]:
    """Yield the measurement groups below an item, in order."""
    if item.name == _MEASUREMENT_GROUP:
        yield item
        return
    for child in item.children:
        yield from _groups(child)


def _group(group: _Item) -> MeasuredGroup:
    names = [child.text for child in group.named(_TRACKING_IDENTIFIER)]
    findings = {child.code for child in group.named(_FINDING) if child.kind == "CODE"}
    frames = [frame for child in group.named(*_SOURCE_IMAGES) for frame in _frames(child)]
    return MeasuredGroup(
        next((kind for code, kind in _KINDS.items() if code in findings), GroupKind.OTHER),
        next(iter(names), ""),
        (min(frames) - 1, max(frames) - 1) if frames else None,
        tuple(row for child in group.children if (row := _row(child)) is not None),
        tuple(said for child in group.children if (said := _statement(child)) is not None),
        drawn=not group.named(_ALGORITHM_NAME),
    )


def _frames(item: _Item) -> list[int]:
    """Return the frame numbers (from 1) an image item refers to."""
    numbers = _first(item.dataset, "ReferencedSOPSequence").get("ReferencedFrameNumber")
    if item.kind != "IMAGE" or numbers is None:
        return []
    return [int(numbers)] if isinstance(numbers, str | int) else [int(one) for one in numbers]


def _row(item: _Item) -> Measurement | None:
    """Return an item as a row; None for other items and unknown units."""
    if item.kind not in ("NUM", "TEXT") or not item.name[0]:
        return None
    modifiers = {
        modifier: found[0].code
        for modifier, name in _MODIFIERS.items()
        if (found := item.named(name))
    }
    concept = concept_of(item.name, **modifiers)
    if item.kind == "TEXT":  # the program says so why a value is missing
        if not is_own(item.name) or subject_of(item.name) is not None:
            return None
        return Measurement(concept, item.meaning, None, Unit.NONE, item.text)
    measured = _first(item.dataset, "MeasuredValueSequence")
    code = text(_first(measured, "MeasurementUnitsCodeSequence"), "CodeValue")
    unit = next((one for one in Unit if one.value == code), None)
    value = number(measured, "NumericValue")
    if unit is None or value is None:
        return None
    notes = "; ".join(child.text for child in item.named(_COMMENT))
    return Measurement(concept, item.meaning, value, unit, notes)


def _statement(item: _Item) -> Statement | None:
    """Return a text item as a statement; None for other items."""
    subject = subject_of(item.name) if item.kind == "TEXT" else None
    return Statement(subject, item.text) if subject is not None and item.text else None
