"""The program's log, shown in a window."""

from __future__ import annotations

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from calcviewer.app.program_log import log_path
from calcviewer.gui.theme import named

_SHOWN_BYTES = 200_000


def log_tail() -> str:
    """Return the end of the log; why there is none when it cannot be read."""
    try:
        with log_path().open("rb") as stream:
            stream.seek(0, 2)
            stream.seek(max(0, stream.tell() - _SHOWN_BYTES))
            return stream.read().decode("utf-8", errors="replace")
    except FileNotFoundError:
        return ""
    except OSError as error:
        return f"{log_path()}: {error.strerror}"


class LogView(QDialog):
    """Shows the end of the log."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Log"))
        self.resize(900, 520)
        self._text = QPlainTextEdit(readOnly=True)
        self._text.setPlaceholderText(self.tr("Nothing has been logged yet."))
        self._text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self._text.setStyleSheet("font-family: monospace;")
        place = named(QLabel(str(log_path())), "quiet")
        again = QPushButton(self.tr("Read again"))
        again.clicked.connect(self.read_again)
        copy = QPushButton(self.tr("Copy all"))
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self._text.toPlainText()))
        row = QHBoxLayout()
        row.addWidget(place, 1)
        row.addWidget(again)
        row.addWidget(copy)
        column = QVBoxLayout(self)
        column.addWidget(self._text)
        column.addLayout(row)
        self.read_again()

    def read_again(self) -> None:
        """Show what has been logged since."""
        self._text.setPlainText(log_tail())
        bar = self._text.verticalScrollBar()
        bar.setValue(bar.maximum())
