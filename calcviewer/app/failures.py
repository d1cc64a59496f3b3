"""What is said about a failure: the reason where it was expected, else how to report it."""

from __future__ import annotations

from calcviewer.app.program_log import log_failure
from calcviewer.core.errors import CalcViewerError

_BUG = "An internal error occurred"


def report_failure(error: Exception) -> str:
    """Return one line that says what happened and what to do.

    An unexpected error is a bug: the log says where it arose. Its message is said here alone, for
    it can name a patient.
    """
    if isinstance(error, CalcViewerError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        place = f" {error.filename}:" if error.filename else ""
        return f"The system refused a file operation:{place} {error.strerror}."
    log_failure(error)
    reason = f"{type(error).__name__}: {error}".splitlines()[0]
    return (
        f"{_BUG} ({reason}). A problem report (in the menu Help, or `calcviewer report-problem`) "
        "collects what the developers need, without patient data."
    )


def is_bug(reason: str) -> bool:
    """Whether a line of `report_failure` is about an error nobody expected."""
    return reason.startswith(_BUG)
