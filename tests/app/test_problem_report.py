"""The problem report: what helps the developers, and nothing that names people or places."""

from __future__ import annotations

import json
import zipfile
from dataclasses import fields, replace
from pathlib import Path

import pytest

from calcviewer import __version__
from calcviewer.app.failures import report_failure
from calcviewer.app.pacs.peers import save_peer
from calcviewer.app.problem_report import problem_report, write_problem_report
from calcviewer.app.program_log import log_path
from calcviewer.app.settings import Settings, save_settings, settings_path
from calcviewer.core.errors import CalcViewerError
from calcviewer.dicom.network.peer import DimsePeer, WebPeer
from tests.named_patient import TOKENS, tokens_in


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name.lower() / TOKENS["folder"]))


def fill_everything(folder: Path) -> None:
    """Put the patient wherever the program keeps something."""
    texts = {one.name: TOKENS["title"] for one in fields(Settings) if one.type == "str"}
    shipped = {"model": Settings().model, "look_up_table": "grey", "device": "cpu"}
    settings = replace(Settings(), **(texts | shipped), interpolate_over=7)
    save_settings(settings.with_recent(folder / TOKENS["folder"] / TOKENS["file"]))
    assert tokens_in(settings_path())
    name, host, title = TOKENS["archive"], f"{TOKENS['archive']}.example", TOKENS["title"]
    save_peer(DimsePeer(name=name, ae_title=title, host=host, port=104))
    save_peer(WebPeer(name=f"{name} 2", url=f"https://{host}/", user=TOKENS["file"]))
    report_failure(ValueError(f"{TOKENS['PatientName']} in {folder}"))
    with log_path().open("a") as stream:
        stream.write(f"written by another way: {TOKENS['PatientName']}\n")
    (log_path().parent / "crash-1.txt").write_text(
        "Fatal Python error: Segmentation fault\n\nCurrent thread 0x01 (most recent call first):\n"
        f'  File "{folder}/{TOKENS["file"]}.py", line 3 in run\n'
    )


def test_it_says_what_is_needed_and_names_nobody(tmp_path: Path) -> None:
    fill_everything(tmp_path)
    report = problem_report({"qt": "6.11", "screens": [{"size_px": (1920, 1080)}]})
    path = tmp_path / "problem.zip"
    write_problem_report(report, path)
    assert tokens_in(path) == set()
    assert all(str(place) not in "".join(report.values()) for place in (tmp_path, Path.home()))
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        stored = {name: archive.read(name).decode() for name in archive.namelist()}
    assert stored == report
    assert __version__ in stored["README.txt"]
    assert "builtins.ValueError" in stored["log.txt"]
    assert "Segmentation fault" in stored["log.txt"]
    machine = json.loads(stored["machine.json"])
    assert "CPUExecutionProvider" in machine["onnx_runtime_providers"]
    assert machine["cores"] >= 1
    assert "numpy" in json.loads(stored["libraries.json"])
    assert json.loads(stored["models.json"])[0]["usable"] is True
    settings = json.loads(stored["settings.json"])
    assert (settings["look_up_table"], settings["interpolate_over"]) == ("grey", 7)
    assert settings["archives"] == {"DimsePeer": 1, "WebPeer": 1}
    assert json.loads(stored["window.json"])["screens"][0]["size_px"] == [1920, 1080]


def test_it_is_there_also_where_nothing_happened_yet() -> None:
    report = problem_report()
    assert report["log.txt"] == "Nothing has been logged."
    assert "window.json" not in report


def test_files_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    settings_path().parent.mkdir(parents=True)
    settings_path().write_text(TOKENS["PatientName"])
    settings_path().with_name("pacs.json").write_text(TOKENS["archive"])
    report = problem_report()
    settings = json.loads(report["settings.json"])
    assert (settings["settings_file_read"], settings["archives_file_read"]) == (False, False)
    write_problem_report(report, tmp_path / "problem.zip")
    assert tokens_in(tmp_path / "problem.zip") == set()


def test_a_place_that_cannot_be_written_to_is_said(tmp_path: Path) -> None:
    with pytest.raises(CalcViewerError, match="could not be written"):
        write_problem_report({"README.txt": ""}, tmp_path / "none" / "problem.zip")
