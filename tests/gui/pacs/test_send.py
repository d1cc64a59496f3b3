"""Results sent to the archive from the window."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from types import MappingProxyType

import pytest
from pydicom import dcmread
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from calcviewer.core.errors import CalcViewerError
from calcviewer.core.study import Study
from calcviewer.gui.pacs.send import SendPage
from calcviewer.gui.shown import ShownStudy
from calcviewer.gui.tasks import Tasks
from tests.gui.pacs.conftest import PEER, FakeArchive
from tests.gui.studies import shown_of
from tests.lesion_studies import TWO_LESIONS, study_of
from tests.result_studies import NAME, processing_pullback, result_study

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def page(qtbot: QtBot, tasks: Tasks, archive: FakeArchive) -> Iterator[SendPage]:
    made = SendPage(tasks)
    qtbot.addWidget(made)
    made.resize(1000, 600)
    made.show()
    yield made
    archive.go_on.set()


@pytest.fixture
def shown(tmp_path: Path) -> ShownStudy:
    return shown_of(result_study(processing_pullback(tmp_path)))


def only(page: SendPage, *names: str) -> None:
    for name in ("seg", "sr", "pdf"):
        getattr(page, name).setChecked(name in names)


def sent(page: SendPage, qtbot: QtBot) -> str:
    qtbot.mouseClick(page.send, LEFT)
    qtbot.waitUntil(lambda: not page.row.running)
    return page.row.words


def test_without_an_archive_or_a_study_the_page_says_what_to_do(
    page: SendPage, shown: ShownStudy, qtbot: QtBot
) -> None:
    assert "No archive is set up" in page.states.message
    with qtbot.waitSignal(page.peers_asked):
        qtbot.mouseClick(page.states.button, LEFT)
    page.set_peer(PEER)
    assert "No study is open" in page.states.message
    page.set_study(shown)
    assert page.states.message == ""
    page.set_study(None)
    assert "No study is open" in page.states.message


def test_results_join_the_study_of_the_pullback(
    page: SendPage, shown: ShownStudy, archive: FakeArchive, qtbot: QtBot
) -> None:
    page.set_peer(PEER)
    page.set_study(shown)
    assert not page.deidentify.isChecked()
    assert sent(page, qtbot) == "Quillfeather: 3 objects are stored at Hospital."
    source = dcmread(shown.session.study.pullback.source.path, stop_before_pixels=True)
    objects = [dcmread(BytesIO(data)) for data in archive.sent_bytes]
    assert sorted(one.Modality for one in objects) == ["DOC", "SEG", "SR"]
    assert {one.StudyInstanceUID for one in objects} == {source.StudyInstanceUID}
    assert {str(one.PatientName) for one in objects} == {NAME}
    assert not [path for path in archive.sent if path.exists()]  # nothing stays on this computer


def test_de_identified_results_name_nobody(
    page: SendPage, shown: ShownStudy, archive: FakeArchive, qtbot: QtBot
) -> None:
    page.set_peer(PEER)
    page.set_study(shown)
    only(page, "sr")
    page.deidentify.setChecked(True)
    assert sent(page, qtbot) == "Quillfeather: 1 object is stored at Hospital."
    (data,) = archive.sent_bytes
    assert NAME.split("^")[0].encode() not in data


def test_another_study_is_not_de_identified_because_the_last_one_was(
    page: SendPage, shown: ShownStudy
) -> None:
    page.set_peer(PEER)
    page.set_study(shown)
    page.deidentify.setChecked(True)
    page.set_study(shown_of(shown.session.study))
    assert not page.deidentify.isChecked()


def test_nothing_chosen_is_nothing_to_send(page: SendPage, shown: ShownStudy) -> None:
    page.set_peer(PEER)
    page.set_study(shown)
    assert page.send.text() == "Send to Hospital"
    only(page)
    assert not page.send.isEnabled()


def test_what_is_missing_is_said_before_it_is_sent(page: SendPage, shown: ShownStudy) -> None:
    page.set_peer(PEER)
    page.set_study(shown)
    assert not page._warning.isVisible()
    study = shown.session.study
    few = MappingProxyType({0: study.predictions[0]})
    page.set_study(shown_of(Study(study.pullback, study.protocol, few, study.model)))
    assert f"1 of {len(TWO_LESIONS)} frames" in page._warning.text()
    page.set_study(shown_of(study_of(TWO_LESIONS)))  # from an array
    assert "name no patient" in page._warning.text()
    assert not page.deidentify.isVisible()


def test_a_failure_says_why_and_sending_again_works(
    page: SendPage, shown: ShownStudy, archive: FakeArchive, qtbot: QtBot
) -> None:
    page.set_peer(PEER)
    page.set_study(shown)
    only(page, "sr")
    archive.fault = CalcViewerError("Hospital broke off.", "Try again.")
    assert sent(page, qtbot) == "Hospital broke off. Try again."
    archive.fault = None
    assert sent(page, qtbot) == "Quillfeather: 1 object is stored at Hospital."


def test_sending_again_stores_no_twins(
    page: SendPage, shown: ShownStudy, archive: FakeArchive, qtbot: QtBot
) -> None:
    page.set_peer(PEER)
    page.set_study(shown)
    only(page, "seg", "sr")
    archive.breaks_after = 1
    assert "broke off" in sent(page, qtbot)
    archive.breaks_after = None
    assert sent(page, qtbot) == "Quillfeather: 2 objects are stored at Hospital."
    first, again, other = (dcmread(BytesIO(data)).SOPInstanceUID for data in archive.sent_bytes)
    assert first == again != other
    assert not [path for path in archive.sent if path.exists()]
    assert sent(page, qtbot) == "Quillfeather: 2 objects are stored at Hospital."
    assert dcmread(BytesIO(archive.sent_bytes[-1])).SOPInstanceUID != other  # sent anew on purpose


def test_what_never_arrived_does_not_stay(
    page: SendPage, shown: ShownStudy, archive: FakeArchive, qtbot: QtBot
) -> None:
    page.set_peer(PEER)
    page.set_study(shown)
    only(page, "sr")
    archive.breaks_after = 1
    sent(page, qtbot)
    (path,) = archive.sent
    assert path.exists()
    page.set_study(None)
    assert not path.exists()


def test_cancel_breaks_off(
    page: SendPage, shown: ShownStudy, archive: FakeArchive, qtbot: QtBot
) -> None:
    page.set_peer(PEER)
    page.set_study(shown)
    only(page, "sr")
    archive.go_on.clear()
    qtbot.mouseClick(page.send, LEFT)
    qtbot.waitUntil(lambda: "Sending" in page.row.words)
    assert not page.sr.isEnabled()
    qtbot.mouseClick(page.row.cancel_button, LEFT)
    assert page.row.words == "Cancelled; nothing was stored."
    qtbot.waitUntil(archive.closed.is_set)
    assert page.send.isEnabled()


def test_what_was_on_screen_at_the_click_is_what_is_sent(
    page: SendPage, shown: ShownStudy, archive: FakeArchive, qtbot: QtBot
) -> None:
    page.set_peer(PEER)
    page.set_study(shown)
    only(page, "sr")
    review = shown.session.study.review
    nothing = dict.fromkeys(range(len(TWO_LESIONS)), "poor clearance")
    qtbot.mouseClick(page.send, LEFT)
    shown.session.edit("exclude", replace(review, excluded=MappingProxyType(nothing)))
    qtbot.waitUntil(lambda: not page.row.running)
    sent(page, qtbot)
    with_lesions, without = archive.sent_bytes
    assert len(with_lesions) > 2 * len(without)


def test_opening_another_study_does_not_end_what_is_being_sent(
    page: SendPage, shown: ShownStudy, archive: FakeArchive, qtbot: QtBot
) -> None:
    page.set_peer(PEER)
    page.set_study(shown)
    only(page, "sr")
    archive.go_on.clear()
    qtbot.mouseClick(page.send, LEFT)
    qtbot.waitUntil(lambda: "Sending" in page.row.words)
    page.set_study(shown_of(study_of(TWO_LESIONS)))
    assert not page.send.isEnabled()
    archive.go_on.set()
    qtbot.waitUntil(lambda: not page.row.running)
    assert page.row.words == "Quillfeather: 1 object is stored at Hospital."  # and not phantom
    page.set_study(None)
    assert page.row.words == ""
