"""A short time with the monkey; docs/soak.md tells of the long one."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.soak.starting import start

_LONGEST_S = 300


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_every_action_once_and_some_more_in_no_order(tmp_path: Path) -> None:
    diary = tmp_path / "diary.txt"
    with diary.open("w") as output:
        monkey = start(
            tmp_path,
            seed=1,
            first=1,
            actions=12,
            frames=4,
            segmenter="phantom",
            output=output,
        )
        try:
            status = monkey.wait(_LONGEST_S)
        finally:
            monkey.kill()
    said = diary.read_text()
    assert (status, "!!!!" in said) == (0, False), said[-5000:]
    assert "12 actions" in said
