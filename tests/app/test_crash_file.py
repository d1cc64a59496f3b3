"""A crash of native code is known at the next start, without folders or values."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from calcviewer.app.crash_file import take_up_crashes
from calcviewer.app.program_log import log_path, read_log

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="tested where signals are")

CODE = """
import ctypes, os, stat, sys
from calcviewer.app.crash_file import catching_crashes
from calcviewer.app.program_log import log_path
with catching_crashes():
    (file,) = log_path().parent.iterdir()
    print(oct(stat.S_IMODE(file.stat().st_mode)), file.stat().st_size, flush=True)
    if sys.argv[1] == "crash":
        ctypes.string_at(0)
    if sys.argv[1] == "kill":
        os.kill(os.getpid(), 9)
    if sys.argv[1] == "bug":
        raise SystemExit(3)
print(list(log_path().parent.iterdir()))
"""


@pytest.fixture(autouse=True)
def own_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "Doe^Jane"))


def ended(how: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", CODE, how]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def test_a_crash_goes_into_the_log_once() -> None:
    crashed = ended("crash")
    assert crashed.returncode < 0
    (file,) = log_path().parent.iterdir()
    assert "/ctypes/__init__.py" in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert take_up_crashes() == 1
    log = read_log()
    assert "native code ended the program" in log
    assert "Fatal Python error: Segmentation fault" in log
    assert "    ctypes/__init__.py:" in log
    assert sys.prefix not in log
    assert not file.exists()
    assert take_up_crashes() == 0
    assert read_log() == log


@pytest.mark.parametrize(("how", "status"), [("well", 0), ("bug", 3)])
def test_who_ends_in_order_leaves_nothing(how: str, status: int) -> None:
    done = ended(how)
    assert done.returncode == status, done.stderr
    assert done.stdout.startswith("0o600 0")
    assert not list(log_path().parent.iterdir())
    assert take_up_crashes() == 0


def test_a_process_that_was_killed_is_no_crash_and_its_file_goes() -> None:
    assert ended("kill").returncode == -9
    (file,) = log_path().parent.iterdir()
    assert take_up_crashes() == 0
    assert file.exists()  # a process could just be starting
    then = time.time() - 3600
    os.utime(file, (then, then))
    assert take_up_crashes() == 0
    assert not list(log_path().parent.iterdir())


def test_the_file_of_a_running_process_is_left_alone() -> None:
    code = CODE.replace("if sys.argv[1] ==", "input()\n    if sys.argv[1] ==", 1)
    running = subprocess.Popen(
        [sys.executable, "-c", code, "crash"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert running.stdin is not None
    assert running.stdout is not None
    assert running.stdout.readline()  # it is at work
    (file,) = log_path().parent.iterdir()
    then = time.time() - 3600
    os.utime(file, (then, then))
    assert take_up_crashes() == 0
    assert file.exists()
    running.communicate(b"\n")
    assert running.returncode < 0
    assert take_up_crashes() == 1
