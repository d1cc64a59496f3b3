"""Files that only the user who made them can read."""

from __future__ import annotations

import os
from pathlib import Path


def private_folder(path: Path) -> Path:
    """Return a folder after making it, where it is not there, for this user alone (mode 0700).

    Raises
    ------
    OSError
        When it cannot be made.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def private_opener(path: str, flags: int) -> int:
    """Make a file for this user alone (mode 0600): an ``opener`` for `open`."""
    return os.open(path, flags, 0o600)
