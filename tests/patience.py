"""How long tests wait for what must happen: only what hangs takes longer than this."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

PATIENCE_S = 120.0
_PATIENCE_MS = int(1000 * PATIENCE_S)


class PatientBot(QtBot):
    """A ``QtBot`` that waits two minutes where the original waits five seconds."""

    def waitUntil(
        self, callback: Callable[[], bool | None], *, timeout: int = _PATIENCE_MS
    ) -> None:
        super().waitUntil(callback, timeout=timeout)

    def waitSignal(self, signal: Any, *, timeout: int = _PATIENCE_MS, **options: Any) -> Any:
        return super().waitSignal(signal, timeout=timeout, **options)

    def waitActive(self, widget: QWidget, *, timeout: int = _PATIENCE_MS) -> Any:
        return super().waitActive(widget, timeout=timeout)

    def waitExposed(self, widget: QWidget, *, timeout: int = _PATIENCE_MS) -> Any:
        return super().waitExposed(widget, timeout=timeout)
