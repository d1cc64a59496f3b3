"""What the archive window does off the UI thread, each a generator for a `Task`.

The network libraries load here, in the thread, when they are first needed: the window opens at
once.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from calcviewer.app.exchange.dicom_results import ResultOptions
from calcviewer.app.pacs.inbox import inbox_folder
from calcviewer.app.pacs.peers import (
    forget_secret,
    keep_secret,
    remove_peer,
    save_peer,
    secret_of,
)
from calcviewer.app.pacs.results import Outbox
from calcviewer.app.pacs.retrieved import (
    Arrival,
    RetrievedPullback,
    arrival,
    arrivals_in,
    name_pullbacks,
    retrieved_folder,
    series_folder,
)
from calcviewer.app.results import Results
from calcviewer.app.session import IvoctStudy
from calcviewer.dicom.network.peer import Peer
from calcviewer.dicom.network.query import SeriesRecord, StudyQuery, StudyRecord, Transfer

if TYPE_CHECKING:
    from calcviewer.dicom.network.receiver import Receiver

_TICK_S = 0.25


def answered(peer: Peer, secret: str | None = None) -> Iterator[Peer]:
    """Ask a peer whether it is there and takes us; yields it when it is.

    Parameters
    ----------
    secret
        One that is not kept yet; None: the one that is kept.
    """
    from calcviewer.dicom.network import archive

    archive.echo(peer, secret=secret or secret_of(peer))
    yield peer


def studies_found(peer: Peer, query: StudyQuery) -> Iterator[tuple[StudyRecord, ...]]:
    """Yield the studies that match, the newest first."""
    from calcviewer.dicom.network import archive

    yield archive.find_studies(peer, query, secret=secret_of(peer))


def series_found(peer: Peer, study_uid: str) -> Iterator[tuple[SeriesRecord, ...]]:
    """Yield the series of a study."""
    from calcviewer.dicom.network import archive

    yield archive.find_series(peer, study_uid, secret=secret_of(peer))


def retrieved(
    peer: Peer, series: Sequence[SeriesRecord], receiver: Receiver | None = None
) -> Iterator[Transfer | tuple[RetrievedPullback, ...]]:
    """Retrieve series of one study, each into its own folder; then yield the pullbacks in them.

    ``done`` and ``total`` of what is yielded before are those of all series together; the total
    is None when the peer did not say how many objects each has.
    """
    from calcviewer.dicom.network import archive

    secret = secret_of(peer)
    counts = [one.instance_count for one in series]
    total = None if None in counts else sum(count or 0 for count in counts)
    folders = [series_folder(one.study_uid, one.series_uid) for one in series]
    retrieved_folder().mkdir(mode=0o700, parents=True, exist_ok=True)  # it names patients
    done = byte_count = 0
    for one, folder in zip(series, folders, strict=True):
        last = Transfer(0)
        for last in archive.retrieve(
            peer,
            one.study_uid,
            folder,
            series_uid=one.series_uid,
            secret=secret,
            receiver=receiver,
        ):
            known = total if len(series) > 1 else last.total or total
            yield Transfer(done + last.done, known, last.path, byte_count + last.byte_count)
        done, byte_count = done + last.done, byte_count + last.byte_count
    yield tuple(
        found
        for one, folder in zip(series, folders, strict=True)
        for found in name_pullbacks(folder, series_number=one.number)
    )


def sent(
    outbox: Outbox, study: IvoctStudy, results: Results, options: ResultOptions, peer: Peer
) -> Iterator[Transfer]:
    """Write results of a study and send them to a peer."""
    yield from outbox.send(study, results, options, peer, secret=secret_of(peer))


def receiving(
    ending: threading.Event,
    *,
    ae_title: str,
    host: str,
    port: int,
    allowed: tuple[str, ...],
) -> Iterator[Receiver | Arrival | None]:
    """Receive until it is told to end: yields the receiver when it listens, then what arrives.

    None is yielded while nothing arrives, so that the task can be ended.
    """
    from calcviewer.dicom.network.receiver import Receiver, ReceiverOptions

    arrived: queue.SimpleQueue[Path] = queue.SimpleQueue()
    options = ReceiverOptions(
        folder=inbox_folder(), allowed=allowed, ae_title=ae_title, host=host, port=port
    )
    with Receiver(options, on_stored=arrived.put) as receiver:
        yield receiver
        while not ending.is_set():
            try:
                yield arrival(arrived.get(timeout=_TICK_S))
            except queue.Empty:
                yield None


def inbox_arrivals() -> Iterator[tuple[Arrival, ...]]:
    """Yield all that lies in the inbox, the oldest first."""
    yield tuple(arrivals_in(inbox_folder()))


def secret_known(peer: Peer) -> Iterator[bool]:
    """Yield whether a secret of the peer is kept."""
    yield bool(secret_of(peer))


def peer_saved(peer: Peer, *, replaced: Peer | None, secret: str | None) -> Iterator[Peer]:
    """Keep a peer in the place of another one, or as a new one; yields it when it is kept.

    Parameters
    ----------
    secret
        A new one; None: the one of the replaced peer goes on, under the new name too.
    """
    had = replaced if replaced is not None and replaced.takes_secret else None
    if peer.takes_secret:
        if secret is None and had is not None and had.name != peer.name:
            secret = secret_of(had)
        if secret is not None:
            keep_secret(peer, secret)
    save_peer(peer, replaces=replaced.name if replaced is not None else "")
    if had is not None and not (peer.takes_secret and peer.name == had.name):
        forget_secret(had)
    yield peer


def peer_removed(peer: Peer) -> Iterator[Peer]:
    """Forget a peer and its secret; yields it when that is done."""
    remove_peer(peer.name)
    yield peer
