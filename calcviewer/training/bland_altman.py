"""Bland-Altman plots of every measurement (Gharaibeh 2019, Fig. 7)."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from reportlab.lib.colors import Color
from reportlab.pdfgen.canvas import Canvas

from calcviewer.report import style
from calcviewer.report.figures import SMALL_PT, write_with
from calcviewer.report.views import Box, clip_to
from calcviewer.training import paper
from calcviewer.training.agreement import QUANTITIES, Agreement
from calcviewer.training.statistics import Limits

_COLUMNS = 2
_PANEL_PT = (250.0, 165.0)
_MARGINS_PT = (44.0, 34.0)
"""Left of and below a panel's axes."""
_RIGHT_PT, _TOP_PT = 40.0, 20.0
_DOT_PT = 1.3
_TITLE_PT = 8.0
_TICKS = 5


def draw_bland_altman(agreement: Agreement, *, caption: str) -> bytes:
    """Draw one panel a quantity and return a PDF of one page.

    Each point is a frame: truth - found over their mean. Solid is the bias, dashed the 95 % limits
    of agreement; dotted are bias and limits of the paper.
    """
    style.register_fonts()
    rows = -(-len(QUANTITIES) // _COLUMNS)
    width, height = _COLUMNS * _PANEL_PT[0], rows * _PANEL_PT[1] + _TOP_PT
    stream = BytesIO()
    canvas = Canvas(stream, pagesize=(width, height), initialFontName=style.REGULAR, invariant=True)
    canvas.setTitle("Bland-Altman plots")
    write_with(canvas, style.QUIET, SMALL_PT)
    canvas.drawString(_MARGINS_PT[0], height - 11, caption)
    limits = agreement.limits
    for number, name in enumerate(QUANTITIES):
        row, column = divmod(number, _COLUMNS)
        box = Box(
            column * _PANEL_PT[0] + _MARGINS_PT[0],
            (rows - 1 - row) * _PANEL_PT[1] + _MARGINS_PT[1],
            _PANEL_PT[0] - _MARGINS_PT[0] - _RIGHT_PT,
            _PANEL_PT[1] - _MARGINS_PT[1] - _TOP_PT,
        )
        _draw_panel(canvas, box, name, pairs=agreement.pairs(name), limits=limits[name])
    canvas.showPage()
    canvas.save()
    return stream.getvalue()


def _draw_panel(
    canvas: Canvas, box: Box, name: str, *, pairs: NDArray[np.float64], limits: Limits
) -> None:
    quantity = QUANTITIES[name]
    write_with(canvas, style.INK, _TITLE_PT, style.BOLD)
    canvas.drawString(box.x, box.y + box.height + 6, f"{quantity.title}, {quantity.unit}")
    write_with(canvas, style.QUIET, SMALL_PT)
    canvas.drawRightString(box.x + box.width, box.y + box.height + 6, f"{limits.frames} frames")
    canvas.drawCentredString(box.x + box.width / 2, box.y - 22, "mean of truth and found")
    canvas.setFillColor(style.PALE)
    canvas.rect(*box, stroke=0, fill=1)
    if not len(pairs):
        return
    mean, difference = pairs.mean(axis=1), pairs[:, 0] - pairs[:, 1]
    reported = paper.LIMITS.get(name, ())
    lines = [limits.lower, limits.upper, *reported, 0.0]
    x_ticks = _ticks(float(mean.min()), float(mean.max()))
    y_ticks = _ticks(min(*lines, difference.min()), max(*lines, difference.max()))
    axes = _Axes(box, x_ticks, y_ticks)
    axes.draw_ticks(canvas)
    _draw_points(canvas, axes, mean, difference)
    for value in reported:
        _draw_level(canvas, axes, value, colour=style.WARNING, dash=(1, 2))
    for value in (limits.lower, limits.upper):
        _draw_level(canvas, axes, value, colour=style.ACCENT, dash=(4, 2))
    _draw_level(canvas, axes, limits.bias, colour=style.ACCENT)
    _write_levels(canvas, axes, (limits.lower, limits.bias, limits.upper))


class _Axes:
    """Where values lie in a box; the ends of the axes are their first and last tick."""

    def __init__(
        self, box: Box, x_ticks: NDArray[np.float64], y_ticks: NDArray[np.float64]
    ) -> None:
        self.box, self.x_ticks, self.y_ticks = box, x_ticks, y_ticks

    def x(self, value: float) -> float:
        """Return where a value lies along the horizontal axis, points."""
        part = (value - self.x_ticks[0]) / (self.x_ticks[-1] - self.x_ticks[0])
        return float(self.box.x + part * self.box.width)

    def y(self, value: float) -> float:
        """Return where a value lies along the vertical axis, points."""
        part = (value - self.y_ticks[0]) / (self.y_ticks[-1] - self.y_ticks[0])
        return float(self.box.y + part * self.box.height)

    def draw_ticks(self, canvas: Canvas) -> None:
        """Write the values along both axes, and rule the zero of the differences."""
        write_with(canvas, style.QUIET, SMALL_PT)
        for value in self.x_ticks:
            canvas.drawCentredString(self.x(value), self.box.y - 10, f"{value:g}")
        for value in self.y_ticks:
            canvas.drawRightString(self.box.x - 4, self.y(value) - 2.3, f"{value:g}")
        canvas.setStrokeColor(style.RULE)
        canvas.setLineWidth(0.5)
        canvas.line(self.box.x, self.y(0.0), self.box.x + self.box.width, self.y(0.0))


def _draw_points(
    canvas: Canvas, axes: _Axes, mean: NDArray[np.float64], difference: NDArray[np.float64]
) -> None:
    canvas.saveState()
    clip_to(canvas, axes.box)
    canvas.setFillColor(style.INK, alpha=0.35)
    for x, y in zip(mean, difference, strict=True):
        canvas.circle(axes.x(x), axes.y(y), _DOT_PT, stroke=0, fill=1)
    canvas.restoreState()


def _draw_level(
    canvas: Canvas, axes: _Axes, value: float, *, colour: Color, dash: tuple[float, ...] = ()
) -> None:
    canvas.setStrokeColor(colour)
    canvas.setLineWidth(0.8)
    canvas.setDash(*dash) if dash else canvas.setDash()
    canvas.line(axes.box.x, axes.y(value), axes.box.x + axes.box.width, axes.y(value))
    canvas.setDash()


def _write_levels(canvas: Canvas, axes: _Axes, values: tuple[float, float, float]) -> None:
    """Write lower limit, bias and upper limit beside their lines, never over each other."""
    write_with(canvas, style.ACCENT, SMALL_PT, style.BOLD)
    lower, bias, upper = map(axes.y, values)
    places = (min(lower, bias - SMALL_PT - 0.5), bias, max(upper, bias + SMALL_PT + 0.5))
    for value, y in zip(values, places, strict=True):
        canvas.drawString(axes.box.x + axes.box.width + 3, y - 2.3, f"{value:.3g}")


def _ticks(low: float, high: float) -> NDArray[np.float64]:
    """Return about five round values that enclose ``low`` and ``high``."""
    span = max(high - low, 1e-6)
    power = 10.0 ** np.floor(np.log10(span / _TICKS))
    step = next(
        factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power * _TICKS >= span * 0.999
    )
    first = np.floor(low / step)
    return np.asarray(np.arange(first, max(np.ceil(high / step), first + 1) + 1) * step)
