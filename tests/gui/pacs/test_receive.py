"""The receiver in the window: off by default, checked, and what arrives can be opened."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from calcviewer.app.pacs.inbox import inbox_folder
from calcviewer.app.settings import Settings
from calcviewer.core.errors import CalcViewerError
from calcviewer.dicom.network import archive
from calcviewer.dicom.network.peer import DimsePeer, WebPeer
from calcviewer.gui.pacs.receive import ReceivePage
from calcviewer.gui.tasks import Tasks
from tests.gui.pacs.conftest import PEER
from tests.result_studies import processing_pullback

LEFT = Qt.MouseButton.LeftButton


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def page(qtbot: QtBot, tasks: Tasks) -> Iterator[ReceivePage]:
    made = ReceivePage(tasks, Settings())
    qtbot.addWidget(made)
    made.resize(1000, 600)
    made.port.setValue(free_port())
    made.allowed.setText("PACS")
    made.show()
    yield made
    made._ending.set()


def turn(page: ReceivePage, qtbot: QtBot, *, on: bool) -> None:
    qtbot.mouseClick(page.turn, LEFT)
    word = "On: " if on else "Off: "
    qtbot.waitUntil(lambda: page.state.text().startswith(word))


def send(page: ReceivePage, path: Path, *, calling: str = "PACS") -> None:
    """Send a file to the receiver as an archive would."""
    here = DimsePeer(
        name="here",
        ae_title="CALCVIEWER",
        host="127.0.0.1",
        port=page.port.value(),
        calling_ae_title=calling,
    )
    for _ in archive.send(here, [path]):
        pass


def test_it_is_off_until_it_is_turned_on(page: ReceivePage) -> None:
    assert page.state.text() == "Off: nothing listens."
    assert page.receiver is None
    assert page.host.currentData() == "127.0.0.1"
    assert "The inbox is empty" in page.states.message


def test_what_arrives_is_listed_and_opens(page: ReceivePage, qtbot: QtBot, tmp_path: Path) -> None:
    turn(page, qtbot, on=True)
    assert "takes objects from PACS" in page.state.text()
    assert not page.port.isEnabled()
    send(page, processing_pullback(tmp_path, 3).source.path)
    qtbot.waitUntil(lambda: page.table.row_count == 1)
    row = page.table.texts(0)
    assert row[1:3] == ("Quillfeather, Marigold", "IVOCT")
    assert row[4] == "3"
    page.table.selectRow(0)
    with qtbot.waitSignal(page.pullback_chosen) as chosen:
        qtbot.mouseClick(page.open_button, LEFT)
    assert chosen.args[0].parent == inbox_folder()
    turn(page, qtbot, on=False)
    assert not listens(page.port.value())
    turn(page, qtbot, on=True)  # at once, on the same port
    turn(page, qtbot, on=False)


def test_who_is_not_allowed_is_turned_away(page: ReceivePage, qtbot: QtBot, tmp_path: Path) -> None:
    path = processing_pullback(tmp_path, 3).source.path
    turn(page, qtbot, on=True)
    with pytest.raises(CalcViewerError):
        send(page, path, calling="STRANGER")
    assert not list(inbox_folder().glob("*"))
    send(page, path)  # the next one is let in, and is all that is listed
    qtbot.waitUntil(lambda: page.table.row_count > 0)
    assert page.table.row_count == 1


def test_a_port_in_use_is_said_and_it_stays_off(page: ReceivePage, qtbot: QtBot) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", page.port.value()))
        taken.listen()
        qtbot.mouseClick(page.turn, LEFT)
        qtbot.waitUntil(lambda: "cannot listen" in page.row.words)
    assert page.state.text() == "Off: nothing listens."
    assert page.port.isEnabled()
    turn(page, qtbot, on=True)  # the way out: try again


def test_nobody_allowed_is_said(page: ReceivePage, qtbot: QtBot) -> None:
    page.allowed.setText(" , ")
    qtbot.mouseClick(page.turn, LEFT)
    qtbot.waitUntil(lambda: "Nobody is allowed" in page.row.words)
    assert page.receiver is None


def test_the_network_is_warned_about(page: ReceivePage) -> None:
    assert not page._exposed.isVisible()
    page.host.setCurrentIndex(1)
    assert page._exposed.isVisible()


def test_archives_are_proposed_as_senders_but_never_over_what_was_typed(page: ReceivePage) -> None:
    web = WebPeer(name="Web", url="https://archive.example/dicom-web")
    page.set_peers([PEER])
    assert page.allowed.text() == "PACS"
    page.allowed.setText("CONSOLE")
    page.set_peers([PEER])
    assert page.allowed.text() == "CONSOLE"
    page.allowed.setText("")
    page.set_peers([PEER, web, DimsePeer(name="b", ae_title="B", host="b", port=1)])
    assert page.allowed.text() == "PACS, B"
    page.set_peers([PEER])  # one was removed: the proposal follows
    assert page.allowed.text() == "PACS"


def test_the_form_is_as_it_was_kept_and_the_receiver_off(
    page: ReceivePage, qtbot: QtBot, tasks: Tasks
) -> None:
    page.host.setCurrentIndex(1)
    page.ae_title.setText(" LAB ")
    page.allowed.setText("CONSOLE, PACS")
    kept = page.kept_in(Settings(layout=3))
    again = ReceivePage(tasks, kept)
    qtbot.addWidget(again)
    again.set_peers([PEER])
    assert kept.layout == 3
    assert again.host.currentData() == "0.0.0.0"
    assert again.port.value() == page.port.value()
    assert again.ae_title.text() == "LAB"
    assert again.allowed.text() == "CONSOLE, PACS"
    assert again.state.text() == "Off: nothing listens."


def test_a_proposed_sender_is_not_kept_as_one_that_was_named(
    page: ReceivePage, tasks: Tasks, qtbot: QtBot
) -> None:
    page.allowed.clear()
    page.set_peers([PEER])
    again = ReceivePage(tasks, page.kept_in(Settings()))
    qtbot.addWidget(again)
    again.set_peers([DimsePeer(name="b", ae_title="B", host="b", port=1)])
    assert again.allowed.text() == "B"


def test_what_lies_in_the_inbox_is_listed(page: ReceivePage, qtbot: QtBot, tmp_path: Path) -> None:
    inbox_folder().mkdir(parents=True)
    source = processing_pullback(tmp_path, 3).source.path
    (inbox_folder() / "1.2.3.dcm").write_bytes(source.read_bytes())
    (inbox_folder() / "1.2.4.dcm").write_bytes(b"\0" * 128 + b"DICM no image")
    page.list_inbox()
    qtbot.waitUntil(lambda: page.table.row_count == 2)
    assert "of 20 GB used" in page._used.text()
    kinds = [page.table.texts(row)[3] for row in range(2)]
    page.table.selectRow(kinds.index("No pullback"))
    assert not page.open_button.isEnabled()
