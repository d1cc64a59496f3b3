from __future__ import annotations

import tracemalloc
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread
from pydicom.encaps import encapsulate
from pydicom.uid import (
    MPEG4HP41,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from calcviewer.core.errors import UnreadableInputError
from calcviewer.dicom.frames import DicomFrames
from calcviewer.dicom.header import read_header
from tests.dicom.samples import image_file, polar_file, polar_frames

SYNTAXES = [
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
    RLELossless,
    JPEGLSLossless,
    JPEG2000Lossless,
]


def frames_of(path: Path) -> DicomFrames:
    return DicomFrames(read_header(path))


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda uid: uid.keyword)
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_lossless_syntaxes_return_every_pixel(
    tmp_path: Path, syntax: str, kind: type[np.unsignedinteger]
) -> None:
    frames = polar_frames(3, (64, 70), top=np.iinfo(kind).max).astype(kind)
    reader = frames_of(image_file(tmp_path / "a.dcm", frames, syntax=syntax))
    reader.check()
    for index in (2, 0, 1):
        np.testing.assert_array_equal(reader.frame(index), frames[index])


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda uid: uid.keyword)
def test_colour_frames(tmp_path: Path, syntax: str) -> None:
    frames = np.random.default_rng(0).integers(0, 256, (2, 64, 66, 3)).astype(np.uint8)
    reader = frames_of(image_file(tmp_path / "a.dcm", frames, syntax=syntax))
    np.testing.assert_array_equal(reader.frame(1), frames[1])


def test_planar_colour(tmp_path: Path) -> None:
    frames = np.random.default_rng(0).integers(0, 256, (2, 12, 14, 3)).astype(np.uint8)
    path = image_file(tmp_path / "a.dcm", frames)
    dataset = dcmread(path)
    dataset.PlanarConfiguration = 1
    dataset.PixelData = np.moveaxis(frames, -1, 1).tobytes()
    dataset.save_as(path)
    np.testing.assert_array_equal(frames_of(path).frame(1), frames[1])


def jpeg_file(path: Path, frames: np.ndarray, *, pieces: int, table: bool) -> Path:
    """Write JPEG Baseline frames, each in several fragments, with or without an offset table."""
    image_file(path, frames)
    dataset = dcmread(path)
    encoded = []
    for frame in frames:
        buffer = BytesIO()
        Image.fromarray(frame).save(buffer, "JPEG", quality=95)
        encoded.append(buffer.getvalue())
    dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    dataset.PixelData = encapsulate(encoded, fragments_per_frame=pieces, has_bot=table)
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    dataset.save_as(path)
    return path


@pytest.mark.parametrize("pieces", [1, 3])
@pytest.mark.parametrize("table", [True, False])
def test_fragmented_jpeg(tmp_path: Path, pieces: int, table: bool) -> None:
    ramp = np.linspace(0, 200, 32 * 32).reshape(32, 32)
    frames = np.stack([ramp, ramp.T, 200 - ramp]).astype(np.uint8)
    reader = frames_of(jpeg_file(tmp_path / "a.dcm", frames, pieces=pieces, table=table))
    for index, frame in enumerate(frames):
        assert np.abs(reader.frame(index).astype(int) - frame).mean() < 2


def test_index_out_of_range(tmp_path: Path) -> None:
    with pytest.raises(IndexError):
        frames_of(polar_file(tmp_path / "p.dcm", polar_frames(2))).frame(2)


def test_truncated_native_file_names_what_is_there(tmp_path: Path) -> None:
    path = polar_file(tmp_path / "p.dcm", polar_frames(5))
    path.write_bytes(path.read_bytes()[: -2 * 24 * 40 - 10])
    with pytest.raises(UnreadableInputError, match=r"declares 5 frames and holds 3"):
        frames_of(path).check()


def test_truncated_compressed_file(tmp_path: Path) -> None:
    path = image_file(tmp_path / "a.dcm", polar_frames(4), syntax=RLELossless)
    path.write_bytes(path.read_bytes()[:-1500])
    with pytest.raises(UnreadableInputError, match="truncated"):
        frames_of(path).check()


def test_too_few_compressed_frames(tmp_path: Path) -> None:
    path = image_file(tmp_path / "a.dcm", polar_frames(3), syntax=RLELossless)
    dataset = dcmread(path)
    dataset.NumberOfFrames = 7
    dataset.save_as(path)
    with pytest.raises(UnreadableInputError, match="declares 7 frames"):
        frames_of(path).check()


def test_damaged_compressed_frame_names_itself(tmp_path: Path) -> None:
    path = image_file(tmp_path / "a.dcm", polar_frames(3), syntax=JPEGLSLossless)
    data = bytearray(path.read_bytes())
    start = data.rfind(b"\xff\xd8\xff")
    data[start + 2 : start + 60] = bytes(58)
    path.write_bytes(data)
    reader = frames_of(path)
    assert reader.frame(0).shape == (24, 40)
    with pytest.raises(UnreadableInputError, match=r"Frame 3 of .*a\.dcm cannot be decoded"):
        reader.frame(2)


def test_missing_decoder_names_the_optional_package(tmp_path: Path) -> None:
    path = image_file(tmp_path / "a.dcm", polar_frames(2), syntax=RLELossless)
    dataset = dcmread(path)
    dataset.file_meta.TransferSyntaxUID = JPEGLosslessSV1
    dataset.save_as(path)
    with pytest.raises(UnreadableInputError, match="pylibjpeg-libjpeg"):
        frames_of(path).frame(0)


def test_a_lying_header_allocates_nothing(tmp_path: Path) -> None:
    path = polar_file(tmp_path / "p.dcm", polar_frames(1))
    dataset = dcmread(path)
    dataset.NumberOfFrames = 1_000_000
    dataset.save_as(path)
    with pytest.raises(UnreadableInputError, match="1000000 frames"):
        read_header(path)
    dataset.NumberOfFrames = 90_000
    dataset.save_as(path)
    with pytest.raises(UnreadableInputError, match="declares 90000 frames and holds 1"):
        frames_of(path).check()


def test_no_pixel_data(tmp_path: Path) -> None:
    path = polar_file(tmp_path / "p.dcm", polar_frames(1))
    dataset = dcmread(path)
    del dataset.PixelData
    dataset.save_as(path)
    with pytest.raises(UnreadableInputError, match="no pixel data"):
        frames_of(path).check()


def test_video_is_refused_by_name(tmp_path: Path) -> None:
    path = image_file(tmp_path / "a.dcm", polar_frames(2), syntax=RLELossless)
    dataset = dcmread(path)
    dataset.file_meta.TransferSyntaxUID = MPEG4HP41
    dataset.save_as(path)
    with pytest.raises(UnreadableInputError, match=r"a\.dcm is compressed as MPEG-4 .*not read"):
        frames_of(path).frame(0)


def test_unknown_transfer_syntax(tmp_path: Path) -> None:
    path = polar_file(tmp_path / "a.dcm", polar_frames(2))
    data = path.read_bytes()
    path.write_bytes(data.replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.7\0", 1))
    with pytest.raises(UnreadableInputError, match="transfer syntax"):
        read_header(path)


def test_damaged_deflated_file(tmp_path: Path) -> None:
    path = image_file(tmp_path / "a.dcm", polar_frames(3), syntax=DeflatedExplicitVRLittleEndian)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(UnreadableInputError, match=r"a\.dcm"):
        frames_of(path).check()


def test_a_file_that_shrinks_or_goes_while_it_is_open(tmp_path: Path) -> None:
    path = polar_file(tmp_path / "p.dcm", polar_frames(3))
    reader = frames_of(path)
    reader.check()
    path.write_bytes(path.read_bytes()[:-100])
    assert reader.frame(1).shape == (24, 40)
    with pytest.raises(UnreadableInputError, match=r"p\.dcm was cut off after it was opened"):
        reader.frame(2)
    path.unlink()
    with pytest.raises(UnreadableInputError, match=r"p\.dcm cannot be read any more: No such file"):
        reader.frame(0)


@pytest.mark.parametrize("count", [1, 3])
def test_more_frames_than_declared(tmp_path: Path, count: int) -> None:
    for syntax in (ExplicitVRLittleEndian, RLELossless, JPEG2000Lossless):
        path = image_file(tmp_path / "a.dcm", polar_frames(4, (64, 70)), syntax=syntax)
        dataset = dcmread(path)
        dataset.NumberOfFrames = count
        dataset.save_as(path)
        with pytest.raises(UnreadableInputError, match=f"declares {count} frames and holds 4"):
            frames_of(path).check()


def test_eight_bits_in_big_endian_words(tmp_path: Path) -> None:
    frames = np.random.default_rng(0).integers(0, 256, (3, 5, 7)).astype(np.uint8)
    path = image_file(tmp_path / "a.dcm", frames, syntax=ExplicitVRBigEndian)
    data = bytearray(path.read_bytes())
    at = data.rindex(b"\x7f\xe0\x00\x10OB")
    data[at + 4 : at + 6] = b"OW"
    swapped = np.frombuffer(bytes(data[at + 12 :]), dtype="<u2").byteswap().tobytes()
    path.write_bytes(bytes(data[: at + 12]) + swapped)
    for index in (0, 1, 2):
        np.testing.assert_array_equal(frames_of(path).frame(index), frames[index])


def test_compressed_data_without_their_end_mark(tmp_path: Path) -> None:
    path = image_file(tmp_path / "a.dcm", polar_frames(3), syntax=RLELossless)
    whole = frames_of(path).frame(2)
    path.write_bytes(path.read_bytes()[:-8])
    np.testing.assert_array_equal(frames_of(path).frame(2), whole)


def test_deflated_frames_take_little_memory(tmp_path: Path) -> None:
    frames = np.zeros((40, 500, 500), dtype=np.uint8)
    frames[7, 3, 4] = 9
    path = image_file(tmp_path / "a.dcm", frames, syntax=DeflatedExplicitVRLittleEndian)
    tracemalloc.start()
    reader = frames_of(path)
    reader.check()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_array_equal(reader.frame(7), frames[7])
    assert reader.frame(39).sum() == 0
    assert peak < 2.5 * frames.nbytes  # all of them are passed through once, and none is kept
