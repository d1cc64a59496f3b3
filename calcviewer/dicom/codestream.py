"""What compressed frames say of their own size, before a decoder allocates for it.

Markers of ISO 10918-1 (JPEG), ISO 14495-1 (JPEG-LS) and ISO 15444-1 (JPEG 2000).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

_JPEG_START = b"\xff\xd8"
_J2K_START = b"\xff\x4f\xff\x51"
_FRAME_HEADERS = frozenset({*range(0xC0, 0xD0), 0xF7}) - {0xC4, 0xC8, 0xCC}
"""SOF0 to SOF15 without DHT, JPG and DAC, and SOF55 of JPEG-LS."""
_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})
_START_OF_SCAN = 0xDA


@dataclass(frozen=True)
class CodedSize:
    """The size that a compressed frame declares."""

    rows: int
    columns: int
    samples: int
    bits: int


def coded_size(data: bytes) -> CodedSize | None:
    """Return the size a JPEG, JPEG-LS or JPEG 2000 frame declares; None where none is found."""
    if data.startswith(_JPEG_START):
        return _jpeg_size(data)
    # A JP2 file around the code stream is not allowed in DICOM, but found there.
    start = data.find(_J2K_START)
    return _j2k_size(data, start) if start >= 0 else None


def _jpeg_size(data: bytes) -> CodedSize | None:
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
        elif marker in _WITHOUT_LENGTH:
            at += 2
        elif marker in _FRAME_HEADERS and at + 10 <= len(data):
            bits, rows, columns, samples = struct.unpack(">BHHB", data[at + 4 : at + 10])
            return CodedSize(rows, columns, samples, bits)
        elif marker == _START_OF_SCAN:
            return None
        else:
            at += 2 + int(struct.unpack(">H", data[at + 2 : at + 4])[0])
    return None


def _j2k_size(data: bytes, start: int) -> CodedSize | None:
    """Return the size in the SIZ marker: the reference grid less the image's offset on it."""
    values = data[start + 8 : start + 43]
    if len(values) < 35:
        return None
    columns, rows, left, top = struct.unpack(">4L", values[:16])
    samples, precision = struct.unpack(">HB", values[32:35])
    return CodedSize(rows - top, columns - left, samples, (precision & 0x7F) + 1)
