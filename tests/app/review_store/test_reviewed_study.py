"""From a review on disk to a data set and a second pass, by the commands people use."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from calcviewer.__main__ import main
from calcviewer.app.review_store.place import places
from calcviewer.app.review_store.reviewed_study import open_reviewed
from calcviewer.app.review_store.search import review_entries
from calcviewer.app.review_store.store import open_review
from calcviewer.app.session import Session
from calcviewer.app.voi_file import read_dataset
from calcviewer.app.workflows import SegmentOptions, load_segmenter, segment_study
from calcviewer.core.annotation import Provenance
from calcviewer.core.errors import CalcViewerError
from calcviewer.core.study import Study
from calcviewer.modalities.ivoct.protocol import Protocol
from calcviewer.modalities.ivoct.read import read_pullback
from tests.result_studies import processing_pullback

FRAMES = 3


@pytest.fixture(scope="module")
def pullback_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated pullback whose review has two confirmed frames, one of them corrected."""
    folder = tmp_path_factory.mktemp("reviewed")
    assert main(["simulate", "-o", str(folder), "--seed", "4", "--frames", str(FRAMES)]) == 0
    path = folder / "pullback.dcm"
    session = Session(Study(read_pullback(path), Protocol()))
    segment_study(session, load_segmenter(session.study.pullback, SegmentOptions()))
    store = open_review(session.study)
    store.follow(session)
    predicted = session.study.predictions[1]
    drawn = replace(predicted, calcium=(), provenance=Provenance.SEMIAUTOMATIC)
    review = session.study.review.with_edit(1, drawn)
    session.edit("erase calcium", review)
    session.edit("confirm", replace(review, confirmed_frames=frozenset({0, 1})))
    store.close()
    return path


@pytest.fixture(scope="module")
def review_path(pullback_path: Path) -> Path:
    return places(read_pullback(pullback_path))[0]


def test_a_review_is_found_from_its_file_and_from_its_pullback(
    pullback_path: Path, review_path: Path
) -> None:
    by_file, by_pullback = open_reviewed(review_path), open_reviewed(pullback_path)
    assert by_file.identity == by_pullback.identity
    assert by_file.study.review.confirmed_frames == {0, 1}
    assert sorted(by_pullback.study.review.edits) == [1]
    entry = by_file.last_entry(0)
    assert entry is not None
    assert entry.label == "confirm"


def test_the_command_writes_a_data_set(
    review_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export-labels", str(review_path), "-o", str(tmp_path), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["frames"] == {"AUTOMATIC": 1, "SEMIAUTOMATIC": 1}
    assert document["left_out"] == []
    (voi,) = read_dataset(tmp_path, stride=2)
    assert [origin.provenance for origin in voi.metadata.frames] == ["AUTOMATIC", "SEMIAUTOMATIC"]
    assert not (voi.labels[1] == 2).any()


def test_the_command_lists_what_differs(
    pullback_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["second-pass", str(pullback_path), "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["frame"] == 2
    assert row["lumen"]["dice"] == pytest.approx(1.0)
    assert main(["second-pass", str(pullback_path)]) == 0
    assert "frame    2" in capsys.readouterr().out


def test_a_review_away_from_its_pullback_says_so(review_path: Path, tmp_path: Path) -> None:
    moved = tmp_path / review_path.name
    moved.write_bytes(review_path.read_bytes())
    with pytest.raises(CalcViewerError, match="not beside it"):
        open_reviewed(moved)


def test_a_review_of_another_pullback_is_refused(
    review_path: Path, pullback_path: Path, tmp_path: Path
) -> None:
    assert main(["simulate", "-o", str(tmp_path), "--seed", "5", "--frames", "1"]) == 0
    (tmp_path / review_path.name).write_bytes(review_path.read_bytes())
    with pytest.raises(CalcViewerError, match="not a review of"):
        open_reviewed(tmp_path / review_path.name)


def test_an_analysis_and_a_pullback_without_review_say_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "analysis.json").write_text("{}")
    with pytest.raises(CalcViewerError, match="nobody has confirmed"):
        open_reviewed(tmp_path)
    assert main(["simulate", "-o", str(tmp_path / "new"), "--seed", "6", "--frames", "1"]) == 0
    with pytest.raises(CalcViewerError, match="has no review"):
        open_reviewed(tmp_path / "new" / "pullback.dcm")


def test_a_pullback_that_nobody_worked_on_has_no_history(tmp_path: Path) -> None:
    path = processing_pullback(tmp_path).source.path
    with pytest.raises(CalcViewerError, match="has no review"):
        review_entries(path)
