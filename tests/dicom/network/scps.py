"""Archives of our own on the loopback, that can be told to fail in every way."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from socketserver import BaseServer
from typing import Any

from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, JPEG2000Lossless, RLELossless
from pynetdicom import AE, build_context, evt
from pynetdicom.transport import ThreadedAssociationServer

from calcviewer.dicom.header import FOR_PRESENTATION, FOR_PROCESSING
from calcviewer.dicom.network import quiet
from calcviewer.dicom.network.arriving import discard_partial
from calcviewer.dicom.network.contexts import (
    STUDY_ROOT_FIND,
    STUDY_ROOT_GET,
    STUDY_ROOT_MOVE,
    VERIFICATION,
)
from calcviewer.dicom.network.peer import DimsePeer, Timeouts
from tests.patience import PATIENCE_S

TITLE = "ARCHIVE"
KINDS = (FOR_PROCESSING, FOR_PRESENTATION)
ABORT = bytes((7, 0, 0, 0, 0, 4, 0, 0, 0, 0))
"""A-ABORT (PS3.8 9.3.8)."""

SYNTAXES = [ExplicitVRLittleEndian, RLELossless, JPEG2000Lossless]
PATIENT = Timeouts(connect_s=5, answer_s=10)
_LEVELS = {
    "STUDY": "StudyInstanceUID",
    "SERIES": "SeriesInstanceUID",
    "IMAGE": "SOPInstanceUID",
}


def dimse_peer(port: int, **changes: Any) -> DimsePeer:
    values: dict[str, Any] = {
        "name": "test",
        "ae_title": TITLE,
        "host": "127.0.0.1",
        "port": port,
        "timeouts": PATIENT,
    }
    return DimsePeer(**{**values, **changes})


@dataclass
class FakeArchive:
    """Answers queries and hands over from files; what it is sent it keeps as bytes.

    Parameters
    ----------
    store_status, find_status, echo_status
        Answered instead of success.
    offers_get
        Whether C-GET is among its services.
    cannot_pass
        SOP Instance UIDs for which it claims to fail.
    """

    files: Sequence[Path] = ()
    store_status: int = 0
    find_status: int = 0
    echo_status: int = 0
    get_status: int = 0
    offers_get: bool = True
    takes_storage: bool = True
    tampered: Callable[[Dataset], Dataset] = lambda one: one
    destination: tuple[str, int] | None = None
    stored: list[tuple[str, str, bytes]] = field(default_factory=list)
    callers: list[str] = field(default_factory=list)
    extra_handlers: list[Any] = field(default_factory=list)
    ignored_roles: bool = False

    def handlers(self) -> list[Any]:
        return [
            (evt.EVT_C_ECHO, lambda event: self.echo_status),
            (evt.EVT_C_STORE, self._store),
            (evt.EVT_C_FIND, self._find),
            (evt.EVT_C_GET, self._get),
            (evt.EVT_C_MOVE, self._move),
            (evt.EVT_CONN_OPEN, quiet.close_accepted),
            (evt.EVT_CONN_CLOSE, lambda event: discard_partial(event.assoc)),
            *self.extra_handlers,
        ]

    def _store(self, event: evt.Event) -> int:
        data = event.dataset_path.read_bytes()
        meta = dcmread(event.dataset_path, stop_before_pixels=True)
        self.stored.append((str(meta.SOPInstanceUID), meta.file_meta.TransferSyntaxUID, data))
        self.callers.append(event.assoc.requestor.ae_title)
        return self.store_status

    def _matching(self, asked: Dataset) -> Iterator[tuple[Path, Dataset]]:
        for path in self.files:
            held = dcmread(path, stop_before_pixels=True)
            wanted = [asked.get(name) for name in _LEVELS.values()]
            if all(
                not value or held.get(name) == value
                for name, value in zip(_LEVELS.values(), wanted, strict=True)
            ):
                yield path, held

    def _find(self, event: evt.Event) -> Iterator[tuple[int, Dataset | None]]:
        if self.find_status:
            yield self.find_status, None
            return
        asked, seen = event.identifier, set()
        for _, held in self._matching(asked):
            uid = held.get(_LEVELS[asked.QueryRetrieveLevel])
            if uid in seen:
                continue
            seen.add(uid)
            answer = Dataset()
            answer.SpecificCharacterSet = "ISO_IR 192"
            for element in asked:
                setattr(answer, element.keyword, held.get(element.keyword))
            answer.QueryRetrieveLevel = asked.QueryRetrieveLevel
            if "ModalitiesInStudy" in asked:
                answer.ModalitiesInStudy = ["IVOCT", "SEG"]
            yield 0xFF00, answer

    def _get(self, event: evt.Event) -> Iterator[Any]:
        paths = [path for path, _ in self._matching(event.identifier)]
        if self.get_status:
            yield len(paths)
            yield self.get_status, None
            return
        yield len(paths)
        for path in paths:
            yield 0xFF00, self.tampered(dcmread(path))

    def _move(self, event: evt.Event) -> Iterator[Any]:
        paths = [path for path, _ in self._matching(event.identifier)]
        if self.destination is None:
            yield None, None
            return
        contexts = [build_context(kind, SYNTAXES[0]) for kind in KINDS]
        yield (*self.destination, {"ae_title": event.move_destination, "contexts": contexts})
        yield len(paths)
        for path in paths:
            yield 0xFF00, dcmread(path)


@contextmanager
def serving(
    archive: FakeArchive,
    *,
    callers: Sequence[str] = (),
    ssl_context: ssl.SSLContext | None = None,
) -> Iterator[int]:
    """Run an archive; yields its port."""
    quiet.silence_libraries()
    entity = AE(ae_title=TITLE)
    entity.require_called_aet = True
    entity.acse_timeout = 3  # a peer that says nothing is waited for so long
    entity.require_calling_aet = list(callers)
    entity.add_supported_context(VERIFICATION)
    entity.add_supported_context(STUDY_ROOT_FIND)
    entity.add_supported_context(STUDY_ROOT_MOVE)
    if archive.offers_get:
        entity.add_supported_context(STUDY_ROOT_GET)
    if archive.takes_storage:
        for kind in KINDS:
            entity.add_supported_context(kind, SYNTAXES, scp_role=True, scu_role=True)
    server = entity.make_server(
        ("127.0.0.1", 0),
        evt_handlers=archive.handlers(),
        ssl_context=ssl_context,
        server_class=ThreadedAssociationServer,
    )
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        BaseServer.shutdown(server)  # that of the library wants to have been started otherwise
        server.server_close()
        thread.join(PATIENCE_S)
        for association in server.active_associations:
            quiet.cut(association)  # or it would wait for what its peer does not say
            association.kill()
            association.join(PATIENCE_S)


def cut(event: evt.Event, *, with_abort: bool) -> None:
    """End a connection, with a word (A-ABORT) or without, from within a handler."""
    wrapped = event.assoc.dul.socket
    if wrapped is not None and wrapped.socket is not None:
        with suppress(OSError):
            if with_abort:
                wrapped.socket.sendall(ABORT)
            wrapped.socket.shutdown(socket.SHUT_RDWR)


def cutting_after(count: int, *, received: bool, with_abort: bool) -> Any:
    """Return a handler that ends the connection once so many bytes went one way."""
    moved = [0]

    def handler(event: evt.Event) -> None:
        moved[0] += len(event.data)
        if moved[0] > count:
            cut(event, with_abort=with_abort)

    return (evt.EVT_DATA_RECV if received else evt.EVT_DATA_SENT, handler)


@contextmanager
def raw_server(answer: bytes = b"") -> Iterator[int]:
    """Take connections, answer what comes with these bytes and hang up, or with silence."""
    server = socket.create_server(("127.0.0.1", 0))
    taken: list[socket.socket] = []

    def accept() -> None:
        while True:
            try:
                taken.append(server.accept()[0])
            except OSError:
                return
            if answer:
                with suppress(OSError):
                    taken[-1].recv(1 << 16)
                    taken[-1].sendall(answer)
                    taken[-1].shutdown(socket.SHUT_RDWR)

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        yield server.getsockname()[1]
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join(PATIENCE_S)
        for one in taken:
            one.close()


def files_of(folder: Path) -> list[str]:
    """Return all that lies in a folder, hidden or not; nothing where there is none."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))
