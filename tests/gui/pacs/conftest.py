"""An archive without a network, and a keyring without a system."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, time
from pathlib import Path

import pytest

from calcviewer.core.errors import CalcViewerError
from calcviewer.dicom.network import archive as verbs
from calcviewer.dicom.network.peer import DimsePeer, Peer
from calcviewer.dicom.network.query import SeriesRecord, StudyQuery, StudyRecord, Transfer
from calcviewer.gui.tasks import Tasks
from tests.keyrings import MemoryKeyring, using
from tests.patience import PATIENCE_S

PEER = DimsePeer(name="Hospital", ae_title="PACS", host="127.0.0.1", port=11199)
STUDY = StudyRecord(
    study_uid="1.2.3",
    patient_name="Doe^Jane",
    patient_id="MRN-1",
    date=date(2026, 3, 2),
    time=time(14, 5),
    description="PCI of the LAD",
    modalities=("IVOCT", "XA"),
    instance_count=3,
)
SERIES = (
    SeriesRecord(study_uid="1.2.3", series_uid="1.2.3.1", modality="XA", number=1),
    SeriesRecord(
        study_uid="1.2.3",
        series_uid="1.2.3.2",
        modality="IVOCT",
        number=2,
        description="LAD pre",
        instance_count=1,
    ),
)


@dataclass
class FakeArchive:
    """Answers at once what it is told to; holds a transfer until it is let go."""

    studies: tuple[StudyRecord, ...] = (STUDY,)
    series: tuple[SeriesRecord, ...] = SERIES
    fault: CalcViewerError | None = None
    files: dict[str, Sequence[Path]] = field(default_factory=dict)
    go_on: threading.Event = field(default_factory=threading.Event)
    asked: list[StudyQuery] = field(default_factory=list)
    secrets: list[str | None] = field(default_factory=list)
    sent: list[Path] = field(default_factory=list)
    sent_bytes: list[bytes] = field(default_factory=list)
    closed: threading.Event = field(default_factory=threading.Event)
    breaks_after: int | None = None

    def echo(self, peer: Peer, *, secret: str | None = None) -> None:
        self._check(secret)

    def find_studies(
        self, peer: Peer, query: StudyQuery, *, secret: str | None = None
    ) -> tuple[StudyRecord, ...]:
        self.asked.append(query)
        self._check(secret)
        return self.studies

    def find_series(
        self, peer: Peer, study_uid: str, *, secret: str | None = None
    ) -> tuple[SeriesRecord, ...]:
        self._check(secret)
        return self.series

    def retrieve(
        self,
        peer: Peer,
        study_uid: str,
        folder: Path,
        *,
        series_uid: str | None = None,
        secret: str | None = None,
        receiver: object = None,
    ) -> Iterator[Transfer]:
        self._check(secret)
        files = self.files.get(series_uid or "", ())
        try:
            yield Transfer(0, len(files), None, 10)
            while not self.go_on.wait(0.01):
                yield Transfer(0, len(files), None, 20)
            folder.mkdir(parents=True, exist_ok=True)
            for number, path in enumerate(files):
                target = folder / path.name
                target.write_bytes(path.read_bytes())
                yield Transfer(number + 1, len(files), target, 30)
        except GeneratorExit:
            self.closed.set()
            raise

    def send(
        self, peer: Peer, paths: Sequence[Path], *, secret: str | None = None
    ) -> Iterator[Transfer]:
        self._check(secret)
        try:
            for number, path in enumerate(paths):
                while not self.go_on.wait(0.01):
                    yield Transfer(number, len(paths))
                self.sent.append(path)
                self.sent_bytes.append(path.read_bytes())
                if self.breaks_after == number + 1:
                    raise CalcViewerError("Hospital broke off.", "Try again.")
                yield Transfer(number + 1, len(paths), path)
        except GeneratorExit:
            self.closed.set()
            raise

    def _check(self, secret: str | None) -> None:
        self.secrets.append(secret)
        if self.fault is not None:
            raise self.fault


@pytest.fixture
def archive(monkeypatch: pytest.MonkeyPatch) -> FakeArchive:
    """Put an archive without a network in the place of every verb."""
    fake = FakeArchive()
    fake.go_on.set()
    for verb in ("echo", "find_studies", "find_series", "retrieve", "send"):
        monkeypatch.setattr(verbs, verb, getattr(fake, verb))
    return fake


@pytest.fixture
def tasks() -> Iterator[Tasks]:
    made = Tasks()
    yield made
    made.cancel_all()
    assert made.wait(PATIENCE_S)


@pytest.fixture(autouse=True)
def own_keyring(monkeypatch: pytest.MonkeyPatch) -> Iterator[MemoryKeyring]:
    """Keep the operator's own keyring out of the tests."""
    monkeypatch.delenv("CALCVIEWER_PACS_SECRET", raising=False)
    made = MemoryKeyring()
    with using(made):
        yield made
