"""Files and folders that only their user can read, whatever the umask allows."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from calcviewer.core.private import private_folder, private_opener


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_nobody_else_can_read_them(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        folder = private_folder(tmp_path / "state" / "log")
        with open(folder / "a.txt", "w", opener=private_opener) as stream:
            stream.write("private")
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "a.txt").stat().st_mode) == 0o600
    assert private_folder(folder) == folder
