"""What is known when native code ends the program: written by Python's fault handler as it dies.

A process that runs has one private file of its own beside the log. A process that ends in order
takes its file away; what a crash left there goes into the log at the next start.
"""

from __future__ import annotations

import faulthandler
import logging
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from calcviewer.app.program_log import code_place, log_path, logging_to_file
from calcviewer.core.held import hold, is_held
from calcviewer.core.private import private_folder, private_opener

_NAMES = "crash-*.txt"
_MOST_TAKEN_BYTES = 100_000
_EMPTY_AFTER_S = 60.0
_CAUSE = re.compile(r"Fatal Python error: [\w ,-]+|Windows fatal exception: [\w ,-]+")
_THREAD = re.compile(r"(?:Current t|T)hread 0x[0-9a-f]+")
_FRAME = re.compile(r'  File "(?P<file>.*)", line (?P<line>\d+) in (?P<name>\S+)')
_LOG = logging.getLogger(__name__)


@contextmanager
def catching_crashes() -> Iterator[None]:
    """Have a crash of native code in the block written down.

    Where the fault handler is on already (``python -X faulthandler``), it stays as it is; where
    there is no room for the file, the block runs without.
    """
    file = None if faulthandler.is_enabled() else _own_file()
    if file is None:
        yield
        return
    handle = hold(file)
    try:
        with file.open("ab") as stream:
            faulthandler.enable(stream)
            yield
    finally:
        faulthandler.disable()
        if handle is not None:
            os.close(handle)
        with suppress(OSError):
            file.unlink()


def take_up_crashes() -> int:
    """Move what crashes of earlier processes left into the log; returns how many there were.

    Only their cause and the places in the code are taken, as `trace_of` gives them.
    """
    count = 0
    for file in sorted(log_path().parent.glob(_NAMES)):
        with suppress(OSError):
            if is_held(file):
                continue
            text = file.read_bytes()[:_MOST_TAKEN_BYTES].decode("utf-8", errors="replace")
            if text or time.time() - file.stat().st_mtime > _EMPTY_AFTER_S:
                file.unlink()
            if text:
                count += 1
                with logging_to_file():
                    _LOG.error("native code ended the program\n%s", _harmless(text))
    return count


def _own_file() -> Path | None:
    file = log_path().with_name(_NAMES.replace("*", str(os.getpid())))
    try:
        private_folder(file.parent)
        with open(file, "ab", opener=private_opener):
            return file
    except OSError:
        return None


def _harmless(text: str) -> str:
    """Return what the fault handler wrote, without the folders of files."""
    lines = []
    for line in text.splitlines():
        frame = _FRAME.fullmatch(line)
        if frame is not None:
            lines.append(f"    {code_place(frame['file'])}:{frame['line']} {frame['name']}")
        elif known := _CAUSE.match(line) or _THREAD.match(line):
            lines.append(f"  {known[0]}")
    return "\n".join(lines)
