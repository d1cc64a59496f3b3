"""The archives: added, edited, tested, removed; the secret goes to the keyring alone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import keyring
import pytest
from keyring.backends.fail import Keyring as NoKeyring
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtWidgets import QAbstractButton, QLineEdit
from pytestqt.qtbot import QtBot

from calcviewer.app.pacs.peers import load_peers, peers_path, save_peer
from calcviewer.core.errors import CalcViewerError
from calcviewer.dicom.network.peer import DimsePeer, Peer, Timeouts, TlsFiles, WebPeer
from calcviewer.gui.pacs.peers_dialog import PeersDialog
from calcviewer.gui.tasks import Tasks
from calcviewer.gui.theme import HIT_PX
from tests.gui.pacs.conftest import PEER, FakeArchive
from tests.gui.waiting import deliver_events
from tests.keyrings import MemoryKeyring
from tests.patience import PATIENCE_S

LEFT = Qt.MouseButton.LeftButton
WEB = WebPeer(name="Web", url="https://archive.example/dicom-web", user="jane")
Open = Callable[..., PeersDialog]


@pytest.fixture
def open_dialog(qtbot: QtBot, tasks: Tasks) -> Open:
    def opened(*kept: Peer, first: Peer | None = None) -> PeersDialog:
        for peer in kept:
            save_peer(peer)
        dialog = PeersDialog(tasks, first or (kept[0] if kept else None))
        dialog.show()
        return dialog

    return opened


def press(dialog: PeersDialog, button: QAbstractButton, qtbot: QtBot) -> None:
    assert button.isEnabled()
    assert button.isVisible()
    qtbot.mouseClick(button, LEFT)
    qtbot.waitUntil(lambda: not dialog.row.running)


def peers() -> tuple[Peer, ...]:
    return load_peers()[0]


def test_an_archive_is_added(open_dialog: Open, qtbot: QtBot) -> None:
    dialog = open_dialog()
    changed: list[str] = []
    dialog.changed.connect(changed.append)
    qtbot.keyClicks(dialog.form.name, "Hospital")
    qtbot.keyClicks(dialog.form.ae_title, "PACS")
    qtbot.keyClicks(dialog.form.host, "127.0.0.1")
    dialog.form.port.setValue(11199)
    press(dialog, dialog.save, qtbot)
    assert peers() == (PEER,)
    assert changed == ["Hospital"]
    assert dialog.names.currentItem().text() == "Hospital"
    assert not dialog.save.isEnabled()


def test_what_cannot_be_is_not_saved_and_nothing_typed_is_lost(
    open_dialog: Open, qtbot: QtBot
) -> None:
    dialog = open_dialog(PEER)
    dialog.form.host.setText("no host")
    press(dialog, dialog.save, qtbot)
    assert "is no host" in dialog.row.words
    assert dialog.form.host.text() == "no host"
    assert not dialog.names.isEnabled()  # so that no click loses it
    press(dialog, dialog.revert, qtbot)
    assert dialog.form.host.text() == "127.0.0.1"
    assert dialog.names.isEnabled()
    assert peers() == (PEER,)


def test_two_archives_never_have_one_name(open_dialog: Open, qtbot: QtBot) -> None:
    dialog = open_dialog(PEER, WEB)
    dialog.form.name.setText("Web")
    press(dialog, dialog.save, qtbot)
    assert "Another archive has this name" in dialog.row.words
    assert peers() == (PEER, WEB)


def test_every_value_survives_showing_and_saving(open_dialog: Open, qtbot: QtBot) -> None:
    tls = TlsFiles(ca_file="/etc/ca.pem", certificate="/etc/me.pem", key="/etc/me.key")
    own = replace(PEER, tls=tls, calling_ae_title="CATHLAB2", timeouts=Timeouts(answer_s=90))
    web = replace(WEB, ca_file="/etc/ca.pem", timeouts=Timeouts(connect_s=9))
    dialog = open_dialog(own, web)
    for number, peer in enumerate((own, web)):
        dialog.names.setCurrentRow(number)
        assert dialog.form.peer == peer
        qtbot.waitUntil(lambda: not dialog.row.running)


def test_a_secret_goes_to_the_keyring_only_and_is_not_shown_again(
    open_dialog: Open, qtbot: QtBot, own_keyring: MemoryKeyring, tmp_path: Path
) -> None:
    dialog = open_dialog(WEB)
    qtbot.keyClicks(dialog.form.secret, "Quillfeather")
    assert dialog.form.secret.echoMode() is QLineEdit.EchoMode.Password
    press(dialog, dialog.save, qtbot)
    assert list(own_keyring.kept.values()) == ["Quillfeather"]
    assert dialog.form.secret.text() == ""
    qtbot.waitUntil(lambda: "Kept in the system keyring" in dialog.form.secret.placeholderText())
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert peers_path() in files
    assert not [path for path in files if b"Quillfeather" in path.read_bytes()]


def test_a_secret_follows_its_archive_to_another_name(
    open_dialog: Open, qtbot: QtBot, own_keyring: MemoryKeyring
) -> None:
    own_keyring.kept["CalcViewer PACS", "Web"] = "secret"
    dialog = open_dialog(WEB)
    dialog.form.name.setText("Research")
    press(dialog, dialog.save, qtbot)
    assert own_keyring.kept == {("CalcViewer PACS", "Research"): "secret"}
    dialog.form.user.setText("")  # nobody to have a secret
    press(dialog, dialog.save, qtbot)
    assert own_keyring.kept == {}


def test_without_a_keyring_the_secret_is_refused_and_nothing_is_saved(
    open_dialog: Open, qtbot: QtBot
) -> None:
    keyring.set_keyring(NoKeyring())
    dialog = open_dialog(PEER)
    dialog.form.kind.setCurrentIndex(1)
    dialog.form.url.setText(WEB.url)
    dialog.form.user.setText("jane")
    qtbot.keyClicks(dialog.form.secret, "secret")
    press(dialog, dialog.save, qtbot)
    assert "There is no keyring" in dialog.row.words
    assert dialog.form.secret.text() == "secret"
    assert peers() == (PEER,)


def test_a_password_over_http_is_warned_about(open_dialog: Open) -> None:
    dialog = open_dialog(WEB)
    note = dialog.form._secret_note
    assert "system keyring" in note.text()
    dialog.form.url.setText("http://archive.example/dicom-web")
    assert "anyone" in note.text()


def test_the_archive_of_the_form_is_tested_before_it_is_saved(
    open_dialog: Open, qtbot: QtBot, archive: FakeArchive
) -> None:
    dialog = open_dialog(WEB)
    qtbot.waitUntil(lambda: not dialog._secret_row.running)
    dialog.form.secret.setText("typed")
    press(dialog, dialog.test, qtbot)
    assert dialog.row.words == "Web is there and takes us."
    assert archive.secrets == ["typed"]
    archive.fault = CalcViewerError("The password is wrong.", "Enter it again.")
    press(dialog, dialog.test, qtbot)
    assert dialog.row.words == "The password is wrong. Enter it again."
    assert dialog.form.secret.text() == "typed"


def test_a_dialog_closed_while_it_asks_hears_no_answer(
    open_dialog: Open, tasks: Tasks, archive: FakeArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = threading.Event()

    def refuse(*_: object, **__: object) -> None:
        answer.wait(PATIENCE_S)
        raise CalcViewerError("Nobody is there.")

    monkeypatch.setattr(archive, "echo", refuse)
    dialog = open_dialog(PEER)
    dialog.test.click()
    assert dialog.row.running
    dialog.close()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    answer.set()
    assert tasks.wait(PATIENCE_S)
    deliver_events()  # an answer that came to a deleted row would be an error in a slot


def test_removing_takes_two_presses_and_forgets_the_secret(
    open_dialog: Open, qtbot: QtBot, own_keyring: MemoryKeyring
) -> None:
    own_keyring.kept["CalcViewer PACS", "Web"] = "secret"
    dialog = open_dialog(PEER, WEB, first=WEB)
    press(dialog, dialog.remove, qtbot)
    dialog.names.setCurrentRow(0)
    dialog.names.setCurrentRow(1)
    press(dialog, dialog.remove, qtbot)  # the first press again
    assert peers() == (PEER, WEB)
    press(dialog, dialog.remove, qtbot)
    assert peers() == (PEER,)
    assert own_keyring.kept == {}
    assert dialog.names.count() == 1


def test_a_damaged_list_is_told_and_not_written_over(open_dialog: Open, qtbot: QtBot) -> None:
    peers_path().parent.mkdir(parents=True)
    peers_path().write_text("{", encoding="utf-8")
    dialog = open_dialog()
    assert "cannot be read" in dialog.row.words
    dialog.form.show_peer(PEER, secret_kept=False)
    dialog.form.name.setText("Another")
    press(dialog, dialog.save, qtbot)
    assert "Nothing was changed" in dialog.row.words
    assert peers_path().read_text(encoding="utf-8") == "{"


def test_only_what_belongs_to_its_kind_is_asked(open_dialog: Open, qtbot: QtBot) -> None:
    dialog = open_dialog(PEER)
    form = dialog.form
    assert form.host.isVisible()
    assert not form.url.isVisible()
    assert not form.tls_ca.isVisible()
    form.tls.setChecked(True)
    assert form.tls_ca.isVisible()
    assert not form.secret.isVisible()
    form.certificate.field.setText("/etc/me.pem")
    assert form.secret.isVisible()
    form.kind.setCurrentIndex(1)
    assert form.url.isVisible()
    assert not form.host.isVisible()
    buttons = dialog.findChildren(QAbstractButton)
    assert [one.text() for one in buttons if one.isVisible() and one.height() < HIT_PX] == []


def test_a_new_dimse_archive_speaks_as_calcviewer(open_dialog: Open) -> None:
    dialog = open_dialog()
    form = dialog.form
    form.name.setText("A")
    form.ae_title.setText("B")
    form.host.setText("c")
    assert form.peer == DimsePeer(name="A", ae_title="B", host="c", port=104)
