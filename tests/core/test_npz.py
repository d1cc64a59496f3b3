"""Arrays in archives are read as NumPy reads them, and take no more memory than they hold."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from calcviewer.core.npz import open_member, read_member


@pytest.mark.parametrize(
    "array",
    [
        np.arange(24, dtype=">u2").reshape(2, 3, 4),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.array(0.5),
        np.zeros((0, 3)),
        np.array("linear"),
        np.arange(1 << 21, dtype=np.uint8),
    ],
    ids=lambda array: f"{array.dtype}{array.shape}",
)
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_as_numpy_reads_it(tmp_path: Path, array: np.ndarray, save: object) -> None:
    path = tmp_path / "a.npz"
    save(path, a=array)  # type: ignore[operator]
    with zipfile.ZipFile(path) as archive:
        found = read_member(archive, "a.npy")
    assert found.dtype == array.dtype
    assert found.flags.writeable
    np.testing.assert_array_equal(found, array)


def _archive(content: bytes) -> zipfile.ZipFile:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", content)
    return zipfile.ZipFile(stream)


def _npy(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, allow_pickle=True)
    return stream.getvalue()


def test_more_declared_than_held() -> None:
    content = _npy(np.zeros((1, 24, 40))).replace(
        b"(1, 24, 40), }       ", b"(10000, 60000, 40), }"
    )
    with pytest.raises(ValueError, match="declares 192000000000 bytes"):
        read_member(_archive(content), "a.npy")


def test_pickled_and_cut_short() -> None:
    with pytest.raises(ValueError, match="pickled"):
        read_member(_archive(_npy(np.array([{}]))), "a.npy")
    archive = _archive(_npy(np.zeros(100)).replace(b"(100,), }", b"(110,), }"))
    archive.getinfo("a.npy").file_size += 80
    with pytest.raises((ValueError, EOFError)):
        read_member(archive, "a.npy")
    with pytest.raises(KeyError):
        read_member(archive, "b.npy")


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_text_of_no_characters(order: str) -> None:
    content = _npy(np.array("linear", dtype=f"{order}U6"))
    assert read_member(_archive(content), "a.npy").item() == "linear"
    with pytest.raises(ValueError, match="codec can't decode"):
        read_member(_archive(content[:-4] + b"\xff" * 4), "a.npy")


def test_a_member_cannot_be_larger_than_its_file() -> None:
    archive = _archive(_npy(np.zeros(10)))
    archive.getinfo("a.npy").file_size = 1 << 40
    with pytest.raises(ValueError, match="declares more than the file holds"):
        open_member(archive, "a.npy")
    archive.getinfo("a.npy").compress_type = zipfile.ZIP_LZMA
    with pytest.raises(ValueError, match="in a way that is not read"):
        open_member(archive, "a.npy")
