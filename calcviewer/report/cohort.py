"""The figures of a cohort on one PDF page: scores, arc against thickness, calcium lengths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import numpy as np
from reportlab.lib.colors import Color, HexColor
from reportlab.lib.pagesizes import A4, LETTER, landscape
from reportlab.pdfgen.canvas import Canvas

from calcviewer.core.atomic import staged_file
from calcviewer.report import style
from calcviewer.report.content import RESEARCH_USE, Tone
from calcviewer.report.figures import SMALL_PT, write_with
from calcviewer.report.pdf import PageSize, shortened
from calcviewer.report.views import Box

_TEXT_PT = 7.5
_TITLE_PT = 10.0
_POINT_PT = 2.6
_BRIDGED = HexColor("#9DBEE3")
_MOST_NAMES = 48
"""More bars than these have no room for names."""
_NAME_PT = 76.0
_LOWER_PART = 0.28
_HEADROOM = 1.1
_ARC_STEP_DEG = 90
_FULL_CIRCLE_DEG = 360


@dataclass(frozen=True)
class LesionPoint:
    """A lesion as a point: its two arcs, and its thickness."""

    arc_visible_deg: float
    arc_bridged_deg: float
    thickness_mm: float


@dataclass(frozen=True)
class LengthBar:
    """The calcium of a pullback as a bar: the length of every lesion, mm."""

    name: str
    lesions_mm: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class CohortContent:
    """What the page shows.

    Parameters
    ----------
    title, facts
        What stands above the figures; a fact is a line.
    scores
        How many pullbacks have which score, by its words, in the order of the bars.
    arc_threshold_deg, thickness_threshold_mm
        Above them a lesion scores.
    notes
        What is not shown, and why.
    """

    title: str
    facts: tuple[str, ...]
    program: str
    scores: Mapping[str, int]
    lesions: tuple[LesionPoint, ...]
    lengths: tuple[LengthBar, ...]
    arc_threshold_deg: float
    thickness_threshold_mm: float
    notes: tuple[str, ...] = ()


def write_cohort_page(content: CohortContent, path: Path, *, page_size: PageSize = "A4") -> None:
    """Write the page as a PDF file; the same content gives the same bytes.

    Raises
    ------
    CalcViewerError
        When it cannot be written.
    """
    style.register_fonts()
    width, height = landscape(A4 if page_size == "A4" else LETTER)
    stream = BytesIO()
    canvas = Canvas(
        stream, pagesize=(width, height), invariant=1, initialFontName=style.REGULAR, lang="en"
    )
    canvas.setTitle(content.title)
    canvas.setAuthor(content.program)
    canvas.setSubject(RESEARCH_USE)
    left, right = style.MARGIN_PT, width - style.MARGIN_PT
    top = _draw_head(canvas, content, left, right, height - style.MARGIN_PT)
    bottom = _draw_foot(canvas, content, left, right)
    names_pt = _NAME_PT if len(content.lengths) <= _MOST_NAMES else 16.0
    lower = Box(left + 32, bottom + names_pt, right - left - 32, _LOWER_PART * (top - bottom))
    upper_y = lower.y + lower.height + 58
    upper_height = top - upper_y - 22
    half = (right - left - 40) / 2
    _draw_scores(canvas, content.scores, Box(left + 32, upper_y, half - 32, upper_height))
    _draw_lesions(canvas, content, Box(right - half + 32, upper_y, half - 32, upper_height))
    _draw_lengths(canvas, content.lengths, lower)
    canvas.save()
    with staged_file(path) as stage:
        stage.write_bytes(stream.getvalue())


def _draw_head(
    canvas: Canvas, content: CohortContent, left: float, right: float, top: float
) -> float:
    """Write title and facts; return where they end."""
    write_with(canvas, style.INK, 16, style.BOLD)
    canvas.drawString(left, top - 14, shortened(content.title, style.BOLD, 16, right - left))
    y = top - 19
    write_with(canvas, style.QUIET, 8.5)
    for fact in content.facts:
        y -= 12
        canvas.drawString(left, y, shortened(fact, style.REGULAR, 8.5, right - left))
    return y - 8


def _draw_foot(canvas: Canvas, content: CohortContent, left: float, right: float) -> float:
    """Write notes and footer; return where they begin."""
    y = style.MARGIN_PT - 14
    write_with(canvas, style.INK, _TEXT_PT, style.BOLD)
    canvas.drawString(left, y, RESEARCH_USE)
    write_with(canvas, style.QUIET, _TEXT_PT)
    canvas.drawRightString(right, y, content.program)
    for note in reversed(content.notes):
        y += 11
        canvas.drawString(left, y, note)
    return y + 16


def _draw_title(canvas: Canvas, box: Box, title: str, remark: str = "") -> None:
    write_with(canvas, style.INK, _TITLE_PT, style.BOLD)
    canvas.drawString(box.x - 32, box.y + box.height + 9, title)
    x = box.x - 32 + canvas.stringWidth(title, style.BOLD, _TITLE_PT) + 6
    write_with(canvas, style.QUIET, _TEXT_PT)
    canvas.drawString(x, box.y + box.height + 9, remark)


def _draw_values(canvas: Canvas, box: Box, *, top: float, unit: str, whole: bool = False) -> None:
    """Draw the value axis on the left, from 0, with a pale line across the box at round values."""
    canvas.setStrokeColor(style.RULE)
    canvas.setLineWidth(0.4)
    write_with(canvas, style.QUIET, SMALL_PT)
    step = _step(top, whole=whole)
    for tick in np.arange(0, top * (1 + 1e-9), step):
        y = box.y + tick / top * box.height
        canvas.line(box.x, y, box.x + box.width, y)
        canvas.drawRightString(box.x - 4, y - 2.3, f"{tick:g}")
    canvas.saveState()
    canvas.translate(box.x - 24, box.y + box.height / 2)
    canvas.rotate(90)
    canvas.drawCentredString(0, 0, unit)
    canvas.restoreState()


def _step(top: float, *, whole: bool) -> float:
    """Return the round step that divides a value axis into three to five parts."""
    power = 10.0 ** np.floor(np.log10(top / 5))
    step = next(one * power for one in (1, 2, 2.5, 5, 10) if one * power >= 0.999 * top / 5)
    return max(1.0, float(np.ceil(step))) if whole else float(step)


def _draw_scores(canvas: Canvas, scores: Mapping[str, int], box: Box) -> None:
    _draw_title(canvas, box, "Score", "of the most severe lesion")
    top = _HEADROOM * max(*scores.values(), 1)
    _draw_values(canvas, box, top=top, unit="pullbacks", whole=True)
    pitch = box.width / max(len(scores), 1)
    for index, (words, count) in enumerate(scores.items()):
        middle = box.x + (index + 0.5) * pitch
        height = count / top * box.height
        canvas.setFillColor(style.ACCENT if words.isdigit() else style.QUIET)
        canvas.rect(middle - 0.31 * pitch, box.y, 0.62 * pitch, height, stroke=0, fill=1)
        write_with(canvas, style.INK, _TEXT_PT, style.BOLD)
        if count:
            canvas.drawCentredString(middle, box.y + height + 3, str(count))
        write_with(canvas, style.INK, _TEXT_PT)
        for line, part in enumerate(words.split()):
            canvas.drawCentredString(middle, box.y - 11 - 9 * line, part)
    _draw_base(canvas, box)


def _draw_lesions(canvas: Canvas, content: CohortContent, box: Box) -> None:
    _draw_title(canvas, box, "Arc and thickness", "a point for every lesion")
    thickest = max((one.thickness_mm for one in content.lesions), default=0.0)
    top_mm = _HEADROOM * max(thickest, 1.5 * content.thickness_threshold_mm)
    _draw_values(canvas, box, top=top_mm, unit="maximum thickness, mm")
    write_with(canvas, style.QUIET, SMALL_PT)
    for arc_deg in range(0, _FULL_CIRCLE_DEG + 1, _ARC_STEP_DEG):
        x = box.x + arc_deg / _FULL_CIRCLE_DEG * box.width
        canvas.line(x, box.y, x, box.y - 2.5)
        canvas.drawCentredString(x, box.y - 10, f"{arc_deg}°")
    middle = box.x + box.width / 2
    canvas.drawCentredString(middle, box.y - 20, "maximum arc: point visible, line to bridged")
    _draw_thresholds(canvas, content, box, top_mm=top_mm)
    scale = np.array([box.width / _FULL_CIRCLE_DEG, box.height / top_mm])
    canvas.setStrokeColor(_BRIDGED)
    canvas.setLineWidth(0.8)
    for lesion in content.lesions:
        x, y = (box.x, box.y) + scale * (lesion.arc_visible_deg, lesion.thickness_mm)
        canvas.line(x, y, box.x + scale[0] * lesion.arc_bridged_deg, y)
    canvas.setFillColor(style.ACCENT)
    canvas.setStrokeColor(style.WHITE)
    canvas.setLineWidth(0.4)
    for lesion in content.lesions:
        x, y = (box.x, box.y) + scale * (lesion.arc_visible_deg, lesion.thickness_mm)
        canvas.circle(x, y, _POINT_PT, stroke=1, fill=1)
    _draw_base(canvas, box)


def _draw_thresholds(canvas: Canvas, content: CohortContent, box: Box, *, top_mm: float) -> None:
    x = box.x + content.arc_threshold_deg / _FULL_CIRCLE_DEG * box.width
    y = box.y + content.thickness_threshold_mm / top_mm * box.height
    canvas.setStrokeColor(style.WARNING)
    canvas.setLineWidth(0.7)
    canvas.setDash(4, 2)
    canvas.line(x, box.y, x, box.y + box.height)
    canvas.line(box.x, y, box.x + box.width, y)
    canvas.setDash()
    write_with(canvas, style.WARNING, SMALL_PT, style.BOLD)
    canvas.drawCentredString(x, box.y + box.height + 2.5, f"{content.arc_threshold_deg:g}°")
    right = box.x + box.width
    canvas.drawRightString(right - 1, y + 2.5, f"{content.thickness_threshold_mm:g} mm")


def _draw_lengths(canvas: Canvas, bars: Sequence[LengthBar], box: Box) -> None:
    _draw_title(canvas, box, "Calcium length", "of all lesions of a pullback, one upon the other")
    top_mm = _HEADROOM * max([1.0, *(sum(bar.lesions_mm) for bar in bars)])
    _draw_values(canvas, box, top=top_mm, unit="mm")
    ordered = sorted(bars, key=lambda bar: (-sum(bar.lesions_mm), bar.name))
    pitch = box.width / max(len(bars), 8)
    for index, bar in enumerate(ordered):
        x = box.x + (index + 0.19) * pitch
        edges = box.y + np.cumsum([0.0, *bar.lesions_mm]) / top_mm * box.height
        for low, high in pairwise(edges):
            _fill(canvas, Box(x, low, 0.62 * pitch, high - low), style.TONE_ON_PAPER[Tone.CALCIUM])
        if len(bars) <= _MOST_NAMES:
            _draw_name(canvas, bar.name, x + 0.31 * pitch, box.y)
    if len(bars) > _MOST_NAMES:
        write_with(canvas, style.QUIET, SMALL_PT)
        words = f"{len(bars)} pullbacks, the longest calcium first"
        canvas.drawCentredString(box.x + box.width / 2, box.y - 12, words)
    _draw_base(canvas, box)


def _fill(canvas: Canvas, box: Box, colour: Color) -> None:
    """Fill a box with a thin white edge, which tells it from the next."""
    canvas.setFillColor(colour)
    canvas.setStrokeColor(style.WHITE)
    canvas.setLineWidth(0.6)
    canvas.rect(*box, stroke=1, fill=1)


def _draw_name(canvas: Canvas, name: str, x: float, y: float) -> None:
    canvas.saveState()
    canvas.translate(x + 2, y - 5)
    canvas.rotate(60)
    write_with(canvas, style.INK, SMALL_PT)
    canvas.drawRightString(0, 0, shortened(name, style.REGULAR, SMALL_PT, _NAME_PT))
    canvas.restoreState()


def _draw_base(canvas: Canvas, box: Box) -> None:
    canvas.setStrokeColor(style.QUIET)
    canvas.setLineWidth(0.6)
    canvas.line(box.x, box.y, box.x + box.width, box.y)
