"""The whole way in the real window: look for a pullback, retrieve it, open it, send its results."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from pydicom import dcmread
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QDialog, QPushButton
from pytestqt.qtbot import QtBot

from calcviewer.app.pacs.peers import keep_secret, save_peer
from calcviewer.app.pacs.retrieved import retrieved_folder
from calcviewer.app.settings import Settings
from calcviewer.dicom.network import archive as verbs
from calcviewer.dicom.network.peer import Peer
from calcviewer.dicom.network.query import StudyQuery
from calcviewer.gui.main_window import MainWindow
from calcviewer.gui.pacs.window import PacsWindow
from calcviewer.gui.theme import HIT_PX
from tests.dicom.network.scps import FakeArchive, cutting_after, dimse_peer, serving
from tests.gui.pacs.conftest import FakeArchive as Verbs
from tests.gui.pacs.test_receive import free_port
from tests.gui.stored_studies import PhantomSegmenter
from tests.orthanc import PASSWORD, Orthanc, running_orthanc
from tests.patience import PATIENCE_S
from tests.result_studies import NAME, processing_pullback

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture(scope="module")
def orthanc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    with running_orthanc(tmp_path_factory.mktemp("orthanc")) as running:
        yield running


@pytest.fixture
def pullback(tmp_path: Path) -> Path:
    """Return a pullback of today."""
    path = processing_pullback(tmp_path, 6).source.path
    dataset = dcmread(path)
    dataset.StudyDate = date.today().strftime("%Y%m%d")
    dataset.save_as(path)
    return path


@pytest.fixture
def window(qtbot: QtBot, segmenter: PhantomSegmenter) -> Iterator[MainWindow]:
    made = MainWindow(Settings())
    with qtbot.waitActive(made):
        made.show()
        made.activateWindow()
    yield made
    made.close()
    assert made.desk.tasks.wait(PATIENCE_S)


def asked(window: MainWindow, qtbot: QtBot) -> PacsWindow:
    """Press PACS on the start page and wait for today's studies."""
    (button,) = [one for one in window.findChildren(QPushButton) if one.text() == "PACS…"]
    qtbot.mouseClick(button, LEFT)
    pacs = window.pacs.window
    qtbot.waitUntil(lambda: not pacs.worklist.search_row.running)
    return pacs


def retrieved(pacs: PacsWindow, window: MainWindow, qtbot: QtBot, name: str) -> Path:
    """Retrieve the study of a patient and wait until it is open."""
    page = pacs.worklist
    rows = [page.studies.texts(row)[0] for row in range(page.studies.row_count)]
    page.studies.selectRow(rows.index(name))
    qtbot.waitUntil(page.retrieve.isEnabled)
    qtbot.mouseClick(page.retrieve, LEFT)
    qtbot.waitUntil(lambda: window.desk.shown is not None)
    qtbot.waitUntil(lambda: not window.desk.segmentation.running)
    assert window.desk.shown is not None
    return window.desk.shown.session.study.pullback.source.path


@pytest.mark.slow
@pytest.mark.parametrize("way", ["dicom", "web"])
def test_a_pullback_comes_from_orthanc_and_its_results_go_there(
    orthanc: Orthanc,
    way: str,
    window: MainWindow,
    pullback: Path,
    qtbot: QtBot,
) -> None:
    peer: Peer = getattr(orthanc, way)
    secret = PASSWORD if peer.takes_secret else None
    save_peer(peer)
    if secret is not None:
        keep_secret(peer, secret)
    for _ in verbs.send(peer, [pullback], secret=secret):
        pass
    pacs = asked(window, qtbot)
    path = retrieved(pacs, window, qtbot, "Quillfeather, Marigold")
    assert retrieved_folder() in path.parents
    assert dcmread(path).PixelData == dcmread(pullback).PixelData
    assert not pacs.isVisible()  # the pullback is what is looked at now
    assert window.desk.settings.recent == (str(path),)

    window.actions_by_id["send"].trigger()
    assert pacs.isVisible()
    qtbot.mouseClick(pacs.send.send, LEFT)
    qtbot.waitUntil(lambda: not pacs.send.row.running)
    assert pacs.send.row.words.endswith(f": 3 objects are stored at {peer.name}.")
    uid = dcmread(pullback, stop_before_pixels=True).StudyInstanceUID
    (study,) = verbs.find_studies(peer, StudyQuery(study_uid=uid), secret=secret)
    assert (study.patient_name, study.instance_count) == (NAME, 4)
    assert set(study.modalities) == {"IVOCT", "SEG", "SR", "DOC"}


def test_a_transfer_that_breaks_off_leaves_nothing_and_is_tried_again(
    window: MainWindow, pullback: Path, qtbot: QtBot
) -> None:
    served = FakeArchive(files=[pullback])
    breaks = cutting_after(100_000, received=False, with_abort=True)
    served.extra_handlers = [breaks]
    with serving(served) as port:
        save_peer(dimse_peer(port))
        pacs = asked(window, qtbot)
        page = pacs.worklist
        qtbot.waitUntil(page.retrieve.isEnabled)
        qtbot.mouseClick(page.retrieve, LEFT)
        qtbot.waitUntil(lambda: not page.retrieve_row.running)
        assert "broke the connection off" in page.retrieve_row.words
        assert window.desk.shown is None
        assert [one for one in retrieved_folder().rglob("*") if one.is_file()] == []
    served.extra_handlers = []
    with serving(served) as port:
        save_peer(dimse_peer(port))
        pacs.read_peers()
        qtbot.waitUntil(page.retrieve.isEnabled)
        path = retrieved(pacs, window, qtbot, "Quillfeather, Marigold")
    assert dcmread(path).PixelData == dcmread(pullback).PixelData


def test_an_archive_that_only_sends_is_asked_through_the_receiver(
    window: MainWindow, pullback: Path, qtbot: QtBot
) -> None:
    served = FakeArchive(files=[pullback], offers_get=False)
    with serving(served) as port:
        save_peer(dimse_peer(port))
        pacs = asked(window, qtbot)
        qtbot.waitUntil(pacs.worklist.retrieve.isEnabled)
        qtbot.mouseClick(pacs.worklist.retrieve, LEFT)
        qtbot.waitUntil(lambda: not pacs.worklist.retrieve_row.running)
        assert "receiver" in pacs.worklist.retrieve_row.words  # says what to do
        page = pacs.receive
        page.port.setValue(free_port())
        served.destination = ("127.0.0.1", page.port.value())
        pacs.tabs.setCurrentWidget(page)
        qtbot.mouseClick(page.turn, LEFT)
        qtbot.waitUntil(lambda: page.receiver is not None)
        pacs.tabs.setCurrentWidget(pacs.worklist)
        path = retrieved(pacs, window, qtbot, "Quillfeather, Marigold")
        assert dcmread(path).PixelData == dcmread(pullback).PixelData
        assert page.table.row_count == 0  # it was asked for: it is no arrival


def test_the_window_blocks_nothing_and_stays_when_it_is_closed(
    window: MainWindow, qtbot: QtBot
) -> None:
    window.actions_by_id["worklist"].trigger()
    pacs = window.pacs.window
    assert not pacs.isModal()
    assert "No archive is set up" in pacs.worklist.states.message
    page = pacs.receive
    page.port.setValue(free_port())
    page.allowed.setText("PACS")
    pacs.tabs.setCurrentWidget(page)
    qtbot.mouseClick(page.turn, LEFT)
    qtbot.waitUntil(lambda: page.receiver is not None)
    assert window.desk.settings.receiver_port == page.port.value()
    assert window.desk.settings.receiver_senders == "PACS"
    pacs.close()
    window.actions_by_id["worklist"].trigger()
    assert window.pacs.window is pacs
    assert page.receiver is not None
    window.close()
    assert window.desk.tasks.wait(PATIENCE_S)  # and with the program the receiver ends


def test_a_retrieval_goes_on_behind_but_replaces_no_study_unasked(
    window: MainWindow, pullback: Path, archive: Verbs, qtbot: QtBot
) -> None:
    archive.files = {"1.2.3.2": [pullback]}
    archive.go_on.clear()
    save_peer(dimse_peer(free_port()))
    pacs = asked(window, qtbot)
    page = pacs.worklist
    qtbot.waitUntil(page.retrieve.isEnabled)
    qtbot.mouseClick(page.retrieve, LEFT)
    assert not pacs.peer_box.isEnabled()
    pacs.close()
    archive.go_on.set()
    qtbot.waitUntil(lambda: not page.retrieve_row.running)
    assert "open it from the PACS window" in window.status._message.whole
    assert window.desk.shown is None
    window.actions_by_id["worklist"].trigger()
    qtbot.mouseClick(page.choice.open_button, LEFT)
    qtbot.waitUntil(lambda: window.desk.shown is not None)


def test_closing_the_program_breaks_off_and_leaves_nothing(
    window: MainWindow, pullback: Path, archive: Verbs, qtbot: QtBot
) -> None:
    archive.files = {"1.2.3.2": [pullback]}
    archive.go_on.clear()
    save_peer(dimse_peer(free_port()))
    pacs = asked(window, qtbot)
    qtbot.waitUntil(pacs.worklist.retrieve.isEnabled)
    qtbot.mouseClick(pacs.worklist.retrieve, LEFT)
    qtbot.waitUntil(lambda: "MB" in pacs.worklist.retrieve_row.words)
    window.close()
    assert archive.closed.is_set()
    assert [one for one in retrieved_folder().rglob("*") if one.is_file()] == []


def test_archives_are_added_from_the_empty_window_and_asked_at_once(
    window: MainWindow, pullback: Path, qtbot: QtBot
) -> None:
    with serving(FakeArchive(files=[pullback])) as port:
        pacs = asked(window, qtbot)
        qtbot.mouseClick(pacs.worklist.states.button, LEFT)
        (dialog,) = [one for one in pacs.findChildren(QDialog) if one.isVisible()]
        assert not dialog.isModal()
        peer = dimse_peer(port)
        dialog.form.name.setText(peer.name)
        dialog.form.ae_title.setText(peer.ae_title)
        dialog.form.host.setText(peer.host)
        dialog.form.port.setValue(peer.port)
        qtbot.mouseClick(dialog.save, LEFT)
        qtbot.waitUntil(lambda: pacs.worklist.studies.row_count == 1)
        assert pacs.receive.allowed.text() == peer.ae_title
        qtbot.mouseClick(pacs.test, LEFT)
        qtbot.waitUntil(lambda: not pacs.test_row.running)
        assert pacs.test_row.words == "test is there and takes us."
        qtbot.waitUntil(pacs.worklist.retrieve.isEnabled)


def test_everything_to_click_is_large_enough_and_named(window: MainWindow, qtbot: QtBot) -> None:
    with serving(FakeArchive()) as port:
        save_peer(dimse_peer(port))
        pacs = asked(window, qtbot)
    for number in range(pacs.tabs.count()):
        pacs.tabs.setCurrentIndex(number)
        QApplication.sendPostedEvents()
        buttons = [one for one in pacs.findChildren(QAbstractButton) if one.isVisible()]
        small = [one.text() for one in buttons if one.text() and one.height() < HIT_PX]
        assert small == []
    assert pacs.minimumSizeHint().width() <= 1280
