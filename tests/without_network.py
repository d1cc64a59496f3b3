"""The main job, from the command line and in the window, with every way to the network reported.

``python -m tests.without_network FOLDER`` prints what was tried that must not be, a line each.
"""

from __future__ import annotations

import socket
import sys
import time
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

WATCHED = (
    "ftplib.", "http.", "os.system", "pickle.", "smtplib.", "socket.", "subprocess.", "urllib.",
)  # fmt: skip


def watch(event: str, values: tuple[object, ...]) -> None:
    """Print an event of the interpreter that has to do with the network or with foreign code."""
    if event.startswith(WATCHED) and not _is_local(event, values):
        print("TRIED", event, flush=True)


def _is_local(event: str, values: tuple[object, ...]) -> bool:
    if event in ("socket.__new__", "socket.gethostname"):
        return True
    inside = values and isinstance(values[0], socket.socket) and values[0].family == socket.AF_UNIX
    # urllib3 asks the system in this way, when it is imported, whether it knows IPv6.
    probe = event == "socket.bind" and values[1:] == (("::1", 0),)
    return bool(inside) or probe


def run(folder: Path) -> None:
    from calcviewer.__main__ import main
    from calcviewer.gui.app import run_window
    from calcviewer.gui.main_window import MainWindow

    pullback = folder / "pullback.dcm"
    assert main(["simulate", "-o", str(folder), "--frames", "2"]) == 0
    assert main(["analyze", str(pullback), "-o", str(folder / "analysis")]) == 0
    export = [
        "export",
        str(folder / "analysis"),
        "--seg",
        "--sr",
        "--pdf",
        "-o",
        str(folder / "out"),
    ]
    assert main(export) == 0
    assert main(["report-problem", "-o", str(folder / "problem.zip")]) == 0
    deadline = time.monotonic() + 60

    def look() -> None:
        (window,) = (one for one in QApplication.topLevelWidgets() if isinstance(one, MainWindow))
        shown = window.desk.shown
        if (shown and len(shown.session.study.predictions) == 2) or time.monotonic() > deadline:
            timer.stop()
            print("SEGMENTED", len(shown.session.study.predictions) if shown else 0)
            window.close()

    app = QApplication(["calcviewer"])
    timer = QTimer(app)
    timer.timeout.connect(look)
    timer.start(50)
    assert run_window(pullback) == 0
    for name in ("keyring", "torch", "pynetdicom", "dicomweb_client"):
        if name in sys.modules:
            print("LOADED", name)


if __name__ == "__main__":
    sys.addaudithook(watch)
    run(Path(sys.argv[1]))
