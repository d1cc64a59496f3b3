"""Lets the monkey loose in this process: ``python -m tests.soak`` starts it with what it needs."""

from __future__ import annotations

import argparse
import faulthandler
import gc
import logging
import sys
import time
from pathlib import Path

from pyqtgraph.opengl import GLLinePlotItem
from PySide6.QtCore import QObject, QUrl, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QApplication

from calcviewer.app.program_log import logging_to_file
from calcviewer.app.settings import load_settings
from calcviewer.gui import opening, segmentation
from calcviewer.gui.main_window import MainWindow
from calcviewer.gui.memory import settle, share_arenas
from calcviewer.gui.theme import apply_theme
from tests.gui.stored_studies import PhantomSegmenter
from tests.soak.files import files_in, make_peers
from tests.soak.monkey import Diary, Monkey
from tests.soak.operator import Operator
from tests.soak.watch import Problems

_DEMO_FRAMES = 4
_PHANTOM_S = 0.02


class _Desktop(QObject):
    """Takes what would be shown in the machine's own file manager."""

    @Slot(QUrl)
    def take(self, url: QUrl) -> None:
        """Show nothing."""


def _window() -> MainWindow:
    """Start as the program does."""
    # Of a window before this one nothing is to be kept: no objects that the collector leaves out,
    # and not the shader that pyqtgraph makes with the first window for all.
    gc.unfreeze()
    GLLinePlotItem._shaderProgram = None
    window = MainWindow(*load_settings())
    window.show()
    return window


def _tell(line: str) -> None:
    print(line, flush=True)


def play(options: argparse.Namespace) -> int:
    """Do the actions and print what was found.

    Returns
    -------
    0 when nothing was.
    """
    faulthandler.enable()
    share_arenas()
    opening.DEMO_FRAMES = _DEMO_FRAMES
    if options.segmenter == "phantom":
        segmentation.load_segmenter = lambda *_: PhantomSegmenter(_PHANTOM_S)  # type: ignore[attr-defined]
    app = QApplication(sys.argv[:1])
    app.setQuitOnLastWindowClosed(False)
    apply_theme(app)
    desktop, problems = _Desktop(), Problems()
    QDesktopServices.setUrlHandler("file", desktop, "take")  # type: ignore[arg-type]
    logging.getLogger("pynetdicom").setLevel(logging.CRITICAL)
    make_peers()
    disks = [disk for disk in (options.full, options.read_only) if disk is not None]
    files = files_in(options.files, *disks)
    begun = time.monotonic()
    with logging_to_file(), problems.watching():
        op = Operator(files, _window)
        settle()
        monkey = Monkey(op, problems, _tell)
        monkey.rehearse(options.seed)
        monkey.check_at_rest()
        monkey.work(options.seed, options.first, options.actions)
        monkey.check_at_rest()
        monkey.judge_growth()
        op.window.close()
        monkey._collect("the end")
    _report(monkey.diary, options.seed, time.monotonic() - begun)
    return 1 if monkey.diary.problems else 0


def _report(diary: Diary, seed: int, seconds: float) -> None:
    first, last = diary.warm, diary.at_rest[-1]
    slowest = sorted(diary.gaps_ms.items(), key=lambda one: -one[1])[:5]
    gaps = ", ".join(f"{name} {gap_ms:.0f}" for name, gap_ms in slowest)
    _tell(
        f"seed {seed}: {diary.done} actions in {seconds / 60:.1f} min; warm and at the end "
        f"{first.resident_mb:.0f} to {last.resident_mb:.0f} MB, at most {diary.most_mb:.0f} MB; "
        f"{first.objects} to {last.objects} objects, "
        f"{first.threads} to {last.threads} threads, {first.files} to {last.files} files\n"
        f"longest event-loop gaps, ms: {gaps}\n"
        f"{diary.problems.total()} problems of {len(diary.problems)} kinds"
    )


def main() -> int:
    """Read what `tests.soak` hands over."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--first", type=int, required=True)
    parser.add_argument("--actions", type=int, required=True)
    parser.add_argument("--segmenter", required=True)
    parser.add_argument("--files", type=Path, required=True)
    parser.add_argument("--full", type=Path)
    parser.add_argument("--read-only", type=Path)
    return play(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
