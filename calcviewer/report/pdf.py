"""The report as PDF pages: what a cardiologist needs first, then frames, tables and rules."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any, Final, Literal
from xml.sax.saxutils import escape

from reportlab.lib.pagesizes import A4, LETTER
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    Flowable,
    Frame,
    KeepTogether,
    PageBreak,
    PageTemplate,
    Paragraph,
    Spacer,
)

from calcviewer.core.atomic import staged_file
from calcviewer.core.errors import CalcViewerError
from calcviewer.report import style
from calcviewer.report.content import NOTHING, RESEARCH_USE, LesionSection, ReportContent
from calcviewer.report.panel import PullbackPanel
from calcviewer.report.tables import (
    data_table,
    measurement_columns,
    rows_table,
    score_block,
    side_by_side,
    stamp,
    text,
)
from calcviewer.report.views import KeyFrameSheet

PageSize = Literal["A4", "letter"]
_PAGE_SIZES: Final[dict[PageSize, tuple[float, float]]] = {"A4": A4, "letter": LETTER}
_DISCLAIMER = (
    "Made with CalcViewer from the images and the calibration named above. The values depend on "
    "both, on the contours and on the protocol printed here. The score was derived in one cohort "
    "of stented lesions (Fujino et al., EuroIntervention 2018, doi 10.4244/EIJ-D-17-00962). "
    "It does not replace the judgement of a physician."
)
_SIGN_OFF = ("Read by", "Date", "Signature")


def write_report(content: ReportContent, path: Path, *, page_size: PageSize = "A4") -> None:
    """Write the report as a PDF file.

    The file is written beside its target, checked, and then renamed, so that a failure never
    leaves half a report or destroys an older one.

    Raises
    ------
    CalcViewerError
        When the file cannot be written, or what was written is damaged.
    """
    document = render_report(content, page_size=page_size)
    with staged_file(path) as stage:
        stage.write_bytes(document)
        _check(stage.read_bytes(), document)


def render_report(content: ReportContent, *, page_size: PageSize = "A4") -> bytes:
    """Return the report as the bytes of a PDF file; the same content gives the same bytes."""
    style.register_fonts()
    size = _PAGE_SIZES[page_size]
    width = size[0] - 2 * style.MARGIN_PT
    stream = BytesIO()
    document = BaseDocTemplate(
        stream,
        pagesize=size,
        title=f"{content.title}: {content.name}",
        author=content.program,
        subject=RESEARCH_USE,
        creator=content.program,
        initialFontName=style.REGULAR,
        invariant=1,
        lang="en",
    )
    document.addPageTemplates(_page_templates(content, size))
    document.build(_story(content, width), canvasmaker=partial(_NumberedCanvas, content=content))
    return stream.getvalue()


def _check(written: bytes, document: bytes) -> None:
    """Raise unless the file that was read back is the complete document."""
    pages = len(re.findall(rb"/Type\s*/Page\b", written))
    whole = written.startswith(b"%PDF-") and written.rstrip().endswith(b"%%EOF")
    if written != document or not whole or pages == 0:
        raise CalcViewerError(
            "The report was damaged while it was written.", "Export it again to another disk."
        )


# --- pages ---------------------------------------------------------------------------------------


class _NumberedCanvas(Canvas):  # type: ignore[misc, unused-ignore]
    """Knows the number of pages before it writes the first footer."""

    def __init__(self, *args: Any, content: ReportContent, **options: Any) -> None:  # noqa: ANN401
        super().__init__(*args, **options)
        self._content = content
        self._pages: list[dict[str, Any]] = []

    def showPage(self) -> None:
        """Keep the page until all are known."""
        self._pages.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        """Write every page with its footer."""
        for page in self._pages:
            self.__dict__.update(page)
            self._draw_footer(len(self._pages))
            super().showPage()
        super().save()

    def _draw_footer(self, pages: int) -> None:
        width, _ = self._pagesize
        y = style.MARGIN_PT - 14
        self.setStrokeColor(style.RULE)
        self.setLineWidth(0.5)
        self.line(style.MARGIN_PT, y + 11, width - style.MARGIN_PT, y + 11)
        self.setFillColor(style.INK)
        self.setFont(style.BOLD, 7.5)
        self.drawString(style.MARGIN_PT, y, RESEARCH_USE)
        self.setFillColor(style.QUIET)
        self.setFont(style.REGULAR, 7.5)
        made = f"{self._content.program} · {self._content.generated}"
        self.drawCentredString(width / 2, y, made)
        self.drawRightString(width - style.MARGIN_PT, y, f"Page {self._pageNumber} of {pages}")


def _page_templates(content: ReportContent, size: tuple[float, float]) -> list[PageTemplate]:
    """Return the first page, without a running header, and the others, with one."""
    width, height = size[0] - 2 * style.MARGIN_PT, size[1] - 2 * style.MARGIN_PT
    bare = {"leftPadding": 0, "rightPadding": 0, "topPadding": 0, "bottomPadding": 0}
    first = Frame(style.MARGIN_PT, style.MARGIN_PT, width, height, **bare)
    later = Frame(style.MARGIN_PT, style.MARGIN_PT, width, height - style.HEADER_PT, **bare)

    def draw_header(canvas: Canvas, _document: BaseDocTemplate) -> None:
        _draw_running_header(canvas, content, size)

    return [
        PageTemplate("first", [first], autoNextPageTemplate="later"),
        PageTemplate("later", [later], onPage=draw_header),
    ]


def _draw_running_header(canvas: Canvas, content: ReportContent, size: tuple[float, float]) -> None:
    """Repeat what identifies the report, and its stamps."""
    y = size[1] - style.MARGIN_PT - 6
    right = size[0] - style.MARGIN_PT
    canvas.saveState()
    left_of_stamps = _draw_stamps(canvas, content, right, y - 3)
    words = " · ".join(part for part in (_patient(content), content.name) if part)
    canvas.setFillColor(style.INK)
    canvas.setFont(style.BOLD, 8.5)
    room = left_of_stamps - style.MARGIN_PT - 12
    canvas.drawString(style.MARGIN_PT, y, shortened(words, style.BOLD, 8.5, room))
    canvas.setStrokeColor(style.RULE)
    canvas.setLineWidth(0.5)
    canvas.line(style.MARGIN_PT, y - 7, right, y - 7)
    canvas.restoreState()


def _patient(content: ReportContent) -> str:
    """Return who the patient is; empty when unknown."""
    values = (row.value for row in content.identification if row.label == "Patient")
    return next((value for value in values if value != NOTHING), "")


def shortened(words: str, font: str, size: float, width: float) -> str:
    """Return words with their middle left out when they are too long for a line."""
    if stringWidth(words, font, size) <= width:
        return words
    kept = len(words) - 1
    while kept > 2 and stringWidth(_without_middle(words, kept), font, size) > width:
        kept -= 1
    return _without_middle(words, kept)


def _without_middle(words: str, kept: int) -> str:
    front = (kept + 1) // 2
    return f"{words[:front]}…{words[len(words) - (kept - front) :]}"


def _draw_stamps(canvas: Canvas, content: ReportContent, right: float, y: float) -> float:
    """Draw the stamps from the right; return where the leftmost begins."""
    stamps = [(stamp(content.reviewed), style.GOOD if content.reviewed else style.WARNING)]
    if content.simulated:
        stamps.append(("SIMULATED", style.QUIET))
    for words, colour in stamps:
        width = stringWidth(words, style.BOLD, 8) + 12
        right -= width
        canvas.setStrokeColor(colour)
        canvas.setFillColor(colour)
        canvas.setLineWidth(1)
        canvas.roundRect(right, y, width, 13, 2.5, stroke=1, fill=0)
        canvas.setFont(style.BOLD, 8)
        canvas.drawString(right + 6, y + 3.6, words)
        right -= 6
    return right


class _Masthead(Flowable):  # type: ignore[misc, unused-ignore]
    """Title, stamps and disclaimer at the top of the first page."""

    def __init__(self, content: ReportContent) -> None:
        super().__init__()
        self.content = content

    def wrap(self, available_width: float, available_height: float) -> tuple[float, float]:
        """Take the width of the page."""
        self.width, self.height = available_width, 46.0
        return self.width, self.height

    def draw(self) -> None:
        """Draw it."""
        canvas = self.canv
        canvas.setFillColor(style.INK)
        canvas.setFont(style.BOLD, 16)
        canvas.drawString(0, 28, self.content.title)
        canvas.setFillColor(style.QUIET)
        canvas.setFont(style.REGULAR, 8.5)
        canvas.drawString(0, 14, f"CalcViewer · {RESEARCH_USE}")
        _draw_stamps(canvas, self.content, self.width, 29)
        canvas.setFont(style.REGULAR, 8.5)
        canvas.setFillColor(style.QUIET)
        canvas.drawRightString(self.width, 14, self.content.generated)
        canvas.setStrokeColor(style.INK)
        canvas.setLineWidth(1.2)
        canvas.line(0, 6, self.width, 6)


# --- story ---------------------------------------------------------------------------------------


def _story(content: ReportContent, width: float) -> list[Flowable]:
    """Return everything in reading order."""
    story = [*_first_page(content, width)]
    for lesion in content.lesions:
        story += [PageBreak(), *_lesion_page(content, lesion, width)]
    if content.vessel_key_frames:
        story += [
            *([] if content.lesions else [PageBreak()]),
            text("Vessel: key frames", style.SECTION),
            KeyFrameSheet(content.vessel_key_frames),
        ]
    return [*story, PageBreak(), *_back_matter(content, width)]


def _first_page(content: ReportContent, width: float) -> list[Flowable]:
    half = (width - 16) / 2
    story: list[Flowable] = [
        _Masthead(content),
        side_by_side(
            [text("Identification", style.SECTION), rows_table(content.identification, half)],
            [text("Calibration", style.SECTION), rows_table(content.calibration, half)],
            width,
        ),
    ]
    if content.lesions:
        story += [
            _lesion_heading(content.lesions[0], scored=True),
            *score_block(content.lesions[0], width),
        ]
        if len(content.lesions) > 1:
            story += [Spacer(0, 3), _other_lesions(content.lesions)]
    else:
        story += [text("Calcium", style.SECTION), text(content.no_lesion_text)]
    return [*story, Spacer(0, 8), PullbackPanel(content)]


def _frames_of(lesion: LesionSection) -> str:
    first, last = lesion.first_frame + 1, lesion.last_frame + 1
    return f"frame {first}" if first == last else f"frames {first}–{last}"


def _lesion_heading(lesion: LesionSection, *, scored: bool) -> Paragraph:
    colour = (style.GOOD if lesion.reviewed else style.WARNING).hexval()
    quiet = style.QUIET.hexval()
    what = "Stent-deployment calcium score" if scored else "Measurements and key frames"
    words = f"{what} · lesion {lesion.number}"
    return Paragraph(
        f"{words} · {_frames_of(lesion)} "
        f'<font size="8.5" color="{quiet}">·</font> '
        f'<font size="8" color="{colour}">{stamp(lesion.reviewed)}</font>',
        style.SECTION,
    )


def _other_lesions(lesions: Sequence[LesionSection]) -> Paragraph:
    """Return the scores of all lesions in one line."""
    parts = [
        f"lesion {lesion.number}: <b>{escape(lesion.score)}</b> ({_frames_of(lesion)})"
        for lesion in sorted(lesions, key=lambda lesion: lesion.number)
    ]
    return Paragraph(f"<b>All {len(lesions)} lesions</b>: " + " · ".join(parts), style.SMALL)


def _lesion_page(content: ReportContent, lesion: LesionSection, width: float) -> list[Flowable]:
    """Return a lesion's measurements and key frames, with its score unless page 1 has it."""
    scored_here = lesion is not content.lesions[0]
    story: list[Flowable] = [_lesion_heading(lesion, scored=scored_here)]
    if scored_here:
        story += [*score_block(lesion, width), Spacer(0, 6)]
    if lesion.measurements:
        story.append(measurement_columns(lesion.measurements, width))
    for comment in lesion.comments:
        story.append(text(comment, style.SMALL))
    if lesion.key_frames:
        story += [Spacer(0, 6), KeyFrameSheet(lesion.key_frames)]
    return story


def _back_matter(content: ReportContent, width: float) -> list[Flowable]:
    half = (width - 16) / 2
    story: list[Flowable] = []
    if content.lesion_table is not None:
        title = text(content.lesion_table.title, style.SECTION)
        story += [title, *data_table(content.lesion_table, width)]
    story += [
        Spacer(0, 6),
        side_by_side(
            [text("Vessel", style.SECTION), rows_table(content.vessel, half, 0.42)],
            [text("Model", style.SECTION), rows_table(content.model, half)],
            width,
        ),
    ]
    story += [text("Protocol", style.SECTION), rows_table(content.protocol, width, 0.22)]
    if content.notes:
        story.append(text("Notes", style.SECTION))
        story += [text(note) for note in content.notes]
    return [*story, KeepTogether(_closing(width))]


def _closing(width: float) -> list[Flowable]:
    """Return the disclaimer and the lines to sign on."""
    return [
        text("Disclaimer", style.SECTION),
        Paragraph(f"<b>{RESEARCH_USE}</b> {_DISCLAIMER}", style.BODY),
        _SignOff(),
    ]


class _SignOff(Flowable):  # type: ignore[misc, unused-ignore]
    """Lines for reader, date and signature."""

    def wrap(self, available_width: float, available_height: float) -> tuple[float, float]:
        """Take the width of the page."""
        self.width, self.height = available_width, 62.0
        return self.width, self.height

    def draw(self) -> None:
        """Draw the lines, each with its word below."""
        canvas = self.canv
        gap = 18.0
        each = (self.width - (len(_SIGN_OFF) - 1) * gap) / len(_SIGN_OFF)
        for index, words in enumerate(_SIGN_OFF):
            left = index * (each + gap)
            canvas.setStrokeColor(style.QUIET)
            canvas.setLineWidth(0.6)
            canvas.line(left, 16, left + each, 16)
            canvas.setFillColor(style.QUIET)
            canvas.setFont(style.REGULAR, 7.5)
            canvas.drawString(left, 6, words)
