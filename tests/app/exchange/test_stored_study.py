"""What was stored of a study opens again as it was."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from calcviewer.__main__ import main
from calcviewer.app import workflows
from calcviewer.app.exchange import stored_study
from calcviewer.app.exchange.stored_contours import contours_bytes, contours_of
from calcviewer.app.exchange.stored_study import open_stored
from calcviewer.app.results import compute_results
from calcviewer.app.review_store.place import places
from calcviewer.app.review_store.store import open_review
from calcviewer.app.session import IvoctStudy, Session
from calcviewer.core.annotation import FrameAnnotation
from calcviewer.core.errors import CalcViewerError
from calcviewer.core.pullback import CalibratedValue, Origin, Pullback
from calcviewer.core.study import Review, Study
from calcviewer.modalities.ivoct.protocol import Protocol
from tests.lesion_studies import MODEL
from tests.result_studies import analysed, annotations, processing_pullback, result_study


@pytest.mark.parametrize("exact", [True, False])
def test_an_analysis_opens_as_it_was(tmp_path: Path, *, exact: bool) -> None:
    study = result_study(processing_pullback(tmp_path), Review(voi=(0, 17)))
    again = open_stored(analysed(tmp_path, study, exact=exact))
    assert again.model == study.model
    assert again.review.voi == study.review.voi
    assert again.calibration == study.calibration
    before, after = compute_results(study, {}), compute_results(again, {})
    assert [one.verdict for one in after.lesions] == [one.verdict for one in before.lesions]
    if exact:
        for one, other in zip(before.frames, after.frames, strict=True):
            assert one is not None
            assert other is not None
            assert one.calcium_area_mm2 == other.calcium_area_mm2


def test_a_pullback_that_is_gone_or_another_is_named(tmp_path: Path) -> None:
    study = result_study(processing_pullback(tmp_path))
    out = analysed(tmp_path, study)
    processing_pullback(tmp_path)  # the same name, another acquisition
    with pytest.raises(CalcViewerError, match="another pullback than the one analyzed"):
        open_stored(out)
    study.pullback.source.path.unlink()
    with pytest.raises(CalcViewerError, match=r"Quillfeather\.dcm.* is not there"):
        open_stored(out)


def test_damage_is_named(tmp_path: Path) -> None:
    out = analysed(tmp_path, result_study(processing_pullback(tmp_path)))
    (out / "contours.bin").write_bytes(b"no")
    with pytest.raises(CalcViewerError, match=r"contours\.bin is damaged"):
        open_stored(out)
    (out / "analysis.json").write_text(json.dumps({"model": 1}))
    with pytest.raises(CalcViewerError, match="no analysis of a pullback"):
        open_stored(out)
    (out / "analysis.json").write_text("{")
    with pytest.raises(CalcViewerError, match="cannot be read"):
        open_stored(out)


def test_an_analysis_that_does_not_fit_is_named(tmp_path: Path) -> None:
    out = analysed(tmp_path, result_study(processing_pullback(tmp_path), Review(voi=(0, 17))))
    document = json.loads((out / "analysis.json").read_text())
    (out / "analysis.json").write_text(json.dumps({**document, "voi": [1, 99]}))
    with pytest.raises(CalcViewerError, match="its VOI is 1 to 99"):
        open_stored(out)
    (out / "analysis.json").write_text("[]")
    with pytest.raises(CalcViewerError, match="is no analysis of a pullback"):
        open_stored(out)
    (out / "analysis.json").write_text(json.dumps(document))
    (out / "contours.bin").write_bytes(contours_bytes({18: annotations()[2]}))
    with pytest.raises(CalcViewerError, match="belongs to another pullback"):
        open_stored(out)
    (out / "analysis.json").unlink()
    with pytest.raises(CalcViewerError, match=r"holds no analysis\.json"):
        open_stored(out)


def test_what_a_review_leaves_open_is_predicted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = result_study(processing_pullback(tmp_path))
    edited = {3: annotations()[3]}
    bare = replace(study, predictions={}, review=Review(edits=edited, voi=(2, 5)))
    asked: list[list[int]] = []

    class Reviewed:
        study = bare

    def predict(given: IvoctStudy, frames: list[int], *, progress: object) -> IvoctStudy:
        asked.append(frames)
        return given

    monkeypatch.setattr(stored_study, "open_reviewed", lambda _: Reviewed)
    monkeypatch.setattr(stored_study, "with_predictions", predict)
    assert open_stored(tmp_path / "a.review") is bare
    assert asked == [[2, 4, 5]]


def test_contours_come_back_exactly() -> None:
    made = {**annotations(), 18: FrameAnnotation(failure="no signal")}
    again = contours_of(contours_bytes(made) + b"\0")
    assert again.keys() == made.keys()
    for index, one in made.items():
        other = again[index]
        assert (one.provenance, one.failure) == (other.provenance, other.failure)
        assert one.guidewires == other.guidewires
        for before, after in zip(one.calcium, other.calcium, strict=True):
            np.testing.assert_array_equal(before.points_mm, after.points_mm)


@pytest.mark.parametrize("damage", [b"", b"nothing", contours_bytes(annotations())[:-20]])
def test_damaged_contours(damage: bytes) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        contours_of(damage)


def reviewed(pullback: Pullback, frames: Iterable[int]) -> Session:
    """Return the session of an operator who edited frames, excluded one, and closed the study."""
    session = Session(Study(pullback, Protocol()))
    store = open_review(session.study)
    store.follow(session)
    for frame in frames:
        review = session.study.review.with_edit(frame, annotations()[frame])
        session.edit(f"draw frame {frame + 1}", review)
    session.edit("a mistake", session.study.review.with_edit(13, annotations()[0]))
    session.undo()
    session.edit("exclude", session.study.review.with_exclusion(3, "blood"))
    pitch = CalibratedValue(0.25, Origin.OPERATOR, "as the console shows it")
    calibration = replace(session.study.calibration, frame_pitch_mm=pitch)
    session.edit("set frame pitch", replace(session.study.review, calibration=calibration))
    store.close()
    return session


@pytest.mark.parametrize("given", ["review", "pullback"])
def test_a_saved_review_is_exported_as_it_was_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], given: str
) -> None:
    pullback = processing_pullback(tmp_path)
    before = reviewed(pullback, range(pullback.frame_count)).results
    path = places(pullback)[0] if given == "review" else pullback.source.path
    assert main(["export", str(path), "--seg", "-o", str(tmp_path / "out")]) == 0
    told = capsys.readouterr()
    assert told.err == ""  # nothing was segmented, so there is nothing to wait for
    (seg,) = (tmp_path / "out").iterdir()
    assert told.out.split() == [str(seg.resolve())]
    after = workflows.measure(seg).results
    assert after.frames[3] is None
    for one, other in zip(before.frames, after.frames, strict=True):
        assert (one is None) is (other is None)
        if one is not None and other is not None:
            assert other.lumen_area_mm2 == one.lumen_area_mm2
            assert other.calcium_area_mm2 == one.calcium_area_mm2
    assert [one.length_mm for one in after.lesions] == [one.length_mm for one in before.lesions]
    assert [one.verdict for one in after.lesions] == [one.verdict for one in before.lesions]


def test_frames_a_saved_review_leaves_to_the_model_are_segmented_for_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pullback = processing_pullback(tmp_path)
    session = reviewed(pullback, range(12))
    asked: list[int] = []

    class Segmenter:
        model = MODEL

        def predict(self, frames: Iterable[int]) -> Iterator[tuple[int, FrameAnnotation]]:
            for frame in frames:
                asked.append(frame)
                yield frame, annotations()[frame]

    monkeypatch.setattr(
        "calcviewer.app.review_store.reviewed_study.load_segmenter", lambda *_: Segmenter()
    )
    out = tmp_path / "out"
    assert main(["export", str(places(pullback)[0]), "--seg", "-o", str(out)]) == 0
    assert asked == [*range(12, 18)]
    assert "6/6" in capsys.readouterr().err
    results = workflows.measure(next(out.iterdir())).results
    for index, measured in enumerate(results.frames):
        known = session.results.frames[index] if index < 12 else None
        if known is not None and measured is not None:
            assert measured.calcium_area_mm2 == known.calcium_area_mm2
    expected = annotations()[13].calcium[0].area_mm2
    last = results.frames[13]
    assert last is not None
    assert last.calcium_area_mm2 == pytest.approx(expected, rel=1e-3)
