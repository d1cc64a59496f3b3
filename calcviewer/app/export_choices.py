"""What the operator chose in the last export, kept in one small file."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import platformdirs

from calcviewer.app.export import ExportKind
from calcviewer.core.atomic import staged_file
from calcviewer.core.errors import CalcViewerError
from calcviewer.core.from_json import parsed
from calcviewer.report.pdf import PageSize

PAGE_SIZES: tuple[PageSize, ...] = ("A4", "letter")
SPEEDS = (5, 10, 20)
"""Frames a second of an animation."""


@dataclass(frozen=True, kw_only=True)
class ExportChoices:
    """What was chosen last; ``folder`` is empty before the first export.

    Whether to de-identify is not among it: that is on at every export until it is turned off.

    Parameters
    ----------
    kinds
        Values of `ExportKind`.
    picture
        What the picture showed: a view, or the whole window.
    overlay, speed
        Of animations: whether contours are drawn, and frames a second.
    """

    folder: str = ""
    kinds: tuple[str, ...] = (ExportKind.PDF.value,)
    page_size: PageSize = "A4"
    picture: str = ""
    overlay: bool = True
    speed: int = 10

    @property
    def chosen(self) -> frozenset[ExportKind]:
        """What is to be written."""
        return frozenset(map(ExportKind, self.kinds))


def choices_path() -> Path:
    """Return where the choices are kept."""
    return Path(platformdirs.user_config_dir("calcviewer")) / "export.json"


def load_choices() -> ExportChoices:
    """Return what was chosen last; a value that cannot be used falls back alone."""
    try:
        stored: Any = parsed(choices_path().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ExportChoices()
    if not isinstance(stored, dict):
        return ExportChoices()
    usable = {
        "folder": isinstance(stored.get("folder"), str),
        "kinds": _are_kinds(stored.get("kinds")),
        "page_size": stored.get("page_size") in PAGE_SIZES,
        "picture": isinstance(stored.get("picture"), str),
        "overlay": isinstance(stored.get("overlay"), bool),
        "speed": stored.get("speed") in SPEEDS,
    }
    kept = {name: stored[name] for name, use in usable.items() if use}
    if "kinds" in kept:
        kept["kinds"] = tuple(kept["kinds"])
    return replace(ExportChoices(), **kept)


def _are_kinds(stored: object) -> bool:
    known = [kind.value for kind in ExportKind]
    return isinstance(stored, list) and bool(stored) and all(one in known for one in stored)


def save_choices(choices: ExportChoices) -> None:
    """Keep what was chosen; where that fails it is not remembered, and nothing else happens."""
    path = choices_path()
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with staged_file(path) as stage:
            stage.write_text(json.dumps(asdict(choices), indent=2), encoding="utf-8")
    except (OSError, CalcViewerError):
        return
