"""Secrets of peers: in the system's keyring, or for one run in the environment; never in a file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from calcviewer.core.errors import CalcViewerError
from calcviewer.dicom.network.peer import Peer, WebPeer

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

SECRET_VARIABLE = "CALCVIEWER_PACS_SECRET"
"""Environment variable that goes before the keyring, for machines that have none."""

_SERVICE = "CalcViewer PACS"
_HINT = (
    "Unlock or install a keyring (on Linux GNOME Keyring or KWallet), "
    f"or set {SECRET_VARIABLE} for one run."
)


def secret_of(peer: Peer) -> str | None:
    """Return the secret of a peer; None where it needs none, or none was entered.

    Raises
    ------
    CalcViewerError
        When the peer has a user and there is no keyring to look in.
    """
    if not peer.takes_secret:
        return None
    given = os.environ.get(SECRET_VARIABLE)
    if given is not None:
        return given
    try:
        with _keyring() as keyring:
            return keyring.get_password(_SERVICE, peer.name)
    except CalcViewerError:
        if isinstance(peer, WebPeer):
            raise
        return None  # a key may do without a password


def keep_secret(peer: Peer, secret: str) -> None:
    """Keep the secret of a peer.

    Raises
    ------
    CalcViewerError
        When there is no keyring, or it refuses.
    """
    with _keyring() as keyring:
        keyring.set_password(_SERVICE, peer.name, secret)


def forget_secret(peer: Peer) -> None:
    """Remove the secret of a peer, where there is one and a keyring to remove it from.

    Raises
    ------
    CalcViewerError
        When the keyring refuses.
    """
    with suppress(_NoKeyringHereError), _keyring() as keyring:
        if keyring.get_password(_SERVICE, peer.name) is not None:
            keyring.delete_password(_SERVICE, peer.name)


class _NoKeyringHereError(CalcViewerError):
    """There is no keyring that secrets could be in."""


@contextmanager
def _keyring() -> Iterator[KeyringBackend]:
    """Yield the system's keyring; its failures become `CalcViewerError`."""
    import keyring  # finding the system's own takes a while
    from keyring.errors import KeyringError, NoKeyringError

    backend = keyring.get_keyring()
    if any(type(one).__module__.startswith("keyrings.alt") for one in _chained(backend)):
        raise _NoKeyringHereError(
            "The keyring of this machine is a plain file, in which no secret is kept.", _HINT
        )
    try:
        yield backend
    except NoKeyringError as error:
        raise _NoKeyringHereError("There is no keyring on this machine.", _HINT) from error
    except KeyringError as error:
        raise CalcViewerError(f"The keyring refused ({type(error).__name__}).", _HINT) from error


def _chained(backend: KeyringBackend) -> list[KeyringBackend]:
    """Return the keyrings that one stands for."""
    return list(getattr(backend, "backends", [backend]))
