"""The envelope around objects in DICOMweb: multipart/related (RFC 2387, PS3.18 8.6.1), streamed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from uuid import uuid4

CHUNK_BYTES = 1 << 18
_LONGEST_HEAD = 1 << 14
_BOUNDARY = re.compile(r'boundary="?([^";]+)"?', re.IGNORECASE)


def boundary_of(content_type: str) -> bytes | None:
    """Return the boundary that a Content-Type names; None where it is no multipart message."""
    if not content_type.lower().startswith("multipart/"):
        return None
    found = _BOUNDARY.search(content_type)
    return None if found is None else found.group(1).strip().encode("latin-1")


def first_part(chunks: Iterable[bytes], boundary: bytes) -> Iterator[bytes]:
    """Yield the content of the first part of a multipart message, as it comes in.

    Raises
    ------
    ValueError
        When the message is no such message, or ends before its part does.
    """
    end = b"\r\n--" + boundary
    source = iter(chunks)
    held = _after_head(source, boundary)
    for chunk in source:
        held += chunk
        at = held.find(end)
        if at >= 0:
            break
        safe = len(held) - len(end) + 1
        if safe > 0:
            yield held[:safe]
            held = held[safe:]
    at = held.find(end)
    if at < 0:
        raise ValueError("the message ends within an object")
    yield held[:at]


def _after_head(source: Iterator[bytes], boundary: bytes) -> bytes:
    """Return what follows the head of the first part, as far as it was read."""
    held = b""
    for chunk in source:
        held += chunk
        at = held.find(b"--" + boundary)
        content = held.find(b"\r\n\r\n", max(at, 0))
        if at >= 0 and content >= 0:
            return held[content + 4 :]
        if len(held) > _LONGEST_HEAD:
            break
    raise ValueError("the message has no part")


class Enclosed:
    """A file as the only part of a multipart message: its length, and its bytes one chunk a time.

    Parameters
    ----------
    on_bytes
        Called with the number of bytes before each chunk; what it raises ends the sending.
    """

    def __init__(self, path: Path, *, on_bytes: Callable[[int], None]) -> None:
        self._path = path
        self._on_bytes = on_bytes
        boundary = uuid4().hex
        self.content_type = f'multipart/related; type="application/dicom"; boundary={boundary}'
        self._head = f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode()
        self._tail = f"\r\n--{boundary}--\r\n".encode()

    def __len__(self) -> int:
        return len(self._head) + self._path.stat().st_size + len(self._tail)

    def __iter__(self) -> Iterator[bytes]:
        yield self._head
        with self._path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                self._on_bytes(len(chunk))
                yield chunk
        yield self._tail
