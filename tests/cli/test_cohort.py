"""The command as people use it, with processes that are really ended from outside."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from calcviewer.__main__ import main
from tests.app.cohort.cohorts import pullback
from tests.test_cli import ANALYSIS_FILES

_LONGEST_S = 240.0


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    pullback(folder / "P1", seed=4, frames=2)
    pullback(folder / "P2", seed=7, frames=4)
    return folder


def until(condition: Callable[[], bool], driver: subprocess.Popen[str] | None = None) -> None:
    end = time.monotonic() + _LONGEST_S
    while not condition():
        assert time.monotonic() < end
        assert driver is None or driver.poll() is None
        time.sleep(0.01)


def started(data: Path, out: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "calcviewer", "cohort", str(data), "-o", str(out)]
    return subprocess.Popen(
        [*command, "--workers", "1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl+C reaches a whole group of processes
    )


def worker_of(out: Path, name: str) -> int:
    """Return the process that works on a pullback; 0 when there is none."""
    try:
        return int(json.loads((out / f".{name}.lock").read_text())["pid"])
    except (OSError, ValueError):
        return 0


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks at processes as Linux shows them")
def test_a_run_that_is_killed_and_stopped_goes_on(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    killed = started(data, out)
    until(lambda: worker_of(out, "P2-pullback") > 0, killed)
    worker = worker_of(out, "P2-pullback")
    first = (out / "P1-pullback" / "finished.json").stat().st_mtime_ns
    killed.kill()
    killed.communicate()
    until(lambda: not is_alive(worker))
    assert not (out / "P2-pullback" / "finished.json").exists()

    stopped = started(data, out)
    until(lambda: worker_of(out, "P2-pullback") not in (0, worker), stopped)
    worker = worker_of(out, "P2-pullback")
    os.killpg(stopped.pid, signal.SIGTERM)  # SIGINT is ignored in the background
    _, told = stopped.communicate(timeout=_LONGEST_S)
    assert stopped.returncode == 1
    assert "Stopped. 1 of 2 pullbacks are finished and kept. Give the same command" in told
    assert "Traceback" not in told
    assert not is_alive(worker)
    assert not [path for path in out.rglob("*") if path.name.startswith(".")]

    assert main(["cohort", str(data), "-o", str(out), "--json"]) == 0
    printed = capsys.readouterr()
    assert "2 pullbacks, 1 finished before, 1 to analyze" in printed.err
    document = json.loads(printed.out)
    assert [one["status"] for one in document["pullbacks"]] == ["finished", "finished"]
    assert (out / "P1-pullback" / "finished.json").stat().st_mtime_ns == first
    for name in ("P1-pullback", "P2-pullback"):
        results = {path.name for path in (out / name).iterdir()}
        assert results == ANALYSIS_FILES | {"finished.json"}


def test_failures_are_told_and_set_the_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, name = tmp_path / "out", f"{tmp_path.name}-gone"
    assert main(["cohort", str(tmp_path / "gone.dcm"), "-o", str(out)]) == 1
    printed = capsys.readouterr()
    assert "0 of 1 pullbacks finished, 1 failed" in printed.out
    assert f"{name}: {name} does not exist. Check the path." in printed.out
    assert f"{name},failed,{name} does not exist" in (out / "cohort.csv").read_text()
    assert {path.name for path in out.iterdir()} == {
        "cohort.csv",
        "cohort.json",
        "cohort.pdf",
        "lesions.csv",
    }


@pytest.mark.parametrize(
    "arguments",
    [
        ["-o", "out"],
        ["x.dcm"],
        ["x.dcm", "-o", "out", "--workers", "0"],
        ["x.dcm", "-o", "out", "--workers", "2", "--scheduler", "tcp://there:8786"],
    ],
)
def test_wrong_usage(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["cohort", *arguments])
    assert left.value.code == 2
