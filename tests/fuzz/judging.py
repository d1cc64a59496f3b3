"""Judges how a reader takes an input: a result or a `CalcViewerError`, in time and memory."""

from __future__ import annotations

import logging
import os
import resource
import signal
import tempfile
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import FrameType

from calcviewer.core.errors import CalcViewerError

TIME_LIMIT_S = 5
"""Processor time, so that a busy machine makes no findings."""
MEMORY_LIMIT_BYTES = 1 << 30
_KILL_S, _STALL_S = 10, 120
_OWN_FOLDERS = ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME")
_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


class Verdict(Enum):
    """What became of an input; the last three are findings."""

    READ = "read"
    REFUSED = "refused"
    CRASH = "crash"
    HANG = "hang"
    MEMORY = "memory"


FINDINGS = frozenset({Verdict.CRASH, Verdict.HANG, Verdict.MEMORY})


@dataclass(frozen=True)
class Outcome:
    """A verdict with what the reader said, and for a finding where in the program."""

    verdict: Verdict
    said: str = ""
    where: str = ""

    @property
    def is_finding(self) -> bool:
        """Whether the reader must not behave so."""
        return self.verdict in FINDINGS


class _OutOfTimeError(BaseException):
    """Passes through readers that turn every exception into a message."""


def judge(read: Callable[[Path], object], path: Path) -> Outcome:
    """Let a reader read a file, within `limits`."""
    before = _peak_bytes(reset=True)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            outcome = _tried(read, path)
    except _OutOfTimeError as error:
        return Outcome(Verdict.HANG, f"more than {TIME_LIMIT_S} s", _place(error))
    grown = _peak_bytes() - before
    if not outcome.is_finding and grown > MEMORY_LIMIT_BYTES:
        return Outcome(Verdict.MEMORY, f"{grown >> 20} MB", outcome.said)
    return outcome


def _tried(read: Callable[[Path], object], path: Path) -> Outcome:
    _start_clock()
    try:
        read(path)
    except CalcViewerError as error:
        if any(isinstance(one, MemoryError) for one in _chain(error)):
            return Outcome(Verdict.MEMORY, str(error), _place(error))
        return Outcome(Verdict.REFUSED, str(error))
    except MemoryError as error:
        return Outcome(Verdict.MEMORY, str(error), _place(error))
    except (_OutOfTimeError, KeyboardInterrupt):
        raise
    except BaseException as error:
        return Outcome(Verdict.CRASH, f"{type(error).__name__}: {str(error)[:300]}", _place(error))
    finally:
        _stop_clock()
    return Outcome(Verdict.READ)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and those it was made of: a reader may give memory errors a friendly name."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__


def _place(error: BaseException) -> str:
    """Return the innermost lines of the program that an error came through."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [one for one in frames if "/calcviewer/" in one.filename] or list(frames)
    parts = [f"{one.filename.split('/calcviewer/')[-1]}:{one.lineno}" for one in own[-2:]]
    last = frames[-1]
    if last is not own[-1]:
        parts.append(f"{last.filename.split('site-packages/')[-1]}:{last.lineno}")
    return " < ".join(reversed(parts))


# --- limits --------------------------------------------------------------------------------------


@contextmanager
def limits() -> Iterator[None]:
    """Limit time and memory of every `judge` within: 1 GB more than there is now.

    A reader that hangs outside Python is ended by the system, with its process.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    old = signal.signal(signal.SIGVTALRM, _time_is_up)
    resource.setrlimit(resource.RLIMIT_AS, (_size_bytes() + MEMORY_LIMIT_BYTES, hard))
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
        signal.signal(signal.SIGVTALRM, old)


def _time_is_up(_signal: int, _frame: FrameType | None) -> None:
    raise _OutOfTimeError


def _start_clock() -> None:
    signal.setitimer(signal.ITIMER_VIRTUAL, TIME_LIMIT_S)
    signal.setitimer(signal.ITIMER_PROF, _KILL_S)
    signal.setitimer(signal.ITIMER_REAL, _STALL_S)


def _stop_clock() -> None:
    for timer in (signal.ITIMER_VIRTUAL, signal.ITIMER_PROF, signal.ITIMER_REAL):
        signal.setitimer(timer, 0)


def _size_bytes() -> int:
    return _status("VmSize:")


def _peak_bytes(*, reset: bool = False) -> int:
    """Return the most memory used since the last reset."""
    if reset:
        _CLEAR.write_text("5")
    return _status("VmHWM:")


def _status(name: str) -> int:
    lines = _STATUS.read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith(name))


@contextmanager
def workplace() -> Iterator[Path]:
    """Yield a folder in memory, where there is one: inputs are written by the thousand.

    The operator's own settings, reviews and caches stay out of reach meanwhile.
    """
    fast = Path("/dev/shm")
    parent = str(fast) if fast.is_dir() else None
    known = {name: os.environ.get(name) for name in _OWN_FOLDERS}
    with tempfile.TemporaryDirectory(prefix="calcviewer-fuzz-", dir=parent) as folder:
        os.environ.update({name: f"{folder}/home" for name in _OWN_FOLDERS})
        try:
            yield Path(folder)
        finally:
            for name, value in known.items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})
