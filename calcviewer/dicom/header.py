"""What a DICOM image says about itself, as plain values; no pixel is read for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import UID

from calcviewer.core.errors import UnreadableInputError
from calcviewer.dicom.acquisition import IvoctAttributes, read_acquisition
from calcviewer.dicom.values import number, text, tolerant

FOR_PROCESSING = "1.2.840.10008.5.1.4.1.1.14.2"
FOR_PRESENTATION = "1.2.840.10008.5.1.4.1.1.14.1"
SIMULATOR_MANUFACTURER = "CalcViewer"
SIMULATOR_MODEL = "simulator"

_LARGEST_SIDE_PX = 16384
_MOST_FRAMES = 100_000


@dataclass(frozen=True, eq=False)
class Palette:
    """A colour table: ``colours`` uint8 ``(N, 3)`` for stored values from ``first`` on."""

    first: int
    colours: NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class PixelFormat:
    """How the frames are stored; attributes of the Image Pixel module (0028,xxxx)."""

    rows: int
    columns: int
    frame_count: int
    samples_per_pixel: int
    bits_allocated: int
    bits_stored: int
    signed: bool
    photometric: str
    planar: bool
    transfer_syntax: str
    encapsulated: bool

    @property
    def frame_bytes(self) -> int:
        """Length of one native frame in bytes."""
        samples = 2 if self.photometric == "YBR_FULL_422" else self.samples_per_pixel
        return self.rows * self.columns * samples * (self.bits_allocated // 8)


@dataclass(frozen=True, eq=False)
class DicomHeader:
    """One DICOM image: identity, pixel format and acquisition."""

    path: Path
    sop_class_uid: str
    sop_instance_uid: str
    study_instance_uid: str
    series_instance_uid: str
    instance_number: int
    modality: str
    manufacturer: str
    model: str
    pixels: PixelFormat
    acquisition: IvoctAttributes
    palette: Palette | None
    pixel_offset: int
    printed: Mapping[str, str] = field(default_factory=dict)

    @property
    def simulated(self) -> bool:
        """Whether this program's simulator wrote the file."""
        return (self.manufacturer, self.model) == (SIMULATOR_MANUFACTURER, SIMULATOR_MODEL)


def is_dicom(path: Path) -> bool:
    """Whether a file has the DICOM preamble or a DICOM name."""
    if path.suffix.lower() in {".dcm", ".dicom", ".ima"}:
        return True
    with path.open("rb") as stream:
        return stream.read(132)[128:] == b"DICM"


def read_header(path: Path) -> DicomHeader:
    """Read the header of a DICOM image, without its pixels.

    Raises
    ------
    UnreadableInputError
        When the file is no DICOM image, or its header contradicts itself.
    """
    if path.stat().st_size == 0:
        raise UnreadableInputError(f"{path} is empty (0 bytes).", "Copy the file again.")
    try:
        with path.open("rb") as stream, tolerant():
            dataset, offset = _parse(stream)
            return _header(path, dataset, offset)
    except (OSError, UnreadableInputError):
        raise
    except Exception as error:  # arbitrary bytes make the parser fail in arbitrary ways
        raise UnreadableInputError(
            f"{path} is not a readable DICOM file ({_reason(error)}).",
            "Export or copy the file again.",
        ) from error


def _reason(error: Exception) -> str:
    text = str(error).split(".")[0].splitlines()
    return text[0] if text and text[0] else type(error).__name__


def _parse(stream: BinaryIO) -> tuple[Dataset, int]:
    dataset = dcmread(stream, stop_before_pixels=True)
    return dataset, stream.tell()


def _header(path: Path, dataset: Dataset, offset: int) -> DicomHeader:
    _check_kind(path, dataset)
    pixels = _pixel_format(path, dataset)
    return DicomHeader(
        path=path,
        sop_class_uid=text(dataset, "SOPClassUID"),
        sop_instance_uid=text(dataset, "SOPInstanceUID"),
        study_instance_uid=text(dataset, "StudyInstanceUID"),
        series_instance_uid=text(dataset, "SeriesInstanceUID"),
        instance_number=int(number(dataset, "InstanceNumber") or 0),
        modality=text(dataset, "Modality").upper(),
        manufacturer=text(dataset, "Manufacturer"),
        model=text(dataset, "ManufacturerModelName"),
        pixels=pixels,
        acquisition=read_acquisition(dataset, pixels.frame_count),
        palette=_palette(path, dataset),
        pixel_offset=offset,
        printed=_printed(dataset),
    )


_ACCEPTED_MODALITIES = ("IVOCT", "OCT", "OPT", "US", "OT")


def _check_kind(path: Path, dataset: Dataset) -> None:
    sop_class = text(dataset, "SOPClassUID")
    if sop_class in (FOR_PROCESSING, FOR_PRESENTATION):
        return
    modality = text(dataset, "Modality").upper()
    if modality not in _ACCEPTED_MODALITIES:
        name = getattr(getattr(dataset, "SOPClassUID", ""), "name", "") or "unknown object"
        raise UnreadableInputError(
            f"{path} holds modality {modality or '(none)'} ({name}), not an intravascular OCT "
            "pullback.",
            "Choose the OCT series of the study.",
        )


def _pixel_format(path: Path, dataset: Dataset) -> PixelFormat:
    syntax = getattr(getattr(dataset, "file_meta", None), "TransferSyntaxUID", None)
    values = {
        name: number(dataset, name)
        for name in ("Rows", "Columns", "SamplesPerPixel", "BitsAllocated", "BitsStored")
    }
    missing = [name for name in ("Rows", "Columns", "BitsAllocated") if not values[name]]
    if missing or syntax is None:
        lacking = ", ".join([*missing, *([] if syntax else ["Transfer Syntax UID"])])
        raise UnreadableInputError(
            f"{path} is no DICOM image: it lacks {lacking}.", "Choose the OCT image series."
        )
    frames = number(dataset, "NumberOfFrames")
    allocated = int(values["BitsAllocated"] or 0)
    form = PixelFormat(
        rows=int(values["Rows"] or 0),
        columns=int(values["Columns"] or 0),
        frame_count=1 if frames is None else int(frames),
        samples_per_pixel=int(values["SamplesPerPixel"] or 1),
        bits_allocated=allocated,
        bits_stored=int(values["BitsStored"] or allocated),
        signed=bool(number(dataset, "PixelRepresentation")),
        photometric=text(dataset, "PhotometricInterpretation"),
        planar=bool(number(dataset, "PlanarConfiguration")),
        transfer_syntax=str(syntax),
        encapsulated=_is_encapsulated(path, UID(syntax)),
    )
    _check_format(path, form)
    return form


def _is_encapsulated(path: Path, syntax: UID) -> bool:
    try:
        return bool(syntax.is_encapsulated)
    except ValueError as error:
        raise UnreadableInputError(
            f"{path} declares {syntax} as its transfer syntax, which is none.",
            "Copy or export the file again.",
        ) from error


def _check_format(path: Path, form: PixelFormat) -> None:
    if not (form.rows <= _LARGEST_SIDE_PX and form.columns <= _LARGEST_SIDE_PX):
        fault = f"frames of {form.columns} x {form.rows} pixels"
    elif not 1 <= form.frame_count <= _MOST_FRAMES:
        fault = f"{form.frame_count} frames"
    elif form.bits_allocated not in (8, 16) or form.samples_per_pixel not in (1, 3):
        fault = f"{form.samples_per_pixel} samples of {form.bits_allocated} bits a pixel"
    else:
        return
    raise UnreadableInputError(
        f"{path} declares {fault}, which no OCT pullback has.", "Export the file again."
    )


def _palette(path: Path, dataset: Dataset) -> Palette | None:
    """Return the Palette Color LUT, plain or supplemental, as 8-bit colours."""
    descriptor = dataset.get("RedPaletteColorLookupTableDescriptor")
    if descriptor is None:
        return None
    try:
        entries, first, bits = (int(value) for value in descriptor)
        entries = entries or 65536
        tables = [
            _table(dataset[f"{name}PaletteColorLookupTableData"].value, entries, bits)
            for name in ("Red", "Green", "Blue")
        ]
    except (KeyError, ValueError, TypeError) as error:
        raise UnreadableInputError(
            f"{path} has a damaged colour palette.", "Export the file again."
        ) from error
    return Palette(first, np.stack(tables, axis=1))


def _table(data: bytes, entries: int, bits: int) -> NDArray[np.uint8]:
    if len(data) >= 2 * entries:
        wide = np.frombuffer(data, dtype="<u2", count=entries)
        # Some writers put 8-bit colours into 16-bit words.
        shift = 8 if bits > 8 and wide.max(initial=0) > 255 else 0
        return (wide >> shift).astype(np.uint8)
    return np.frombuffer(data, dtype=np.uint8, count=entries)


_PRINTED = {
    "patient_name": "PatientName",
    "patient_id": "PatientID",
    "patient_birth_date": "PatientBirthDate",
    "patient_sex": "PatientSex",
    "study_date": "StudyDate",
    "study_time": "StudyTime",
    "accession_number": "AccessionNumber",
    "study_description": "StudyDescription",
    "series_description": "SeriesDescription",
    "modality": "Modality",
    "manufacturer": "Manufacturer",
    "model": "ManufacturerModelName",
    "institution": "InstitutionName",
}


def _printed(dataset: Dataset) -> dict[str, str]:
    texts = {key: text(dataset, name) for key, name in _PRINTED.items()}
    return {key: text for key, text in texts.items() if text}
