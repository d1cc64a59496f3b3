"""The entry in the menu of a Linux desktop, and the script that puts it there."""

from __future__ import annotations

import configparser
import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINUX = ROOT / "packaging" / "linux"


def _entry(path: Path) -> configparser.SectionProxy:
    read = configparser.ConfigParser(interpolation=None)
    read.optionxform = str  # type: ignore[assignment,method-assign]
    read.read(path, encoding="utf-8")
    return read["Desktop Entry"]


@pytest.fixture
def unpacked(tmp_path: Path) -> Path:
    """Return a folder as it comes out of the archive, with a space in its name."""
    folder = tmp_path / "my programs" / "calcviewer"
    for place, source in (
        ("share/applications", LINUX / "calcviewer.desktop"),
        ("share/icons", ROOT / "resources/icons/calcviewer.svg"),
        ("share/icons", ROOT / "resources/icons/calcviewer.png"),
        (".", LINUX / "install.sh"),
    ):
        (folder / place).mkdir(parents=True, exist_ok=True)
        shutil.copy(source, folder / place)
    program = folder / "calcviewer"
    program.write_text("#!/bin/sh\necho started\n")
    program.chmod(0o755)
    return folder


def _install(folder: Path, home: Path, *arguments: str) -> str:
    told = subprocess.run(
        ["sh", folder / "install.sh", *arguments],
        env={"HOME": str(home), "PATH": os.environ["PATH"]},
        check=True,
        capture_output=True,
        text=True,
    )
    return told.stdout


def test_the_entry_has_what_a_menu_needs() -> None:
    entry = _entry(LINUX / "calcviewer.desktop")
    assert entry["Type"] == "Application"
    assert entry["Icon"] == "calcviewer"
    assert "Research use only" in entry["Comment"]
    assert entry["Terminal"] == "false"
    assert all(entry[key].endswith(";") for key in ("Categories", "MimeType", "Keywords"))


def test_the_entry_is_valid() -> None:
    validator = shutil.which("desktop-file-validate")
    if validator is None:
        pytest.skip("desktop-file-validate (desktop-file-utils) is not installed")
    told = subprocess.run(
        [validator, LINUX / "calcviewer.desktop"], check=False, capture_output=True, text=True
    )
    assert told.returncode == 0, told.stdout


def test_installing_and_removing_touches_only_the_users_folders(
    unpacked: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    _install(unpacked, home)
    data = home / ".local/share"
    entry = _entry(data / "applications/calcviewer.desktop")
    assert entry["Exec"] == f'"{unpacked}/calcviewer" %f'
    assert entry["TryExec"] == f"{unpacked}/calcviewer"
    assert (data / "icons/hicolor/scalable/apps/calcviewer.svg").is_file()
    command = home / ".local/bin/calcviewer"
    assert subprocess.run([command], capture_output=True, check=True).stdout == b"started\n"

    assert "no longer in the menu" in _install(unpacked, home, "--remove")
    left = {path.name for path in home.rglob("*") if path.is_file() or path.is_symlink()}
    assert left <= {"mimeinfo.cache"}  # the desktop's own, made anew
    assert (unpacked / "calcviewer").is_file()


def test_installing_twice_is_the_same(unpacked: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    _install(unpacked, home)
    once = (home / ".local/share/applications/calcviewer.desktop").read_text()
    _install(unpacked, home)
    assert (home / ".local/share/applications/calcviewer.desktop").read_text() == once
