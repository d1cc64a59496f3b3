"""What a living process holds is told apart from what a killed one left."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from calcviewer.core.held import hold, is_held

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such locks")


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_it_is_held_until_it_is_let_go(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "one"
    if kind == "file":
        path.touch()
    else:
        path.mkdir()
    assert not is_held(path)
    handle = hold(path)
    assert handle is not None
    assert is_held(path)
    assert hold(path) is None
    os.close(handle)
    assert not is_held(path)


def test_what_cannot_be_known_counts_as_held(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    assert is_held(tmp_path / "link")
    assert is_held(tmp_path / "none")
