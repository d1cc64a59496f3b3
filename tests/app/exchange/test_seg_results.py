"""Annotations survive the way through a segmentation, on the pixels of any source."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
from pydicom import Dataset, dcmread

from calcviewer.app import workflows
from calcviewer.app.exchange.seg_results import annotations_of_seg, study_of_seg, write_study_seg
from calcviewer.app.results import Results, compute_results
from calcviewer.app.session import IvoctStudy
from calcviewer.core.annotation import FrameAnnotation, Provenance
from calcviewer.core.contour import Contour
from calcviewer.core.errors import CalcViewerError, UnreadableInputError
from calcviewer.core.geometry import to_xy
from calcviewer.core.pullback import CalibratedValue, Origin
from calcviewer.core.study import GuidewireDecision, Review
from calcviewer.dicom.seg_reader import EXACT_CONTOURS, PRIVATE_BLOCK
from calcviewer.dicom.source import no_source, source_of
from calcviewer.modalities.ivoct.pictures import PolarFrames
from tests.lesion_studies import ACROSS_WIRE, TWO_LESIONS, study_of
from tests.result_studies import presentation_pullback, processing_pullback, result_study


def round_lumen(study: IvoctStudy) -> IvoctStudy:
    """Return the study with lumina that lie on no pixel border."""
    angle = np.linspace(0, 360, 200, endpoint=False)
    changed = {}
    for k, one in study.predictions.items():
        radius = 1.2 + 0.07 * np.sin(np.deg2rad(3 * angle + 10 * k))
        changed[k] = replace(one, lumen=Contour(to_xy(angle, radius)))
    return replace(study, predictions=MappingProxyType(changed))


def scores(results: Results) -> list[tuple[object, ...]]:
    return [
        (one.frame_range, one.visible.score, one.bridged.score, one.verdict)
        for one in results.lesions
    ]


def as_others_write(path: Path) -> None:
    """Take the exact contours out: only pixels are left."""
    dataset = dcmread(path)
    del dataset.private_block(*PRIVATE_BLOCK)[EXACT_CONTOURS]
    dataset.save_as(path)


@pytest.mark.parametrize("make", [processing_pullback, presentation_pullback])
@pytest.mark.parametrize("pixels_only", [False, True])
def test_areas_arcs_and_scores_survive(tmp_path: Path, make: object, *, pixels_only: bool) -> None:
    study = round_lumen(result_study(make(tmp_path)))  # type: ignore[operator]
    path = tmp_path / "a.seg.dcm"
    write_study_seg(path, study, source_of([study.pullback.source.path]))
    if pixels_only:
        as_others_write(path)
    before = compute_results(study, {})
    after = workflows.measure(path).results
    assert scores(after) == scores(before)
    for one, other in zip(before.frames, after.frames, strict=True):
        assert one is not None
        assert other is not None
        assert other.lumen_area_mm2 == pytest.approx(one.lumen_area_mm2, rel=5e-3)
        assert other.calcium_area_mm2 == pytest.approx(one.calcium_area_mm2, rel=5e-3)
        assert other.max_arc_deg_visible == pytest.approx(one.max_arc_deg_visible, abs=1.0)
        assert pixels_only or other.lumen_area_mm2 == one.lumen_area_mm2
    again = annotations_of_seg(path, study.pullback)
    assert again.keys() == study.predictions.keys()
    assert again[15].provenance is Provenance.SEMIAUTOMATIC
    assert again[3].provenance is Provenance.AUTOMATIC


def test_pixels_changed_by_others_win_over_the_contours(tmp_path: Path) -> None:
    study = study_of(TWO_LESIONS[:4])
    path = tmp_path / "a.seg.dcm"
    write_study_seg(path, study, no_source())
    dataset = dcmread(path)
    dataset.PixelData = b"\0" * len(dataset.PixelData)
    dataset.save_as(path)
    read = study_of_seg(path)
    assert all(one.lumen is None and not one.calcium for one in read.predictions.values())


@pytest.mark.parametrize("clockwise", [True, False])
@pytest.mark.parametrize("pixels_only", [False, True])
def test_it_lies_on_the_stored_a_lines(
    tmp_path: Path, *, clockwise: bool, pixels_only: bool
) -> None:
    study = result_study(processing_pullback(tmp_path))
    frames = study.pullback.frames
    assert isinstance(frames, PolarFrames)
    seams = tuple(range(len(TWO_LESIONS)))
    turned = replace(frames.orientation, clockwise=clockwise, first_a_line=7, seam_indices=seams)
    pullback = replace(study.pullback, frames=replace(frames, orientation=turned))
    study = replace(study, pullback=pullback)
    path = tmp_path / "a.seg.dcm"
    write_study_seg(path, study, source_of([pullback.source.path]))
    if pixels_only:
        as_others_write(path)
    assert scores(workflows.measure(path).results) == scores(compute_results(study, {}))
    again = annotations_of_seg(path, pullback)[13]
    for one, other in zip(study.predictions[13].calcium, again.calcium, strict=True):
        np.testing.assert_allclose(one.polygon.bounds, other.polygon.bounds, atol=0.01)


def test_what_the_score_rests_on_travels_along(tmp_path: Path) -> None:
    study = study_of([ACROSS_WIRE] * 12)
    failed = FrameAnnotation(failure="no signal")
    decided = GuidewireDecision(0, 11, True, "Who", "2024-01-01")
    review = Review(
        voi=(2, 9), excluded=MappingProxyType({4: "blood"}), guidewire_decisions=(decided,)
    )
    predictions = {k: one for k, one in study.predictions.items() if k != 6} | {7: failed}
    study = replace(study, review=review, predictions=MappingProxyType(predictions))
    path = tmp_path / "a.seg.dcm"
    write_study_seg(path, study, no_source())
    read = study_of_seg(path)
    assert read.pullback.frame_count == 12
    assert read.review.voi == (2, 9)
    assert set(read.review.excluded) == {4}
    assert 6 not in read.predictions
    assert read.predictions[7].failure
    analysis = workflows.measure(path)
    assert scores(analysis.results) == scores(compute_results(study, {}))
    assert analysis.results.lesions[0].verdict is not None
    assert workflows.measure(path, voi=(0, 3)).study.review.voi == (0, 3)


def test_a_scale_changed_after_export_is_followed(tmp_path: Path) -> None:
    study = result_study(processing_pullback(tmp_path))
    own = study.pullback.calibration
    wider = replace(own, sample_spacing_mm=CalibratedValue(0.03, Origin.OPERATOR))
    study = replace(study, review=Review(calibration=wider))
    path = tmp_path / "a.seg.dcm"
    write_study_seg(path, study, source_of([study.pullback.source.path]))
    before = compute_results(study, {}).frames[13]
    after = workflows.measure(path).results.frames[13]
    assert before is not None
    assert after is not None
    assert after.calcium_area_mm2 == pytest.approx(before.calcium_area_mm2)
    again = annotations_of_seg(path, study.pullback)[13]
    area = study.predictions[13].calcium[0].area_mm2
    assert again.calcium[0].area_mm2 == pytest.approx(area, rel=1e-9)


def test_without_a_scale_there_are_no_lengths(tmp_path: Path) -> None:
    study = study_of(TWO_LESIONS[:5], calibrated=False, pitch_mm=None)
    path = tmp_path / "a.seg.dcm"
    write_study_seg(path, study, no_source())
    frame = workflows.measure(path).results.frames[3]
    assert frame is not None
    assert frame.lumen_area_mm2 is None
    assert frame.max_arc_deg_visible == pytest.approx(80, abs=1)


def test_a_segmentation_of_another_pullback_is_refused(tmp_path: Path) -> None:
    study = result_study(processing_pullback(tmp_path))
    path = tmp_path / "a.seg.dcm"
    write_study_seg(path, study, source_of([study.pullback.source.path]))
    (tmp_path / "other").mkdir()
    with pytest.raises(CalcViewerError, match="made on another image"):
        annotations_of_seg(path, processing_pullback(tmp_path / "other"))
    write_study_seg(path, study_of(TWO_LESIONS), no_source())
    with pytest.raises(CalcViewerError, match="frames of 160 x 180 pixels, the pullback"):
        annotations_of_seg(path, presentation_pullback(tmp_path))


def test_a_foreign_segmentation_is_measured_about_its_middle(tmp_path: Path) -> None:
    study = result_study(presentation_pullback(tmp_path))
    path = tmp_path / "a.seg.dcm"
    write_study_seg(path, study, source_of([study.pullback.source.path]))
    dataset = dcmread(path)
    for element in [one for one in dataset if one.tag.is_private]:
        del dataset[element.tag]
    dataset.save_as(path)
    analysis = workflows.measure(path)
    assert [one.frame_range for one in analysis.results.lesions] == [(2, 4), (12, 15)]
    expected = compute_results(study, {}).frames[13]
    frame = analysis.results.frames[13]
    assert frame is not None
    assert expected is not None
    assert frame.max_arc_deg_visible == pytest.approx(expected.max_arc_deg_visible, abs=1)
    assert frame.lumen_area_mm2 == pytest.approx(expected.lumen_area_mm2, rel=0.02)


def as_of_another_program(path: Path) -> Dataset:
    dataset = dcmread(path)
    for element in [one for one in dataset if one.tag.is_private]:
        del dataset[element.tag]
    return dataset


def test_a_foreign_segmentation_of_oblong_pixels_is_refused(tmp_path: Path) -> None:
    study = result_study(presentation_pullback(tmp_path))
    path = tmp_path / "a.seg.dcm"
    write_study_seg(path, study, source_of([study.pullback.source.path]))
    dataset = as_of_another_program(path)
    shared = dataset.SharedFunctionalGroupsSequence[0]
    shared.PixelMeasuresSequence[0].PixelSpacing = [0.02, 0.03]
    dataset.save_as(path)
    with pytest.raises(UnreadableInputError, match=r"pixels of 0\.03 x 0\.02 mm"):
        study_of_seg(path)


def test_a_foreign_segmentation_without_a_scale_has_arcs_but_no_lengths(tmp_path: Path) -> None:
    study = result_study(presentation_pullback(tmp_path))
    path = tmp_path / "a.seg.dcm"
    write_study_seg(path, study, source_of([study.pullback.source.path]))
    dataset = as_of_another_program(path)
    del dataset.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence
    dataset.save_as(path)
    analysis = workflows.measure(path)
    assert analysis.study.calibration.missing() == ("sample spacing", "frame pitch")
    expected = compute_results(study, {}).frames[13]
    frame = analysis.results.frames[13]
    assert frame is not None
    assert expected is not None
    assert frame.max_arc_deg_visible == pytest.approx(expected.max_arc_deg_visible, abs=1)
    assert frame.lumen_area_mm2 is None
