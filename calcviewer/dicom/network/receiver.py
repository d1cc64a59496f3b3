"""A place that archives can send objects to (C-STORE SCP, PS3.4 B.2.2); off until it is started."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pynetdicom import AE, ALL_TRANSFER_SYNTAXES, AllStoragePresentationContexts, evt
from pynetdicom.association import Association

from calcviewer.core.errors import CalcViewerError
from calcviewer.dicom.network.arrived import drop_event, place_event, study_of_event
from calcviewer.dicom.network.arriving import arrive_in, discard_partial, discard_stale
from calcviewer.dicom.network.contexts import VERIFICATION
from calcviewer.dicom.network.peer import (
    LOOPBACK,
    OWN_AE_TITLE,
    QUOTA_BYTES,
    RECEIVER_PORT,
    Timeouts,
    check_address,
    check_ae_title,
)
from calcviewer.dicom.network.quiet import (
    close_accepted,
    cut,
    limit_silence,
    silence_libraries,
)
from calcviewer.dicom.network.status import OUT_OF_RESOURCES, SUCCESS, UNREADABLE

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class ReceiverOptions:
    """Where objects are taken from whom, and how much of them.

    Parameters
    ----------
    folder
        The inbox: one file an object, called after its SOP Instance UID.
    allowed
        AE titles that may send; whoever else calls, or calls us by another title, is turned away.
    host
        Address that is listened on; other machines reach it only where it is not the loopback.
    quota_bytes
        What the inbox may hold; beyond that objects are refused with "out of resources".

    Raises
    ------
    CalcViewerError
        When a value is impossible, or nobody is allowed.
    """

    folder: Path
    allowed: tuple[str, ...]
    ae_title: str = OWN_AE_TITLE
    host: str = LOOPBACK
    port: int = RECEIVER_PORT
    quota_bytes: int = QUOTA_BYTES
    timeouts: Timeouts = field(default_factory=Timeouts)

    def __post_init__(self) -> None:
        for title in (self.ae_title, *self.allowed):
            check_ae_title(title)
        check_address(self.host, self.port)
        if not self.allowed:
            raise CalcViewerError(
                "Nobody is allowed to send to the receiver.",
                "Name the AE titles that may send, for example that of the archive.",
            )
        if self.quota_bytes <= 0:
            raise CalcViewerError("The receiver's inbox has no room.", "Give it a larger quota.")


@dataclass(frozen=True)
class _Expected:
    folder: Path
    on_stored: Callable[[Path], None]
    on_bytes: Callable[[int], None]


class Receiver:
    """Takes objects while it is started, in threads of its own; a context manager.

    Parameters
    ----------
    on_stored
        Called with each file that lies in the inbox, in a thread of the receiver.
    """

    def __init__(
        self, options: ReceiverOptions, *, on_stored: Callable[[Path], None] | None = None
    ) -> None:
        self.options = options
        self._on_stored = on_stored
        self._expected: dict[str, _Expected] = {}
        self._lock = threading.Lock()
        self._server: Any = None
        self._unstored: dict[Association, int] = {}

    @property
    def running(self) -> bool:
        """Whether it listens."""
        return self._server is not None

    def start(self) -> None:
        """Begin to listen.

        Raises
        ------
        CalcViewerError
            When the address is taken or not of this machine, or the inbox cannot be made.
        """
        if self.running:
            return
        silence_libraries()
        place = f"{self.options.host}:{self.options.port}"
        try:
            self.options.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            discard_stale(self.options.folder)
        except OSError as error:
            raise CalcViewerError(
                f"The inbox {self.options.folder} cannot be made ({error.strerror}).",
                "Choose another folder for the inbox.",
            ) from error
        try:
            self._server = self._entity().start_server(
                (self.options.host, self.options.port), block=False, evt_handlers=self._handlers()
            )
        except OSError as error:
            raise CalcViewerError(
                f"The receiver cannot listen on {place} ({error.strerror or error}).",
                "Choose another port, or stop the program that uses it.",
            ) from error

    def stop(self) -> None:
        """Stop listening; what is still arriving is broken off and leaves nothing."""
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            for association in server.active_associations:
                cut(association)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @contextmanager
    def expecting(
        self,
        study_uid: str,
        folder: Path,
        *,
        on_stored: Callable[[Path], None],
        on_bytes: Callable[[int], None],
    ) -> Iterator[None]:
        """Put the objects of one study into another folder than the inbox while the block runs.

        The study was asked for (C-MOVE): the inbox and its quota are for what was not. When the
        block fails, what is just arriving is broken off.
        """
        with self._lock:
            self._expected[study_uid] = _Expected(folder, on_stored, on_bytes)
        try:
            yield
        except BaseException:
            with self._lock:
                arriving = list(self._unstored)
            for association in arriving:
                cut(association)
            raise
        finally:
            with self._lock:
                self._expected.pop(study_uid, None)

    def _entity(self) -> AE:
        entity = AE(ae_title=self.options.ae_title)
        entity.require_called_aet = True
        entity.require_calling_aet = list(self.options.allowed)
        entity.acse_timeout = self.options.timeouts.connect_s
        entity.dimse_timeout = self.options.timeouts.answer_s
        entity.network_timeout = self.options.timeouts.answer_s
        entity.add_supported_context(VERIFICATION)
        for context in AllStoragePresentationContexts:
            entity.add_supported_context(str(context.abstract_syntax), ALL_TRANSFER_SYNTAXES)
        return entity

    def _handlers(self) -> list[Any]:
        return [
            (evt.EVT_CONN_OPEN, self._open),
            (evt.EVT_DATA_RECV, self._count),
            (evt.EVT_C_STORE, self._store),
            (evt.EVT_CONN_CLOSE, self._forget),
        ]

    def _open(self, event: evt.Event) -> None:
        limit_silence(event, self.options.timeouts.answer_s)
        close_accepted(event)
        arrive_in(event.assoc, self.options.folder, on_fault=_log_refusal)

    def _count(self, event: evt.Event) -> None:
        """Break a connection off that sends an object larger than the whole inbox."""
        count = len(event.data)
        with self._lock:
            expected = tuple(self._expected.values())
            unstored = self._unstored.get(event.assoc, 0) + count
            self._unstored[event.assoc] = unstored
        for one in expected:
            one.on_bytes(count)
        if not expected and unstored > self.options.quota_bytes:
            cut(event.assoc)

    def _store(self, event: evt.Event) -> int:
        with self._lock:
            self._unstored.pop(event.assoc, None)
        try:
            return self._stored(event)
        except OSError as error:
            _log_refusal(error)
            return OUT_OF_RESOURCES
        finally:
            drop_event(event)

    def _stored(self, event: evt.Event) -> int:
        study_uid = study_of_event(event)
        if study_uid is None:
            return UNREADABLE
        with self._lock:
            expected = self._expected.get(study_uid)
        if expected is not None:
            expected.on_stored(place_event(event, expected.folder))
            return SUCCESS
        with self._lock:  # one at a time: the quota holds for all connections together
            held = sum(one.stat().st_size for one in self.options.folder.glob("*.dcm"))
            if held + event.dataset_path.stat().st_size > self.options.quota_bytes:
                _LOG.warning("an object was refused: the inbox is full")
                return OUT_OF_RESOURCES
            path = place_event(event, self.options.folder)
        if self._on_stored is not None:
            self._on_stored(path)
        return SUCCESS

    def _forget(self, event: evt.Event) -> None:
        with self._lock:
            self._unstored.pop(event.assoc, None)
        discard_partial(event.assoc)


def _log_refusal(error: OSError) -> None:
    # The path in the error's text names nobody, but says where the machine keeps patients.
    _LOG.warning("an object was refused: %s", error.strerror)
