"""Make ``docs/screenshots`` from the real window on a virtual screen, on the simulated demo.

Run from the repository's root: ``.venv/bin/python -m docs.make_screenshots``. With a folder as
argument the pictures go there, with the simulation's own labels instead of the network's.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

from tests.drive.virtual_screen import missing_for_a_screen, virtual_screen

FOLDER = Path(__file__).parent / "screenshots"
LARGEST_BYTES = 400_000
_LEVEL_BITS = ((8, 8, 8), (6, 6, 6), (5, 5, 5), (5, 5, 4), (5, 4, 4), (4, 4, 4))


@contextmanager
def own_folders() -> Iterator[None]:
    """Keep the operator's settings, and his name for his folders, out of the pictures."""
    with tempfile.TemporaryDirectory(prefix="calcviewer-") as home:
        running = Path(home) / "run"
        running.mkdir(mode=0o700)
        os.environ.update(HOME=home, XDG_RUNTIME_DIR=str(running), LANG="C.UTF-8")
        for name in ("CONFIG", "STATE", "CACHE", "DATA"):
            os.environ[f"XDG_{name}_HOME"] = str(Path(home) / name.lower())
        yield


def make(pictures: Path, *, known: bool) -> int:
    """Take the pictures; returns 0 when all were taken."""
    # Qt reads its environment when it is loaded.
    from docs.screenshot_script import show_every_screen
    from tests.drive.guidewire_case import write_case
    from tests.drive.reader import read_instead_of_the_network
    from tests.drive.robot import run

    if known:
        read_instead_of_the_network()
    with tempfile.TemporaryDirectory() as folder:
        guidewire = write_case(Path(folder) / "simulated")
        return run(lambda robot: show_every_screen(robot, guidewire), pictures)


def shrink(path: Path, target: Path) -> None:
    """Write a picture with as many levels of red, green and blue as its size allows.

    The speckle of the frames does not compress; a palette would lose the colours of the contours.
    """
    whole = np.asarray(Image.open(path).convert("RGB"))
    for bits in _LEVEL_BITS:
        steps = 2 ** np.array(bits) - 1
        levels = np.rint(whole / 255 * steps) * 255 / steps
        Image.fromarray(np.rint(levels).astype(np.uint8)).save(target, optimize=True)
        if target.stat().st_size < LARGEST_BYTES:
            return
    raise SystemExit(f"{target.name} is larger than {LARGEST_BYTES} bytes")


def main(*folder: str) -> int:
    """Make all pictures anew.

    Returns
    -------
    The exit status.
    """
    if missing := missing_for_a_screen():
        print(f"No virtual screen: {missing}.", file=sys.stderr)
        return 1
    with own_folders(), virtual_screen() as screen, tempfile.TemporaryDirectory() as raw:
        os.environ.update(DISPLAY=screen, QT_QPA_PLATFORM="xcb")
        status = make(Path(raw), known=bool(folder))
        if status:
            return status
        target = Path(*folder) if folder else FOLDER
        target.mkdir(parents=True, exist_ok=True)
        for path in sorted(Path(raw).glob("*.png")):
            shrink(path, target / path.name)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
