"""What is sent is what was chosen, and DICOM."""

from __future__ import annotations

from pathlib import Path

import pytest

from calcviewer.app.pacs.files import dicom_files
from calcviewer.app.pacs.inbox import inbox_folder, known_senders
from calcviewer.app.pacs.peers import save_peer
from calcviewer.core.errors import CalcViewerError
from calcviewer.dicom.network.peer import DimsePeer, WebPeer


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "study"
    (made / "deep").mkdir(parents=True)
    (made / ".stage").mkdir()
    for name in ("b.dcm", "a.dcm", "deep/c", ".stage/d.dcm", ".e.dcm"):
        (made / name).write_bytes(b"\0" * 128 + b"DICM")
    (made / "report.pdf").write_bytes(b"%PDF")
    return made


def test_files_and_folders_each_once(folder: Path) -> None:
    inside = [folder / "a.dcm", folder / "b.dcm", folder / "deep" / "c"]
    assert dicom_files([folder]) == tuple(inside)
    assert dicom_files([inside[1], folder]) == (inside[1], inside[0], inside[2])


def test_what_cannot_be_sent_is_told(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(CalcViewerError, match="no DICOM file"):
        dicom_files([folder, folder / "report.pdf"])
    with pytest.raises(CalcViewerError, match="is not there"):
        dicom_files([folder / "gone.dcm"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(CalcViewerError, match="no DICOM file to send"):
        dicom_files([tmp_path / "empty"])
    with pytest.raises(CalcViewerError, match="no DICOM file to send"):
        dicom_files([])


def test_the_inbox_is_in_the_users_data(tmp_path: Path) -> None:
    assert inbox_folder() == tmp_path / "data" / "inbox"


def test_peers_may_send_unless_told_otherwise() -> None:
    assert known_senders() == ()
    for name, title in (("a", "LAB"), ("b", "PACS"), ("c", "LAB")):
        save_peer(DimsePeer(name=name, ae_title=title, host="h", port=1))
    save_peer(WebPeer(name="w", url="http://h"))
    assert known_senders() == ("LAB", "PACS")
