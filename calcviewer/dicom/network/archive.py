"""What can be asked of an archive, one function a verb, whatever protocol it speaks.

Every verb raises `CalcViewerError` with the reason and what to do where the peer is not reached,
turns us away, breaks off or stays silent for longer than its timeouts. ``secret`` is the password
of the peer's user, or of our own key where that is encrypted.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from datetime import date, time
from pathlib import Path

from calcviewer.core.atomic import staged_folder
from calcviewer.dicom.network import dimse, dimse_transfer, web, web_transfer
from calcviewer.dicom.network.peer import DimsePeer, Peer
from calcviewer.dicom.network.query import SeriesRecord, StudyQuery, StudyRecord, Transfer
from calcviewer.dicom.network.receiver import Receiver
from calcviewer.dicom.network.relay import Transfers
from calcviewer.dicom.network.status import UndeliveredError


def echo(peer: Peer, *, secret: str | None = None) -> None:
    """Ask a peer whether it is there and takes us: C-ECHO, or a query over the web."""
    if isinstance(peer, DimsePeer):
        dimse.echo(peer, secret=secret)
    else:
        web.echo(peer, secret=secret)


def find_studies(
    peer: Peer, query: StudyQuery, *, secret: str | None = None
) -> tuple[StudyRecord, ...]:
    """Return the studies that match, the newest first.

    Raises
    ------
    CalcViewerError
        Also when there are more than `MOST_MATCHES`.
    """
    if isinstance(peer, DimsePeer):
        found = dimse.find_studies(peer, query, secret=secret)
    else:
        found = web.find_studies(peer, query, secret=secret)
    return tuple(sorted(found, key=_when, reverse=True))


def find_series(
    peer: Peer, study_uid: str, *, secret: str | None = None
) -> tuple[SeriesRecord, ...]:
    """Return the series of a study by their number; none where the peer does not know the study."""
    if isinstance(peer, DimsePeer):
        found = dimse.find_series(peer, study_uid, secret=secret)
    else:
        found = web.find_series(peer, study_uid, secret=secret)
    return tuple(sorted(found, key=lambda one: (one.number is None, one.number, one.series_uid)))


def retrieve(
    peer: Peer,
    study_uid: str,
    folder: Path,
    *,
    series_uid: str | None = None,
    secret: str | None = None,
    receiver: Receiver | None = None,
) -> Transfers:
    """Fetch the objects of a study, or of one series of it, into a folder.

    Files are called after their SOP Instance UID and hold the objects as the peer keeps them. They
    are in ``folder`` once the iterator is exhausted: paths yielded before say where they will be.
    Closing the iterator early breaks the transfer off. That, and every failure but one, leaves
    ``folder`` as it was.

    Parameters
    ----------
    receiver
        A running receiver that the peer knows, for peers that send but are not asked to hand over
        (C-MOVE where C-GET is not offered).

    Raises
    ------
    UndeliveredError
        When the peer could not hand over some objects; the others are in ``folder`` then.
    """
    with staged_folder(folder) as stage:
        if isinstance(peer, DimsePeer):
            transfers = dimse_transfer.retrieve(
                peer, study_uid, stage, series_uid=series_uid, secret=secret, receiver=receiver
            )
        else:
            transfers = web_transfer.retrieve(
                peer, study_uid, stage, series_uid=series_uid, secret=secret
            )
        missing = None
        with closing(transfers):  # before what it writes to is removed
            try:
                for transfer in transfers:
                    yield _as_in(folder, transfer)
            except UndeliveredError as error:
                missing = error
    if missing is not None:
        raise missing


def send(peer: Peer, paths: Sequence[Path], *, secret: str | None = None) -> Transfers:
    """Send DICOM files to a peer as they are, in their own transfer syntax.

    Closing the iterator early breaks off; objects it yielded a path for are with the peer.
    """
    if isinstance(peer, DimsePeer):
        return dimse_transfer.send(peer, paths, secret=secret)
    return web_transfer.send(peer, paths, secret=secret)


def _when(study: StudyRecord) -> tuple[date, time]:
    return (study.date or date.min, study.time or time.min)


def _as_in(folder: Path, transfer: Transfer) -> Transfer:
    """Return a transfer that names its file where it will lie, not where it was staged."""
    return (
        transfer if transfer.path is None else replace(transfer, path=folder / transfer.path.name)
    )
