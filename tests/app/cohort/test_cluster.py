"""A real Dask cluster, where the extra `cluster` is installed."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from calcviewer.app.cohort.cluster import run_on_cluster
from calcviewer.app.cohort.cohort import open_cohort
from calcviewer.app.cohort.found import Member
from calcviewer.app.cohort.order import CohortOptions
from calcviewer.app.cohort.result import Status
from calcviewer.app.cohort.work import Ended, Work
from calcviewer.core.errors import CalcViewerError
from tests.app.cohort.cohorts import pullback, work_in

if TYPE_CHECKING:
    from distributed import LocalCluster

ADDRESS = "tcp://there:8786"
A, B = (Member(name, Path(f"/data/{name}.dcm")) for name in "ab")

needs_dask = pytest.mark.skipif(
    importlib.util.find_spec("distributed") is None, reason="the extra cluster is not installed"
)


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as started:
        yield started


def test_without_dask_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(CalcViewerError, match="not installed") as caught:
        next(run_on_cluster([], work_in(tmp_path), scheduler="tcp://127.0.0.1:1"))
    assert "calcviewer[cluster]" in caught.value.hint


class StandIn(ModuleType):
    """In the place of `distributed`: a cluster whose tasks end as they are told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **ends: SimpleNamespace) -> None:
        super().__init__("distributed")
        self.ends = ends
        self.cancelled: list[SimpleNamespace] = []
        self.loop = None
        monkeypatch.setitem(sys.modules, "distributed", self)

    def Client(self, address: str, **_: Any) -> StandIn:
        assert address == ADDRESS
        return self

    def __enter__(self) -> StandIn:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def submit(self, _: object, member: Member, work: Work, *, pure: bool) -> SimpleNamespace:
        assert work.options.segment.threads == 1
        assert not pure
        return self.ends[member.name]

    def cancel(self, futures: list[SimpleNamespace]) -> None:
        self.cancelled = futures

    def as_completed(self, futures: dict[SimpleNamespace, Member], **_: Any) -> Any:
        return iter(futures)


class End(SimpleNamespace):
    """How a task ended, as a future of Dask tells it."""

    __hash__ = object.__hash__

    def __init__(self, error: Exception | None = None, status: str = "finished") -> None:
        super().__init__(status=status, exception=lambda: error, result=lambda: Ended(A))


def test_what_ends_a_task_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in = StandIn(monkeypatch, a=End(), b=End(RuntimeError("killed 4 times")))
    ends = list(run_on_cluster([A, B], work_in(tmp_path), scheduler=ADDRESS))
    assert ends == [Ended(A), Ended(B, "It could not be analysed on the cluster: killed 4 times")]
    assert len(stand_in.cancelled) == 2


@pytest.mark.parametrize(
    ("end", "told"),
    [
        (End(status="cancelled"), "was lost"),
        (End(status="lost"), "was lost"),
        (End(ModuleNotFoundError("No module named 'calcviewer'")), "cannot run CalcViewer"),
    ],
)
def test_what_ends_all_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: End, told: str
) -> None:
    stand_in = StandIn(monkeypatch, a=end, b=End())
    with pytest.raises(CalcViewerError, match=told):
        list(run_on_cluster([A, B], work_in(tmp_path), scheduler=ADDRESS))
    assert len(stand_in.cancelled) == 2


@needs_dask
@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nonsense://x", "127.0.0.1"])
def test_no_scheduler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setattr("calcviewer.app.cohort.cluster._CONNECT_S", 1)
    with pytest.raises(CalcViewerError, match="No Dask scheduler answers"):
        next(run_on_cluster([], work_in(tmp_path), scheduler=address))


@needs_dask
@pytest.mark.slow
def test_a_cohort_on_a_cluster(cluster: LocalCluster, tmp_path: Path) -> None:
    pullback(tmp_path / "data" / "P1", seed=4, frames=2)
    pullback(tmp_path / "data" / "P2", seed=7, frames=2)
    (tmp_path / "data" / "cut.dcm").write_bytes(b"nothing")
    out = tmp_path / "out"
    with open_cohort([tmp_path / "data"], out, CohortOptions()) as cohort:
        steps = list(cohort.run(scheduler=cluster.scheduler_address))
        assert sum(isinstance(step, Ended) for step in steps) == 3
        assert len(cohort.asked_results(Status.FINISHED)) == 2
        (failed,) = cohort.asked_results(Status.FAILED)
    assert failed.member.name == "data-cut"
    assert {path.name for path in out.iterdir() if path.is_dir()} == {"P1-pullback", "P2-pullback"}
    with open_cohort([tmp_path / "data"], out, CohortOptions()) as cohort:
        (todo,) = cohort.asked_results(Status.OPEN)
        assert todo.member.name == "data-cut"


@needs_dask
@pytest.mark.slow
def test_a_worker_that_dies_every_time_fails_its_pullback_only(
    cluster: LocalCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    members = [Member("deadly", tmp_path / "deadly.dcm"), Member("gone", tmp_path / "gone.dcm")]
    monkeypatch.setattr("calcviewer.app.cohort.cluster.attempt", _die_of_deadly)
    ends: dict[str, Any] = {
        step.member.name: step
        for step in run_on_cluster(members, work_in(tmp_path), scheduler=cluster.scheduler_address)
    }
    assert "could not be analysed on the cluster" in ends["deadly"].failure
    assert ends["gone"].failure == ""


def _die_of_deadly(member: Member, _: object) -> Ended:
    import os
    import signal

    if member.name == "deadly":
        os.kill(os.getpid(), signal.SIGKILL)
    return Ended(member)
