"""What results inherit from the images they were made from: patient, study, references."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pydicom import dcmread
from pydicom.datadict import dictionary_VR
from pydicom.dataset import Dataset
from pydicom.valuerep import DA, TM

from calcviewer import __version__
from calcviewer.core.bounded_file import BoundedFile
from calcviewer.core.errors import UnreadableInputError
from calcviewer.dicom.codes import scheme_identification
from calcviewer.dicom.ivoct_modules import new_uid
from calcviewer.dicom.values import number, text, tolerant, value_of

PROGRAM = "CalcViewer"
DEVICE_UID = "2.25.209742215017426043613958912183263718547"
"""Identifies the program as the observer of its measurements (PS3.16 TID 1004)."""

EQUIPMENT = {
    "manufacturer": PROGRAM,
    "manufacturer_model_name": PROGRAM,
    "software_versions": __version__,
    "device_serial_number": "0",
}

_INHERITED = (
    "PatientName",
    "PatientID",
    "IssuerOfPatientID",
    "PatientBirthDate",
    "PatientSex",
    "PatientAge",
    "PatientSize",
    "PatientWeight",
    "StudyInstanceUID",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "StudyDescription",
    "AccessionNumber",
    "ReferringPhysicianName",
    "FrameOfReferenceUID",
    "LossyImageCompression",
    "LossyImageCompressionRatio",
    "LossyImageCompressionMethod",
)
_NEVER_ABSENT = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "AccessionNumber",
    "ReferringPhysicianName",
)


@dataclass(frozen=True)
class FrameReference:
    """One source frame; ``frame_number`` is None in single-frame instances."""

    sop_class_uid: str
    sop_instance_uid: str
    frame_number: int | None


@dataclass(frozen=True, eq=False)
class ResultSource:
    """What results say about their source.

    Parameters
    ----------
    header
        Attributes of patient, study and frame of reference that results share with the source.
    series_uid
        Of the source; empty when the source is no DICOM.
    frames
        One reference a frame; empty when the source is no DICOM.
    burned_in
        Burned In Annotation (0028,0301) of the source: ``YES``, ``NO`` or empty.
    deidentified
        Whether nothing in it identifies the patient.
    """

    header: Dataset
    series_uid: str = ""
    frames: tuple[FrameReference, ...] = ()
    burned_in: str = ""
    deidentified: bool = False


def source_of(paths: Sequence[Path]) -> ResultSource:
    """Read what results inherit from one multi-frame image, or a series of single-frame ones.

    Single-frame instances are taken in the order in which the reader of pullbacks takes them.

    Raises
    ------
    UnreadableInputError
        When a file is missing, or is not DICOM any more.
    """
    with tolerant():
        images = sorted(map(_read, paths), key=lambda image: (image[1], image[2]))
        first = images[0][0]
        count = int(number(first, "NumberOfFrames") or 1) if len(images) == 1 else len(images)
        several = len(images) == 1 and (count > 1 or "NumberOfFrames" in first)
        frames = tuple(
            FrameReference(
                text(image, "SOPClassUID"),
                text(image, "SOPInstanceUID"),
                index + 1 if several else None,
            )
            for index in range(count)
            for image in (images[0 if len(images) == 1 else index][0],)
        )
        return ResultSource(
            _header(first), text(first, "SeriesInstanceUID"), frames, _burned_in(first)
        )


def burned_in_annotation(path: Path) -> str:
    """Return Burned In Annotation (0028,0301) of an image; empty where it cannot be told."""
    try:
        with tolerant():
            image = dcmread(path, specific_tags=["BurnedInAnnotation"], stop_before_pixels=True)
    except Exception:  # no DICOM, or not there any more: there is nothing to tell
        return ""
    return _burned_in(image)


def _burned_in(image: Dataset) -> str:
    return text(image, "BurnedInAnnotation").upper()


def no_source() -> ResultSource:
    """Return the source of results on frames that are no DICOM: a study of their own."""
    return ResultSource(_header(Dataset()))


def finished(dataset: Dataset, source: ResultSource) -> Dataset:
    """Add what every result says about itself, and return it."""
    if dataset.Modality != "DOC":  # which holds no codes
        dataset.CodingSchemeIdentificationSequence = [scheme_identification()]
    dataset.SpecificCharacterSet = "ISO_IR 192"
    if source.deidentified:
        for name in ("PatientIdentityRemoved", "DeidentificationMethod"):
            setattr(dataset, name, source.header[name].value)
        codes = source.header.DeidentificationMethodCodeSequence
        dataset.DeidentificationMethodCodeSequence = codes
        dataset.LongitudinalTemporalInformationModified = "REMOVED"
        _forget_dates(dataset)
    return dataset


def _read(path: Path) -> tuple[Dataset, int, str]:
    try:
        with BoundedFile(path) as stream:
            dataset = dcmread(stream, stop_before_pixels=True)
    except Exception as error:  # arbitrary bytes make the parser fail in arbitrary ways
        raise UnreadableInputError(
            f"{path}, from which the results were made, cannot be read any more.",
            "Put the pullback back in its place.",
        ) from error
    return dataset, int(number(dataset, "InstanceNumber") or 0), path.name


def _header(image: Dataset) -> Dataset:
    header = Dataset()
    header.SpecificCharacterSet = "ISO_IR 192"
    for name in _INHERITED:
        value = value_of(image, name)
        if value is None:
            continue
        with suppress(TypeError, ValueError):  # a damaged value may be of a kind it cannot have
            _DATES.get(dictionary_VR(name), str)(value)
            # By value, not by element: the text is encoded anew in the results' own character set.
            setattr(header, name, value)
    for name in _NEVER_ABSENT:
        if name not in header:
            setattr(header, name, "")
    for name in ("StudyInstanceUID", "FrameOfReferenceUID"):
        if not text(header, name):
            setattr(header, name, new_uid())
    return header


_DATES = {"DA": DA, "TM": TM}
"""What pydicom makes of dates and times when they are written, which fails for what is none."""
_DUMMIES = {"ContentDate": "19700101", "ContentTime": "000000"}
"""Dates and times that an object must have."""


def _forget_dates(dataset: Dataset) -> None:
    """Take out when the result was made, which is soon after the patient was examined.

    Every date and time at any depth goes: those that must have a value get a made-up one.
    """
    for element in list(dataset):
        if element.VR == "SQ":
            for item in element.value:
                _forget_dates(item)
        elif element.keyword in _DUMMIES:
            element.value = _DUMMIES[element.keyword]
        elif element.VR in ("DA", "TM", "DT") and element.value:
            del dataset[element.tag]
    if "TimezoneOffsetFromUTC" in dataset:
        del dataset.TimezoneOffsetFromUTC
