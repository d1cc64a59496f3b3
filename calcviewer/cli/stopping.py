"""A command that is told to end leaves as little behind as one that is stopped with Ctrl+C."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def stopped_in_order() -> Iterator[None]:
    """Let SIGTERM, and SIGHUP where there is one, raise KeyboardInterrupt in the block.

    So temporary files go and nothing half-written stays when a service manager, a batch system or
    a closed terminal ends a command. A signal that is ignored (``nohup``) stays ignored.
    """
    known = [getattr(signal, name, None) for name in ("SIGTERM", "SIGHUP")]
    taken = [one for one in known if one is not None and signal.getsignal(one) == signal.SIG_DFL]
    if threading.current_thread() is not threading.main_thread():
        taken = []  # only the main thread is told of signals
    for one in taken:
        signal.signal(one, signal.default_int_handler)
    try:
        yield
    finally:
        for one in taken:
            signal.signal(one, signal.SIG_DFL)
