"""Label volumes lie as they should in other programs, and come back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pytest

from calcviewer.app import workflows
from calcviewer.app.exchange.nifti import annotations_of_nifti, study_of_nifti, write_nifti
from calcviewer.app.results import compute_results
from calcviewer.core.errors import CalcViewerError, UnreadableInputError
from calcviewer.core.study import Review
from tests.lesion_studies import TWO_LESIONS, study_of
from tests.result_studies import SQUARE, presentation_pullback, result_study

FINE = 1e-6


def test_others_see_a_volume_in_mm(tmp_path: Path) -> None:
    study = result_study(presentation_pullback(tmp_path))
    path = tmp_path / "a.nii.gz"
    write_nifti(path, study)
    image = nibabel.load(path)
    assert image.shape == (SQUARE.columns, SQUARE.rows, len(TWO_LESIONS))
    assert image.get_data_dtype() == np.uint8
    np.testing.assert_allclose(
        image.header.get_zooms(), (SQUARE.pixel_spacing_mm,) * 2 + (0.2,), rtol=FINE
    )
    values = np.asarray(image.dataobj)
    assert set(np.unique(values)) == {0, 1, 2}
    # The catheter is on the line x = y = 0, inside the lumen.
    at = np.linalg.inv(image.affine) @ [0, 0, 0.2 * 5, 1]
    assert values[tuple(np.rint(at[:3]).astype(int))] == 1


@pytest.mark.parametrize("polar", [True, False])
def test_scores_survive(tmp_path: Path, *, polar: bool) -> None:
    study = study_of(TWO_LESIONS) if polar else result_study(presentation_pullback(tmp_path))
    path = tmp_path / "a.nii.gz"
    write_nifti(path, study)
    before, analysis = compute_results(study, {}), workflows.measure(path)
    pairs = list(zip(before.lesions, analysis.results.lesions, strict=True))
    assert len(pairs) == 2
    for one, other in pairs:
        assert other.frame_range == one.frame_range
        assert other.visible.score.total == one.visible.score.total
        assert other.length_mm == pytest.approx(one.length_mm, rel=1e-5)
        assert other.visible.max_arc_deg == pytest.approx(one.visible.max_arc_deg, abs=1.5)
    again = annotations_of_nifti(path, study.pullback)
    assert set(again) == set(study.predictions)
    assert again[13].provenance is study.predictions[13].provenance


def test_the_voi_and_a_missing_scale_travel_along(tmp_path: Path) -> None:
    study = study_of(TWO_LESIONS[:6], calibrated=False)
    study = replace(study, review=Review(voi=(1, 4)))
    path = tmp_path / "a.nii.gz"
    write_nifti(path, study)
    read = study_of_nifti(path)
    assert read.review.voi == (1, 4)
    assert read.calibration.sample_spacing_mm is None
    assert read.calibration.frame_pitch_mm == study.calibration.frame_pitch_mm


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
@pytest.mark.parametrize("kind", [np.uint8, np.int16, ">i2", np.float32])
def test_volumes_of_other_programs(tmp_path: Path, suffix: str, kind: str) -> None:
    y, x = np.mgrid[:80, :80]
    radius = np.hypot(x - 39.5, y - 39.5)
    labels = np.where(radius < 20, 1, np.where((radius < 30) & (radius > 22), 2, 0))
    volume = np.repeat(labels.T[:, :, None], 3, axis=2).astype(kind)
    path = tmp_path / f"a{suffix}"
    nibabel.save(nibabel.Nifti1Image(volume, np.diag([0.1, 0.1, 0.5, 1])), path)
    results = workflows.measure(path).results
    frame = results.frames[1]
    assert frame is not None
    assert frame.max_arc_deg_visible == pytest.approx(360)
    assert frame.lumen_area_mm2 == pytest.approx(np.pi * 4, rel=0.02)
    assert results.lesions[0].length_mm == pytest.approx(1.5)


def test_what_is_no_label_volume_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.nii.gz"
    with pytest.raises(UnreadableInputError, match="there is no such file"):
        study_of_nifti(path)
    path.write_bytes(b"nothing")
    with pytest.raises(UnreadableInputError, match="not a readable NIfTI"):
        study_of_nifti(path)
    values = np.full((8, 8, 2), 7, dtype=np.uint8)
    nibabel.save(nibabel.Nifti1Image(values, np.eye(4)), path)
    with pytest.raises(UnreadableInputError, match="frame 1 holds other values"):
        study_of_nifti(path)
    nibabel.save(nibabel.Nifti1Image(values, np.diag([1, 2, 1, 1])), path)
    with pytest.raises(UnreadableInputError, match="not square"):
        study_of_nifti(path)
    nibabel.save(nibabel.Nifti1Image(values[0], np.eye(4)), path)
    with pytest.raises(UnreadableInputError, match="no volume of labels"):
        study_of_nifti(path)


def test_a_volume_that_is_cut_short_or_of_another_pullback(tmp_path: Path) -> None:
    study = study_of(TWO_LESIONS[:4])
    path = tmp_path / "a.nii.gz"
    write_nifti(path, study)
    with pytest.raises(CalcViewerError, match="has 4 frames, the pullback 18"):
        annotations_of_nifti(path, study_of(TWO_LESIONS).pullback)
    path.write_bytes(path.read_bytes()[:-400])
    with pytest.raises(UnreadableInputError, match="damaged or cut short"):
        study_of_nifti(path)


def test_volumes_that_no_pullback_has_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.nii"
    values = np.zeros((8, 8, 2), dtype=np.uint8)

    def refused(image: nibabel.Nifti1Image, reason: str) -> None:
        nibabel.save(image, path)
        with pytest.raises(UnreadableInputError, match=reason) as raised:
            study_of_nifti(path)
        assert raised.value.hint

    scaled = nibabel.Nifti1Image(values, np.eye(4))
    scaled.header.set_slope_inter(0.5, 1)
    refused(scaled, "holds scaled values")
    refused(nibabel.Nifti1Image(np.zeros((5000, 5000, 1), np.uint8), np.eye(4)), "is too large")
    refused(nibabel.Nifti1Image(values.astype(np.complex64), np.eye(4)), "no volume of labels")


def test_a_volume_with_a_time_axis_of_one_is_a_volume(tmp_path: Path) -> None:
    path = tmp_path / "a.nii"
    nibabel.save(nibabel.Nifti1Image(np.zeros((8, 8, 2, 1), np.uint8), np.eye(4)), path)
    assert study_of_nifti(path).pullback.frame_count == 2


def test_an_own_volume_that_was_moved_far_away_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.nii.gz"
    write_nifti(path, study_of(TWO_LESIONS[:2]))
    image = nibabel.load(path)
    affine = image.affine.copy()
    affine[0, 3] = 1e9
    nibabel.save(nibabel.Nifti1Image(np.asarray(image.dataobj), affine, image.header), path)
    with pytest.raises(UnreadableInputError, match="does not say where its middle is"):
        study_of_nifti(path)
