"""A thousand random actions on the real window: ``python -m tests.soak``."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from tests.drive.virtual_screen import missing_for_a_screen, virtual_screen
from tests.soak.starting import start


def main(words: Sequence[str] | None = None) -> int:
    """Run the seeds one after the other.

    Returns
    -------
    0 when nothing was found in any.
    """
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--seed", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--actions", type=int, default=1000, help="number of the last action")
    parser.add_argument("--from", type=int, default=1, dest="first", help="number of the first")
    parser.add_argument("--frames", type=int, default=16, help="of each simulated pullback")
    parser.add_argument("--segmenter", choices=("network", "phantom"), default="network")
    parser.add_argument("--offscreen", action="store_true", help="without Xvfb: faster")
    options = parser.parse_args(words)
    if not options.offscreen and (missing := missing_for_a_screen()):
        parser.error(f"{missing}; --offscreen needs no screen")
    failed = 0
    for seed in options.seed:
        screen = nullcontext("") if options.offscreen else virtual_screen()
        with screen as display, tempfile.TemporaryDirectory(prefix="soak-") as home:
            failed += start(
                Path(home),
                display=display,
                seed=seed,
                first=options.first,
                actions=options.actions,
                frames=options.frames,
                segmenter=options.segmenter,
            ).wait()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
