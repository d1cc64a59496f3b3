"""Frames of a DICOM image by index, each read from the file when it is asked for."""

from __future__ import annotations

import os
import struct
import zlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels import get_decoder
from pydicom.pixels.decoders.base import Decoder
from pydicom.uid import UID

from calcviewer.core.errors import UnreadableInputError
from calcviewer.dicom.codestream import CodedSize, coded_size
from calcviewer.dicom.deflated import DEFLATED, InflatedStream, read_file_meta
from calcviewer.dicom.header import BIG_ENDIAN, DicomHeader
from calcviewer.dicom.values import tolerant

Frame = NDArray[np.generic]

_PIXEL_DATA = (0x7FE0, 0x0010)
_ITEM, _SEQUENCE_END = (0xFFFE, 0xE000), (0xFFFE, 0xE0DD)
_IMPLICIT = "1.2.840.10008.1.2"
_RLE = "1.2.840.10008.1.2.5"
_JPEG_END = b"\xff\xd9"
_COPY_AGAIN = "Copy or export the file again."
_MOST_INFLATED_BYTES = 4 << 30


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
        if self.header.pixels.transfer_syntax == DEFLATED:
            return self._native(zlib.decompress(self._packed[index]))
        pieces = self._pieces(self._spans[index])
        if self.header.pixels.encapsulated:
            return self._decode(b"".join(pieces), index)
        return self._native(pieces[0])

    def _pieces(self, spans: tuple[_Span, ...]) -> list[bytes]:
        """Read the pieces of one frame."""
        path = self.header.path
        try:
            read = self._read_words if self._in_words else _read
            with path.open("rb") as stream:
                pieces = [read(stream, span) for span in spans]
        except OSError as error:
            raise UnreadableInputError(
                f"{path} cannot be read any more: {error.strerror or error}.",
                "Put the file back in its place and open it again.",
            ) from error
        if [len(piece) for piece in pieces] != [span.length for span in spans]:
            raise UnreadableInputError(f"{path} was cut off after it was opened.", _COPY_AGAIN)
        return pieces

    def check(self) -> None:
        """Check that the file holds all the frames that its header declares."""
        _ = self._packed if self.header.pixels.transfer_syntax == DEFLATED else self._spans

    @cached_property
    def _packed(self) -> tuple[bytes, ...]:
        """Every frame of a deflated file, packed anew, where the file is one long stream."""
        each = self.header.pixels.frame_bytes
        if self.count * each > _MOST_INFLATED_BYTES:
            raise UnreadableInputError(
                f"{self.header.path} is deflated and too large for that: it declares "
                f"{self.count * each >> 20} MB.",
                "Export it uncompressed.",
            )
        frames: list[bytes] = []
        try:
            with self.header.path.open("rb") as stream, tolerant():
                read_file_meta(stream)
                inflated = InflatedStream(stream)
                inflated.skip(self.header.pixel_offset)
                _pixel_head(inflated.read(12), self.header)
                while len(frames) < self.count and len(data := inflated.read(each)) == each:
                    frames.append(zlib.compress(data, 1))
        except zlib.error as error:
            raise UnreadableInputError(
                f"{self.header.path} is damaged: it cannot be inflated.",
                _COPY_AGAIN,
            ) from error
        self._check_length(len(frames) * each)
        return tuple(frames)

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

    @cached_property
    def _in_words(self) -> bool:
        """Whether 8-bit pixels are stored as 16-bit words, big end first: PS3.5 annex A.3."""
        form = self.header.pixels
        if form.transfer_syntax != BIG_ENDIAN or form.bits_allocated != 8:
            return False
        with self.header.path.open("rb") as stream:
            return _read(stream, _Span(self.header.pixel_offset + 4, 2)) == b"OW"

    def _read_words(self, stream: BinaryIO, span: _Span) -> bytes:
        """Read bytes that lie swapped in pairs, counted from the first frame."""
        first = self._spans[0][0].offset
        skipped = (span.offset - first) % 2
        data = _read(stream, _Span(span.offset - skipped, span.length + 2))
        words = np.frombuffer(data[: len(data) // 2 * 2], dtype=">u2")
        return words.astype("<u2").tobytes()[skipped : skipped + span.length]

    def _check_length(self, length: int) -> None:
        held = length // self.header.pixels.frame_bytes
        if held == self.count:
            return
        raise UnreadableInputError(
            f"{self.header.path} is {'truncated' if held < self.count else 'damaged'}: it declares "
            f"{self.count} frames and holds {held}.",
            _COPY_AGAIN,
        )

    def _native(self, data: bytes) -> Frame:
        form = self.header.pixels
        big = form.transfer_syntax == BIG_ENDIAN
        simple = form.photometric in ("MONOCHROME1", "MONOCHROME2", "PALETTE COLOR", "RGB")
        if not simple:
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
        decoder = self._decoder
        if self.header.pixels.encapsulated and self.header.pixels.transfer_syntax != _RLE:
            size = self._coded_size(data, index)
            if size.bits > 8 and set(decoder.available_plugins) == {"pillow"}:
                raise self._without_decoder()  # Pillow reads JPEG of 8 bits only
        try:
            with tolerant():
                values, _ = decoder.as_array(_single_frame(self.header, data), index=0)
        except Exception as error:  # decoders fail in arbitrary ways on damaged data
            raise self._damaged(index) from error
        return np.asarray(values)

    @property
    def _decoder(self) -> Decoder:
        """The decoder of the file's transfer syntax."""
        path, syntax = self.header.path, UID(self.header.pixels.transfer_syntax)
        try:
            decoder = get_decoder(syntax)
        except NotImplementedError as error:
            raise UnreadableInputError(
                f"{path} is compressed as {syntax.name}, which is not read.",
                "Export it uncompressed.",
            ) from error
        if not decoder.is_available:
            raise self._without_decoder()
        return decoder

    def _coded_size(self, data: bytes, index: int) -> CodedSize:
        """Refuse a compressed frame of another size than the header's before it is decoded."""
        form, size = self.header.pixels, coded_size(data)
        if size is None:
            raise self._damaged(index)
        if (size.rows, size.columns, size.samples) != (
            form.rows,
            form.columns,
            form.samples_per_pixel,
        ):
            raise UnreadableInputError(
                f"Frame {index + 1} of {self.header.path} is compressed as {size.columns} x "
                f"{size.rows} x {size.samples} values, but the file declares {form.columns} x "
                f"{form.rows} x {form.samples_per_pixel}.",
                _COPY_AGAIN,
            )
        return size

    def _without_decoder(self) -> UnreadableInputError:
        name = UID(self.header.pixels.transfer_syntax).name
        return UnreadableInputError(
            f"{self.header.path} is compressed as {name}, for which no decoder is installed.",
            "Install the optional package pylibjpeg-libjpeg, or export it uncompressed.",
        )

    def _damaged(self, index: int) -> UnreadableInputError:
        name = UID(self.header.pixels.transfer_syntax).name
        return UnreadableInputError(
            f"Frame {index + 1} of {self.header.path} cannot be decoded: its {name} data are "
            "damaged.",
            _COPY_AGAIN,
        )


def _read(stream: BinaryIO, span: _Span) -> bytes:
    stream.seek(span.offset)
    return stream.read(span.length)


def _pixel_element(stream: BinaryIO, header: DicomHeader) -> tuple[int, int]:
    """Return where the value of the pixel data element begins, and its length."""
    stream.seek(header.pixel_offset)
    head_length, length = _pixel_head(stream.read(12), header)
    return header.pixel_offset + head_length, length


def _pixel_head(head: bytes, header: DicomHeader) -> tuple[int, int]:
    """Return the length of the pixel data element's head, and of its value, from 12 bytes of it."""
    syntax = header.pixels.transfer_syntax
    order = ">" if syntax == BIG_ENDIAN else "<"
    if len(head) < 12 or struct.unpack(order + "HH", head[:4]) != _PIXEL_DATA:
        raise UnreadableInputError(f"{header.path} holds no pixel data.", _COPY_AGAIN)
    # Some writers leave the VR out although the transfer syntax has one.
    at = 8 if syntax != _IMPLICIT and head[4:6].isalpha() else 4
    return at + 4, int(struct.unpack(order + "L", head[at : at + 4])[0])


def _fragments(stream: BinaryIO, start: int, path: Path) -> tuple[list[_Span], tuple[int, ...]]:
    """Return the fragments of encapsulated pixel data and the basic offset table."""
    size = os.fstat(stream.fileno()).st_size
    at = start
    spans: list[_Span] = []
    while True:
        stream.seek(at)
        head = stream.read(8)
        if len(head) < 8 and len(spans) > 1:
            break  # some writers leave the end mark out; missing frames are noticed below
        if len(head) < 8:
            raise _cut_off(path, 0)
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
        _COPY_AGAIN,
    )


def _grouped(
    stream: BinaryIO, fragments: list[_Span], offsets: tuple[int, ...], header: DicomHeader
) -> tuple[tuple[_Span, ...], ...]:
    """Assign fragments to frames: one each, by the offset table, or by JPEG end markers."""
    count = header.pixels.frame_count
    if len(fragments) == count:
        return tuple((fragment,) for fragment in fragments)
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
        ended = _JPEG_END in tail or header.pixels.transfer_syntax == _RLE
    if len(frames) != count:
        raise UnreadableInputError(
            f"{header.path} is damaged: it declares {count} frames and holds {len(frames)}.",
            _COPY_AGAIN,
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
