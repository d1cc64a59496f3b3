"""Everything exported is valid, can be read back, belongs to its source, and can forget it."""

from __future__ import annotations

import gzip
import re
import shutil
import subprocess
import zlib
from collections.abc import Iterator
from contextlib import suppress
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
from calcviewer.dicom.header import FOR_PRESENTATION
from calcviewer.dicom.seg_reader import EXACT_CONTOURS, PRIVATE_BLOCK
from calcviewer.dicom.sr_reader import read_sr
from calcviewer.modalities.ivoct.read import ReadOptions, read_pullback
from tests.app.review_store import kept_reviews as kept
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
    with pytest.MonkeyPatch.context() as patch, kept.opened(study.pullback) as (session, _):
        patch.setenv("LOGNAME", "anna.reader")
        session.edit("confirm", Review(confirmed_frames=frozenset({3})))
        session.finish()
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


def held(path: Path) -> Iterator[bytes]:
    """Yield the bytes of a file, and those of everything compressed or encapsulated in it."""
    data = path.read_bytes()
    yield data
    if path.suffix == ".gz":
        yield gzip.decompress(data)
        return
    dataset = pydicom.dcmread(path)
    if "EncapsulatedDocument" in dataset:
        report = pdf_of(path)
        yield report
        for stream in re.findall(rb"stream\r?\n(.*?)endstream", report, re.DOTALL):
            with suppress(zlib.error):
                yield zlib.decompressobj().decompress(stream)
        reader = PdfReader(BytesIO(report))
        yield " ".join(page.extract_text() for page in reader.pages).encode()
        yield f"{reader.metadata} {reader.xmp_metadata}".encode()
    if "SegmentSequence" in dataset:
        contours = dataset.private_block(*PRIVATE_BLOCK)[EXACT_CONTOURS].value
        yield zlib.decompressobj().decompress(contours)


def test_nothing_tells_who_it_is(study: IvoctStudy, written: tuple[Path, ...]) -> None:
    if not is_deidentified(written):
        pytest.skip("these files name the patient on purpose")
    source = study.pullback.source
    secrets = [
        "Marigold",
        "Quillfeather",
        NUMBER,
        HOSPITAL,
        "Nowhere",
        BIRTH,
        f"{BIRTH[:4]}-{BIRTH[4:6]}-{BIRTH[6:]}",
        ACCESSION,
        STUDY_DATE,
        f"{STUDY_DATE[:4]}-{STUDY_DATE[4:6]}-{STUDY_DATE[6:]}",
        "Dr. Reader",
        "anna.reader",
        "Who^Doctor",
        source.sop_instance_uid,
        source.study_instance_uid,
        str(source.path.parent),
    ]
    for path in written:
        for data in held(path):
            lower = data.lower()
            for secret in secrets:
                for encoding in ("utf-8", "utf-16-be", "utf-16-le"):
                    assert secret.lower().encode(encoding) not in lower, (path.name, secret)
    # The same search finds what is there: it does not pass for want of looking.
    found = b"".join(data for path in written for data in held(path))
    assert b"research use only" in found.lower()


def test_an_identified_report_names_who_read_it(written: tuple[Path, ...]) -> None:
    text = str(pydicom.dcmread(written[1]))
    for reader in ("anna.reader^", "Dr. Reader^"):
        assert (reader in text) is not is_deidentified(written)


def test_dates_are_removed(written: tuple[Path, ...]) -> None:
    if not is_deidentified(written):
        pytest.skip("these files are dated on purpose")
    for path in written[:3]:
        dataset = pydicom.dcmread(path)
        assert dataset.PatientIdentityRemoved == "YES"
        assert dataset.LongitudinalTemporalInformationModified == "REMOVED"
        dates = {
            str(element.value)
            for element in dataset.iterall()
            if element.VR in ("DA", "DT", "TM") and element.value
        }
        assert dates <= {"19700101", "000000"}


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


@pytest.mark.parametrize("sop_class", [FOR_PRESENTATION, "1.2.840.10008.5.1.4.1.1.7.4"])
def test_corners_of_pictures_are_blanked(tmp_path: Path, sop_class: str) -> None:
    study = result_study(presentation_pullback(tmp_path))
    captured = replace(study.pullback.source, sop_class_uid=sop_class)
    study = replace(study, pullback=replace(study.pullback, source=captured))
    given = study.pullback.frames.display

    class Written:
        def display(self, index: int) -> np.ndarray:
            picture = given(index).copy()
            picture[:20, :60] = 255  # a name in the corner
            return picture

        def intensity(self, index: int) -> np.ndarray:
            return study.pullback.frames.intensity(index)

    named = replace(study, pullback=replace(study.pullback, frames=Written()))
    shown = anonymous(named).pullback.frames.display(0)
    assert shown[:20, :20].max() == 0
    middle = slice(100, 140)
    assert np.array_equal(shown[middle, middle], given(0)[middle, middle])


@pytest.mark.parametrize(
    ("stated", "said"), [("YES", "says that text"), (None, "does not say"), ("NO", "")]
)
def test_text_within_the_field_is_warned_of(tmp_path: Path, stated: str | None, said: str) -> None:
    path = presentation_pullback(tmp_path).source.path
    dataset = pydicom.dcmread(path)
    del dataset.BurnedInAnnotation
    if stated is not None:
        dataset.BurnedInAnnotation = stated
    dataset.save_as(path)
    study = result_study(read_pullback(path))
    notes = anonymous(study).pullback.notes
    assert [said in note for note in notes if "Burned In" in note] == [True] * bool(said)
    options = ResultOptions(sr=True, deidentify=True)
    (path,) = write_results(study, compute_results(study, {}), options, tmp_path / "out")
    statements = [one.text for one in read_sr(path).statements]
    assert [said in text for text in statements if "Burned In" in text] == [True] * bool(said)
