"""Sends a study's results to an archive, where they join the study of their pullback."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Lock

from calcviewer.app.exchange.dicom_results import ResultOptions, write_results
from calcviewer.app.results import Results
from calcviewer.app.session import IvoctStudy
from calcviewer.core.scratch import scratch_folder
from calcviewer.dicom.network import archive
from calcviewer.dicom.network.peer import Peer
from calcviewer.dicom.network.query import Transfer


class Outbox:
    """Results on their way, in a private temporary folder, until all have arrived.

    Every object that is written is a new one to an archive. So what was interrupted is sent again
    as it was written: an archive that has some of it already does not get twins.
    """

    def __init__(self) -> None:
        self._writing = Lock()
        self._remove: Callable[[], object] | None = None
        self._written: tuple[IvoctStudy, ResultOptions, tuple[Path, ...]] | None = None

    def send(
        self,
        study: IvoctStudy,
        results: Results,
        options: ResultOptions,
        peer: Peer,
        *,
        secret: str | None = None,
    ) -> Iterator[Transfer]:
        """Write the chosen results and send them; they are gone from here once they are there.

        All are written and checked before the first one is sent.

        Yields
        ------
        The number of objects, when they are written; then how far the transfer is.

        Raises
        ------
        CalcViewerError
            When a result cannot be written, or the archive does not take it.
        """
        with self._writing:  # what was cancelled may still be at it
            paths = self._paths(study, results, options)
        yield Transfer(0, len(paths))
        yield from archive.send(peer, paths, secret=secret)
        self.clear()

    def _paths(
        self, study: IvoctStudy, results: Results, options: ResultOptions
    ) -> tuple[Path, ...]:
        if self._written is not None and self._written[0] is study and self._written[1] == options:
            return self._written[2]
        self.clear()
        keeping = ExitStack()
        folder = keeping.enter_context(scratch_folder())
        # The end of the program, or of this outbox, removes what never arrived.
        self._remove = weakref.finalize(self, keeping.close)
        paths = write_results(study, results, options, folder / "results")
        self._written = study, options, paths
        return paths

    def clear(self) -> None:
        """Remove what waits to be sent again."""
        if self._remove is not None:
            self._remove()
        self._remove = self._written = None
