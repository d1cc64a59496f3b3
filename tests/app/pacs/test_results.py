"""Results wait, whole and private, until an archive has all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from calcviewer.app.exchange.dicom_results import ResultOptions
from calcviewer.app.pacs.results import Outbox
from calcviewer.app.results import compute_results
from calcviewer.app.session import IvoctStudy
from calcviewer.core.errors import CalcViewerError
from calcviewer.dicom.network.peer import DimsePeer, Peer
from calcviewer.dicom.network.query import Transfer
from tests.result_studies import processing_pullback, result_study

PEER = DimsePeer(name="archive", host="localhost", port=104, ae_title="ANY")
SEG = ResultOptions(seg=True)
SEG_AND_SR = ResultOptions(seg=True, sr=True)


class Archive:
    """Takes so many objects and then no more; remembers what it was sent."""

    def __init__(self, takes: int) -> None:
        self.takes = takes
        self.sent: list[tuple[tuple[Path, ...], tuple[bytes, ...]]] = []

    def send(
        self, peer: Peer, paths: Sequence[Path], *, secret: str | None = None
    ) -> Iterator[Transfer]:
        self.sent.append((tuple(paths), tuple(path.read_bytes() for path in paths)))
        for number in range(1, len(paths) + 1):
            if number > self.takes:
                raise CalcViewerError("The archive hung up.", "Send it again.")
            yield Transfer(number, len(paths))


@pytest.fixture
def archive(monkeypatch: pytest.MonkeyPatch) -> Archive:
    stand_in = Archive(takes=1)
    monkeypatch.setattr("calcviewer.app.pacs.results.archive", stand_in)
    return stand_in


@pytest.fixture
def study(tmp_path: Path) -> IvoctStudy:
    return result_study(processing_pullback(tmp_path))


def send(outbox: Outbox, study: IvoctStudy, options: ResultOptions) -> list[tuple[int, int]]:
    told = outbox.send(study, compute_results(study, {}), options, PEER)
    return [(one.done, one.total) for one in told]


def test_what_arrived_is_gone(archive: Archive, study: IvoctStudy) -> None:
    assert send(Outbox(), study, SEG) == [(0, 1), (1, 1)]
    ((path,), _) = archive.sent[0]
    assert not path.parent.exists()


def test_what_was_interrupted_is_sent_again_as_it_was_written(
    archive: Archive, study: IvoctStudy
) -> None:
    outbox = Outbox()
    with pytest.raises(CalcViewerError, match="hung up"):
        send(outbox, study, SEG_AND_SR)
    archive.takes = 2
    assert send(outbox, study, SEG_AND_SR)[-1] == (2, 2)
    assert archive.sent[1] == archive.sent[0]  # the same objects: the archive gets no twins
    assert not archive.sent[0][0][0].exists()


def test_another_choice_is_written_anew(archive: Archive, study: IvoctStudy) -> None:
    outbox = Outbox()
    with pytest.raises(CalcViewerError, match="hung up"):
        send(outbox, study, SEG_AND_SR)
    send(outbox, study, SEG)
    assert not archive.sent[0][0][0].exists()
    assert len(archive.sent[1][0]) == 1


def test_what_never_arrived_goes_with_the_outbox(archive: Archive, study: IvoctStudy) -> None:
    outbox = Outbox()
    with pytest.raises(CalcViewerError, match="hung up"):
        send(outbox, study, SEG_AND_SR)
    path = archive.sent[0][0][0]
    assert path.exists()
    del outbox
    assert not path.exists()
