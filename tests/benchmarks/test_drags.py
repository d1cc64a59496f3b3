"""Drags with the mouse in the real window on a virtual screen. Prints only."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.drive.starting import Drive
from tests.drive.virtual_screen import missing_for_a_screen, virtual_screen


@pytest.fixture
def drive(tmp_path: Path) -> Iterator[Drive]:
    if missing := missing_for_a_screen():
        pytest.skip(f"no virtual screen: {missing}")
    with virtual_screen() as name:
        yield Drive(name, tmp_path)


def test_drags(drive: Drive, capsys: pytest.CaptureFixture[str]) -> None:
    ended = drive.run("measure_drags")
    assert ended.status == 0, ended.said
    with capsys.disabled():
        print(f"\n{ended.said.rstrip()}")
