"""Nothing of the tests of archives reaches the user's own files or keyring."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from calcviewer.app.pacs.secrets import SECRET_VARIABLE
from tests.keyrings import MemoryKeyring, using


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platformdirs.user_config_dir", lambda name: str(tmp_path / "config"))
    monkeypatch.setattr("platformdirs.user_data_dir", lambda name: str(tmp_path / "data"))
    monkeypatch.delenv(SECRET_VARIABLE, raising=False)


@pytest.fixture(autouse=True)
def memory() -> Iterator[MemoryKeyring]:
    backend = MemoryKeyring()
    with using(backend):
        yield backend
