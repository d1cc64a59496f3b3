"""Sizes that a header only claims are refused, and no memory is taken for them."""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from pydicom import dcmread

from tests.fuzz.judging import Verdict, judge, limits, workplace
from tests.fuzz.readers import reader_named

FRAMES, SIDE = 1_000_000, 60_000


def _dicom(**claims: int) -> Callable[[Path], None]:
    def claim(path: Path) -> None:
        dataset = dcmread(path)
        for name, value in claims.items():
            setattr(dataset, name, value)
        dataset.save_as(path)

    return claim


def _npy_shape(content: bytes, shape: tuple[int, ...]) -> bytes:
    header = content[:128]
    claimed = re.sub(rb"\(\d[^)]*\)", str(shape).encode(), header).rstrip()
    return claimed.ljust(127) + b"\n" + content[128:]


def _npy(path: Path) -> None:
    path.write_bytes(_npy_shape(path.read_bytes(), (FRAMES, 24, 40)))


def _npz(*shape: int) -> Callable[[Path], None]:
    def claim(path: Path) -> None:
        with zipfile.ZipFile(path) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in members.items():
                large = Path(name).stem in ("frames", "labels", "images")
                archive.writestr(name, _npy_shape(content, shape) if large else content)
        path.write_bytes(packed.getvalue())

    return claim


def _png(path: Path) -> None:
    data = path.read_bytes()
    header = b"IHDR" + struct.pack(">LL", SIDE, SIDE) + data[24:29]
    path.write_bytes(data[:12] + header + struct.pack(">L", zlib.crc32(header)) + data[33:])


def _tiff(path: Path) -> None:
    data = bytearray(path.read_bytes())
    at = int.from_bytes(data[4:8], "little")
    for place in range(at + 2, at + 2 + 12 * int.from_bytes(data[at : at + 2], "little"), 12):
        if int.from_bytes(data[place : place + 2], "little") in (256, 257):
            data[place + 2 : place + 12] = struct.pack("<HLL", 4, 1, SIDE)
    path.write_bytes(data)


def _nifti(path: Path) -> None:
    data = bytearray(path.read_bytes())
    struct.pack_into("<4h", data, 40, 3, 30_000, 30_000, 30_000)
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("name", "file", "claim"),
    [
        ("dicom", "processing.dcm", _dicom(NumberOfFrames=FRAMES)),
        ("dicom", "presentation.dcm", _dicom(Rows=SIDE, Columns=SIDE)),
        ("dicom", "colour.dcm", _dicom(Rows=SIDE, Columns=SIDE, NumberOfFrames=FRAMES)),
        ("dicom", "deflated.dcm", _dicom(NumberOfFrames=FRAMES)),
        ("dicom", "deflated.dcm", _dicom(Rows=SIDE, Columns=SIDE)),
        ("dicom-compressed", "rle.dcm", _dicom(Rows=SIDE, Columns=SIDE)),
        ("dicom-compressed", "jpeg-ls.dcm", _dicom(NumberOfFrames=FRAMES)),
        ("dicom-compressed", "jpeg-2000.dcm", _dicom(Rows=SIDE, Columns=SIDE)),
        ("dicom-folder", "2.dcm", _dicom(Rows=SIDE, Columns=SIDE)),
        ("image", "grey.png", _png),
        ("image-folder", "frame_0002.png", _png),
        ("tiff", "plain.tif", _tiff),
        ("tiff", "deflate.tif", _tiff),
        ("tiff", "lzw.tif", _tiff),
        ("array", "polar.npy", _npy),
        ("array", "packed.npz", _npz(FRAMES, 24, 40)),
        ("array", "stored.npz", _npz(3, SIDE, SIDE)),
        ("labels", "full.npz", _npz(FRAMES, 24, 40)),
        ("labels", "bare.npz", _npz(3, SIDE, SIDE)),
        ("seg", "a.seg.dcm", _dicom(Rows=SIDE, Columns=SIDE)),
        ("seg", "packed.seg.dcm", _dicom(Rows=SIDE, Columns=SIDE)),
        ("nifti", "a.nii", _nifti),
        ("voi", "arrays.npz", _npz(FRAMES, 480, 960)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_claim_takes_no_memory(name: str, file: str, claim: Callable[[Path], None]) -> None:
    reader = reader_named(name)
    with workplace() as folder:
        path = next(one for one in reader.make(folder) if one.name == file)
        claim(path)
        with limits():
            outcome = judge(reader.read, path)
    assert outcome.verdict is Verdict.REFUSED, outcome
