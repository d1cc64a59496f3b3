"""Archives from the command line, as people and programs use it."""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydicom import dcmread

from calcviewer.__main__ import main
from calcviewer.app.pacs.peers import load_peers, peers_path
from calcviewer.app.pacs.secrets import SECRET_VARIABLE
from calcviewer.dicom.network import archive
from calcviewer.dicom.network.peer import DimsePeer
from tests.keyrings import MemoryKeyring, using
from tests.orthanc import PASSWORD, USER, Orthanc, free_ports, running_orthanc
from tests.patience import PATIENCE_S
from tests.result_studies import NAME, NUMBER, processing_pullback


@pytest.fixture(scope="module")
def orthanc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    with running_orthanc(tmp_path_factory.mktemp("orthanc")) as running:
        yield running


@pytest.fixture(scope="module")
def pullback(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return processing_pullback(tmp_path_factory.mktemp("pullback"), 2).source.path


@pytest.fixture(autouse=True)
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MemoryKeyring]:
    monkeypatch.setattr("platformdirs.user_config_dir", lambda name: str(tmp_path / "config"))
    monkeypatch.setattr("platformdirs.user_data_dir", lambda name: str(tmp_path / "data"))
    monkeypatch.delenv(SECRET_VARIABLE, raising=False)
    backend = MemoryKeyring()
    with using(backend):
        yield backend


def run(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    """Run ``calcviewer pacs ...``; returns what it printed, of a failure the reason."""
    capsys.readouterr()
    assert main(["pacs", *arguments]) == code
    printed = capsys.readouterr()
    return printed.out if code == 0 else printed.err


def add_dicom(capsys: pytest.CaptureFixture[str], name: str, peer: DimsePeer) -> None:
    address = ("--host", peer.host, "--port", str(peer.port))
    run(capsys, "add", name, "--aet", peer.ae_title, *address)


def test_peers_are_added_listed_and_removed(capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "add", "lab", "--aet", "LAB", "--host", "10.0.0.5", "--port", "11112")
    run(
        capsys,
        *("add", "pacs", "--aet", "ARCHIVE", "--host", "pacs", "--tls", "--ca-file", "/ca.pem"),
        *("--own-aet", "READER", "--answer-timeout", "90"),
    )
    run(capsys, "add", "web", "--url", "https://pacs/dicom-web", "--user", "me")
    assert run(capsys, "peers").splitlines() == [
        "lab\tLAB@10.0.0.5:11112",
        "pacs\tARCHIVE@pacs:104",
        "web\thttps://pacs/dicom-web",
    ]
    listed = json.loads(run(capsys, "peers", "--json"))
    assert listed[1]["tls"] == {"ca_file": "/ca.pem", "certificate": "", "key": ""}
    assert listed[1]["timeouts"] == {"connect_s": 5.0, "answer_s": 90.0}
    run(capsys, "remove", "lab")
    assert [peer.name for peer in load_peers()[0]] == ["pacs", "web"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["add", "x"],
        ["add", "x", "--aet", "A"],
        ["add", "x", "--aet", "A", "--host", "h", "--url", "http://h"],
        ["add", "x", "--url", "pacs"],
        ["add", "x", "--aet", "far too long an AE title", "--host", "h"],
        ["add", "x", "--aet", "A", "--host", "h", "--secret"],
        ["remove", "x"],
        ["echo", "x"],
        ["query", "x"],
        ["retrieve", "x", "1.2.3", "-o", "out"],
        ["send", "x", "a.dcm"],
        ["receive"],
        ["receive", "--allow", "A", "--quota-gb", "0"],
    ],
)
def test_what_cannot_be_done_is_one_line(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    said = run(capsys, *arguments, code=1)
    assert said.startswith("calcviewer: ")
    assert said.count("\n") == 1
    assert not peers_path().exists()


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["query", "x", "--from", "yesterday"],
        ["receive", "--listen", "host"],
        ["receive", "--listen", "70000"],
    ],
)
def test_bad_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["pacs", *arguments])
    assert ended.value.code == 2
    assert "usage" in capsys.readouterr().err


class Typed(io.StringIO):
    """Standard input at which somebody sits."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("stdin", [Typed(), io.StringIO("sesame\n")])
def test_the_secret_is_asked_for_and_not_shown(
    stdin: io.StringIO,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    memory: MemoryKeyring,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr("sys.stdin", stdin)
    monkeypatch.setattr("getpass.getpass", lambda prompt: "sesame")
    said = run(capsys, "add", "web", "--url", "http://pacs", "--user", "me", "--secret")
    assert "sesame" not in said
    assert list(memory.kept.values()) == ["sesame"]
    assert all(b"sesame" not in path.read_bytes() for path in tmp_path.rglob("*.json"))


@pytest.mark.parametrize("protocol", ["dicom", "web"])
def test_send_query_and_retrieve(
    protocol: str,
    orthanc: Orthanc,
    pullback: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    if protocol == "dicom":
        add_dicom(capsys, "pacs", orthanc.dicom)
    else:
        run(capsys, "add", "pacs", "--url", orthanc.web.url, "--user", USER)
        assert "does not accept user and password" in run(capsys, "echo", "pacs", code=1)
        monkeypatch.setenv(SECRET_VARIABLE, PASSWORD)
    assert "answered in" in run(capsys, "echo", "pacs")
    assert run(capsys, "send", "pacs", str(pullback.parent)) == "1 sent to pacs.\n"
    asked = ("--patient-name", "quillfeather", "--modality", "IVOCT")
    days = ("--from", "2024-02-28", "--to", "2024-03-01")
    (study,) = json.loads(run(capsys, "query", "pacs", *asked, *days, "--json"))
    assert (study["patient_name"], study["patient_id"]) == (NAME, NUMBER)
    assert study["date"] == "2024-02-29"
    assert run(capsys, "query", "pacs", *asked).startswith("2024-02-29\tMRN-4711\tQuillfeather")
    assert run(capsys, "query", "pacs", *asked, "--to", "2024-02-28") == ""
    (series,) = json.loads(run(capsys, "query", "pacs", "--study", study["study_uid"], "--json"))
    assert series["series_uid"] in run(capsys, "query", "pacs", "--study", study["study_uid"])
    folder = tmp_path / "got"
    only = ("--series", series["series_uid"], "-o", str(folder))
    (path,) = run(capsys, "retrieve", "pacs", study["study_uid"], *only).splitlines()
    assert dcmread(path).PixelData == dcmread(pullback).PixelData
    (path,) = json.loads(
        run(capsys, "retrieve", "pacs", study["study_uid"], "-o", str(folder), "--json")
    )
    assert [str(one) for one in folder.iterdir()] == [path]
    said = run(capsys, "retrieve", "pacs", "1.2.3", "-o", str(tmp_path / "none"), code=1)
    assert "knows no such study" in said
    assert not (tmp_path / "none").exists()


def test_receive_until_it_is_stopped(pullback: Path, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    inbox = tmp_path / "inbox"
    command = [sys.executable, "-m", "calcviewer", "pacs", "receive", "-o", str(inbox)]
    command += ["--allow", "LAB", "--aet", "READER", "--listen", str(port)]
    environment = {**os.environ, "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )
    try:
        _wait_for(port, process)
        peer = DimsePeer(
            name="us", ae_title="READER", host="127.0.0.1", port=port, calling_ae_title="LAB"
        )
        list(archive.send(peer, [pullback]))
        process.send_signal(signal.SIGTERM)
        printed, said = process.communicate(timeout=PATIENCE_S)
    finally:
        process.kill()
        process.wait()
    (path,) = inbox.iterdir()
    assert (process.returncode, printed) == (0, f"{path}\n")
    assert "READER listens on 127.0.0.1" in said
    assert dcmread(path).PixelData == dcmread(pullback).PixelData


def _wait_for(port: int, process: subprocess.Popen[str]) -> None:
    until = time.monotonic() + PATIENCE_S
    while process.poll() is None and time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    pytest.fail("the receiver did not start")
