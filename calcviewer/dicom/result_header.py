"""What a stored result says about itself: what it is, who made it, of which images."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from pydicom import dcmread
from pydicom.dataset import Dataset

from calcviewer.core.bounded_file import BoundedFile
from calcviewer.dicom.values import text, tolerant, yes_no

_SEG_CLASSES = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")
_SR_CLASS = "1.2.840.10008.5.1.4.1.1.88."
_PERSON_OBSERVER = ("121008", "DCM")
_DEEPEST = 4


class ResultKind(Enum):
    """What a result can be read as."""

    SEG = "segmentation"
    SR = "structured report"


@dataclass(frozen=True)
class ResultHeader:
    """A stored segmentation or structured report, without its contents.

    Parameters
    ----------
    maker
        Program that made it, as "ACME PlaqueReader"; empty where the file does not say.
    reader
        Person who measured, as a structured report names its observer.
    instance_uids
        Of every image it refers to.
    deidentified
        Whether it says that the patient's identity was removed: its references lead nowhere.
    """

    kind: ResultKind
    maker: str
    reader: str
    instance_uids: frozenset[str]
    deidentified: bool


def read_result_header(path: Path) -> ResultHeader | None:
    """Read what a stored result says about itself; None when a file is no such result."""
    try:
        with BoundedFile(path) as stream, tolerant():
            dataset = dcmread(stream, stop_before_pixels=True)
            kind = _kind(text(dataset, "SOPClassUID"))
            if kind is None:
                return None
            return ResultHeader(
                kind=kind,
                maker=_maker(dataset),
                reader=_reader(dataset),
                instance_uids=frozenset(_instance_uids(dataset, 0)),
                deidentified=yes_no(dataset, "PatientIdentityRemoved") is True,
            )
    except Exception:  # arbitrary bytes make the parser fail in arbitrary ways
        return None


def _kind(sop_class: str) -> ResultKind | None:
    if sop_class in _SEG_CLASSES:
        return ResultKind.SEG
    return ResultKind.SR if sop_class.startswith(_SR_CLASS) else None


def _maker(dataset: Dataset) -> str:
    """Return manufacturer and model in one, without saying either twice."""
    manufacturer, model = text(dataset, "Manufacturer"), text(dataset, "ManufacturerModelName")
    if not manufacturer or model.lower().startswith(manufacturer.lower()):
        return model or manufacturer
    return f"{manufacturer} {model}".strip()


def _reader(dataset: Dataset) -> str:
    """Return the Person Observer Name of TID 1003, as people write it."""
    for item in dataset.get("ContentSequence") or []:
        for name in item.get("ConceptNameCodeSequence") or []:
            if (text(name, "CodeValue"), text(name, "CodingSchemeDesignator")) == _PERSON_OBSERVER:
                parts = text(item, "PersonName").split("=")[0].split("^")
                family, given = parts[0], parts[1] if len(parts) > 1 else ""
                return f"{given} {family}".strip()
    return ""


_REFERENCES = (
    "ReferencedSeriesSequence",
    "ReferencedInstanceSequence",
    "ReferencedSOPSequence",
    "SourceImageSequence",
    "DerivationImageSequence",
    "CurrentRequestedProcedureEvidenceSequence",
    "PertinentOtherEvidenceSequence",
    "PerFrameFunctionalGroupsSequence",
    "SharedFunctionalGroupsSequence",
)


def _instance_uids(dataset: Dataset, depth: int) -> Iterator[str]:
    """Yield the instances that references of segmentations and of evidence name."""
    uid = text(dataset, "ReferencedSOPInstanceUID")
    if uid:
        yield uid
    if depth > _DEEPEST:
        return
    for name in _REFERENCES:
        for item in dataset.get(name) or []:
            yield from _instance_uids(item, depth + 1)
