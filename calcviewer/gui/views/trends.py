"""Trends: arc, thickness, depth and lumen area over the frames, with the score's thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QWidget

from calcviewer.app.along_pullback import trends_of
from calcviewer.gui.cut import border_lines
from calcviewer.gui.shown import ShownStudy
from calcviewer.gui.theme import (
    BORDER,
    CALCIUM,
    FONT_PX,
    LUMEN,
    QUIET,
    SURFACE,
    TEXT,
    THICKNESS,
    WARNING,
    text_font,
)
from calcviewer.gui.view_state import ViewState
from calcviewer.gui.views.drawing import path_through
from calcviewer.gui.views.frame_axis import LEFT_PX, MIDDLE, RIGHT, RIGHT_PX, FrameAxis, FrameCanvas
from calcviewer.report.content import NOTHING, Tone, Trend

Values = NDArray[np.floating]

_NEUTRAL = "#b08cff"
_COLOUR = {
    Tone.CALCIUM: CALCIUM,
    Tone.THICKNESS: THICKNESS,
    Tone.LUMEN: LUMEN,
    Tone.NEUTRAL: _NEUTRAL,
}
_TITLE_PX = 16.0
"""Strip above a plot that holds its title: no curve runs under it."""
_TITLES = (
    QT_TRANSLATE_NOOP("trends", "Maximum arc"),
    QT_TRANSLATE_NOOP("trends", "Maximum thickness"),
    QT_TRANSLATE_NOOP("trends", "Minimum depth"),
    QT_TRANSLATE_NOOP("trends", "Lumen area"),
)
"""Named for translators here: what makes the curves knows no Qt."""
_TOPS = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
"""Round ends of a value axis, times a power of ten."""
_TOP_ARC_DEG = 360.0


@dataclass(frozen=True)
class Plot:
    """One curve and where it lies on screen."""

    trend: Trend
    area: QRectF
    top: float

    @property
    def known(self) -> bool:
        """Whether any frame has a value."""
        return bool(np.isfinite(self.trend.values).any())

    def y_px(self, value: float) -> float:
        """Return where a value lies."""
        return self.area.bottom() - value / self.top * self.area.height()

    def ys_px(self, values: Values) -> Values:
        """Return where values lie."""
        return np.asarray(self.area.bottom() - values / self.top * self.area.height())


def axis_top(trend: Trend) -> float:
    """Return the end of the value axis: a round number above all values and the threshold."""
    curves = [trend.values] if trend.second is None else [trend.values, trend.second]
    finite = np.concatenate([curve[np.isfinite(curve)] for curve in curves])
    largest = max(float(finite.max(initial=0.0)), 1.3 * (trend.threshold or 0.0), 1e-3)
    if trend.unit == "°" and largest > 240:
        return _TOP_ARC_DEG
    power = 10.0 ** np.floor(np.log10(largest))
    return float(next(top * power for top in _TOPS if top * power >= largest or top == _TOPS[-1]))


def value_text(value: float, unit: str) -> str:
    """Return a value as people read it; "—" where there is none."""
    if not np.isfinite(value):
        return NOTHING
    return f"{value:.0f}°" if unit == "°" else f"{value:.2f} {unit}"


class TrendsView(FrameCanvas):
    """Small plots above one another; the values of the frame on screen stand beside them."""

    def __init__(self, state: ViewState, axis: FrameAxis, parent: QWidget | None = None) -> None:
        super().__init__(state, axis, parent)
        self.top_px = 2.0
        self._trends: tuple[Trend, ...] = ()
        self.setMinimumSize(200, 120)
        self.setAccessibleName(self.tr("Trends along the pullback"))

    def set_study(self, shown: ShownStudy | None) -> None:
        """Show another study, or none; nothing of the last one stays."""
        super().set_study(shown)
        self._trends = ()
        if shown is not None:
            self.refreshes.ask()

    def empty_text(self) -> str:
        """Return what the view says without a study."""
        return self.tr("Arc, thickness, depth and lumen area appear here along the pullback")

    def _refresh(self) -> None:
        if self.shown is not None:
            session = self.shown.session
            self._trends = trends_of(session.results.frames, session.study.protocol)
            self.invalidate()

    def plots(self) -> Sequence[Plot]:
        """Return the curves with their places, from the top down."""
        area, count = self.area(), max(1, len(self._trends))
        pitch = area.height() / count
        height = max(pitch - _TITLE_PX, 1.0)
        return [
            Plot(
                trend,
                QRectF(area.left(), area.top() + k * pitch + _TITLE_PX, area.width(), height),
                axis_top(trend),
            )
            for k, trend in enumerate(self._trends)
        ]

    # Painting --------------------------------------------------------------------------------

    def _paint_static(self, painter: QPainter) -> None:
        for plot in self.plots():
            self._paint_plot(painter, plot)
        self.draw_frame_ticks(painter)

    def _paint_plot(self, painter: QPainter, plot: Plot) -> None:
        trend, area = plot.trend, plot.area
        painter.fillRect(area, QColor(SURFACE))
        painter.setPen(QPen(QColor(BORDER), 1.0))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        line = painter.fontMetrics().height()
        painter.setPen(QColor(QUIET))
        ends = ((f"{plot.top:g}", area.top()), ("0", area.bottom() - line + 2))
        for text, y in ends if plot.known or trend.threshold else ():
            painter.drawText(QRectF(0, y - 2, LEFT_PX - 7, line), RIGHT | MIDDLE, text)
        if trend.threshold is not None:
            self._paint_threshold(painter, plot, trend.threshold)
        painter.save()
        painter.setClipRect(area)
        colour = QColor(_COLOUR[trend.tone])
        if trend.second is not None:
            bridged = QPen(colour, 1.5)
            bridged.setDashPattern((1.5, 2.0))
            self._paint_curve(painter, plot, trend.second, bridged)
        self._paint_curve(painter, plot, trend.values, QPen(colour, 1.8))
        painter.restore()
        self.draw_voi(painter, area)
        self._paint_title(painter, plot)

    def _paint_curve(self, painter: QPainter, plot: Plot, values: Values, pen: QPen) -> None:
        scale = self.scale()
        lines = [
            np.stack([scale.xs_px(line[:, 0]), plot.ys_px(line[:, 1])], axis=1)
            for line in border_lines(values)
        ]
        painter.strokePath(path_through(lines), pen)

    def _paint_threshold(self, painter: QPainter, plot: Plot, threshold: float) -> None:
        y = plot.y_px(threshold)
        pen = QPen(QColor(WARNING), 1.0)
        pen.setDashPattern((5.0, 3.0))
        painter.setPen(pen)
        painter.drawLine(QPointF(plot.area.left(), y), QPointF(plot.area.right(), y))

    def _paint_title(self, painter: QPainter, plot: Plot) -> None:
        trend, area = plot.trend, plot.area
        title = QCoreApplication.translate("trends", trend.title)
        if plot.known:
            title += "" if trend.unit == "°" else f" ({trend.unit})"
        else:
            title += f" {NOTHING} {self._why(trend)}"
        self.draw_tag(painter, area.topLeft() - QPointF(0, _TITLE_PX), title, QUIET)

    def _why(self, trend: Trend) -> str:
        """Return why a curve is empty, and what to do."""
        assert self.shown is not None
        session = self.shown.session
        if not any(frame is not None for frame in session.results.frames):
            return self.tr("segment the pullback")
        if trend.unit != "°" and not session.study.calibration.scaled:
            return self.tr("needs the mm scale: calibrate the catheter")
        if trend.tone in (Tone.THICKNESS, Tone.NEUTRAL):
            return self.tr("no calcium")
        return self.tr("no lumen found")

    @staticmethod
    def _limit_text(trend: Trend) -> str:
        """Return the threshold with the side of it that counts: calcium is superficial below."""
        side = "<" if trend.tone is Tone.NEUTRAL else ">"
        unit = "°" if trend.unit == "°" else f" {trend.unit}"
        return f"{side} {trend.threshold:g}{unit}"

    def _paint_moving(self, painter: QPainter) -> None:
        super()._paint_moving(painter)
        bold = text_font(FONT_PX, bold=True)
        for plot in self.plots():
            trend, area = plot.trend, plot.area
            value = float(trend.values[self.state.frame])
            top = area.top() - _TITLE_PX
            box = QRectF(area.right() + 8, top, RIGHT_PX - 8, area.bottom() - top)
            lines = [(value_text(value, trend.unit), bold, TEXT)]
            if trend.second is not None and trend.second[self.state.frame] > value:
                second = float(trend.second[self.state.frame])
                bridged = self.tr("{value} bridged").format(value=value_text(second, trend.unit))
                lines.append((bridged, text_font(FONT_PX), QUIET))
            if trend.threshold is not None:
                lines.append((self._limit_text(trend), text_font(FONT_PX), WARNING))
            for k, (text, font, colour) in enumerate(lines):
                painter.setFont(font)
                painter.setPen(QColor(colour))
                painter.drawText(box.adjusted(0, 16 * k - 1, 0, 0), Qt.AlignmentFlag.AlignTop, text)
