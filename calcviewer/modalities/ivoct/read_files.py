"""Frames from image files: folders of PNG, JPEG or TIFF, multi-page TIFF, NPY and NPZ."""

from __future__ import annotations

import re
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from calcviewer.core.errors import UnreadableInputError

Picture = NDArray[np.generic]

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp"})
TIFF_SUFFIXES = frozenset({".tif", ".tiff"})
ARRAY_SUFFIXES = frozenset({".npy", ".npz"})
_LARGEST_SIDE_PX = 16384
# The others need a package of their own there; Pillow has LZW, JPEG and PackBits built in.
_DECODED_BY_TIFFFILE = (
    tifffile.COMPRESSION.NONE,
    tifffile.COMPRESSION.ADOBE_DEFLATE,
    tifffile.COMPRESSION.DEFLATE,
)
_COPY_AGAIN = "Copy or export the file again."


def natural_key(path: Path) -> tuple[tuple[int, int, str], ...]:
    """Sort key that puts ``frame2`` before ``frame10``."""
    parts = re.split(r"(\d+)", path.name.lower())
    return tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts if part)


def check_file(path: Path) -> None:
    """Refuse a missing or empty file.

    Raises
    ------
    UnreadableInputError
        Naming the file and the fault.
    """
    if not path.exists():
        raise UnreadableInputError(f"{path} does not exist.", "Check the path.")
    if path.is_file() and path.stat().st_size == 0:
        raise UnreadableInputError(f"{path} is empty (0 bytes).", "Copy the file again.")


@dataclass(frozen=True, eq=False)
class ImageFiles:
    """One frame a file; every file has the same size."""

    paths: tuple[Path, ...]

    @property
    def count(self) -> int:
        """Number of frames."""
        return len(self.paths)

    def frame(self, index: int) -> Picture:
        """Read one file as grey or RGB."""
        path = self.paths[index]
        if path.suffix.lower() in TIFF_SUFFIXES:
            return TiffPages(path, 1).frame(0)
        try:
            with Image.open(path) as image:
                return _pixels(image)
        except (OSError, ValueError, SyntaxError) as error:
            raise _damaged(path, error) from error


def open_images(paths: Sequence[Path]) -> ImageFiles:
    """Open image files in natural order of their names, checking their headers.

    Raises
    ------
    UnreadableInputError
        When a file is no image, or sizes differ.
    """
    ordered = tuple(sorted(paths, key=natural_key))
    first = _size(ordered[0])
    for path in ordered[1:]:
        size = _size(path)
        if size != first:
            raise UnreadableInputError(
                f"{path} has {size[0]} x {size[1]} pixels, but {ordered[0].name} has "
                f"{first[0]} x {first[1]}: the frames of a pullback have one size.",
                "Keep only the frames of one pullback in the folder.",
            )
    return ImageFiles(ordered)


def _size(path: Path) -> tuple[int, int]:
    """Return width and height of an image file from its header."""
    check_file(path)
    if path.suffix.lower() in TIFF_SUFFIXES:
        shape = _tiff_shape(path, 0)
        size = (shape[1], shape[0])
    else:
        try:
            with Image.open(path) as image:
                size = image.size
        except (OSError, UnidentifiedImageError, ValueError, SyntaxError) as error:
            raise _damaged(path, error) from error
    if max(size) > _LARGEST_SIDE_PX:
        raise UnreadableInputError(
            f"{path} declares {size[0]} x {size[1]} pixels, which no OCT frame has.", _COPY_AGAIN
        )
    return size


def _damaged(path: Path, error: Exception) -> UnreadableInputError:
    reason = "not an image" if isinstance(error, UnidentifiedImageError) else str(error)
    return UnreadableInputError(f"{path} cannot be read as an image: {reason}.", _COPY_AGAIN)


def _pixels(image: Image.Image) -> Picture:
    if image.mode in ("L", "I", "F", "RGB") or image.mode.startswith("I;16"):
        return np.asarray(image)
    grey = image.mode in ("1", "LA", "La")
    return np.asarray(image.convert("L" if grey else "RGB"))


@dataclass(frozen=True, eq=False)
class TiffPages:
    """One frame a page of a TIFF file."""

    path: Path
    count: int

    def frame(self, index: int) -> Picture:
        """Read one page as grey or RGB."""
        try:
            with tifffile.TiffFile(self.path) as tiff:
                page = tiff.pages[index]
                if page.compression in _DECODED_BY_TIFFFILE:
                    return _colour_last(np.asarray(page.asarray()))
            with Image.open(self.path) as image:
                image.seek(index)
                return _pixels(image)
        except Exception as error:  # a damaged file makes the parsers fail in arbitrary ways
            raise _damaged_tiff(self.path, error) from error


def open_tiff(path: Path) -> TiffPages:
    """Open a multi-page TIFF, checking that its pages have one size.

    Raises
    ------
    UnreadableInputError
        When it is no TIFF, is cut off, or its pages differ in size.
    """
    check_file(path)
    try:
        with tifffile.TiffFile(path) as tiff:
            shapes = [_grey_shape(page.shape) for page in tiff.pages]
    except Exception as error:  # as above
        raise _damaged_tiff(path, error) from error
    if not shapes:
        raise UnreadableInputError(f"{path} holds no page.", _COPY_AGAIN)
    for number, shape in enumerate(shapes, start=1):
        if shape != shapes[0]:
            raise UnreadableInputError(
                f"Page {number} of {path} has {shape[1]} x {shape[0]} pixels, but page 1 has "
                f"{shapes[0][1]} x {shapes[0][0]}.",
                "Keep only the frames of one pullback in the file.",
            )
    return TiffPages(path, len(shapes))


def _tiff_shape(path: Path, page: int) -> tuple[int, int]:
    try:
        with tifffile.TiffFile(path) as tiff:
            return _grey_shape(tiff.pages[page].shape)
    except Exception as error:  # as above
        raise _damaged_tiff(path, error) from error


def _grey_shape(shape: tuple[int, ...]) -> tuple[int, int]:
    """Return rows and columns of a page, wherever its colours are."""
    if len(shape) == 3 and shape[0] in (3, 4):
        return int(shape[1]), int(shape[2])
    return int(shape[0]), int(shape[1])


def _colour_last(values: Picture) -> Picture:
    if values.ndim == 3 and values.shape[0] in (3, 4):
        values = np.moveaxis(values, 0, -1)
    if values.ndim == 3:
        values = values[..., 0] if values.shape[-1] < 3 else values[..., :3]
    if values.ndim == 3 and values.dtype == np.uint16:
        return (values.astype(np.uint16) >> 8).astype(np.uint8)
    return values


def _damaged_tiff(path: Path, error: Exception) -> UnreadableInputError:
    reason = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
    return UnreadableInputError(f"{path} cannot be read as a TIFF: {reason}.", _COPY_AGAIN)


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
            with path.open("rb") as stream:
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
            with path.open("rb") as stream:
                return _mapped(path, stream, *_member_span(stream, member)), extras
        with archive.open(member) as packed:
            _checked_header(path, packed, member.file_size)
        with archive.open(member) as packed:
            return LoadedFrames(np.lib.format.read_array(packed, allow_pickle=False)), extras


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
    version = np.lib.format.read_magic(stream)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        read = (
            np.lib.format.read_array_header_1_0
            if version == (1, 0)
            else np.lib.format.read_array_header_2_0
        )
        shape, fortran, dtype = read(stream)
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
    if not (len(shape) == 3 or colour) or min(shape) < 1 or max(shape[1:]) > _LARGEST_SIDE_PX:
        raise UnreadableInputError(
            f"The frames of {path} must have shape (frames, a_lines, samples), got {shape}.",
            "Store the pullback as frames[frame, a_line, sample].",
        )
    declared = int(np.prod([int(side) for side in shape], dtype=object)) * dtype.itemsize
    if declared > length - (stream.tell() - begin):
        raise UnreadableInputError(
            f"{path} is truncated: it declares {shape[0]} frames, {declared} bytes, and holds "
            f"{max(length - (stream.tell() - begin), 0)} bytes.",
            _COPY_AGAIN,
        )
    return shape, fortran, dtype


def _scalar(path: Path, archive: zipfile.ZipFile, member: str) -> object:
    with archive.open(member) as packed:
        try:
            value = np.lib.format.read_array(packed, allow_pickle=False)
        except ValueError as error:
            raise UnreadableInputError(
                f"The entry {member} of {path} is pickled or damaged.",
                "Store plain numbers and texts.",
            ) from error
    return value.item() if value.size == 1 else value
