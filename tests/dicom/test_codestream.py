from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread
from pydicom.encaps import generate_frames
from pydicom.pixels import compress
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless

from calcviewer.dicom.codestream import CodedSize, coded_size
from tests.dicom.samples import image_file, polar_frames


def jpeg(rows: int, columns: int, mode: str = "L", **options: object) -> bytes:
    buffer = BytesIO()
    Image.new(mode, (columns, rows)).save(buffer, "JPEG", **options)
    return buffer.getvalue()


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"comment": b"x" * 300}])
def test_jpeg(options: dict[str, object]) -> None:
    assert coded_size(jpeg(33, 21, **options)) == CodedSize(33, 21, 1, 8)
    assert coded_size(jpeg(5, 7, "RGB", **options)) == CodedSize(5, 7, 3, 8)


def test_fill_bytes_before_a_marker_are_passed_over() -> None:
    data = jpeg(33, 21)
    assert coded_size(data[:2] + b"\xff\xff" + data[2:]) == CodedSize(33, 21, 1, 8)


@pytest.mark.parametrize("syntax", [JPEGLSLossless, JPEG2000Lossless], ids=lambda uid: uid.keyword)
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_jpeg_ls_and_jpeg_2000(tmp_path: Path, syntax: str, kind: type[np.unsignedinteger]) -> None:
    frames = polar_frames(1, (40, 64), top=np.iinfo(kind).max).astype(kind)
    dataset = dcmread(image_file(tmp_path / "a.dcm", frames))
    compress(dataset, syntax)
    data = next(generate_frames(dataset.PixelData, number_of_frames=1))
    assert coded_size(data) == CodedSize(40, 64, 1, 8 * np.dtype(kind).itemsize)
    # Some writers put a file around the code stream.
    if syntax == JPEG2000Lossless:
        assert coded_size(b"\0\0\0\x0cjP  \r\n" + data) == CodedSize(40, 64, 1, 8 * frames.itemsize)


def test_what_has_no_size() -> None:
    whole = jpeg(33, 21)
    assert coded_size(b"") is None
    assert coded_size(b"no picture") is None
    assert coded_size(b"\xff\x4f\xff\x51\0\0") is None
    frame_header = whole.index(b"\xff\xc0")
    for length in range(frame_header + 9):
        assert coded_size(whole[:length]) is None
    assert coded_size(whole[:frame_header] + b"\xff\xda\0\0\0\0\0\0") is None
