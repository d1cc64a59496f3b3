from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from calcviewer.app.cohort.finished import (
    MARK_FILE,
    Finished,
    discard_unfinished,
    is_of_source,
    read_finished,
    source_of,
    stamp_of,
    write_finished,
)
from tests.app.cohort.cohorts import finished, lesion

SUMMARY = finished(lesion(length_mm=None), lesion(), missing=("frame pitch",)).summary


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "pullback.dcm"
    path.write_bytes(b"frames")
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "results"
    path.mkdir()
    (path / "report.pdf").write_bytes(b"report")
    return path


def mark(folder: Path, source: Path) -> Finished:
    return write_finished(
        folder, settings="mark", source=source_of(source), seconds=1.5, summary=SUMMARY
    )


def test_a_mark_is_read_as_it_was_written(folder: Path, source: Path) -> None:
    assert read_finished(folder, "mark") is None
    written = mark(folder, source)
    assert read_finished(folder, "mark") == written
    assert written.files == {"report.pdf": 6}
    assert written.summary == SUMMARY


def test_other_settings_do_not_count(folder: Path, source: Path) -> None:
    mark(folder, source)
    assert read_finished(folder, "other") is None


def test_results_that_are_gone_or_cut_do_not_count(folder: Path, source: Path) -> None:
    mark(folder, source)
    (folder / "notes.txt").write_text("the user's own")
    assert read_finished(folder, "mark") is not None
    (folder / "report.pdf").write_bytes(b"rep")
    assert read_finished(folder, "mark") is None
    (folder / "report.pdf").unlink()
    assert read_finished(folder, "mark") is None


@pytest.mark.parametrize("damage", ["", "{}", "[1]", '{"format": "calcviewer-cohort-finished"}'])
def test_a_damaged_mark_does_not_count(folder: Path, source: Path, damage: str) -> None:
    mark(folder, source)
    (folder / MARK_FILE).write_text(damage)
    assert read_finished(folder, "mark") is None


def test_a_copy_is_the_same_source_and_a_changed_one_is_not(
    folder: Path, source: Path, tmp_path: Path
) -> None:
    written = mark(folder, source)
    os.utime(source, ns=(1, 1))
    assert stamp_of(source) != written.source.stamp
    assert is_of_source(written, source)
    source.write_bytes(b"FRAMES")
    assert not is_of_source(written, source)
    assert not is_of_source(written, tmp_path / "gone.dcm")


def test_a_folder_is_its_frames(tmp_path: Path, folder: Path) -> None:
    frames = tmp_path / "frames"
    frames.mkdir()
    for number in range(3):
        (frames / f"{number}.png").write_bytes(bytes([number]))
    written = mark(folder, frames)
    (frames / ".review.calcviewer-review").touch()
    assert is_of_source(written, frames)
    shutil.copytree(frames, tmp_path / "copy")
    assert is_of_source(written, tmp_path / "copy")
    (frames / "2.png").rename(frames / "3.png")
    assert not is_of_source(written, frames)


def test_what_was_left_half_written_goes(folder: Path) -> None:
    (folder / ".calcviewer-abc").mkdir()
    (folder / ".calcviewer-abc" / "report.pdf").touch()
    discard_unfinished(folder)
    assert [path.name for path in folder.iterdir()] == ["report.pdf"]
    (folder / "report.pdf").unlink()
    discard_unfinished(folder)
    assert not folder.exists()
    discard_unfinished(folder)
