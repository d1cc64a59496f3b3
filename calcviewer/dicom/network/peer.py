"""Who is at the other end: the address of an archive and how it is spoken to."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TypeAlias
from urllib.parse import urlsplit

from calcviewer.core.errors import CalcViewerError

OWN_AE_TITLE = "CALCVIEWER"
LOOPBACK, RECEIVER_PORT = "127.0.0.1", 11112
"""Where our own receiver listens unless it is told otherwise: only this computer reaches it."""

QUOTA_BYTES = 20 * 10**9
"""What the inbox of the receiver may hold unless it is told otherwise."""

_AE_TITLE = re.compile(r"[ -\[\]-~]{1,16}")
_HOST = re.compile(r"[^\s/@]{1,253}")


@dataclass(frozen=True, kw_only=True)
class Timeouts:
    """How long a silent peer is waited for, in seconds.

    Parameters
    ----------
    connect_s
        For the connection, and again for the peer to accept it.
    answer_s
        For an answer, or during a transfer for its next byte.
    """

    connect_s: float = 5.0
    answer_s: float = 30.0

    def __post_init__(self) -> None:
        if not (0 < self.connect_s <= 3600 and 0 < self.answer_s <= 3600):
            raise CalcViewerError(
                "A timeout is not between 0 and 3600 seconds.", "Correct the timeouts of the peer."
            )


@dataclass(frozen=True, kw_only=True)
class TlsFiles:
    """Files (PEM) for an encrypted DICOM connection.

    Parameters
    ----------
    ca_file
        Certificates that vouch for the peer; empty: those the system trusts.
    certificate, key
        Our own, where the peer wants to know us; the key may be encrypted, its password is the
        secret of the peer.
    """

    ca_file: str = ""
    certificate: str = ""
    key: str = ""


@dataclass(frozen=True, kw_only=True)
class DimsePeer:
    """An archive that speaks DICOM over its own protocol (PS3.7, PS3.8).

    Parameters
    ----------
    name
        What the operator calls it.
    ae_title, calling_ae_title
        The peer's application entity title and ours, 1-16 characters.
    tls
        None: not encrypted.

    Raises
    ------
    CalcViewerError
        When a value cannot be one of a peer.
    """

    name: str
    ae_title: str
    host: str
    port: int
    calling_ae_title: str = OWN_AE_TITLE
    tls: TlsFiles | None = None
    timeouts: Timeouts = field(default_factory=Timeouts)

    def __post_init__(self) -> None:
        _check_name(self.name)
        check_ae_title(self.ae_title)
        check_ae_title(self.calling_ae_title)
        check_address(self.host, self.port)

    @property
    def takes_secret(self) -> bool:
        """Whether a secret (the password of our key) can be needed."""
        return self.tls is not None and bool(self.tls.certificate)

    @property
    def place(self) -> str:
        """The peer as people write it."""
        return f"{self.ae_title}@{self.host}:{self.port}"


@dataclass(frozen=True, kw_only=True)
class WebPeer:
    """An archive that speaks DICOMweb (PS3.18).

    Parameters
    ----------
    name
        What the operator calls it.
    url
        Of the service, below which ``studies`` lies: ``https://archive.example/dicom-web``.
    user
        For basic authentication with the peer's secret; empty: none.
    ca_file
        Certificates (PEM) that vouch for the peer; empty: a common set of authorities.

    Raises
    ------
    CalcViewerError
        When a value cannot be one of a peer.
    """

    name: str
    url: str
    user: str = ""
    ca_file: str = ""
    timeouts: Timeouts = field(default_factory=Timeouts)

    def __post_init__(self) -> None:
        _check_name(self.name)
        _check_url(self.url)

    @property
    def takes_secret(self) -> bool:
        """Whether a secret (the user's password) is needed."""
        return bool(self.user)

    @property
    def place(self) -> str:
        """The peer as people write it."""
        return self.url


Peer: TypeAlias = DimsePeer | WebPeer


def check_ae_title(title: str) -> None:
    """Raise CalcViewerError when a text is no application entity title (PS3.5, VR AE)."""
    if not _AE_TITLE.fullmatch(title) or not title.strip():
        raise CalcViewerError(
            f"{title!r} is no AE title.",
            "An AE title has 1 to 16 characters: letters, digits, and signs but the backslash.",
        )


def check_address(host: str, port: int) -> None:
    """Raise CalcViewerError when host or port cannot be one."""
    if not _HOST.fullmatch(host):
        raise CalcViewerError(f"{host!r} is no host.", "Give a host name or an IP address.")
    if isinstance(port, bool) or not 1 <= port <= 65535:
        raise CalcViewerError(f"{port} is no port.", "Give a port between 1 and 65535.")


def _check_name(name: str) -> None:
    if not name.strip() or name != name.strip() or not name.isprintable() or len(name) > 64:
        raise CalcViewerError(
            f"{name!r} cannot be the name of a peer.", "Give it a short name, such as PACS."
        )


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        right = parts.scheme in ("http", "https") and bool(parts.hostname)
        right = right and parts.port != 0 and not (parts.query or parts.fragment)
    except ValueError:
        right, parts = False, None
    if not right or re.search(r"\s", url):
        raise CalcViewerError(
            f"{url!r} is no address of a DICOMweb service.",
            "Give it like https://archive.example/dicom-web.",
        )
    if parts is not None and "@" in parts.netloc:
        # An address is kept in a file and shown; a password is neither.
        raise CalcViewerError(
            "The address of a DICOMweb service must not hold a user or password.",
            "Enter the user on its own; the password goes to the keyring.",
        )
