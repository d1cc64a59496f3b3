"""Retrieved studies: where they lie, which pullbacks they hold, what the inbox holds."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.uid import generate_uid

from calcviewer.app.pacs.retrieved import (
    arrival,
    arrivals_in,
    name_pullbacks,
    pullbacks_in,
    retrieved_folder,
    series_folder,
)
from calcviewer.core.errors import CalcViewerError
from calcviewer.modalities.ivoct.read import read_pullback
from tests.result_studies import presentation_pullback, processing_pullback


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


@pytest.fixture
def series(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "series"
    folder.mkdir()
    return folder


def single_frames(folder: Path, tmp_path: Path, count: int) -> None:
    """Write a series of single-frame exports."""
    source = presentation_pullback(tmp_path, 1).source.path
    for number in range(count):
        dataset = dcmread(source)
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        dataset.InstanceNumber = number + 1
        dataset.save_as(folder / f"{dataset.SOPInstanceUID}.dcm")


@pytest.mark.parametrize("uid", ["", ".", "..", "1", "1..2", "1.2/3", "../1.2", "1.2\n", "1." * 40])
def test_an_identifier_that_is_none_leads_nowhere(uid: str) -> None:
    for pair in ((uid, "1.2"), ("1.2", uid)):
        with pytest.raises(CalcViewerError, match="an identifier that is none"):
            series_folder(*pair)


def test_a_series_has_one_place() -> None:
    assert series_folder("1.2.3", "2.25.7") == retrieved_folder() / "1.2.3" / "2.25.7"


def test_the_pullbacks_of_a_series(series: Path, tmp_path: Path) -> None:
    first, second = processing_pullback(tmp_path, 3), presentation_pullback(tmp_path, 5)
    for pullback in (first, second):
        shutil.copy(pullback.source.path, series)
    (series / "report.dcm").write_bytes(b"\0" * 128 + b"DICM no image")
    (series / ".hidden.dcm").write_bytes(b"")
    (series / "notes.txt").write_text("no DICOM")
    found = pullbacks_in(series, series_number=7)
    assert {(one.path.name, one.frame_count, one.series_number) for one in found} == {
        (first.source.path.name, 3, 7),
        (second.source.path.name, 5, 7),
    }
    assert {one.modality for one in found} == {"IVOCT"}


def test_single_frames_are_one_pullback(series: Path, tmp_path: Path) -> None:
    single_frames(series, tmp_path, 4)
    (found,) = name_pullbacks(series)
    assert (found.path, found.frame_count) == (series, 4)
    assert read_pullback(found.path).frame_count == 4


def test_one_still_picture_is_no_pullback(series: Path, tmp_path: Path) -> None:
    single_frames(series, tmp_path, 1)
    assert pullbacks_in(series) == ()
    assert pullbacks_in(tmp_path / "missing") == ()


def test_names_say_when_and_what_but_not_who_and_stay_the_same(
    series: Path, tmp_path: Path
) -> None:
    source = processing_pullback(tmp_path, 3).source.path
    names = set()
    for _ in range(2):
        shutil.copy(source, series / "2.25.99.dcm")  # as it is called when it is retrieved
        (found,) = name_pullbacks(series)
        names.add(found.path)
        assert found.path.name.startswith("20240229-")
        assert "Quillfeather" not in found.path.name
        assert found.path.read_bytes() == source.read_bytes()
    assert len(names) == 1
    assert set(series.iterdir()) == names


def test_the_inbox_says_what_arrived(series: Path, tmp_path: Path) -> None:
    source = processing_pullback(tmp_path, 3).source.path
    shutil.copy(source, series / "1.2.3.dcm")
    (series / "1.2.4.dcm").write_bytes(b"\0" * 128 + b"DICM no image")
    known = arrival(series / "1.2.3.dcm")
    assert (known.patient_name, known.modality, known.frame_count) == (
        "Quillfeather^Marigold",
        "IVOCT",
        3,
    )
    assert known.byte_count == source.stat().st_size
    other = arrival(series / "1.2.4.dcm")
    assert (other.patient_name, other.frame_count) == ("", 0)
    assert {one.path.name for one in arrivals_in(series)} == {"1.2.3.dcm", "1.2.4.dcm"}
    assert list(arrivals_in(tmp_path / "missing")) == []
