"""DICOMweb archives that work, and every way in which they do not."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import unquote_plus

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from calcviewer.core.errors import CalcViewerError
from calcviewer.dicom.network import archive
from calcviewer.dicom.network.peer import Timeouts, WebPeer
from calcviewer.dicom.network.query import MOST_MATCHES, StudyQuery
from tests.dicom.network.certificates import authority, server_context
from tests.dicom.network.scps import files_of, raw_server
from tests.dicom.network.web_service import (
    WebArchive,
    multipart,
    reply,
    web_peer,
    web_serving,
)
from tests.orthanc import free_ports
from tests.patience import PATIENCE_S

Override = Callable[[BaseHTTPRequestHandler, str], bool]


def every_verb(
    peer: WebPeer, study: tuple[Path, Path], folder: Path, *, match: str, secret: str | None = None
) -> None:
    """Try each verb with a peer that is not there for us, and hear why each time."""
    verbs = (
        lambda: archive.echo(peer, secret=secret),
        lambda: archive.find_studies(peer, StudyQuery(), secret=secret),
        lambda: archive.find_series(peer, "1.2.3", secret=secret),
        lambda: list(archive.retrieve(peer, "1.2.3", folder, secret=secret)),
        lambda: list(archive.send(peer, study, secret=secret)),
    )
    for verb in verbs:
        began = time.monotonic()
        with pytest.raises(CalcViewerError, match=match) as failure:
            verb()
        assert time.monotonic() - began < PATIENCE_S  # and not when the system gives up
        assert failure.value.hint
    assert files_of(folder) == []


def on_objects(answer: Callable[[BaseHTTPRequestHandler], None]) -> Override:
    """Answer requests for an object so, and all others as usual."""

    def override(request: BaseHTTPRequestHandler, path: str) -> bool:
        if "/instances/" not in path:
            return False
        answer(request)
        return True

    return override


def on_all(answer: Callable[[BaseHTTPRequestHandler], None]) -> Override:
    def override(request: BaseHTTPRequestHandler, _: str) -> bool:
        length = int(request.headers.get("Content-Length", 0))
        request.rfile.read(length)
        answer(request)
        return True

    return override


def test_query_retrieve_and_send(study: tuple[Path, Path], study_uid: str, tmp_path: Path) -> None:
    held = WebArchive(study)
    with web_serving(held) as port:
        peer = web_peer(port)
        archive.echo(peer)
        found = archive.find_studies(
            peer, StudyQuery(patient_name="Quillfeather, Mar", patient_id="MRN 1")
        )
        asked = held.requests[-1][0]
        assert "PatientName=Quillfeather?Mar*" in asked
        assert "PatientID=MRN?1" in asked
        assert found[0].study_uid == study_uid
        assert (found[0].patient_name, found[0].modalities) == ("Quillfeather^Marigold", ("IVOCT",))
        assert len(archive.find_series(peer, study_uid)) == 2
        transfers = list(archive.retrieve(peer, study_uid, tmp_path / "out"))
        assert transfers[-1].total == transfers[-1].done == 2
        for path in study:
            uid = dcmread(path).SOPInstanceUID
            assert (tmp_path / "out" / f"{uid}.dcm").read_bytes() == path.read_bytes()
        assert len(list(archive.send(peer, study))) >= 2
    for body, path in zip(held.stored, study, strict=True):
        assert path.read_bytes() in body


def test_a_service_that_is_down(study: tuple[Path, Path], tmp_path: Path) -> None:
    every_verb(web_peer(free_ports(1)[0]), study, tmp_path / "out", match="nothing listens there")


def test_a_host_nobody_knows(study: tuple[Path, Path], tmp_path: Path) -> None:
    peer = WebPeer(name="web", url="http://nowhere.invalid/dicom-web")
    every_verb(peer, study, tmp_path / "out", match="is not known here")


def test_a_service_that_says_nothing(study: tuple[Path, Path], tmp_path: Path) -> None:
    with raw_server() as port:
        peer = web_peer(port, timeouts=Timeouts(connect_s=0.2, answer_s=0.2))
        every_verb(peer, study, tmp_path / "out", match=r"did not answer for 0\.2 s")


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (401, "does not accept user and password"),
        (404, "nothing at this address"),
        (500, "request failed there"),
        (503, "too busy"),
        (507, "storage is full"),
    ],
)
def test_refusals(status: int, reason: str, study: tuple[Path, Path], tmp_path: Path) -> None:
    refusing = WebArchive(override=on_all(lambda request: reply(request, b"no", status=status)))
    with web_serving(refusing) as port:
        every_verb(web_peer(port), study, tmp_path / "out", match=reason)


@pytest.mark.parametrize("content", [b"<html>", b"[1, 2]", b'{"a": 1}', b"[{}, 3]", b"\xff\xfe"])
def test_something_else_than_dicomweb(content: bytes, tmp_path: Path) -> None:
    other = WebArchive(override=on_all(lambda request: reply(request, content, kind="text/html")))
    with web_serving(other) as port:
        for verb in (
            lambda: archive.find_studies(web_peer(port), StudyQuery()),
            lambda: list(archive.retrieve(web_peer(port), "1.2.3", tmp_path / "out")),
        ):
            with pytest.raises(CalcViewerError, match="does not answer as a DICOMweb service"):
                verb()


def test_user_and_password_are_sent_and_nothing_else(
    study: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login other password other\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    held = WebArchive(study)
    with web_serving(held) as port:
        archive.echo(web_peer(port))
        archive.echo(web_peer(port, user="jürgen"), secret="schlüssel")
    assert held.requests[0][1] is None
    assert held.requests[1][1] == "Basic asO8cmdlbjpzY2hsw7xzc2Vs"


def _hang_up(request: BaseHTTPRequestHandler) -> None:
    reply(request, multipart(b"x" * 50_000)[:40_000], announced=60_000, kind=_MULTIPART)
    request.close_connection = True


_MULTIPART = 'multipart/related; type="application/dicom"; boundary="a boundary"'


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (_hang_up, "broke the connection off"),
        (
            lambda request: reply(request, multipart(b"x" * 999)[:500], kind=_MULTIPART),
            "broke the connection off",
        ),
        (lambda request: reply(request, b"", kind=_MULTIPART), "broke the connection off"),
        (lambda request: reply(request, multipart(b"no DICOM"), kind=_MULTIPART), "damaged object"),
        (lambda request: reply(request, b"no DICOM", kind="application/dicom"), "damaged object"),
        (lambda request: reply(request, b"", status=404), "nothing at this address"),
    ],
)
def test_objects_that_do_not_arrive_whole(
    answer: Callable[[BaseHTTPRequestHandler], None],
    reason: str,
    study: tuple[Path, Path],
    study_uid: str,
    tmp_path: Path,
) -> None:
    held = WebArchive(study, override=on_objects(answer))
    with web_serving(held) as port:
        with pytest.raises(CalcViewerError, match=reason):
            list(archive.retrieve(web_peer(port), study_uid, tmp_path / "out"))
        assert files_of(tmp_path) == ["system-temporary"]
        held.override = WebArchive().override
        list(archive.retrieve(web_peer(port), study_uid, tmp_path / "out"))
    assert len(files_of(tmp_path / "out")) == 2


def test_an_object_without_an_envelope_is_taken(
    study: tuple[Path, Path], study_uid: str, tmp_path: Path
) -> None:
    def plain(request: BaseHTTPRequestHandler) -> None:
        reply(request, study[0].read_bytes(), kind="application/dicom")

    with web_serving(WebArchive(study[:1], override=on_objects(plain))) as port:
        list(archive.retrieve(web_peer(port), study_uid, tmp_path / "out"))
    (path,) = (tmp_path / "out").iterdir()
    assert path.read_bytes() == study[0].read_bytes()


def test_an_instance_with_a_path_for_a_name_is_not_fetched(tmp_path: Path) -> None:
    odd = Dataset()
    odd.SeriesInstanceUID, odd.SOPInstanceUID = "1.2", "1.3"
    answer = json.dumps([odd.to_json_dict()]).replace("1.3", "../../../etc/passwd").encode()
    held = WebArchive(override=on_all(lambda request: reply(request, answer)))
    with web_serving(held) as port:
        with pytest.raises(CalcViewerError, match="does not answer as a DICOMweb service"):
            list(archive.retrieve(web_peer(port), "1.2.3", tmp_path / "out"))
    assert files_of(tmp_path) == ["system-temporary"]


@pytest.mark.parametrize(
    ("status", "reason", "said"),
    [
        (409, 0xA700, "out of resources"),
        (202, 0xA900, "do not match what was announced"),
        (409, 0x0122, "does not take this kind"),
        (409, None, "does not take the object"),
    ],
)
def test_objects_that_are_not_stored(
    status: int, reason: int | None, said: str, study: tuple[Path, Path]
) -> None:
    answer = Dataset()
    if reason is not None:
        failed = Dataset()
        failed.FailureReason = reason
        answer.FailedSOPSequence = [failed]
    content = json.dumps(answer.to_json_dict()).encode()
    refusing = WebArchive(override=on_all(lambda request: reply(request, content, status=status)))
    with web_serving(refusing) as port:
        with pytest.raises(CalcViewerError, match=said):
            list(archive.send(web_peer(port), study))


def test_too_many_matches(study: tuple[Path, Path]) -> None:
    one = Dataset()
    one.StudyInstanceUID = "1.2.3"
    content = json.dumps([one.to_json_dict()] * (MOST_MATCHES + 1)).encode()
    held = WebArchive(override=on_all(lambda request: reply(request, content)))
    with web_serving(held) as port:
        with pytest.raises(CalcViewerError, match=f"more than {MOST_MATCHES} matches"):
            archive.find_studies(web_peer(port), StudyQuery())


def test_encrypted_only_with_whom_the_certificate_says_it_is(
    study: tuple[Path, Path], study_uid: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = authority(tmp_path, "hospital")
    others = authority(tmp_path, "somebody")
    # An environment made for other programs neither helps nor hinders.
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", others.file)
    context = server_context(ours.issue("web"))
    with web_serving(WebArchive(study), ssl_context=context) as port:
        url = f"https://127.0.0.1:{port}/dicom-web"
        list(
            archive.retrieve(web_peer(port, url=url, ca_file=ours.file), study_uid, tmp_path / "o")
        )
        for ca_file in (others.file, ""):
            peer = web_peer(port, url=url, ca_file=ca_file)
            every_verb(peer, study, tmp_path / "out", match=r"certificate of .* is not trusted")
        peer = web_peer(port, url=url, ca_file=str(tmp_path / "gone.pem"))
        every_verb(peer, study, tmp_path / "out", match=r"gone\.pem is not there")
        peer = web_peer(port, url=url, ca_file=str(study[0]))
        every_verb(peer, study, tmp_path / "out", match="encrypted|certificates|cannot be")
    with web_serving(WebArchive(study)) as port:
        peer = web_peer(port, url=f"https://127.0.0.1:{port}/dicom-web", ca_file=ours.file)
        every_verb(peer, study, tmp_path / "out", match="No encrypted connection")


def test_closing_early_ends_a_retrieval_that_is_silent(
    study: tuple[Path, Path], study_uid: str, tmp_path: Path
) -> None:
    go_on, ended = threading.Event(), threading.Event()

    def slow(request: BaseHTTPRequestHandler) -> None:
        content = multipart(study[0].read_bytes())
        reply(request, content[:30_000], announced=len(content), kind=_MULTIPART)
        go_on.wait(PATIENCE_S)
        ended.set()

    held = WebArchive(study, override=on_objects(slow))
    with web_serving(held) as port:
        peer = web_peer(port, timeouts=Timeouts(connect_s=1, answer_s=2 * PATIENCE_S))
        transfers = archive.retrieve(peer, study_uid, tmp_path / "out")
        next(one for one in transfers if one.total)
        time.sleep(0.3)
        transfers.close()
        assert not ended.is_set(), "it waited for the archive"
        go_on.set()
    assert files_of(tmp_path) == ["system-temporary"]


def test_nothing_is_written_to_the_log(
    study: tuple[Path, Path],
    study_uid: str,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(0)
    with web_serving(WebArchive(study)) as port:
        peer = web_peer(port, user="reader")
        archive.find_studies(peer, StudyQuery(patient_name="Quillfeather"), secret="sesame")
        list(archive.retrieve(peer, study_uid, tmp_path / "out", secret="sesame"))
        list(archive.send(peer, study, secret="sesame"))
    with pytest.raises(CalcViewerError) as failure:
        archive.find_studies(
            web_peer(free_ports(1)[0]), StudyQuery(patient_name="Quillfeather"), secret="sesame"
        )
    assert "Quillfeather" not in unquote_plus(str(failure.value))
    assert caplog.text == ""
    assert "".join(capfd.readouterr()) == ""
