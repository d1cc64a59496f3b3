"""The whole way to a real archive and back: by DICOM and by DICOMweb."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless, RLELossless

from calcviewer.app.exchange.dicom_results import ResultOptions, write_results
from calcviewer.app.results import compute_results
from calcviewer.app.simulate import write_pullback
from calcviewer.core.errors import CalcViewerError
from calcviewer.dicom.ivoct_modules import new_uid
from calcviewer.dicom.network import archive, dimse_transfer
from calcviewer.dicom.network.peer import Peer, WebPeer
from calcviewer.dicom.network.query import StudyQuery
from calcviewer.dicom.network.receiver import Receiver, ReceiverOptions
from calcviewer.modalities.ivoct.read import read_pullback
from tests.dicom.network.scps import files_of
from tests.orthanc import PASSWORD, Orthanc
from tests.result_studies import processing_pullback, result_study

PROTOCOLS = ("dicom", "web")


@pytest.fixture(params=PROTOCOLS)
def peer(request: pytest.FixtureRequest, orthanc: Orthanc) -> Peer:
    return orthanc.dicom if request.param == "dicom" else orthanc.web


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("simulated")
    write_pullback(folder, seed=7, frames=4, a_lines=96, samples=160)
    return folder / "pullback.dcm", folder / "presentation.dcm"


def secret(peer: Peer) -> str | None:
    return PASSWORD if isinstance(peer, WebPeer) else None


def copies(paths: tuple[Path, ...], folder: Path) -> tuple[Path, ...]:
    """Copy files as a study of their own, so that tests do not meet in the archive."""
    folder.mkdir()
    study, made = new_uid(), []
    for path in paths:
        dataset = dcmread(path)
        dataset.StudyInstanceUID, dataset.SOPInstanceUID = study, new_uid()
        dataset.SeriesInstanceUID = new_uid()
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        dataset.PatientID = study[-20:]
        dataset.save_as(folder / path.name)
        made.append(folder / path.name)
    return tuple(made)


def retrieved(peer: Peer, study_uid: str, folder: Path, **options: object) -> dict[str, Path]:
    list(archive.retrieve(peer, study_uid, folder, secret=secret(peer), **options))
    return {path.stem: path for path in folder.iterdir()}


def test_a_pullback_there_and_back(
    peer: Peer, simulated: tuple[Path, Path], tmp_path: Path
) -> None:
    archive.echo(peer, secret=secret(peer))
    sent = copies(simulated, tmp_path / "sent")
    first = dcmread(sent[0])
    transfers = list(archive.send(peer, sent, secret=secret(peer)))
    assert [one.path for one in transfers if one.path] == list(sent)
    (study,) = archive.find_studies(
        peer,
        StudyQuery(patient_id=first.PatientID, patient_name="simulated", modality="IVOCT"),
        secret=secret(peer),
    )
    assert study.study_uid == first.StudyInstanceUID
    assert (study.modalities, study.instance_count) == (("IVOCT",), 2)
    series = archive.find_series(peer, study.study_uid, secret=secret(peer))
    assert [one.modality for one in series] == ["IVOCT", "IVOCT"]
    files = retrieved(peer, study.study_uid, tmp_path / "all")
    assert len(files) == 2
    for path in sent:
        was = dcmread(path)
        now = dcmread(files[was.SOPInstanceUID])
        assert now.PixelData == was.PixelData
        assert now.file_meta.TransferSyntaxUID == was.file_meta.TransferSyntaxUID
    one = retrieved(
        peer, study.study_uid, tmp_path / "one", series_uid=str(first.SeriesInstanceUID)
    )
    assert list(one) == [first.SOPInstanceUID]
    assert read_pullback(one[first.SOPInstanceUID]).frame_count == 4


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless, JPEG2000Lossless])
def test_compressed_pixels_stay_as_they_are(
    peer: Peer, syntax: str, simulated: tuple[Path, Path], tmp_path: Path
) -> None:
    (path,) = copies(simulated[:1], tmp_path / "sent")
    dataset = dcmread(path)
    dataset.compress(syntax, generate_instance_uid=False)
    dataset.save_as(path)
    list(archive.send(peer, [path], secret=secret(peer)))
    ((_, got),) = retrieved(peer, dataset.StudyInstanceUID, tmp_path / "got").items()
    assert dcmread(got).file_meta.TransferSyntaxUID == syntax
    assert dcmread(got).PixelData == dcmread(path).PixelData


@pytest.fixture(scope="module")
def with_results(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    """Return a pullback and its SEG, SR and PDF."""
    folder = tmp_path_factory.mktemp("results")
    pullback = processing_pullback(folder)
    study = result_study(pullback)
    options = ResultOptions(seg=True, sr=True, pdf=True)
    results = write_results(study, compute_results(study, {}), options, folder / "results")
    return pullback.source.path, *results


def test_results_join_the_study_of_their_pullback(
    peer: Peer, with_results: tuple[Path, ...], tmp_path: Path
) -> None:
    pullback, *results = with_results
    list(archive.send(peer, [pullback], secret=secret(peer)))
    list(archive.send(peer, results, secret=secret(peer)))
    uid = str(dcmread(pullback, stop_before_pixels=True).StudyInstanceUID)
    (found,) = archive.find_studies(peer, StudyQuery(study_uid=uid), secret=secret(peer))
    assert found.instance_count == 4
    assert set(found.modalities) == {"IVOCT", "SEG", "SR", "DOC"}
    series = archive.find_series(peer, uid, secret=secret(peer))
    assert sorted(one.modality for one in series) == ["DOC", "IVOCT", "SEG", "SR"]
    files = retrieved(peer, uid, tmp_path / "got")
    for path in results:
        was = dcmread(path)
        now = dcmread(files[was.SOPInstanceUID])
        assert now.get("PixelData") == was.get("PixelData")
        assert now.get("EncapsulatedDocument") == was.get("EncapsulatedDocument")
        assert now.get("ContentSequence") == was.get("ContentSequence")


def test_closing_early_leaves_nothing_and_works_again(
    peer: Peer, simulated: tuple[Path, Path], tmp_path: Path
) -> None:
    sent = copies(simulated, tmp_path / "sent")
    transfers = archive.send(peer, sent, secret=secret(peer))
    next(transfers)
    transfers.close()
    list(archive.send(peer, sent, secret=secret(peer)))
    uid = str(dcmread(sent[0], stop_before_pixels=True).StudyInstanceUID)
    transfers = archive.retrieve(peer, uid, tmp_path / "got", secret=secret(peer))
    next(transfers)
    transfers.close()
    assert not (tmp_path / "got").exists()
    assert len(retrieved(peer, uid, tmp_path / "got")) == 2


def test_it_sends_to_our_receiver(
    orthanc: Orthanc,
    simulated: tuple[Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dimse_transfer, "_get", lambda *_, **__: False)
    sent = copies(simulated, tmp_path / "sent")
    list(archive.send(orthanc.dicom, sent))
    uid = str(dcmread(sent[0], stop_before_pixels=True).StudyInstanceUID)
    inbox = tmp_path / "inbox"
    options = ReceiverOptions(folder=inbox, allowed=("ORTHANC",), port=orthanc.receiver_port)
    with Receiver(options) as receiver:
        files = retrieved(orthanc.dicom, uid, tmp_path / "got", receiver=receiver)
    assert files_of(inbox) == []
    for path in sent:
        was = dcmread(path)
        assert dcmread(files[was.SOPInstanceUID]).PixelData == was.PixelData


def test_who_it_does_not_know_is_turned_away(
    orthanc: Orthanc, simulated: tuple[Path, Path]
) -> None:
    stranger = replace(orthanc.dicom, calling_ae_title="STRANGER")
    # It says no and hangs up: on a busy machine the connection may be gone before the no is read.
    turned_away = r"rejected us|refused|none of what was asked|ended the connection at once"
    with pytest.raises(CalcViewerError, match=turned_away):
        archive.echo(stranger)
    with pytest.raises(CalcViewerError, match=turned_away):
        list(archive.send(stranger, simulated))
    with pytest.raises(CalcViewerError, match="Called AE title not recognised"):
        archive.echo(replace(orthanc.dicom, ae_title="OTHER"))
    with pytest.raises(CalcViewerError, match="does not accept user and password"):
        archive.echo(orthanc.web, secret="wrong")
    with pytest.raises(CalcViewerError, match="does not accept user and password"):
        list(archive.send(orthanc.web, simulated))
