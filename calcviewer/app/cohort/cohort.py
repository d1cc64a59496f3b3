"""A cohort while somebody works on it: who may, what is left to do, what came of it."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from calcviewer.app.cohort.cluster import run_on_cluster
from calcviewer.app.cohort.figures import write_figures
from calcviewer.app.cohort.finished import is_of_source, read_finished
from calcviewer.app.cohort.found import Member, find_pullbacks
from calcviewer.app.cohort.local import run_locally
from calcviewer.app.cohort.order import CohortOptions, Settings, place_order
from calcviewer.app.cohort.result import Result, Status, write_tables
from calcviewer.app.cohort.work import Ended, Step, Work
from calcviewer.app.review_store.lock import Holder, take_lock
from calcviewer.core.atomic import system_reason
from calcviewer.core.errors import CalcViewerError

_LOCK_FILE = ".cohort.lock"


@dataclass(eq=False)
class Cohort:
    """The pullbacks of a folder and their results, in the order they were asked for.

    Parameters
    ----------
    results
        By name; of all pullbacks that the folder was ever used for.
    asked
        The names of those that are asked for now.
    passed_over
        How many other files lie in the searched folders; ``cohort.json`` says which.
    """

    settings: Settings
    work: Work
    results: dict[str, Result]
    asked: tuple[str, ...]
    passed_over: int

    def asked_results(self, status: Status) -> list[Result]:
        """Return those asked for now that are so far."""
        asked = (self.results[name] for name in self.asked)
        return [result for result in asked if result.status is status]

    def run(
        self, *, workers: int | None = None, scheduler: str | None = None
    ) -> Generator[Step | Ended, None, None]:
        """Analyse what is open, on this computer or on a Dask cluster, and tell of each step.

        The tables are written after every pullback, the figures at the end. Closing the iterator
        stops the work; what is finished stays.

        Raises
        ------
        CalcViewerError
            When the folder cannot be written to any more, or the cluster is lost.
        """
        members = [result.member for result in self.asked_results(Status.OPEN)]
        write_tables(self.work.folder, self._all())
        if scheduler is None:
            steps = run_locally(members, self.work, workers=workers)
        else:
            steps = run_on_cluster(members, self.work, scheduler=scheduler)
        with closing(steps):
            for step in steps:
                if isinstance(step, Ended):
                    step = self._take(step)
                yield step
        write_figures(self.work.folder, self._all(), self.settings)

    def _all(self) -> Sequence[Result]:
        return tuple(self.results.values())

    def _take(self, ended: Ended) -> Ended:
        """Keep what came of a pullback; a result counts when it can be read from the folder."""
        if ended.hopeless:
            raise CalcViewerError(
                f"{ended.failure} What is finished stays.",
                "Make room there, and give the same command again to go on.",
            )
        name = ended.member.name
        finished = read_finished(self.work.folder / name, self.work.settings)
        if finished is None and not ended.failure:
            ended = replace(
                ended, failure="Its results are not in the cohort's folder: is that one shared?"
            )
        self.results[name] = Result(
            ended.member, None if ended.failure else finished, ended.failure
        )
        write_tables(self.work.folder, self._all())
        return ended


@contextmanager
def open_cohort(paths: Sequence[Path], folder: Path, options: CohortOptions) -> Iterator[Cohort]:
    """Find the pullbacks at some paths and open the folder of their results for work.

    Nobody else can work on the folder until the block, or the process, ends.

    Raises
    ------
    CalcViewerError
        When no pullback is found, somebody else works on the folder, it cannot be written to, or
        it holds something else than a cohort with these options.
    """
    settings = Settings.of(options)
    folder = Path(os.path.abspath(folder))
    found = find_pullbacks(paths, leave_out=folder)
    with _locked(folder):
        order = place_order(folder, settings, found)
        work = Work(folder=folder, options=options, settings=settings.mark)
        asked = {str(member.path) for member in found.members}
        results = {
            member.name: _known(member, work, asked=str(member.path) in asked)
            for member in order.members
        }
        names = tuple(one.name for one in order.members if str(one.path) in asked)
        yield Cohort(settings, work, results, names, len(found.passed_over))


def _known(member: Member, work: Work, *, asked: bool) -> Result:
    """Return what is known of a pullback; one that is not asked for may be anywhere by now."""
    finished = read_finished(work.folder / member.name, work.settings)
    if finished is not None and asked and not is_of_source(finished, member.path):
        finished = None
    return Result(member, finished)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = take_lock(folder / _LOCK_FILE)
    except OSError as error:
        raise CalcViewerError(
            f"Cannot write to {folder}: {system_reason(error)}.", "Choose another folder with -o."
        ) from error
    if isinstance(lock, Holder):
        who = f"process {lock.pid} of {lock.user} on {lock.host}" if lock.pid else "another process"
        raise CalcViewerError(
            f"{folder} is being worked on by {who}.", "Wait until it is done, or end it."
        )
    try:
        yield
    finally:
        lock.release()
