"""A connection to an archive over DICOM's own protocol (PS3.8), and why there is none."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

from pynetdicom import AE, evt
from pynetdicom.association import Association
from pynetdicom.pdu_primitives import SCP_SCU_RoleSelectionNegotiation
from pynetdicom.presentation import PresentationContext
from pynetdicom.transport import AddressInformation, AssociationSocket

from calcviewer.core.errors import CalcViewerError
from calcviewer.dicom.network.arriving import discard_partial
from calcviewer.dicom.network.faults import broken, silent, unreachable
from calcviewer.dicom.network.paced import PacedQueue
from calcviewer.dicom.network.peer import DimsePeer, TlsFiles
from calcviewer.dicom.network.quiet import cut, limit_silence, silence_libraries

_LARGEST_PDU = 1 << 17
_GRACE_S = 1.0


class _ClosingSocket(AssociationSocket):
    """Closes, unlike the library's, also where the peer refused or was the first to hang up."""

    def _shutdown_socket(self) -> None:
        opened = self.socket
        super()._shutdown_socket()
        if opened is not None:
            opened.close()


class _Caller(AE):
    """Calls peers through sockets that are closed in the end."""

    def _create_socket(
        self,
        assoc: Association,
        address: AddressInformation,
        tls_args: tuple[ssl.SSLContext, str] | None,
    ) -> AssociationSocket:
        made = _ClosingSocket(assoc, address=address)
        made.tls_args = tls_args
        return made


@contextmanager
def associated(
    peer: DimsePeer,
    contexts: Sequence[PresentationContext],
    *,
    secret: str | None = None,
    roles: Sequence[SCP_SCU_RoleSelectionNegotiation] = (),
    handlers: Sequence[Any] = (),
    watched: bool = False,
) -> Iterator[Association]:
    """Connect to a peer for the time of the block; after an error in it the connection is aborted.

    Parameters
    ----------
    contexts, roles
        What is offered; at least one of the contexts is accepted inside the block.
    handlers
        ``(event, function)`` of pynetdicom, called in its threads.
    watched
        Whether somebody else looks for silence, so that a slow message is not taken for one.

    Raises
    ------
    CalcViewerError
        When there is no connection, with the reason.
    """
    silence_libraries()
    limits = peer.timeouts
    context = None if peer.tls is None else tls_context(peer.tls, secret=secret)
    ask = partial(
        _entity(peer, watched=watched).associate,
        peer.host,
        peer.port,
        contexts=list(contexts),
        ae_title=peer.ae_title,
        max_pdu=_LARGEST_PDU,
        ext_neg=list(roles),
        evt_handlers=[(evt.EVT_CONN_OPEN, limit_silence, [limits.answer_s]), *handlers],
        tls_args=None if context is None else (context, peer.host),
    )
    began = time.monotonic()
    try:
        association = ask()
        if association.is_aborted and time.monotonic() - began < limits.answer_s:
            # Who says no and hangs up may be gone before the no is read: ask for the reason again.
            _forget(association)
            association = ask()
    except OSError as error:
        raise unreachable(peer.place, error) from error
    try:
        if not association.is_established:
            raise _why_not(peer, association, context, waited_s=time.monotonic() - began)
        association.dul.to_provider_queue = PacedQueue(association.dul)
        yield association
    except (ConnectionError, RuntimeError) as error:
        # So the library calls it when there is no association any more.
        lost = not association.is_established
        break_off(association)
        if lost or isinstance(error, ConnectionError):
            raise broken(peer.place) from error
        raise
    except BaseException:
        break_off(association)
        raise
    else:
        association.acse_timeout = limits.connect_s
        association.release()
    finally:
        _forget(association)


def _forget(association: Association) -> None:
    """Leave nothing of an association that has ended."""
    association.dul.join(_GRACE_S)
    if association.dul.socket is not None:
        association.dul.socket.close()  # nobody did where its thread took what came for no DICOM
    discard_partial(association)


def _entity(peer: DimsePeer, *, watched: bool) -> _Caller:
    """Return who we are to a peer, and how long we wait for it."""
    entity = _Caller(ae_title=peer.calling_ae_title)
    entity.connection_timeout = peer.timeouts.connect_s
    entity.acse_timeout = peer.timeouts.answer_s
    entity.dimse_timeout = None if watched else peer.timeouts.answer_s
    entity.network_timeout = None  # it would end what is merely waiting for its turn
    return entity


def wake(association: Association) -> None:
    """Have what an association is used for end in its own thread, from another one.

    The library must not be told to abort from here: where a request is just begun, it would wait
    for ever for its own thread.
    """
    outgoing = association.dul.to_provider_queue
    if isinstance(outgoing, PacedQueue):
        outgoing.stop()
    association.dimse.msg_queue.put((None, None))  # whoever waits for an answer gets none
    _cut_if_stuck(association)


def break_off(association: Association) -> None:
    """Abort an association, even where the peer takes no more data."""
    stuck = _cut_if_stuck(association)
    association.abort()
    stuck.cancel()


def _cut_if_stuck(association: Association) -> threading.Timer:
    """Cut a connection in a moment, unless it ended by then."""
    timer = threading.Timer(_GRACE_S, cut, [association])
    timer.daemon = True
    timer.start()
    return timer


def tls_context(files: TlsFiles, *, secret: str | None) -> ssl.SSLContext:
    """Return how a connection is encrypted; the peer's certificate and host name are checked.

    Raises
    ------
    CalcViewerError
        When a file is missing or no PEM, or the secret does not open the key.
    """
    try:
        context = ssl.create_default_context(cafile=files.ca_file or None)
    except OSError as error:
        raise CalcViewerError(
            f"{files.ca_file} holds no certificates ({error.strerror or error}).",
            "Choose the PEM file with the certificates that vouch for the archive.",
        ) from error
    if files.certificate:
        try:
            # Never None: the library would ask for the password on the terminal, and wait.
            context.load_cert_chain(
                files.certificate, files.key or None, password=lambda: secret or ""
            )
        except OSError as error:
            raise CalcViewerError(
                f"{files.certificate} cannot be used with its key "
                f"({error.strerror or type(error).__name__}).",
                "Choose the certificate and the key that belongs to it (PEM); where the key is "
                "encrypted, its password is the secret of the peer.",
            ) from error
    return context


def _why_not(
    peer: DimsePeer, association: Association, context: ssl.SSLContext | None, *, waited_s: float
) -> CalcViewerError:
    if association.is_rejected:
        return _rejected(peer, association)
    if association.rejected_contexts and not association.accepted_contexts:
        return CalcViewerError(
            f"{peer.place} offers none of what was asked for.",
            "Ask who runs it whether our AE title may use this service.",
        )
    if waited_s >= peer.timeouts.answer_s:
        return silent(peer.place, peer.timeouts.answer_s)
    # The library keeps the reason to itself; the same once more, by hand, has the same reason.
    try:
        _knock(peer, context)
    except OSError as error:
        return unreachable(peer.place, error)
    return CalcViewerError(
        f"{peer.place} ended the connection at once.",
        "Check that the port is one for DICOM, whether the archive wants TLS there, and whether it "
        f"knows the AE title {peer.calling_ae_title}.",
    )


def _rejected(peer: DimsePeer, association: Association) -> CalcViewerError:
    answer = association.acceptor.primitive
    reason = "" if answer is None else str(answer.reason_str)
    hints = {
        "Called AE title not recognised": f"Check the AE title {peer.ae_title}.",
        "Calling AE title not recognised": f"Have our AE title {peer.calling_ae_title} entered "
        "there.",
    }
    hint = hints.get(reason, "Ask who runs it to allow our AE title, or try again later.")
    return CalcViewerError(f"{peer.place} rejected us: {reason or 'no reason given'}.", hint)


def _knock(peer: DimsePeer, context: ssl.SSLContext | None) -> None:
    """Connect and leave again; raises OSError with the reason where that fails."""
    address, seconds = (peer.host, peer.port), peer.timeouts.connect_s
    with socket.create_connection(address, timeout=seconds) as plain:
        if context is None:
            return
        with context.wrap_socket(plain, server_hostname=peer.host) as encrypted:
            # A server that wants another certificate of ours says so after the handshake.
            encrypted.settimeout(_GRACE_S)
            with suppress(TimeoutError):
                encrypted.recv(1)
