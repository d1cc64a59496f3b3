"""Objects arrive beside their place, and a disk that is full costs no more than the transfer."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from calcviewer.core.errors import CalcViewerError
from calcviewer.dicom.network import archive, arriving
from calcviewer.dicom.network.peer import DimsePeer
from calcviewer.dicom.network.receiver import Receiver, ReceiverOptions
from tests.dicom.network.scps import PATIENT, FakeArchive, dimse_peer, files_of, serving
from tests.orthanc import free_ports


def full(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_objects_are_written_where_they_belong(
    study: tuple[Path, Path], study_uid: str, tmp_path: Path, no_traces: Path
) -> None:
    seen: list[set[str]] = []
    with serving(FakeArchive(study)) as port:
        for one in archive.retrieve(dimse_peer(port), study_uid, tmp_path / "out"):
            seen.append({Path(name).suffix for name in files_of(tmp_path / "out")})
            assert one.path is None or one.path.parent == tmp_path / "out"
        assert files_of(no_traces) == []
    assert {Path(name).suffix for name in files_of(tmp_path / "out")} == {".dcm"}
    assert seen


def test_a_disk_that_fills_up_within_an_object_ends_the_retrieval(
    study: tuple[Path, Path], study_uid: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arriving, "_move_to", full)
    with serving(FakeArchive(study)) as port:
        with pytest.raises(CalcViewerError, match=r"cannot be written into .*out \(No space left"):
            list(archive.retrieve(dimse_peer(port), study_uid, tmp_path / "out"))
        monkeypatch.undo()
        assert files_of(tmp_path) == ["system-temporary"]


def test_a_disk_that_fills_up_ends_what_is_received(
    study: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (port,) = free_ports(1)
    options = ReceiverOptions(folder=tmp_path / "inbox", allowed=("US",), port=port)
    peer = DimsePeer(
        name="us",
        ae_title=options.ae_title,
        host="127.0.0.1",
        port=port,
        calling_ae_title="US",
        timeouts=PATIENT,
    )
    with Receiver(options):
        with monkeypatch.context() as patched:
            patched.setattr(arriving, "_move_to", full)
            with pytest.raises(CalcViewerError, match="broke the connection off"):
                list(archive.send(peer, study))
        assert files_of(options.folder) == []
        list(archive.send(peer, study))
    assert len(files_of(options.folder)) == 2


def test_what_a_killed_program_left_is_removed_at_the_next_start(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    for name in (".arriving-abc.part", "1.2.dcm", ".notes"):
        (inbox / name).write_bytes(b"x")
    (port,) = free_ports(1)
    with Receiver(ReceiverOptions(folder=inbox, allowed=("US",), port=port)):
        assert files_of(inbox) == [".notes", "1.2.dcm"]
