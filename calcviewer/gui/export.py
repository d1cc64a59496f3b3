"""Export from the window: what, where, and how it went."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt, QTimer, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QImage
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QProgressBar,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from calcviewer.app.animation import AnimationSource, write_animation
from calcviewer.app.export import (
    SPEEDS,
    ExportKind,
    exported,
    file_name,
    load_choices,
    save_choices,
    table_paths,
    write_bytes,
)
from calcviewer.app.review import segmentation_progress
from calcviewer.core.annotation import FrameAnnotation
from calcviewer.gui import theme
from calcviewer.gui.current_task import CurrentTask
from calcviewer.gui.export_pages import AnimationPage, PicturePage, ReportPage, TextPage
from calcviewer.gui.look_up_tables import colour_table, shows_own_colours
from calcviewer.gui.panels.card import paint, quiet, warning
from calcviewer.gui.shown import ShownStudy
from calcviewer.gui.snapshot import write_png
from calcviewer.gui.task import Task
from calcviewer.gui.view_state import Display, ViewState

_KINDS = tuple(ExportKind)
_SIZE_PX = (900, 680)
_LIST_PX = 190


class ExportDialog(QDialog):
    """Writes report, tables, data, pictures and animations; modal to its window.

    Parameters
    ----------
    views
        What a picture can be taken of beside the whole window, by name.

    Signals
    -------
    failed
        Why nothing was written, in one line. The dialog says it too.
    exported
        The path that was written; of tables the first.
    """

    failed = Signal(str)
    exported = Signal(object)

    def __init__(
        self,
        shown: ShownStudy,
        state: ViewState,
        parent: QWidget | None = None,
        *,
        views: Mapping[str, QWidget] | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Export"))
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self.resize(*_SIZE_PX)
        self._shown, self._state = shown, state
        self._choices = load_choices()
        self._task = CurrentTask(self)
        self._written: list[Path] = []
        self._make_pages(parent or self, views or {})
        self.kinds = QListWidget()
        self.kinds.setFixedWidth(_LIST_PX)
        self.kinds.setStyleSheet(
            f"QListView::item:selected {{ background: {theme.ACCENT_QUIET}; color: {theme.TEXT}; }}"
        )
        names = (
            self.tr("Report (PDF)"),
            self.tr("Tables (CSV)"),
            self.tr("Data (JSON)"),
            self.tr("Picture (PNG)"),
            self.tr("Animation (GIF)"),
        )
        self.kinds.addItems(names)
        self.folder, self.name = QLineEdit(), QLineEdit()
        self._choose = QPushButton(self.tr("Choose…"))
        self._note, self._unfinished = quiet("", wrap=True), warning()
        self._progress = QProgressBar()
        self.cancel = QPushButton(self.tr("Cancel"))
        self.reveal = QPushButton(self.tr("Show the folder"))
        self.close_button = QPushButton(self.tr("Close"))
        self.export = QPushButton(self.tr("Export"))
        self.export.setObjectName("primary")
        self.export.setDefault(True)
        self._lay_out()
        self._connect()
        self._begin()

    @property
    def kind(self) -> ExportKind:
        """What is chosen."""
        return _KINDS[max(self.kinds.currentRow(), 0)]

    @property
    def path(self) -> Path:
        """Where it will be written."""
        name = self.name.text().strip() or self._proposed_name()
        suffix = f".{self.kind.value}"
        return Path(self.folder.text().strip()).expanduser() / (
            name if name.lower().endswith(suffix) else name + suffix
        )

    def done(self, result: int) -> None:
        """Stop what is being written, which then leaves nothing, and close."""
        self._task.cancel()
        self.report.stop()
        super().done(result)

    # --- assembly --------------------------------------------------------------------------------

    def _make_pages(self, window: QWidget, views: Mapping[str, QWidget]) -> None:
        session = self._shown.session
        frame, count = self._state.frame, session.study.pullback.frame_count
        words = self.tr("{name} · frame {n} of {count}").format(
            name=session.study.pullback.name, n=frame + 1, count=count
        )
        self.report = ReportPage(self._shown, self._choices.page_size, self)
        self.picture = PicturePage(window, views, words)
        self.animation = AnimationPage(session.study, session.results, frame)
        self.animation.overlay.setChecked(self._choices.overlay)
        self.animation.speed.setCurrentIndex(SPEEDS.index(self._choices.speed))
        tables = self.tr(
            "Two tables for spreadsheets: every measured frame, and every lesion with its score. "
            "Frames are numbered from 1; a value that could not be measured is empty."
        )
        data = self.tr(
            "Everything that was measured, with calibration, protocol, model and decisive frames, "
            "for programs. A value that could not be measured is null."
        )
        self._pages = QStackedWidget()
        for page in (
            self.report,
            TextPage(tables),
            TextPage(data),
            self.picture,
            self.animation,
        ):
            self._pages.addWidget(page)

    def _lay_out(self) -> None:
        middle = QHBoxLayout()
        middle.addWidget(self.kinds)
        middle.addWidget(self._pages, 1)
        place = QHBoxLayout()
        place.addWidget(QLabel(self.tr("Folder")))
        place.addWidget(self.folder, 3)
        place.addWidget(self._choose)
        place.addWidget(QLabel(self.tr("Name")))
        place.addWidget(self.name, 2)
        buttons = QHBoxLayout()
        buttons.addWidget(self._note, 1)
        buttons.addWidget(self._progress, 1)
        for button in (self.cancel, self.reveal, self.close_button, self.export):
            buttons.addWidget(button)
        layout = QVBoxLayout(self)
        layout.addLayout(middle, 1)
        layout.addWidget(self._unfinished)
        layout.addLayout(place)
        layout.addLayout(buttons)

    def _connect(self) -> None:
        self.kinds.currentRowChanged.connect(self._show_kind)
        self.picture.changed.connect(self._propose)
        self.animation.changed.connect(self._propose)
        self.report.failed.connect(self.failed)
        self.folder.textChanged.connect(self._say_ready)
        self.name.textChanged.connect(self._say_ready)
        self._choose.clicked.connect(self._ask_folder)
        self.export.clicked.connect(self.start)
        self.cancel.clicked.connect(self._cancel)
        self.close_button.clicked.connect(self.reject)
        self.reveal.clicked.connect(
            lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(self.folder.text()))
        )

    def _begin(self) -> None:
        folder = Path(self._choices.folder) if self._choices.folder else Path.home()
        self.folder.setText(str(folder if folder.is_dir() else Path.home()))
        self._show_working(False)
        self.reveal.hide()
        segmented = segmentation_progress(self._shown.session.study)
        self._unfinished.setVisible(segmented.done < segmented.total)
        words = self.tr("{done} of {total} frames are segmented; the export holds only these.")
        self._unfinished.setText(words.format(done=segmented.done, total=segmented.total))
        self.kinds.setCurrentRow(_KINDS.index(ExportKind(self._choices.kind)))

    # --- what is chosen --------------------------------------------------------------------------

    def _show_kind(self, row: int) -> None:
        self._pages.setCurrentIndex(row)
        self._propose()
        # After the dialog is on screen: a preview takes longer than a repaint.
        QTimer.singleShot(0, self, self._preview)

    def _preview(self) -> None:
        if self.kind is ExportKind.PDF and not self._task.running:
            self.report.preview()
        elif self.kind is ExportKind.PNG:
            self.picture.preview()

    def _proposed_name(self) -> str:
        what = ""
        if self.kind is ExportKind.PNG:
            what = f"{self.picture.key.replace('_', '-')}-frame-{self._state.frame + 1}"
        elif self.kind is ExportKind.GIF:
            first, last = self.animation.span
            what = f"frames-{first + 1}-{last + 1}"
        return file_name(self._shown.session.study, self.kind, what)

    def _propose(self) -> None:
        self.name.setText(self._proposed_name())
        self._say_ready()

    def _say_ready(self) -> None:
        """Say what Export will do; what is written now is not replaced silently."""
        folder = Path(self.folder.text().strip()).expanduser()
        usable = bool(self.folder.text().strip()) and folder.is_dir()
        self.export.setEnabled(usable and not self._task.running)
        targets = table_paths(self.path) if self.kind is ExportKind.CSV else (self.path,)
        if not usable:
            self._say(self.tr("Choose a folder that exists."), theme.WARNING)
        elif any(target.exists() for target in targets):
            self._say(self.tr("The file exists and will be replaced."), theme.WARNING)
        else:
            self._say("", theme.QUIET)

    def _ask_folder(self) -> None:
        dialog = QFileDialog(self, self.tr("Export to"), self.folder.text())
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.fileSelected.connect(self.folder.setText)
        dialog.open()

    # --- writing ---------------------------------------------------------------------------------

    def start(self) -> None:
        """Write what is chosen."""
        if self._task.running:
            return
        self._written = []
        task = Task(self.tr("Exporting"), self._work(), self)
        task.item.connect(self._take)
        task.finished.connect(self._finish)
        task.failed.connect(self._fail)
        self._show_working(True)
        self._task.start(task)

    def _work(self) -> Callable[[], Iterator[object]]:
        """Return the work of the task, with all it needs from widgets taken now."""
        session, path = self._shown.session, self.path
        if self.kind is ExportKind.PNG:
            return partial(_written_picture, path, self.picture.picture())
        if self.kind is ExportKind.GIF:
            source = self._animation_source()
            speed = int(self.animation.speed.currentData())
            return partial(_written_animation, path, source, self.animation.frames, speed)
        document = self.report.document if self.kind is ExportKind.PDF else None
        if document is not None:
            return partial(_written_report, path, document)
        self.report.stop()
        size = self.report.page_size
        return partial(exported, self.kind, path, session.study, session.results, size)

    def _animation_source(self) -> AnimationSource:
        study, pictures = self._shown.session.study, self._shown.pictures
        display, overlay = self._state.display, self.animation.overlay.isChecked()

        def annotation(frame: int) -> FrameAnnotation | None:
            return study.annotation(frame) if overlay else None

        return AnimationSource(
            picture=partial(_coloured_frame, self._shown, display),
            annotation=annotation,
            grid=pictures.cartesian_grid,
            frame_count=study.pullback.frame_count,
            scaled=study.calibration.scaled,
        )

    def _take(self, item: Path | tuple[int, int]) -> None:
        if isinstance(item, Path):
            self._written.append(item)
            return
        done, total = item
        self._progress.setRange(0, total)
        self._progress.setValue(done)

    def _finish(self) -> None:
        self._task.done()
        self._show_working(False)
        self._remember()
        self._say_ready()
        path = self._written[0]
        self._say(self.tr("Written: {path}").format(path=path.name), theme.THICKNESS)
        self.reveal.show()
        self.exported.emit(path)

    def _fail(self, reason: str) -> None:
        self._task.done()
        self._show_working(False)
        self._say(reason, theme.ERROR)
        self.failed.emit(reason)

    def _cancel(self) -> None:
        self._task.cancel()
        self._show_working(False)
        self._say(self.tr("Cancelled; nothing was written."), theme.QUIET)

    def _show_working(self, working: bool) -> None:
        self._progress.setRange(0, 0)
        self._progress.setVisible(working)
        self.cancel.setVisible(working)
        self._note.setVisible(not working)
        self.export.setEnabled(not working)
        for widget in (self.kinds, self._pages, self.folder, self.name, self._choose):
            widget.setEnabled(not working)

    def _say(self, words: str, colour: str) -> None:
        self._note.setText(words)
        paint(self._note, colour)

    def _remember(self) -> None:
        self._choices = replace(
            self._choices,
            folder=self.folder.text().strip(),
            kind=self.kind.value,
            page_size=self.report.page_size,
            overlay=self.animation.overlay.isChecked(),
            speed=int(self.animation.speed.currentData()),
        )
        save_choices(self._choices)


def _coloured_frame(shown: ShownStudy, display: Display, frame: int) -> NDArray[np.uint8]:
    """Return a frame in the colours it has on screen, uint8 ``[row, column, 3]``."""
    own = shown.pictures.original(frame) if shows_own_colours(display) else None
    if own is not None:
        return own
    coloured: NDArray[np.uint8] = colour_table(display)[shown.pictures.cartesian(frame)]
    return coloured


def _written_report(path: Path, document: bytes) -> Iterator[Path]:
    write_bytes(path, document)
    yield path


def _written_picture(path: Path, picture: QImage) -> Iterator[Path]:
    write_png(path, picture)
    yield path


def _written_animation(
    path: Path, source: AnimationSource, frames: range, speed: int
) -> Iterator[Path | tuple[int, int]]:
    yield from write_animation(path, source, frames, frames_per_second=speed)
    yield path
