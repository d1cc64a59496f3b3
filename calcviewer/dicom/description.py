"""What any DICOM object is, and what of it identifies the patient; no pixel is read for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydicom.datadict import dictionary_description, tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pydicom.uid import UID

from calcviewer.dicom.deidentify import PROFILE, Action
from calcviewer.dicom.header import (
    lossy_compression,
    read_dataset_of,
    sop_class_name,
    sop_class_of,
)
from calcviewer.dicom.source import PROGRAM
from calcviewer.dicom.values import label, number, text, tolerant

_ACTIONS = {
    Action.DUMMY: "replaced by a made-up word",
    Action.EMPTY: "emptied",
    Action.REMOVE: "removed",
    Action.REPLACE_UID: "replaced by a new identifier",
}
_NOT_COPIED = "not taken over"
_LEFT_BEHIND = (
    "InstitutionName",
    "InstitutionAddress",
    "InstitutionalDepartmentName",
    "StationName",
    "OperatorsName",
    "PerformingPhysicianName",
    "NameOfPhysiciansReadingStudy",
    "PhysiciansOfRecord",
    "RequestingPhysician",
    "OtherPatientIDs",
    "OtherPatientIDsSequence",
    "OtherPatientNames",
    "PatientBirthTime",
    "PatientAddress",
    "PatientTelephoneNumbers",
    "PatientComments",
    "AdditionalPatientHistory",
    "EthnicGroup",
    "Occupation",
    "SeriesDescription",
    "SeriesDate",
    "AcquisitionDate",
    "AcquisitionDateTime",
    "ContentDate",
    "InstanceCreationDate",
    "ProtocolName",
    "ImageComments",
    "DeviceSerialNumber",
    "RequestAttributesSequence",
)
"""Attributes of PS3.15 table E.1-1 that results never inherit, de-identified or not."""


@dataclass(frozen=True)
class IdentifyingAttribute:
    """An attribute that may identify the patient, and what de-identified results make of it.

    ``value`` is empty where the file has none.
    """

    keyword: str
    name: str
    tag: str
    action: str
    present: bool
    value: str


@dataclass(frozen=True, kw_only=True)
class DicomDescription:
    """What an object says of itself.

    Parameters
    ----------
    own
        Whether this program wrote it.
    compression
        In words what pixels may have lost; empty when nothing says so.
    title
        Of a structured report: its concept, as "Imaging Measurement Report".
    document
        Of an encapsulated document: its type and size.
    burned_in
        Burned In Annotation (0028,0301), "YES", "NO" or empty.
    private_count
        Number of private elements, which no result takes over.
    """

    sop_class_uid: str
    sop_class: str
    modality: str
    manufacturer: str
    model: str
    transfer_syntax: str
    own: bool
    compression: str
    title: str
    document: str
    burned_in: str
    identifying: tuple[IdentifyingAttribute, ...]
    private_count: int


def describe(path: Path) -> DicomDescription:
    """Read what a DICOM file is.

    Raises
    ------
    UnreadableInputError
        When it is no DICOM file.
    """
    dataset, _ = read_dataset_of(path)
    with tolerant():
        syntax = text(dataset.file_meta, "TransferSyntaxUID")
        concept = next(iter(dataset.get("ConceptNameCodeSequence") or []), Dataset())
        return DicomDescription(
            sop_class_uid=sop_class_of(dataset),
            sop_class=sop_class_name(sop_class_of(dataset)),
            modality=label(dataset, "Modality").upper(),
            manufacturer=label(dataset, "Manufacturer"),
            model=label(dataset, "ManufacturerModelName"),
            transfer_syntax=UID(syntax).name,
            own=text(dataset, "Manufacturer") == PROGRAM,
            compression=lossy_compression(dataset, syntax),
            title=label(concept, "CodeMeaning") if "ContentSequence" in dataset else "",
            document=_document(dataset),
            burned_in=text(dataset, "BurnedInAnnotation").upper(),
            identifying=_identifying(dataset),
            private_count=sum(tag.is_private for tag in dataset.keys()),
        )


def _document(dataset: Dataset) -> str:
    if "EncapsulatedDocument" not in dataset:
        return ""
    kind = label(dataset, "MIMETypeOfEncapsulatedDocument") or "document"
    length = number(dataset, "EncapsulatedDocumentLength")
    return kind if length is None else f"{kind}, {length:.0f} bytes"


def _identifying(dataset: Dataset) -> tuple[IdentifyingAttribute, ...]:
    actions = {keyword: _ACTIONS[action] for keyword, action in PROFILE.items()}
    actions |= dict.fromkeys(("SOPInstanceUID", "SeriesInstanceUID"), _ACTIONS[Action.REPLACE_UID])
    actions |= dict.fromkeys(_LEFT_BEHIND, _NOT_COPIED)
    return tuple(_attribute(dataset, keyword, action) for keyword, action in actions.items())


def _attribute(dataset: Dataset, keyword: str, action: str) -> IdentifyingAttribute:
    tag = Tag(tag_for_keyword(keyword))
    value = text(dataset, keyword)
    if keyword.endswith("Sequence") and value:
        count = len(dataset[keyword].value)
        value = f"{count} item{'' if count == 1 else 's'}"
    return IdentifyingAttribute(
        keyword=keyword,
        name=dictionary_description(tag),
        tag=f"({tag.group:04X},{tag.element:04X})",
        action=action,
        present=bool(value),
        value=value,
    )
