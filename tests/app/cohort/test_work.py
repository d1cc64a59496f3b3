from __future__ import annotations

import errno
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from calcviewer.app.cohort import work as work_module
from calcviewer.app.cohort.finished import MARK_FILE, read_finished
from calcviewer.app.cohort.found import Member
from calcviewer.app.cohort.work import Ended, Work, attempt, clean_up
from calcviewer.app.review_store.lock import ReviewLock, take_lock
from calcviewer.core.errors import CalcViewerError
from tests.app.cohort.cohorts import finished, work_in


@pytest.fixture
def member(tmp_path: Path) -> Member:
    path = tmp_path / "Rook^Ada" / "a.dcm"
    path.parent.mkdir()
    path.write_bytes(b"frames")
    return Member("a", path)


@pytest.fixture
def work(tmp_path: Path) -> Work:
    (tmp_path / "out").mkdir()
    return work_in(tmp_path / "out")


class Analyses:
    """In the place of `analyze`: writes a file, and fails when it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        self.error: Exception | None = None
        self.change: Path | None = None
        monkeypatch.setattr(work_module, "analyze", self)
        monkeypatch.setattr(work_module, "summarise", lambda _: finished().summary)

    def __call__(self, path: Path, output: Path, **_: Any) -> None:
        self.count += 1
        if self.error is not None:
            raise self.error
        output.mkdir(exist_ok=True)
        (output / "report.pdf").write_bytes(b"report")
        if self.change:
            self.change.write_bytes(b"another acquisition")


@pytest.fixture
def analyses(monkeypatch: pytest.MonkeyPatch) -> Analyses:
    return Analyses(monkeypatch)


def test_a_finished_pullback_is_not_analysed_again(
    member: Member, work: Work, analyses: Analyses
) -> None:
    assert attempt(member, work) == Ended(member)
    assert attempt(member, work) == Ended(member)
    assert analyses.count == 1
    member.path.write_bytes(b"changed")
    assert attempt(member, work) == Ended(member)
    assert analyses.count == 2


def test_a_failure_names_the_pullback_and_not_its_path(
    member: Member, work: Work, analyses: Analyses
) -> None:
    analyses.error = CalcViewerError(f"{member.path} is cut off.", "Copy it again.")
    assert attempt(member, work) == Ended(member, "a is cut off. Copy it again.")
    assert read_finished(work.folder / "a", work.settings) is None


@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize(
    ("code", "hopeless"),
    [(errno.ENOSPC, True), (errno.EROFS, True), (errno.EDQUOT, True), (errno.EIO, False)],
)
def test_a_full_disk_is_hopeless_for_all(
    member: Member, work: Work, analyses: Analyses, code: int, hopeless: bool, wrapped: bool
) -> None:
    refused = OSError(code, os.strerror(code), str(work.folder))
    if wrapped:
        analyses.error = CalcViewerError("It could not be written.")
        analyses.error.__cause__ = refused
    else:
        analyses.error = refused
    ended = attempt(member, work)
    assert ended.hopeless == hopeless
    assert ended.failure


def test_a_failed_analysis_leaves_no_older_mark(
    member: Member, work: Work, analyses: Analyses
) -> None:
    attempt(member, work)
    member.path.write_bytes(b"changed")
    analyses.error = CalcViewerError("no")
    attempt(member, work)
    assert not (work.folder / "a" / MARK_FILE).exists()


def test_a_source_that_changes_meanwhile_does_not_count(
    member: Member, work: Work, analyses: Analyses
) -> None:
    analyses.change = member.path
    assert "was changed while it was analysed" in attempt(member, work).failure
    assert read_finished(work.folder / "a", work.settings) is None


def test_another_program_elsewhere_is_refused(
    member: Member, work: Work, analyses: Analyses
) -> None:
    other = Work(folder=work.folder, options=work.options, settings="another version")
    assert "another one than where the cohort was started" in attempt(member, other).failure
    assert analyses.count == 0


def test_who_comes_second_waits_and_finds_it_done(
    member: Member, work: Work, analyses: Analyses
) -> None:
    held = take_lock(work.folder / ".a.lock")
    assert isinstance(held, ReviewLock)
    second = threading.Thread(target=attempt, args=(member, work))
    second.start()
    second.join(0.3)
    assert second.is_alive()
    assert analyses.count == 0
    held.release()
    second.join()
    assert analyses.count == 1


def test_who_waits_for_ever_is_told(
    member: Member, work: Work, analyses: Analyses, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work_module, "_LONGEST_WAIT_S", 0.0)
    held = take_lock(work.folder / ".a.lock")
    assert isinstance(held, ReviewLock)
    assert f"is being analysed by process {os.getpid()}" in attempt(member, work).failure
    held.release()


def test_cleaning_up_leaves_nothing_of_a_killed_process(member: Member, work: Work) -> None:
    (work.folder / "a" / ".calcviewer-x").mkdir(parents=True)
    (work.folder / ".a.lock").touch()
    clean_up(member, work)
    assert not list(work.folder.iterdir())
