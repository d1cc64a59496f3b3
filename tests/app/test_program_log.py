"""The log: where things went wrong, and nothing of a patient."""

from __future__ import annotations

import logging
import stat
import sys
import threading
from pathlib import Path

import pytest
import shapely

from calcviewer.app.failures import is_bug, report_failure
from calcviewer.app.program_log import (
    code_place,
    log_failure,
    log_path,
    log_thread_failure,
    logging_to_file,
    read_log,
    trace_of,
)
from calcviewer.core.errors import CalcViewerError
from calcviewer.core.geometry import PolarGrid

PATIENT = "Doe^Jane"


@pytest.fixture(autouse=True)
def own_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


def raised(wanted: type[Exception] = ValueError) -> Exception:
    """Return an error that came about in the program, for another reason in a library."""
    try:
        try:
            shapely.from_wkt(PATIENT)
        except Exception as error:
            raise wanted(f"{PATIENT} /data/{PATIENT}/1.dcm") from error
    except wanted as error:
        return error


def test_a_trace_names_types_and_places_in_the_code_only() -> None:
    trace = trace_of(raised())
    assert trace.splitlines()[0] == "  builtins.ValueError"
    assert "  shapely.errors.GEOSException" in trace.splitlines()
    assert "    shapely/io.py:" in trace
    assert "elsewhere:" in trace  # this test
    assert PATIENT not in trace
    assert str(Path.home()) not in trace


def test_a_chain_without_end_is_cut() -> None:
    first, second = ValueError(), KeyError()
    first.__cause__, second.__cause__ = second, first
    assert len(trace_of(first).splitlines()) == 10


def test_what_an_error_hides_is_not_told() -> None:
    error = ValueError()
    error.__context__, error.__suppress_context__ = KeyError(), True
    assert trace_of(error) == "  builtins.ValueError"
    error.__suppress_context__ = False
    assert trace_of(error).endswith("builtins.KeyError")


@pytest.mark.parametrize(
    ("filename", "place"),
    [
        (sys.modules[PolarGrid.__module__].__file__, "calcviewer/core/geometry.py"),
        (shapely.__file__, "shapely/__init__.py"),
        (threading.__file__, "threading.py"),
        ("<frozen importlib._bootstrap>", "<frozen importlib._bootstrap>"),
        (f"/data/{PATIENT}/calcviewer/app/x.py", "elsewhere"),
        (f"{PATIENT}/run.py", "elsewhere"),
        (f"<{PATIENT}>", "elsewhere"),
    ],
)
def test_code_is_named_without_the_folders_above_it(filename: str, place: str) -> None:
    assert code_place(filename) == place


def test_in_a_packed_program_code_has_no_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert code_place("calcviewer/app/x.py") == "calcviewer/app/x.py"
    assert code_place("/data/x.py") == "elsewhere"


def test_the_log_is_one_private_file() -> None:
    with logging_to_file(), logging_to_file():
        logging.getLogger("calcviewer.somewhere").info("done %d", 3)
        logging.getLogger("pydicom").error(PATIENT)
    (line,) = log_path().read_text().splitlines()
    assert line.endswith("INFO calcviewer.somewhere: done 3")
    assert stat.S_IMODE(log_path().stat().st_mode) == 0o600
    assert stat.S_IMODE(log_path().parent.stat().st_mode) == 0o700


def test_the_log_does_not_grow_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("calcviewer.app.program_log._LARGEST_BYTES", 1000)
    with logging_to_file():
        for number in range(100):
            logging.getLogger("calcviewer").warning("number %d", number)
    assert sum(path.stat().st_size for path in log_path().parent.iterdir()) < 2000
    assert [stat.S_IMODE(path.stat().st_mode) for path in log_path().parent.iterdir()] == [
        0o600
    ] * 2
    known = read_log().splitlines()
    assert known == sorted(known)
    assert known[-1].endswith("number 99")


def test_without_a_place_for_the_file_it_goes_to_standard_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "calcviewer").write_text("a file is in the way")
    log_failure(raised())
    printed = capsys.readouterr().err
    assert "an unexpected error" in printed
    assert PATIENT not in printed


def test_an_unexpected_failure_is_said_in_full_and_logged_without_its_message() -> None:
    reason = report_failure(raised())
    assert is_bug(reason)
    assert PATIENT in reason
    assert "builtins.ValueError" in log_path().read_text()
    assert PATIENT not in log_path().read_text()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (CalcViewerError("No frame.", "Choose another."), "No frame. Choose another."),
        (FileNotFoundError(2, "No such file", "a.dcm"), "a.dcm: No such file."),
    ],
)
def test_an_expected_failure_is_said_and_not_logged(error: Exception, said: str) -> None:
    assert report_failure(error).endswith(said)
    assert not is_bug(report_failure(error))
    assert not log_path().exists()


def test_what_ends_a_thread_is_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise raised(KeyError)

    monkeypatch.setattr(threading, "excepthook", log_thread_failure)
    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    assert "builtins.KeyError" in read_log()


def test_only_lines_of_this_program_are_handed_on() -> None:
    log_failure(raised())
    ours = log_path().read_text().rstrip("\n")
    log_path().with_name("calcviewer.log.1").write_text(
        f"Traceback (most recent call last):\nValueError: {PATIENT}\n  File '/data/{PATIENT}'\n"
    )
    with log_path().open("a") as stream:
        stream.write(f"{PATIENT}\n    /data/{PATIENT} 1.py:3 run\n")
    assert read_log() == ours
