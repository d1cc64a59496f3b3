"""Starts the application and its window."""

from __future__ import annotations

import logging
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from PySide6.QtWidgets import QApplication

from calcviewer import __version__
from calcviewer.app.failures import report_failure
from calcviewer.app.settings import load_settings
from calcviewer.gui.log_view import logging_to_file
from calcviewer.gui.main_window import MainWindow
from calcviewer.gui.memory import settle
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
    with logging_to_file():
        _LOG.info("CalcViewer %s starts", __version__)
        app = QApplication.instance()
        if not isinstance(app, QApplication):
            app = QApplication(sys.argv[:1])
        app.setApplicationName("CalcViewer")
        app.setApplicationVersion(__version__)
        apply_theme(app)
        # Ctrl+C in the terminal ends the program: Qt's loop would never let Python see it.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        window = MainWindow(*load_settings())
        sys.excepthook = _told_by(window)
        window.show()
        settle()
        if path is not None:
            window.open_path(path)
        status = app.exec()
        sys.excepthook = sys.__excepthook__
        return status


def _told_by(window: MainWindow) -> Hook:
    """Return what is called for an error nobody expected: it is logged and told once."""

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if isinstance(error, Exception):
            window.say_internal_error(report_failure(error))
        else:
            sys.__excepthook__(kind, error, trace)

    return hook
