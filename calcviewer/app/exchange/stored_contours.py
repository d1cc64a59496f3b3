"""The contours of a whole study as bytes that are read back exactly."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from types import MappingProxyType

from calcviewer.app.review_store.encoding import annotation_bytes, annotation_of
from calcviewer.core.annotation import FrameAnnotation

_HEAD = struct.Struct("<LL")
_LARGEST_BYTES = 1 << 28


def contours_bytes(annotations: Mapping[int, FrameAnnotation]) -> bytes:
    """Return annotations by frame (0-based) as bytes.

    Compressed by zlib: for each a head (two little-endian 32-bit numbers: frame, length), then the
    annotation as reviews store it.
    """
    parts = []
    for frame, annotation in sorted(annotations.items()):
        stored = annotation_bytes(annotation)
        parts += [_HEAD.pack(frame, len(stored)), stored]
    return zlib.compress(b"".join(parts), 6)


def contours_of(stored: bytes) -> Mapping[int, FrameAnnotation]:
    """Return what `contours_bytes` stored.

    Raises
    ------
    ValueError, KeyError, TypeError
        When the bytes hold something else.
    """
    try:
        inflater = zlib.decompressobj()
        data = inflater.decompress(stored, _LARGEST_BYTES)
    except zlib.error as error:
        raise ValueError(f"no stored contours ({error})") from error
    if not inflater.eof:  # an odd length is padded, so that something may follow
        raise ValueError("stored contours are cut short or too large")
    found, at = {}, 0
    while at < len(data):
        if at + _HEAD.size > len(data):
            raise ValueError("stored contours are cut short")
        frame, length = _HEAD.unpack_from(data, at)
        at += _HEAD.size
        found[frame] = annotation_of(data[at : at + length])
        at += length
    return MappingProxyType(found)
