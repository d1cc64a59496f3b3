"""What the window shows before a study is open: open one, a recent one, or the demo."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QImage, QPixmap, QShowEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from calcviewer.gui.icons import icon
from calcviewer.gui.opening import recent_entries
from calcviewer.gui.theme import named, text_font

_WIDTH_PX = 620
_RECENT_ROW_PX = 48
_GLIMPSE_PX = 280


class StartPage(QWidget):
    """Offers everything by which a study can be opened.

    Signals
    -------
    file_asked, folder_asked, pacs_asked, demo_asked, cancel_asked
        The operator pressed that button.
    recent_asked
        A path of the recent list was chosen.
    """

    file_asked = Signal()
    folder_asked = Signal()
    pacs_asked = Signal()
    demo_asked = Signal()
    cancel_asked = Signal()
    recent_asked = Signal(Path)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("page")
        self._column = QVBoxLayout()
        self._column.setSpacing(12)
        self._add_heading()
        self._add_buttons()
        self._add_progress()
        self._add_recent()
        row = QHBoxLayout(self)
        row.addStretch(1)
        holder = QWidget()
        holder.setFixedWidth(_WIDTH_PX)
        holder.setLayout(self._column)
        row.addWidget(holder)
        row.addStretch(1)

    def showEvent(self, event: QShowEvent) -> None:
        """Let Enter open a file at once."""
        super().showEvent(event)
        self._first.setFocus()

    def show_recent(self, paths: Sequence[str]) -> None:
        """Fill the recent list; studies that are no longer there cannot be chosen."""
        self._recent.clear()
        for (name, folder, there), path in zip(recent_entries(paths), paths, strict=True):
            gone = "" if there else "  ·  " + self.tr("not found")
            entry = QListWidgetItem(f"{name}\n{folder}{gone}")
            entry.setData(Qt.ItemDataRole.UserRole, path)
            entry.setSizeHint(QSize(0, _RECENT_ROW_PX))
            if not there:
                entry.setFlags(Qt.ItemFlag.NoItemFlags)
            self._recent.addItem(entry)
        self._recent.setVisible(bool(paths))
        self._no_recent.setVisible(not paths)

    def show_glimpse(self, picture: QImage) -> None:
        """Show the first picture of what is being opened, before the rest is read."""
        size = QSize(_GLIMPSE_PX, _GLIMPSE_PX)
        scaled = picture.scaled(
            size,
            Qt.AspectRatioMode.KeepAspectRatio,
            Qt.TransformationMode.SmoothTransformation,
        )
        self._glimpse.setPixmap(QPixmap.fromImage(scaled))
        self._glimpse.show()

    def show_work(self, what: str) -> None:
        """Say what is being opened; an empty text ends it."""
        if not what:
            self._glimpse.clear()
            self._glimpse.hide()
        self._work.setVisible(bool(what))
        self._what.setText(what)
        self._bar.setRange(0, 0)

    def show_progress(self, done: int, wanted: int) -> None:
        """Move the bar of what is being opened."""
        self._bar.setRange(0, wanted)
        self._bar.setValue(done)

    def _add_heading(self) -> None:
        name = QLabel("CalcViewer")
        name.setFont(text_font(28, bold=True))
        name.setStyleSheet("font-size: 28px; font-weight: 600;")
        about = named(
            QLabel(self.tr("Coronary calcium in intravascular OCT: segment, measure, score.")),
            "quiet",
        )
        notice = named(QLabel(self.tr("Research use only. Not for diagnostic use.")), "research")
        notice.setAlignment(Qt.AlignmentFlag.AlignCenter)
        notice.setSizePolicy(notice.sizePolicy().Policy.Maximum, notice.sizePolicy().Policy.Fixed)
        self._column.addStretch(1)
        for label in (name, about, notice):
            self._column.addWidget(label)

    def _add_buttons(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(8)
        texts = (
            (self.tr("Open file…"), self.file_asked, "primary"),
            (self.tr("Open folder…"), self.folder_asked, ""),
            (self.tr("PACS…"), self.pacs_asked, ""),
            (self.tr("Simulated demo"), self.demo_asked, ""),
        )
        for text, asked, look in texts:
            button = named(QPushButton(text), look)
            button.setMinimumHeight(40)
            button.clicked.connect(asked)
            row.addWidget(button, 1)
            if look == "primary":
                self._first = button
        self._column.addSpacing(12)
        self._column.addLayout(row)
        hint = named(
            QLabel(
                self.tr(
                    "or drop a DICOM file, a TIFF, an array or a folder of frames on the window"
                )
            ),
            "quiet",
        )
        self._column.addWidget(hint)

    def _add_progress(self) -> None:
        self._work = named(QFrame(), "card")
        self._what = QLabel()
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        cancel = named(QPushButton(icon("close"), self.tr("Cancel")), "flat")
        cancel.clicked.connect(self.cancel_asked)
        row = QHBoxLayout(self._work)
        row.addWidget(self._what)
        row.addWidget(self._bar, 1)
        row.addWidget(cancel)
        self._work.hide()
        self._glimpse = QLabel()
        self._glimpse.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._glimpse.hide()
        self._column.addWidget(self._work)
        self._column.addWidget(self._glimpse)

    def _add_recent(self) -> None:
        title = named(QLabel(self.tr("Recent")), "title")
        self._no_recent = named(
            QLabel(
                self.tr("Studies you open are listed here. To look around first, open the demo.")
            ),
            "quiet",
        )
        self._recent = QListWidget()
        self._recent.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._recent.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self._recent.setMaximumHeight(6 * _RECENT_ROW_PX + 4)
        self._recent.itemActivated.connect(self._chosen)
        self._recent.itemClicked.connect(self._chosen)
        self._column.addSpacing(16)
        for widget in (title, self._no_recent, self._recent):
            self._column.addWidget(widget)
        self._column.addStretch(2)

    def _chosen(self, entry: QListWidgetItem) -> None:
        self.recent_asked.emit(Path(entry.data(Qt.ItemDataRole.UserRole)))
