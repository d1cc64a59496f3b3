"""Which files of the operator's choice can be sent to an archive."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from calcviewer.core.errors import CalcViewerError, UnreadableInputError
from calcviewer.dicom.header import is_dicom


def dicom_files(chosen: Iterable[Path]) -> tuple[Path, ...]:
    """Return the chosen files, and of chosen folders the DICOM files at any depth, each once.

    Raises
    ------
    CalcViewerError
        When one does not exist, a file is no DICOM file, or there is nothing left.
    """
    found: dict[Path, None] = {}
    for path in chosen:
        if path.is_dir():
            found |= dict.fromkeys(sorted(_within(path)))
        elif not path.is_file():
            raise CalcViewerError(f"{path} is not there.", "Check the path.")
        elif not is_dicom(path):
            raise UnreadableInputError(f"{path} is no DICOM file.", "Choose DICOM files (.dcm).")
        else:
            found[path] = None
    if not found:
        raise CalcViewerError("There is no DICOM file to send.", "Choose DICOM files (.dcm).")
    return tuple(found)


def _within(folder: Path) -> Iterable[Path]:
    for path in folder.rglob("*"):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.is_file() and not hidden and is_dicom(path):
            yield path
