"""Where the files that come with the program lie: fonts and networks.

In a source tree they are the top-level folders ``resources`` and ``models``; a wheel installs the
same folders inside the package.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from calcviewer.core.errors import CalcViewerError


def resource_path(*parts: str) -> Path:
    """Return the path of a file or folder of ``resources``.

    Raises
    ------
    CalcViewerError
        When it is not there.
    """
    path = _folder("resources").joinpath(*parts)
    if not path.exists():
        raise CalcViewerError(
            f"{'/'.join(parts)} is missing from the installation.", "Install CalcViewer again."
        )
    return path


def models_path() -> Path:
    """Return the folder that holds the networks that come with the program."""
    return _folder("models")


def _folder(name: str) -> Path:
    """Return a folder of the installed package, else the one of the source tree."""
    package = Path(str(files("calcviewer")))
    installed = package / name
    return installed if installed.is_dir() else package.parent / name
