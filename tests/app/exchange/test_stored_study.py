"""What was stored of a study opens again as it was."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from calcviewer.app.analysis_file import analysis_document, write_json
from calcviewer.app.exchange import stored_study
from calcviewer.app.exchange.stored_contours import contours_bytes, contours_of
from calcviewer.app.exchange.stored_study import open_stored
from calcviewer.app.results import compute_results
from calcviewer.app.session import IvoctStudy
from calcviewer.app.workflows import write_study_labels
from calcviewer.core.annotation import FrameAnnotation
from calcviewer.core.errors import CalcViewerError
from calcviewer.core.study import Review
from calcviewer.modalities.ivoct.read import ReadOptions
from tests.result_studies import annotations, processing_pullback, result_study


def analysed(folder: Path, study: IvoctStudy, *, exact: bool = True) -> Path:
    out = folder / "out"
    out.mkdir()
    document = analysis_document(study, compute_results(study, {}))
    document["read_options"] = asdict(ReadOptions())
    write_json(out / "analysis.json", document)
    write_study_labels(out / "labels.npz", study)
    if exact:
        (out / "contours.bin").write_bytes(contours_bytes(study.predictions))
    return out


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
