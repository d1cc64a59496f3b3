"""The query is what the form says."""

from __future__ import annotations

from datetime import date

import pytest
from PySide6.QtCore import QDate, Qt
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from calcviewer.dicom.network.query import StudyQuery
from calcviewer.gui.pacs.query_form import QueryForm
from calcviewer.gui.theme import HIT_PX

TODAY = date(2026, 3, 2)


@pytest.fixture
def form(qtbot: QtBot) -> QueryForm:
    made = QueryForm(today=lambda: TODAY)
    qtbot.addWidget(made)
    made.show()
    return made


def choose(form: QueryForm, key: str) -> None:
    form.when.setCurrentIndex(form.when.findData(key))


@pytest.mark.parametrize(
    ("key", "first", "last"),
    [
        ("today", TODAY, TODAY),
        ("7 days", date(2026, 2, 24), TODAY),
        ("30 days", date(2026, 2, 1), TODAY),
        ("any", None, None),
        ("range", date(2025, 12, 30), date(2026, 1, 4)),
    ],
)
def test_dates(form: QueryForm, key: str, first: date | None, last: date | None) -> None:
    choose(form, key)
    if key == "range":
        assert form.first.isVisible()
        form.first.setDate(QDate(2025, 12, 30))
        form.last.setDate(QDate(2026, 1, 4))
    else:
        assert not form.first.isVisible()
    assert (form.query.first_date, form.query.last_date) == (first, last)


def test_a_range_never_ends_before_it_begins(form: QueryForm) -> None:
    choose(form, "range")
    form.last.setDate(QDate(2026, 1, 1))
    form.first.setDate(QDate(2026, 1, 9))
    assert form.query.last_date == date(2026, 1, 9)


def test_days_are_counted_from_the_day_of_the_search(qtbot: QtBot) -> None:
    days = [TODAY]
    form = QueryForm(today=lambda: days[0])
    qtbot.addWidget(form)
    days[0] = date(2026, 3, 3)
    assert form.query.first_date == date(2026, 3, 3)


def test_enter_searches_for_what_was_typed(form: QueryForm, qtbot: QtBot) -> None:
    asked: list[StudyQuery] = []
    form.asked.connect(asked.append)
    qtbot.keyClicks(form.patient_name, " Doe ")
    qtbot.keyClicks(form.patient_id, "MRN-1")
    form.modality.setCurrentIndex(form.modality.findData("IVOCT"))
    choose(form, "any")
    qtbot.keyClick(form.patient_id, Qt.Key.Key_Return)
    assert asked == [StudyQuery(patient_name="Doe", patient_id="MRN-1", modality="IVOCT")]
    qtbot.mouseClick(form.clear, Qt.MouseButton.LeftButton)
    assert form.query == StudyQuery(first_date=TODAY, last_date=TODAY)
    assert len(asked) == 1


def test_everything_is_large_enough_to_hit(form: QueryForm) -> None:
    choose(form, "range")
    fields: tuple[QWidget, ...] = (
        form.patient_name,
        form.patient_id,
        form.when,
        form.first,
        form.last,
        form.modality,
        form.search,
        form.clear,
    )
    assert [type(one).__name__ for one in fields if one.height() < HIT_PX] == []
