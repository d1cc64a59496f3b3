"""What a DICOM image says about itself, as plain values; no pixel is read for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filereader import read_dataset, read_partial
from pydicom.tag import BaseTag
from pydicom.uid import UID

from calcviewer.core.bounded_file import BoundedFile
from calcviewer.core.errors import UnreadableInputError
from calcviewer.core.limits import MOST_FRAMES, is_frame_size
from calcviewer.dicom.acquisition import IvoctAttributes, read_acquisition
from calcviewer.dicom.deflated import DEFLATED, InflatedStream, read_file_meta
from calcviewer.dicom.values import label, number, numbers, text, tolerant

FOR_PROCESSING = "1.2.840.10008.5.1.4.1.1.14.2"
FOR_PRESENTATION = "1.2.840.10008.5.1.4.1.1.14.1"
BIG_ENDIAN = "1.2.840.10008.1.2.2"
SIMULATOR_MANUFACTURER = "CalcViewer"
SIMULATOR_MODEL = "simulator"

_LONGEST_VALUE = 32 << 20
"""Longer values, of which none is wanted, are passed over."""
_LONGEST_INFLATED = 32 << 20
_MOST_ELEMENTS = 20_000
_UNDEFINED_LENGTH = 0xFFFFFFFF
_PIXEL_DATA = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})


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


def sop_class_of(dataset: Dataset) -> str:
    """Return the SOP class UID of an object, of a DICOMDIR that of its file meta information."""
    return label(dataset, "SOPClassUID") or label(dataset.file_meta, "MediaStorageSOPClassUID")


def sop_class_name(uid: str) -> str:
    """Return the name of a SOP class, the UID itself where it has none."""
    return UID(uid).name or "of no SOP class"


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
    try:
        with tolerant():
            return _header(path, *read_dataset_of(path))
    except (OSError, UnreadableInputError):
        raise
    except Exception as error:  # values are decoded on access, and fail in arbitrary ways
        raise _unreadable(path, error) from error


def read_dataset_of(path: Path) -> tuple[Dataset, int]:
    """Read all of a DICOM file that comes before its pixels.

    Returns
    -------
    The dataset, and where the pixel data element begins: in the file, or in the inflated dataset.

    Raises
    ------
    UnreadableInputError
        When the file is empty or no DICOM.
    """
    if path.stat().st_size == 0:
        raise UnreadableInputError(f"{path} is empty (0 bytes).", "Copy the file again.")
    try:
        with BoundedFile(path) as stream, tolerant():
            meta = read_file_meta(stream)
            if meta.get("TransferSyntaxUID") == DEFLATED:
                return _parse_deflated(stream, meta)
            stream.seek(0)
            stop = _pixels_ahead(path.stat().st_size)
            dataset = read_partial(stream, stop, defer_size=_LONGEST_VALUE)
            return dataset, stream.tell()
    except (OSError, UnreadableInputError):
        raise
    except Exception as error:  # arbitrary bytes make the parser fail in arbitrary ways
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> UnreadableInputError:
    return UnreadableInputError(
        f"{path} is not a readable DICOM file ({_reason(error)}).",
        "Export or copy the file again.",
    )


def _reason(error: Exception) -> str:
    text = str(error).split(".")[0].splitlines()
    return text[0] if text and text[0] else type(error).__name__


def _parse_deflated(stream: BinaryIO, meta: FileMetaDataset) -> tuple[Dataset, int]:
    """Parse what comes before the pixels; pydicom would inflate the pixels as well."""
    inflated = BytesIO(InflatedStream(stream).read(_LONGEST_INFLATED))
    stop = _pixels_ahead(_LONGEST_INFLATED)
    dataset = read_dataset(inflated, is_implicit_VR=False, is_little_endian=True, stop_when=stop)
    dataset.file_meta = meta
    return dataset, inflated.tell()


def _pixels_ahead(size: int) -> Callable[[BaseTag, str | None, int], bool]:
    """Return what stops the parser: at the pixels, or lost in a dataset of ``size`` bytes."""
    count = 0

    def stop(tag: BaseTag, _vr: str | None, length: int) -> bool:
        nonlocal count
        count += 1
        if tag in _PIXEL_DATA:
            return True
        if count > _MOST_ELEMENTS:
            raise ValueError("its header does not end")
        if size < length < _UNDEFINED_LENGTH:
            raise ValueError(f"its element {tag} reaches beyond the end")
        return False

    return stop


def _header(path: Path, dataset: Dataset, offset: int) -> DicomHeader:
    pixels = _pixel_format(path, dataset)
    return DicomHeader(
        path=path,
        sop_class_uid=label(dataset, "SOPClassUID"),
        sop_instance_uid=text(dataset, "SOPInstanceUID"),
        study_instance_uid=text(dataset, "StudyInstanceUID"),
        series_instance_uid=text(dataset, "SeriesInstanceUID"),
        instance_number=int(number(dataset, "InstanceNumber") or 0),
        modality=label(dataset, "Modality").upper(),
        manufacturer=label(dataset, "Manufacturer"),
        model=label(dataset, "ManufacturerModelName"),
        pixels=pixels,
        acquisition=read_acquisition(dataset, pixels.frame_count),
        palette=_palette(path, dataset),
        pixel_offset=offset,
        printed=_printed(dataset, pixels.transfer_syntax),
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
        kind = sop_class_name(sop_class_of(dataset))
        raise UnreadableInputError(
            f"{path} ({kind}) is no DICOM image: it lacks {lacking}.",
            "Choose the OCT image series.",
        )
    frames = number(dataset, "NumberOfFrames")
    if frames is None and text(dataset, "NumberOfFrames"):
        raise UnreadableInputError(
            f"{path} is damaged: its Number of Frames is no number.", "Export the file again."
        )
    allocated = int(values["BitsAllocated"] or 0)
    form = PixelFormat(
        rows=int(values["Rows"] or 0),
        columns=int(values["Columns"] or 0),
        frame_count=1 if frames is None else int(frames),
        samples_per_pixel=int(values["SamplesPerPixel"] or 1),
        bits_allocated=allocated,
        bits_stored=int(values["BitsStored"] or allocated),
        signed=bool(number(dataset, "PixelRepresentation")),
        photometric=label(dataset, "PhotometricInterpretation"),
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


_PHOTOMETRIC = MappingProxyType(
    {
        1: ("MONOCHROME1", "MONOCHROME2", "PALETTE COLOR"),
        3: ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT", "YBR_PARTIAL_420"),
    }
)


def _check_format(path: Path, form: PixelFormat) -> None:
    if not is_frame_size(form.rows, form.columns):
        fault = f"frames of {form.columns} x {form.rows} pixels"
    elif not 1 <= form.frame_count <= MOST_FRAMES:
        fault = f"{form.frame_count} frames"
    elif (form.samples_per_pixel, form.bits_allocated) not in ((1, 8), (1, 16), (3, 8)):
        fault = f"{form.samples_per_pixel} x {form.bits_allocated} bits a pixel"
    elif form.photometric not in _PHOTOMETRIC[form.samples_per_pixel]:
        colours = form.photometric or "(none)"
        fault = f"Photometric Interpretation {colours} of {form.samples_per_pixel} samples"
    else:
        return
    raise UnreadableInputError(
        f"{path} declares {fault}, which no OCT pullback has.", "Export the file again."
    )


def _palette(path: Path, dataset: Dataset) -> Palette | None:
    """Return the Palette Color LUT, plain or supplemental, as 8-bit colours."""
    if "RedPaletteColorLookupTableDescriptor" not in dataset:
        return None
    big = dataset.file_meta.TransferSyntaxUID == BIG_ENDIAN
    try:
        entries, first, bits = map(int, numbers(dataset, "RedPaletteColorLookupTableDescriptor"))
        entries = entries or 65536
        tables = [
            _table(dataset[f"{name}PaletteColorLookupTableData"].value, entries, bits, big=big)
            for name in ("Red", "Green", "Blue")
        ]
    except (KeyError, ValueError, TypeError) as error:
        raise UnreadableInputError(
            f"{path} has a damaged colour palette.", "Export the file again."
        ) from error
    return Palette(first, np.stack(tables, axis=1))


def _table(data: bytes, entries: int, bits: int, *, big: bool) -> NDArray[np.uint8]:
    if len(data) >= 2 * entries:
        wide = np.frombuffer(data, dtype=">u2" if big else "<u2", count=entries)
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


def _printed(dataset: Dataset, syntax: str) -> dict[str, str]:
    texts = {key: text(dataset, name) for key, name in _PRINTED.items()}
    texts["image_compression"] = lossy_compression(dataset, syntax)
    return {key: text for key, text in texts.items() if text}


_LOSSY = MappingProxyType(
    {
        "1.2.840.10008.1.2.4.50": "JPEG",
        "1.2.840.10008.1.2.4.51": "JPEG",
        "1.2.840.10008.1.2.4.81": "JPEG-LS",
        "1.2.840.10008.1.2.4.91": "JPEG 2000",
        "1.2.840.10008.1.2.4.203": "HTJ2K",
    }
)
"""Transfer syntaxes that allow a loss; JPEG-LS, JPEG 2000 and HTJ2K may have none all the same."""


def lossy_compression(dataset: Dataset, syntax: str) -> str:
    """Return in words whether pixels lost anything, now or once; empty when nothing says so.

    Lossy Image Compression (0028,2110) and its ratio (0028,2112) stay when a file is unpacked.
    """
    stated = text(dataset, "LossyImageCompression")
    name = _LOSSY.get(syntax)
    if stated == "01":
        ratios = [f"{ratio:.3g} : 1" for ratio in numbers(dataset, "LossyImageCompressionRatio")]
        return ", ".join(["lossy", *([name] if name else []), *ratios])
    if name is None:
        return ""
    certain = name == "JPEG" and stated != "00"
    return f"lossy, {name}" if certain else f"{name}, which may be lossy"
