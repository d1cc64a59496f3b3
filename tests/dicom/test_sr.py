"""Structured reports hold every row, with its unit, its note and its frames."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import highdicom
import pytest
from pydicom import dcmread

from calcviewer.core.errors import UnreadableInputError
from calcviewer.core.measurement import Measurement, Unit
from calcviewer.core.study import ModelReference
from calcviewer.dicom.measured_group import GroupKind, MeasuredGroup
from calcviewer.dicom.source import no_source, source_of
from calcviewer.dicom.sr import Reading, write_sr
from calcviewer.dicom.sr_reader import read_sr
from calcviewer.dicom.statement import Statement, Subject
from tests.dicom.samples import polar_file, polar_frames
from tests.result_studies import assert_valid

MODEL = ModelReference("segnet", "2", "a" * 64, "cpu")
READING = Reading(
    model=MODEL,
    complete=True,
    observers=("anna", "lab\\bob^x"),
    statements=(
        Statement(Subject.NOTICE, "Research use only."),
        Statement(Subject.CALIBRATION, "Frame pitch: 0.2 mm (origin: dicom)"),
    ),
)
GROUPS = (
    MeasuredGroup(
        GroupKind.LESION,
        "Lesion 1",
        (1, 2),
        (
            Measurement("max_arc_deg_visible", "Arc", 181.25, Unit.DEGREE, "frame 2"),
            Measurement("max_thickness_mm", "Thickness", 1.0, Unit.MM, "≥ 1.0 (capped)"),
            Measurement("calcium_volume_mm3", "Volume", 0.123457, Unit.MM3),
            Measurement("a_concept_of_tomorrow_um", "Tomorrow", 2.0, Unit.NONE),
            Measurement("length_mm", "Length", None, Unit.MM, "the frame pitch is unknown"),
            Measurement("max_arc_deg_bridged", "Arc", None, Unit.DEGREE, "no lumen found"),
            Measurement("sum_arc_deg", "Sum", 200.5, Unit.DEGREE),
            Measurement("mean_arc_deg", "Mean", 150.0, Unit.DEGREE),
        ),
        (
            Statement(Subject.REVIEW, "UNREVIEWED"),
            Statement(Subject.DECISIVE_FRAME, "frame 2: maximum arc"),
            Statement(Subject.COMMENT, "a side branch"),
        ),
    ),
    MeasuredGroup(
        GroupKind.VESSEL,
        "Vessel",
        (0, 3),
        (
            Measurement("mla_mm2", "MLA", 3.5, Unit.MM2, "frame 3"),
            Measurement("area_stenosis_percent", "Stenosis", 42.0, Unit.PERCENT),
            Measurement("distal_reference_mm2", "Reference", None, Unit.MM2, "none within reach"),
        ),
    ),
    MeasuredGroup(
        GroupKind.FRAME,
        "Frame 3",
        (2, 2),
        (
            Measurement("lumen_area_mm2", "Lumen area", 3.5, Unit.MM2),
            Measurement("min_lumen_diameter_mm", "Diameter", 2.0, Unit.MM),
            Measurement("mean_lumen_diameter_mm", "Diameter", 2.1, Unit.MM),
            Measurement("eel_area_mm2", "EEL area", 9.0, Unit.MM2),
            Measurement("plaque_burden_percent", "Plaque burden", 61.0, Unit.PERCENT),
        ),
        (Statement(Subject.CONTOURS, "an operator"),),
        drawn=True,
    ),
)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    source = source_of([polar_file(tmp_path / "a.dcm", polar_frames(4))])
    path = tmp_path / "a.sr.dcm"
    write_sr(path, GROUPS, source=source, reading=READING)
    return path


def test_every_row_comes_back(written: Path) -> None:
    read = read_sr(written).groups
    assert read_sr(written).statements == READING.statements
    assert [replace(one, rows=()) for one in read] == [replace(one, rows=()) for one in GROUPS]
    for back, group in zip(read, GROUPS, strict=True):
        rows = {row.concept: row for row in back.rows}
        for row in group.rows:
            assert rows[row.concept].value == row.value
            assert rows[row.concept].note == row.note
            assert row.value is None or rows[row.concept].unit is row.unit
        assert len(rows) == len(group.rows)


def test_it_is_valid_and_others_read_it(written: Path) -> None:
    assert_valid(written)
    report = highdicom.sr.srread(written)
    assert isinstance(report, highdicom.sr.ComprehensiveSR)
    assert report.CompletionFlag == "COMPLETE"
    groups = report.content.get_image_measurement_groups()
    assert len(groups) == len(GROUPS)
    assert [len(one.get_measurements()) for one in groups] == [6, 2, 5]


@pytest.mark.skipif(shutil.which("dsrdump") is None, reason="dsrdump (Debian dcmtk) is missing")
def test_dsrdump_prints_it(written: Path) -> None:
    said = subprocess.run(["dsrdump", str(written)], capture_output=True, text=True, check=True)
    for words in (
        'Arc of Calcium")="181.25" (deg,UCUM',
        '"Derivation")=(56851009,SCT,"Maximum")',
        '"Measurement Method")=(VISIBLE,99CALCVIEWER,"Nothing claimed behind the guidewire")',
        '"Plaque Burden")="61.0" (%,UCUM',
        '"Decisive frame")="frame 2: maximum arc"',
        '"Notice")="Research use only."',
        'Person Observer Name")="lab bob x^"',
        "segnet",
    ):
        assert words in said.stdout


def test_standard_codes_are_used_where_there_are_some(written: Path) -> None:
    text = str(dcmread(written))
    for code in (
        "397415007", "122341", "122382", "408714007", "122381", "122355", "397413000", "122383",
        "122333", "122354", "112197",
    ):  # fmt: skip
        assert code in text


def test_without_images_nothing_is_referenced(tmp_path: Path) -> None:
    path = tmp_path / "a.sr.dcm"
    write_sr(path, GROUPS, source=no_source(), reading=Reading(model=None, complete=False))
    assert_valid(path)
    assert "CurrentRequestedProcedureEvidenceSequence" not in dcmread(path)
    assert [one.frames for one in read_sr(path).groups] == [None] * len(GROUPS)


def test_foreign_measurements_keep_their_code(written: Path) -> None:
    dataset = dcmread(written)
    group = dataset.ContentSequence[-2].ContentSequence[0]
    finding = next(one for one in group.ContentSequence if one.ValueType == "CODE")
    finding.ConceptCodeSequence[0].CodeValue = "1234"
    number = next(one for one in group.ContentSequence if one.ValueType == "NUM")
    # Whose arc does not say what it makes of the guidewire.
    number.ContentSequence = [one for one in number.ContentSequence if one.ValueType == "TEXT"]
    dataset.save_as(written)
    first = read_sr(written).groups[0]
    assert first.kind is GroupKind.OTHER
    assert (first.rows[0].concept, first.rows[0].meaning) == ("DCM:122355", "Arc of Calcium")
    assert first.rows[0].value == 181.25


def test_private_codes_of_earlier_versions_are_read(written: Path) -> None:
    dataset = dcmread(written)
    groups = dataset.ContentSequence[-2].ContentSequence
    arc = next(one for one in groups[0].ContentSequence if one.ValueType == "NUM")
    name = arc.ConceptNameCodeSequence[0]
    name.CodeValue, name.CodingSchemeDesignator = "ARC_MAX_BRIDGED", "99CALCVIEWER"
    arc.ContentSequence = [one for one in arc.ContentSequence if one.ValueType == "TEXT"]
    dataset.save_as(written)
    first = read_sr(written).groups[0].rows[0]
    assert (first.concept, first.value) == ("max_arc_deg_bridged", 181.25)


@pytest.mark.parametrize("damage", ["missing", "text", "image", "cut"])
def test_what_is_no_report_is_named(written: Path, tmp_path: Path, damage: str) -> None:
    path = tmp_path / "a.dcm"
    if damage == "text":
        path.write_text("nothing")
    elif damage == "cut":
        path.write_bytes(written.read_bytes()[:700])
    elif damage == "missing":
        path = tmp_path / "none.dcm"
    with pytest.raises(UnreadableInputError, match=path.name):
        read_sr(path)
