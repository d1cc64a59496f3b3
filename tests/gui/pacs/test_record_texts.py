"""Records in words."""

from __future__ import annotations

from datetime import date, time

import pytest

from calcviewer.dicom.network.query import SeriesRecord, StudyRecord
from calcviewer.gui.pacs.record_texts import person_text, series_row, study_row


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Doe^Jane", "Doe, Jane"),
        ("Doe^Jane^Mary Ann^Dr^MD", "Doe, Jane Mary Ann"),
        ("Doe", "Doe"),
        ("Doe^^^^", "Doe"),
        ("^Jane", "Jane"),
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", "Yamada, Tarou"),
        ("=山田^太郎", "山田, 太郎"),
        ("", ""),
        ("^^", ""),
    ],
)
def test_a_name_is_written_as_people_write_it(name: str, text: str) -> None:
    assert person_text(name) == text


def test_what_an_archive_did_not_say_is_not_made_up() -> None:
    assert study_row(StudyRecord(study_uid="1.2")) == ("—", "—", "—", "", "", "")
    assert series_row(SeriesRecord(study_uid="1.2", series_uid="1.2.3")) == ("", "", "", "")


def test_a_study_says_when_it_was() -> None:
    known = StudyRecord(
        study_uid="1.2", date=date(2026, 3, 2), time=time(9, 5, 59), modalities=("IVOCT", "XA")
    )
    assert study_row(known)[2:5] == ("2026-03-02 09:05", "", "IVOCT, XA")
    assert study_row(StudyRecord(study_uid="1.2", date=date(2026, 3, 2)))[2] == "2026-03-02"
