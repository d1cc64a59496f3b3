"""Why there is no connection to an archive, or no longer one, in words for people."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

from calcviewer.core.errors import CalcViewerError


def broken(place: str) -> CalcViewerError:
    """Return the error for a connection that ended before its purpose was reached."""
    return CalcViewerError(
        f"{place} broke the connection off.", "Nothing half-stored was left. Try again."
    )


def silent(place: str, answer_s: float) -> CalcViewerError:
    """Return the error for a peer that says nothing any more."""
    return CalcViewerError(
        f"{place} did not answer for {answer_s:g} s.",
        "Try again, or allow it more time in the settings of the peer.",
    )


def unreachable(place: str, error: OSError) -> CalcViewerError:
    """Return the error for a peer to which there is no connection."""
    if isinstance(error, ssl.SSLError):
        return _untrusted(place, error)
    if isinstance(error, socket.gaierror):
        return CalcViewerError(
            f"The host of {place} is not known here.", "Check its name, and the network."
        )
    if isinstance(error, TimeoutError):
        return CalcViewerError(
            f"{place} cannot be reached (no answer).", "Check host, port, network and firewall."
        )
    if isinstance(error, ConnectionRefusedError):
        return CalcViewerError(
            f"{place} cannot be reached: nothing listens there.",
            "Check host and port, and whether the archive runs.",
        )
    return CalcViewerError(
        f"{place} cannot be reached ({error.strerror or type(error).__name__}).",
        "Check host, port and network.",
    )


def unknown_study(place: str) -> CalcViewerError:
    """Return the error for a study or series that is not there."""
    return CalcViewerError(
        f"{place} knows no such study or series.", "Query the archive again; it may have moved."
    )


def damaged(place: str) -> CalcViewerError:
    """Return the error for an object that is not what it should be."""
    return CalcViewerError(
        f"{place} handed over a damaged object, or another than it announced.",
        "Try again; its log may say more.",
    )


def unwritable(folder: Path, error: OSError) -> CalcViewerError:
    """Return the error for objects that find no place here."""
    return CalcViewerError(
        f"What was retrieved cannot be written into {folder.parent} ({error.strerror or error}).",
        "Make room, or choose another folder, and try again.",
    )


def _untrusted(place: str, error: ssl.SSLError) -> CalcViewerError:
    if isinstance(error, ssl.SSLCertVerificationError):
        return CalcViewerError(
            f"The certificate of {place} is not trusted ({error.verify_message}).",
            "Choose the file with the certificates that vouch for the archive, and give its host "
            "as the certificate names it.",
        )
    return CalcViewerError(
        f"No encrypted connection to {place} ({error.reason or 'TLS failed'}).",
        "Check whether the archive wants TLS at this port, and a certificate of ours.",
    )
