"""Every tool in the real window with mouse and keys: correct, undo, redo, close, reopen."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.drive.guidewire_case import write_case
from tests.drive.starting import Drive

LONGEST_S = 400

pytestmark = pytest.mark.slow


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return write_case(tmp_path / "study", frames=16)


def test_frames_are_corrected_with_every_tool_and_nothing_is_lost(
    drive: Drive, study: Path
) -> None:
    ended = drive.run("correct_frames", study, longest_s=LONGEST_S)
    assert (ended.said, ended.status) == ("", 0)
