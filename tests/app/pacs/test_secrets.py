"""Secrets are in the keyring or in the environment, or there are none; never in a file."""

from __future__ import annotations

import pytest
from keyring.backends.fail import Keyring as NoKeyring

from calcviewer.app.pacs.secrets import SECRET_VARIABLE, forget_secret, keep_secret, secret_of
from calcviewer.core.errors import CalcViewerError
from calcviewer.dicom.network.peer import DimsePeer, TlsFiles, WebPeer
from tests.keyrings import LockedKeyring, MemoryKeyring, using

WEB = WebPeer(name="Web", url="https://pacs.example/dicom-web", user="me")
OPEN = WebPeer(name="Open", url="https://pacs.example/dicom-web")
TLS = DimsePeer(name="TLS", ae_title="A", host="h", port=1, tls=TlsFiles(certificate="c", key="k"))


class PlaintextKeyring(MemoryKeyring):
    """As the one of keyrings.alt, which is a plain file."""


PlaintextKeyring.__module__ = "keyrings.alt.file"


def test_each_peer_has_its_own() -> None:
    keep_secret(WEB, "one")
    keep_secret(TLS, "two")
    assert (secret_of(WEB), secret_of(TLS), secret_of(OPEN)) == ("one", "two", None)
    forget_secret(WEB)
    forget_secret(WEB)
    assert (secret_of(WEB), secret_of(TLS)) == (None, "two")


def test_the_environment_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    keep_secret(WEB, "kept")
    monkeypatch.setenv(SECRET_VARIABLE, "given")
    assert (secret_of(WEB), secret_of(OPEN)) == ("given", None)


def test_without_a_keyring_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    with using(NoKeyring()):
        for attempt in (lambda: secret_of(WEB), lambda: keep_secret(WEB, "x")):
            with pytest.raises(CalcViewerError, match="no keyring") as failure:
                attempt()
            assert SECRET_VARIABLE in failure.value.hint
        assert secret_of(OPEN) is None
        assert secret_of(TLS) is None  # the key may have no password
        forget_secret(WEB)
        monkeypatch.setenv(SECRET_VARIABLE, "given")
        assert secret_of(WEB) == "given"


def test_a_keyring_that_is_a_plain_file_is_not_used() -> None:
    plain = PlaintextKeyring()
    with using(plain):
        with pytest.raises(CalcViewerError, match="plain file"):
            keep_secret(WEB, "sesame")
    assert plain.kept == {}


def test_a_locked_keyring_is_told() -> None:
    with using(LockedKeyring()):
        for attempt in (lambda: secret_of(WEB), lambda: keep_secret(WEB, "x")):
            with pytest.raises(CalcViewerError, match="refused") as failure:
                attempt()
            assert "Unlock" in failure.value.hint
        with pytest.raises(CalcViewerError, match="refused"):
            forget_secret(WEB)
