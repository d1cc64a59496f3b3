from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from calcviewer.__main__ import main
from tests.dicom.samples import image_file, polar_file, polar_frames


def test_text_and_json_say_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = polar_file(tmp_path / "p.dcm", polar_frames(2))
    assert main(["inspect", str(path)]) == 0
    text = capsys.readouterr().out
    assert main(["inspect", str(path), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["format"] == "calcviewer-inspection"
    assert document["kind"] in text
    for name, value in document["facts"].items():
        words = name.replace("burned_in", "burned-in").replace("_", " ")
        assert re.search(rf"(?im)^  {words} +{re.escape(value)}$", text)


def test_patients_are_shown_on_request(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frames = polar_frames(1, (60, 60))
    path = image_file(tmp_path / "x.dcm", frames, Modality="CT", PatientName="Rook^Ada")
    for extra in ([], ["--json"]):
        assert main(["inspect", str(path), *extra]) == 0
        assert "Rook" not in capsys.readouterr().out
        assert main(["inspect", str(path), *extra, "--show-patient"]) == 0
        assert "Rook^Ada" in capsys.readouterr().out


def test_an_unknown_file_is_one_line_on_standard_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "notes.doc").write_text("nothing")
    assert main(["inspect", str(tmp_path / "notes.doc")]) == 1
    told = capsys.readouterr()
    assert not told.out
    assert "notes.doc is no file that holds a pullback" in told.err
