"""Queries and answers as DICOM says them."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from calcviewer.core.errors import CalcViewerError
from calcviewer.dicom.network.matches import series_records, study_keys, study_records
from calcviewer.dicom.network.query import StudyQuery
from calcviewer.dicom.values import tolerant

DAY, LATER = datetime.date(2025, 3, 1), datetime.date(2025, 3, 31)


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        (StudyQuery(), {}),
        (StudyQuery(patient_name="Quill"), {"PatientName": "Quill*"}),
        (StudyQuery(patient_name=" Quill , Mari"), {"PatientName": "Quill^Mari*"}),
        (StudyQuery(patient_name="*feather"), {"PatientName": "*feather"}),
        (StudyQuery(patient_name="Qu?ll"), {"PatientName": "Qu?ll"}),
        (StudyQuery(patient_id=" 12 "), {"PatientID": "12"}),
        (StudyQuery(modality="ivoct"), {"ModalitiesInStudy": "IVOCT"}),
        (StudyQuery(first_date=DAY), {"StudyDate": "20250301-"}),
        (StudyQuery(last_date=DAY), {"StudyDate": "-20250301"}),
        (StudyQuery(first_date=DAY, last_date=LATER), {"StudyDate": "20250301-20250331"}),
        (StudyQuery(first_date=DAY, last_date=DAY), {"StudyDate": "20250301"}),
        (StudyQuery(study_uid="1.2"), {"StudyInstanceUID": "1.2"}),
    ],
)
def test_what_is_asked(query: StudyQuery, keys: dict[str, str]) -> None:
    assert study_keys(query) == keys


@pytest.mark.parametrize(
    "query",
    [
        StudyQuery(first_date=LATER, last_date=DAY),
        StudyQuery(patient_id="a\\b"),
        StudyQuery(patient_id="x" * 65),
        StudyQuery(patient_name="a\nb"),
    ],
)
def test_what_cannot_be_asked(query: StudyQuery) -> None:
    with pytest.raises(CalcViewerError) as failure:
        study_keys(query)
    assert failure.value.hint


def test_what_is_answered() -> None:
    match = Dataset()
    match.StudyInstanceUID, match.PatientName, match.PatientID = "1.2", "Quill^Mari", "7"
    match.StudyDate, match.StudyTime = "20250301", "083015.25"
    match.ModalitiesInStudy = ["IVOCT", "XA"]
    match.NumberOfStudyRelatedInstances = "3"
    (study,) = study_records([match, Dataset()])
    assert (study.study_uid, study.patient_name, study.patient_id) == ("1.2", "Quill^Mari", "7")
    assert (study.date, study.time) == (DAY, datetime.time(8, 30, 15))
    assert (study.modalities, study.instance_count) == (("IVOCT", "XA"), 3)
    match.ModalitiesInStudy = "IVOCT"
    assert study_records([match])[0].modalities == ("IVOCT",)
    match.SeriesInstanceUID, match.SeriesNumber, match.Modality = "1.3", "4", "IVOCT"
    (series,) = series_records([match, Dataset()], "1.2")
    assert (series.series_uid, series.number, series.modality) == ("1.3", 4, "IVOCT")


@given(date=st.text(max_size=12), time=st.text(max_size=12), count=st.text(max_size=6))
def test_odd_answers_are_no_failure(date: str, time: str, count: str) -> None:
    match = Dataset()
    with tolerant():
        match.StudyInstanceUID = "1.2"
        match.add_new("StudyDate", "LO", date)
        match.add_new("StudyTime", "LO", time)
        match.add_new("NumberOfStudyRelatedInstances", "LO", count)
        (study,) = study_records([match])
    assert study.date is None or study.date.strftime("%Y%m%d") == date.strip()
