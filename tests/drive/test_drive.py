"""The real window on a screen nobody sees, worked with mouse and keys from start to end."""

from __future__ import annotations

from pathlib import Path

import pytest

from calcviewer.app.simulate import write_pullback
from tests.drive.starting import ROOT, Drive

REAL = ROOT.parent / "shared" / "data" / "ivoct-real-001" / "frames"

pytestmark = pytest.mark.slow


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


def test_the_demo_is_reviewed_from_the_start_page_to_the_report(drive: Drive) -> None:
    ended = drive.run("review_demo")
    assert (ended.said, ended.status) == ("", 0)
    steps = {"start", "segmenting", "segmented", "voi", "maximum_arc", "confirmed", "exported"}
    assert steps <= ended.pictures
    (report,) = drive.home.glob("*.pdf")
    assert report.stat().st_size > 20_000


@pytest.mark.skipif(not REAL.is_dir(), reason="the real frames are not here")
def test_real_frames_are_calibrated_segmented_and_scored(drive: Drive, tmp_path: Path) -> None:
    folder = tmp_path / "frames"  # the review is kept beside the frames
    folder.mkdir()
    for frame in REAL.glob("*.png"):
        (folder / frame.name).symlink_to(frame)
    ended = drive.run("calibrate_real", folder)
    assert (ended.said, ended.status) == ("", 0)
    assert {"real_catheter", "real_segmented"} <= ended.pictures


def test_a_damaged_file_gives_one_message_and_touches_nothing(
    drive: Drive, simulated: Path
) -> None:
    damaged = drive.home / "damaged.dcm"
    damaged.write_bytes(simulated.read_bytes()[:40_000])
    ended = drive.run("drop_damaged", simulated, damaged)
    assert (ended.said, ended.status) == ("", 0)


def test_a_second_study_finds_nothing_of_the_first_and_it_closes_while_segmenting(
    drive: Drive, simulated: Path, another: Path
) -> None:
    ended = drive.run("open_another", simulated, another)
    assert (ended.said, ended.status) == ("", 0)
