"""The errors a user can meet."""

from __future__ import annotations


class CalcViewerError(Exception):
    """An expected failure: what is wrong, and what to do about it.

    Parameters
    ----------
    message
        One sentence naming the file or value and the fault.
    hint
        What the user can do; empty when nothing useful can be said.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class UnreadableInputError(CalcViewerError):
    """A file or folder that cannot be read as what it should be."""


class CalibrationError(CalcViewerError):
    """A millimetre value was asked for and its calibration is missing or impossible."""
