"""Objects from and to an archive over DICOMweb: WADO-RS and STOW-RS (PS3.18 10.4, 10.5).

Bodies are streamed between file and connection. The client library would hold every object in
memory more than once, and parse and encode it again, so that what arrives is not what was sent.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import requests
from pydicom.dataset import Dataset

from calcviewer.core.errors import CalcViewerError
from calcviewer.dicom.network.arrived import identity_of_file, is_uid
from calcviewer.dicom.network.contexts import contexts_to_send
from calcviewer.dicom.network.faults import broken, damaged, silent, unknown_study, unwritable
from calcviewer.dicom.network.multipart import CHUNK_BYTES, Enclosed, boundary_of, first_part
from calcviewer.dicom.network.peer import WebPeer
from calcviewer.dicom.network.relay import Report, Transfers, relayed
from calcviewer.dicom.network.status import refusal
from calcviewer.dicom.network.web import (
    WebService,
    connected,
    instances_in,
    no_service,
    refused,
)
from calcviewer.dicom.values import tolerant

_ACCEPT = 'multipart/related; type="application/dicom"; transfer-syntax=*'


def retrieve(
    peer: WebPeer, study_uid: str, folder: Path, *, series_uid: str | None, secret: str | None
) -> Transfers:
    """Fetch objects into an empty folder; see `archive.retrieve`."""

    def work(report: Report) -> None:
        with connected(peer, secret=secret) as service:
            instances = instances_in(service, study_uid, series_uid)
            if not instances:
                raise unknown_study(peer.place)
            report.total = len(instances)
            for series, instance in instances:
                report.check()
                address = f"studies/{study_uid}/series/{series}/instances/{instance}"
                report.finished(_fetch(peer, service, address, folder / f"{instance}.dcm", report))

    return _relayed(peer, work)


def send(peer: WebPeer, paths: Sequence[Path], *, secret: str | None) -> Transfers:
    """Send files; see `archive.send`."""

    def work(report: Report) -> None:
        report.total = len(paths)
        if not contexts_to_send(paths):
            raise CalcViewerError("There is nothing to send.", "Choose DICOM files.")
        with connected(peer, secret=secret) as service:
            for path in paths:
                report.check()
                _store(peer, service, path, report)
                report.finished(path)

    return _relayed(peer, work)


def _relayed(peer: WebPeer, work: Callable[[Report], None]) -> Transfers:
    seconds = peer.timeouts.answer_s
    return relayed(work, silence_s=seconds, silent=silent(peer.place, seconds))


def _fetch(peer: WebPeer, service: WebService, address: str, target: Path, report: Report) -> Path:
    """Fetch one object into a file, whole or not at all."""
    if not is_uid(target.stem):
        raise no_service(peer)
    stage = target.with_name(f".{uuid4().hex}.part")
    answer = service.session.get(
        f"{service.url}/{address}",
        headers={"Accept": _ACCEPT, "Accept-Encoding": "identity"},
        stream=True,
        timeout=service.timeout,
    )
    with answer:
        report.stop_by(lambda: _hang_up(answer))
        if not answer.ok:
            raise refused(peer, answer.status_code)
        try:
            _receive(peer, answer, stage, report)
            if identity_of_file(stage)[1] != target.stem:
                raise damaged(peer.place)
            os.replace(stage, target)
        except requests.RequestException:
            raise
        except OSError as error:
            raise unwritable(target.parent, error) from error
        finally:
            stage.unlink(missing_ok=True)
    return target


def _hang_up(answer: requests.Response) -> None:
    """Have who reads an answer in another thread read its end now."""
    with suppress(RuntimeError, ValueError, OSError):  # it was read to its end
        answer.raw.shutdown()


def _receive(peer: WebPeer, answer: requests.Response, stage: Path, report: Report) -> None:
    chunks: Iterator[bytes] = answer.iter_content(CHUNK_BYTES)
    boundary = boundary_of(answer.headers.get("Content-Type", ""))
    try:
        with stage.open("wb") as file:
            for content in chunks if boundary is None else first_part(chunks, boundary):
                file.write(content)
                report.moved(len(content))
    except ValueError as error:
        report.check()
        raise broken(peer.place) from error


def _store(peer: WebPeer, service: WebService, path: Path, report: Report) -> None:
    body = Enclosed(path, on_bytes=report.moved)
    answer = service.session.post(
        f"{service.url}/studies",
        data=body,
        headers={"Content-Type": body.content_type, "Accept": "application/dicom+json"},
        timeout=service.timeout,
    )
    reason = _failure(answer)
    if reason is not None:
        raise refusal(peer.place, reason)
    if not answer.ok:
        raise refused(peer, answer.status_code)


def _failure(answer: requests.Response) -> int | None:
    """Return why an object was not stored (Failure Reason, PS3.18 I.2.2); None where it was."""
    try:
        with tolerant():
            said = Dataset.from_json(answer.json())
            failed = said.get("FailedSOPSequence") or []
            return int(failed[0].FailureReason) if failed else None
    except Exception:  # other servers, and errors, answer with whatever they like
        return None
