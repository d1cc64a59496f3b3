"""What holds for the whole program: no foreign code, no network unasked, no patient in a log."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from calcviewer.__main__ import main
from calcviewer.app import workflows
from calcviewer.app.failures import report_failure
from calcviewer.app.pacs.peers import peers_path, save_peer
from calcviewer.app.program_log import log_path, read_log
from calcviewer.app.settings import Settings, save_settings, settings_path
from calcviewer.dicom.network.peer import WebPeer
from tests.keyrings import MemoryKeyring, using
from tests.named_patient import TOKENS, named_pullback, tokens_in
from tests.source_rules import faults, logged_values

ROOT = Path(__file__).parent.parent
MODULES = sorted((ROOT / "calcviewer").rglob("*.py"))
# Numbers, names of types and of models, and what the functions named here make harmless.
HARMLESS = {
    "__version__",
    "_harmless(text)",
    "error.strerror",
    "frames",
    "how",
    "item.name",
    "item.provider",
    "item.version",
    "self.done",
    "self.wanted",
    "study_kind(path)",
    "type(error).__name__",
}


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "import xml.etree.ElementTree as tree",
        "from pickle import loads",
        "from subprocess import run",
        "eval(text)",
        "exec(text)",
        "builtins.eval(text)",
        "np.load(path)",
        "read(path, allow_pickle=True)",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "tempfile.mktemp()",
        "archive.extractall(folder)",
        "start(command, shell=True)",
        "requests.get(url, verify=False)",
        "assert length < 3",
        "assert header",
    ],
)
def test_the_rules_find_what_they_forbid(source: str) -> None:
    assert list(faults(source))


@pytest.mark.parametrize(
    "source",
    [
        "from pickle import UnpicklingError",
        "from xml.sax.saxutils import escape",
        "network.eval()",
        "app.exec()",
        "re.compile(pattern)",
        "torch.load(path, weights_only=True)",
        "assert lumen is not None",
        "assert isinstance(grid, PolarGrid)",
    ],
)
def test_the_rules_leave_the_rest_alone(source: str) -> None:
    assert not list(faults(source))


def test_no_module_runs_foreign_code_or_relies_on_assertions() -> None:
    found = {str(path.relative_to(ROOT)): list(faults(path.read_text())) for path in MODULES}
    assert {name: what for name, what in found.items() if what} == {}


def test_only_known_values_go_into_the_log() -> None:
    assert list(logged_values("_LOG.info(f'{path}')\n_LOG.error('%s', error)")) == [
        "f'{path}'",
        "error",
    ]
    found = {
        f"{path.relative_to(ROOT)}: {value}"
        for path in MODULES
        for value in logged_values(path.read_text())
        if value not in HARMLESS
    }
    assert found == set()


def test_the_main_job_reaches_for_no_network_and_no_secret(tmp_path: Path) -> None:
    own = {
        f"XDG_{name}_HOME": str(tmp_path / name) for name in ("CONFIG", "STATE", "CACHE", "DATA")
    }
    own |= {"HOME": str(tmp_path / "HOME"), "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.without_network", str(tmp_path)],
        cwd=ROOT,
        env={name: os.environ[name] for name in os.environ if "ORT_" not in name} | own,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = [line for line in done.stdout.splitlines() if line.split(" ")[0].isupper()]
    assert told == ["SEGMENTED 2"]
    # ONNX Runtime keeps a number of the machine where it is not told to report to nobody.
    assert not list((tmp_path / "CACHE").rglob("*"))
    assert not (tmp_path / "HOME").exists()


def test_reporting_to_the_makers_of_onnx_runtime_is_off_before_it_is_loaded() -> None:
    code = (
        "import sys, os, builtins; load = builtins.__import__\n"
        "def watch(name, *rest, **options):\n"
        "    if name.startswith('onnxruntime') and 'onnxruntime' not in sys.modules:\n"
        "        print(os.environ.get('ORT_DISABLE_TELEMETRY'))\n"
        "    return load(name, *rest, **options)\n"
        "builtins.__import__ = watch\n"
        "import calcviewer.inference.onnx\n"
    )
    environment = {name: os.environ[name] for name in os.environ if "ORT_" not in name}
    seen = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert seen.stdout.split() == ["1"]


@pytest.fixture
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CONFIG", "STATE", "CACHE", "DATA"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / "home" / name))


def closed_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.mark.usefixtures("own_folders")
def test_no_log_and_no_report_names_the_patient(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pullback = named_pullback(tmp_path)
    folder, out = pullback.parent, str(tmp_path / "out")
    damaged = folder / "damaged.dcm"
    damaged.write_bytes(pullback.read_bytes()[:-5000])
    peer = ["pacs", "add", TOKENS["archive"], "--aet", TOKENS["title"], "--host", "127.0.0.1"]
    assert tokens_in(pullback) >= {"Qxname", "QXPATIENT7", "19231107", "Qxhospital"}
    with using(MemoryKeyring()):
        assert main(["analyze", str(pullback), "-o", out]) == 0
        assert main(["analyze", str(damaged), "-o", out]) == 1
        assert main(["analyze", str(pullback), "-o", str(pullback)]) == 1
        assert main(["export", str(folder / "none"), "--seg", "-o", out]) == 1
        assert main([*peer, "--port", str(closed_port())]) == 0
        assert main(["pacs", "send", TOKENS["archive"], str(pullback)]) == 1
        assert (
            main(["pacs", "query", TOKENS["archive"], "--patient-name", TOKENS["PatientName"]]) == 1
        )

        def broken(*_: object, **__: object) -> None:
            raise KeyError(f"{TOKENS['PatientName']} of {pullback}")

        monkeypatch.setattr(workflows, "build_report", broken)
        assert main(["analyze", str(pullback), "-o", out]) == 1
        assert TOKENS["file"] in capsys.readouterr().err  # the screen says it in full
        assert main(["report-problem", "-o", str(tmp_path / "problem.zip")]) == 0
    assert "builtins.KeyError" in read_log()
    assert "calcviewer/app/workflows.py" in read_log()
    logs = list(log_path().parent.iterdir())
    assert [tokens_in(path) for path in (*logs, tmp_path / "problem.zip")] == [set()] * (
        len(logs) + 1
    )


@pytest.mark.usefixtures("own_folders")
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_what_the_program_keeps_for_itself_is_the_users_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        report_failure(KeyError("bug"))
        save_settings(Settings())
        save_peer(WebPeer(name="archive", url="https://archive.example/"))
    finally:
        os.umask(before)
    for path in (log_path(), settings_path(), peers_path()):
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
