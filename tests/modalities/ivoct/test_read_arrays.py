from __future__ import annotations

import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest

from calcviewer.core.errors import UnreadableInputError
from calcviewer.modalities.ivoct.read_arrays import LoadedFrames, MappedFrames, open_array
from tests.dicom.samples import polar_frames


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


def test_an_array_that_is_cut_off_while_it_is_open(tmp_path: Path) -> None:
    path = tmp_path / "p.npy"
    np.save(path, polar_frames(3))
    raw, _ = open_array(path)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(UnreadableInputError, match=r"p\.npy was cut off") as raised:
        raw.frame(2)
    assert raised.value.hint


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


def test_compressed_frames_that_fill_the_memory_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "p.npz"
    np.savez_compressed(path, frames=polar_frames(1))
    data = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        size = archive.getinfo("frames.npy").file_size
    at = data.rindex(size.to_bytes(4, "little"))
    path.write_bytes(data[:at] + (3 << 30).to_bytes(4, "little") + data[at + 4 :])
    with pytest.raises(UnreadableInputError, match=r"too large for that: 3072 MB.*numpy\.savez"):
        open_array(path)
