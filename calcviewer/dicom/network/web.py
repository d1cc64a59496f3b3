"""Questions to an archive over DICOMweb: QIDO-RS (PS3.18 10.6)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests
from dicomweb_client import DICOMwebClient
from pydicom.dataset import Dataset
from requests.auth import HTTPBasicAuth

from calcviewer.core.errors import CalcViewerError
from calcviewer.dicom.network.faults import broken, silent, unreachable
from calcviewer.dicom.network.matches import (
    INSTANCE_FIELDS,
    SERIES_FIELDS,
    STUDY_FIELDS,
    series_records,
    study_keys,
    study_records,
    too_many,
)
from calcviewer.dicom.network.peer import WebPeer
from calcviewer.dicom.network.query import MOST_MATCHES, SeriesRecord, StudyQuery, StudyRecord
from calcviewer.dicom.network.quiet import silence_libraries
from calcviewer.dicom.values import text, tolerant

_MOST_INSTANCES = 100_000
_REFUSALS = {
    401: ("it does not accept user and password", "Enter the user and the secret of the peer."),
    403: ("the user may not do this", "Ask who runs it to allow it."),
    404: ("there is nothing at this address", "Check the address of the DICOMweb service."),
    409: ("it does not take the object", "Its log says more."),
    413: ("the object or the answer is too large for it", "Ask who runs it to allow more."),
    503: ("it is too busy", "Try again later."),
    507: ("its storage is full", "Ask who runs it to make room."),
}


class _Session(requests.Session):
    """Sends wildcards as they are: some services (Orthanc) do not undo the escapes of a query."""

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        """Return a request with its address as RFC 3986 allows it."""
        prepared = super().prepare_request(request)
        address, mark, query = (prepared.url or "").partition("?")
        prepared.url = address + mark + query.replace("%2A", "*").replace("%3F", "?")
        return prepared


@dataclass(frozen=True, eq=False)
class WebService:
    """A service one is connected to; ``timeout`` is for connecting and for reading, s."""

    url: str
    session: requests.Session
    queries: DICOMwebClient
    timeout: tuple[float, float]


def echo(peer: WebPeer, *, secret: str | None) -> None:
    """See `archive.echo`."""
    with connected(peer, secret=secret) as service:
        _asked(service.queries.search_for_studies(limit=1))


def find_studies(
    peer: WebPeer, query: StudyQuery, *, secret: str | None
) -> tuple[StudyRecord, ...]:
    """See `archive.find_studies`."""
    keys = {name: _unescaped(value) for name, value in study_keys(query).items()}
    with connected(peer, secret=secret) as service, tolerant():
        found = service.queries.search_for_studies(
            search_filters=keys, fields=STUDY_FIELDS, limit=MOST_MATCHES + 1
        )
        if len(found) > MOST_MATCHES:
            raise too_many(peer.place)
        return study_records(_asked(found))


def find_series(peer: WebPeer, study_uid: str, *, secret: str | None) -> tuple[SeriesRecord, ...]:
    """See `archive.find_series`."""
    with connected(peer, secret=secret) as service, tolerant():
        found = service.queries.search_for_series(
            study_uid, fields=SERIES_FIELDS, limit=MOST_MATCHES
        )
        return series_records(_asked(found), study_uid)


def instances_in(
    service: WebService, study_uid: str, series_uid: str | None
) -> tuple[tuple[str, str], ...]:
    """Return (series UID, SOP Instance UID) of the objects in a study, or in one series of it."""
    found = service.queries.search_for_instances(
        study_uid, series_uid, fields=INSTANCE_FIELDS, limit=_MOST_INSTANCES
    )
    with tolerant():
        return tuple(
            (text(one, "SeriesInstanceUID"), text(one, "SOPInstanceUID")) for one in _asked(found)
        )


@contextmanager
def connected(peer: WebPeer, *, secret: str | None) -> Iterator[WebService]:
    """Talk to a peer for the time of the block; its failures become `CalcViewerError`."""
    silence_libraries()
    with _Session() as session:
        # Proxies, passwords and authorities come from the settings of the peer and nowhere else.
        session.trust_env = False
        session.verify = peer.ca_file or True
        if peer.user:
            session.auth = HTTPBasicAuth(peer.user.encode(), (secret or "").encode())
        try:
            timeout = (peer.timeouts.connect_s, peer.timeouts.answer_s)
            url = peer.url.rstrip("/")
            queries = DICOMwebClient(url, session=session, timeout=timeout)
            queries.set_http_retry_params(retry=False)
            yield WebService(url, session, queries, timeout)
        except requests.RequestException as error:
            # Its text holds the whole query, and with it perhaps a name.
            raise fault(peer, error) from None
        except ValueError as error:
            raise no_service(peer) from error
        except OSError as error:
            if str(error).startswith("Could not find a suitable TLS CA certificate bundle"):
                raise CalcViewerError(
                    f"{peer.ca_file} is not there.",
                    "Choose the PEM file with the certificates that vouch for the archive.",
                ) from error
            raise


def fault(peer: WebPeer, error: requests.RequestException) -> CalcViewerError:
    """Return the error for a request that failed."""
    if error.response is not None:
        return refused(peer, error.response.status_code)
    if isinstance(error, requests.ReadTimeout):
        return silent(peer.place, peer.timeouts.answer_s)
    if isinstance(error, requests.JSONDecodeError):
        return no_service(peer)
    root = _root(error)
    if root is None:
        return broken(peer.place)
    return unreachable(peer.place, root)


def refused(peer: WebPeer, status: int) -> CalcViewerError:
    """Return the error for an HTTP status that is no success."""
    reason, hint = _REFUSALS.get(status, ("the request failed there", "Its log says more."))
    return CalcViewerError(f"{peer.place} refused: {reason} (HTTP {status}).", hint)


def no_service(peer: WebPeer) -> CalcViewerError:
    """Return the error for an answer that is none of DICOMweb."""
    return CalcViewerError(
        f"{peer.place} does not answer as a DICOMweb service.",
        "Check the address of the DICOMweb service.",
    )


def _root(error: BaseException) -> OSError | None:
    """Return the system's error behind one of the library, which wraps it several times."""
    seen: list[BaseException] = []
    found: OSError | None = None
    current: BaseException | None = error
    while current is not None and current not in seen:
        seen.append(current)
        if isinstance(current, OSError) and not isinstance(current, requests.RequestException):
            found = current
        current = current.__cause__ or current.__context__
    return found


def _unescaped(value: str) -> str:
    """Return a query with wildcards in place of the characters that would be escaped."""
    return re.sub(r"[^\x00-\x7f]+", "*", re.sub(r"[^\w.*?-]", "?", value))


def _asked(answers: Sequence[dict[str, Any]]) -> tuple[Dataset, ...]:
    """Return answers in DICOM JSON (PS3.18 F) as data sets.

    Raises
    ------
    ValueError
        When they are something else.
    """
    try:
        return tuple(Dataset.from_json(one) for one in answers)
    except Exception as error:  # arbitrary JSON makes the parser fail in arbitrary ways
        raise ValueError("no DICOM JSON") from error
