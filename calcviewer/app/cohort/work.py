"""What is done to one pullback of a cohort, in whatever process or on whatever machine."""

from __future__ import annotations

import errno
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from calcviewer.app.cohort.finished import (
    MARK_FILE,
    discard_unfinished,
    is_of_source,
    read_finished,
    source_of,
    stamp_of,
    summarise,
    write_finished,
)
from calcviewer.app.cohort.found import Member
from calcviewer.app.cohort.order import CohortOptions, Settings
from calcviewer.app.failures import report_failure
from calcviewer.app.review_store.lock import Holder, take_lock
from calcviewer.app.workflows import Progress, analyze
from calcviewer.core.errors import CalcViewerError
from calcviewer.modalities.ivoct.read_files import check_file

_LONGEST_WAIT_S = 600.0
_LOOK_AGAIN_S = 0.2
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}


@dataclass(frozen=True, kw_only=True)
class Work:
    """What is the same for all pullbacks of a cohort.

    Parameters
    ----------
    folder
        The cohort's, absolute.
    settings
        The mark of the settings in force where the cohort was started.
    """

    folder: Path
    options: CohortOptions
    settings: str

    def with_threads(self, threads: int) -> Work:
        """Return the same work on so many threads a pullback."""
        segment = replace(self.options.segment, threads=threads)
        return replace(self, options=replace(self.options, segment=segment))


@dataclass(frozen=True)
class Step:
    """What happened to a pullback: so many of its frames are done, of so many wanted."""

    member: Member
    done: int = 0
    wanted: int = 0


@dataclass(frozen=True)
class Ended:
    """A pullback is finished, or it failed.

    Parameters
    ----------
    failure
        The reason in words; empty when it is finished.
    hopeless
        Whether the others would fail as well: nothing can be written there.
    """

    member: Member
    failure: str = ""
    hopeless: bool = False


def attempt(member: Member, work: Work, progress: Progress | None = None) -> Ended:
    """Analyse a pullback; whatever goes wrong is its own failure."""
    try:
        finish(member, work, progress)
    except Exception as error:
        words = report_failure(error).replace(str(member.path), member.name)
        return Ended(member, words, hopeless=_is_without_room(error))
    return Ended(member)


def finish(member: Member, work: Work, progress: Progress | None = None) -> None:
    """Analyse a pullback into its folder and mark it as finished, unless it is.

    Raises
    ------
    CalcViewerError
        As `analyze`; also when this computer's program or model is another one than where the
        cohort was started, or the source changes meanwhile.
    """
    if Settings.of(work.options).mark != work.settings:
        raise CalcViewerError(
            "The program or the model here is another one than where the cohort was started.",
            "Install the same version of CalcViewer everywhere.",
        )
    target = work.folder / member.name
    with _locked(_lock_path(member, work), member):
        finished = read_finished(target, work.settings)
        if finished is None or not is_of_source(finished, member.path):
            (target / MARK_FILE).unlink(missing_ok=True)
            discard_unfinished(target)
            _analyse(member, target, work, progress)


def clean_up(member: Member, work: Work) -> None:
    """Remove what is left of the work on a pullback whose process was ended."""
    discard_unfinished(work.folder / member.name)
    _lock_path(member, work).unlink(missing_ok=True)


def _lock_path(member: Member, work: Work) -> Path:
    return work.folder / f".{member.name}.lock"


def _analyse(member: Member, target: Path, work: Work, progress: Progress | None) -> None:
    begun = time.monotonic()
    check_file(member.path)
    source = source_of(member.path)
    analysis = analyze(
        member.path,
        target,
        read_options=work.options.read,
        segment_options=work.options.segment,
        page_size=work.options.page_size,
        progress=progress,
    )
    if stamp_of(member.path) != source.stamp:
        raise CalcViewerError(
            f"{member.path} was changed while it was analysed.",
            "Start the cohort again when it is complete.",
        )
    write_finished(
        target,
        settings=work.settings,
        source=source,
        seconds=round(time.monotonic() - begun, 2),
        summary=summarise(analysis),
    )


@contextmanager
def _locked(path: Path, member: Member) -> Iterator[None]:
    """Hold the lock of a pullback; wait for a process that a killed run left behind."""
    until = time.monotonic() + _LONGEST_WAIT_S
    while isinstance(lock := take_lock(path), Holder):
        if time.monotonic() > until:
            raise CalcViewerError(
                f"{member.name} is being analysed by process {lock.pid} on {lock.host}.",
                "Wait until it is done, or end it.",
            )
        time.sleep(_LOOK_AGAIN_S)
    try:
        yield
    finally:
        lock.release()


def _is_without_room(error: BaseException | None) -> bool:
    """Whether an error comes from a disk that is full, or that cannot be written to at all."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _NO_ROOM:
            return True
        error = error.__cause__ or error.__context__
    return False
