"""A virtual screen for all drives, and the application that a drive starts on it.

Pictures of every step lie in the test's temporary folder; ``CALCVIEWER_DRIVE_PICTURES`` names a
folder to keep them in.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.drive.starting import Drive
from tests.drive.virtual_screen import missing_for_a_screen, virtual_screen


@pytest.fixture(scope="session")
def screen() -> Iterator[str]:
    if missing := missing_for_a_screen():
        pytest.skip(f"no virtual screen: {missing}")
    with virtual_screen() as name:
        yield name


@pytest.fixture
def drive(screen: str, tmp_path: Path) -> Drive:
    return Drive(screen, tmp_path)
