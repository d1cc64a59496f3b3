"""A screen that nobody sees, for driving the real window."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

WIDTH_PX, HEIGHT_PX = 1440, 900
_LIBRARIES = (
    "libxcb-cursor.so.0",
    "libxcb-icccm.so.4",
    "libxcb-keysyms.so.1",
    "libxcb-shape.so.0",
    "libxcb-xkb.so.1",
    "libxkbcommon-x11.so.0",
)
"""What Qt's xcb platform needs beside what every window needs."""


def missing_for_a_screen() -> str:
    """Return why no window can be shown on a virtual screen here; empty when it can."""
    if shutil.which("Xvfb") is None:
        return "Xvfb is not installed"
    for library in _LIBRARIES:
        try:
            ctypes.CDLL(library)
        except OSError:
            return f"{library} is not installed"
    return ""


@contextmanager
def virtual_screen() -> Iterator[str]:
    """Run an X server on a free display while the block runs; yields the display's name."""
    reading, writing = os.pipe()
    size = f"{WIDTH_PX}x{HEIGHT_PX}x24"
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-screen", "0", size, "-nolisten", "tcp"],
        pass_fds=(writing,),
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    try:
        with os.fdopen(reading) as answer:
            number = answer.readline().strip()
        if not number:
            raise RuntimeError("Xvfb did not start")
        yield f":{number}"
    finally:
        server.terminate()
        server.wait(10)
