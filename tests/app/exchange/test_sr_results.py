"""The structured report holds everything measured and everything the printed report says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.sr.codedict import codes

from calcviewer.app.exchange.sr_results import measured_groups, measurements_of_sr, write_study_sr
from calcviewer.app.lesion_report.content import build_report
from calcviewer.app.results import compute_results
from calcviewer.app.session import IvoctStudy
from calcviewer.core.annotation import Provenance
from calcviewer.core.contour import Contour
from calcviewer.core.geometry import to_xy
from calcviewer.core.pullback import CalibratedValue, Origin
from calcviewer.core.study import GuidewireDecision, Review
from calcviewer.dicom.codes import code_of, code_of_subject, concept_of, is_own, key_of, subject_of
from calcviewer.dicom.measured_group import GroupKind
from calcviewer.dicom.source import no_source
from calcviewer.dicom.sr_reader import read_sr
from calcviewer.dicom.statement import Subject
from tests.lesion_studies import ACROSS_WIRE, NOTHING, TWO_LESIONS, study_of
from tests.result_studies import assert_valid

EEL = Contour(to_xy(np.linspace(0, 360, 90, endpoint=False), 2.8))


@pytest.fixture(scope="module")
def study() -> IvoctStudy:
    """Three lesions, one of which the guidewire decides; one frame drawn by hand, one excluded."""
    study = study_of([*TWO_LESIONS, *[NOTHING] * 6, *[ACROSS_WIRE] * 3])
    predictions = dict(study.predictions)
    predictions[3] = replace(predictions[3], eel=EEL, provenance=Provenance.MANUAL)
    predictions[4] = replace(predictions[4], provenance=Provenance.AUTOMATIC)
    pitch = CalibratedValue(0.2, Origin.OPERATOR, "from the console")
    review = Review(
        excluded=MappingProxyType({13: "blood"}),
        guidewire_decisions=(GuidewireDecision(24, 26, True, "dr.reader", "2024-03-01T10:00:00"),),
        comments=MappingProxyType({3: "a side branch"}),
        confirmed_frames=frozenset({3}),
        confirmed_lesions=frozenset({(2, 4)}),
        calibration=replace(study.pullback.calibration, frame_pitch_mm=pitch),
    )
    return replace(study, predictions=MappingProxyType(predictions), review=review)


@pytest.fixture(scope="module")
def path(study: IvoctStudy, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sr") / "a.sr.dcm"
    write_study_sr(path, study, compute_results(study, {}), no_source(), reviewers=["anna"])
    assert_valid(path)
    return path


def test_every_row_comes_back_under_its_name(study: IvoctStudy, path: Path) -> None:
    given, read = measured_groups(compute_results(study, {})), measurements_of_sr(path)
    assert [one.name for one in read] == [one.name for one in given]
    for group, back in zip(given, read, strict=True):
        rows = {row.concept: row for row in back.rows}
        assert len(rows) == len(back.rows)
        for row in group.rows:
            expected = None if row.value is None else pytest.approx(row.value, abs=1e-6)
            assert rows[row.concept].value == expected
            assert rows[row.concept].note == row.note


def test_every_concept_has_a_code_within_the_standards_limits(path: Path) -> None:
    for row in (row for group in measurements_of_sr(path) for row in group.rows):
        code = code_of(row)
        name, site, derivation, method = code.keys()
        assert concept_of(name, site=site, derivation=derivation, method=method) == row.concept
        assert is_own(name)
        for part in (code.name, code.site, code.derivation, code.method):
            assert part is None or (len(part.value) <= 16 and len(part.meaning) <= 64)
    for subject in Subject:
        assert subject_of(key_of(code_of_subject(subject))) is subject


def test_standard_codes_mean_what_the_standard_says(path: Path) -> None:
    standard = {
        "arc": codes.DCM.ArcOfCalcium,
        "eel": codes.DCM.EEMCrossSectionalArea,
        "burden": codes.DCM.PlaqueBurden,
        "length": codes.DCM.CalciumLength,
        "calcium": codes.DCM.AreaOfVascularCalcification,
        "volume": codes.DCM.VolumeOfVascularCalcification,
        "minimum": codes.DCM.SiteOfLumenMinimum,
        "distal": codes.DCM.DistalReference,
        "proximal": codes.DCM.ProximalReference,
        "stenosis": codes.SCT.LumenAreaStenosis,
        "lumen": codes.SCT.VesselLumenCrossSectionalArea,
        "diameter": codes.SCT.VesselLumenDiameter,
        "derivation": codes.DCM.Derivation,
        "method": codes.SCT.MeasurementMethod,
        "calibration": codes.DCM.Calibration,
    }
    written = {
        (item.get("CodeValue"), item.CodingSchemeDesignator): item.CodeMeaning
        for item in (
            code
            for element in dcmread(path).iterall()
            if element.keyword in ("ConceptNameCodeSequence", "ConceptCodeSequence")
            for code in element.value
        )
    }
    assert written["122383", "DCM"] == "Entire Pullback"
    for code in standard.values():
        meaning = written[code.value, code.scheme_designator]
        assert meaning.lower() == code.meaning.lower()


def test_everything_measured_in_a_lesion_is_there(study: IvoctStudy, path: Path) -> None:
    lesion = measurements_of_sr(path)[0]
    assert lesion.kind is GroupKind.LESION
    rows = {row.concept: row for row in lesion.rows}
    found = compute_results(study, {}).lesions[0]
    points = found.visible.score.points
    assert rows["points_arc_visible"].value == points.arc
    assert rows["points_thickness"].value == points.thickness
    assert rows["points_length"].value == points.length
    assert rows["margin_arc_deg_visible"].value == pytest.approx(
        found.margins.arc_visible_deg, abs=1e-6
    )
    assert rows["quadrants"].value == 2
    assert rows["mla_mm2"].value is not None
    frame = next(one for one in measurements_of_sr(path) if one.name == "Frame 4")
    measured = {row.concept: row.value for row in frame.rows}
    assert measured["eel_area_mm2"] == pytest.approx(EEL.area_mm2, rel=1e-5)
    assert 0 < measured["plaque_burden_percent"] < 100


def test_what_the_printed_report_says_is_said(study: IvoctStudy, path: Path) -> None:
    printed = build_report(study, compute_results(study, {}))
    report = read_sr(path)
    said = [one.text for one in report.statements]
    for row in (*printed.calibration, *printed.protocol, *printed.model):
        assert any(text.startswith(f"{row.label}: {row.value}") for text in said)
    assert any("origin: operator, from the console" in text for text in said)
    assert set(printed.notes) <= set(said)
    assert any("Excluded (blood): frame 14" in text for text in said)
    assert "Research use only. Not for diagnostic use." in said
    for section in printed.lesions:
        group = report.groups[section.number - 1]
        words = {subject: [] for subject in Subject}
        for one in group.statements:
            words[one.subject].append(one.text)
        assert words[Subject.GUIDEWIRE] == [section.guidewire]
        assert words[Subject.MISSING] == list(section.missing)
        assert words[Subject.REVIEW] == [
            "confirmed by an operator" if section.reviewed else "UNREVIEWED"
        ]
        assert words[Subject.DECISIVE_FRAME]
    assert "decided by dr.reader" in str(report.groups[2].statements)


def test_who_made_a_frame_is_said(path: Path) -> None:
    groups = {one.name: one for one in measurements_of_sr(path)}
    drawn = {one.subject: one.text for one in groups["Frame 4"].statements}
    assert drawn[Subject.CONTOURS] == "an operator, confirmed"
    assert drawn[Subject.COMMENT] == "a side branch"
    assert groups["Frame 4"].drawn
    assert not groups["Frame 5"].drawn
    dataset = dcmread(path)
    names = [
        item.TextValue
        for item in dataset.ContentSequence
        if item.ConceptNameCodeSequence[0].CodeValue == "128774"
    ]
    assert names == ["anna", "dr.reader"]
    assert dataset.CompletionFlag == "PARTIAL"
