"""Frames of a DICOM image by index, each read from the file when it is asked for."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels import get_decoder
from pydicom.uid import UID

from calcviewer.core.errors import UnreadableInputError
from calcviewer.dicom.header import DicomHeader
from calcviewer.dicom.values import tolerant

Frame = NDArray[np.generic]

_PIXEL_DATA = (0x7FE0, 0x0010)
_ITEM, _SEQUENCE_END = (0xFFFE, 0xE000), (0xFFFE, 0xE0DD)
_UNDEFINED = 0xFFFFFFFF
_DEFLATED = "1.2.840.10008.1.2.1.99"
_BIG_ENDIAN = "1.2.840.10008.1.2.2"
_IMPLICIT = "1.2.840.10008.1.2"
_JPEG_END = b"\xff\xd9"


@dataclass(frozen=True)
class _Span:
    """A piece of the file: position and length in bytes."""

    offset: int
    length: int


@dataclass(frozen=True, eq=False)
class DicomFrames:
    """The frames of one file.

    ``frame(i)`` returns stored values: ``[row, column]`` in the stored integer type, or
    ``[row, column, 3]`` uint8 RGB.
    """

    header: DicomHeader

    @property
    def count(self) -> int:
        """Number of frames."""
        return self.header.pixels.frame_count

    def frame(self, index: int) -> Frame:
        """Read and decode one frame.

        Raises
        ------
        UnreadableInputError
            When the frame's data are missing or damaged, or no decoder is installed.
        """
        if not 0 <= index < self.count:
            raise IndexError(f"frame {index} of {self.count}")
        if self._inflated is not None:
            length = self.header.pixels.frame_bytes
            return self._native(self._inflated[index * length : (index + 1) * length])
        with self.header.path.open("rb") as stream:
            pieces = [_read(stream, span) for span in self._spans[index]]
        if self.header.pixels.encapsulated:
            return self._decode(b"".join(pieces), index)
        return self._native(pieces[0])

    def check(self) -> None:
        """Check that the file holds all the frames that its header declares."""
        if self._inflated is None:
            _ = self._spans

    @cached_property
    def _inflated(self) -> bytes | None:
        """The pixel data of a deflated file, which cannot be read in parts."""
        if self.header.pixels.transfer_syntax != _DEFLATED:
            return None
        try:
            with tolerant():
                data = bytes(dcmread(self.header.path).get("PixelData", b""))
        except Exception as error:  # damaged data make the parser fail in arbitrary ways
            raise UnreadableInputError(
                f"{self.header.path} is damaged: it cannot be inflated.",
                "Copy or export the file again.",
            ) from error
        self._check_length(len(data))
        return data

    @cached_property
    def _spans(self) -> tuple[tuple[_Span, ...], ...]:
        """Where each frame lies in the file."""
        path = self.header.path
        with path.open("rb") as stream:
            start, length = _pixel_element(stream, self.header)
            size = os.fstat(stream.fileno()).st_size
            if not self.header.pixels.encapsulated:
                self._check_length(min(length, size - start))
                each = self.header.pixels.frame_bytes
                return tuple((_Span(start + k * each, each),) for k in range(self.count))
            fragments, offsets = _fragments(stream, start, path)
            return _grouped(stream, fragments, offsets, self.header)

    def _check_length(self, length: int) -> None:
        each = self.header.pixels.frame_bytes
        if length < self.count * each:
            raise UnreadableInputError(
                f"{self.header.path} is truncated: it declares {self.count} frames and holds "
                f"{length // each}.",
                "Copy or export the file again.",
            )

    def _native(self, data: bytes) -> Frame:
        form = self.header.pixels
        big = form.transfer_syntax == _BIG_ENDIAN
        simple = form.photometric in ("MONOCHROME1", "MONOCHROME2", "PALETTE COLOR", "RGB")
        if not simple or (big and form.bits_allocated == 8):
            return self._decode(data, 0)
        kind = ("i" if form.signed else "u") + str(form.bits_allocated // 8)
        values = np.frombuffer(data, dtype=(">" if big else "<") + kind)
        if form.samples_per_pixel == 1:
            return values.reshape(form.rows, form.columns)
        if form.planar:
            return np.moveaxis(values.reshape(3, form.rows, form.columns), 0, -1)
        return values.reshape(form.rows, form.columns, 3)

    def _decode(self, data: bytes, index: int) -> Frame:
        """Decode one frame's bytes with pydicom's decoders."""
        try:
            with tolerant():
                decoder = get_decoder(UID(self.header.pixels.transfer_syntax))
                values, _ = decoder.as_array(_single_frame(self.header, data), index=0)
        except Exception as error:  # decoders fail in arbitrary ways on damaged data
            raise self._undecodable(index, error) from error
        return np.asarray(values)

    def _undecodable(self, index: int, error: Exception) -> UnreadableInputError:
        path, name = self.header.path, UID(self.header.pixels.transfer_syntax).name
        if isinstance(error, NotImplementedError):
            return UnreadableInputError(
                f"{path} is compressed as {name}, which is not read.", "Export it uncompressed."
            )
        if isinstance(error, RuntimeError) and "missing dependencies" in str(error):
            return UnreadableInputError(
                f"{path} is compressed as {name}, for which no decoder is installed.",
                "Install the optional package pylibjpeg-libjpeg, or export it uncompressed.",
            )
        return UnreadableInputError(
            f"Frame {index + 1} of {path} cannot be decoded: its {name} data are damaged.",
            "Copy or export the file again.",
        )


def _read(stream: BinaryIO, span: _Span) -> bytes:
    stream.seek(span.offset)
    return stream.read(span.length)


def _pixel_element(stream: BinaryIO, header: DicomHeader) -> tuple[int, int]:
    """Return where the value of the pixel data element begins, and its length."""
    big = header.pixels.transfer_syntax == _BIG_ENDIAN
    order = ">" if big else "<"
    stream.seek(header.pixel_offset)
    head = stream.read(12)
    if len(head) < 12 or struct.unpack(order + "HH", head[:4]) != _PIXEL_DATA:
        raise UnreadableInputError(
            f"{header.path} holds no pixel data.", "Copy or export the file again."
        )
    if header.pixels.transfer_syntax == _IMPLICIT:
        return header.pixel_offset + 8, struct.unpack("<L", head[4:8])[0]
    return header.pixel_offset + 12, struct.unpack(order + "L", head[8:12])[0]


def _fragments(stream: BinaryIO, start: int, path: Path) -> tuple[list[_Span], tuple[int, ...]]:
    """Return the fragments of encapsulated pixel data and the basic offset table."""
    size = os.fstat(stream.fileno()).st_size
    at = start
    spans: list[_Span] = []
    while True:
        stream.seek(at)
        head = stream.read(8)
        if len(head) < 8:
            raise _cut_off(path, max(len(spans) - 1, 0))
        group, element, length = struct.unpack("<HHL", head)
        if (group, element) == _SEQUENCE_END:
            break
        if (group, element) != _ITEM or at + 8 + length > size:
            raise _cut_off(path, max(len(spans) - 1, 0))
        spans.append(_Span(at + 8, length))
        at += 8 + length
    if not spans:
        raise _cut_off(path, 0)
    table = _read(stream, spans[0])
    return spans[1:], struct.unpack(f"<{len(table) // 4}L", table[: len(table) // 4 * 4])


def _cut_off(path: Path, complete: int) -> UnreadableInputError:
    return UnreadableInputError(
        f"{path} is truncated: its compressed data end after {complete} whole fragments.",
        "Copy or export the file again.",
    )


def _grouped(
    stream: BinaryIO, fragments: list[_Span], offsets: tuple[int, ...], header: DicomHeader
) -> tuple[tuple[_Span, ...], ...]:
    """Assign fragments to frames: one each, by the offset table, or by JPEG end markers."""
    count = header.pixels.frame_count
    if len(fragments) == count:
        return tuple((fragment,) for fragment in fragments)
    if count == 1:
        return (tuple(fragments),)
    first = fragments[0].offset - 8 if fragments else 0
    starts = {first + offset for offset in offsets}
    frames: list[list[_Span]] = []
    ended = True
    for fragment in fragments:
        begins = fragment.offset - 8 in starts if len(offsets) == count else ended
        if begins or not frames:
            frames.append([])
        frames[-1].append(fragment)
        tail = _read(stream, _Span(fragment.offset + max(fragment.length - 4, 0), 4))
        ended = _JPEG_END in tail
    if len(frames) != count:
        raise UnreadableInputError(
            f"{header.path} is truncated: it declares {count} frames and holds {len(frames)}.",
            "Copy or export the file again.",
        )
    return tuple(tuple(frame) for frame in frames)


def _single_frame(header: DicomHeader, data: bytes) -> Dataset:
    """Return a dataset that holds one frame of the file and nothing else."""
    form = header.pixels
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(form.transfer_syntax)
    dataset.Rows, dataset.Columns = form.rows, form.columns
    dataset.SamplesPerPixel = form.samples_per_pixel
    dataset.PhotometricInterpretation = form.photometric
    dataset.BitsAllocated, dataset.BitsStored = form.bits_allocated, form.bits_stored
    dataset.HighBit = form.bits_stored - 1
    dataset.PixelRepresentation = int(form.signed)
    dataset.NumberOfFrames = 1
    if form.samples_per_pixel > 1:
        dataset.PlanarConfiguration = int(form.planar)
    dataset.PixelData = encapsulate([data], has_bot=False) if form.encapsulated else data
    dataset["PixelData"].VR = "OB" if form.encapsulated or form.bits_allocated == 8 else "OW"
    return dataset
