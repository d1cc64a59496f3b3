"""Pens, hatches and texts that both image views draw with; everything in widget pixels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from pyqtgraph.functions import arrayToQPath  # type: ignore[import-untyped, unused-ignore]
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFontMetricsF, QPainter, QPainterPath, QPen, QPolygonF

from calcviewer.gui.scale_bar import BACKDROP
from calcviewer.gui.theme import (
    ACCENT,
    CALCIUM,
    EEL,
    FONT_PX,
    GUIDEWIRE,
    LUMEN,
    QUIET,
    TEXT,
    WARNING,
    text_font,
)
from calcviewer.gui.tools.tool import Look, Mark

Points = NDArray[np.float64]

OUTLINE_PX = 1.5
_EEL_PX = 1.2
_FILL_OPACITY = 0.25
_HATCH_OPACITY = 0.55
_RAY = QColor("#b9d6ff")
_CASING = QColor(0, 0, 0, 150)
_HANDLE_PX = 5.0
_SMALL_HANDLE_PX = 3.5
_LINE_SPACING = 1.2
_SEPARATOR = " · "
_DASH = (4.0, 2.5)
_DASH_DOT = (9.0, 3.0, 1.5, 3.0)
_GLOW_LIGHTER = 125


@dataclass(frozen=True)
class Run:
    """A piece of a line of text; ``strong`` is the one number to look at."""

    text: str
    colour: str = TEXT
    strong: bool = False


def quiet(text: str) -> Run:
    """Return text that explains."""
    return Run(text, QUIET)


def warning(text: str) -> Run:
    """Return text that something is wrong with the frame."""
    return Run(text, WARNING)


def arc_value(text: str) -> Run:
    """Return the arc, which the eye looks for first."""
    return Run(text, CALCIUM, strong=True)


def path_through(lines_px: Iterable[Points]) -> QPainterPath:
    """Return lines in widget pixels, each ``(N, 2)``, as one path."""
    pieces = [piece for line in lines_px for piece in (line, [[np.nan, np.nan]])]
    if not pieces:
        return QPainterPath()
    points = np.concatenate(pieces)
    path: QPainterPath = arrayToQPath(
        np.ascontiguousarray(points[:, 0]), np.ascontiguousarray(points[:, 1]), connect="finite"
    )
    return path


def draw_lumen(painter: QPainter, borders: QPainterPath) -> None:
    """Draw the lumen border, solid."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor(LUMEN), OUTLINE_PX))
    painter.drawPath(borders)


def draw_calcium(painter: QPainter, region: QPainterPath, borders: QPainterPath) -> None:
    """Draw calcium: fill that lets the picture through, dashed border."""
    fill_region(painter, region, CALCIUM)
    pen = QPen(QColor(CALCIUM), OUTLINE_PX)
    pen.setDashPattern(_DASH)
    painter.strokePath(borders, pen)


def fill_region(painter: QPainter, region: QPainterPath, colour: str) -> None:
    """Tint a region; the picture shows through."""
    region.setFillRule(Qt.FillRule.OddEvenFill)
    painter.fillPath(region, _faint(QColor(colour or "#ffffff"), _FILL_OPACITY))


def draw_eel(painter: QPainter, borders: QPainterPath) -> None:
    """Draw the external elastic lamina: a thin line of dashes and dots, never filled."""
    pen = QPen(QColor(EEL), _EEL_PX)
    pen.setDashPattern(_DASH_DOT)
    painter.strokePath(borders, pen)


def draw_shadow(painter: QPainter, region: QPainterPath) -> None:
    """Hatch a guidewire shadow."""
    region.setFillRule(Qt.FillRule.OddEvenFill)
    painter.fillPath(region, _hatch())
    edge = QColor(GUIDEWIRE)
    edge.setAlphaF(0.6)
    painter.strokePath(region, QPen(edge, 1.0))


@lru_cache(maxsize=1)
def _hatch() -> QBrush:
    ink = QColor(GUIDEWIRE)
    ink.setAlphaF(_HATCH_OPACITY)
    return QBrush(ink, Qt.BrushStyle.BDiagPattern)


def draw_rays(painter: QPainter, path: QPainterPath) -> None:
    """Draw the bounding rays of an arc, dotted."""
    _draw_thin(painter, path, _RAY, (1.5, 3.5))


def draw_cut(painter: QPainter, path: QPainterPath) -> None:
    """Draw the line of the longitudinal cut, dashed."""
    _draw_thin(painter, path, QColor("#d0d0d0"), (6.0, 4.0))


def _draw_thin(
    painter: QPainter, path: QPainterPath, ink: QColor, dashes: tuple[float, float]
) -> None:
    # Black between the dashes, to be seen on bright tissue; opaque lines 1 px wide draw fastest.
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor("#000000"), 1.0))
    painter.drawPath(path)
    pen = QPen(ink, 1.0)
    pen.setDashPattern(dashes)
    painter.setPen(pen)
    painter.drawPath(path)


def draw_cut_mark(painter: QPainter, x_px: float, *, filled: bool) -> None:
    """Mark at the upper edge where the cut runs: filled where its handle is."""
    corners = ((x_px - 6, 0.0), (x_px + 6, 0.0), (x_px, 9.0))
    painter.setPen(QPen(_CASING if filled else QColor("#ffffff"), 1.2))
    painter.setBrush(QColor("#ffffff") if filled else QColor(0, 0, 0, 160))
    painter.drawPolygon(QPolygonF([QPointF(*corner) for corner in corners]))


def draw_handle(painter: QPainter, at: QPointF, *, held: bool = False, small: bool = False) -> None:
    """Draw a point to drag; a small one where there are many."""
    painter.setPen(QPen(_CASING, 1.5))
    painter.setBrush(QColor(ACCENT) if held else QColor("#ffffff"))
    radius = (_SMALL_HANDLE_PX if small else _HANDLE_PX) + (1.5 if held else 0.0)
    painter.drawEllipse(at, radius, radius)


def draw_point(painter: QPainter, at: QPointF, name: str) -> None:
    """Draw a named point, such as O."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for colour, width in ((_CASING, 3.5), (QColor("#ffffff"), 1.5)):
        painter.setPen(QPen(colour, width))
        painter.drawEllipse(at, 3.5, 3.5)
    painter.setFont(text_font(FONT_PX, bold=True))
    painter.setPen(_CASING)
    painter.drawText(at + QPointF(8, -4), name)
    painter.setPen(QColor("#ffffff"))
    painter.drawText(at + QPointF(7, -5), name)


def draw_mark(painter: QPainter, path: QPainterPath, mark: Mark) -> None:
    """Draw a line that a tool has drawn, as its look says."""
    ink = QColor(mark.colour or (ACCENT if mark.selected else "#ffffff"))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for colour, width in _strokes(mark.look, ink):
        painter.setPen(QPen(colour, width))
        painter.drawPath(path)


def _strokes(look: Look, ink: QColor) -> tuple[tuple[QColor, float], ...]:
    """Return what a line is drawn with: colours and widths, from below upward."""
    if look is Look.GLOW:
        return (_faint(ink, 0.35), 7.0), (ink.lighter(_GLOW_LIGHTER), 2.0)
    if look is Look.TRACE:
        return (_CASING, 2.6), (QColor("#ffffff"), 1.2)
    return (_CASING, 4.0), (ink, 1.8)


def _faint(ink: QColor, opacity: float) -> QColor:
    faint = QColor(ink)
    faint.setAlphaF(opacity)
    return faint


def draw_label(painter: QPainter, at: QPointF, mark: Mark, area: QRectF) -> None:
    """Write the value of a mark beside a point, inside an area."""
    text, quiet = mark.text, mark.look is Look.TRACE
    font = text_font(FONT_PX, bold=not quiet)
    metrics = QFontMetricsF(font)
    box = QRectF(at.x() + 12, at.y() + 8, metrics.horizontalAdvance(text) + 12, 22)
    box.moveLeft(max(area.left(), min(box.left(), area.right() - box.width())))
    box.moveTop(max(area.top(), min(box.top(), area.bottom() - box.height())))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(BACKDROP)
    painter.drawRoundedRect(box, 4, 4)
    painter.setFont(font)
    painter.setPen(QColor(TEXT if quiet else "#ffffff"))
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)


def wrapped(text: str, width_px: float) -> list[str]:
    """Return a text broken into lines no wider than a width where that is possible.

    Between statements, which a dot separates; between words only within one that is too wide.

    Returns
    -------
    The lines; none of an empty text.
    """
    metrics, lines = QFontMetricsF(text_font(FONT_PX)), list[str]()
    for statement in text.split(_SEPARATOR):
        longer = f"{lines[-1]}{_SEPARATOR}{statement}" if lines else statement
        if lines and metrics.horizontalAdvance(longer) <= width_px:
            lines[-1] = longer
        else:
            lines += _broken(statement, width_px, metrics)
    return lines


def _broken(statement: str, width_px: float, metrics: QFontMetricsF) -> list[str]:
    lines = list[str]()
    for word in statement.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and metrics.horizontalAdvance(longer) <= width_px:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def draw_lines(painter: QPainter, lines: Sequence[Sequence[Run]], corner: QPointF) -> None:
    """Write lines of text into an upper corner: right-aligned when ``corner.x() < 0``.

    A negative ``corner.x()`` counts from the right edge, a negative ``corner.y()`` from the lower.
    """
    fonts = {strong: text_font(FONT_PX, bold=strong) for strong in (False, True)}
    metrics = {strong: QFontMetricsF(font) for strong, font in fonts.items()}
    height = round(metrics[False].height() * _LINE_SPACING)
    area = painter.viewport()
    ratio = painter.device().devicePixelRatio()
    width_px, height_px = area.width() / ratio, area.height() / ratio
    top = corner.y() if corner.y() >= 0 else height_px + corner.y() - height * len(lines)
    for number, line in enumerate(lines):
        widths = [metrics[run.strong].horizontalAdvance(run.text) for run in line]
        left = corner.x() if corner.x() >= 0 else width_px + corner.x() - sum(widths)
        box = QRectF(left, top + number * height, sum(widths), height)
        painter.fillRect(box.adjusted(-4, 0, 4, 0), BACKDROP)
        for run, width in zip(line, widths, strict=True):
            painter.setFont(fonts[run.strong])
            painter.setPen(QColor(run.colour))
            painter.drawText(
                QRectF(left, box.top(), width + 1, height), Qt.AlignmentFlag.AlignVCenter, run.text
            )
            left += width


def draw_message(painter: QPainter, area: QRectF, title: str, text: str) -> None:
    """Write what to do into an empty view."""
    middle = area.adjusted(24, 0, -24, 0)
    flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
    painter.setFont(text_font(FONT_PX + 2, bold=True))
    painter.setPen(QColor(TEXT))
    painter.drawText(middle.adjusted(0, 0, 0, -36), flags, title)
    painter.setFont(text_font(FONT_PX))
    painter.setPen(QColor(QUIET))
    painter.drawText(middle.adjusted(0, 36, 0, 0), flags, text)
