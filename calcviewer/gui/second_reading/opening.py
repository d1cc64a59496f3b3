"""Opens the results of other readers over the study on screen: annotations, or measurements."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QFileDialog, QMainWindow

from calcviewer.app.second_reader import GivenAnnotations, SecondReading, is_results
from calcviewer.core.pullback import Pullback
from calcviewer.gui.current_task import CurrentTask
from calcviewer.gui.desk import Desk
from calcviewer.gui.second_reading.dialog import TakeOver
from calcviewer.gui.second_reading.dock import SecondReaderDock
from calcviewer.gui.task import Task

_FILTER = "*.dcm *.dicom *.nii *.nii.gz"
_DOCK_PX = 270
_SUFFIXES = frozenset({".dcm", ".dicom", ".ima", ".nii", ".gz", ""})


class SecondReader(QObject):
    """Shows what others found in the pullback that is open.

    Signals
    -------
    failed
        What was not done, and why.
    said
        What was done, for the status line.
    """

    failed = Signal(str, str)
    said = Signal(str)

    def __init__(self, desk: Desk, window: QMainWindow) -> None:
        super().__init__(window)
        self._desk = desk
        self._window = window
        self._looking = CurrentTask(self)
        # What is dropped or opened later goes before what is still looked at.
        desk.opening.changed.connect(self._looking.cancel)

    def ask(self) -> None:
        """Ask for a file of results and open it."""
        dialog = QFileDialog(self._window, self.tr("Open results of the pullback on screen"))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilters(
            [
                self.tr("DICOM SEG and SR, NIfTI ({})").format(_FILTER),
                self.tr("All files (*)"),
            ]
        )
        shown = self._desk.shown
        if shown is not None:
            dialog.setDirectory(str(shown.session.study.pullback.source.path.parent))
        dialog.fileSelected.connect(lambda text: self.open(Path(text)))
        dialog.open()

    def take(self, path: Path) -> None:
        """Open what was dropped: results over their pullback, everything else as a study."""
        if path.is_dir() or path.suffix.lower() not in _SUFFIXES:
            self._desk.open_path(path)
            return
        task = Task(self.tr("Looking at {}").format(path.name), lambda: iter((is_results(path),)))
        task.item.connect(lambda results: self._sort(path, results=results))
        task.failed.connect(lambda _: self._desk.open_path(path))  # which says why it cannot be
        task.finished.connect(self._looking.done)
        self._looking.start(task)

    def open(self, path: Path) -> None:
        """Read results, and show them when they belong to the study on screen."""
        shown = self._desk.shown
        if shown is None:
            self.failed.emit(
                self.tr("{} holds results.").format(path.name),
                self.tr("Open the pullback they were made on first, then open them again."),
            )
            return
        for known in self._window.findChildren(TakeOver):
            known.close()
        pullback = shown.session.study.pullback
        dialog = TakeOver(self._desk, path, lambda: read_results(path, pullback), self._window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.measured.connect(self.show_reading)
        dialog.said.connect(self.said)
        dialog.show()

    def show_reading(self, reading: SecondReading) -> None:
        """Show a second reader's measurements beside ours, in the place of others shown before."""
        for known in self._window.findChildren(SecondReaderDock):
            known.close()
        dock = SecondReaderDock(self._desk, reading, self._window)
        dock.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._window.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, dock)
        self._window.resizeDocks([dock], [_DOCK_PX], Qt.Orientation.Vertical)

    def _sort(self, path: Path, *, results: bool) -> None:
        if results:
            self.open(path)
        else:
            self._desk.open_path(path)


def read_results(path: Path, pullback: Pullback) -> Iterator[GivenAnnotations | SecondReading]:
    """Yield what a file holds about a pullback, for a task."""
    # Brings highdicom, which takes long to load.
    from calcviewer.app.exchange.second_reading import open_results

    yield open_results(path, pullback)
