"""The choices of every kind of export, with a look at what will be written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QHideEvent, QImage, QPixmap
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QComboBox,
    QFormLayout,
    QLabel,
    QRadioButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from calcviewer.app.animation import animation_frames
from calcviewer.app.export import PAGE_SIZES, SPEEDS, report_bytes
from calcviewer.app.results import Results
from calcviewer.app.review import lesion_in_view
from calcviewer.app.session import IvoctStudy
from calcviewer.gui import theme
from calcviewer.gui.current_task import CurrentTask
from calcviewer.gui.panels.card import quiet
from calcviewer.gui.panels.figures import frame_range
from calcviewer.gui.pdf_pages import pages
from calcviewer.gui.shown import ShownStudy
from calcviewer.gui.snapshot import snapshot
from calcviewer.gui.task import Task
from calcviewer.report.pdf import PageSize

_PAGE_PX = 1000
_THUMBNAIL = QSize(520, 380)
WINDOW = "window"


class TextPage(QWidget):
    """An export without choices: what it holds, in words."""

    def __init__(self, words: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        layout = QVBoxLayout(self)
        layout.addWidget(quiet(words, wrap=True))
        layout.addStretch(1)


class ReportPage(QWidget):
    """The PDF report: paper, and its pages as they will be written.

    Signals
    -------
    failed
        Why the report could not be made, in one line.
    """

    failed = Signal(str)

    def __init__(self, shown: ShownStudy, page_size: PageSize, parent: QWidget) -> None:
        super().__init__(parent)
        self._shown = shown
        self._task = CurrentTask(self)
        self._made: tuple[IvoctStudy, PageSize, bytes] | None = None
        self.paper = QComboBox()
        for size in PAGE_SIZES:
            self.paper.addItem(size if size == "A4" else self.tr("Letter"), size)
        self.paper.setCurrentIndex(PAGE_SIZES.index(page_size))
        self.paper.currentIndexChanged.connect(self.preview)
        self.state = quiet("", wrap=True)
        self._sheets = QWidget()
        self._column = QVBoxLayout(self._sheets)
        self._column.setSpacing(12)
        self._area = QScrollArea()
        self._area.setWidgetResizable(True)
        self._area.setWidget(self._sheets)
        form = QFormLayout()
        form.addRow(self.tr("Paper"), self.paper)
        layout = QVBoxLayout(self)
        layout.addLayout(form)
        layout.addWidget(self.state)
        layout.addWidget(self._area, 1)

    @property
    def page_size(self) -> PageSize:
        """The paper that is chosen."""
        return PAGE_SIZES[max(self.paper.currentIndex(), 0)]

    @property
    def document(self) -> bytes | None:
        """The report on this paper as it was previewed; None when the study has changed since."""
        if self._made is None:
            return None
        study, page_size, document = self._made
        current = study is self._shown.session.study and page_size == self.page_size
        return document if current else None

    def preview(self) -> None:
        """Make the report and show its pages, unless that is done."""
        if self.document is not None:
            return
        self.stop()
        self._clear()
        self.state.setText(self.tr("Building the preview…"))
        self.state.show()
        session = self._shown.session
        study, size = session.study, self.page_size
        work = partial(_report_and_pages, study, session.results, size)
        task = Task(self.tr("Building the preview"), work, self)
        task.item.connect(lambda item: self._take(study, size, item))
        task.finished.connect(self.state.hide)
        task.finished.connect(self._task.done)
        task.failed.connect(self._fail)
        self._task.start(task)

    def stop(self) -> None:
        """End the preview in work."""
        self._task.cancel()

    def hideEvent(self, event: QHideEvent) -> None:
        """Make nothing that nobody sees."""
        super().hideEvent(event)
        self.stop()

    def _take(self, study: IvoctStudy, size: PageSize, item: bytes | QImage) -> None:
        if isinstance(item, bytes):
            self._made = (study, size, item)
            return
        sheet = QLabel()
        ratio = self.devicePixelRatioF()
        width = round(max(self._area.viewport().width() - 40, 300) * ratio)
        smooth = Qt.TransformationMode.SmoothTransformation
        scaled = item.scaledToWidth(width, smooth)
        scaled.setDevicePixelRatio(ratio)
        sheet.setPixmap(QPixmap.fromImage(scaled))
        sheet.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._column.addWidget(sheet)

    def _fail(self, reason: str) -> None:
        self._task.done()
        self.state.setText(reason)
        self.failed.emit(reason)

    def _clear(self) -> None:
        while (item := self._column.takeAt(0)) is not None:
            sheet = item.widget()
            if sheet is not None:
                sheet.deleteLater()


def _report_and_pages(
    study: IvoctStudy, results: Results, size: PageSize
) -> Iterator[bytes | QImage]:
    """Yield the report, then its pages."""
    document = report_bytes(study, results, page_size=size)
    yield document
    yield from pages(document, _PAGE_PX)


class PicturePage(QWidget):
    """A picture of one view or of the whole window, as it is on screen."""

    changed = Signal()

    def __init__(self, window: QWidget, views: Mapping[str, QWidget], words: str) -> None:
        super().__init__()
        self._targets = {WINDOW: window, **views}
        self._words = words
        self.what = QComboBox()
        names = {
            WINDOW: self.tr("Whole window"),
            "cross_section": self.tr("Cross-section"),
            "polar": self.tr("Polar view"),
            "longitudinal": self.tr("Longitudinal view"),
            "calcium_map": self.tr("Calcium map"),
            "trends": self.tr("Trends"),
            "volume": self.tr("3-D view"),
        }
        for key, target in self._targets.items():
            if target.isVisible():
                self.what.addItem(names.get(key, key), key)
        self._thumbnail = QLabel()
        self._thumbnail.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._thumbnail.setStyleSheet(f"background: {theme.SURFACE}; border-radius: 8px;")
        self.what.currentIndexChanged.connect(self.preview)
        self.what.currentIndexChanged.connect(self.changed)
        form = QFormLayout()
        form.addRow(self.tr("What"), self.what)
        layout = QVBoxLayout(self)
        layout.addLayout(form)
        layout.addWidget(self._thumbnail, 1)

    @property
    def key(self) -> str:
        """What is chosen: `WINDOW` or the name of a view."""
        return str(self.what.currentData() or WINDOW)

    def picture(self) -> QImage:
        """Return the picture as it is now."""
        return snapshot(self._targets[self.key], self._words)

    def preview(self) -> None:
        """Show the picture, small."""
        small = QPixmap.fromImage(self.picture()).scaled(
            _THUMBNAIL,
            Qt.AspectRatioMode.KeepAspectRatio,
            Qt.TransformationMode.SmoothTransformation,
        )
        self._thumbnail.setPixmap(small)


class AnimationPage(QWidget):
    """An animated GIF: which frames, how fast, and whether contours are drawn."""

    changed = Signal()

    def __init__(self, study: IvoctStudy, results: Results, frame: int) -> None:
        super().__init__()
        self._ranges = QButtonGroup(self)
        self._spans: list[tuple[int, int]] = []
        layout = QVBoxLayout(self)
        layout.addWidget(QLabel(self.tr("Frames")))
        lesion = lesion_in_view(results, frame)
        if study.review.voi is not None:
            self._offer(layout, self.tr("Volume of interest, {frames}"), study.review.voi)
        if lesion is not None:
            self._offer(layout, self.tr("Lesion in view, {frames}"), lesion.frame_range)
        whole = (0, study.pullback.frame_count - 1)
        self._offer(layout, self.tr("Whole pullback, {frames}"), whole)
        self._ranges.button(0).setChecked(True)
        self.speed = QComboBox()
        for speed in SPEEDS:
            self.speed.addItem(self.tr("{n} frames a second").format(n=speed), speed)
        self.overlay = QCheckBox(self.tr("Draw the contours"))
        form = QFormLayout()
        form.addRow(self.tr("Speed"), self.speed)
        layout.addLayout(form)
        layout.addWidget(self.overlay)
        self._thinned = quiet("", wrap=True)
        layout.addWidget(self._thinned)
        layout.addStretch(1)
        self._ranges.idToggled.connect(self._tell)
        self._tell()

    @property
    def span(self) -> tuple[int, int]:
        """First and last frame (0-based) that are chosen."""
        return self._spans[self._ranges.checkedId()]

    @property
    def frames(self) -> range:
        """The frames of the animation."""
        return animation_frames(*self.span)

    def _offer(self, layout: QVBoxLayout, words: str, span: tuple[int, int]) -> None:
        button = QRadioButton(words.format(frames=frame_range(*span)))
        button.setMinimumHeight(theme.HIT_PX)
        self._ranges.addButton(button, len(self._spans))
        self._spans.append(span)
        layout.addWidget(button)

    def _tell(self) -> None:
        step = self.frames.step
        words = self.tr("One frame in {n}, so that the file stays small.").format(n=step)
        self._thinned.setText(words if step > 1 else "")
        self.changed.emit()
