"""Asks how annotations of another reader are taken over, and takes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QProgressBar,
    QPushButton,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from calcviewer.app.second_reader import (
    GivenAnnotations,
    SecondReading,
    frames_with_edits,
    taken_over,
)
from calcviewer.app.session import IvoctStudy, Step
from calcviewer.core.annotation import Label
from calcviewer.gui import theme
from calcviewer.gui.current_task import CurrentTask
from calcviewer.gui.desk import Desk
from calcviewer.gui.panels.card import heading, paint, quiet, warning
from calcviewer.gui.task import Task

_WIDTH_PX = 560

Read = Callable[[], Iterator[GivenAnnotations | SecondReading]]


class TakeOver(QDialog):
    """Reads a file of results; asks what to do with annotations, hands measurements on.

    Signals
    -------
    measured
        The file holds a second reader's measurements (`SecondReading`); the dialog has closed.
    said
        What was taken over, for the status line.
    """

    measured = Signal(object)
    said = Signal(str)

    def __init__(self, desk: Desk, path: Path, read: Read, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Open results"))
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self.setMinimumWidth(_WIDTH_PX)
        self._desk, self._path = desk, path
        self._given: GivenAnnotations | None = None
        self._task = CurrentTask(self)
        self.title, self.words = heading(""), quiet("", wrap=True)
        self.doubts = warning()
        self.only_others, self.every = QRadioButton(), QRadioButton()
        self.only_others.setChecked(True)
        self._after = quiet(
            self.tr(
                "One step: Undo takes all of it back. The frames name where they come from, and "
                "wait to be confirmed."
            ),
            wrap=True,
        )
        self._progress = QProgressBar()
        self._progress.setRange(0, 0)
        self._progress.setTextVisible(False)
        self.close_button = QPushButton(self.tr("Cancel"))
        self.take = QPushButton(self.tr("Take over"))
        self.take.setObjectName("primary")
        self.take.setDefault(True)
        self._lay_out()
        self.close_button.clicked.connect(self.reject)
        self.take.clicked.connect(self._take_over)
        desk.shown_changed.connect(self.reject)
        self._read(read)

    def done(self, result: int) -> None:
        """Stop reading and close."""
        self._task.cancel()
        super().done(result)

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        buttons.addWidget(self._progress, 1)
        buttons.addStretch(1)
        buttons.addWidget(self.close_button)
        buttons.addWidget(self.take)
        column = QVBoxLayout(self)
        column.setSpacing(10)
        for widget in (
            self.title,
            self.words,
            self.doubts,
            self.only_others,
            self.every,
            self._after,
        ):
            column.addWidget(widget)
        column.addStretch(1)
        column.addLayout(buttons)
        for later in (self.doubts, self.only_others, self.every, self._after, self.take):
            later.hide()

    # --- reading ---------------------------------------------------------------------------------

    def _read(self, read: Read) -> None:
        self.title.setText(self.tr("Reading {name} …").format(name=self._path.name))
        task = Task(self.tr("Reading results"), read, self)
        task.item.connect(self._show)
        task.finished.connect(self._task.done)
        task.failed.connect(self._fail)
        self._task.start(task)

    def _show(self, found: GivenAnnotations | SecondReading) -> None:
        if isinstance(found, SecondReading):
            self.accept()
            self.measured.emit(found)
            return
        self._show_given(found)

    def _show_given(self, given: GivenAnnotations) -> None:
        shown = self._desk.shown
        if shown is None:
            return
        self._given = given
        count = len(given.annotations)
        mine = len(frames_with_edits(shown.session.study, given))
        self.title.setText(self.tr("Annotations from {name}").format(name=given.maker))
        self.words.setText(
            self.tr("{file}: {n} frames with {structures}.").format(
                file=self._path.name, n=count, structures=self._structures(given.structures)
            )
        )
        doubts = self._doubts(given)
        self.doubts.setText("\n".join(doubts))
        self.doubts.setVisible(bool(doubts))
        self.only_others.setText(
            self.tr("Only frames without my edits ({n})").format(n=count - mine)
        )
        self.every.setText(
            self.tr("Replace mine too ({n}, of which {mine} are edited)").format(n=count, mine=mine)
        )
        self.only_others.setVisible(bool(mine))
        self.every.setVisible(bool(mine))
        self._progress.hide()
        for later in (self._after, self.take):
            later.setVisible(bool(count))
        self.take.setFocus()
        self.adjustSize()

    def _structures(self, structures: frozenset[Label]) -> str:
        names = {
            Label.LUMEN: self.tr("lumen"),
            Label.CALCIUM: self.tr("calcium"),
            Label.GUIDEWIRE_SHADOW: self.tr("guidewire shadow"),
        }
        return ", ".join(name for label, name in names.items() if label in structures)

    def _doubts(self, given: GivenAnnotations) -> list[str]:
        """Return what the operator should know before."""
        lacking = frozenset(Label) - {Label.OTHER} - given.structures
        doubts = []
        if not given.assured:
            doubts.append(
                self.tr(
                    "The file does not say on which pullback it was made; the frames only have "
                    "the right number and size."
                )
            )
        if lacking:
            doubts.append(
                self.tr("It tells nothing about {structures}: that stays as it is.").format(
                    structures=self._structures(lacking)
                )
            )
        return doubts

    def _fail(self, reason: str) -> None:
        self._task.done()
        self._progress.hide()
        self.title.setText(self.tr("These results cannot be opened. The study is as it was."))
        self.words.setText(reason)
        paint(self.words, theme.ERROR)
        self.take.hide()
        self.close_button.setText(self.tr("Close"))
        self.adjustSize()

    # --- taking over -----------------------------------------------------------------------------

    def _take_over(self) -> None:
        shown, given = self._desk.shown, self._given
        if shown is None or given is None or self._task.running:
            return
        study, every = shown.session.study, self.every.isChecked()

        def work() -> Iterator[Step | None]:
            yield taken_over(study, given, replace_edits=every)

        task = Task(self.tr("Taking annotations over"), work, self)
        task.item.connect(lambda step: self._put(study, step))
        task.failed.connect(self._fail)
        self.take.setEnabled(False)
        self._progress.show()
        self._task.start(task)

    def _put(self, study: IvoctStudy, step: Step | None) -> None:
        """Make the step; begin again when the review is another one by now."""
        self._task.done()
        shown = self._desk.shown
        if shown is None:
            return
        if shown.session.study.review is not study.review:
            self._take_over()
            return
        if step is None:
            self._progress.hide()
            self.words.setText(
                self.tr("Nothing differs: every frame that would change is as it is in the file.")
            )
            self.take.hide()
            self.close_button.setText(self.tr("Close"))
            return
        before, after = study.review.edits, step.review.edits
        changed = sum(before.get(frame) is not edit for frame, edit in after.items())
        self._desk.edit(step)
        if shown.session.study.review is step.review:  # not where the review is read-only
            label = step.label[0].upper() + step.label[1:]
            self.said.emit(self.tr("{what}: {n} frames").format(what=label, n=changed))
        self.accept()
