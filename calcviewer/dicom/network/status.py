"""What the status of a DICOM answer (PS3.7 Annex C, PS3.4 B.2.3 and C.4) means to people."""

from __future__ import annotations

from pydicom.dataset import Dataset
from pynetdicom.status import STATUS_PENDING, STATUS_SUCCESS, STATUS_WARNING, code_to_category

from calcviewer.core.errors import CalcViewerError

SUCCESS = 0x0000
OUT_OF_RESOURCES = 0xA700
UNREADABLE = 0xC000


class UndeliveredError(CalcViewerError):
    """The peer handed over some of the objects asked for, and said that it cannot the others."""


_MEANINGS = (
    (0x0122, 0x0122, "it does not take this kind of object", "Ask who runs it to allow the kind."),
    (0x0124, 0x0124, "we are not authorised", "Ask who runs it to allow our AE title."),
    (0x0211, 0x0211, "it does not know the operation", "Use DICOMweb, or another archive."),
    (
        0xA700,
        0xA7FF,
        "it is out of resources",
        "Its storage may be full, or too much was asked for; make room or ask for less, try again.",
    ),
    (
        0xA801,
        0xA801,
        "it does not know where to send the objects",
        "Have our receiver's AE title, address and port entered there.",
    ),
    (0xA900, 0xA9FF, "the data do not match what was announced", "Check the file or the query."),
    (0xC000, 0xCFFF, "it cannot understand or process the request", "Its log says more."),
    (0xFE00, 0xFE00, "it was cancelled there", "Try again."),
)


def succeeded(status: Dataset) -> bool:
    """Whether an answer says that all went well, or well enough (a warning)."""
    return _category(status) in (str(STATUS_SUCCESS), str(STATUS_WARNING))


def pending(status: Dataset) -> bool:
    """Whether more answers follow."""
    return _category(status) == str(STATUS_PENDING)


def refusal(place: str, code: int, comment: str = "") -> CalcViewerError:
    """Return the error for a failure status, with the peer's own comment where it made one."""
    said = f' It says: "{comment.strip()}".' if comment.strip() else ""
    for first, last, reason, hint in _MEANINGS:
        if first <= code <= last:
            return CalcViewerError(f"{place} refused: {reason} (status {code:04X}).{said}", hint)
    return CalcViewerError(f"{place} refused with status {code:04X}.{said}", "Its log says more.")


def refusal_of(place: str, status: Dataset) -> CalcViewerError:
    """Return the error for the failure status of an answer."""
    return refusal(place, int(status.Status), str(status.get("ErrorComment", "")))


def _category(status: Dataset) -> str:
    """Return what kind of status it is; empty where the peer did not answer."""
    return str(code_to_category(status.Status)) if "Status" in status else ""
