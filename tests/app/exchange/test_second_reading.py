"""Results of other readers open over their pullback, and over no other one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import nibabel
import numpy as np
import pytest
from highdicom.sr.coding import CodedConcept

from calcviewer.app.exchange.dicom_results import ResultOptions, write_results
from calcviewer.app.exchange.second_reading import open_results
from calcviewer.app.results import compute_results
from calcviewer.app.second_reader import (
    GivenAnnotations,
    SecondReading,
    compared_frame,
    is_results,
    taken_over,
)
from calcviewer.app.session import IvoctStudy, Session
from calcviewer.core.annotation import Label, Provenance, labels_of_annotation
from calcviewer.core.errors import CalcViewerError
from calcviewer.core.pullback import Pullback
from calcviewer.core.study import Review, Study
from calcviewer.modalities.ivoct.protocol import Protocol
from tests.foreign_results import CALCIUM, LUMEN, MAKER, write_foreign_seg, write_foreign_sr
from tests.result_studies import (
    SQUARE,
    annotations,
    presentation_pullback,
    processing_pullback,
    result_study,
)

ARC = CodedConcept("122355", "DCM", "Arc of Calcium")
AREA = CodedConcept("397415007", "SCT", "Vessel lumen cross-sectional area")
ALL = ResultOptions(seg=True, sr=True, nifti=True)


def other_annotations(study: IvoctStudy) -> IvoctStudy:
    """Return the study as somebody left it who moved the contours of frames 4 and 14."""
    edits = {3: annotations()[4], 13: annotations()[12]}
    return replace(study, review=Review(edits=MappingProxyType(edits)))


def written(study: IvoctStudy, folder: Path, *, deidentify: bool = False) -> dict[str, Path]:
    options = replace(ALL, deidentify=deidentify)
    paths = write_results(study, compute_results(study, {}), options, folder / "results")
    return {path.name.split(".")[1]: path for path in paths}


def given(path: Path, pullback: Pullback) -> GivenAnnotations:
    opened = open_results(path, pullback)
    assert isinstance(opened, GivenAnnotations)
    return opened


@pytest.mark.parametrize("make", [processing_pullback, presentation_pullback])
@pytest.mark.parametrize("deidentify", [False, True])
def test_our_own_results_come_back(
    tmp_path: Path, make: Callable[[Path], Pullback], *, deidentify: bool
) -> None:
    study = result_study(make(tmp_path))
    paths = written(other_annotations(study), tmp_path, deidentify=deidentify)
    seg = given(paths["seg"], study.pullback)
    assert (seg.maker, seg.assured) == ("CalcViewer", not deidentify)
    assert seg.structures == {Label.LUMEN, Label.CALCIUM, Label.GUIDEWIRE_SHADOW}
    step = taken_over(study, seg, replace_edits=False)
    assert step is not None
    assert step.review.edits.keys() == {3, 13}  # in the others nothing differs
    volume = given(paths["nii"], study.pullback)
    assert (volume.maker, volume.assured) == ("CalcViewer", False)
    reading = open_results(paths["sr"], study.pullback)
    assert isinstance(reading, SecondReading)
    assert reading.assured is not deidentify
    assert [one.frames for one in reading.lesions] == [(2, 4), (12, 15)]
    same = compared_frame(reading, compute_results(study, {}), 14)
    assert same
    assert all(one.difference == pytest.approx(0, abs=1e-3) for one in same)


def test_a_segmentation_of_another_program(tmp_path: Path) -> None:
    study = result_study(presentation_pullback(tmp_path))
    labels = np.stack([labels_of_annotation(one, SQUARE) for one in annotations().values()])
    keep = np.isin(np.arange(len(labels)), [3, 4, 12, 13])[:, None, None]
    path = tmp_path / "their results.dcm"
    masks = {LUMEN: (labels == 1) & keep, CALCIUM: (labels == 2) & keep}
    write_foreign_seg(path, study.pullback.source.path, masks)
    assert is_results(path)
    seg = given(path, study.pullback)
    assert (seg.maker, seg.assured) == (MAKER, True)
    assert seg.annotations.keys() == {3, 4, 12, 13}
    assert seg.structures == {Label.LUMEN, Label.CALCIUM}
    bare = Study(study.pullback, Protocol())
    step = taken_over(bare, seg, replace_edits=False)
    assert step is not None
    session = Session(bare)
    session.edit(step.label, step.review)
    expected = compute_results(study, {}).frames[13]
    frame = session.results.frames[13]
    assert frame is not None
    assert expected is not None
    assert frame.lumen_area_mm2 == pytest.approx(expected.lumen_area_mm2, rel=0.02)
    assert frame.max_arc_deg_visible == pytest.approx(expected.max_arc_deg_visible, abs=1.5)
    made = session.study.annotation(13)
    assert made is not None
    assert (made.provenance, made.taken_from) == (Provenance.SEMIAUTOMATIC, MAKER)


def test_a_volume_of_another_program(tmp_path: Path) -> None:
    study = result_study(presentation_pullback(tmp_path))
    labels = np.zeros((study.pullback.frame_count, *SQUARE.shape), dtype=np.int16)
    labels[5] = labels_of_annotation(annotations()[3], SQUARE)
    path = tmp_path / "theirs.nii.gz"
    affine = np.diag([SQUARE.pixel_spacing_mm, SQUARE.pixel_spacing_mm, 0.2, 1])
    nibabel.save(nibabel.Nifti1Image(labels.T, affine), path)
    volume = given(path, study.pullback)
    assert volume.structures == {Label.LUMEN, Label.CALCIUM}
    step = taken_over(study, volume, replace_edits=False)
    assert step is not None
    assert step.review.edits.keys() == {5}  # it has nothing in the others


def test_a_report_of_another_reader(tmp_path: Path) -> None:
    study = result_study(processing_pullback(tmp_path))
    path = tmp_path / "theirs.dcm"
    groups = [
        ("culprit", True, range(12, 17), {ARC: (231.0, "deg")}),
        ("f14", False, [14], {ARC: (228.0, "deg"), AREA: (6.4, "mm2")}),
    ]
    write_foreign_sr(path, study.pullback.source.path, groups)
    reading = open_results(path, study.pullback)
    assert isinstance(reading, SecondReading)
    assert reading.maker == f"Ada Reader · {MAKER}"
    assert [(one.name, one.frames) for one in reading.lesions] == [("culprit", (11, 15))]
    assert list(reading.frames) == [13]
    concepts = ("lumen_area_mm2", "max_arc_deg_visible")
    compared = compared_frame(reading, compute_results(study, {}), 13, concepts)
    assert [one.theirs.value for one in compared if one.theirs] == [6.4, 228.0]
    assert compared[1].difference == pytest.approx(8, abs=2)


def test_results_of_another_pullback_are_refused(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    study, other = result_study(processing_pullback(tmp_path)), tmp_path / "other"
    paths = written(study, tmp_path)
    another = processing_pullback(other)
    for kind in ("seg", "sr"):
        with pytest.raises(CalcViewerError, match="was made on another image"):
            open_results(paths[kind], another)
    short = processing_pullback(other, 9)
    bare = written(study, tmp_path / "bare", deidentify=True)
    with pytest.raises(CalcViewerError, match=r"18 frames .* the pullback 9"):
        open_results(bare["seg"], short)
    with pytest.raises(CalcViewerError, match="measures frame 18, the pullback has 9"):
        open_results(bare["sr"], short)
    with pytest.raises(CalcViewerError, match="has 18 frames, the pullback 9"):
        open_results(paths["nii"], short)
    large = np.zeros((240, 240, 18), dtype=np.uint8)
    path = tmp_path / "large.nii.gz"
    nibabel.save(nibabel.Nifti1Image(large, np.diag([0.05, 0.05, 0.2, 1])), path)
    with pytest.raises(CalcViewerError, match=r"frames of 12\.0 x 12\.0 mm, the pullback of 6\.4"):
        open_results(path, study.pullback)


def test_what_holds_no_results_is_said(tmp_path: Path) -> None:
    study = result_study(processing_pullback(tmp_path))
    source = study.pullback.source.path
    assert not is_results(source)
    assert not is_results(tmp_path)
    with pytest.raises(CalcViewerError, match="holds no results"):
        open_results(source, study.pullback)
    broken = tmp_path / "a.nii.gz"
    broken.write_bytes(b"nothing")
    with pytest.raises(CalcViewerError, match="not a readable NIfTI"):
        open_results(broken, study.pullback)
    with pytest.raises(CalcViewerError, match="no such file"):
        open_results(tmp_path / "gone.dcm", study.pullback)
