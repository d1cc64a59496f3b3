"""Opening a study: files, folders, drops and the simulated demo, read off the UI thread."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import platformdirs
from PySide6.QtCore import QMimeData, QObject, Signal
from PySide6.QtGui import QImage

from calcviewer import __version__
from calcviewer.app.review_store.search import find_review
from calcviewer.app.session import Session
from calcviewer.app.simulate import demo_pullback
from calcviewer.core.errors import CalcViewerError
from calcviewer.core.study import Study
from calcviewer.gui.frames import FramePictures
from calcviewer.gui.shown import ShownStudy
from calcviewer.gui.task import Task
from calcviewer.gui.tasks import Tasks
from calcviewer.modalities.ivoct.protocol import Protocol
from calcviewer.modalities.ivoct.read import ReadOptions, read_pullback
from calcviewer.modalities.ivoct.read_files import (
    ARRAY_SUFFIXES,
    IMAGE_SUFFIXES,
    TIFF_SUFFIXES,
    natural_key,
)

DEMO_FRAMES = 60
_LOG = logging.getLogger(__name__)
_SUFFIXES = ARRAY_SUFFIXES | TIFF_SUFFIXES | IMAGE_SUFFIXES | {".dcm"}


def first_picture(path: Path) -> QImage | None:
    """Return the first image file of a folder, or an image file, as it is; None for all others.

    It is there at once, while the reader still looks for field, colours and catheter.
    """
    images = [path]
    if path.is_dir():
        images = [one for one in path.iterdir() if one.suffix.lower() in IMAGE_SUFFIXES]
    first = min(images, key=natural_key, default=None)
    if first is None or first.suffix.lower() not in IMAGE_SUFFIXES:
        return None
    picture = QImage(str(first))
    return None if picture.isNull() else picture


def read_study(path: Path, options: ReadOptions) -> Iterator[QImage | ShownStudy]:
    """Read a study and its review, and prepare the first picture: showing it takes no time.

    What `first_picture` finds comes before it.

    Raises
    ------
    CalcViewerError
        When the path cannot be read as a pullback.
    """
    early = first_picture(path)
    if early is not None:
        yield early
    pullback = read_pullback(path, options=options)
    # A source that opens but whose first frame is damaged is refused before it replaces another.
    pullback.frames.display(0)
    pictures = FramePictures(pullback)
    pictures.cartesian(0)
    pictures.polar(0)
    found, session = find_review(pullback), Session(Study(pullback, Protocol()))
    session.measure(math.inf, found.history.review)
    yield ShownStudy(session, pictures, found)


def demo_folder() -> Path:
    """Return where the simulated demo is kept once it was made."""
    return Path(platformdirs.user_cache_dir("calcviewer")) / f"demo-{__version__}-{DEMO_FRAMES}"


def dropped_path(mime: QMimeData) -> Path | None:
    """Return the study that is being dropped: a file, a folder, or the folder of several files."""
    paths = [Path(url.toLocalFile()) for url in mime.urls() if url.isLocalFile()]
    folders = {path.parent for path in paths}
    if len(paths) == 1:
        return paths[0]
    return folders.pop() if len(folders) == 1 else None


class Opening(QObject):
    """Opens one study at a time; a later one replaces the one that is still being read.

    Signals
    -------
    opened
        The study and the path it came from.
    failed
        Why it could not be opened, in one line.
    changed
        It began or ended; ``what`` says what it is doing.
    progress
        Done and wanted, of work that can tell.
    glimpsed
        The first picture (QImage) of what is being opened, where it is there before the study.
    """

    opened = Signal(object, object)
    failed = Signal(str)
    changed = Signal()
    progress = Signal(int, int)
    glimpsed = Signal(object)

    def __init__(self, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._task: Task | None = None

    @property
    def what(self) -> str:
        """What is being done; empty when nothing is."""
        return "" if self._task is None else self._task.name

    def open_path(self, path: Path, options: ReadOptions) -> None:
        """Open a file or a folder."""
        name = self.tr("Opening {}").format(path.name or path)
        self._start(Task(name, lambda: read_study(path, options)), path)

    def open_demo(self) -> None:
        """Open the simulated demo, simulating it when that was not done before."""
        folder = demo_folder()
        path = folder / "simulated" / "pullback.dcm"
        if path.is_file():
            self.open_path(path, ReadOptions())
            return

        def work() -> Iterator[QImage | ShownStudy]:
            made = demo_pullback(folder, frames=DEMO_FRAMES, progress=self._reporter(task))
            return read_study(made, ReadOptions())

        task = Task(self.tr("Simulating the demo"), work)
        self._start(task, path)

    def cancel(self) -> None:
        """Stop; the open study stays."""
        if self._task is not None:
            self._task.cancel()
            self._end()

    def _reporter(self, task: Task) -> Callable[[int, int], None]:
        def report(done: int, wanted: int) -> None:
            if task.cancelled:
                raise CalcViewerError("The simulation was stopped.")
            self.progress.emit(done, wanted)

        return report

    def _start(self, task: Task, path: Path) -> None:
        self.cancel()
        self._task = task
        task.item.connect(lambda item: self._take(item, path))
        task.failed.connect(lambda reason: self._failed(reason, path))
        self._tasks.start(task)
        self.changed.emit()

    def _take(self, item: QImage | ShownStudy, path: Path) -> None:
        if isinstance(item, QImage):
            self.glimpsed.emit(item)
        else:
            self._opened(item, path)

    def _opened(self, shown: ShownStudy, path: Path) -> None:
        self._end()
        frames = shown.session.study.pullback.frame_count
        _LOG.info("opened %s, %d frames", study_kind(path), frames)
        self.opened.emit(shown, path)

    def _failed(self, reason: str, path: Path) -> None:
        self._end()
        _LOG.info("refused %s", study_kind(path))
        self.failed.emit(reason)

    def _end(self) -> None:
        self._task = None
        self.changed.emit()


def study_kind(path: Path) -> str:
    """Return what the log may know of a study's place: nothing that could name a patient."""
    if path.is_dir():
        return "a folder"
    known = path.suffix.lower() in _SUFFIXES
    return f"a {path.suffix.lower()} file" if known else "a file without a known suffix"


def recent_entries(paths: Sequence[str]) -> list[tuple[str, str, bool]]:
    """Return (name, folder, still there) of every path of the recent list."""
    entries = []
    for text in paths:
        path = Path(text)
        entries.append((path.name, str(path.parent), path.exists()))
    return entries
