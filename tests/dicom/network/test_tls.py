"""Encrypted DICOM connections: only with whom the certificates say it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from calcviewer.core.errors import CalcViewerError
from calcviewer.dicom.network import archive
from calcviewer.dicom.network.peer import TlsFiles
from tests.dicom.network.certificates import Authority, authority, server_context
from tests.dicom.network.scps import FakeArchive, dimse_peer, files_of, serving


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority(tmp_path_factory.mktemp("ours"), "hospital")


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority(tmp_path_factory.mktemp("others"), "somebody")


@pytest.fixture
def port(ours: Authority, study: tuple[Path, Path]) -> Iterator[int]:
    context = server_context(ours.issue("archive"))
    with serving(FakeArchive(study), ssl_context=context) as port:
        yield port


def test_with_the_right_authority_it_works(
    ours: Authority, port: int, study: tuple[Path, Path], study_uid: str, tmp_path: Path
) -> None:
    peer = dimse_peer(port, tls=TlsFiles(ca_file=ours.file))
    archive.echo(peer)
    list(archive.send(peer, study))
    list(archive.retrieve(peer, study_uid, tmp_path / "out"))
    assert len(files_of(tmp_path / "out")) == 2


def test_a_certificate_of_another_authority(
    others: Authority, port: int, study_uid: str, tmp_path: Path
) -> None:
    peer = dimse_peer(port, tls=TlsFiles(ca_file=others.file))
    with pytest.raises(CalcViewerError, match=r"certificate of .* is not trusted"):
        archive.echo(peer)
    with pytest.raises(CalcViewerError, match=r"certificate of .* is not trusted"):
        list(archive.retrieve(peer, study_uid, tmp_path / "out"))
    assert files_of(tmp_path) == ["system-temporary"]


def test_the_authorities_of_the_system_do_not_vouch_for_it(port: int) -> None:
    with pytest.raises(CalcViewerError, match=r"certificate of .* is not trusted"):
        archive.echo(dimse_peer(port, tls=TlsFiles()))


@pytest.mark.parametrize("host", ["127.0.0.2", "archive.example"])
def test_a_certificate_for_another_host(
    ours: Authority, study: tuple[Path, Path], host: str
) -> None:
    context = server_context(ours.issue("other", host=host))
    with serving(FakeArchive(study), ssl_context=context) as port:
        with pytest.raises(CalcViewerError, match=r"is not trusted \(IP address mismatch"):
            archive.echo(dimse_peer(port, tls=TlsFiles(ca_file=ours.file)))


def test_an_expired_certificate(ours: Authority, study: tuple[Path, Path]) -> None:
    context = server_context(ours.issue("expired", days=-1))
    with serving(FakeArchive(study), ssl_context=context) as port:
        with pytest.raises(CalcViewerError, match="expired"):
            archive.echo(dimse_peer(port, tls=TlsFiles(ca_file=ours.file)))


def test_tls_where_the_peer_has_none(ours: Authority) -> None:
    with serving(FakeArchive()) as port:
        with pytest.raises(CalcViewerError, match=r"No encrypted connection|cannot be reached"):
            archive.echo(dimse_peer(port, tls=TlsFiles(ca_file=ours.file)))


def test_no_tls_where_the_peer_wants_it(port: int) -> None:
    with pytest.raises(CalcViewerError, match="ended the connection at once") as failure:
        archive.echo(dimse_peer(port))
    assert "TLS" in failure.value.hint


def test_a_peer_that_wants_our_certificate(
    ours: Authority, others: Authority, study: tuple[Path, Path]
) -> None:
    context = server_context(ours.issue("archive"), clients_of=ours.file)
    with serving(FakeArchive(study), ssl_context=context) as port:

        def attempt(files: tuple[str, str] = ("", ""), secret: str | None = None) -> None:
            tls = TlsFiles(ca_file=ours.file, certificate=files[0], key=files[1])
            archive.echo(dimse_peer(port, tls=tls), secret=secret)

        attempt(ours.issue("reader"))
        attempt(ours.issue("locked", password="sesame"), secret="sesame")
        with pytest.raises(CalcViewerError, match=r"locked\.pem cannot be used with its key"):
            attempt(ours.issue("locked", password="sesame"), secret="wrong")
        with pytest.raises(CalcViewerError, match=r"locked\.pem cannot be used with its key"):
            attempt(ours.issue("locked", password="sesame"))
        with pytest.raises(CalcViewerError, match=r"No encrypted connection|broke|ended"):
            attempt()
        with pytest.raises(CalcViewerError, match=r"No encrypted connection|broke|ended"):
            attempt(others.issue("stranger"))


def test_files_that_are_missing_or_something_else(ours: Authority, tmp_path: Path) -> None:
    notes = tmp_path / "notes.pem"
    notes.write_text("nothing")
    for wrong in (str(notes), str(tmp_path / "gone.pem")):
        with pytest.raises(CalcViewerError, match="holds no certificates"):
            archive.echo(dimse_peer(104, tls=TlsFiles(ca_file=wrong)))
        with pytest.raises(CalcViewerError, match="cannot be used with its key"):
            archive.echo(dimse_peer(104, tls=TlsFiles(ca_file=ours.file, certificate=wrong)))
