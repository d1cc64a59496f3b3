"""A DICOMweb service of our own on the loopback, that can be told to fail in every way."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from pydicom import dcmread
from pydicom.dataset import Dataset

from calcviewer.dicom.network.peer import Timeouts, WebPeer
from tests.patience import PATIENCE_S

_FIELDS = (
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "SOPInstanceUID",
    "SOPClassUID",
    "PatientName",
    "PatientID",
    "StudyDate",
    "Modality",
)
BOUNDARY = "a boundary"


@dataclass
class WebArchive:
    """Answers queries and hands over from files; what it is sent it keeps.

    Parameters
    ----------
    override
        Given the request and its path; returns whether it answered it.
    """

    files: Sequence[Path] = ()
    override: Callable[[BaseHTTPRequestHandler, str], bool] = lambda request, path: False
    stored: list[bytes] = field(default_factory=list)
    requests: list[tuple[str, str | None]] = field(default_factory=list)

    def answer_get(self, request: BaseHTTPRequestHandler) -> None:
        path, _, _ = request.path.partition("?")
        parts = path.strip("/").split("/")
        if parts[-2] == "instances":
            (file,) = [one for one in self.files if _held(one).SOPInstanceUID == parts[-1]]
            reply(request, multipart(file.read_bytes()), kind=_MULTIPART)
            return
        found = [_held(one) for one in self.files]
        if len(parts) > 1 and parts[1] != "studies":
            found = [one for one in found if parts[1] == one.StudyInstanceUID]
        reply(request, json.dumps([_answer(one).to_json_dict() for one in found]).encode())

    def answer_post(self, request: BaseHTTPRequestHandler) -> None:
        self.stored.append(request.rfile.read(int(request.headers["Content-Length"])))
        reply(request, b"{}")


_MULTIPART = f'multipart/related; type="application/dicom"; boundary="{BOUNDARY}"'


def multipart(content: bytes) -> bytes:
    """Return a message with one part."""
    head = f"--{BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode()
    return head + content + f"\r\n--{BOUNDARY}--\r\n".encode()


def reply(
    request: BaseHTTPRequestHandler,
    content: bytes,
    *,
    status: int = 200,
    kind: str = "application/dicom+json",
    announced: int | None = None,
) -> None:
    """Answer a request; ``announced`` is a length that is not true."""
    request.send_response(status)
    request.send_header("Content-Type", kind)
    request.send_header("Content-Length", str(len(content) if announced is None else announced))
    request.end_headers()
    request.wfile.write(content)


@contextmanager
def web_serving(archive: WebArchive, *, ssl_context: ssl.SSLContext | None = None) -> Iterator[int]:
    """Run a service; yields its port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 0.2

        def do_GET(self) -> None:
            self._answer(archive.answer_get)

        def do_POST(self) -> None:
            self._answer(archive.answer_post)

        def _answer(self, usual: Callable[[BaseHTTPRequestHandler], None]) -> None:
            archive.requests.append((self.path, self.headers.get("Authorization")))
            try:
                if not archive.override(self, self.path):
                    usual(self)
            except OSError:
                self.close_connection = True

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            pass

    server = Server(("127.0.0.1", 0), Handler)
    if ssl_context is not None:
        server.socket = ssl_context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join(PATIENCE_S)


def web_peer(port: int, **changes: Any) -> WebPeer:
    values: dict[str, Any] = {
        "name": "test",
        "url": f"http://127.0.0.1:{port}/dicom-web",
        "timeouts": Timeouts(connect_s=5, answer_s=10),
    }
    return WebPeer(**{**values, **changes})


def _held(path: Path) -> Dataset:
    return dcmread(path, stop_before_pixels=True)


def _answer(held: Dataset) -> Dataset:
    answer = Dataset()
    for name in _FIELDS:
        setattr(answer, name, held.get(name))
    answer.ModalitiesInStudy = ["IVOCT"]
    return answer
