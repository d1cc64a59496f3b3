"""DICOM archives that work, and every way in which they do not: a clear word, and nothing left."""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pynetdicom import evt

from calcviewer.core.errors import CalcViewerError
from calcviewer.dicom.network import archive, arrived, dimse
from calcviewer.dicom.network.peer import DimsePeer, Timeouts
from calcviewer.dicom.network.query import MOST_MATCHES, StudyQuery
from calcviewer.dicom.network.receiver import Receiver, ReceiverOptions
from calcviewer.dicom.network.status import UndeliveredError
from tests.dicom.network.scps import (
    ABORT,
    TITLE,
    FakeArchive,
    cut,
    cutting_after,
    dimse_peer,
    files_of,
    raw_server,
    serving,
)
from tests.orthanc import free_ports
from tests.patience import PATIENCE_S

QUICK_ANSWER = Timeouts(connect_s=0.5, answer_s=0.2)


def every_verb(peer: DimsePeer, study: tuple[Path, Path], study_uid: str, folder: Path) -> None:
    """Try each verb with a peer that is not there for us, and hear the same each time."""
    verbs = (
        lambda: archive.echo(peer),
        lambda: archive.find_studies(peer, StudyQuery()),
        lambda: list(archive.retrieve(peer, study_uid, folder)),
        lambda: list(archive.send(peer, study)),
    )
    said = set()
    for verb in verbs:
        began = time.monotonic()
        with pytest.raises(CalcViewerError) as failure:
            verb()
        assert time.monotonic() - began < PATIENCE_S  # and not when the system gives up
        assert failure.value.hint
        said.add(failure.value.message)
    assert len(said) == 1
    assert files_of(folder) == []
    raise CalcViewerError(said.pop())


def test_echo_query_retrieve_and_send(
    study: tuple[Path, Path], study_uid: str, tmp_path: Path
) -> None:
    held = FakeArchive(study)
    with serving(held) as port:
        peer = dimse_peer(port, calling_ae_title="READER")
        archive.echo(peer)
        (found,) = archive.find_studies(peer, StudyQuery(study_uid=study_uid))
        assert (found.study_uid, found.modalities) == (study_uid, ("IVOCT", "SEG"))
        assert (found.patient_name, found.patient_id) == ("Quillfeather^Marigold", "MRN-4711")
        assert f"{found.date:%Y-%m-%d}" == "2024-02-29"
        series = archive.find_series(peer, study_uid)
        assert {one.series_uid for one in series} == {
            dcmread(path).SeriesInstanceUID for path in study
        }
        transfers = list(archive.retrieve(peer, study_uid, tmp_path / "all"))
        assert len([one.path for one in transfers if one.path]) == transfers[-1].total == 2
        assert len(files_of(tmp_path / "all")) == 2
        list(archive.retrieve(peer, study_uid, tmp_path / "one", series_uid=series[0].series_uid))
        assert len(files_of(tmp_path / "one")) == 1
        for path in study:
            uid = dcmread(path).SOPInstanceUID
            assert dcmread(tmp_path / "all" / f"{uid}.dcm").PixelData == dcmread(path).PixelData
        sent = list(archive.send(peer, study))
        assert [one.path for one in sent if one.path] == list(study)
        assert sent[-1].byte_count > sum(path.stat().st_size for path in study)
    assert held.callers == ["READER", "READER"]
    for (uid, _, data), path in zip(held.stored, study, strict=True):
        assert uid == dcmread(path).SOPInstanceUID
        assert data.endswith(dcmread(path).PixelData)


def test_a_peer_that_is_down(study: tuple[Path, Path], study_uid: str, tmp_path: Path) -> None:
    with pytest.raises(CalcViewerError, match="cannot be reached: nothing listens there"):
        every_verb(dimse_peer(free_ports(1)[0]), study, study_uid, tmp_path / "out")


def test_a_host_nobody_knows(study: tuple[Path, Path], study_uid: str, tmp_path: Path) -> None:
    with pytest.raises(CalcViewerError, match=r"host of .* is not known"):
        every_verb(dimse_peer(104, host="nowhere.invalid"), study, study_uid, tmp_path / "out")


def test_a_peer_that_says_nothing(study: tuple[Path, Path], study_uid: str, tmp_path: Path) -> None:
    with (
        raw_server() as port,
        pytest.raises(CalcViewerError, match=r"did not answer for 0\.2 s"),
    ):
        every_verb(dimse_peer(port, timeouts=QUICK_ANSWER), study, study_uid, tmp_path / "out")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"ae_title": "OTHER"}, "rejected us: Called AE title not recognised"),
        ({"calling_ae_title": "STRANGER"}, "rejected us: Calling AE title not recognised"),
    ],
)
def test_refused_titles(
    changes: dict[str, str],
    reason: str,
    study: tuple[Path, Path],
    study_uid: str,
    tmp_path: Path,
) -> None:
    with (
        serving(FakeArchive(study), callers=["CALCVIEWER"]) as port,
        pytest.raises(CalcViewerError, match=reason),
    ):
        every_verb(dimse_peer(port, **changes), study, study_uid, tmp_path / "out")


@pytest.mark.parametrize("answer", [ABORT, b"HTTP/1.1 400 Bad Request\r\n\r\n"])
def test_something_else_at_the_port(
    answer: bytes, study: tuple[Path, Path], study_uid: str, tmp_path: Path
) -> None:
    with (
        raw_server(answer) as port,
        pytest.raises(CalcViewerError, match="ended the connection at once"),
    ):
        every_verb(dimse_peer(port), study, study_uid, tmp_path / "out")


def test_an_association_aborted_once_it_stands(
    study: tuple[Path, Path], study_uid: str, tmp_path: Path
) -> None:
    abort = (evt.EVT_DIMSE_RECV, lambda event: cut(event, with_abort=True))
    with (
        serving(FakeArchive(study, extra_handlers=[abort])) as port,
        pytest.raises(CalcViewerError, match="broke the connection off"),
    ):
        every_verb(dimse_peer(port), study, study_uid, tmp_path / "out")


def test_an_answer_that_does_not_come(study: tuple[Path, Path], study_uid: str) -> None:
    go_on = threading.Event()

    def late(_: evt.Event) -> int:
        go_on.wait(PATIENCE_S)
        return 0x0000

    def none_late(_: evt.Event) -> Iterator[tuple[int, None]]:
        go_on.wait(PATIENCE_S)
        return iter(())

    slow = [(evt.EVT_C_ECHO, late), (evt.EVT_C_FIND, none_late)]
    with serving(FakeArchive(study, extra_handlers=slow)) as port:
        peer = dimse_peer(port, timeouts=Timeouts(connect_s=1, answer_s=0.2))
        for verb in (archive.echo, lambda one: archive.find_studies(one, StudyQuery())):
            with pytest.raises(CalcViewerError, match=r"did not answer for 0\.2 s"):
                verb(peer)
        go_on.set()


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (0x0122, "does not take this kind"),
        (0xA700, "out of resources"),
        (0x0110, "status 0110"),
    ],
)
def test_refusals_by_status(
    status: int, reason: str, study: tuple[Path, Path], study_uid: str, tmp_path: Path
) -> None:
    refusing = FakeArchive(
        study, store_status=status, find_status=status, echo_status=status, get_status=status
    )
    with serving(refusing) as port:
        peer = dimse_peer(port)
        with pytest.raises(CalcViewerError, match=reason):
            archive.echo(peer)
        with pytest.raises(CalcViewerError, match=reason):
            archive.find_studies(peer, StudyQuery())
        with pytest.raises(CalcViewerError, match=reason):
            list(archive.send(peer, study))
        refusing.find_status = 0
        with pytest.raises(CalcViewerError, match=reason):
            list(archive.retrieve(peer, study_uid, tmp_path / "out"))
        assert files_of(tmp_path) == ["system-temporary"]


@pytest.mark.parametrize(
    ("with_abort", "count"), [(True, 20_000), (False, 150_000), (True, 240_000)]
)
def test_a_retrieval_that_breaks_off_leaves_nothing_and_works_again(
    with_abort: bool,
    count: int,
    study: tuple[Path, Path],
    study_uid: str,
    tmp_path: Path,
) -> None:
    held = FakeArchive(
        study, extra_handlers=[cutting_after(count, received=False, with_abort=with_abort)]
    )
    assert sum(path.stat().st_size for path in study) > 260_000
    with serving(held) as port:
        with pytest.raises(CalcViewerError, match=r"broke the connection off.*Try again"):
            list(archive.retrieve(dimse_peer(port), study_uid, tmp_path / "out"))
        assert files_of(tmp_path) == ["system-temporary"]
    held.extra_handlers.clear()
    with serving(held) as port:
        list(archive.retrieve(dimse_peer(port), study_uid, tmp_path / "out"))
    assert len(files_of(tmp_path / "out")) == 2


@pytest.mark.parametrize("with_abort", [True, False])
def test_a_sending_that_breaks_off_works_again(with_abort: bool, study: tuple[Path, Path]) -> None:
    taker = FakeArchive(
        extra_handlers=[cutting_after(100_000, received=True, with_abort=with_abort)]
    )
    with serving(taker) as port:
        with pytest.raises(CalcViewerError, match="broke the connection off"):
            list(archive.send(dimse_peer(port), study))
        assert taker.stored == []
    taker.extra_handlers.clear()
    with serving(taker) as port:
        list(archive.send(dimse_peer(port), study))
    assert len(taker.stored) == 2


def test_silence_within_an_object_ends_the_retrieval(
    study: tuple[Path, Path], study_uid: str, tmp_path: Path
) -> None:
    moved = [0]

    def fall_asleep(event: evt.Event) -> None:
        moved[0] += len(event.data)
        if moved[0] > 60_000:
            time.sleep(0.6)

    held = FakeArchive(study, extra_handlers=[(evt.EVT_DATA_SENT, fall_asleep)])
    with serving(held) as port:
        peer = dimse_peer(port, timeouts=Timeouts(connect_s=1, answer_s=0.3))
        with pytest.raises(CalcViewerError, match=r"did not answer for 0\.3 s"):
            list(archive.retrieve(peer, study_uid, tmp_path / "out"))
    assert files_of(tmp_path) == ["system-temporary"]


@pytest.mark.parametrize("verb", ["retrieve", "send"])
def test_closing_early_breaks_off_at_once(
    verb: str, study: tuple[Path, Path], study_uid: str, tmp_path: Path
) -> None:
    slow = [(evt.EVT_DATA_SENT if verb == "retrieve" else evt.EVT_DATA_RECV, _slowly)]
    held = FakeArchive(study, extra_handlers=slow)
    ended = threading.Event()
    held.extra_handlers.append((evt.EVT_ABORTED, lambda event: ended.set()))
    with serving(held) as port:
        peer = dimse_peer(port)
        transfers = (
            archive.retrieve(peer, study_uid, tmp_path / "out")
            if verb == "retrieve"
            else archive.send(peer, study * 20)
        )
        next(one for one in transfers if one.byte_count > 20_000)
        transfers.close()
        assert ended.wait(PATIENCE_S)
    assert len(held.stored) < 40
    assert files_of(tmp_path) == ["system-temporary"]


def _slowly(event: evt.Event) -> None:
    time.sleep(0.05)


def test_a_target_that_is_full_is_told_and_left_as_it_was(
    study: tuple[Path, Path], study_uid: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    kept = tmp_path / "out" / "kept.txt"
    kept.parent.mkdir()
    kept.write_text("before")
    monkeypatch.setattr(arrived.shutil, "move", full)
    with serving(FakeArchive(study)) as port:
        with pytest.raises(CalcViewerError, match=r"cannot be written into .* \(No space left"):
            list(archive.retrieve(dimse_peer(port), study_uid, tmp_path / "out"))
    assert files_of(tmp_path / "out") == ["kept.txt"]


def _without_name(one: Dataset) -> Dataset:
    one.SOPInstanceUID = "../../etc/passwd"
    return one


@pytest.mark.filterwarnings("ignore:Invalid value for VR UI")
def test_an_object_with_a_path_for_a_name_is_not_stored(
    study: tuple[Path, Path], study_uid: str, tmp_path: Path
) -> None:
    with serving(FakeArchive(study[:1], tampered=_without_name)) as port:
        with pytest.raises(CalcViewerError):
            list(archive.retrieve(dimse_peer(port), study_uid, tmp_path / "out"))
    assert files_of(tmp_path) == ["system-temporary"]


def test_objects_the_peer_cannot_pass_on_are_named_and_the_others_kept(
    study: tuple[Path, Path],
    study_uid: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kinds = [str(dcmread(path, stop_before_pixels=True).SOPClassUID) for path in study]
    monkeypatch.setattr(dimse, "classes_in", lambda *_, **__: (kinds[0],))
    with serving(FakeArchive(study)) as port:
        with pytest.raises(UndeliveredError, match="handed over 1 of 2 objects"):
            list(archive.retrieve(dimse_peer(port), study_uid, tmp_path / "out"))
    uid = dcmread(study[0], stop_before_pixels=True).SOPInstanceUID
    assert files_of(tmp_path / "out") == [f"{uid}.dcm"]


def test_a_study_the_peer_does_not_know(study: tuple[Path, Path], tmp_path: Path) -> None:
    with serving(FakeArchive(study)) as port:
        peer = dimse_peer(port)
        assert archive.find_series(peer, "1.2.3") == ()
        with pytest.raises(CalcViewerError, match="knows no such study"):
            list(archive.retrieve(peer, "1.2.3", tmp_path / "out"))
    assert files_of(tmp_path) == ["system-temporary"]


def test_too_many_matches(study: tuple[Path, Path]) -> None:
    def many(event: evt.Event) -> object:
        for number in range(MOST_MATCHES + 5):
            answer = Dataset()
            answer.StudyInstanceUID = f"1.2.{number}"
            yield 0xFF00, answer

    with serving(FakeArchive(extra_handlers=[(evt.EVT_C_FIND, many)])) as port:
        with pytest.raises(CalcViewerError, match=f"more than {MOST_MATCHES} matches"):
            archive.find_studies(dimse_peer(port), StudyQuery())


def test_a_peer_without_storage_takes_nothing(study: tuple[Path, Path]) -> None:
    with serving(FakeArchive(takes_storage=False)) as port:
        with pytest.raises(CalcViewerError, match="offers none of what was asked for"):
            list(archive.send(dimse_peer(port), study))


def test_what_is_no_dicom_is_refused_before_anything_is_sent(
    study: tuple[Path, Path], tmp_path: Path
) -> None:
    other = tmp_path / "notes.dcm"
    other.write_text("no DICOM")
    held = FakeArchive()
    with serving(held) as port:
        with pytest.raises(CalcViewerError, match=r"notes\.dcm is no DICOM file"):
            list(archive.send(dimse_peer(port), [study[0], other]))
        with pytest.raises(CalcViewerError, match="nothing to send"):
            list(archive.send(dimse_peer(port), []))
    assert held.stored == []


def test_without_get_it_needs_the_receiver(
    study: tuple[Path, Path], study_uid: str, tmp_path: Path
) -> None:
    port_of_ours = free_ports(1)[0]
    held = FakeArchive(study, offers_get=False, destination=("127.0.0.1", port_of_ours))
    inbox = tmp_path / "inbox"
    options = ReceiverOptions(folder=inbox, allowed=(TITLE,), ae_title="OURS", port=port_of_ours)
    with serving(held) as port:
        peer = dimse_peer(port)
        with pytest.raises(CalcViewerError, match=r"no C-GET.*Turn the receiver on"):
            list(archive.retrieve(peer, study_uid, tmp_path / "out", receiver=Receiver(options)))
        with Receiver(options) as receiver:
            moved = list(archive.retrieve(peer, study_uid, tmp_path / "out", receiver=receiver))
            assert moved[-1].done == 2
            assert len(files_of(tmp_path / "out")) == 2
            held.destination = None
            with pytest.raises(CalcViewerError, match="does not know where to send"):
                list(archive.retrieve(peer, study_uid, tmp_path / "out", receiver=receiver))
    assert files_of(inbox) == []


def test_nothing_is_written_to_the_log(
    study: tuple[Path, Path],
    study_uid: str,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(0)
    with serving(FakeArchive(study)) as port:
        peer = dimse_peer(port)
        archive.find_studies(peer, StudyQuery(patient_name="Quillfeather"))
        list(archive.retrieve(peer, study_uid, tmp_path / "out"))
        list(archive.send(peer, study))
        with pytest.raises(CalcViewerError):
            archive.echo(replace(peer, ae_title="OTHER"))
    assert caplog.text == ""
    assert "".join(capfd.readouterr()) == ""
