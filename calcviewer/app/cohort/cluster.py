"""A cohort on an existing Dask cluster, one pullback a task.

The workers need the same version of CalcViewer, and the pullbacks and the folder of results under
the same paths. Dask moves a pullback whose worker is lost to another one.
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Any

from calcviewer.app.cohort.found import Member
from calcviewer.app.cohort.work import Ended, Step, Work, attempt
from calcviewer.core.errors import CalcViewerError

if TYPE_CHECKING:
    from distributed import Client, Future

_CONNECT_S = 15
_THREADS = 1
"""Of a task: a cluster starts as many workers as there are cores."""
_AGAIN = "Give the same command again when the cluster is back: what is finished stays."


def run_on_cluster(
    members: Sequence[Member], work: Work, *, scheduler: str
) -> Generator[Step | Ended, None, None]:
    """Analyse pullbacks on a cluster; closing the iterator takes back what has not begun.

    Raises
    ------
    CalcViewerError
        When Dask is not installed, the scheduler is not there or is lost, or its workers have no
        CalcViewer.
    """
    with _connected(scheduler) as client:
        from distributed import as_completed

        futures = {
            client.submit(attempt, one, work.with_threads(_THREADS), pure=False): one
            for one in members
        }
        try:
            for future in as_completed(futures, loop=client.loop):
                yield _ended(future, futures[future], scheduler)
        finally:
            client.cancel(list(futures))


def _connected(scheduler: str) -> Client:
    try:
        from distributed import Client
    except ImportError as error:
        raise CalcViewerError(
            "--scheduler needs Dask, which is not installed.",
            "Install it with: pip install 'calcviewer[cluster]'",
        ) from error
    for name in ("distributed", "distributed.client"):
        # What it logs of a lost connection is told in one line here.
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        return Client(scheduler, timeout=_CONNECT_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise CalcViewerError(
            f"No Dask scheduler answers at {scheduler}.",
            "Check the address, as tcp://HOST:8786, and that the scheduler runs.",
        ) from error


def _ended(future: Future, member: Member, scheduler: str) -> Ended:
    if future.status in ("cancelled", "lost"):
        raise CalcViewerError(f"The scheduler at {scheduler} was lost.", _AGAIN)
    error: Any = future.exception()
    if isinstance(error, ImportError):
        raise CalcViewerError(
            f"The workers of {scheduler} cannot run CalcViewer: {error}.",
            "Install the same version of CalcViewer with its cluster extra on all of them.",
        )
    if error is not None:  # KilledWorker: it was lost again and again
        return Ended(member, f"It could not be analysed on the cluster: {error}")
    ended: Ended = future.result()
    return ended
