"""Frames from image files: folders of PNG, JPEG or TIFF, and multi-page TIFF."""

from __future__ import annotations

import re
import warnings
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from calcviewer.core.bounded_file import BoundedFile
from calcviewer.core.errors import UnreadableInputError
from calcviewer.core.limits import MOST_FRAMES, is_frame_size

Picture = NDArray[np.generic]
_Read = TypeVar("_Read")

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp"})
TIFF_SUFFIXES = frozenset({".tif", ".tiff"})
ARRAY_SUFFIXES = frozenset({".npy", ".npz"})
_MOST_INFLATED_BYTES = 64 << 20
_MOST_INFLATION = 1032
"""Times that a deflated byte grows at most."""
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
        return _open_image(path, _pixels)


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
        rows, columns = _tiff_sizes(path)[0]
        return columns, rows
    size: tuple[int, int] = _open_image(path, lambda image: image.size)
    if not is_frame_size(size[1], size[0]):
        raise _no_frame_size(path, size)
    return size


def _open_image(path: Path, read: Callable[[Image.Image], _Read]) -> _Read:
    """Return what is read from an image file; what the parser warns of does not matter here."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with BoundedFile(path) as stream, Image.open(stream) as image:
                return read(image)
    except Exception as error:  # a damaged file makes the parsers fail in arbitrary ways
        raise _damaged(path, error) from error


def _no_frame_size(path: Path, size: tuple[int, int]) -> UnreadableInputError:
    return UnreadableInputError(
        f"{path} declares {size[0]} x {size[1]} pixels, which no OCT frame has.", _COPY_AGAIN
    )


def _damaged(path: Path, error: Exception) -> UnreadableInputError:
    reason = "not an image" if isinstance(error, UnidentifiedImageError) else str(error)
    return UnreadableInputError(
        f"{path} cannot be read as an image: {reason or type(error).__name__}.", _COPY_AGAIN
    )


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
            with BoundedFile(self.path) as stream, tifffile.TiffFile(stream) as tiff:
                page = tiff.pages[index]
                if page.compression in _DECODED_BY_TIFFFILE:
                    _check_inflation(tiff, page)
                    return _colour_last(np.asarray(page.asarray()))
            return _open_image(self.path, lambda image: _page(image, index))
        except UnreadableInputError:
            raise
        except Exception as error:  # a damaged file makes the parsers fail in arbitrary ways
            raise _damaged_tiff(self.path, error) from error


def _page(image: Image.Image, index: int) -> Picture:
    image.seek(index)
    return _pixels(image)


def open_tiff(path: Path) -> TiffPages:
    """Open a multi-page TIFF, checking that its pages have one size.

    Raises
    ------
    UnreadableInputError
        When it is no TIFF, is cut off, or its pages differ in size.
    """
    check_file(path)
    shapes = _tiff_sizes(path)
    for number, shape in enumerate(shapes, start=1):
        if shape != shapes[0]:
            raise UnreadableInputError(
                f"Page {number} of {path} has {shape[1]} x {shape[0]} pixels, but page 1 has "
                f"{shapes[0][1]} x {shapes[0][0]}.",
                "Keep only the frames of one pullback in the file.",
            )
    return TiffPages(path, len(shapes))


def _tiff_sizes(path: Path) -> list[tuple[int, int]]:
    """Return rows and columns of every page."""
    try:
        with BoundedFile(path) as stream, tifffile.TiffFile(stream) as tiff:
            if not 0 < len(tiff.pages) <= MOST_FRAMES:
                raise ValueError(f"{len(tiff.pages)} pages")
            sizes = [_grey_shape(page) for page in tiff.pages]
    except Exception as error:  # as above
        raise _damaged_tiff(path, error) from error
    for rows, columns in sizes:
        if not is_frame_size(rows, columns):
            raise _no_frame_size(path, (columns, rows))
    return sizes


def _grey_shape(page: tifffile.TiffPage) -> tuple[int, int]:
    """Return rows and columns of a page, wherever its colours are."""
    shape = tuple(map(int, page.shape))
    if page.dtype is None or page.dtype.kind not in "uif" or len(shape) not in (2, 3):
        raise ValueError(f"values {page.dtype} of shape {shape}")
    if len(shape) == 3 and shape[0] in (3, 4):
        return shape[1], shape[2]
    if len(shape) == 3 and shape[2] > 4:
        raise ValueError(f"{shape[2]} samples a pixel")
    return shape[0], shape[1]


def _check_inflation(tiff: tifffile.TiffFile, page: tifffile.TiffPage) -> None:
    """Refuse a deflated page that grows beyond what any page needs."""
    if page.compression == tifffile.COMPRESSION.NONE:
        return
    for offset, length in zip(page.dataoffsets, page.databytecounts, strict=True):
        if length * _MOST_INFLATION <= _MOST_INFLATED_BYTES:
            continue
        tiff.filehandle.seek(offset)
        inflater = zlib.decompressobj()
        inflater.decompress(tiff.filehandle.read(length), _MOST_INFLATED_BYTES)
        if inflater.unconsumed_tail:
            raise ValueError("a strip is larger than any frame")


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
