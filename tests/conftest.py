"""What all tests share."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from PySide6.QtWidgets import QApplication

from tests.patience import PatientBot

# As calcviewer.inference does, for tests that load ONNX Runtime before it.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
# The same examples at every run, as far as the same modules are loaded: Hypothesis draws from the
# numbers in them, too. How busy the machine is decides nothing.
settings.register_profile(
    "repeatable",
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("repeatable")


@pytest.fixture
def qtbot(qapp: QApplication, request: pytest.FixtureRequest) -> PatientBot:
    """Return the window tests' hand and clock, in no hurry."""
    return PatientBot(request)


@pytest.fixture(scope="session", autouse=True)
def own_user_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep settings, logs and reviews of the tests, and of programs they start, out of the home."""
    names = ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME")
    before = {name: os.environ.get(name) for name in names}
    folder = tmp_path_factory.mktemp("user")
    os.environ.update({name: str(folder / name.lower()) for name in names})
    yield
    for name, value in before.items():
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value
