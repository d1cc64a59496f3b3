from __future__ import annotations

import sys

import pytest

from calcviewer.app.display import has_display

VARIABLES = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")


@pytest.mark.parametrize("given", [None, *VARIABLES])
def test_a_window_needs_a_screen_or_the_word_of_the_user(
    monkeypatch: pytest.MonkeyPatch, given: str | None
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    if given:
        monkeypatch.setenv(given, ":7")
    assert has_display() == bool(given)


@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_other_systems_always_have_one(monkeypatch: pytest.MonkeyPatch, platform: str) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    assert has_display()
