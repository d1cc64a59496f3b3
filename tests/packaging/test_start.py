from __future__ import annotations

import os

import pytest
from start import give_back_library_path


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", {"LD_LIBRARY_PATH": "/opt/calcviewer/_internal"})


def test_other_programs_do_not_get_our_libraries() -> None:
    give_back_library_path()
    assert "LD_LIBRARY_PATH" not in os.environ


def test_the_users_own_library_path_comes_back() -> None:
    os.environ["LD_LIBRARY_PATH_ORIG"] = "/opt/driver"
    give_back_library_path()
    assert os.environ["LD_LIBRARY_PATH"] == "/opt/driver"


def test_another_process_of_the_program_starts_as_the_first_did() -> None:
    give_back_library_path()
    assert os.environ["PYINSTALLER_RESET_ENVIRONMENT"] == "1"
