"""What is said about a failure: the reason where it was expected, else where the log lies."""

from __future__ import annotations

import logging
import traceback
from pathlib import Path

import platformdirs

from calcviewer.core.errors import CalcViewerError

_LOG = logging.getLogger(__name__)


def report_failure(error: Exception) -> str:
    """Return one line that says what happened and what to do.

    An unexpected error is a bug: its traceback goes to the log file, which the line names.
    """
    if isinstance(error, CalcViewerError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        place = f" {error.filename}:" if error.filename else ""
        return f"The system refused a file operation:{place} {error.strerror}."
    place = _write_log(error)
    reason = f"{type(error).__name__}: {error}".splitlines()[0]
    return f"An internal error occurred ({reason}). Please send {place} to the developers."


def _write_log(error: Exception) -> str:
    """Append the traceback to the log and return where it lies."""
    trace = "".join(traceback.format_exception(error))
    log = Path(platformdirs.user_log_dir("calcviewer")) / "calcviewer.log"
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a", encoding="utf-8") as stream:
            stream.write(trace + "\n")
    except OSError:
        _LOG.error("%s", trace)
        return "the output above"
    return str(log)
