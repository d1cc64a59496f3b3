"""Questions to an archive over DICOM's own protocol: C-ECHO and C-FIND (PS3.4 A and C)."""

from __future__ import annotations

import time
from collections.abc import Iterator

from pydicom.dataset import Dataset
from pynetdicom import build_context
from pynetdicom.association import Association

from calcviewer.core.errors import CalcViewerError
from calcviewer.dicom.network.association import associated
from calcviewer.dicom.network.contexts import STUDY_ROOT_FIND, VERIFICATION
from calcviewer.dicom.network.faults import broken, silent, unknown_study
from calcviewer.dicom.network.matches import (
    INSTANCE_FIELDS,
    SERIES_FIELDS,
    STUDY_FIELDS,
    series_records,
    study_keys,
    study_records,
    too_many,
)
from calcviewer.dicom.network.peer import DimsePeer
from calcviewer.dicom.network.query import MOST_MATCHES, SeriesRecord, StudyQuery, StudyRecord
from calcviewer.dicom.network.status import pending, refusal_of, succeeded
from calcviewer.dicom.values import text, tolerant

_MOST_SERIES = 64
_MOST_INSTANCES = 100_000


def echo(peer: DimsePeer, *, secret: str | None) -> None:
    """See `archive.echo`."""
    with associated(peer, [build_context(VERIFICATION)], secret=secret) as association:
        began = time.monotonic()
        status = association.send_c_echo()
        if "Status" not in status:
            raise _broken(peer, began)
        if not succeeded(status):
            raise refusal_of(peer.place, status)


def find_studies(
    peer: DimsePeer, query: StudyQuery, *, secret: str | None
) -> tuple[StudyRecord, ...]:
    """See `archive.find_studies`."""
    with (
        associated(peer, [build_context(STUDY_ROOT_FIND)], secret=secret) as association,
        tolerant(),
    ):
        asked = _identifier("STUDY", study_keys(query), STUDY_FIELDS)
        found = _matches(peer, association, asked, most=MOST_MATCHES)
        return study_records(found)


def find_series(peer: DimsePeer, study_uid: str, *, secret: str | None) -> tuple[SeriesRecord, ...]:
    """See `archive.find_series`."""
    with associated(peer, [build_context(STUDY_ROOT_FIND)], secret=secret) as association:
        return _series(peer, association, study_uid)


def classes_in(
    peer: DimsePeer, study_uid: str, *, series_uid: str | None, secret: str | None
) -> tuple[str, ...]:
    """Return the SOP classes in a study, or in one series of it, as far as the peer says.

    Raises
    ------
    CalcViewerError
        Also when the peer knows no such study or series.
    """
    with (
        associated(peer, [build_context(STUDY_ROOT_FIND)], secret=secret) as association,
        tolerant(),
    ):
        known = [one.series_uid for one in _series(peer, association, study_uid)]
        wanted = known if series_uid is None else [one for one in known if one == series_uid]
        if not wanted:
            raise unknown_study(peer.place)
        classes: dict[str, None] = {}
        for uid in wanted[:_MOST_SERIES]:
            keys = {"StudyInstanceUID": study_uid, "SeriesInstanceUID": uid}
            asked = _identifier("IMAGE", keys, INSTANCE_FIELDS)
            for one in _matches(peer, association, asked, most=_MOST_INSTANCES):
                classes[text(one, "SOPClassUID")] = None
    return tuple(one for one in classes if one)


def _series(peer: DimsePeer, association: Association, study_uid: str) -> tuple[SeriesRecord, ...]:
    asked = _identifier("SERIES", {"StudyInstanceUID": study_uid}, SERIES_FIELDS)
    with tolerant():
        found = _matches(peer, association, asked, most=MOST_MATCHES)
        return series_records(found, study_uid)


def _identifier(level: str, keys: dict[str, str], fields: tuple[str, ...]) -> Dataset:
    asked = Dataset()
    if not all(value.isascii() for value in keys.values()):
        asked.SpecificCharacterSet = "ISO_IR 192"
    asked.QueryRetrieveLevel = level
    for name in fields:
        setattr(asked, name, None)
    for name, value in keys.items():
        setattr(asked, name, value)
    return asked


def _matches(
    peer: DimsePeer, association: Association, asked: Dataset, *, most: int
) -> Iterator[Dataset]:
    began, count = time.monotonic(), 0
    for status, match in association.send_c_find(asked, STUDY_ROOT_FIND):
        if "Status" not in status:
            raise _broken(peer, began)
        if pending(status):
            if match is None:
                raise CalcViewerError(
                    f"{peer.place} sent an answer that cannot be read.", "Its log may say more."
                )
            began, count = time.monotonic(), count + 1
            if count > most:
                raise too_many(peer.place)
            yield match
        elif not succeeded(status):
            raise refusal_of(peer.place, status)


def _broken(peer: DimsePeer, began: float) -> CalcViewerError:
    if time.monotonic() - began >= peer.timeouts.answer_s:
        return silent(peer.place, peer.timeouts.answer_s)
    return broken(peer.place)
