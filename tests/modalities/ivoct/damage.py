"""Files that are damaged in every way we could think of, made from sound ones."""

from __future__ import annotations

import contextlib
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from calcviewer.dicom.ivoct_writer import console_palette
from calcviewer.modalities.ivoct.gold import gold_table
from tests.dicom.samples import cross_sections, image_file, polar_file, polar_frames

Files = Iterator[tuple[str, bytes]]
_CUTS = 8


def sound_files(folder: Path) -> list[Path]:
    """Write one sound file of each kind."""
    grey = cross_sections(3, size=96, sheath_px=14)
    colour = gold_table()[grey]
    palette = {}
    for channel, name in enumerate(("Red", "Green", "Blue")):
        palette[f"{name}PaletteColorLookupTableDescriptor"] = [256, 0, 8]
        table = console_palette(gold_table())[:, channel].tobytes()
        palette[f"{name}PaletteColorLookupTableData"] = table
    return [
        polar_file(folder / "polar.dcm", polar_frames(3)),
        image_file(folder / "rle.dcm", colour, syntax=RLELossless),
        image_file(folder / "jls.dcm", grey, syntax=JPEGLSLossless),
        image_file(folder / "j2k.dcm", grey, syntax=JPEG2000Lossless),
        image_file(folder / "deflated.dcm", grey, syntax=DeflatedExplicitVRLittleEndian),
        image_file(folder / "big.dcm", grey, syntax=ExplicitVRBigEndian),
        image_file(folder / "palette.dcm", grey, photometric="PALETTE COLOR", **palette),
    ]


def cut_off(path: Path) -> Files:
    """The file, cut at places spread over its head and its pixels."""
    data = path.read_bytes()
    head = np.linspace(0, min(1400, len(data)), _CUTS).astype(int)
    rest = np.linspace(1400, len(data) - 1, _CUTS).astype(int)
    for length in [*head, *rest]:
        yield f"cut-{path.stem}-{length}.dcm", data[:length]


def wrong_lengths(path: Path) -> Files:
    """Lengths of elements set to too much, too little, and undefined."""
    data = path.read_bytes()
    dataset = dcmread(path, stop_before_pixels=True)
    places = [element.file_tell for element in dataset if element.file_tell][::3]
    for place in places[:10]:
        for length in (b"\x00\x00", b"\x01\x00", b"\xff\xff"):
            yield (
                f"length-{path.stem}-{place}-{length[0]}.dcm",
                data[: place - 2] + length + data[place:],
            )
    at = data.rindex(b"\xe0\x7f\x10\x00") + 8
    for length in (0, 10, 1 << 30, 0xFFFFFFFE, 0xFFFFFFFF):
        yield (
            f"pixels-{path.stem}-{length}.dcm",
            data[:at] + struct.pack("<L", length) + data[at + 4 :],
        )


_WRONG_VALUES: dict[str, tuple[object, ...]] = {
    "NumberOfFrames": (0, -1, 4, 99_999, 1_000_000, 2**31 - 1),
    "Rows": (0, 1, 30_000, 65_535),
    "Columns": (0, 1, 30_000, 65_535),
    "BitsAllocated": (0, 1, 12, 16, 32, 64),
    "BitsStored": (0, 1, 40),
    "SamplesPerPixel": (0, 2, 3, 4, 255),
    "PhotometricInterpretation": ("", "NONSENSE", "YBR_FULL_422", "YBR_PARTIAL_420", "ARGB"),
    "PixelRepresentation": (1, 7),
    "PlanarConfiguration": (1, 9),
    "PixelSpacing": ([0.0, 0.0], [1e300, 1e300], [0.01, 0.02], 0.01),
    "ALinePixelSpacing": (0.0, -1.0, 1e-300, 1e300, float("nan")),
    "SpacingBetweenSlices": ("1e300", "-1"),
    "FirstALineLocation": (1e300, float("nan")),
    "SharedFunctionalGroupsSequence": ([], [Dataset()] * 3),
    "PerFrameFunctionalGroupsSequence": ([], [Dataset()] * 400),
    "RedPaletteColorLookupTableDescriptor": ([0, 0, 8], [256, 300, 8], [256, 60_000, 16], [1]),
    "RedPaletteColorLookupTableData": (b"", b"ab"),
    "SequenceOfUltrasoundRegions": ([Dataset()],),
}


def wrong_values(path: Path) -> Files:
    """Attributes of impossible or contradictory value, and without one at a time."""
    for name, values in _WRONG_VALUES.items():
        for number, value in enumerate(values):
            dataset = dcmread(path)
            setattr(dataset, name, value)
            with contextlib.suppress(ValueError):  # what cannot be written need not be read
                yield f"value-{path.stem}-{name}-{number}.dcm", _bytes(dataset, path)
    for name in ("Rows", "Columns", "BitsAllocated", "NumberOfFrames", "PixelData", "SOPClassUID"):
        dataset = dcmread(path)
        delattr(dataset, name)
        yield f"without-{path.stem}-{name}.dcm", _bytes(dataset, path)


def _bytes(dataset: Dataset, path: Path) -> bytes:
    target = path.with_suffix(".new")
    dataset.save_as(target)
    data = target.read_bytes()
    target.unlink()
    return data


def bombs(path: Path) -> Files:
    """Deflated and coded data that would grow beyond the memory; ``path`` is deflated."""
    data = path.read_bytes()
    dataset = dcmread(path)
    start = data.index(zlib_part(path))
    for name, grown in (("zeros", bytes(1 << 20)), ("head", _long_element())):
        packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
        pieces = [packer.compress(grown) for _ in range(400)] + [packer.flush()]
        yield f"bomb-{name}.dcm", data[:start] + b"".join(pieces)
    dataset.NumberOfFrames = 90_000
    dataset.Rows = dataset.Columns = 4096
    yield "bomb-declared.dcm", _bytes(dataset, path)


def _long_element() -> bytes:
    return b"\x09\x00\x10\x00OB\0\0" + struct.pack("<L", 1 << 29) + bytes((1 << 20) - 12)


def zlib_part(path: Path) -> bytes:
    """The deflated dataset of a file, which begins behind its file meta information."""
    length = int(dcmread(path).file_meta.FileMetaInformationGroupLength)
    return path.read_bytes()[132 + 12 + length :]


def coded_sizes(path: Path) -> Files:
    """JPEG 2000 frames that declare another size than the file does."""
    data = path.read_bytes()
    at = data.index(b"\xff\x4f\xff\x51") + 8
    for columns, rows in ((60_000, 60_000), (97, 96), (2**32 - 1, 1)):
        size = struct.pack(">LL", columns, rows)
        yield f"coded-{columns}.dcm", data[:at] + size + data[at + 8 :]


def garbage() -> Files:
    """Bytes at random behind the beginnings of files."""
    rng = np.random.default_rng(0)
    beginnings = {
        "dcm": bytes(128) + b"DICM",
        "png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
        "tif": b"II*\0\x08\0\0\0",
        "npy": b"\x93NUMPY\x01\0v\0{'descr': '<u2', 'fortran_order': False, 'shape': (",
        "npz": b"PK\x03\x04",
        "jpg": b"\xff\xd8\xff\xe0",
        "bmp": b"BM",
    }
    for suffix, beginning in beginnings.items():
        for number in range(6):
            yield f"garbage-{number}.{suffix}", beginning + rng.bytes(40 * 4**number)
    for depth in (200, 5000):
        item = b"\x08\x00\x11\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
        meta = b"\x02\x00\x10\x00UI\x14\x001.2.840.10008.1.2.1\0"
        yield f"nested-{depth}.dcm", bytes(128) + b"DICM" + meta + item * depth


def damaged_files(sound: list[Path]) -> Files:
    """Every damaged file: name and content."""
    named = {path.stem: path for path in sound}
    for path in sound:
        yield from cut_off(path)
    for stem in ("polar", "rle", "palette"):
        yield from wrong_lengths(named[stem])
    for stem in ("polar", "j2k", "palette"):
        yield from wrong_values(named[stem])
    yield from bombs(named["deflated"])
    yield from coded_sizes(named["j2k"])
    yield from garbage()
