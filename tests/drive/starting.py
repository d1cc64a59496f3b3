"""Starts the application for a script, in a process and with folders of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
LONGEST_S = 600


@dataclass(frozen=True)
class Ended:
    """How the application ended."""

    status: int
    said: str
    pictures: frozenset[str]


class Drive:
    """Starts the application for a script, with folders and settings of its own."""

    def __init__(self, screen: str, home: Path) -> None:
        kept = os.environ.get("CALCVIEWER_DRIVE_PICTURES")
        self.home = home
        self.pictures = Path(kept) if kept else home / "pictures"
        self.pictures.mkdir(parents=True, exist_ok=True)
        running = home / "run"
        running.mkdir(mode=0o700)
        self._environment = {
            **os.environ,
            "DISPLAY": screen,
            "QT_QPA_PLATFORM": "xcb",
            "CALCVIEWER_TEST_PLATFORM": "xcb",
            "LANG": "C.UTF-8",
            "HOME": str(home),
            "XDG_RUNTIME_DIR": str(running),
            **{
                f"XDG_{name}_HOME": str(home / name.lower())
                for name in ("CONFIG", "STATE", "CACHE", "DATA")
            },
        }

    def run(self, script: str, *arguments: Path | str, longest_s: float = LONGEST_S) -> Ended:
        """Start the application, let the script work it, and wait for its end."""
        command = [sys.executable, "-m", "tests.drive.play", script, str(self.pictures)]
        began = time.time()
        ended = subprocess.run(
            [*command, *map(str, arguments)],
            cwd=ROOT,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=longest_s,
        )
        made = frozenset(
            path.stem for path in self.pictures.glob("*.png") if path.stat().st_mtime >= began - 1
        )
        return Ended(ended.returncode, ended.stdout + ended.stderr, made)
