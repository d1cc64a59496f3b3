"""What the developers need to understand a problem, in one file that names no patient.

It holds the log, versions and the plain settings: no image, no review, no result, no path, and no
host, AE title or secret of an archive. Nothing is sent: the user reads it and decides.
"""

from __future__ import annotations

import json
import os
import platform
import re
import sys
import zipfile
from collections import Counter
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from calcviewer import __version__
from calcviewer.app.crash_file import take_up_crashes
from calcviewer.app.models import describe_models
from calcviewer.app.pacs.peers import load_peers
from calcviewer.app.program_log import read_log
from calcviewer.app.settings import load_settings
from calcviewer.core.atomic import staged_file
from calcviewer.inference.onnx import available_cores, available_providers

# What is not named here can name people or places: recent studies, AE titles.
_SETTINGS = (
    "model",
    "layout",
    "look_up_table",
    "device",
    "crf",
    "catheter_diameter_mm",
    "window",
    "interpolate",
    "interpolate_over",
    "receiver_exposed",
)
_ABOUT = """\
Problem report of CalcViewer {version}.

It holds the texts beside this one: the program's log, the versions of what
it is made of, and its plain settings. It holds no image, review or result,
nothing of a patient, no path, and no host, AE title or secret of an archive.

Nothing was sent. Send it yourself, with what you did when it happened.
"""


def problem_report(window: Mapping[str, object] | None = None) -> dict[str, str]:
    """Collect the report.

    Parameters
    ----------
    window
        Facts about the window and the screens, where there is one.

    Returns
    -------
    The texts by the names of their files.
    """
    take_up_crashes()
    facts = {
        "machine.json": _machine(),
        "libraries.json": _libraries(),
        "models.json": _models(),
        "settings.json": _settings(),
    }
    if window is not None:
        facts["window.json"] = dict(window)
    return {
        "README.txt": _ABOUT.format(version=__version__),
        "log.txt": read_log() or "Nothing has been logged.",
        **{name: json.dumps(known, indent=2) for name, known in facts.items()},
    }


def write_problem_report(report: Mapping[str, str], path: Path) -> None:
    """Write a report as a ZIP file.

    Raises
    ------
    CalcViewerError
        When it cannot be written.
    """
    with staged_file(path) as stage, zipfile.ZipFile(stage, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in report.items():
            archive.writestr(name, text)


def _machine() -> dict[str, object]:
    pages = {"SC_PAGE_SIZE", "SC_PHYS_PAGES"} <= getattr(os, "sysconf_names", {}).keys()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if pages else 0
    return {
        "calcviewer": __version__,
        "packed": hasattr(sys, "frozen"),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}",
        "processor": platform.machine(),
        "cores": available_cores(),
        "memory_gb": round(memory / 1e9, 1) or None,
        "onnx_runtime_providers": available_providers(),
    }


def _libraries() -> dict[str, str]:
    """Return the versions of the libraries this program asks for."""
    try:
        asked = requires("calcviewer") or []
    except PackageNotFoundError:
        return {}
    names = [re.split(r"[^\w.-]", one, maxsplit=1)[0] for one in asked if "extra ==" not in one]
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not found"
    return found


def _models() -> list[dict[str, object]]:
    known = describe_models(verify=False)
    return [
        {"name": one["name"], "version": one.get("version"), "usable": not one["fault"]}
        for one in known
    ]


def _settings() -> dict[str, object]:
    settings, fault = load_settings()
    peers, peers_fault = load_peers()
    told: dict[str, object] = {name: getattr(settings, name) for name in _SETTINGS}
    return told | {
        "settings_file_read": not fault,
        "archives": Counter(type(one).__name__ for one in peers),
        "archives_file_read": not peers_fault,
    }
