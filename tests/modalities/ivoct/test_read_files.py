from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from calcviewer.core.errors import UnreadableInputError
from calcviewer.modalities.ivoct.read_files import (
    natural_key,
    open_images,
    open_tiff,
)
from tests.dicom.samples import polar_frames


def test_natural_order() -> None:
    names = ["f10.png", "f9.png", "F1.png", "a2b10.png", "a2b9.png"]
    ordered = sorted((Path(name) for name in names), key=natural_key)
    expected = ["a2b9.png", "a2b10.png", "F1.png", "f9.png", "f10.png"]
    assert [path.name for path in ordered] == expected


@pytest.mark.parametrize(
    ("suffix", "kind"),
    [("png", np.uint8), ("png", np.uint16), ("tif", np.uint16), ("bmp", np.uint8)],
)
def test_image_files_in_natural_order(tmp_path: Path, suffix: str, kind: type) -> None:
    frames = polar_frames(11, (12, 15), top=np.iinfo(kind).max).astype(kind)
    paths = []
    for index, frame in enumerate(frames, start=1):
        path = tmp_path / f"f{index}.{suffix}"
        Image.fromarray(frame).save(path)
        paths.append(path)
    raw = open_images(paths[::-1])
    assert raw.count == 11
    for index in (0, 1, 10):
        np.testing.assert_array_equal(raw.frame(index), frames[index])


def test_jpeg_and_modes(tmp_path: Path) -> None:
    grey = np.full((16, 16), 90, dtype=np.uint8)
    Image.fromarray(grey).save(tmp_path / "1.jpg", quality=95)
    Image.fromarray(np.dstack([grey] * 4)).save(tmp_path / "2.png")
    Image.fromarray(grey).convert("P").save(tmp_path / "3.png")
    raw = open_images(sorted(tmp_path.iterdir()))
    assert abs(int(raw.frame(0).mean()) - 90) <= 2
    assert raw.frame(1).shape == (16, 16, 3)
    assert raw.frame(2).shape == (16, 16, 3)


def test_sizes_must_agree(tmp_path: Path) -> None:
    for index, size in enumerate([10, 10, 12]):
        Image.new("L", (size, 10)).save(tmp_path / f"{index}.png")
    with pytest.raises(UnreadableInputError, match=r"2\.png has 12 x 10 pixels, but 0\.png has 10"):
        open_images(list(tmp_path.iterdir()))


@pytest.mark.parametrize("content", [b"", b"no image at all"])
def test_a_file_that_is_no_image_is_named(tmp_path: Path, content: bytes) -> None:
    Image.new("L", (9, 9)).save(tmp_path / "0.png")
    (tmp_path / "1.png").write_bytes(content)
    with pytest.raises(UnreadableInputError, match=r"1\.png"):
        open_images(list(tmp_path.iterdir()))


def test_a_cut_off_image_fails_when_its_frame_is_read(tmp_path: Path) -> None:
    frames = polar_frames(2, (80, 80)).astype(np.uint8)
    for index, frame in enumerate(frames):
        Image.fromarray(frame).save(tmp_path / f"{index}.png")
    path = tmp_path / "1.png"
    path.write_bytes(path.read_bytes()[:2000])
    raw = open_images(list(tmp_path.iterdir()))
    assert raw.frame(0).shape == (80, 80)
    with pytest.raises(UnreadableInputError, match=r"1\.png"):
        raw.frame(1)


@pytest.mark.parametrize("compression", [None, "zlib", "lzw"])
def test_tiff_pages(tmp_path: Path, compression: str | None) -> None:
    frames = polar_frames(5, (20, 30))
    path = tmp_path / "p.tif"
    if compression == "lzw":
        images = [Image.fromarray(frame) for frame in frames]
        images[0].save(path, save_all=True, append_images=images[1:], compression="tiff_lzw")
    else:
        tifffile.imwrite(path, frames, photometric="minisblack", compression=compression)
    raw = open_tiff(path)
    assert raw.count == 5
    np.testing.assert_array_equal(raw.frame(3), frames[3])


def test_colour_tiff_pages(tmp_path: Path) -> None:
    frames = np.random.default_rng(0).integers(0, 256, (3, 20, 30, 3)).astype(np.uint8)
    path = tmp_path / "p.tif"
    tifffile.imwrite(path, frames, photometric="rgb")
    np.testing.assert_array_equal(open_tiff(path).frame(2), frames[2])


@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_sixteen_bit_colour_tiff_keeps_its_upper_bits(tmp_path: Path, planar: str) -> None:
    frame = np.random.default_rng(0).integers(0, 65536, (20, 30, 3)).astype(np.uint16)
    path = tmp_path / "p.tif"
    written = frame if planar == "contig" else np.moveaxis(frame, -1, 0)
    tifffile.imwrite(path, written, photometric="rgb", planarconfig=planar)
    read = open_tiff(path).frame(0)
    assert read.dtype == np.uint8
    np.testing.assert_array_equal(read, frame >> 8)


def test_grey_tiff_with_transparency_is_grey(tmp_path: Path) -> None:
    frame = np.random.default_rng(0).integers(0, 256, (20, 30, 2)).astype(np.uint8)
    path = tmp_path / "p.tif"
    tifffile.imwrite(path, frame, photometric="minisblack", planarconfig="contig")
    np.testing.assert_array_equal(open_tiff(path).frame(0), frame[..., 0])


def test_tiff_pages_of_mixed_size(tmp_path: Path) -> None:
    path = tmp_path / "p.tif"
    with tifffile.TiffWriter(path) as tiff:
        tiff.write(np.zeros((8, 9), np.uint8))
        tiff.write(np.zeros((8, 10), np.uint8))
    with pytest.raises(UnreadableInputError, match="Page 2"):
        open_tiff(path)


@pytest.mark.parametrize("length", [0, 6, 40])
def test_damaged_tiff(tmp_path: Path, length: int) -> None:
    path = tmp_path / "p.tif"
    tifffile.imwrite(path, polar_frames(2, (30, 30)))
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(UnreadableInputError, match=r"p\.tif"):
        open_tiff(path)


def test_a_page_that_inflates_beyond_any_frame_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "p.tif"
    tifffile.imwrite(path, np.zeros((20, 30), np.uint8), compression="zlib")
    bomb = zlib.compress(bytes(80 << 20), 1)
    with tifffile.TiffFile(path) as tiff:
        page = tiff.pages[0]
        places = [page.tags[name].valueoffset for name in ("StripOffsets", "StripByteCounts")]
    data = bytearray(path.read_bytes())
    for place, value in zip(places, (len(data), len(bomb)), strict=True):
        data[place : place + 4] = value.to_bytes(4, "little")
    path.write_bytes(data + bomb)
    with pytest.raises(UnreadableInputError, match="larger than any frame"):
        open_tiff(path).frame(0)


@pytest.mark.parametrize(
    "page",
    [np.zeros((9, 9), complex), np.zeros((5000, 5000), np.uint8), np.zeros((20, 20, 9), np.uint8)],
    ids=["complex", "too large", "nine samples"],
)
def test_pages_that_are_no_frames(tmp_path: Path, page: np.ndarray) -> None:
    path = tmp_path / "p.tif"
    with tifffile.TiffWriter(path) as tiff:
        photometric = "rgb" if page.ndim == 3 else "minisblack"
        tiff.write(page, photometric=photometric, compression="zlib")
    with pytest.raises(UnreadableInputError, match=r"p\.tif"):
        open_tiff(path)


def test_a_picture_too_large_for_a_frame_is_refused(tmp_path: Path) -> None:
    Image.new("L", (5000, 5000)).save(tmp_path / "p.png")
    with pytest.raises(UnreadableInputError, match="5000 x 5000 pixels, which no OCT frame has"):
        open_images([tmp_path / "p.png"])
