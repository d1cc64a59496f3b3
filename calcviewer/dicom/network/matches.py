"""Queries as DICOM attributes, and answers as records (PS3.4 C.6.2, PS3.18 10.6)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime, time

from pydicom.dataset import Dataset

from calcviewer.core.errors import CalcViewerError
from calcviewer.dicom.network.query import MOST_MATCHES, SeriesRecord, StudyQuery, StudyRecord
from calcviewer.dicom.values import number, text

STUDY_FIELDS = (
    "StudyInstanceUID",
    "PatientName",
    "PatientID",
    "StudyDate",
    "StudyTime",
    "StudyDescription",
    "AccessionNumber",
    "ModalitiesInStudy",
    "NumberOfStudyRelatedInstances",
)
SERIES_FIELDS = (
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "Modality",
    "SeriesNumber",
    "SeriesDescription",
    "NumberOfSeriesRelatedInstances",
)
INSTANCE_FIELDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID")


def study_keys(query: StudyQuery) -> dict[str, str]:
    """Return the attributes that must match, as a query has them."""
    keys = {
        "PatientName": _name(query.patient_name),
        "PatientID": query.patient_id.strip(),
        "StudyDate": _range(query.first_date, query.last_date),
        "ModalitiesInStudy": query.modality.strip().upper(),
        "StudyInstanceUID": query.study_uid.strip(),
    }
    for name, value in keys.items():
        if "\\" in value or len(value) > 64 or not value.isprintable():
            raise CalcViewerError(
                f"The query for {name} cannot be asked.", "Use at most 64 plain characters."
            )
    return {name: value for name, value in keys.items() if value}


def study_records(matches: Iterable[Dataset]) -> tuple[StudyRecord, ...]:
    """Return what answers say about studies; one that names none is passed over."""
    return tuple(
        StudyRecord(
            study_uid=text(match, "StudyInstanceUID"),
            patient_name=text(match, "PatientName"),
            patient_id=text(match, "PatientID"),
            date=_date(text(match, "StudyDate")),
            time=_time(text(match, "StudyTime")),
            description=text(match, "StudyDescription"),
            modalities=_several(match, "ModalitiesInStudy"),
            accession=text(match, "AccessionNumber"),
            instance_count=_count(match, "NumberOfStudyRelatedInstances"),
        )
        for match in matches
        if text(match, "StudyInstanceUID")
    )


def series_records(matches: Iterable[Dataset], study_uid: str) -> tuple[SeriesRecord, ...]:
    """Return what answers say about series of a study; one that names none is passed over."""
    return tuple(
        SeriesRecord(
            study_uid=study_uid,
            series_uid=text(match, "SeriesInstanceUID"),
            modality=text(match, "Modality"),
            number=_count(match, "SeriesNumber"),
            description=text(match, "SeriesDescription"),
            instance_count=_count(match, "NumberOfSeriesRelatedInstances"),
        )
        for match in matches
        if text(match, "SeriesInstanceUID")
    )


def too_many(place: str) -> CalcViewerError:
    """Return the error for a query with more matches than anybody reads."""
    return CalcViewerError(
        f"{place} found more than {MOST_MATCHES} matches.",
        "Narrow the query: a name, a number, or fewer days.",
    )


def _name(name: str) -> str:
    """Return a name as a query: what was typed is its beginning, unless it says otherwise."""
    typed = re.sub(r"\s*[,^]\s*", "^", name.strip())
    return typed if not typed or "*" in typed or "?" in typed else f"{typed}*"


def _range(first: date | None, last: date | None) -> str:
    """Return a range of dates (PS3.4 C.2.2.2.5)."""
    if first is not None and last is not None and first > last:
        raise CalcViewerError(
            "The first date of the query lies after its last.", "Exchange the two dates."
        )
    if first is None and last is None:
        return ""
    if first == last and first is not None:
        return f"{first:%Y%m%d}"
    start = "" if first is None else f"{first:%Y%m%d}"
    return f"{start}-" + ("" if last is None else f"{last:%Y%m%d}")


def _several(match: Dataset, name: str) -> tuple[str, ...]:
    values = text(match, name).strip("[]").replace("'", "")
    return tuple(one.strip() for one in re.split(r"[\\,]", values) if one.strip())


def _count(match: Dataset, name: str) -> int | None:
    value = number(match, name)
    return None if value is None else int(value)


def _date(value: str) -> date | None:
    try:
        return datetime.strptime(value, "%Y%m%d").date()
    except ValueError:
        return None


def _time(value: str) -> time | None:
    digits = value.split(".")[0].replace(":", "").ljust(6, "0")
    try:
        return datetime.strptime(digits, "%H%M%S").time()
    except ValueError:
        return None
