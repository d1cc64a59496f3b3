"""Studies on DICOM pullbacks of a named patient, for the tests of what is exported."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import asdict, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
from pydicom import Dataset, dcmread

from calcviewer.app.analysis_file import analysis_document, write_json
from calcviewer.app.exchange.stored_contours import contours_bytes
from calcviewer.app.results import compute_results
from calcviewer.app.session import IvoctStudy
from calcviewer.app.workflows import write_study_labels
from calcviewer.core.annotation import FrameAnnotation, Provenance, annotation_from_labels
from calcviewer.core.geometry import centred_grid
from calcviewer.core.pullback import Intensity, Pullback
from calcviewer.core.study import Review, Study
from calcviewer.dicom.ivoct_modules import Identity
from calcviewer.dicom.ivoct_writer import (
    console_palette,
    write_for_presentation,
    write_for_processing,
)
from calcviewer.modalities.ivoct.gold import gold_table
from calcviewer.modalities.ivoct.protocol import Protocol
from calcviewer.modalities.ivoct.read import ReadOptions, read_pullback
from tests.lesion_studies import GRID, MODEL, TWO_LESIONS

NAME, NUMBER, HOSPITAL, BIRTH = (
    "Quillfeather^Marigold",
    "MRN-4711",
    "St. Nowhere Hospital",
    "19550317",
)
ACCESSION, STUDY_DATE = "ACC-0815", "20240229"
SQUARE = centred_grid(240, GRID.end_radius_mm)
PITCH_MM = 0.2


def _name_the_patient(path: Path) -> None:
    dataset = dcmread(path)
    dataset.PatientName, dataset.PatientID, dataset.PatientBirthDate = NAME, NUMBER, BIRTH
    dataset.InstitutionName, dataset.AccessionNumber = HOSPITAL, ACCESSION
    dataset.StudyDate, dataset.StudyDescription = STUDY_DATE, "Angiography of Marigold Quillfeather"
    dataset.ReferringPhysicianName, dataset.StudyID = "Who^Doctor", "S-77"
    # Also where nobody asks for it: nested, and in private attributes.
    request = Dataset()
    request.RequestedProcedureDescription = f"OCT of {NAME}"
    dataset.RequestAttributesSequence = [request]
    dataset.PatientComments = f"{NAME} of {HOSPITAL}"
    private = dataset.private_block(0x0019, "CONSOLE", create=True)
    private.add_new(0x01, "LO", f"{NUMBER} {NAME}")
    dataset.save_as(path)


def processing_pullback(folder: Path, count: int = len(TWO_LESIONS)) -> Pullback:
    path = folder / "Quillfeather.dcm"
    rng = np.random.default_rng(0)
    write_for_processing(
        path,
        (rng.integers(0, 60000, GRID.shape).astype(np.uint16) for _ in range(count)),
        grid=GRID,
        frame_pitch_mm=PITCH_MM,
        frame_count=count,
        intensity=Intensity.LOG,
        identity=Identity(),
    )
    _name_the_patient(path)
    return read_pullback(path)


def presentation_pullback(folder: Path, count: int = len(TWO_LESIONS)) -> Pullback:
    path = folder / "Quillfeather-shown.dcm"
    y, x = np.mgrid[: SQUARE.rows, : SQUARE.columns]
    radius = np.hypot(x - SQUARE.centre_px[0], y - SQUARE.centre_px[1])
    frame = np.where(radius < SQUARE.rows / 2, 60, 0).astype(np.uint8)
    write_for_presentation(
        path,
        (frame for _ in range(count)),
        shape=SQUARE.shape,
        palette=console_palette(gold_table()),
        pixel_spacing_mm=SQUARE.pixel_spacing_mm,
        frame_pitch_mm=PITCH_MM,
        frame_count=count,
    )
    _name_the_patient(path)
    return read_pullback(path)


def annotations() -> dict[int, FrameAnnotation]:
    """Return annotations of the frames, made by the model, except the last calcified one."""
    made = {
        index: annotation_from_labels(labels, GRID, provenance=Provenance.AUTOMATIC)
        for index, labels in enumerate(TWO_LESIONS)
    }
    made[15] = replace(made[15], provenance=Provenance.SEMIAUTOMATIC)
    return made


def result_study(pullback: Pullback, review: Review | None = None) -> IvoctStudy:
    return Study(pullback, Protocol(), MappingProxyType(annotations()), MODEL, review or Review())


def analysed(folder: Path, study: IvoctStudy, *, exact: bool = True) -> Path:
    """Write what `calcviewer analyze` keeps of a study; returns the folder."""
    out = folder / "out"
    out.mkdir()
    document = analysis_document(study, compute_results(study, {}))
    document["read_options"] = asdict(ReadOptions())
    write_json(out / "analysis.json", document)
    write_study_labels(out / "labels.npz", study)
    if exact:
        (out / "contours.bin").write_bytes(contours_bytes(study.predictions))
    return out


def assert_valid(path: Path) -> None:
    """Let dciodvfy look for errors, where it is installed."""
    if shutil.which("dciodvfy") is None:
        pytest.skip("dciodvfy (Debian dicom3tools) is not installed")
    said = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, check=False)
    lines = (said.stdout + said.stderr).splitlines()
    assert [line for line in lines if line.startswith(("Error", "(0x")) and "Error" in line] == []
    assert lines  # it says at least what kind of object it is
