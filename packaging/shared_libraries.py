"""Which shared libraries of the system go into the Linux folder, and which it must find there."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

SYSTEM_FOLDERS = ("/lib/", "/lib64/", "/usr/lib/", "/usr/lib64/")
LEFT_TO_THE_SYSTEM = frozenset(
    {
        "libX11-xcb.so.1",
        "libX11.so.6",
        "libfontconfig.so.1",
        "libfreetype.so.6",
        "libgcc_s.so.1",
        "libstdc++.so.6",
    }
)
"""Never bundled: the system's graphics drivers and font settings load their own, newer ones."""

_NEEDED = re.compile(r"^\s+NEEDED\s+(\S+)", re.MULTILINE)
_GLIBC = re.compile(r"\bGLIBC_(\d+)\.(\d+)\b")


@cache
def _headers(path: Path) -> str:
    """Return the dynamic section of an ELF file as objdump prints it; empty for other files."""
    told = subprocess.run(["objdump", "-p", path], check=False, capture_output=True, text=True)
    return told.stdout


def needed_by(path: Path) -> frozenset[str]:
    """Return the names of the shared libraries that a file asks for."""
    return frozenset(_NEEDED.findall(_headers(path)))


def kept_libraries(files: Mapping[str, Path]) -> frozenset[str]:
    """Return which files stay when system libraries that nothing asks for are left out.

    Parameters
    ----------
    files
        Where each file comes from, by its place in the folder.

    Returns
    -------
    The places that stay: everything that is not a system library, and the system libraries these
    ask for, directly or through another.
    """
    system = {
        place: path
        for place, path in files.items()
        if "/" not in place
        and str(path).startswith(SYSTEM_FOLDERS)
        and not place.startswith("libpython")  # the program itself loads it
    }
    kept = set(files) - set(system)
    asking = [files[place] for place in kept]
    while asking:
        wanted = needed_by(asking.pop()) & system.keys() - kept - LEFT_TO_THE_SYSTEM
        kept |= wanted
        asking += [system[place] for place in wanted]
    return frozenset(kept)


def asked_of_the_system(paths: Iterable[Path]) -> tuple[frozenset[str], tuple[int, int]]:
    """Return what finished files ask for that is not among them.

    Returns
    -------
    The names of the libraries, and the oldest glibc that has all symbols they use.
    """
    libraries = [path for path in paths if path.is_file()]
    names = {path.name for path in libraries}
    asked = frozenset().union(*(needed_by(path) for path in libraries)) - names
    versions = {
        (int(major), int(minor))
        for path in libraries
        for major, minor in _GLIBC.findall(_headers(path))
    }
    return asked, max(versions, default=(0, 0))
