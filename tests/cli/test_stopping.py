"""A command that is told to end leaves nothing behind, and one that is killed nothing for long."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from calcviewer.cli.stopping import stopped_in_order
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="tested where signals are")

CODE = """
import sys, tempfile, time
from pathlib import Path
tempfile.tempdir = sys.argv[1]
from calcviewer import __main__
from calcviewer.core.atomic import staged_folder
from calcviewer.core.scratch import scratch_array, scratch_folder

def work(*_, **__):
    out = Path(sys.argv[2])
    with scratch_folder() as folder, scratch_array((10, 10)), staged_folder(out) as stage:
        (folder / "patient.dcm").write_text("private")
        (stage / "half.json").write_text("private")
        print("at work", flush=True)
        time.sleep(60)

__main__.cli.machine.models.describe_models = work
sys.exit(__main__.main(["models"]))
"""


def test_a_command_that_is_told_to_end_leaves_nothing(tmp_path: Path) -> None:
    temporary, out = tmp_path / "tmp", tmp_path / "out"
    temporary.mkdir()
    command = [sys.executable, "-c", CODE, str(temporary), str(out)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "at work\n"
        assert len(list(temporary.iterdir())) == 2
        running.terminate()
        _, said = running.communicate(timeout=PATIENCE_S)
    assert running.returncode == 1
    assert said == "calcviewer: stopped; nothing half-written was left.\n"
    assert not list(temporary.iterdir())
    assert not out.exists()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP])
def test_signals_are_as_before_afterwards(how: signal.Signals) -> None:
    outside = signal.signal(how, signal.SIG_DFL)  # SIGHUP is ignored under nohup
    try:
        with pytest.raises(KeyboardInterrupt), stopped_in_order():
            signal.raise_signal(how)
        assert signal.getsignal(how) == signal.SIG_DFL
    finally:
        signal.signal(how, outside)


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stopped_in_order():
            signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_in_another_thread_it_changes_nothing() -> None:
    seen = []

    def run() -> None:
        with stopped_in_order():
            seen.append(signal.getsignal(signal.SIGTERM))

    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen == [before]
