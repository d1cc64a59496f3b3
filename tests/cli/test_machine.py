"""The verb that collects a problem report."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from calcviewer.__main__ import main


def test_a_problem_report_is_listed_and_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "problem.zip"
    assert main(["report-problem", "-o", str(path)]) == 0
    printed = capsys.readouterr().out
    names = zipfile.ZipFile(path).namelist()
    assert {"README.txt", "log.txt", "machine.json", "libraries.json"} <= set(names)
    assert all(name in printed for name in names)
    assert "before you send it" in printed


def test_without_a_file_all_of_it_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report-problem"]) == 0
    printed = capsys.readouterr().out
    assert "Nothing was sent." in printed
    assert '"onnx_runtime_providers"' in printed
