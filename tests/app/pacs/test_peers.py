"""Peers survive a restart, as they were; a damaged file loses nothing more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from calcviewer.app.pacs.peers import (
    load_peers,
    peer_named,
    peers_path,
    remove_peer,
    save_peer,
)
from calcviewer.app.pacs.secrets import keep_secret, secret_of
from calcviewer.core.errors import CalcViewerError
from calcviewer.dicom.network.peer import DimsePeer, Timeouts, TlsFiles, WebPeer
from tests.keyrings import MemoryKeyring

PLAIN = DimsePeer(name="Cath lab", ae_title="LAB", host="10.0.0.5", port=104)
TLS = DimsePeer(
    name="PACS",
    ae_title="ARCHIVE",
    host="pacs.example",
    port=2762,
    calling_ae_title="READER",
    tls=TlsFiles(ca_file="/ca.pem", certificate="/us.pem", key="/us.key"),
    timeouts=Timeouts(connect_s=2, answer_s=90),
)
WEB = WebPeer(name="Web", url="https://pacs.example/dicom-web", user="me", ca_file="/ca.pem")


def test_what_is_saved_is_loaded_in_its_order() -> None:
    for peer in (TLS, PLAIN, WEB):
        save_peer(peer)
    assert load_peers() == ((TLS, PLAIN, WEB), "")
    assert peer_named("Web") == WEB


def test_at_first_there_are_none() -> None:
    assert load_peers() == ((), "")
    with pytest.raises(CalcViewerError, match="no peer 'PACS'") as failure:
        peer_named("PACS")
    assert "pacs add" in failure.value.hint


def test_a_name_that_is_not_there_names_those_that_are() -> None:
    save_peer(WEB)
    with pytest.raises(CalcViewerError, match="Known are: Web"):
        peer_named("Wbe")


def test_one_of_the_same_name_is_replaced_in_its_place() -> None:
    for peer in (TLS, PLAIN, WEB):
        save_peer(peer)
    other = WebPeer(name="Cath lab", url="http://lab")
    save_peer(other)
    assert load_peers()[0] == (TLS, other, WEB)
    renamed = WebPeer(name="Lab", url="http://lab")
    save_peer(renamed, replaces="Cath lab")
    assert load_peers()[0] == (TLS, renamed, WEB)
    save_peer(WebPeer(name="Web", url="http://lab"), replaces="Lab")
    assert [one.name for one in load_peers()[0]] == ["PACS", "Web"]


def test_removing_forgets_the_secret(memory: MemoryKeyring) -> None:
    save_peer(WEB)
    keep_secret(WEB, "sesame")
    assert secret_of(WEB) == "sesame"
    remove_peer("Web")
    assert load_peers() == ((), "")
    assert memory.kept == {}
    with pytest.raises(CalcViewerError):
        remove_peer("Web")


def test_no_secret_is_in_any_file(tmp_path: Path) -> None:
    save_peer(WEB)
    keep_secret(WEB, "open sesame")
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files == [peers_path()]
    assert all(b"sesame" not in path.read_bytes() for path in files)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"peers": 3}', '{"peers": {}}', "\x00"])
def test_a_damaged_file_is_told_and_kept(content: str) -> None:
    peers_path().parent.mkdir(parents=True)
    peers_path().write_text(content)
    peers, note = load_peers()
    assert peers == ()
    assert str(peers_path()) in note
    with pytest.raises(CalcViewerError, match="Nothing was changed"):
        save_peer(WEB)
    assert peers_path().read_text() == content


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "fax"},
        {"kind": None},
        {"port": "104"},
        {"port": 0},
        {"ae_title": ""},
        {"ae_title": 3},
        {"host": None},
        {"tls": 3},
        {"tls": {"ca": "x"}},
        {"timeouts": {"connect_s": "x"}},
        {"timeouts": 3},
        {"surprise": 1},
    ],
)
def test_a_peer_that_was_spoilt_is_left_out_and_told(change: dict[str, Any]) -> None:
    save_peer(PLAIN)
    save_peer(WEB)
    stored = json.loads(peers_path().read_text())
    stored["peers"][0].update(change)
    peers_path().write_text(json.dumps(stored))
    peers, note = load_peers()
    assert peers == (WEB,)
    assert "1 of 2 peers cannot be used" in note
    with pytest.raises(CalcViewerError, match="Nothing was changed"):
        remove_peer("Web")


def test_nothing_half_written_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    save_peer(PLAIN)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(CalcViewerError, match="No space left"):
        save_peer(WEB)
    assert load_peers() == ((PLAIN,), "")
    assert [one.name for one in peers_path().parent.iterdir()] == ["pacs.json"]
