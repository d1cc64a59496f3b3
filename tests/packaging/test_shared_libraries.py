from __future__ import annotations

from pathlib import Path

import pytest
import shared_libraries
from shared_libraries import asked_of_the_system, kept_libraries, needed_by

_NEEDS = {
    "window.so": {"libxcb-cursor.so.0", "libstdc++.so.6"},
    "libxcb-cursor.so.0": {"libxcb-image.so.0"},
    "libgtk-3.so.0": {"libcairo.so.2"},
}
_SYSTEM = Path("/usr/lib/x86_64-linux-gnu")


@pytest.fixture(autouse=True)
def known_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        shared_libraries, "needed_by", lambda path: frozenset(_NEEDS.get(path.name, ()))
    )


def test_only_what_is_asked_for_stays_and_the_graphics_stay_with_the_system() -> None:
    names = ("libxcb-cursor.so.0", "libxcb-image.so.0", "libstdc++.so.6", "libgtk-3.so.0")
    files = {name: _SYSTEM / name for name in (*names, "libcairo.so.2", "libpython3.11.so.1.0")}
    files["PySide6/window.so"] = Path("/env/PySide6/window.so")
    kept = kept_libraries(files)
    assert kept == {
        "PySide6/window.so",
        "libpython3.11.so.1.0",
        "libxcb-cursor.so.0",
        "libxcb-image.so.0",
    }


def test_what_is_missing_is_asked_of_the_system(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("window.so", "libxcb-cursor.so.0")]
    for path in paths:
        path.touch()
    asked, glibc = asked_of_the_system(paths)
    assert asked == {"libstdc++.so.6", "libxcb-image.so.0"}
    assert glibc == (0, 0)


def test_needs_are_read_from_a_real_library(monkeypatch: pytest.MonkeyPatch) -> None:
    from numpy._core import _multiarray_umath

    assert "libc.so.6" in needed_by(Path(_multiarray_umath.__file__))
