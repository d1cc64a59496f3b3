"""The one place where errors and notes are shown: a banner over the views that waits."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from calcviewer.app.failures import is_bug
from calcviewer.gui.icons import icon
from calcviewer.gui.theme import BORDER, ERROR, ERROR_SURFACE, SURFACE, TEXT, named

_WIDTH_PX = 720
_MARGIN_PX = 16


class Banner(QFrame):
    """Says what happened, what was kept and what to do, until it is dismissed.

    It lies over its parent and blocks nothing. A new message replaces the last one.

    Signals
    -------
    log_asked, report_asked
        The operator wants to see the log, or to save a problem report.
    """

    log_asked = Signal()
    report_asked = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._over = parent
        self.setObjectName("banner")
        self._title = named(QLabel(), "title")
        self._text = QLabel()
        for label in (self._title, self._text):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(True)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        texts = QVBoxLayout()
        texts.setSpacing(4)
        texts.addWidget(self._title)
        texts.addWidget(self._text)
        self._log = named(QPushButton(self.tr("Show log")), "flat")
        self._log.clicked.connect(self.log_asked)
        self._report = named(QPushButton(self.tr("Problem report…")), "flat")
        self._report.clicked.connect(self.report_asked)
        dismiss = named(QPushButton(icon("close"), ""), "flat")
        dismiss.setToolTip(self.tr("Dismiss (Esc)"))
        dismiss.setAccessibleName(self.tr("Dismiss"))
        dismiss.clicked.connect(self.hide)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 10, 10, 10)
        row.addLayout(texts, 1)
        row.addWidget(self._report, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self._log, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(dismiss, 0, Qt.AlignmentFlag.AlignTop)
        self.hide()
        parent.installEventFilter(self)

    @property
    def message(self) -> str:
        """What it says now; empty while it is hidden."""
        return "" if self.isHidden() else f"{self._title.text()}\n{self._text.text()}"

    def show_error(self, what: str, reason: str) -> None:
        """Say that something failed.

        Parameters
        ----------
        what
            What was not done, and what was kept.
        reason
            Why, and what to do. Where it is a bug, a problem report is offered.
        """
        self._log.show()
        self._report.setVisible(is_bug(reason))
        self._show(what, reason, edge=ERROR, surface=ERROR_SURFACE)

    def show_note(self, what: str, text: str, *, report: bool = False) -> None:
        """Tell something that is no failure; with ``report`` it offers a problem report."""
        self._log.hide()
        self._report.setVisible(report)
        self._show(what, text, edge=BORDER, surface=SURFACE)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay in the middle of the parent's upper edge."""
        if event.type() == QEvent.Type.Resize and not self.isHidden():
            self._place()
        return False

    def _show(self, what: str, text: str, *, edge: str, surface: str) -> None:
        self.setStyleSheet(
            f"QFrame#banner {{ background: {surface}; border: 1px solid {edge};"
            f" border-radius: 8px; }} QLabel {{ color: {TEXT}; }}"
        )
        self._title.setText(what)
        self._text.setText(text)
        self._text.setVisible(bool(text))
        self.show()
        self._place()
        self.raise_()

    def _place(self) -> None:
        width = min(_WIDTH_PX, self._over.width() - 2 * _MARGIN_PX)
        self.setGeometry((self._over.width() - width) // 2, _MARGIN_PX, width, 10)
        self.resize(width, self.heightForWidth(width) if self.hasHeightForWidth() else 64)
