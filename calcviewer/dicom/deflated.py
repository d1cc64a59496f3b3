"""Datasets of the Deflated transfer syntax (PS3.5 A.5), inflated no further than asked for."""

from __future__ import annotations

import zlib
from typing import BinaryIO

from pydicom.dataset import FileMetaDataset
from pydicom.filereader import _read_file_meta_info, read_preamble

DEFLATED = "1.2.840.10008.1.2.1.99"
_CHUNK_BYTES = 1 << 16


def read_file_meta(stream: BinaryIO) -> FileMetaDataset:
    """Read preamble and file meta information; the stream is left where the dataset begins.

    Raises
    ------
    pydicom.errors.InvalidDicomError
        When the file has no preamble.
    """
    stream.seek(0)
    read_preamble(stream, force=False)
    # The public function closes the file, and does not say where the dataset begins.
    return _read_file_meta_info(stream)


class InflatedStream:
    """The dataset of a deflated file as bytes, read once from front to back.

    A few kB can inflate to gigabytes; no more of them than one ``read`` wants is in memory.

    Parameters
    ----------
    stream
        The file, opened where the dataset begins.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._inflater = zlib.decompressobj(-zlib.MAX_WBITS)

    def read(self, size: int) -> bytes:
        """Return the next ``size`` bytes, fewer at the end.

        Raises
        ------
        zlib.error
            When the data are damaged.
        """
        pieces: list[bytes] = []
        wanted = size
        while wanted and not self._inflater.eof:
            packed = self._inflater.unconsumed_tail or self._stream.read(_CHUNK_BYTES)
            piece = self._inflater.decompress(packed, wanted)
            if not packed and not piece:
                break
            pieces.append(piece)
            wanted -= len(piece)
        return b"".join(pieces)

    def skip(self, size: int) -> None:
        """Pass over ``size`` bytes."""
        while size and (passed := len(self.read(min(size, _CHUNK_BYTES)))):
            size -= passed
