"""Starts the monkey in a process with folders, settings and disks of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import IO

from tests.gui.stored_studies import write_study
from tests.soak.files import make_files

ROOT = Path(__file__).parents[2]
_DISKS = """
mount -t tmpfs -o size=256k soak "$1" && mount -t tmpfs -o size=4m soak "$2" || exit 77
cp "$3" "$1/study.npz"; cp "$3" "$2/study.npz"
dd if=/dev/zero of="$1/filling" bs=1k 2>/dev/null
mount -o remount,ro "$2"
shift 3
exec "$@"
"""
"""Disks that end with the process: a full one, and a read-only one."""


def start(
    home: Path,
    *,
    display: str = "",
    seed: int,
    first: int,
    actions: int,
    frames: int,
    segmenter: str,
    output: IO[str] | None = None,
) -> subprocess.Popen[str]:
    """Write what it opens, and start the monkey.

    Parameters
    ----------
    display
        Name of the X display; empty for no screen.
    output
        Takes what is said; None: the terminal.
    """
    files = home / "files"
    make_files(files, frames=frames)
    command = [sys.executable, "-m", "tests.soak.play", "--files", str(files)]
    for name, value in (
        ("seed", seed),
        ("first", first),
        ("actions", actions),
        ("segmenter", segmenter),
    ):
        command += [f"--{name}", str(value)]
    return subprocess.Popen(
        _with_disks(command, home),
        cwd=ROOT,
        env=_environment(home, display),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=None if output is None else subprocess.STDOUT,
        text=True,
    )


def _with_disks(command: list[str], home: Path) -> list[str]:
    """Return the command in a mount namespace with both disks, where that is allowed."""
    full, read_only = home / "full", home / "readonly"
    for folder in (full, read_only):
        folder.mkdir()
    study = write_study(home, frames=2, name="study")
    if shutil.which("unshare") is None:
        return command
    apart = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]
    prepare = ["sh", "-c", _DISKS, "sh", str(full), str(read_only), str(study)]
    if subprocess.run([*apart, *prepare, "true"], capture_output=True, check=False).returncode:
        return command
    return [*apart, *prepare, *command, "--full", str(full), "--read-only", str(read_only)]


def _environment(home: Path, display: str) -> dict[str, str]:
    running = home / "run"
    running.mkdir(mode=0o700)
    return {
        **os.environ,
        "DISPLAY": display,
        "QT_QPA_PLATFORM": "xcb" if display else "offscreen",
        "CALCVIEWER_TEST_PLATFORM": "xcb" if display else "offscreen",
        "LANG": "C.UTF-8",
        "HOME": str(home),
        "XDG_RUNTIME_DIR": str(running),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        **{
            f"XDG_{name}_HOME": str(home / name.lower())
            for name in ("CONFIG", "STATE", "CACHE", "DATA")
        },
    }
