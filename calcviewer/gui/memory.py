"""Memory: pauses of the garbage collector kept short, and closed studies given back."""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Callable

_M_ARENA_MAX = -8
"""Of `mallopt`, from glibc's malloc.h."""
_ARENAS = 2


def share_arenas() -> None:
    """Let all threads take memory from a few places; to be called before the first one starts.

    Every task has a thread of its own, and glibc gives new threads up to eight places a core. Each
    of them keeps in pieces what its threads freed: in time more than all that is in use.
    """
    _call_glibc("mallopt", _M_ARENA_MAX, _ARENAS)


def settle() -> None:
    """Leave everything that lives as long as the window out of later collections.

    A full collection then takes some 2 ms instead of 100, too short to be seen.
    """
    gc.collect()
    gc.freeze()


def give_back() -> None:
    """Free what a closed study held, and hand it back to the system where that needs asking."""
    gc.collect()
    _call_glibc("malloc_trim", 0)


def _call_glibc(name: str, *arguments: int) -> None:
    """Call a function that only glibc has; other C libraries need no such call."""
    function: Callable[..., int] | None = None
    if sys.platform == "linux":
        function = getattr(ctypes.CDLL(None), name, None)
    if function is not None:
        function(*arguments)
