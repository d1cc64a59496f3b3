"""Real processes: some are ended from outside, as a lack of memory would."""

from __future__ import annotations

import multiprocessing
import os
import signal
from contextlib import closing
from pathlib import Path

import pytest

from calcviewer.app.cohort.finished import read_finished
from calcviewer.app.cohort.found import Member
from calcviewer.app.cohort.local import run_locally
from calcviewer.app.cohort.work import Ended, Step
from tests.app.cohort.cohorts import pullback, work_in


def kill_all() -> None:
    for process in multiprocessing.active_children():
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)


def test_one_process_failing_does_not_stop_the_other(tmp_path: Path) -> None:
    members = [Member(name, tmp_path / f"{name}.dcm") for name in ("a", "b")]
    members[1].path.touch()
    work = work_in(tmp_path)
    ends = [one for one in run_locally(members, work) if isinstance(one, Ended)]
    failures = {one.member.name: one.failure for one in ends}
    assert "a does not exist" in failures["a"]
    assert "b is empty" in failures["b"]
    assert not multiprocessing.active_children()


@pytest.mark.slow
def test_a_killed_process_is_attempted_again(tmp_path: Path) -> None:
    member = Member("a", pullback(tmp_path / "in", frames=3))
    work = work_in(tmp_path)
    killed = 0
    ends = []
    for step in run_locally([member], work, workers=1):
        if isinstance(step, Step) and step.done and not killed:
            kill_all()
            killed += 1
        if isinstance(step, Ended):
            ends.append(step)
    assert killed
    assert ends == [Ended(member)]
    assert read_finished(tmp_path / "a", work.settings) is not None
    assert not [path.name for path in (tmp_path / "a").iterdir() if path.name.startswith(".")]


def test_a_process_killed_every_time_is_a_failure(tmp_path: Path) -> None:
    members = [Member("a", tmp_path / "a.dcm")]
    started = 0
    ends = []
    for step in run_locally(members, work_in(tmp_path)):
        if isinstance(step, Step):
            started += 1
            kill_all()
        else:
            ends.append(step)
    assert started == 2
    (ended,) = ends
    assert "ended from outside: Killed" in ended.failure
    assert "--workers" in ended.failure


def test_closing_ends_what_is_running(tmp_path: Path) -> None:
    members = [Member(name, tmp_path / f"{name}.dcm") for name in "abc"]
    with closing(run_locally(members, work_in(tmp_path), workers=2)) as steps:
        next(steps)
        next(steps)
        assert len(multiprocessing.active_children()) == 2
    assert not multiprocessing.active_children()
    assert not list(tmp_path.iterdir())


def test_nothing_to_do_starts_nothing(tmp_path: Path) -> None:
    assert list(run_locally([], work_in(tmp_path))) == []
