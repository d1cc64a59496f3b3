"""Writes a report as an Encapsulated PDF (PS3.3 A.45.1), so that an archive can hold it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import EncapsulatedPDFStorage, ExplicitVRLittleEndian

from calcviewer import __version__
from calcviewer.core.atomic import staged_file
from calcviewer.core.errors import CalcViewerError
from calcviewer.dicom.header import FOR_PROCESSING
from calcviewer.dicom.ivoct_modules import new_uid
from calcviewer.dicom.source import PROGRAM, ResultSource, finished
from calcviewer.dicom.values import tolerant

_SERIES_NUMBER = "9003"
_TITLE = "Coronary calcium report"


def write_encapsulated_pdf(path: Path, pdf: bytes, *, source: ResultSource) -> None:
    """Write a PDF as a DICOM object of the source's study, and read it back.

    Parameters
    ----------
    pdf
        The report; of a de-identified source one that names nobody.

    Raises
    ------
    CalcViewerError
        When the file cannot be written, or is damaged on the way.
    """
    dataset = _document(source)
    dataset.EncapsulatedDocument = pdf + b"\0" * (len(pdf) % 2)
    dataset.EncapsulatedDocumentLength = len(pdf)
    finished(dataset, source)
    with staged_file(path) as stage, tolerant():
        dcmwrite(stage, dataset, enforce_file_format=True)
        if pdf_of(stage) != pdf:
            raise CalcViewerError(
                f"{path.name} was damaged while it was written.", "Export it to another disk."
            )


def pdf_of(path: Path) -> bytes:
    """Return the PDF that a DICOM object holds."""
    dataset = dcmread(path)
    return bytes(dataset.EncapsulatedDocument[: dataset.EncapsulatedDocumentLength])


def _document(source: ResultSource) -> Dataset:
    now = datetime.now()
    dataset = Dataset()
    dataset.update(source.header)
    for name in list(dataset.dir()):  # an encapsulated document is in no frame of reference
        if name == "FrameOfReferenceUID" or name.startswith("Lossy"):
            delattr(dataset, name)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID, dataset.SOPInstanceUID = EncapsulatedPDFStorage, new_uid()
    dataset.SeriesInstanceUID = new_uid()
    dataset.Modality, dataset.SeriesNumber, dataset.InstanceNumber = "DOC", _SERIES_NUMBER, "1"
    dataset.SeriesDescription = dataset.DocumentTitle = _TITLE
    dataset.ConversionType = "WSD"
    dataset.Manufacturer = dataset.ManufacturerModelName = PROGRAM
    dataset.SoftwareVersions, dataset.DeviceSerialNumber = __version__, "0"
    dataset.ContentDate, dataset.ContentTime = now.strftime("%Y%m%d"), now.strftime("%H%M%S")
    dataset.AcquisitionDateTime = ""
    dataset.BurnedInAnnotation = "NO" if _names_nobody(source) else "YES"
    dataset.ConceptNameCodeSequence = []
    dataset.MIMETypeOfEncapsulatedDocument = "application/pdf"
    if source.frames:
        dataset.SourceInstanceSequence = _instances(source)
    return dataset


def _names_nobody(source: ResultSource) -> bool:
    """Whether a report prints no name, and shows no image into which another program may have.

    Nobody writes into A-lines; of other images their own word counts.
    """
    classes = {one.sop_class_uid for one in source.frames}
    return source.deidentified and (classes == {FOR_PROCESSING} or source.burned_in == "NO")


def _instances(source: ResultSource) -> list[Dataset]:
    instances = {one.sop_instance_uid: one.sop_class_uid for one in source.frames}
    items = []
    for instance_uid, class_uid in instances.items():
        item = Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = class_uid, instance_uid
        items.append(item)
    return items
