"""What the tests of archives share: two files of a study, and no traces left."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydicom import dcmread

from tests.orthanc import Orthanc, running_orthanc
from tests.result_studies import presentation_pullback, processing_pullback

_ENDS_WITHIN_S = 5.0


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return two pullbacks of one study: For Processing and For Presentation."""
    folder = tmp_path_factory.mktemp("study")
    paths = (
        processing_pullback(folder, 3).source.path,
        presentation_pullback(folder, 2).source.path,
    )
    first, second = (dcmread(path) for path in paths)
    second.StudyInstanceUID = first.StudyInstanceUID
    second.save_as(paths[1])
    return paths


@pytest.fixture(scope="session")
def study_uid(study: tuple[Path, Path]) -> str:
    return str(dcmread(study[0], stop_before_pixels=True).StudyInstanceUID)


@pytest.fixture(scope="session")
def orthanc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    with running_orthanc(tmp_path_factory.mktemp("orthanc")) as running:
        yield running


@pytest.fixture(autouse=True)
def no_traces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give each test a temporary folder, in which nothing and no thread may be left."""
    folder = tmp_path / "system-temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    before = set(threading.enumerate())
    yield folder
    until = time.monotonic() + _ENDS_WITHIN_S
    while (left := set(threading.enumerate()) - before) and time.monotonic() < until:
        time.sleep(0.01)
    assert not left
    assert list(folder.iterdir()) == []
