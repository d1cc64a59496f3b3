"""Temporary files: private to the user, gone after use, found again where a process was killed."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from calcviewer.core.errors import CalcViewerError
from calcviewer.core.held import hold, is_held

_PREFIX = "calcviewer-scratch-"
_PIECE_BYTES = 1 << 20
_STALE_AFTER_S = 86400.0 if sys.platform == "win32" else 60.0
"""A newer folder may just be made and not held yet; Windows cannot tell what is held."""


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Yield an empty folder on the disk for temporary files, which is gone afterwards.

    Only the user can look into it (mode 0700). It is held by a lock of the system, which ends with
    the process, however that ends: so `discard_stale_scratch` knows what a killed one left behind.
    """
    with TemporaryDirectory(prefix=_PREFIX, ignore_cleanup_errors=True) as name:
        handle = hold(Path(name))
        try:
            yield Path(name)
        finally:
            if handle is not None:
                os.close(handle)


def discard_stale_scratch() -> None:
    """Remove the folders of `scratch_folder` whose processes were killed, and nothing else.

    A folder goes when it is this user's and no process holds it; on Windows, when nothing was added
    to it for a day.
    """
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError):
            known = folder.lstat()
            ours = sys.platform == "win32" or known.st_uid == os.getuid()
            if ours and time.time() - known.st_mtime > _STALE_AFTER_S and not is_held(folder):
                rmtree(folder, ignore_errors=True)


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
    with scratch_folder() as folder:
        path = folder / "array"
        size = int(np.prod(shape))
        try:
            _reserve(path, size)
        except OSError as error:
            raise CalcViewerError(
                f"The disk for temporary files ({folder.parent}) has no room for "
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
