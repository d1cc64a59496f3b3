"""How the network libraries behave here: silent, sparing with memory, never waiting for ever."""

from __future__ import annotations

import logging
import socket
from contextlib import suppress

from pynetdicom import _config, evt
from pynetdicom.association import Association

_TALKATIVE = (
    "pynetdicom",
    "dicomweb_client",
    "urllib3",
    "requests",
    "retrying",
    "charset_normalizer",
)


def silence_libraries() -> None:
    """Keep what the libraries log to themselves, and let objects pass through files.

    Their messages hold queries and answers, which name patients. Failures reach people as
    `CalcViewerError` instead.
    """
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    _config.LOG_HANDLER_LEVEL = "none"
    _config.LOG_REQUEST_IDENTIFIERS = _config.LOG_RESPONSE_IDENTIFIERS = False
    # A pullback is one object of up to some GB.
    _config.STORE_SEND_CHUNKED_DATASET = _config.STORE_RECV_CHUNKED_DATASET = True


def limit_silence(event: evt.Event, seconds: float) -> None:
    """Let a connection fail where its peer neither sends nor takes a byte for this long.

    Handler of EVT_CONN_OPEN: the library itself would wait without end in the middle of a message.
    """
    wrapped = event.assoc.dul.socket
    if wrapped is not None and wrapped.socket is not None:
        wrapped.socket.settimeout(seconds)


def close_accepted(event: evt.Event) -> None:
    """Close the socket of a connection that was accepted, in the end.

    Handler of EVT_CONN_OPEN: the library forgets it where the peer was the first to hang up. Who
    calls does not need this: the sockets of `association.associated` close by themselves.
    """
    wrapped = event.assoc.dul.socket
    if wrapped is not None and wrapped.socket is not None:
        opened = wrapped.socket
        event.assoc.bind(evt.EVT_CONN_CLOSE, lambda _: opened.close())


def cut(association: Association) -> None:
    """End a connection without a word, from any thread."""
    wrapped = association.dul.socket
    opened = None if wrapped is None else wrapped.socket
    if opened is not None:
        with suppress(OSError):
            opened.shutdown(socket.SHUT_RDWR)
