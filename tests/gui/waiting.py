"""Waiting for facts instead of for a time."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QObject, QTimer
from pytestqt.qtbot import QtBot


def deliver_events() -> None:
    """Deliver what threads and widgets have posted so far, and what that posts at once."""
    for _ in range(3):
        QCoreApplication.processEvents()


def wait_for_timers(qtbot: QtBot, owner: QObject) -> None:
    """Wait until nothing below an object is due any more."""
    qtbot.waitUntil(lambda: not _is_due(owner))
    deliver_events()


def _is_due(owner: QObject) -> bool:
    timers = owner.findChildren(QTimer)
    return any(timer.isSingleShot() and timer.isActive() for timer in timers)
