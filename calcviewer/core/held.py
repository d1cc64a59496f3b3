"""Files and folders that a living process holds, told apart from those of a killed one.

The system lets go of a lock when its process ends, however it ends. Process numbers would not do:
they are given again, and differ between containers that share a disk.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

if sys.platform == "win32":

    def hold(path: Path) -> int | None:
        """Return None: there are no such locks on Windows."""
        return None

    def is_held(path: Path) -> bool:
        """Return False: what is open there cannot be removed, which serves as well for files."""
        return False

else:
    import fcntl

    def hold(path: Path) -> int | None:
        """Hold a file or folder until the handle is closed or the process ends.

        Returns
        -------
        The handle; None where somebody holds it, or where the system has no such locks.
        """
        handle = None
        try:
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if handle is not None:
                os.close(handle)
            return None
        return handle

    def is_held(path: Path) -> bool:
        """Whether a process holds a file or folder; also True where that cannot be known."""
        handle = hold(path)
        if handle is not None:
            os.close(handle)
        return handle is None
