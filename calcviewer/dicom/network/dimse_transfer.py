"""Objects from and to an archive over DICOM's own protocol: C-GET, C-MOVE, C-STORE (PS3.4 B, C)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

from pydicom.dataset import Dataset
from pynetdicom import build_context, evt
from pynetdicom.association import Association

from calcviewer.core.errors import CalcViewerError
from calcviewer.dicom.network import dimse
from calcviewer.dicom.network.arrived import drop_event, place_event, study_of_event
from calcviewer.dicom.network.arriving import arrive_in
from calcviewer.dicom.network.association import associated, wake
from calcviewer.dicom.network.contexts import (
    STUDY_ROOT_GET,
    STUDY_ROOT_MOVE,
    USUAL_CLASSES,
    contexts_to_receive,
    contexts_to_send,
)
from calcviewer.dicom.network.faults import broken, damaged, silent, unknown_study, unwritable
from calcviewer.dicom.network.peer import DimsePeer
from calcviewer.dicom.network.receiver import Receiver
from calcviewer.dicom.network.relay import Report, StoppedError, Transfers, relayed
from calcviewer.dicom.network.status import (
    OUT_OF_RESOURCES,
    SUCCESS,
    UNREADABLE,
    UndeliveredError,
    pending,
    refusal_of,
    succeeded,
)

_Answers: TypeAlias = Iterator[tuple[Dataset, Dataset | None]]


def retrieve(
    peer: DimsePeer,
    study_uid: str,
    folder: Path,
    *,
    series_uid: str | None,
    secret: str | None,
    receiver: Receiver | None,
) -> Transfers:
    """Fetch objects into an empty folder; see `archive.retrieve`."""

    def work(report: Report) -> None:
        classes = dimse.classes_in(peer, study_uid, series_uid=series_uid, secret=secret)
        report.check()
        wanted = _wanted(study_uid, series_uid)
        if not _get(peer, wanted, folder, report, classes=classes or USUAL_CLASSES, secret=secret):
            _move(peer, wanted, folder, report, secret=secret, receiver=receiver)

    return _relayed(peer, work)


def send(peer: DimsePeer, paths: Sequence[Path], *, secret: str | None) -> Transfers:
    """Send files; see `archive.send`."""

    def work(report: Report) -> None:
        report.total = len(paths)
        contexts = contexts_to_send(paths)
        if not contexts:
            raise CalcViewerError("There is nothing to send.", "Choose DICOM files.")
        handlers = [(evt.EVT_DATA_SENT, lambda event: _count(report, len(event.data)))]
        with associated(
            peer, contexts, secret=secret, handlers=handlers, watched=True
        ) as association:
            report.stop_by(lambda: wake(association))
            for path in paths:
                report.check()
                _store(peer, association, path)
                report.finished(path)

    return _relayed(peer, work)


def _relayed(peer: DimsePeer, work: Callable[[Report], None]) -> Transfers:
    seconds = peer.timeouts.answer_s
    return relayed(work, silence_s=seconds, silent=silent(peer.place, seconds))


def _wanted(study_uid: str, series_uid: str | None) -> Dataset:
    wanted = Dataset()
    wanted.QueryRetrieveLevel = "STUDY" if series_uid is None else "SERIES"
    wanted.StudyInstanceUID = study_uid
    if series_uid is not None:
        wanted.SeriesInstanceUID = series_uid
    return wanted


def _count(report: Report, count: int) -> None:
    """Count bytes in a thread of the library, where nothing may be raised."""
    try:
        report.moved(count)
    except StoppedError:
        pass


def _get(
    peer: DimsePeer,
    wanted: Dataset,
    folder: Path,
    report: Report,
    *,
    classes: Sequence[str],
    secret: str | None,
) -> bool:
    """Fetch over the association itself (C-GET); returns False where the peer does not offer it."""
    faults: list[CalcViewerError] = []
    handlers = [
        (evt.EVT_C_STORE, _storing(peer, folder, report, faults=faults)),
        (evt.EVT_DATA_RECV, lambda event: _count(report, len(event.data))),
    ]
    contexts, roles = contexts_to_receive(classes, beside=1)
    with associated(
        peer,
        [build_context(STUDY_ROOT_GET), *contexts],
        secret=secret,
        roles=roles,
        handlers=handlers,
        watched=True,
    ) as association:
        report.stop_by(lambda: wake(association))
        arrive_in(
            association, folder, on_fault=lambda error: faults.append(unwritable(folder, error))
        )
        if not any(one.abstract_syntax == STUDY_ROOT_GET for one in association.accepted_contexts):
            return False
        _follow(peer, association.send_c_get(wanted, STUDY_ROOT_GET), report, faults)
    return True


def _storing(
    peer: DimsePeer, folder: Path, report: Report, *, faults: list[CalcViewerError]
) -> Callable[[evt.Event], int]:
    """Return the handler of objects that come in, which tells what goes wrong to ``faults``."""

    def on_store(event: evt.Event) -> int:
        try:
            if study_of_event(event) is None:
                faults.append(damaged(peer.place))
                return UNREADABLE
            report.finished(place_event(event, folder))
            return SUCCESS
        except OSError as error:
            faults.append(unwritable(folder, error))
            return OUT_OF_RESOURCES
        finally:
            drop_event(event)

    return on_store


def _move(
    peer: DimsePeer,
    wanted: Dataset,
    folder: Path,
    report: Report,
    *,
    secret: str | None,
    receiver: Receiver | None,
) -> None:
    """Have the peer send to our own receiver (C-MOVE)."""
    if receiver is None or not receiver.running:
        raise CalcViewerError(
            f"{peer.place} hands nothing over on a connection of ours (no C-GET).",
            "Turn the receiver on and have it entered there, or use DICOMweb.",
        )
    expecting = receiver.expecting(
        wanted.StudyInstanceUID,
        folder,
        on_stored=report.finished,
        on_bytes=lambda count: _count(report, count),
    )
    with (
        expecting,
        associated(
            peer, [build_context(STUDY_ROOT_MOVE)], secret=secret, watched=True
        ) as association,
    ):
        report.stop_by(lambda: wake(association))
        title = receiver.options.ae_title
        _follow(peer, association.send_c_move(wanted, title, STUDY_ROOT_MOVE), report, [])


def _follow(
    peer: DimsePeer, answers: _Answers, report: Report, faults: list[CalcViewerError]
) -> None:
    """Follow the answers of a retrieval to the last one.

    Raises
    ------
    CalcViewerError
        When it failed; UndeliveredError when all but some objects came.
    """
    for status, _ in answers:
        if "Status" not in status and not faults:
            report.check()
            raise broken(peer.place)
        if faults:
            raise faults[0]
        counts = [int(status.get(f"NumberOf{one}Suboperations") or 0) for one in _COUNTS]
        if any(counts):
            report.total = sum(counts)
        if pending(status):
            continue
        failed = counts[_COUNTS.index("Failed")]
        if report.done and failed:
            raise UndeliveredError(
                f"{peer.place} handed over {report.done} of {report.done + failed} objects.",
                "It may not pass on objects of that kind; retrieve the series you need alone.",
            )
        if failed or not succeeded(status):
            raise refusal_of(peer.place, status)
    if not report.done:
        raise unknown_study(peer.place)


_COUNTS = ("Remaining", "Completed", "Failed", "Warning")


def _store(peer: DimsePeer, association: Association, path: Path) -> None:
    try:
        status = association.send_c_store(path)
    except ValueError as error:  # no context was accepted in which the file could go as it is
        raise CalcViewerError(
            f"{peer.place} does not take the kind of object, or the encoding, of {path.name}.",
            "Ask who runs it to allow both; the others before it were sent.",
        ) from error
    if "Status" not in status:
        raise broken(peer.place)
    if not succeeded(status):
        raise refusal_of(peer.place, status)
