"""What no pullback exceeds: a file that declares more is damaged, and nothing is allocated for it.

Consoles export up to 1024 x 1024 pixels and store up to about 1000 A-lines of 4096 samples.
"""

from __future__ import annotations

LARGEST_SIDE_PX = 16384
MOST_PIXELS = 1 << 24
"""Of one frame."""
MOST_FRAMES = 100_000


def is_frame_size(rows: int, columns: int) -> bool:
    """Whether a frame can have so many rows and columns."""
    sides = 0 < rows <= LARGEST_SIDE_PX and 0 < columns <= LARGEST_SIDE_PX
    return sides and rows * columns <= MOST_PIXELS
