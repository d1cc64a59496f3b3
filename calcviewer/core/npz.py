"""Arrays in NPZ files, whose size is checked against the file before memory is taken for it."""

from __future__ import annotations

import math
import warnings
import zipfile
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

_STORED, _DEFLATED = zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED
_CHUNK_BYTES = 1 << 20
_MOST_INFLATED = 1040
"""No deflated data are more times as large as they were packed (zlib's technical details)."""


def npy_header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Read the header of an NPY stream: shape, whether columns come first, and type.

    Raises
    ------
    ValueError
        When it is damaged.
    """
    version = np.lib.format.read_magic(stream)
    read = (
        np.lib.format.read_array_header_1_0
        if version == (1, 0)
        else np.lib.format.read_array_header_2_0
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Python 2 headers, which are read all the same
        shape, fortran_order, dtype = read(stream)
    # True counts as a number in Python, but not as the side of a memory map.
    return tuple(map(int, shape)), fortran_order, dtype


def open_member(archive: zipfile.ZipFile, name: str) -> IO[bytes]:
    """Open a member of an archive that can be as large as it says.

    Raises
    ------
    KeyError
        When there is none of this name.
    ValueError
        When its declared length is more than the archive can hold.
    """
    member = archive.getinfo(name)
    if member.compress_type not in (_STORED, _DEFLATED):
        raise ValueError(f"{name} is compressed in a way that is not read")
    times = 1 if member.compress_type == _STORED else _MOST_INFLATED
    if member.file_size > times * min(member.compress_size, archive.start_dir):
        raise ValueError(f"{name} declares more than the file holds")
    return archive.open(member)


def read_member(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    """Read an array of numbers or texts.

    Raises
    ------
    KeyError
        When there is none of this name.
    ValueError
        When it is damaged, pickled, or declares more than it holds.
    """
    length = archive.getinfo(name).file_size
    with open_member(archive, name) as stream:
        shape, fortran_order, dtype = npy_header(stream)
        if dtype.hasobject:
            raise ValueError(f"{name} is pickled")
        declared = math.prod(shape) * dtype.itemsize
        if min(shape, default=0) < 0 or declared > length:
            raise ValueError(f"{name} declares {declared} bytes and holds {length}")
        values = np.empty(math.prod(shape), dtype=dtype)
        _fill(values.view(np.uint8) if declared else values, stream)
    if dtype.kind == "U":
        # Fails on what is no character, of which NumPy makes a text that breaks Python.
        values.tobytes().decode("utf-32-be" if dtype.byteorder == ">" else "utf-32-le")
    return values.reshape(shape, order="F" if fortran_order else "C")


def _fill(place: NDArray[Any], stream: IO[bytes]) -> None:
    at = 0
    while at < place.size:
        piece = stream.read(min(_CHUNK_BYTES, place.size - at))
        if not piece:
            raise ValueError("it is cut short")
        place[at : at + len(piece)] = np.frombuffer(piece, dtype=np.uint8)
        at += len(piece)
