"""Opens a file so that a damaged length in it takes no more memory than the file is long."""

from __future__ import annotations

import io
import os
from pathlib import Path

_ALWAYS_GIVEN = 1 << 16


class BoundedFile(io.BufferedReader):
    """A file whose ``read`` never makes room for more bytes than are left.

    An element can declare up to 4 GB, and a plain file makes room for as much before it reads.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(io.FileIO(path))
        self._size = os.fstat(self.fileno()).st_size

    def read(self, size: int | None = -1, /) -> bytes:
        """Return the next ``size`` bytes, fewer at the end; all that are left when it is -1."""
        if size is not None and size > _ALWAYS_GIVEN:
            size = min(size, max(self._size - self.tell(), 0))
        return super().read(size)
