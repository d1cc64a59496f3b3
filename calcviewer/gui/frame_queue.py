"""The order in which frames are segmented: outward from the frame on screen."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator


class FrameQueue(Iterator[int]):
    """Gives the remaining frame nearest to the one on screen, in the thread that asks.

    Frames of the preferred range come before all others. It ends when nothing remains, or when
    it was stopped.
    """

    def __init__(
        self, frames: Iterable[int], around: int, preferred: tuple[int, int] | None = None
    ) -> None:
        self._remaining = set(frames)
        self._around = around
        self._preferred = preferred
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Return how many frames nobody has asked for yet."""
        return len(self._remaining)

    def __next__(self) -> int:
        """Take the next frame."""
        with self._lock:
            if not self._remaining:
                raise StopIteration
            nearest = min(self._remaining, key=self._rank)
            self._remaining.remove(nearest)
            return nearest

    def recentre(self, frame: int) -> None:
        """Go on around another frame."""
        with self._lock:
            self._around = frame

    def prefer(self, frames: tuple[int, int] | None) -> None:
        """Take the frames of a range (first, last) first; None: no range."""
        with self._lock:
            self._preferred = frames

    def stop(self) -> None:
        """Give no further frame."""
        with self._lock:
            self._remaining.clear()

    def _rank(self, frame: int) -> tuple[bool, int, bool]:
        first, last = self._preferred or (frame, frame)
        return not first <= frame <= last, abs(frame - self._around), frame < self._around
