"""The window ends in order when the system tells it to."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from PySide6.QtCore import QSocketNotifier

_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


@contextmanager
def ended_by_signals(end: Callable[[], object]) -> Iterator[None]:
    """Call ``end`` on Ctrl+C, SIGTERM or a closed terminal while the block runs.

    Qt's loop never lets Python see a signal by itself: Python writes it to a socket, which wakes
    the loop. A second signal ends the program at once, also where the loop hangs.
    """
    ours, pythons = socket.socketpair()
    for one in (ours, pythons):
        one.setblocking(False)
    known = [getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)]
    taken = [one for one in known if signal.getsignal(one) != signal.SIG_IGN]
    before = {one: signal.getsignal(one) or signal.SIG_DFL for one in taken}
    woken = QSocketNotifier(ours.fileno(), QSocketNotifier.Type.Read)

    def told() -> None:
        ours.recv(1)
        for one in before:
            signal.signal(one, signal.SIG_DFL)
        end()

    woken.activated.connect(told)
    handle = signal.set_wakeup_fd(pythons.fileno(), warn_on_full_buffer=False)
    for one in before:
        signal.signal(one, lambda *_: None)
    try:
        yield
    finally:
        woken.setEnabled(False)
        signal.set_wakeup_fd(handle)
        for one, handler in before.items():
            signal.signal(one, handler)
        ours.close()
        pythons.close()
