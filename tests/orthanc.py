"""A real archive for the tests: Orthanc (Debian), on the loopback, with a storage of its own."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from calcviewer.dicom.network.peer import DimsePeer, Timeouts, WebPeer
from tests.patience import PATIENCE_S

BINARY = shutil.which("Orthanc") or shutil.which("Orthanc", path="/usr/sbin")
PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
OUR_TITLE, USER, PASSWORD = "CALCVIEWER", "reader", "correct horse"
_STARTS_WITHIN_S = 60.0
TIMEOUTS = Timeouts(connect_s=5, answer_s=30)


@dataclass(frozen=True)
class Orthanc:
    """A running Orthanc: its peers, and the port at which it looks for our receiver."""

    dicom: DimsePeer
    web: WebPeer
    receiver_port: int


def free_ports(count: int) -> list[int]:
    """Return ports of the loopback that nothing listens on."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


@contextmanager
def running_orthanc(folder: Path) -> Iterator[Orthanc]:
    """Start Orthanc with an empty storage in a folder; stop it in the end.

    Skips the test where Orthanc or its DICOMweb plug-in is not installed.
    """
    if BINARY is None or not PLUGIN.exists():
        pytest.skip(
            "Orthanc with its DICOMweb plug-in (Debian orthanc, orthanc-dicomweb) is missing"
        )
    dicom_port, web_port, receiver_port = free_ports(3)
    settings = folder / "orthanc.json"
    settings.write_text(json.dumps(_settings(folder, dicom_port, web_port, receiver_port)))
    with (folder / "orthanc.log").open("wb") as log:
        process = subprocess.Popen([BINARY, str(settings)], stdout=log, stderr=log)
    try:
        _wait(process, (dicom_port, web_port), folder / "orthanc.log")
        yield Orthanc(
            DimsePeer(
                name="orthanc",
                ae_title="ORTHANC",
                host="127.0.0.1",
                port=dicom_port,
                calling_ae_title=OUR_TITLE,
                timeouts=TIMEOUTS,
            ),
            WebPeer(
                name="orthanc web",
                url=f"http://127.0.0.1:{web_port}/dicom-web",
                user=USER,
                timeouts=TIMEOUTS,
            ),
            receiver_port,
        )
    finally:
        process.kill()  # nothing of it is kept, and a polite end takes seconds
        process.wait(PATIENCE_S)


def _settings(
    folder: Path, dicom_port: int, web_port: int, receiver_port: int
) -> dict[str, object]:
    return {
        "Name": "CalcViewer tests",
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "storage"),
        "HttpPort": web_port,
        "DicomPort": dicom_port,
        "DicomAet": "ORTHANC",
        "DicomCheckCalledAet": True,
        "DicomAlwaysAllowEcho": False,
        "DicomAlwaysAllowStore": False,
        "DicomModalities": {"us": [OUR_TITLE, "127.0.0.1", receiver_port]},
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": True,
        "RegisteredUsers": {USER: PASSWORD},
        "OverwriteInstances": True,
        "SyncStorageArea": False,
        "Plugins": [str(PLUGIN)],
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/", "EnableWado": False},
    }


def _wait(process: subprocess.Popen[bytes], ports: tuple[int, ...], log: Path) -> None:
    """Wait until Orthanc listens on all its ports."""
    until = time.monotonic() + _STARTS_WITHIN_S
    left = list(ports)
    while left:
        if process.poll() is not None or time.monotonic() > until:
            pytest.fail(f"Orthanc did not start:\n{log.read_text()[-2000:]}")
        try:
            socket.create_connection(("127.0.0.1", left[0]), timeout=1).close()
            left.pop(0)
        except OSError:
            time.sleep(0.05)
