"""A system without the window's libraries, as a server or a container is."""

from __future__ import annotations

import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec

import pytest

from calcviewer.__main__ import main

WINDOW = "calcviewer.gui.app"


class _Refusing(MetaPathFinder):
    """Refuses to import the window for a reason."""

    def __init__(self, reason: str) -> None:
        self._reason = reason

    def find_spec(self, name: str, path: object, target: object = None) -> ModuleSpec | None:
        if name == WINDOW:
            raise ImportError(self._reason)
        return None


def _refuse(monkeypatch: pytest.MonkeyPatch, reason: str) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    monkeypatch.delitem(sys.modules, WINDOW, raising=False)
    monkeypatch.setattr(sys, "meta_path", [_Refusing(reason), *sys.meta_path])


def test_the_missing_library_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _refuse(monkeypatch, "libGL.so.1: cannot open shared object file: No such file or directory")
    assert main([]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "needs libGL.so.1" in said


def test_a_fault_of_the_program_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    _refuse(monkeypatch, "cannot import name 'nothing'")
    with pytest.raises(ImportError, match="nothing"):
        main([])
