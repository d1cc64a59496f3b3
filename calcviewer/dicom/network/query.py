"""What is asked of an archive, and what it answers: plain values."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path

MOST_MATCHES = 500
"""More studies than this are no answer: the query has to be narrowed."""


@dataclass(frozen=True, kw_only=True)
class StudyQuery:
    """Which studies are looked for; what is empty or None does not matter.

    Parameters
    ----------
    patient_name
        Beginning of the name, as archives keep it (``Family^Given``); ``*`` and ``?`` stand for
        any characters and for one.
    patient_id
        The whole number, or with ``*`` and ``?``.
    first_date, last_date
        Range of the study's date, both included.
    modality
        Of one of its series, e.g. IVOCT.
    study_uid
        Study Instance UID.
    """

    patient_name: str = ""
    patient_id: str = ""
    first_date: datetime.date | None = None
    last_date: datetime.date | None = None
    modality: str = ""
    study_uid: str = ""


@dataclass(frozen=True, kw_only=True)
class StudyRecord:
    """One study an archive knows; what it did not say is empty or None."""

    study_uid: str
    patient_name: str = ""
    patient_id: str = ""
    date: datetime.date | None = None
    time: datetime.time | None = None
    description: str = ""
    modalities: tuple[str, ...] = ()
    accession: str = ""
    instance_count: int | None = None


@dataclass(frozen=True, kw_only=True)
class SeriesRecord:
    """One series an archive knows; what it did not say is empty or None."""

    study_uid: str
    series_uid: str
    modality: str = ""
    number: int | None = None
    description: str = ""
    instance_count: int | None = None


@dataclass(frozen=True)
class Transfer:
    """How far a transfer is: yielded for every object, and a few times a second in between.

    Parameters
    ----------
    done, total
        Objects transferred, and to transfer as far as known.
    path
        The file just received or sent; None when none was finished since the last one.
    byte_count
        Bytes moved so far, for what lies within one object.
    """

    done: int
    total: int | None = None
    path: Path | None = None
    byte_count: int = 0
