"""No file, however damaged, gives anything but pictures or one clear message, soon and in little.

Every file is opened in a process of its own, whose memory is measured.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pydicom
import pytest

from tests.modalities.ivoct.damage import damaged_files, sound_files

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")

_MOST_SECONDS, _MOST_MB = 2.0, 300.0
_PYDICOM_FILES = Path(pydicom.__file__).parent / "data"


def opened(folder: Path) -> list[dict[str, Any]]:
    """Open every file of a folder, and print the slowest and the largest."""
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.modalities.ivoct.open_files", str(folder)],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    )
    found = [json.loads(line) for line in done.stdout.splitlines()]
    slowest = max(found, key=lambda one: one["seconds"])
    largest = max(found, key=lambda one: one["peak_mb"])
    read = sum(one["outcome"] == "read" for one in found)
    print(
        f"\n{len(found)} files, {read} of them read; slowest {slowest['name']} "
        f"{slowest['seconds']:.2f} s, largest {largest['name']} {largest['peak_mb']:.0f} MB"
    )
    assert "Traceback" not in done.stderr
    return found


def check(found: list[dict[str, Any]]) -> None:
    wrong = [one for one in found if "Traceback" in one["outcome"]]
    assert not wrong, "\n".join(f"{one['name']}: {one['outcome']}" for one in wrong[:3])
    for one in found:
        name, said = one["name"], one["outcome"]
        assert said == "read" or name in said, f"{name}: {said}"
        assert said == "read" or not said.endswith("| "), f"{name}: {said} has no hint"
        assert one["peak_mb"] < _MOST_MB, f"{name}: {one['peak_mb']:.0f} MB"
        # Processor time; the limit is for hangs, not for a busy machine.
        assert one["seconds"] < 5 * _MOST_SECONDS, f"{name}: {one['seconds']:.1f} s"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of pydicom, as it writes what it should not
def test_damaged_files(tmp_path: Path) -> None:
    sound, damaged = tmp_path / "sound", tmp_path / "damaged"
    sound.mkdir()
    damaged.mkdir()
    paths = sound_files(sound)
    for name, content in damaged_files(paths):
        (damaged / name).write_bytes(content)
    assert {one["outcome"] for one in opened(sound)} == {"read"}
    found = opened(damaged)
    assert len(found) > 400
    check(found)


def test_files_of_pydicom(tmp_path: Path) -> None:
    """Its test files, odd, damaged or sound, none of which is a pullback."""
    files = [path for path in _PYDICOM_FILES.rglob("*") if path.is_file()]
    kept = [path for path in files if path.suffix not in {".py", ".pyc"}]
    for number, path in enumerate(sorted(kept)):
        (tmp_path / f"{number}-{path.name}").symlink_to(path)
    found = opened(tmp_path)
    assert len(found) > 150
    check(found)
    # Round test patterns of 32 x 32 pixels, modality OT, that test character sets.
    read = {one["name"].split("-")[1] for one in found if one["outcome"] == "read"}
    assert {name for name in read if not name.startswith("chr")} == set()
