"""Where studies from an archive are kept on this computer, and which pullbacks they hold."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import platformdirs

from calcviewer.core.errors import CalcViewerError, UnreadableInputError
from calcviewer.core.study import REVIEW_SUFFIX
from calcviewer.dicom.header import DicomHeader, is_dicom, read_header

_UID = re.compile(r"[0-9]+(\.[0-9]+)+")
_LONGEST_UID = 64
_NAME_CHARACTERS, _MARK_CHARACTERS = 60, 6


@dataclass(frozen=True, kw_only=True)
class RetrievedPullback:
    """A pullback among retrieved files.

    Parameters
    ----------
    path
        What `read_pullback` opens: a multi-frame file, or a folder of single frames.
    series_number
        As the archive gave it; None where it gave none.
    """

    path: Path
    modality: str
    description: str
    frame_count: int
    series_number: int | None = None


def retrieved_folder() -> Path:
    """Return the folder of all retrieved studies; it may not exist yet."""
    return Path(platformdirs.user_data_dir("calcviewer")) / "retrieved"


def series_folder(study_uid: str, series_uid: str) -> Path:
    """Return the folder of a retrieved series: the same at every retrieval, so reviews are found.

    Raises
    ------
    CalcViewerError
        When an archive's identifier is none by PS3.5 9.1: it could lead out of the folder.
    """
    for uid in (study_uid, series_uid):
        if len(uid) > _LONGEST_UID or not _UID.fullmatch(uid):
            raise CalcViewerError(
                "The archive names a study or series by an identifier that is none.",
                "Ask its administrator to check the study.",
            )
    return retrieved_folder() / study_uid / series_uid


def pullbacks_in(
    folder: Path, *, series_number: int | None = None
) -> tuple[RetrievedPullback, ...]:
    """Return the pullbacks of a folder that holds one series.

    Every multi-frame image of a modality that pullbacks come in is one; single frames are one
    together when there are several and nothing else. All other objects are passed over.
    """
    headers = list(_images(folder))
    series = [one for one in headers if one.pixels.frame_count > 1]
    if not series and len(headers) > 1:
        return (_pullback(folder, headers[0], len(headers), series_number),)
    return tuple(_pullback(one.path, one, one.pixels.frame_count, series_number) for one in series)


def name_pullbacks(
    folder: Path, *, series_number: int | None = None
) -> tuple[RetrievedPullback, ...]:
    """Give the files of a retrieved series that are pullbacks readable names, and return them.

    An archive's objects are called after their identifiers, which say nothing in a list of recent
    studies. The name holds date and description of the study, no patient, and is the same at every
    retrieval: the review that lies beside it is found again.
    """
    found = pullbacks_in(folder, series_number=series_number)
    # Retrieved a second time, the new file takes the place of the one that was named before.
    return tuple(dict.fromkeys(replace(one, path=_renamed(one.path)) for one in found))


def _renamed(path: Path) -> Path:
    if path.is_dir():
        return path
    header = read_header(path)
    what = header.printed.get("series_description", "") or header.modality
    text = f"{header.printed.get('study_date', '')} {what}"
    words = re.sub(r"[^\w.-]+", "-", text).strip("-.")[:_NAME_CHARACTERS]
    mark = hashlib.sha256(header.sop_instance_uid.encode()).hexdigest()[:_MARK_CHARACTERS]
    target = path.with_name(f"{words}-{mark}.dcm".lstrip("-"))
    path.replace(target)
    return target


def _images(folder: Path) -> Iterable[DicomHeader]:
    entries = sorted(folder.iterdir()) if folder.is_dir() else []
    for path in entries:
        if path.name.startswith(".") or REVIEW_SUFFIX in path.name or not path.is_file():
            continue
        try:
            if is_dicom(path):
                yield read_header(path)
        except UnreadableInputError:
            continue  # a report, an angiogram: no pullback


def _pullback(
    path: Path, header: DicomHeader, frames: int, series_number: int | None
) -> RetrievedPullback:
    return RetrievedPullback(
        path=path,
        modality=header.modality,
        description=header.printed.get("series_description", ""),
        frame_count=frames,
        series_number=series_number,
    )


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """An object in the receiver's inbox.

    Parameters
    ----------
    when
        When it arrived, local time.
    byte_count
        Size of its file.
    frame_count
        Frames of a pullback; 0 of an object that is none.
    """

    path: Path
    when: datetime
    byte_count: int
    patient_name: str = ""
    modality: str = ""
    description: str = ""
    frame_count: int = 0


def arrival(path: Path) -> Arrival:
    """Return what an object in the inbox is.

    Raises
    ------
    OSError
        When it is not there any more.
    """
    facts = path.stat()
    when, size = datetime.fromtimestamp(facts.st_mtime), facts.st_size
    try:
        header = read_header(path)
    except UnreadableInputError:
        return Arrival(path=path, when=when, byte_count=size)
    return Arrival(
        path=path,
        when=when,
        byte_count=size,
        patient_name=header.printed.get("patient_name", ""),
        modality=header.modality,
        description=header.printed.get("series_description", ""),
        frame_count=header.pixels.frame_count,
    )


def arrivals_in(folder: Path) -> Iterator[Arrival]:
    """Yield what lies in the inbox, the oldest first; none when there is no inbox yet."""
    if folder.is_dir():
        found = (path for path in folder.glob("*.dcm") if not path.name.startswith("."))
        yield from map(arrival, sorted(found, key=lambda path: path.stat().st_mtime))
