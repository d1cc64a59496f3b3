"""Plays a drive: ``python -m tests.drive.play NAME PICTURES [ARGUMENT ...]``, one a process."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from tests.drive import editing_scripts, guidewire_scripts, measuring_scripts, scripts
from tests.drive.robot import Script, run

SCRIPTS: dict[str, Callable[..., Script]] = {
    **scripts.SCRIPTS,
    **guidewire_scripts.SCRIPTS,
    **editing_scripts.SCRIPTS,
    **measuring_scripts.SCRIPTS,
}


def main(name: str, pictures: str, *arguments: str) -> int:
    """Play one script; its further arguments are paths.

    Returns
    -------
    The exit status of the application; 1 when the script failed.
    """
    files = [Path(argument) for argument in arguments]
    return run(lambda robot: SCRIPTS[name](robot, *files), Path(pictures))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
