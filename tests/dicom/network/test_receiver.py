"""The receiver takes what it may, from whom it may, as long as there is room."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pydicom import dcmread
from pynetdicom import AE, build_context

from calcviewer.core.errors import CalcViewerError
from calcviewer.dicom.header import FOR_PROCESSING
from calcviewer.dicom.network import archive
from calcviewer.dicom.network.peer import DimsePeer, Timeouts
from calcviewer.dicom.network.receiver import Receiver, ReceiverOptions
from tests.dicom.network.scps import PATIENT, files_of
from tests.orthanc import free_ports
from tests.patience import PATIENCE_S


@pytest.fixture
def options(tmp_path: Path) -> ReceiverOptions:
    return ReceiverOptions(
        folder=tmp_path / "inbox",
        allowed=("CONSOLE", "ARCHIVE"),
        ae_title="READER",
        port=free_ports(1)[0],
        timeouts=PATIENT,
    )


@pytest.fixture
def receiver(options: ReceiverOptions) -> Iterator[Receiver]:
    with Receiver(options) as running:
        yield running


def sender(options: ReceiverOptions, **changes: str) -> DimsePeer:
    values = {"ae_title": options.ae_title, "calling_ae_title": "CONSOLE", **changes}
    return DimsePeer(name="us", host="127.0.0.1", port=options.port, timeouts=PATIENT, **values)


def test_objects_arrive_as_they_were_sent(
    options: ReceiverOptions, study: tuple[Path, Path]
) -> None:
    arrived: list[Path] = []
    with Receiver(options, on_stored=arrived.append) as receiver:
        assert receiver.running
        archive.echo(sender(options))
        list(archive.send(sender(options), study))
        list(archive.send(sender(options), study[:1]))
    assert not receiver.running
    expected = [
        options.folder / f"{dcmread(path, stop_before_pixels=True).SOPInstanceUID}.dcm"
        for path in study
    ]
    assert arrived == [*expected, expected[0]]
    for path, source in zip(expected, study, strict=True):
        assert dcmread(path).PixelData == dcmread(source).PixelData
        assert (
            dcmread(path).file_meta.TransferSyntaxUID == dcmread(source).file_meta.TransferSyntaxUID
        )
    assert files_of(options.folder) == sorted(path.name for path in expected)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"calling_ae_title": "STRANGER"}, "Calling AE title not recognised"),
        ({"ae_title": "OTHER"}, "Called AE title not recognised"),
    ],
)
@pytest.mark.usefixtures("receiver")
def test_strangers_are_turned_away(
    changes: dict[str, str], reason: str, options: ReceiverOptions, study: tuple[Path, Path]
) -> None:
    with pytest.raises(CalcViewerError, match=reason):
        list(archive.send(sender(options, **changes), study))
    assert files_of(options.folder) == []


def test_a_full_inbox_refuses_and_takes_again_when_there_is_room(
    options: ReceiverOptions, study: tuple[Path, Path]
) -> None:
    first, second = (path.stat().st_size for path in study)
    small = replace(options, quota_bytes=first + second // 2)
    with Receiver(small):
        with pytest.raises(CalcViewerError, match="out of resources"):
            list(archive.send(sender(small), study))
        (kept,) = small.folder.iterdir()
        kept.unlink()
        list(archive.send(sender(small), study[1:]))
    assert len(files_of(small.folder)) == 1


def test_an_object_larger_than_the_inbox_is_not_taken_to_its_end(
    options: ReceiverOptions, study: tuple[Path, Path]
) -> None:
    tiny = replace(options, quota_bytes=20_000)
    with Receiver(tiny):
        with pytest.raises(CalcViewerError, match="broke the connection off"):
            list(archive.send(sender(tiny), study[1:]))
    assert files_of(tiny.folder) == []


@pytest.mark.usefixtures("receiver")
@pytest.mark.parametrize("byte_count", [0, 300, 50_000])
def test_a_sending_that_breaks_off_leaves_nothing(
    byte_count: int, options: ReceiverOptions, study: tuple[Path, Path]
) -> None:
    transfers = archive.send(sender(options), study * 10)
    next(one for one in transfers if one.byte_count >= byte_count)
    transfers.close()
    assert all(len(dcmread(path).PixelData) > 0 for path in options.folder.iterdir())
    assert not any(path.name.startswith(".") for path in options.folder.iterdir())


def test_stopping_breaks_off_what_arrives(
    options: ReceiverOptions, study: tuple[Path, Path]
) -> None:
    running = Receiver(options)
    running.start()
    running.start()  # once is enough
    entity = AE("CONSOLE")
    association = entity.associate(
        "127.0.0.1",
        options.port,
        contexts=[build_context(FOR_PROCESSING)],
        ae_title=options.ae_title,
    )
    assert association.is_established
    running.stop()
    association.join(PATIENCE_S)
    assert not association.is_alive()
    assert not association.is_established
    running.stop()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", options.port), timeout=1)


def test_a_caller_that_says_nothing_is_let_go(options: ReceiverOptions) -> None:
    before = threading.active_count()
    quick = replace(options, timeouts=Timeouts(connect_s=0.3, answer_s=0.3))
    with (
        Receiver(quick),
        socket.create_connection(("127.0.0.1", options.port), timeout=5) as caller,
    ):
        assert caller.recv(1) == b""  # hung up on, after the timeout
    assert threading.active_count() <= before + 2


@pytest.mark.usefixtures("receiver")
@pytest.mark.filterwarnings("ignore:Invalid value for VR UI")
def test_an_object_that_is_not_what_its_message_says_is_refused(
    options: ReceiverOptions, study: tuple[Path, Path], tmp_path: Path
) -> None:
    odd = tmp_path / "odd.dcm"
    dataset = dcmread(study[0])
    dataset.SOPInstanceUID = "1.2.3"
    dataset.file_meta.MediaStorageSOPInstanceUID = "1.2.4"
    dataset.save_as(odd)
    with pytest.raises(CalcViewerError, match="cannot understand"):
        list(archive.send(sender(options), [odd]))
    assert files_of(options.folder) == []


def test_listening_on_the_loopback_only(options: ReceiverOptions) -> None:
    assert ReceiverOptions(folder=options.folder, allowed=("A",)).host == "127.0.0.1"
    with Receiver(options) as receiver:
        assert receiver._server.server_address[0] == "127.0.0.1"


def test_a_port_that_is_taken(options: ReceiverOptions) -> None:
    with socket.create_server(("127.0.0.1", options.port)):
        running = Receiver(options)
        with pytest.raises(CalcViewerError, match="cannot listen on 127"):
            running.start()
        assert not running.running


@pytest.mark.parametrize(
    "changes",
    [
        {"allowed": ()},
        {"allowed": ("",)},
        {"ae_title": "far too long an AE title"},
        {"port": 0},
        {"host": ""},
        {"quota_bytes": 0},
        {"port": True},
    ],
)
def test_impossible_options(options: ReceiverOptions, changes: dict[str, object]) -> None:
    with pytest.raises(CalcViewerError) as failure:
        replace(options, **changes)
    assert failure.value.hint
