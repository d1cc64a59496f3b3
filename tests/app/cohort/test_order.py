from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from calcviewer.app.cohort.found import Found, Member, PassedOver
from calcviewer.app.cohort.order import ORDER_FILE, CohortOptions, Settings, place_order
from calcviewer.app.workflows import SegmentOptions
from calcviewer.core.errors import CalcViewerError
from calcviewer.modalities.ivoct.read import ReadOptions

SETTINGS = Settings.of(CohortOptions())
A, B = Member("scan", Path("/data/a/scan.dcm")), Member("Scan", Path("/data/b/Scan.dcm"))


def found(*members: Member) -> Found:
    return Found(members, (PassedOver(Path("/data/sr.dcm"), "It is a report."),))


def test_names_are_unique_and_stay(tmp_path: Path) -> None:
    assert place_order(tmp_path, SETTINGS, found(A)).members == (A,)
    later = Member("Scan-2", B.path)
    assert place_order(tmp_path, SETTINGS, found(B, A)).members == (A, later)
    assert place_order(tmp_path, SETTINGS, found(A)).members == (A, later)


def test_other_settings_are_refused_and_named(tmp_path: Path) -> None:
    place_order(tmp_path, SETTINGS, found(A))
    before = (tmp_path / ORDER_FILE).read_bytes()
    other = CohortOptions(read=ReadOptions(frame_pitch_mm=0.1), segment=SegmentOptions(crf=False))
    with pytest.raises(CalcViewerError, match=r"crf True instead of False") as caught:
        place_order(tmp_path, Settings.of(other), found(B))
    assert "frame pitch mm None instead of 0.1" in caught.value.message
    assert (tmp_path / ORDER_FILE).read_bytes() == before


def test_settings_are_what_results_depend_on() -> None:
    elsewhere = CohortOptions(segment=SegmentOptions(device="cpu", threads=1))
    assert Settings.of(elsewhere).mark == SETTINGS.mark
    protocol = replace(SETTINGS.protocol, arc_threshold_deg=170.0)
    others = (
        replace(SETTINGS, model_sha256="0" * 64),
        replace(SETTINGS, protocol=protocol),
        replace(SETTINGS, program="calcviewer 99"),
        replace(SETTINGS, read_options=ReadOptions(calibrate_on_catheter=True)),
    )
    assert len({one.mark for one in (SETTINGS, *others)}) == 5


def test_an_unknown_model_is_refused() -> None:
    with pytest.raises(CalcViewerError, match="no-such"):
        Settings.of(CohortOptions(segment=SegmentOptions(model="no-such")))


def test_other_folders_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(CalcViewerError, match="something else than a cohort"):
        place_order(tmp_path, SETTINGS, found(A))
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("damage", ["{", "[]", '{"format": "other"}', "null"])
def test_a_damaged_order_is_refused(tmp_path: Path, damage: str) -> None:
    (tmp_path / ORDER_FILE).write_text(damage)
    with pytest.raises(CalcViewerError, match="is damaged, or of another version"):
        place_order(tmp_path, SETTINGS, found(A))
    assert (tmp_path / ORDER_FILE).read_text() == damage


def test_the_file_holds_what_it_should(tmp_path: Path) -> None:
    place_order(tmp_path, SETTINGS, found(A))
    document = json.loads((tmp_path / ORDER_FILE).read_text())
    assert document["format"] == "calcviewer-cohort"
    assert document["pullbacks"] == {"scan": "/data/a/scan.dcm"}
    assert document["passed_over"] == ["It is a report."]
    assert document["settings"]["model_sha256"] == SETTINGS.model_sha256
