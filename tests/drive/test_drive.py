"""The real window on a screen nobody sees, worked with mouse and keys from start to end.

Pictures of every step lie in the test's temporary folder; ``CALCVIEWER_DRIVE_PICTURES`` names a
folder to keep them in.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from calcviewer.app.simulate import write_pullback
from tests.drive.virtual_screen import missing_for_a_screen, virtual_screen

ROOT = Path(__file__).parents[2]
REAL = ROOT.parent / "shared" / "data" / "ivoct-real-001" / "frames"
LONGEST_S = 170
MISSING = missing_for_a_screen()

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(MISSING), reason=f"no virtual screen: {MISSING}"),
]


@pytest.fixture(scope="module")
def screen() -> Iterator[str]:
    with virtual_screen() as name:
        yield name


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("studies") / "first"
    write_pullback(folder, seed=4, frames=14, a_lines=240, samples=480)
    return (folder / "pullback.dcm").rename(folder / "first.dcm")


@pytest.fixture(scope="module")
def another(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("studies") / "second"
    write_pullback(folder, seed=1, frames=10, a_lines=240, samples=480)
    return (folder / "pullback.dcm").rename(folder / "second.dcm")


@dataclass(frozen=True)
class Ended:
    """How the application ended."""

    status: int
    said: str
    seconds: float
    pictures: frozenset[str]


class Drive:
    """Starts the application for a script, with folders and settings of its own."""

    def __init__(self, screen: str, home: Path) -> None:
        kept = os.environ.get("CALCVIEWER_DRIVE_PICTURES")
        self.home = home
        self.pictures = Path(kept) if kept else home / "pictures"
        self.pictures.mkdir(parents=True, exist_ok=True)
        running = home / "run"
        running.mkdir(mode=0o700)
        self._environment = {
            **os.environ,
            "DISPLAY": screen,
            "QT_QPA_PLATFORM": "xcb",
            "LANG": "C.UTF-8",
            "HOME": str(home),
            "XDG_RUNTIME_DIR": str(running),
            **{
                f"XDG_{name}_HOME": str(home / name.lower())
                for name in ("CONFIG", "STATE", "CACHE", "DATA")
            },
        }

    def run(self, script: str, *paths: Path) -> Ended:
        command = [sys.executable, "-m", "tests.drive.scripts", script, str(self.pictures)]
        began = time.time()
        ended = subprocess.run(
            [*command, *map(str, paths)],
            cwd=ROOT,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LONGEST_S,
        )
        made = frozenset(
            path.stem for path in self.pictures.glob("*.png") if path.stat().st_mtime >= began - 1
        )
        closing = self.pictures / "closing"
        seconds = time.time() - closing.stat().st_mtime if closing.exists() else 0.0
        return Ended(ended.returncode, ended.stdout + ended.stderr, seconds, made)


@pytest.fixture
def drive(screen: str, tmp_path: Path) -> Drive:
    return Drive(screen, tmp_path)


def test_the_demo_is_reviewed_from_the_start_page_to_the_report(drive: Drive) -> None:
    ended = drive.run("review_demo")
    assert (ended.said, ended.status) == ("", 0)
    steps = {"start", "segmenting", "segmented", "voi", "maximum_arc", "confirmed", "exported"}
    assert steps <= ended.pictures
    (report,) = drive.home.glob("*.pdf")
    assert report.stat().st_size > 20_000


@pytest.mark.skipif(not REAL.is_dir(), reason="the real frames are not here")
def test_real_frames_are_calibrated_segmented_and_scored(drive: Drive) -> None:
    ended = drive.run("calibrate_real", REAL)
    assert (ended.said, ended.status) == ("", 0)
    assert {"real_catheter", "real_segmented"} <= ended.pictures


def test_a_damaged_file_gives_one_message_and_touches_nothing(
    drive: Drive, simulated: Path
) -> None:
    damaged = drive.home / "damaged.dcm"
    damaged.write_bytes(simulated.read_bytes()[:40_000])
    ended = drive.run("drop_damaged", simulated, damaged)
    assert (ended.said, ended.status) == ("", 0)


def test_a_second_study_finds_nothing_of_the_first_and_closing_ends_its_segmentation(
    drive: Drive, simulated: Path, another: Path
) -> None:
    ended = drive.run("open_another", simulated, another)
    assert (ended.said, ended.status) == ("", 0)
    assert ended.seconds < 10
