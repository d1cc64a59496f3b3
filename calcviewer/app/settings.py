"""What the operator prefers: kept between starts in one small file of plain values."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import platformdirs

from calcviewer.app.workflows import DEFAULT_MODEL, Device
from calcviewer.core.atomic import staged_file
from calcviewer.core.errors import CalcViewerError
from calcviewer.core.from_json import parsed
from calcviewer.dicom.network.peer import OWN_AE_TITLE, RECEIVER_PORT
from calcviewer.modalities.ivoct.catheter import SHEATH_DIAMETER_MM

_LOG = logging.getLogger(__name__)
_RECENT = 12
MOST_INTERPOLATED = 50
TABLES = ("gold", "grey", "inverse")
DEVICES: tuple[Device, ...] = ("auto", "cpu", "cuda")
LAYOUTS = 5


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Preferences of one operator on one machine; nothing clinical, that is the protocol.

    Parameters
    ----------
    recent
        Paths of studies, the newest first.
    layout
        The window's layout, from 1.
    look_up_table
        One of `TABLES`.
    model, device, crf
        How a study is segmented when it is opened.
    catheter_diameter_mm
        Outer diameter of the sheath, for the calibration on the catheter.
    window
        Left, top, width and height of the window on screen, px; empty before it was first closed.
    interpolate, interpolate_over
        Whether frames between two corrected ones follow them, and how many there may be; 0: none.
    receiver_exposed, receiver_port, receiver_ae_title, receiver_senders
        How the receiver was last turned on: whether the network reaches it, where, under which AE
        title, and the AE titles that may send, with commas; empty: the archives that are known.
    """

    recent: tuple[str, ...] = ()
    layout: int = 1
    look_up_table: str = "gold"
    model: str = DEFAULT_MODEL
    device: Device = "auto"
    crf: bool = True
    catheter_diameter_mm: float = SHEATH_DIAMETER_MM
    window: tuple[int, ...] = ()
    interpolate: bool = True
    interpolate_over: int = 10
    receiver_exposed: bool = False
    receiver_port: int = RECEIVER_PORT
    receiver_ae_title: str = OWN_AE_TITLE
    receiver_senders: str = ""

    def with_recent(self, path: Path) -> Settings:
        """Return the settings with a study at the head of the recent list."""
        newest = str(path.absolute())
        others = tuple(entry for entry in self.recent if entry != newest)
        return replace(self, recent=(newest, *others)[:_RECENT])


def settings_path() -> Path:
    """Return where the settings are kept."""
    return Path(platformdirs.user_config_dir("calcviewer")) / "settings.json"


def load_settings() -> tuple[Settings, str]:
    """Read the settings.

    Returns
    -------
    The settings, and what is to be told about them: why defaults were taken, else empty. A value
    that cannot be used falls back alone; a damaged file as a whole.
    """
    path = settings_path()
    try:
        stored = parsed(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Settings(), ""
    except (OSError, ValueError) as error:
        _LOG.warning("the settings were not read: %s", type(error).__name__)
        return Settings(), f"{path} cannot be read; the default settings are in force."
    if not isinstance(stored, dict):
        return Settings(), f"{path} holds no settings; the default settings are in force."
    kept = {name: take(stored[name]) for name, take in _TAKEN.items() if name in stored}
    wrong = sorted(name for name, value in kept.items() if value is None)
    settings = Settings(**{name: value for name, value in kept.items() if value is not None})
    note = f"{path}: {', '.join(wrong)} cannot be used; the default is in force." if wrong else ""
    return settings, note


def save_settings(settings: Settings) -> None:
    """Write the settings, whole or not at all. Where that fails the log says why."""
    path = settings_path()
    try:
        # For the operator alone: paths of studies can name patients.
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with staged_file(path) as stage:
            stage.write_text(json.dumps(asdict(settings), indent=2), encoding="utf-8")
    except (OSError, CalcViewerError) as error:
        _LOG.warning("the settings were not saved: %s", type(error).__name__)


def _one_of(allowed: tuple[Any, ...]) -> Callable[[Any], Any]:
    return lambda value: value if value in allowed and not isinstance(value, bool) else None


def _list_of(kind: type, *, counts: tuple[int, ...]) -> Callable[[Any], Any]:
    def take(value: object) -> tuple[Any, ...] | None:
        if not isinstance(value, list) or len(value) not in counts:
            return None
        return tuple(value) if all(type(entry) is kind for entry in value) else None

    return take


def _diameter(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if 0 < value < 10 else None


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _whole(least: int, most: int) -> Callable[[Any], Any]:
    return lambda value: value if type(value) is int and least <= value <= most else None


def _text(least: int, most: int) -> Callable[[Any], Any]:
    return lambda value: value if isinstance(value, str) and least <= len(value) <= most else None


_TAKEN: dict[str, Callable[[Any], Any]] = {
    "recent": _list_of(str, counts=tuple(range(_RECENT + 1))),
    "layout": _one_of(tuple(range(1, LAYOUTS + 1))),
    "look_up_table": _one_of(TABLES),
    "model": lambda value: value if isinstance(value, str) and value else None,
    "device": _one_of(DEVICES),
    "crf": _flag,
    "catheter_diameter_mm": _diameter,
    "window": _list_of(int, counts=(0, 4)),
    "interpolate": _flag,
    "interpolate_over": _whole(0, MOST_INTERPOLATED),
    "receiver_exposed": _flag,
    "receiver_port": _whole(1, 65535),
    "receiver_ae_title": _text(1, 16),
    "receiver_senders": _text(0, 1000),
}
"""How a stored value is taken over; None when it cannot be used."""
