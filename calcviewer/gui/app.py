"""Starts the application and its window."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication

from calcviewer import __version__
from calcviewer.app.crash_file import take_up_crashes
from calcviewer.app.failures import report_failure
from calcviewer.app.program_log import log_thread_failure, logging_to_file
from calcviewer.app.settings import load_settings
from calcviewer.core.resources import resource_path
from calcviewer.gui.ending import ended_by_signals
from calcviewer.gui.main_window import MainWindow
from calcviewer.gui.memory import settle, share_arenas
from calcviewer.gui.theme import apply_theme

_LOG = logging.getLogger(__name__)
Hook = Callable[[type[BaseException], BaseException, TracebackType | None], None]


def run_window(path: Path | None) -> int:
    """Show the window until it is closed.

    Parameters
    ----------
    path
        A study to open at once.

    Returns
    -------
    The exit status.
    """
    share_arenas()
    with logging_to_file():
        _LOG.info("CalcViewer %s starts", __version__)
        app = QApplication.instance()
        if not isinstance(app, QApplication):
            app = QApplication(sys.argv[:1])
        app.setApplicationName("CalcViewer")
        app.setApplicationVersion(__version__)
        app.setDesktopFileName("calcviewer")
        app.setWindowIcon(QIcon(str(resource_path("icons", "calcviewer.svg"))))
        apply_theme(app)
        window = MainWindow(*load_settings())
        if take_up_crashes():
            window.say_crashed_before()
        with _unexpected_errors_told_by(window), ended_by_signals(window.close):
            window.show()
            settle()
            if path is not None:
                window.open_path(path)
            return app.exec()


@contextmanager
def _unexpected_errors_told_by(window: MainWindow) -> Iterator[None]:
    """Log an error nobody expected and tell it once, on the window's thread; else log it."""
    sys.excepthook, threading.excepthook = _told_by(window), log_thread_failure
    try:
        yield
    finally:
        sys.excepthook, threading.excepthook = sys.__excepthook__, threading.__excepthook__


def _told_by(window: MainWindow) -> Hook:
    """Return what is called for an error nobody expected: it is logged and told once."""

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if isinstance(error, Exception):
            window.say_internal_error(report_failure(error))
        else:
            sys.__excepthook__(kind, error, trace)

    return hook
