"""A cohort on this computer: every pullback in a process of its own.

What ends one process, a fault of a decoder or a lack of memory, ends one pullback. The processes
end with the one that started them, however that ends.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections import Counter, deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from threading import Thread

from calcviewer.app.cohort.found import Member
from calcviewer.app.cohort.work import Ended, Step, Work, attempt, clean_up
from calcviewer.inference.onnx import available_cores

_ATTEMPTS = 2
_GRACE_S = 5.0


def run_locally(
    members: Sequence[Member], work: Work, *, workers: int | None = None
) -> Generator[Step | Ended, None, None]:
    """Analyse pullbacks, several at a time; closing the iterator ends what is running.

    A pullback whose process is ended from outside has a second attempt, after all others.

    Parameters
    ----------
    workers
        How many at a time; by default as many as there are cores.
    """
    cores = available_cores()
    workers = max(1, min(workers or cores, len(members)))
    work = work.with_threads(max(1, cores // workers))
    waiting = deque(members)
    ended_from_outside: Counter[Member] = Counter()
    running: list[_Running] = []
    try:
        while waiting or running:
            while waiting and len(running) < workers:
                running.append(_begin(waiting.popleft(), work))
                yield Step(running[-1].member)
            ready = wait([one.connection for one in running])
            for one in [one for one in running if one.connection in ready]:
                told = one.told()
                if isinstance(told, Step):
                    yield told
                    continue
                running.remove(one)
                one.stop()
                if told is None:
                    clean_up(one.member, work)
                    ended_from_outside[one.member] += 1
                    if ended_from_outside[one.member] < _ATTEMPTS:
                        waiting.append(one.member)
                        continue
                yield told or Ended(one.member, one.reason())
    finally:
        for one in running:
            one.stop(at_once=True)
            clean_up(one.member, work)


@dataclass(frozen=True, eq=False)
class _Running:
    """A pullback that is being analysed, and where its process reports."""

    member: Member
    process: SpawnProcess
    connection: Connection

    def told(self) -> Step | Ended | None:
        """Return what the process reports; None when it was ended before it could."""
        try:
            told: Step | Ended = self.connection.recv()
        except (EOFError, OSError):  # OSError: ended in the middle of a message
            return None
        return told

    def stop(self, *, at_once: bool = False) -> None:
        """Wait for the process a while, or not at all, and end it."""
        if not at_once:
            self.process.join(_GRACE_S)
        self.process.kill()
        self.process.join()
        self.connection.close()

    def reason(self) -> str:
        """Return why the process ended before it reported."""
        code = self.process.exitcode or 0
        if code >= 0:
            return f"Its process ended with exit code {code}."
        hint = "; often for lack of memory: use fewer --workers" if code == -9 else ""
        return f"Its process was ended from outside: {signal.strsignal(-code)}{hint}."


def _begin(member: Member, work: Work) -> _Running:
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_run, args=(sender, member, work), daemon=True)
    with _deaf_to_interrupts():
        process.start()
    sender.close()
    return _Running(member, process, receiver)


def _run(sender: Connection, member: Member, work: Work) -> None:
    """Analyse a pullback and report: what a process does."""
    Thread(target=_end_with_parent, daemon=True).start()
    ended = attempt(member, work, lambda done, wanted: sender.send(Step(member, done, wanted)))
    sender.send(ended)
    sender.close()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


if sys.platform == "win32":

    @contextmanager
    def _deaf_to_interrupts() -> Iterator[None]:
        yield

else:

    @contextmanager
    def _deaf_to_interrupts() -> Iterator[None]:
        """Let a process that is started here ignore Ctrl+C: its parent decides what ends."""
        # The first process brings another one with it, whose start would let SIGINT through again.
        resource_tracker.ensure_running()
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
