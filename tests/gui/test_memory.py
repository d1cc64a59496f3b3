"""Threads share a few places for their memory, so that little is kept that nobody uses."""

from __future__ import annotations

import subprocess
import sys

import pytest

_COUNT = """
import ctypes, sys, threading

from calcviewer.gui.memory import share_arenas

if "share" in sys.argv:
    share_arenas()
together = threading.Barrier(8)

def take():
    together.wait()
    held = [bytes(100_000) for _ in range(20)]
    together.wait()

threads = [threading.Thread(target=take) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
c = ctypes.CDLL(None)
c.open_memstream.restype = ctypes.c_void_p
text, size = ctypes.c_char_p(), ctypes.c_size_t()
stream = ctypes.c_void_p(c.open_memstream(ctypes.byref(text), ctypes.byref(size)))
c.malloc_info(0, stream)
c.fclose(stream)
print(text.value.count(b"<heap nr="))
"""


def arenas(*words: str) -> int:
    command = [sys.executable, "-c", _COUNT, *words]
    return int(subprocess.run(command, capture_output=True, check=True, text=True).stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="a matter of glibc")
def test_eight_threads_take_memory_from_two_places() -> None:
    assert arenas() > 2
    assert arenas("share") <= 2
