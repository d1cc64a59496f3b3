"""The pullback as one figure: longitudinal view, calcium map and trends over the same frames."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable

from calcviewer.report import style
from calcviewer.report.content import Flag, ReportContent
from calcviewer.report.figures import (
    SMALL_PT,
    draw_calcium_map,
    draw_longitudinal,
    draw_trend,
    frame_x,
    write_with,
)
from calcviewer.report.views import Box

_GUTTER_LEFT_PT = 42.0
_GUTTER_RIGHT_PT = 40.0
_FLAG_ROW_PT = 11.0
_FLAG_ROWS = 3
_LESION_BAR_PT = 13.0
_GAP_PT = 9.0
_AXIS_PT = 24.0
_TITLE_PT = 10.0
_SMALLEST_PT = 270.0
_LARGEST_PT = 470.0
_LONGITUDINAL_PART, _MAP_PART = 0.31, 0.21
_LARGEST_LONGITUDINAL_PT = 170.0
_LARGEST_TREND_PT = 44.0
_TICKS_WANTED = 8
_TICK_STEPS = (1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000, 2000, 5000)


class PullbackPanel(Flowable):  # type: ignore[misc, unused-ignore]
    """Longitudinal view, calcium map and trends above one another on a common axis of frames."""

    def __init__(self, content: ReportContent) -> None:
        super().__init__()
        self.content = content

    def wrap(self, available_width: float, available_height: float) -> tuple[float, float]:
        """Take the rest of the page, within limits."""
        self.width = available_width
        self.height = float(np.clip(available_height - 1, _SMALLEST_PT, _LARGEST_PT))
        return self.width, self.height

    def draw(self) -> None:
        """Draw the parts from the top down."""
        canvas, content = self.canv, self.content
        frame_width = self.width - _GUTTER_LEFT_PT - _GUTTER_RIGHT_PT
        flags = _place_flags(content.axis.flags, content.axis.frame_count, frame_width)
        flag_height = _FLAG_ROW_PT * (1 + max((row for row, _, _ in flags), default=0)) + 3
        bars = flag_height + _LESION_BAR_PT + _AXIS_PT + _TITLE_PT * (1 + len(content.trends))
        free = self.height - bars - _GAP_PT * (1 + len(content.trends))
        trends = (1 - _LONGITUDINAL_PART - _MAP_PART) * free
        trend_height = min(_LARGEST_TREND_PT, trends / max(1, len(content.trends)))
        # What few trends leave free goes to the longitudinal view.
        spare = trends - trend_height * len(content.trends)
        y = self.height - flag_height
        height = min(_LARGEST_LONGITUDINAL_PT, _LONGITUDINAL_PART * free + spare)
        box = Box(_GUTTER_LEFT_PT, y - height, frame_width, height)
        if content.longitudinal is not None:
            draw_longitudinal(canvas, content, content.longitudinal, box)
        _draw_flags(canvas, content, flags, box)
        _draw_lesion_bars(canvas, content, box)
        y = box.y - _LESION_BAR_PT - _TITLE_PT
        height = _MAP_PART * free
        box = Box(_GUTTER_LEFT_PT, y - height, frame_width, height)
        if content.calcium_map is not None:
            draw_calcium_map(canvas, content.calcium_map, box)
        y = box.y - _GAP_PT
        for trend in content.trends:
            box = Box(_GUTTER_LEFT_PT, y - _TITLE_PT - trend_height, frame_width, trend_height)
            draw_trend(canvas, content, trend, box)
            y = box.y - _GAP_PT
        _draw_frame_axis(canvas, content, box)


def _place_flags(flags: Sequence[Flag], frames: int, width: float) -> list[tuple[int, float, Flag]]:
    """Return row, left edge and flag; a flag that would touch another goes to the next row."""
    ends = [-np.inf] * _FLAG_ROWS
    placed = []
    for flag in sorted(flags, key=lambda flag: flag.frame):
        needed = stringWidth(flag.text, style.BOLD, SMALL_PT) + 7
        centre = (flag.frame + 0.5) / frames * width
        left = float(
            np.clip(centre - needed / 2, -_GUTTER_LEFT_PT, width + _GUTTER_RIGHT_PT - needed)
        )
        row = next((row for row, end in enumerate(ends) if left > end + 2), int(np.argmin(ends)))
        left = max(left, ends[row] + 2)
        ends[row] = left + needed
        placed.append((row, left, flag))
    return placed


def _draw_flags(
    canvas: Canvas,
    content: ReportContent,
    placed: Sequence[tuple[int, float, Flag]],
    box: Box,
) -> None:
    """Draw the flags above the longitudinal view, each with a line to its frame."""
    for row, _, flag in placed:
        y = box.y + box.height + 3 + row * _FLAG_ROW_PT
        x = frame_x(box, content.axis.frame_count, flag.frame + 0.5)
        canvas.setStrokeColor(style.TONE_ON_PAPER[flag.tone])
        canvas.setLineWidth(0.6)
        canvas.line(x, box.y + box.height - 4, x, y + 1)
    # Over all the lines, so that none runs through a word.
    for row, left, flag in placed:
        colour = style.TONE_ON_PAPER[flag.tone]
        y = box.y + box.height + 3 + row * _FLAG_ROW_PT
        width = stringWidth(flag.text, style.BOLD, SMALL_PT) + 7
        canvas.setFillColor(colour)
        canvas.roundRect(box.x + left, y, width, 9, 2, stroke=0, fill=1)
        write_with(canvas, style.WHITE, SMALL_PT, style.BOLD)
        canvas.drawString(box.x + left + 3.5, y + 2.3, flag.text)


def _draw_lesion_bars(canvas: Canvas, content: ReportContent, box: Box) -> None:
    """Draw the extent of every lesion below the longitudinal view, numbered where it fits."""
    frames = content.axis.frame_count
    write_with(canvas, style.QUIET, SMALL_PT)
    canvas.drawRightString(box.x - 4, box.y - 9, "lesion" if content.lesions else "no lesion")
    for lesion in content.lesions:
        left = frame_x(box, frames, lesion.first_frame)
        width = frame_x(box, frames, lesion.last_frame + 1) - left
        canvas.setFillColor(style.ACCENT if lesion is content.lesions[0] else style.SHADOW_ON_PAPER)
        canvas.rect(left, box.y - 10.5, width, 8, stroke=0, fill=1)
        if width > stringWidth(str(lesion.number), style.BOLD, SMALL_PT) + 2:
            write_with(canvas, style.WHITE, SMALL_PT, style.BOLD)
            canvas.drawCentredString(left + width / 2, box.y - 8.8, str(lesion.number))


def _draw_frame_axis(canvas: Canvas, content: ReportContent, box: Box) -> None:
    """Write frame numbers below the lowest part, and the millimetres below them."""
    axis = content.axis
    wanted = axis.frame_count / _TICKS_WANTED
    step = next((step for step in _TICK_STEPS if step >= wanted), _TICK_STEPS[-1])
    ticks = sorted({1, *range(step, axis.frame_count + 1, step)})
    if len(ticks) > 1 and ticks[1] - ticks[0] < 0.5 * step:
        ticks.pop(1)
    canvas.setStrokeColor(style.QUIET)
    canvas.setLineWidth(0.5)
    for number in ticks:
        x = frame_x(box, axis.frame_count, number - 0.5)
        canvas.line(x, box.y, x, box.y - 2.5)
        write_with(canvas, style.QUIET, SMALL_PT)
        canvas.drawCentredString(x, box.y - 9.5, str(number))
        if axis.pitch_mm is not None:
            canvas.drawCentredString(x, box.y - 18, f"{(number - 1) * axis.pitch_mm:.1f}")
    canvas.drawRightString(box.x - 6, box.y - 9.5, "frame")
    canvas.drawRightString(box.x - 6, box.y - 18, "mm" if axis.pitch_mm is not None else "no mm")
