"""Who works on a review: a lock file that the system lets go of when its process ends."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from calcviewer.app.review import now, operator_name

# Windows bars reading what is locked: the locked byte lies far behind the text.
_LOCKED_BYTE = 1 << 30


@dataclass(frozen=True)
class Holder:
    """Who holds a review; the process number is 0 when the file does not say."""

    user: str = ""
    host: str = ""
    pid: int = 0
    since: str = ""


class ReviewLock:
    """A lock that is held until `release`, or until the process ends, however it ends."""

    def __init__(self, path: Path, handle: int) -> None:
        self._path = path
        self._handle = handle

    @property
    def in_place(self) -> bool:
        """Whether the lock file is still where others look for it."""
        try:
            return os.path.samestat(os.stat(self._path), os.fstat(self._handle))
        except OSError:
            return False

    def release(self) -> None:
        """Let go of the lock and take its file away."""
        if sys.platform != "win32" and self.in_place:
            with contextlib.suppress(OSError):
                self._path.unlink()
        os.close(self._handle)
        if sys.platform == "win32":
            with contextlib.suppress(OSError):
                self._path.unlink()


def take_lock(path: Path) -> ReviewLock | Holder:
    """Take a lock, or say who holds it. The lock of a process that has ended is free.

    Raises
    ------
    OSError
        When the lock file cannot be made there.
    """
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o644)
        try:
            locked = _try_lock(handle)
        except OSError:
            os.close(handle)
            raise
        lock = ReviewLock(path, handle)
        if not locked:
            holder = _holder(handle)
            in_place = lock.in_place
            os.close(handle)
            if not (in_place and _ended(holder)):
                return holder
            path.unlink(missing_ok=True)  # only a child that was left behind has it open
            continue
        if lock.in_place:  # else its last holder took the file away meanwhile
            _sign(handle)
            return lock
        os.close(handle)


def _sign(handle: int) -> None:
    me = Holder(operator_name(), socket.gethostname(), os.getpid(), now())
    # A full disk: the lock holds all the same, others just do not learn whose it is.
    with contextlib.suppress(OSError):
        os.ftruncate(handle, 0)
        os.write(handle, json.dumps(asdict(me)).encode())


def _ended(holder: Holder) -> bool:
    """Whether the process that holds a lock is known to have ended."""
    if sys.platform == "win32" or not holder.pid or holder.host != socket.gethostname():
        return False
    try:
        os.kill(holder.pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def _holder(handle: int) -> Holder:
    try:
        stored = json.loads(os.read(handle, 4096))
        return Holder(
            str(stored["user"]), str(stored["host"]), int(stored["pid"]), str(stored["since"])
        )
    except (OSError, ValueError, KeyError, TypeError):
        return Holder()


if sys.platform == "win32":
    import msvcrt

    def _try_lock(handle: int) -> bool:
        os.lseek(handle, _LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            os.lseek(handle, 0, os.SEEK_SET)
        return True

else:
    import fcntl

    def _try_lock(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
