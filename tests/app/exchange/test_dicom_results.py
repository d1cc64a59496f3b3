"""Everything exported is valid, can be read back, belongs to its source, and can forget it."""

from __future__ import annotations

import gzip
import shutil
import subprocess
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from types import MappingProxyType

import highdicom
import numpy as np
import pydicom
import pytest
from pypdf import PdfReader

from calcviewer.app.exchange.anonymous_study import anonymous
from calcviewer.app.exchange.dicom_results import ResultOptions, write_results
from calcviewer.app.results import compute_results
from calcviewer.app.session import IvoctStudy
from calcviewer.core.annotation import FrameAnnotation
from calcviewer.core.errors import CalcViewerError
from calcviewer.core.pullback import CalibratedValue, Origin
from calcviewer.core.study import GuidewireDecision, Review
from calcviewer.dicom.encapsulated import pdf_of
from calcviewer.modalities.ivoct.read import ReadOptions, read_pullback
from tests.lesion_studies import TWO_LESIONS, study_of
from tests.result_studies import (
    ACCESSION,
    BIRTH,
    HOSPITAL,
    NUMBER,
    STUDY_DATE,
    assert_valid,
    presentation_pullback,
    processing_pullback,
    result_study,
)

DICOM = ResultOptions(seg=True, sr=True, pdf=True)
ALL = replace(DICOM, nifti=True)


@pytest.fixture(scope="module", params=["processing", "presentation"])
def study(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> IvoctStudy:
    folder = tmp_path_factory.mktemp(request.param)
    make = processing_pullback if request.param == "processing" else presentation_pullback
    study = result_study(make(folder))
    operator = CalibratedValue(0.2, Origin.OPERATOR, "as Marigold's chart says")
    review = Review(
        guidewire_decisions=(GuidewireDecision(0, 17, True, "Dr. Reader", "2024-03-01T10:00:00"),),
        comments=MappingProxyType({3: "Marigold moved"}),
        excluded=MappingProxyType({17: "Marigold coughed"}),
        calibration=replace(study.pullback.calibration, frame_pitch_mm=operator),
    )
    broken = FrameAnnotation(failure=f"{study.pullback.source.path} is truncated")
    predictions = MappingProxyType({**study.predictions, 1: broken})
    return replace(study, review=review, predictions=predictions)


@pytest.fixture(scope="module", params=[False, True], ids=["identified", "deidentified"])
def written(
    request: pytest.FixtureRequest, study: IvoctStudy, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, ...]:
    folder = tmp_path_factory.mktemp("written")
    options = replace(ALL, deidentify=request.param)
    return write_results(study, compute_results(study, {}), options, folder)


def is_deidentified(written: tuple[Path, ...]) -> bool:
    return written[0].name.startswith("pullback.")


def test_names_and_nothing_else(written: tuple[Path, ...]) -> None:
    endings = [path.name.partition(".")[2] for path in written]
    assert endings == ["seg.dcm", "sr.dcm", "pdf.dcm", "nii.gz"]
    assert sorted(written) == sorted(written[0].parent.iterdir())


def test_dciodvfy_finds_no_error(written: tuple[Path, ...]) -> None:
    for path in written[:3]:
        assert_valid(path)


def test_other_libraries_read_them(written: tuple[Path, ...]) -> None:
    seg, sr, pdf, _ = written
    segmentation = highdicom.seg.segread(seg)
    assert segmentation.number_of_segments == 3
    assert pydicom.dcmread(seg).pixel_array.max() == 1
    # Lesions, the vessel, and the frames that have an annotation.
    groups = highdicom.sr.srread(sr).content.get_image_measurement_groups()
    assert len(groups) == 2 + 1 + len(TWO_LESIONS) - 2
    assert pydicom.dcmread(pdf).MIMETypeOfEncapsulatedDocument == "application/pdf"


@pytest.mark.skipif(shutil.which("dsrdump") is None, reason="dsrdump (Debian dcmtk) is missing")
def test_dsrdump_prints_the_report(written: tuple[Path, ...]) -> None:
    said = subprocess.run(["dsrdump", str(written[1])], capture_output=True, text=True, check=False)
    assert said.returncode == 0
    assert "Stent-deployment calcium score" in said.stdout
    assert "E: " not in said.stderr


def test_results_join_the_study_of_their_source(
    study: IvoctStudy, written: tuple[Path, ...]
) -> None:
    source = study.pullback.source
    uids = {pydicom.dcmread(path).StudyInstanceUID for path in written[:3]}
    assert len(uids) == 1
    if is_deidentified(written):
        assert uids != {source.study_instance_uid}
        assert all(uid.startswith("2.25.") for uid in uids)
        return
    assert uids == {source.study_instance_uid}
    for path in written[:3]:
        assert source.sop_instance_uid.encode() in path.read_bytes()
        assert str(pydicom.dcmread(path).PatientID) == NUMBER


def test_references_agree_when_deidentified(written: tuple[Path, ...]) -> None:
    seg, sr, pdf = (pydicom.dcmread(path) for path in written[:3])
    of_seg = seg.ReferencedSeriesSequence[0].ReferencedInstanceSequence[0]
    evidence = sr.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence[0]
    of_sr = evidence.ReferencedSOPSequence[0]
    of_pdf = pdf.SourceInstanceSequence[0]
    uids = {one.ReferencedSOPInstanceUID for one in (of_seg, of_sr, of_pdf)}
    assert len(uids) == 1
    assert evidence.SeriesInstanceUID == seg.ReferencedSeriesSequence[0].SeriesInstanceUID


def test_nothing_tells_who_it_is(study: IvoctStudy, written: tuple[Path, ...]) -> None:
    if not is_deidentified(written):
        pytest.skip("these files name the patient on purpose")
    source = study.pullback.source
    secrets = (
        "Marigold",
        "Quillfeather",
        NUMBER,
        HOSPITAL,
        BIRTH,
        ACCESSION,
        STUDY_DATE,
        "Dr. Reader",
        "Who^Doctor",
    )
    uids = (source.sop_instance_uid, source.study_instance_uid)
    texts = [path.read_bytes() for path in written[:3]]
    texts.append(gzip.decompress(written[3].read_bytes()))
    report = PdfReader(BytesIO(pdf_of(written[2])))
    texts.append(" ".join(page.extract_text() for page in report.pages).encode())
    texts.append(str(report.metadata).encode())
    for text in texts:
        for secret in (*secrets, *uids, str(source.path.parent)):
            assert secret.encode() not in text
            assert len(secret) < 8 or secret.lower().encode() not in text.lower()


def test_dates_are_removed(written: tuple[Path, ...]) -> None:
    if not is_deidentified(written):
        pytest.skip("these files are dated on purpose")
    for path in written[:3]:
        dataset = pydicom.dcmread(path)
        assert dataset.PatientIdentityRemoved == "YES"
        assert dataset.LongitudinalTemporalInformationModified == "REMOVED"
        dates = [
            str(element.value)
            for element in dataset.iterall()
            if element.VR in ("DA", "DT") and element.value
        ]
        assert set(dates) <= {"19700101"}


def test_frames_that_are_no_dicom_get_a_study_of_their_own(tmp_path: Path) -> None:
    study = study_of(TWO_LESIONS[:5])
    paths = write_results(study, compute_results(study, {}), DICOM, tmp_path)
    for path in paths:
        assert_valid(path)
        dataset = pydicom.dcmread(path)
        assert (dataset.PatientName, dataset.PatientID) == ("", "")
        assert not list(dataset.group_dataset(0x0008).get("ReferencedSeriesSequence", []))
    assert len({pydicom.dcmread(path).StudyInstanceUID for path in paths}) == 1


def test_single_frame_instances_are_referenced_one_by_one(tmp_path: Path) -> None:
    pullback = presentation_pullback(tmp_path)
    whole = pydicom.dcmread(pullback.source.path)
    series = tmp_path / "series"
    series.mkdir()
    uids = []
    for index in range(len(TWO_LESIONS)):
        one = pydicom.Dataset()
        one.file_meta = whole.file_meta
        for name in ("PatientID", "StudyInstanceUID", "SeriesInstanceUID", "Rows", "Columns"):
            setattr(one, name, getattr(whole, name))
        one.SOPClassUID = pydicom.uid.SecondaryCaptureImageStorage
        one.SOPInstanceUID = pydicom.uid.generate_uid(prefix=None)
        one.Modality, one.InstanceNumber = "OCT", index + 1
        one.SamplesPerPixel, one.PhotometricInterpretation = 1, "MONOCHROME2"
        one.BitsAllocated, one.BitsStored, one.HighBit, one.PixelRepresentation = 8, 8, 7, 0
        one.PixelData = whole.pixel_array[index].tobytes()
        uids.append(one.SOPInstanceUID)
        one.file_meta.MediaStorageSOPClassUID = one.SOPClassUID
        # Names in another order than instance numbers.
        pydicom.dcmwrite(series / f"{99 - index}.dcm", one, enforce_file_format=True)
    options = ReadOptions(pixel_spacing_mm=0.02, frame_pitch_mm=0.2)
    study = result_study(read_pullback(series, options=options))
    seg_and_sr = replace(DICOM, pdf=False)
    paths = write_results(study, compute_results(study, {}), seg_and_sr, tmp_path / "out")
    for path in paths:
        assert_valid(path)
    seg = pydicom.dcmread(paths[0])
    first = seg.PerFrameFunctionalGroupsSequence[0].DerivationImageSequence[0]
    assert first.SourceImageSequence[0].ReferencedSOPInstanceUID == uids[0]
    assert "ReferencedFrameNumber" not in first.SourceImageSequence[0]


def test_a_source_that_is_gone_is_named(tmp_path: Path) -> None:
    study = result_study(processing_pullback(tmp_path))
    study.pullback.source.path.unlink()
    with pytest.raises(CalcViewerError, match=r"Quillfeather\.dcm.*cannot be read any more"):
        write_results(study, compute_results(study, {}), DICOM, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_nothing_is_left_when_one_file_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise CalcViewerError("The disk is full.")

    monkeypatch.setattr("calcviewer.app.exchange.dicom_results.write_study_sr", fails)
    study = study_of(TWO_LESIONS)
    with pytest.raises(CalcViewerError, match="disk is full"):
        write_results(study, compute_results(study, {}), DICOM, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_nothing_chosen(tmp_path: Path) -> None:
    study = study_of(TWO_LESIONS)
    with pytest.raises(CalcViewerError, match="Nothing was chosen"):
        write_results(study, compute_results(study, {}), ResultOptions(), tmp_path)


def test_corners_of_console_exports_are_blanked(tmp_path: Path) -> None:
    study = result_study(presentation_pullback(tmp_path))
    captured = replace(study.pullback.source, sop_class_uid="1.2.840.10008.5.1.4.1.1.7.4")
    study = replace(study, pullback=replace(study.pullback, source=captured))
    shown = anonymous(study).pullback.frames.display(0)
    assert shown[:20, :20].max() == 0
    middle = slice(100, 140)
    assert np.array_equal(shown[middle, middle], study.pullback.frames.display(0)[middle, middle])
