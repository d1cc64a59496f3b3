"""A small cohort from its pullbacks to its tables, and what a second run makes of it."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from calcviewer.app.cohort import cohort as cohort_module
from calcviewer.app.cohort.cohort import open_cohort
from calcviewer.app.cohort.finished import source_of, write_finished
from calcviewer.app.cohort.found import Member
from calcviewer.app.cohort.order import CohortOptions
from calcviewer.app.cohort.result import Status
from calcviewer.app.cohort.work import Ended, Step, Work
from calcviewer.app.workflows import SegmentOptions
from calcviewer.core.errors import CalcViewerError
from tests.app.cohort.cohorts import finished, lesion

OPTIONS = CohortOptions()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    for name in "abc":
        (folder / f"{name}.dcm").write_bytes(name.encode())
    return folder


class Processes:
    """In the place of `run_locally`: marks pullbacks as finished, or says why they failed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[str] = []
        self.failures: dict[str, Ended] = {}
        self.writes = True
        self.closed = False
        monkeypatch.setattr(cohort_module, "run_locally", self)

    def __call__(
        self, members: Sequence[Member], work: Work, *, workers: int | None
    ) -> Iterator[Step | Ended]:
        try:
            for member in members:
                self.asked.append(member.name)
                yield Step(member, 1, 2)
                yield self.failures.get(member.name) or self._finish(member, work)
        finally:
            self.closed = True

    def _finish(self, member: Member, work: Work) -> Ended:
        folder = work.folder / member.name
        if self.writes:
            folder.mkdir(exist_ok=True)
            write_finished(
                folder,
                settings=work.settings,
                source=source_of(member.path),
                seconds=1.0,
                summary=finished(lesion()).summary,
            )
        return Ended(member)


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> Processes:
    return Processes(monkeypatch)


def run(data: Path, folder: Path, options: CohortOptions = OPTIONS) -> dict[str, Status]:
    with open_cohort([data], folder, options) as cohort:
        list(cohort.run())
        return {name: one.status for name, one in cohort.results.items()}


def table(folder: Path) -> dict[str, str]:
    rows = csv.DictReader((folder / "cohort.csv").read_text().splitlines())
    return {row["pullback"]: row["status"] for row in rows}


def test_nothing_is_done_twice(data: Path, tmp_path: Path, processes: Processes) -> None:
    assert set(run(data, tmp_path / "out").values()) == {Status.FINISHED}
    assert processes.asked == ["in-a", "in-b", "in-c"]
    (data / "d.dcm").write_bytes(b"new")
    assert len(run(data, tmp_path / "out")) == 4
    assert processes.asked == ["in-a", "in-b", "in-c", "in-d"]
    assert (tmp_path / "out" / "cohort.pdf").exists()


def test_one_failing_does_not_stop_the_rest(
    data: Path, tmp_path: Path, processes: Processes
) -> None:
    processes.failures["in-b"] = Ended(Member("in-b", data / "b.dcm"), "It is cut off.")
    run(data, tmp_path / "out")
    expected = {"in-a": "finished", "in-b": "failed", "in-c": "finished"}
    assert table(tmp_path / "out") == expected
    del processes.failures["in-b"]
    run(data, tmp_path / "out")
    assert processes.asked == ["in-a", "in-b", "in-c", "in-b"]
    assert set(table(tmp_path / "out").values()) == {"finished"}


def test_a_changed_source_is_analysed_again(
    data: Path, tmp_path: Path, processes: Processes
) -> None:
    run(data, tmp_path / "out")
    (data / "b.dcm").write_bytes(b"changed")
    os.utime(data / "c.dcm", ns=(1, 1))
    run(data, tmp_path / "out")
    assert processes.asked == ["in-a", "in-b", "in-c", "in-b"]


def test_other_options_are_refused(data: Path, tmp_path: Path, processes: Processes) -> None:
    run(data, tmp_path / "out")
    with pytest.raises(CalcViewerError, match="crf True instead of False"):
        run(data, tmp_path / "out", CohortOptions(segment=SegmentOptions(crf=False)))
    assert set(table(tmp_path / "out").values()) == {"finished"}


def test_pullbacks_of_an_earlier_run_stay_in_the_tables(
    data: Path, tmp_path: Path, processes: Processes
) -> None:
    run(data, tmp_path / "out")
    (data / "a.dcm").unlink()
    with open_cohort([data / "b.dcm"], tmp_path / "out", OPTIONS) as cohort:
        list(cohort.run())
        assert cohort.asked == ("in-b",)
    assert table(tmp_path / "out") == dict.fromkeys(("in-a", "in-b", "in-c"), "finished")


def test_a_stopped_run_leaves_its_tables(data: Path, tmp_path: Path, processes: Processes) -> None:
    with open_cohort([data], tmp_path / "out", OPTIONS) as cohort:
        steps = cohort.run()
        while not isinstance(next(steps), Ended):
            pass
        steps.close()
    assert processes.closed
    assert table(tmp_path / "out") == {"in-a": "finished", "in-b": "open", "in-c": "open"}
    run(data, tmp_path / "out")
    assert processes.asked == ["in-a", "in-b", "in-c"]


def test_a_full_disk_stops_the_run(data: Path, tmp_path: Path, processes: Processes) -> None:
    full = Ended(Member("in-b", data / "b.dcm"), "No space left on device.", hopeless=True)
    processes.failures["in-b"] = full
    with pytest.raises(CalcViewerError, match="No space left on device") as caught:
        run(data, tmp_path / "out")
    assert "same command again" in caught.value.hint
    assert processes.asked == ["in-a", "in-b"]
    assert processes.closed
    assert table(tmp_path / "out") == {"in-a": "finished", "in-b": "open", "in-c": "open"}


def test_results_that_are_not_in_the_folder_do_not_count(
    data: Path, tmp_path: Path, processes: Processes
) -> None:
    processes.writes = False
    assert set(run(data, tmp_path / "out").values()) == {Status.FAILED}


def test_only_one_works_on_a_folder(data: Path, tmp_path: Path, processes: Processes) -> None:
    with (
        open_cohort([data], tmp_path / "out", OPTIONS),
        pytest.raises(CalcViewerError, match=rf"worked on by process {os.getpid()} of"),
        open_cohort([data], tmp_path / "out", OPTIONS),
    ):
        pass
    assert len(run(data, tmp_path / "out")) == 3


def test_a_place_that_cannot_be_written_to(data: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(CalcViewerError, match="Cannot write to"),
        open_cohort([data], tmp_path / "file" / "out", OPTIONS),
    ):
        pass


def test_an_error_of_the_order_leaves_no_lock(data: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").touch()
    with (
        pytest.raises(CalcViewerError, match="something else"),
        open_cohort([data], tmp_path, OPTIONS),
    ):
        pass
    assert {path.name for path in tmp_path.iterdir()} == {"in", "thesis.txt"}
