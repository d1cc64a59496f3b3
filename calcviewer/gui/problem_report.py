"""Shows what a problem report would hold, and saves it when the operator agrees."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

from PySide6.QtCore import Qt, qVersion
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QListWidget,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from calcviewer.app.problem_report import problem_report, write_problem_report
from calcviewer.gui import theme
from calcviewer.gui.current_task import CurrentTask
from calcviewer.gui.panels.card import paint, quiet
from calcviewer.gui.task import Task

_LIST_PX = 190


def window_facts() -> dict[str, object]:
    """Return what a report says of Qt and of the screens."""
    screens = [
        {
            "size_px": screen.size().toTuple(),
            "pixel_ratio": screen.devicePixelRatio(),
            "dots_per_inch": round(screen.logicalDotsPerInch()),
            "refresh_hz": round(screen.refreshRate()),
        }
        for screen in QGuiApplication.screens()
    ]
    return {"qt": qVersion(), "platform": QGuiApplication.platformName(), "screens": screens}


class ProblemReportDialog(QDialog):
    """Lists the files of a report with their content; nothing is written before Save."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Problem report"))
        self.resize(980, 620)
        self._report: Mapping[str, str] = {}
        self._task = CurrentTask(self)
        words = quiet(
            self.tr(
                "This is all that the report holds: nothing of a patient, no image, review or "
                "path. It is not sent: save it, then send it to the developers yourself."
            ),
            wrap=True,
        )
        self.files = QListWidget()
        self.files.setFixedWidth(_LIST_PX)
        self.files.setStyleSheet(
            f"QListView::item:selected {{ background: {theme.ACCENT_QUIET}; color: {theme.TEXT}; }}"
        )
        self.text = QPlainTextEdit(readOnly=True)
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.text.setStyleSheet("font-family: monospace;")
        self.outcome = quiet("", wrap=True)
        close = QPushButton(self.tr("Close"))
        self.save = QPushButton(self.tr("Save…"))
        self.save.setObjectName("primary")
        self.save.setEnabled(False)
        inside = QHBoxLayout()
        inside.addWidget(self.files)
        inside.addWidget(self.text, 1)
        buttons = QHBoxLayout()
        buttons.addWidget(self.outcome, 1)
        buttons.addWidget(close)
        buttons.addWidget(self.save)
        column = QVBoxLayout(self)
        column.setSpacing(10)
        column.addWidget(words)
        column.addLayout(inside, 1)
        column.addLayout(buttons)
        self.files.currentTextChanged.connect(self._show_file)
        close.clicked.connect(self.close)
        self.save.clicked.connect(self._ask_place)
        self._collect()

    def write(self, path: Path) -> None:
        """Write the report that is shown to a file."""
        report = self._report

        def work() -> Iterator[None]:
            write_problem_report(report, path)
            yield

        task = Task(self.tr("Saving"), work, self)
        task.finished.connect(lambda: self._say(self.tr("Saved: {}").format(path), theme.QUIET))
        task.failed.connect(lambda reason: self._say(reason, theme.WARNING))
        self._task.start(task)

    def _collect(self) -> None:
        facts = window_facts()

        def work() -> Iterator[dict[str, str]]:
            yield problem_report(facts)

        task = Task(self.tr("Collecting"), work, self)
        task.item.connect(self._show)
        task.failed.connect(lambda reason: self._say(reason, theme.WARNING))
        self._say(self.tr("Collecting …"), theme.QUIET)
        self._task.start(task)

    def _show(self, report: Mapping[str, str]) -> None:
        self._report = report
        self.files.addItems(list(report))
        self.files.setCurrentRow(0)
        self.save.setEnabled(True)
        self._say("", theme.QUIET)

    def _show_file(self, name: str) -> None:
        self.text.setPlainText(self._report[name])

    def _ask_place(self) -> None:
        dialog = QFileDialog(self, self.tr("Save the problem report"))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("zip")
        dialog.selectFile(f"calcviewer-problem-{date.today():%Y%m%d}.zip")
        dialog.fileSelected.connect(lambda text: self.write(Path(text)))
        dialog.open()

    def _say(self, text: str, colour: str) -> None:
        self.outcome.setText(text)
        paint(self.outcome, colour)
