"""Export from the window: what, where, and how it went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, QTimer, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from calcviewer.app.export import (
    SCREEN,
    ExportKind,
    ExportOrder,
    ExportProgress,
    FileWriter,
    base_name,
    exported,
)
from calcviewer.app.export_choices import SPEEDS, load_choices, save_choices
from calcviewer.app.review import segmentation_progress
from calcviewer.gui import theme
from calcviewer.gui.current_task import CurrentTask
from calcviewer.gui.exporting.burned_in import BurnedInWarning
from calcviewer.gui.exporting.kinds import KINDS, KindList
from calcviewer.gui.exporting.pages import AnimationPage, PicturePage, ReportPage, words_page
from calcviewer.gui.exporting.screen import animation_writer, picture_writer
from calcviewer.gui.panels.card import paint, quiet, warning
from calcviewer.gui.shown import ShownStudy
from calcviewer.gui.task import Task
from calcviewer.gui.view_state import ViewState

_SIZE_PX = (960, 760)
_PER_MILLE = 1000
_PICTURES = {ExportKind.PDF, ExportKind.DICOM_PDF, ExportKind.PNG, ExportKind.GIF}


class ExportDialog(QDialog):
    """Writes reports, tables, pictures and results for archives together; modal to its window.

    What is ticked is written, all of it or nothing, of the study as it is at the click.

    Parameters
    ----------
    views
        What a picture can be taken of beside the whole window, by name.

    Signals
    -------
    failed
        Why nothing was written, in one line. The dialog says it too.
    exported
        The paths that were written.
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
        self.kinds = KindList()
        self._make_pages(parent or self, views or {})
        self.deidentify = QCheckBox(self.tr("De-identify"))
        self.deidentify.setChecked(True)
        self._identity = quiet("", wrap=True)
        self.folder, self.name = QLineEdit(), QLineEdit()
        self._choose = QPushButton(self.tr("Choose…"))
        self._files, self._note = quiet("", wrap=True), quiet("", wrap=True)
        self._unfinished = warning()
        self._burned_in = BurnedInWarning(shown.session.study.pullback, self)
        self._progress = QProgressBar()
        self._progress.setTextVisible(False)
        self.cancel = QPushButton(self.tr("Cancel"))
        self.reveal = QPushButton(self.tr("Show in folder"))
        self.close_button = QPushButton(self.tr("Close"))
        self.export = QPushButton(self.tr("Export"))
        self.export.setObjectName("primary")
        self.export.setDefault(True)
        self._lay_out()
        self._begin()
        self._connect()
        self._show_kind()
        self._refresh()

    @property
    def order(self) -> ExportOrder:
        """What Export would write now."""
        first, last = self.animation.span
        picture = f"{self.picture.key.replace('_', '-')}-frame-{self._state.frame + 1}"
        return ExportOrder(
            kinds=self.kinds.ticked,
            folder=Path(self.folder.text().strip()).expanduser(),
            base=self.name.text().strip() or self._proposed_name(),
            deidentify=self.deidentify.isChecked(),
            page_size=self.report.page_size,
            shows={
                ExportKind.PNG: picture,
                ExportKind.GIF: f"frames-{first + 1}-{last + 1}",
            },
        )

    @property
    def paths(self) -> tuple[Path, ...]:
        """Every file that Export would write now."""
        return self.order.all_paths

    def done(self, result: int) -> None:
        """Stop what is being written, which then leaves nothing, and close."""
        self._task.cancel()
        self._burned_in.task.cancel()
        self.report.stop()
        super().done(result)

    # --- assembly --------------------------------------------------------------------------------

    def _make_pages(self, window: QWidget, views: Mapping[str, QWidget]) -> None:
        session, frame = self._shown.session, self._state.frame
        self.report = ReportPage(self._shown, self._choices.page_size, self)
        self.picture = PicturePage(window, views, self._shown, frame)
        self.animation = AnimationPage(session.study, session.results, frame)
        self.animation.overlay.setChecked(self._choices.overlay)
        self.animation.speed.setCurrentIndex(SPEEDS.index(self._choices.speed))
        own = {
            ExportKind.PDF: self.report,
            ExportKind.DICOM_PDF: self.report,
            ExportKind.PNG: self.picture,
            ExportKind.GIF: self.animation,
        }
        self._pages = QStackedWidget()
        self._page_of: list[QWidget] = []
        for kind in KINDS:
            page = own.get(kind) or words_page(kind, session.study.pullback)
            self._page_of.append(page)
            if self._pages.indexOf(page) < 0:  # both reports have one page
                self._pages.addWidget(page)

    def _lay_out(self) -> None:
        middle = QHBoxLayout()
        middle.addWidget(self.kinds)
        middle.addWidget(self._pages, 1)
        patient = QHBoxLayout()
        patient.addWidget(self.deidentify)
        patient.addWidget(self._identity, 1)
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
        layout.addWidget(self._burned_in)
        layout.addLayout(patient)
        layout.addLayout(place)
        layout.addWidget(self._files)
        layout.addLayout(buttons)

    def _begin(self) -> None:
        """Show what was chosen last; de-identified, whatever was chosen."""
        folder = Path(self._choices.folder) if self._choices.folder else Path.home()
        self.folder.setText(str(folder if folder.is_dir() else Path.home()))
        self.kinds.tick(self._choices.chosen)
        first = min(self._choices.chosen, key=KINDS.index, default=ExportKind.PDF)
        self.kinds.show_kind(first)
        for page in (self.report, self.picture):
            page.set_deidentified(True)
        self.picture.choose(self._choices.picture)
        self.name.setText(self._proposed_name())
        self._show_working(False)
        self.reveal.hide()
        segmented = segmentation_progress(self._shown.session.study)
        self._unfinished.setVisible(segmented.done < segmented.total)
        words = self.tr("{done} of {total} frames are segmented; the export holds only these.")
        self._unfinished.setText(words.format(done=segmented.done, total=segmented.total))

    def _connect(self) -> None:
        self.kinds.currentRowChanged.connect(self._show_kind)
        self.kinds.ticks_changed.connect(self._refresh)
        self.picture.changed.connect(self._refresh)
        self.animation.changed.connect(self._refresh)
        self.report.failed.connect(self.failed)
        self.deidentify.toggled.connect(self._set_deidentified)
        self.folder.textChanged.connect(self._refresh)
        self.name.textChanged.connect(self._refresh)
        self._choose.clicked.connect(self._ask_folder)
        self.export.clicked.connect(self.start)
        self.cancel.clicked.connect(self._cancel)
        self.close_button.clicked.connect(self.reject)
        self.reveal.clicked.connect(
            lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.order.folder)))
        )

    # --- what is chosen --------------------------------------------------------------------------

    def _show_kind(self) -> None:
        self._pages.setCurrentWidget(self._page_of[self.kinds.currentRow()])
        # After the dialog is on screen: a preview takes longer than a repaint.
        QTimer.singleShot(0, self, self._preview)

    def _preview(self) -> None:
        page = self._pages.currentWidget()
        if page is self.picture:
            self.picture.preview()
        elif page is self.report and not self._task.running:
            self.report.preview()

    def _proposed_name(self, *, other: bool = False) -> str:
        deidentify = self.deidentify.isChecked() is not other
        return base_name(self._shown.session.study, deidentify=deidentify)

    def _set_deidentified(self, deidentify: bool) -> None:
        """Let every kind name the patient, or none."""
        if self.name.text() == self._proposed_name(other=True):
            self.name.setText(self._proposed_name())
        self.report.set_deidentified(deidentify)
        self.picture.set_deidentified(deidentify)
        self._refresh()

    def _refresh(self) -> None:
        """Say what Export will do; what is there now is not replaced silently."""
        self.kinds.offer(ExportKind.PNG, self.picture.refusal)
        bare = self.deidentify.isChecked()
        self._identity.setText(
            self.tr("No name, number, date or place in any file; new identifiers.")
            if bare
            else self.tr("The files name the patient as the pullback does: for the archive.")
        )
        paint(self._identity, theme.QUIET if bare else theme.WARNING)
        pictures = bare and not self.kinds.ticked.isdisjoint(_PICTURES)
        self._burned_in.set_wanted(pictures)
        self._files.setText(" · ".join(path.name for path in self.paths))
        self._say_ready()

    def _say_ready(self) -> None:
        order = self.order
        usable = bool(self.folder.text().strip()) and order.folder.is_dir()
        ready = usable and bool(order.kinds)
        self.export.setEnabled(ready and not self._task.running)
        older = [path.name for path in order.all_paths if path.exists()] if usable else []
        if not order.kinds:
            self._say(self.tr("Tick what is to be written."), theme.WARNING)
        elif not usable:
            self._say(self.tr("Choose a folder that exists."), theme.WARNING)
        elif older:
            names = ", ".join(older) if len(older) < len(order.all_paths) else self.tr("All files")
            self._say(self.tr("Will be replaced: {names}").format(names=names), theme.WARNING)
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
        """Write what is ticked, of the study as it is now."""
        if self._task.running:
            return
        session, order = self._shown.session, self.order
        report = self.report.document
        if report is None:
            self.report.stop()  # one at a time; it goes on afterwards
        work = partial(
            exported,
            order,
            session.study,
            session.results,
            screen=self._screen_writers(order),
            report=report,
        )
        task = Task(self.tr("Exporting"), work, self)
        task.item.connect(self._take)
        task.failed.connect(self._fail)
        self._show_working(True)
        self._task.start(task)

    def _screen_writers(self, order: ExportOrder) -> dict[ExportKind, FileWriter]:
        """Return what writes pictures, with all it needs from widgets taken now."""
        writers: dict[ExportKind, FileWriter] = {}
        for kind in order.kinds.intersection(SCREEN):
            if kind is ExportKind.PNG:
                writers[kind] = picture_writer(self.picture.picture())
            else:
                writers[kind] = animation_writer(
                    self._shown,
                    self._state.display,
                    self.animation.frames,
                    speed=int(self.animation.speed.currentData()),
                    overlay=self.animation.overlay.isChecked(),
                    field_only=order.deidentify,
                )
        return writers

    def _take(self, item: ExportProgress | tuple[Path, ...]) -> None:
        if isinstance(item, tuple):
            self._finish(item)
            return
        if item.part > 0:  # before that nobody knows how long it takes
            self._progress.setRange(0, _PER_MILLE)
        self._progress.setValue(round(_PER_MILLE * item.part))
        self._say(f"{self.kinds.name(item.kind)} …", theme.QUIET)

    def _finish(self, paths: tuple[Path, ...]) -> None:
        self._task.done()
        self._show_working(False)
        self._preview()
        self._remember()
        words = self.tr("Written: {name}") if len(paths) == 1 else self.tr("Written: {n} files")
        self._say(words.format(name=paths[0].name, n=len(paths)), theme.THICKNESS)
        self.reveal.show()
        self.exported.emit(paths)

    def _fail(self, reason: str) -> None:
        self._task.done()
        self._show_working(False)
        self._preview()
        self._say(reason, theme.ERROR)
        self.failed.emit(reason)

    def _cancel(self) -> None:
        self._task.cancel()
        self._show_working(False)
        self._preview()
        self._say(self.tr("Cancelled; nothing was written."), theme.QUIET)

    def _show_working(self, working: bool) -> None:
        self._progress.setRange(0, 0)
        self._progress.setVisible(working)
        self.cancel.setVisible(working)
        self.export.setEnabled(not working)
        for widget in (
            self.kinds,
            self._pages,
            self.deidentify,
            self.folder,
            self.name,
            self._choose,
        ):
            widget.setEnabled(not working)

    def _say(self, words: str, colour: str) -> None:
        self._note.setText(words)
        paint(self._note, colour)

    def _remember(self) -> None:
        order = self.order
        self._choices = replace(
            self._choices,
            folder=self.folder.text().strip(),
            kinds=tuple(kind.value for kind in KINDS if kind in order.kinds),
            page_size=order.page_size,
            picture=self.picture.key,
            overlay=self.animation.overlay.isChecked(),
            speed=int(self.animation.speed.currentData()),
        )
        save_choices(self._choices)
