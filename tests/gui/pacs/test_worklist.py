"""The worklist: every state it can be in, and the way out of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from calcviewer.app.pacs.retrieved import retrieved_folder
from calcviewer.core.errors import CalcViewerError
from calcviewer.dicom.network.query import SeriesRecord
from calcviewer.gui.pacs.worklist import WorklistPage
from calcviewer.gui.tasks import Tasks
from tests.gui.pacs.conftest import PEER, SERIES, STUDY, FakeArchive
from tests.result_studies import presentation_pullback, processing_pullback

LEFT = Qt.MouseButton.LeftButton
DOWN = CalcViewerError("Hospital cannot be reached.", "Check host and port.")


@pytest.fixture
def page(qtbot: QtBot, tasks: Tasks, archive: FakeArchive) -> Iterator[WorklistPage]:
    made = WorklistPage(tasks, lambda: None)
    qtbot.addWidget(made)
    made.resize(1000, 700)
    made.show()
    yield made
    archive.go_on.set()


@pytest.fixture
def found(page: WorklistPage, qtbot: QtBot) -> WorklistPage:
    """Return the page with the one study and its series on show."""
    page.set_peer(PEER)
    page.begin()
    qtbot.waitUntil(lambda: bool(page.wanted_series))
    return page


def texts(page: WorklistPage) -> list[tuple[str, ...]]:
    return [page.studies.texts(row) for row in range(page.studies.row_count)]


def idle(page: WorklistPage) -> Callable[[], bool]:
    return lambda: not (page.search_row.running or page.retrieve_row.running)


def test_without_an_archive_the_page_leads_to_adding_one(page: WorklistPage, qtbot: QtBot) -> None:
    assert "No archive is set up" in page.states.message
    assert not page.form.isEnabled()
    with qtbot.waitSignal(page.peers_asked):
        qtbot.mouseClick(page.states.button, LEFT)


def test_todays_studies_are_there_without_a_click(
    found: WorklistPage, archive: FakeArchive
) -> None:
    assert archive.asked[0].first_date == archive.asked[0].last_date is not None
    assert texts(found) == [
        ("Doe, Jane", "MRN-1", "2026-03-02 14:05", "PCI of the LAD", "IVOCT, XA", "3")
    ]
    found.begin()
    assert len(archive.asked) == 1  # coming back asks nothing


def test_nothing_found_offers_to_look_further(
    page: WorklistPage, archive: FakeArchive, qtbot: QtBot
) -> None:
    archive.studies = ()
    page.set_peer(PEER)
    page.begin()
    qtbot.waitUntil(lambda: "No study matches" in page.states.message)
    assert page.states.button.text() == "Search any date"
    qtbot.mouseClick(page.states.button, LEFT)
    qtbot.waitUntil(lambda: len(archive.asked) == 2)
    qtbot.waitUntil(idle(page))
    assert archive.asked[1].first_date is None
    assert not page.states.button.isVisible()


def test_a_failure_says_why_and_trying_again_works(
    page: WorklistPage, archive: FakeArchive, qtbot: QtBot
) -> None:
    archive.fault = DOWN
    page.set_peer(PEER)
    page.begin()
    qtbot.waitUntil(lambda: "Check host and port." in page.states.message)
    assert page.states.message.startswith("Hospital did not answer")
    archive.fault = None
    qtbot.mouseClick(page.states.button, LEFT)
    qtbot.waitUntil(lambda: page.studies.row_count == 1)
    assert page.states.message == ""


def test_a_failure_of_the_series_can_be_tried_again(
    page: WorklistPage, archive: FakeArchive, qtbot: QtBot
) -> None:
    archive.studies = (STUDY, replace(STUDY, study_uid="1.2.4"))
    page.set_peer(PEER)
    page.begin()
    qtbot.waitUntil(lambda: page.studies.row_count == 2)
    archive.fault = DOWN
    page.studies.selectRow(0)
    qtbot.waitUntil(lambda: "cannot be reached" in page.series_states.message)
    assert not page.retrieve.isEnabled()
    archive.fault = None
    qtbot.mouseClick(page.series_states.button, LEFT)
    qtbot.waitUntil(page.retrieve.isEnabled)


def test_the_one_pullback_of_a_study_is_chosen_by_itself(found: WorklistPage) -> None:
    assert [one.modality for one in found.wanted_series] == ["IVOCT"]
    found.series.selectRow(0)
    assert found.wanted_series == SERIES


def test_a_retrieved_pullback_opens_from_the_programs_own_folder(
    found: WorklistPage, archive: FakeArchive, qtbot: QtBot, tmp_path: Path
) -> None:
    source = processing_pullback(tmp_path, 3).source.path
    archive.files = {"1.2.3.2": [source]}
    with qtbot.waitSignal(found.pullback_chosen) as opened:
        qtbot.mouseClick(found.retrieve, LEFT)
    (path,) = opened.args
    assert path.parent == retrieved_folder() / "1.2.3" / "1.2.3.2"
    assert path.name.startswith("20240229-")
    assert path.read_bytes() == source.read_bytes()
    assert retrieved_folder().stat().st_mode & 0o077 == 0
    assert "Retrieved" in found.retrieve_row.words


def test_a_double_click_retrieves_as_soon_as_the_series_are_known(
    page: WorklistPage, archive: FakeArchive, qtbot: QtBot, tmp_path: Path
) -> None:
    archive.studies = (STUDY, replace(STUDY, study_uid="1.2.4"))
    archive.files = {"1.2.3.2": [processing_pullback(tmp_path, 3).source.path]}
    page.set_peer(PEER)
    page.begin()
    qtbot.waitUntil(lambda: page.studies.row_count == 2)
    page.studies.selectRow(0)
    with qtbot.waitSignal(page.pullback_chosen):
        page.studies.chosen.emit(0)


def test_of_several_pullbacks_one_is_picked(
    found: WorklistPage, archive: FakeArchive, qtbot: QtBot, tmp_path: Path
) -> None:
    first, second = processing_pullback(tmp_path, 3), presentation_pullback(tmp_path, 5)
    archive.files = {"1.2.3.1": [first.source.path], "1.2.3.2": [second.source.path]}
    found.series.selectRow(0)
    qtbot.mouseClick(found.retrieve, LEFT)
    qtbot.waitUntil(found.choice.isVisible)
    table = found.choice.table
    assert [table.texts(row)[3] for row in range(2)] == ["3", "5"]
    with qtbot.waitSignal(found.pullback_chosen) as opened:
        qtbot.mouseClick(found.choice.open_button, LEFT)  # the longest is selected
    assert opened.args[0].read_bytes() == second.source.path.read_bytes()
    with qtbot.waitSignal(found.pullback_chosen) as opened:
        found.choice.table.chosen.emit(0)
    assert opened.args[0].read_bytes() == first.source.path.read_bytes()


def test_a_series_without_a_pullback_is_said_to_have_none(
    found: WorklistPage, archive: FakeArchive, qtbot: QtBot, tmp_path: Path
) -> None:
    report = tmp_path / "report.dcm"
    report.write_bytes(b"\0" * 128 + b"DICM no image")
    archive.files = {"1.2.3.2": [report]}
    qtbot.mouseClick(found.retrieve, LEFT)
    qtbot.waitUntil(lambda: "Choose another series" in found.retrieve_row.words)
    assert found.retrieve.isEnabled()


def test_cancel_breaks_off_and_retrieving_again_works(
    found: WorklistPage, archive: FakeArchive, qtbot: QtBot, tmp_path: Path
) -> None:
    archive.files = {"1.2.3.2": [processing_pullback(tmp_path, 3).source.path]}
    archive.go_on.clear()
    opened: list[Path] = []
    found.pullback_chosen.connect(opened.append)
    qtbot.mouseClick(found.retrieve, LEFT)
    qtbot.waitUntil(lambda: "MB" in found.retrieve_row.words)
    assert not found.retrieve.isEnabled()
    qtbot.mouseClick(found.retrieve_row.cancel_button, LEFT)
    assert "Cancelled" in found.retrieve_row.words
    qtbot.waitUntil(archive.closed.is_set)
    assert not (retrieved_folder() / "1.2.3").exists()
    archive.go_on.set()
    qtbot.mouseClick(found.retrieve, LEFT)
    qtbot.waitUntil(lambda: len(opened) == 1)


def test_a_failed_retrieval_says_why(
    found: WorklistPage, archive: FakeArchive, qtbot: QtBot
) -> None:
    archive.fault = DOWN
    qtbot.mouseClick(found.retrieve, LEFT)
    qtbot.waitUntil(lambda: found.retrieve_row.words == str(DOWN))
    assert found.retrieve.isEnabled()


def test_identifiers_that_are_none_lead_nowhere(
    page: WorklistPage, archive: FakeArchive, qtbot: QtBot
) -> None:
    archive.series = (SeriesRecord(study_uid="1.2.3", series_uid="../../../evil"),)
    page.set_peer(PEER)
    page.begin()
    qtbot.waitUntil(page.retrieve.isEnabled)
    qtbot.mouseClick(page.retrieve, LEFT)
    qtbot.waitUntil(lambda: "an identifier that is none" in page.retrieve_row.words)


def test_nothing_of_one_archive_is_left_with_another(
    found: WorklistPage, archive: FakeArchive, qtbot: QtBot
) -> None:
    archive.go_on.clear()
    qtbot.mouseClick(found.retrieve, LEFT)
    found.set_peer(replace(PEER, name="Other"))
    assert found.studies.row_count == found.series.row_count == 0
    assert not found.retrieve.isEnabled()
    assert not found.retrieve_row.running
    qtbot.waitUntil(archive.closed.is_set)
    assert "Other" in found.states.message


def test_markup_in_a_name_stays_a_name(
    page: WorklistPage, archive: FakeArchive, qtbot: QtBot
) -> None:
    archive.studies = (replace(STUDY, patient_name="<h1>Doe</h1>"),)
    page.set_peer(PEER)
    page.begin()
    qtbot.waitUntil(lambda: bool(page.wanted_series))
    shown = [one for one in page.findChildren(QLabel) if "<h1>" in one.text()]
    assert shown
    assert all(one.textFormat() is Qt.TextFormat.PlainText for one in shown)
