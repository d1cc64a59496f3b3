"""A desktop that nobody sees: X server, window manager, message bus, mouse and keys.

Needs Xvfb, openbox, xdotool, dbus-daemon and at-spi2-core (Debian packages of these names; dbus
and at-spi2-core for the last two).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TypeVar

from PIL import Image, ImageGrab

TOOLS = ("Xvfb", "openbox", "xdotool", "dbus-daemon", "pdftotext")
_SIZE = "1600x1000x24"
_POLL_S, _START_S = 0.2, 30.0
_STILL_S = 0.6
_DRAG_STEPS = 12
_T = TypeVar("_T")


class WalkError(Exception):
    """What the operator expected did not happen."""


@contextmanager
def virtual_desktop(home: Path) -> Iterator[dict[str, str]]:
    """Run a desktop for a user whose only folder is ``home``; yields his environment."""
    if missing := [tool for tool in TOOLS if shutil.which(tool) is None]:
        raise WalkError(f"not installed: {', '.join(missing)}")
    running = home / "run"
    running.mkdir(parents=True, mode=0o700)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "XDG_RUNTIME_DIR": str(running),
        "QT_QPA_PLATFORM": "xcb",
        "QT_LINUX_ACCESSIBILITY_ALWAYS_ON": "1",
    }
    with ExitStack() as stack:
        server = ["Xvfb", "-screen", "0", _SIZE, "-nolisten", "tcp", "-displayfd"]
        environment["DISPLAY"] = ":" + _started(stack, server, environment)
        bus = ["dbus-daemon", "--session", "--nofork", "--print-address"]
        environment["DBUS_SESSION_BUS_ADDRESS"] = _started(stack, bus, environment)
        _start(stack, ["openbox"], environment)
        wait_until("the window manager", lambda: _manages_windows(environment), _START_S)
        yield environment


def _manages_windows(environment: dict[str, str]) -> bool:
    """Return whether a window manager has taken the screen."""
    asked = subprocess.run(["xdotool", "get_desktop"], capture_output=True, env=environment)
    return asked.returncode == 0


def _started(stack: ExitStack, command: list[str], environment: dict[str, str]) -> str:
    """Start a server that writes where it can be reached to a descriptor; returns that."""
    reading, writing = os.pipe()
    last = command[-1] + "=" if command[-1].startswith("--") else command[-1]
    words = [*command[:-1], f"{last}{writing}"] if last.endswith("=") else [*command, str(writing)]
    _start(stack, words, environment, writing)
    os.close(writing)
    with os.fdopen(reading) as answer:
        place = answer.readline().strip()
    if not place:
        raise WalkError(f"{command[0]} did not start")
    return place


def _start(
    stack: ExitStack, command: list[str], environment: dict[str, str], *descriptors: int
) -> None:
    process = subprocess.Popen(
        command,
        env=environment,
        pass_fds=descriptors,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    stack.callback(process.wait, 10)
    stack.callback(process.terminate)


def wait_until(what: str, look: Callable[[], _T | None], seconds: float) -> _T:
    """Return what ``look`` finds as soon as it finds something.

    Raises
    ------
    WalkError
        When it found nothing for so long.
    """
    end = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > end:
            raise WalkError(f"waited {seconds:.0f} s for {what}")
        time.sleep(_POLL_S)
    return found


class Operator:
    """Sees the screen of a virtual desktop, and has its mouse and keyboard."""

    def __init__(self, environment: dict[str, str], pictures: Path) -> None:
        self._environment = environment
        self._pictures = pictures
        self._taken = 0

    def screen(self) -> Image.Image:
        """Return what is on the screen now."""
        return ImageGrab.grab(xdisplay=self._environment["DISPLAY"]).convert("RGB")

    def picture(self, name: str) -> None:
        """Keep what is on the screen, once it no longer changes."""
        seen, since = self.screen(), time.monotonic()
        end = since + 20
        while time.monotonic() < end and time.monotonic() - since < _STILL_S:
            time.sleep(_POLL_S)
            now = self.screen()
            if now.tobytes() != seen.tobytes():
                seen, since = now, time.monotonic()
        self._taken += 1
        path = self._pictures / f"{self._taken:02d}_{name}.png"
        seen.save(path)
        print(f"  {path}", file=sys.stderr, flush=True)

    def move(self, x: int, y: int) -> None:
        """Move the pointer."""
        self._do("mousemove", x, y)

    def click(self, x: int, y: int) -> None:
        """Click with the left button."""
        self._do("mousemove", x, y, "click", 1)

    def press(self, x: int, y: int) -> None:
        """Press the left button and keep it down."""
        self._do("mousemove", x, y, "mousedown", 1)

    def pull(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        """Move from one place to another in small steps."""
        for step in range(1, _DRAG_STEPS + 1):
            part = step / _DRAG_STEPS
            x, y = (round(a + part * (b - a)) for a, b in zip(start, end, strict=True))
            self._do("mousemove", x, y, "sleep", 0.03)

    def release(self) -> None:
        """Let the left button go."""
        self._do("mouseup", 1)

    def key(self, name: str) -> None:
        """Press a key, as X calls it, e.g. ``"ctrl+q"``."""
        self._do("key", name)

    def _do(self, *words: str | int | float) -> None:
        subprocess.run(["xdotool", *map(str, words)], check=True, env=self._environment)
