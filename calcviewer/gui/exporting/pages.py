"""The choices of every kind of export, with a look at what will be written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from PySide6.QtCore import QCoreApplication, QSize, Qt, Signal
from PySide6.QtGui import QHideEvent, QImage, QPixmap, QStandardItemModel
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
from calcviewer.app.export import ExportKind, corners_may_name
from calcviewer.app.export_choices import PAGE_SIZES, SPEEDS
from calcviewer.app.lesion_report.printed import report_bytes
from calcviewer.app.results import Results
from calcviewer.app.review import lesion_in_view
from calcviewer.app.session import IvoctStudy
from calcviewer.core.pullback import Pullback
from calcviewer.gui import theme
from calcviewer.gui.current_task import CurrentTask
from calcviewer.gui.exporting.pdf_pages import pages
from calcviewer.gui.exporting.snapshot import snapshot
from calcviewer.gui.panels.card import quiet, warning
from calcviewer.gui.panels.figures import frame_range
from calcviewer.gui.shown import ShownStudy
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


def words_page(kind: ExportKind, pullback: Pullback) -> TextPage:
    """Return the page of a kind without choices."""
    tr = QCoreApplication.translate
    words = {
        ExportKind.CSV: tr(
            "export",
            "Two tables for spreadsheets: every measured frame, and every lesion with its score. "
            "Frames are numbered from 1; a value that could not be measured is empty.",
        ),
        ExportKind.JSON: tr(
            "export",
            "Everything that was measured, with calibration, protocol, model and decisive frames, "
            "for programs. A value that could not be measured is null.",
        ),
        ExportKind.SEG: tr(
            "export",
            "Lumen, calcium and guidewire shadow of every frame, on the pixels of the pullback. "
            "Archives keep it beside the pullback, other programs draw it over the frames; here "
            "Open results… brings it back exactly.",
        ),
        ExportKind.SR: tr(
            "export",
            "Every lesion with its score, and every measured frame, as a structured report. "
            "Here Open results… shows it beside the measurements as a second reader's.",
        ),
        ExportKind.NIFTI: tr(
            "export",
            "One volume of labels in mm for programs of research: 1 lumen, 2 calcium, 3 guidewire "
            "shadow.",
        ),
    }[kind]
    if kind in (ExportKind.SEG, ExportKind.SR) and pullback.source.kind != "dicom":
        words += "\n\n" + tr(
            "export",
            "The pullback is no DICOM image: the file belongs to a study of its own, without a "
            "patient.",
        )
    return TextPage(words)


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
        self._deidentified = False
        self._made: tuple[IvoctStudy, PageSize, bool, bytes] | None = None
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
        """The report as it was previewed; None when it would be another one now."""
        if self._made is None:
            return None
        study, page_size, deidentified, document = self._made
        now = self._shown.session.study, self.page_size, self._deidentified
        return document if (study, page_size, deidentified) == now else None

    def set_deidentified(self, deidentified: bool) -> None:
        """Show the report with the patient or, if ``deidentified``, without."""
        self._deidentified = deidentified
        if self.isVisible():
            self.preview()

    def preview(self) -> None:
        """Make the report and show its pages, unless that is done."""
        if self.document is not None:
            return
        self.stop()
        self._clear()
        self.state.setText(self.tr("Building the preview…"))
        self.state.show()
        session, size, bare = self._shown.session, self.page_size, self._deidentified
        study = session.study
        work = partial(_report_and_pages, study, session.results, size, deidentify=bare)
        task = Task(self.tr("Building the preview"), work, self)
        task.item.connect(lambda item: self._take((study, size, bare), item))
        task.finished.connect(self.state.hide)
        task.finished.connect(self._task.done)
        task.failed.connect(self._fail)
        self._task.start(task)

    def stop(self) -> None:
        """End the preview in work; the next one begins anew."""
        if self._task.running:
            self._made = None
        self._task.cancel()

    def hideEvent(self, event: QHideEvent) -> None:
        """Make nothing that nobody sees."""
        super().hideEvent(event)
        self.stop()

    def _take(self, asked: tuple[IvoctStudy, PageSize, bool], item: bytes | QImage) -> None:
        if isinstance(item, bytes):
            self._made = (*asked, item)
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
    study: IvoctStudy, results: Results, size: PageSize, *, deidentify: bool
) -> Iterator[bytes | QImage]:
    """Yield the report, then its pages."""
    document = report_bytes(study, results, page_size=size, deidentify=deidentify)
    yield document
    yield from pages(document, _PAGE_PX)


class PicturePage(QWidget):
    """A picture of one view or of the whole window, as it is on screen.

    Signals
    -------
    changed
        Another picture is chosen, or none can be.
    """

    changed = Signal()

    def __init__(
        self, window: QWidget, views: Mapping[str, QWidget], shown: ShownStudy, frame: int
    ) -> None:
        super().__init__()
        self._targets = {WINDOW: window, **views}
        self._shown, self._frame = shown, frame
        self._deidentified = False
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
        self.reason = warning()
        self._thumbnail = QLabel()
        self._thumbnail.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._thumbnail.setStyleSheet(f"background: {theme.SURFACE}; border-radius: 8px;")
        self.what.currentIndexChanged.connect(self.preview)
        self.what.currentIndexChanged.connect(self.changed)
        form = QFormLayout()
        form.addRow(self.tr("What"), self.what)
        layout = QVBoxLayout(self)
        layout.addLayout(form)
        layout.addWidget(self.reason)
        layout.addWidget(self._thumbnail, 1)
        self._offer()

    @property
    def key(self) -> str:
        """What is chosen: `WINDOW` or the name of a view."""
        return str(self.what.currentData() or WINDOW)

    @property
    def refusal(self) -> str:
        """Why what is chosen cannot be written; empty when it can."""
        return self._refusal(self.key)

    def choose(self, key: str) -> None:
        """Choose a picture, if it can be written."""
        place = self.what.findData(key)
        if place >= 0 and not self._refusal(key):
            self.what.setCurrentIndex(place)

    def set_deidentified(self, deidentified: bool) -> None:
        """Offer only what names nobody, if ``deidentified``."""
        self._deidentified = deidentified
        self._offer()
        self.preview()
        self.changed.emit()

    def picture(self) -> QImage:
        """Return the picture as it is now."""
        pullback = self._shown.session.study.pullback
        words = self.tr("{name} · frame {n} of {count}").format(
            name=self.tr("De-identified pullback") if self._deidentified else pullback.name,
            n=self._frame + 1,
            count=pullback.frame_count,
        )
        return snapshot(self._targets[self.key], words)

    def preview(self) -> None:
        """Show the picture, small."""
        if not self.isVisible():
            return
        small = QPixmap.fromImage(self.picture()).scaled(
            _THUMBNAIL,
            Qt.AspectRatioMode.KeepAspectRatio,
            Qt.TransformationMode.SmoothTransformation,
        )
        self._thumbnail.setPixmap(small)

    def _offer(self) -> None:
        """Grey out what cannot be written, and say why."""
        model = self.what.model()
        assert isinstance(model, QStandardItemModel)
        reasons = [self._refusal(str(self.what.itemData(row))) for row in range(self.what.count())]
        for row, reason in enumerate(reasons):
            model.item(row).setEnabled(not reason)
            self.what.setItemData(row, reason, Qt.ItemDataRole.ToolTipRole)
        if self.refusal and "" in reasons:
            self.what.setCurrentIndex(reasons.index(""))
        self.reason.setText("\n".join(dict.fromkeys(reason for reason in reasons if reason)))
        self.reason.setVisible(any(reasons))

    def _refusal(self, key: str) -> str:
        if not self._deidentified:
            return ""
        if key == WINDOW:
            return self.tr("Not the whole window: it shows the name of the pullback.")
        study = self._shown.session.study
        if key == "cross_section" and corners_may_name(study.pullback):
            return self.tr(
                "Not the cross-section: its corners may show what the console wrote. The "
                "animation leaves them out."
            )
        if key in ("cross_section", "polar") and self._is_explained():
            return self.tr("Not a view of this frame: words in it say why it does not count.")
        return ""

    def _is_explained(self) -> bool:
        """Whether views of the frame hold free text or the name of a file."""
        study = self._shown.session.study
        annotation = study.annotation(self._frame)
        return (
            self._frame in study.review.excluded
            or bool(annotation and annotation.failure)
            or bool(self._shown.pictures.fault(self._frame))
        )


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
