from __future__ import annotations

import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from calcviewer.core.errors import UnreadableInputError
from calcviewer.modalities.ivoct.read_files import (
    LoadedFrames,
    MappedFrames,
    natural_key,
    open_array,
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


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32, np.float64, ">u2"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_npy_frames_are_mapped(tmp_path: Path, kind: str, order: str) -> None:
    frames = np.asarray(polar_frames(4).astype(kind), order=order)
    path = tmp_path / "p.npy"
    np.save(path, frames)
    raw, extras = open_array(path)
    assert isinstance(raw, MappedFrames)
    assert extras == {}
    np.testing.assert_array_equal(raw.frame(2), frames[2])


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_npz_frames_and_extras(tmp_path: Path, save: object) -> None:
    frames = polar_frames(4)
    path = tmp_path / "p.npz"
    save(path, frames=frames, sample_spacing_mm=0.01, geometry="polar")  # type: ignore[operator]
    raw, extras = open_array(path)
    assert isinstance(raw, MappedFrames if save is np.savez else LoadedFrames)
    assert extras == {"sample_spacing_mm": 0.01, "geometry": "polar"}
    np.testing.assert_array_equal(raw.frame(3), frames[3])


def test_one_frame_without_a_frame_axis(tmp_path: Path) -> None:
    np.save(tmp_path / "p.npy", polar_frames(1)[0])
    raw, _ = open_array(tmp_path / "p.npy")
    assert raw.count == 1


def test_pickled_arrays_are_refused(tmp_path: Path) -> None:
    objects = np.array([{"a": 1}, None], dtype=object)
    np.save(tmp_path / "p.npy", objects, allow_pickle=True)
    np.savez(tmp_path / "a.npz", frames=objects)
    np.savez(tmp_path / "b.npz", frames=polar_frames(1), geometry=objects)
    for name in ("p.npy", "a.npz", "b.npz"):
        with pytest.raises(UnreadableInputError, match=f"{name}.* pickled"):
            open_array(tmp_path / name)


@pytest.mark.parametrize("suffix", ["npy", "npz"])
@pytest.mark.parametrize("length", [0, 5, 60, 700])
def test_cut_off_arrays(tmp_path: Path, suffix: str, length: int) -> None:
    path = tmp_path / f"p.{suffix}"
    if suffix == "npy":
        np.save(path, polar_frames(3))
    else:
        np.savez(path, frames=polar_frames(3))
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(UnreadableInputError, match=rf"p\.{suffix}"):
        open_array(path)


def test_missing_frames_are_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "p.npz", images=polar_frames(1), other=3)
    with pytest.raises(UnreadableInputError, match="no array named 'frames', only images, other"):
        open_array(tmp_path / "p.npz")


@pytest.mark.parametrize(
    "array",
    [
        np.zeros(5),
        np.zeros((2, 3, 4, 5)),
        np.zeros((0, 4, 4)),
        np.zeros((2, 4, 4), dtype=complex),
        np.zeros((1, 2, 20_000), dtype=np.uint8),
    ],
    ids=["one axis", "four axes", "no frames", "complex", "too wide"],
)
def test_shapes_and_types_that_are_no_frames(tmp_path: Path, array: np.ndarray) -> None:
    np.save(tmp_path / "p.npy", array)
    with pytest.raises(UnreadableInputError, match=r"p\.npy"):
        open_array(tmp_path / "p.npy")


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_lying_array_header_allocates_nothing(tmp_path: Path, compression: int) -> None:
    from io import BytesIO

    header = BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<u2", "fortran_order": False, "shape": (1_000_000, 500, 900)}
    )
    path = tmp_path / "p.npz"
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("frames.npy", header.getvalue() + bytes(1000))
    tracemalloc.start()
    with pytest.raises(UnreadableInputError, match="declares 1000000 frames"):
        open_array(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2e6
