"""A peer is one that can be spoken to, or none."""

from __future__ import annotations

from typing import Any

import pytest

from calcviewer.core.errors import CalcViewerError
from calcviewer.dicom.network.peer import DimsePeer, Timeouts, TlsFiles, WebPeer

DICOM: dict[str, Any] = {"name": "PACS", "ae_title": "ARCHIVE", "host": "pacs", "port": 104}


def test_how_peers_are_written() -> None:
    assert DimsePeer(**DICOM).place == "ARCHIVE@pacs:104"
    assert WebPeer(name="w", url="https://pacs/dicom-web").place == "https://pacs/dicom-web"


def test_who_can_have_a_secret() -> None:
    assert not DimsePeer(**DICOM).takes_secret
    assert not DimsePeer(**DICOM, tls=TlsFiles(ca_file="a")).takes_secret
    assert DimsePeer(**DICOM, tls=TlsFiles(certificate="a", key="b")).takes_secret
    assert not WebPeer(name="w", url="http://a").takes_secret
    assert WebPeer(name="w", url="http://a", user="me").takes_secret


@pytest.mark.parametrize(
    "changes",
    [
        {"name": ""},
        {"name": " PACS"},
        {"name": "a\nb"},
        {"name": "x" * 65},
        {"ae_title": ""},
        {"ae_title": "   "},
        {"ae_title": "x" * 17},
        {"ae_title": "a\\b"},
        {"ae_title": "ümlaut"},
        {"calling_ae_title": ""},
        {"host": ""},
        {"host": "a b"},
        {"host": "http://a"},
        {"port": 0},
        {"port": 65536},
        {"port": True},
    ],
)
def test_impossible_dicom_peers(changes: dict[str, Any]) -> None:
    with pytest.raises(CalcViewerError) as failure:
        DimsePeer(**{**DICOM, **changes})
    assert failure.value.hint


@pytest.mark.parametrize(
    "url",
    [
        "",
        "pacs",
        "ftp://pacs/dicom-web",
        "http://",
        "http://a:0/",
        "http://a:99999/",
        "http://a/b?c=d",
        "http://a/b#c",
        "http://a b/c",
        "http://[::1/",
        "https://me:sesame@pacs/dicom-web",
    ],
)
def test_impossible_web_peers(url: str) -> None:
    with pytest.raises(CalcViewerError) as failure:
        WebPeer(name="web", url=url)
    assert failure.value.hint


@pytest.mark.parametrize(
    "limits", [{"connect_s": 0}, {"answer_s": -1}, {"answer_s": float("nan")}, {"answer_s": 1e9}]
)
def test_impossible_timeouts(limits: dict[str, float]) -> None:
    with pytest.raises(CalcViewerError, match="timeout"):
        Timeouts(**limits)
