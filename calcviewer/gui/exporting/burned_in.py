"""What must be said before de-identified pictures leave the house."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from PySide6.QtWidgets import QLabel, QWidget

from calcviewer.core.pullback import Pullback
from calcviewer.gui import theme
from calcviewer.gui.current_task import CurrentTask
from calcviewer.gui.panels.card import paint
from calcviewer.gui.task import Task


class BurnedInWarning(QLabel):
    """Says that text may be written into the images, where the source does not exclude it.

    The source is asked in the background: it may lie on a slow disk.
    """

    def __init__(self, pullback: Pullback, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWordWrap(True)
        paint(self, theme.WARNING)
        self._wanted = False
        self.task = CurrentTask(self)
        task = Task(self.tr("Looking for text in the images"), partial(_words, pullback), self)
        task.item.connect(self._say)
        task.failed.connect(self._say)
        for ended in (task.finished, task.failed):
            ended.connect(self.task.done)
        self._show()
        self.task.start(task)

    def set_wanted(self, wanted: bool) -> None:
        """Show the warning, if there is one, or leave it out."""
        self._wanted = wanted
        self._show()

    def _say(self, words: str) -> None:
        self.setText(words)
        self._show()

    def _show(self) -> None:
        self.setVisible(self._wanted and bool(self.text()))


def _words(pullback: Pullback) -> Iterator[str]:
    # Brings highdicom, which takes long to load.
    from calcviewer.app.exchange.anonymous_study import burned_in_warnings

    yield "\n".join(burned_in_warnings(pullback))
