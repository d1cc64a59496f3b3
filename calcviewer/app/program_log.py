"""The program's log: one private file that holds nothing of a patient.

Patients are named by paths, by what files hold, and so by the messages of errors. So a record says
fixed words, counts and the names of types, and a traceback is the type of the error and the places
in the code: neither its message, nor values, nor source lines.
"""

from __future__ import annotations

import io
import logging
import os
import re
import sys
import sysconfig
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from logging.handlers import RotatingFileHandler
from pathlib import Path

import platformdirs

from calcviewer.core.private import private_folder, private_opener

_LARGEST_BYTES = 1_000_000
_MOST_CHAINED = 10
_PACKAGE = Path(__file__).parents[1]
# The standard library last: other libraries can lie inside its folder.
_LIBRARIES = [Path(sysconfig.get_path(one)) for one in ("purelib", "platlib", "stdlib")]
_WRITTEN = re.compile(
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} [A-Z]+ calcviewer[\w.]*: .*"  # a record
    r"|  [\w.]+|    \S+:\d+ \S+"  # the type of an error; a place in the code
    r"|  (?:Fatal|Windows|Thread|Current) [\w ,:-]+"  # of the fault handler
)
_LOGGER = logging.getLogger("calcviewer")
_LOG = logging.getLogger(__name__)


def log_path() -> Path:
    """Return the file the log is written to; an older part of it ends in ``.1``."""
    return Path(platformdirs.user_log_dir("calcviewer")) / "calcviewer.log"


def read_log() -> str:
    """Return the log, its older part first; lines that this program would not write are left out.

    So nothing leaves the machine that came into the file by another way.
    """
    lines = []
    for path in (log_path().with_name(f"{log_path().name}.1"), log_path()):
        with suppress(FileNotFoundError):
            lines += path.read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n".join(line for line in lines if _WRITTEN.fullmatch(line))


@contextmanager
def logging_to_file() -> Iterator[None]:
    """Write what happens to the log file, of bounded size; without one to standard error.

    Within a block of its own kind it changes nothing.
    """
    if any(isinstance(one.formatter, _Formatter) for one in _LOGGER.handlers):
        yield
        return
    handler = _handler()
    handler.setFormatter(_Formatter())
    _LOGGER.addHandler(handler)
    _LOGGER.setLevel(logging.INFO)
    try:
        yield
    finally:
        _LOGGER.removeHandler(handler)
        handler.close()


def log_failure(error: BaseException) -> None:
    """Write an error nobody expected to the log."""
    with logging_to_file():
        _LOG.error("an unexpected error", exc_info=error)


def log_thread_failure(args: threading.ExceptHookArgs) -> None:
    """Write what ended a thread to the log: a `threading.excepthook`."""
    if args.exc_value is not None:
        log_failure(args.exc_value)


def trace_of(error: BaseException) -> str:
    """Return the type of an error and where it arose, and the same of what led to it.

    Each place is a file of this program or of a library, from the package on, with line and
    function. All other files are "elsewhere".
    """
    lines: list[str] = []
    now: BaseException | None = error
    for _ in range(_MOST_CHAINED):
        if now is None:
            break
        lines.append(f"  {type(now).__module__}.{type(now).__qualname__}")
        lines += [
            f"    {code_place(frame.filename)}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(now.__traceback__)
        ]
        now = now.__cause__ or (None if now.__suppress_context__ else now.__context__)
    return "\n".join(lines)


def code_place(filename: str) -> str:
    """Return the file of a piece of code as the log may name it: never the folders above it."""
    path = Path(filename)
    if path.is_relative_to(_PACKAGE):
        return path.relative_to(_PACKAGE.parent).as_posix()
    for root in _LIBRARIES:
        if path.is_relative_to(root):
            return path.relative_to(root).as_posix()
    # The code of a packed program, and of the import system, lies in no folder.
    packed = hasattr(sys, "frozen") and not path.is_absolute()
    return filename if packed or filename.startswith("<frozen ") else "elsewhere"


class _Formatter(logging.Formatter):
    """Writes a record in one line, and below it where its error arose."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        record.message = record.getMessage()
        record.asctime = self.formatTime(record)
        line = self.formatMessage(record)
        error = record.exc_info[1] if record.exc_info else None
        return line if error is None else f"{line}\n{trace_of(error)}"


class _PrivateFile(RotatingFileHandler):
    def _open(self) -> io.TextIOWrapper:
        handle = private_opener(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        return open(handle, "a", encoding="utf-8")


def _handler() -> logging.Handler:
    path = log_path()
    try:
        private_folder(path.parent)
        return _PrivateFile(path, maxBytes=_LARGEST_BYTES, backupCount=1, encoding="utf-8")
    except OSError:
        return logging.StreamHandler()
