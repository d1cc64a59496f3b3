"""Arrays too large for memory, on the disk for temporary files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from calcviewer.core.errors import CalcViewerError

_PIECE_BYTES = 1 << 20


@contextmanager
def scratch_array(shape: tuple[int, ...]) -> Iterator[NDArray[np.uint8]]:
    """Yield an array of zeros, uint8, that lies on disk and is gone afterwards.

    Its room is taken before it is used: a mapped file that grows on a full disk would end the
    program on the spot.

    Raises
    ------
    CalcViewerError
        When the disk for temporary files has no room for it.
    """
    with TemporaryDirectory(prefix="calcviewer-") as folder:
        path = Path(folder) / "array"
        size = int(np.prod(shape))
        try:
            _reserve(path, size)
        except OSError as error:
            raise CalcViewerError(
                f"The disk for temporary files ({path.parent.parent}) has no room for "
                f"{size / 1e6:.0f} MB: {error.strerror or error}.",
                "Make room there, and try again.",
            ) from error
        array = np.memmap(path, dtype=np.uint8, mode="r+", shape=shape)
        yield array
        del array  # before its file goes, which Windows would refuse otherwise


def _reserve(path: Path, size: int) -> None:
    with path.open("wb") as stream:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(stream.fileno(), 0, size)
            return
        for begin in range(0, size, _PIECE_BYTES):
            stream.write(bytes(min(_PIECE_BYTES, size - begin)))
