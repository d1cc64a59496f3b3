"""What results take over from their source, however odd its header is."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.config import disable_value_validation

from calcviewer.dicom.source import source_of
from tests.dicom.samples import polar_file, polar_frames


@pytest.mark.parametrize(
    ("name", "value"),
    [("PatientBirthDate", "unknown"), ("StudyDate", "20259999"), ("StudyTime", "noon")],
)
def test_a_date_that_is_none_is_left_empty(name: str, value: str, tmp_path: Path) -> None:
    path = polar_file(tmp_path / "a.dcm", polar_frames(1))
    with disable_value_validation():
        dataset = dcmread(path)
        dataset.PatientName = "Doe^Jane"
        setattr(dataset, name, value)
        dataset.save_as(path)
    header = source_of([path]).header
    assert not header[name].value
    assert header.PatientName == "Doe^Jane"


def test_a_date_is_taken_over(tmp_path: Path) -> None:
    path = polar_file(tmp_path / "a.dcm", polar_frames(1))
    dataset = dcmread(path)
    dataset.PatientBirthDate, dataset.StudyTime = "19231107", "101112.5"
    dataset.save_as(path)
    header = source_of([path]).header
    assert (header.PatientBirthDate, header.StudyTime) == ("19231107", "101112.5")
