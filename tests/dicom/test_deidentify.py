"""The patient is taken out, and results still belong together."""

from __future__ import annotations

from pathlib import Path

from pydicom import Dataset, dcmread

from calcviewer.dicom.deidentify import PROFILE, Action, UidMap, deidentified
from calcviewer.dicom.source import finished, no_source, source_of
from tests.dicom.samples import polar_file, polar_frames


def named_file(path: Path) -> Path:
    polar_file(path, polar_frames(2))
    dataset = dcmread(path)
    dataset.PatientName, dataset.PatientID, dataset.PatientAge = "Doe^Jane", "4711", "068Y"
    dataset.StudyDate, dataset.StudyDescription = "20240229", "of Jane Doe"
    dataset.InstitutionName = "Somewhere"
    dataset.save_as(path)
    return path


def test_every_inherited_attribute_has_its_action(tmp_path: Path) -> None:
    source = source_of([named_file(tmp_path / "a.dcm")])
    clean = deidentified(source, UidMap())
    for name, action in PROFILE.items():
        before, after = source.header.get(name), clean.header.get(name)
        if action is Action.REMOVE:
            assert after is None
        elif action is Action.EMPTY:
            assert after == ""
        else:
            assert after != before or not before
    assert "InstitutionName" not in source.header
    assert clean.deidentified
    assert "Doe" not in str(clean.header)
    assert "Doe" in str(source.header)


def test_one_map_gives_the_same_identifiers_and_another_gives_others(tmp_path: Path) -> None:
    source = source_of([named_file(tmp_path / "a.dcm")])
    uids = UidMap()
    first, again, other = (deidentified(source, one) for one in (uids, uids, UidMap()))
    assert first.frames == again.frames != other.frames
    assert first.header.PatientID == again.header.PatientID != other.header.PatientID
    assert first.frames[0].sop_instance_uid != source.frames[0].sop_instance_uid
    assert [one.frame_number for one in first.frames] == [1, 2]
    assert first.header.StudyInstanceUID.startswith("2.25.")
    assert len(first.header.StudyInstanceUID) <= 64


def test_every_date_at_any_depth_goes(tmp_path: Path) -> None:
    source = deidentified(source_of([named_file(tmp_path / "a.dcm")]), UidMap())
    item, inner, dataset = Dataset(), Dataset(), Dataset()
    inner.ContentTime, inner.DateTime = "101112", "20240229101112"
    item.ContributionDateTime, item.PurposeOfReferenceCodeSequence = "20240229", [inner]
    dataset.Modality, dataset.ContentDate, dataset.StudyDate = "SEG", "20240229", ""
    dataset.SeriesDate, dataset.ContributingEquipmentSequence = "20240229", [item]
    finished(dataset, source)
    dates = {one.keyword: one.value for one in dataset.iterall() if one.VR in ("DA", "TM", "DT")}
    assert dates == {"ContentDate": "19700101", "ContentTime": "000000", "StudyDate": ""}


def test_the_secret_is_not_printed() -> None:
    assert "secret" not in repr(UidMap())


def test_what_is_no_dicom_names_nobody() -> None:
    source = no_source()
    assert source.frames == ()
    assert str(source.header.PatientName) == ""
    assert source.header.StudyInstanceUID.startswith("2.25.")
