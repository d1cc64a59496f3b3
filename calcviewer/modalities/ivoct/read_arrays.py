"""Frames from arrays: NPY and NPZ, of which no more is read than is asked for."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from calcviewer.core.bounded_file import BoundedFile
from calcviewer.core.errors import UnreadableInputError
from calcviewer.core.limits import is_frame_size
from calcviewer.core.npz import npy_header, read_member
from calcviewer.modalities.ivoct.read_files import check_file

Picture = NDArray[np.generic]

_MOST_LOADED_BYTES = 1 << 30
_COPY_AGAIN = "Copy or export the file again."


@dataclass(frozen=True, eq=False)
class MappedFrames:
    """Frames of an uncompressed array in a file, of which one at a time is read."""

    path: Path
    offset: int
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    fortran: bool = False

    @property
    def count(self) -> int:
        """Number of frames."""
        return self.shape[0]

    def frame(self, index: int) -> Picture:
        """Read one frame."""
        try:
            # Mapped anew each time: the object stays small when it goes to another process.
            mapped = np.memmap(
                self.path,
                dtype=self.dtype,
                mode="r",
                offset=self.offset,
                shape=self.shape,
                order="F" if self.fortran else "C",
            )
        except (OSError, ValueError) as error:
            raise UnreadableInputError(f"{self.path} was cut off.", _COPY_AGAIN) from error
        return np.array(mapped[index])


@dataclass(frozen=True, eq=False)
class LoadedFrames:
    """Frames of an array in memory, shape ``(frames, .., ..)`` or with a colour axis."""

    array: Picture

    @property
    def count(self) -> int:
        """Number of frames."""
        return len(self.array)

    def frame(self, index: int) -> Picture:
        """Return one frame."""
        return np.asarray(self.array[index])


def open_array(path: Path) -> tuple[MappedFrames | LoadedFrames, Mapping[str, object]]:
    """Open an NPY or NPZ file.

    Returns
    -------
    The frames, and the other entries of an NPZ as numbers and texts.

    Raises
    ------
    UnreadableInputError
        When the file is damaged, pickled, or holds no frames.
    """
    check_file(path)
    try:
        if path.suffix.lower() == ".npy":
            with BoundedFile(path) as stream:
                frames = _mapped(path, stream, 0, path.stat().st_size)
            return frames, {}
        return _open_npz(path)
    except UnreadableInputError:
        raise
    except Exception as error:  # headers of arbitrary bytes fail in arbitrary ways
        raise UnreadableInputError(
            f"{path} is not a readable {path.suffix[1:].upper()} file ({error}).", _COPY_AGAIN
        ) from error


def _open_npz(path: Path) -> tuple[MappedFrames | LoadedFrames, Mapping[str, object]]:
    with zipfile.ZipFile(path) as archive:
        names = {Path(name).stem: name for name in archive.namelist() if name.endswith(".npy")}
        if "frames" not in names:
            raise UnreadableInputError(
                f"{path} holds no array named 'frames', only {', '.join(names) or 'nothing'}.",
                "Store the pullback as frames[frame, a_line, sample].",
            )
        extras = {
            name: _scalar(path, archive, member)
            for name, member in names.items()
            if name != "frames" and archive.getinfo(member).file_size < 4096
        }
        member = archive.getinfo(names["frames"])
        if member.compress_type == zipfile.ZIP_STORED:
            with BoundedFile(path) as stream:
                return _mapped(path, stream, *_member_span(stream, member)), extras
        if member.file_size > _MOST_LOADED_BYTES:
            raise UnreadableInputError(
                f"The frames of {path} are compressed and too large for that: "
                f"{member.file_size >> 20} MB.",
                "Store them uncompressed, with numpy.savez.",
            )
        with archive.open(member) as packed:
            shape, *_ = _checked_header(path, packed, member.file_size)
        return LoadedFrames(read_member(archive, names["frames"]).reshape(shape)), extras


def _member_span(stream: IO[bytes], member: zipfile.ZipInfo) -> tuple[int, int]:
    """Return start and end of a stored member's data in the archive."""
    stream.seek(member.header_offset + 26)
    lengths = np.frombuffer(stream.read(4), dtype="<u2")
    start = member.header_offset + 30 + int(lengths.sum())
    return start, start + member.file_size


def _mapped(path: Path, stream: IO[bytes], start: int, end: int) -> MappedFrames:
    stream.seek(start)
    shape, fortran, dtype = _checked_header(path, stream, end - start)
    return MappedFrames(path, stream.tell(), dtype, shape, fortran)


def _checked_header(
    path: Path, stream: IO[bytes], length: int
) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Read an NPY header and compare what it declares with the bytes there are."""
    begin = stream.tell()
    shape, fortran, dtype = npy_header(stream)
    if dtype.hasobject:
        raise UnreadableInputError(
            f"{path} holds pickled Python objects, which are not read.",
            "Store the frames as a plain array of numbers.",
        )
    if dtype.kind not in "uif":
        raise UnreadableInputError(
            f"{path} holds values of type {dtype}, not numbers.", "Store grey values."
        )
    if len(shape) == 2:
        shape = (1, *shape)
    colour = len(shape) == 4 and shape[-1] == 3 and dtype == np.uint8
    if not (len(shape) == 3 or colour) or shape[0] < 1 or not is_frame_size(*shape[1:3]):
        raise UnreadableInputError(
            f"The frames of {path} must have shape (frames, a_lines, samples), got {shape}.",
            "Store the pullback as frames[frame, a_line, sample].",
        )
    declared = math.prod(shape) * dtype.itemsize
    if declared > length - (stream.tell() - begin):
        raise UnreadableInputError(
            f"{path} is truncated: it declares {shape[0]} frames, {declared} bytes, and holds "
            f"{max(length - (stream.tell() - begin), 0)} bytes.",
            _COPY_AGAIN,
        )
    return shape, fortran, dtype


def _scalar(path: Path, archive: zipfile.ZipFile, member: str) -> object:
    try:
        value = read_member(archive, member)
        return value.item() if value.size == 1 else value.tolist()
    except Exception as error:  # arbitrary bytes make the parsers fail in arbitrary ways
        raise UnreadableInputError(
            f"The entry {member} of {path} is pickled or damaged.",
            "Store plain numbers and texts.",
        ) from error
