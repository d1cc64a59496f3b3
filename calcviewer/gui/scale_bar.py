"""Scale bars: a round number of millimetres, as long as it is on screen."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from calcviewer.gui.theme import FONT_PX, text_font

_STEPS_MM = (1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01)
_LONGER_STEPS_MM = (50.0, 20.0, 10.0, 5.0, 2.0)
_WIDTH_PX = 2.0
_TEXT_GAP_PX = 5.0
BACKDROP = QColor(0, 0, 0, 185)
"""Behind texts on a picture, so that they are read on bright tissue too."""
_INK = QColor("#ffffff")
BAR_PART = 0.4
"""The most of a view that its scale bar takes."""


def bar_mm(px_per_mm: float, available_px: float, *, least_px: float = 40.0) -> float:
    """Return the length of a scale bar: 1 mm, less where it does not fit, more where it is tiny.

    Parameters
    ----------
    available_px
        The bar is no longer than this.
    least_px
        A bar of 1 mm that would be shorter than this is replaced by the longest that fits.
    """
    if px_per_mm < least_px:
        for step in _LONGER_STEPS_MM:
            if step * px_per_mm <= available_px:
                return step
    return next((step for step in _STEPS_MM if step * px_per_mm <= available_px), _STEPS_MM[-1])


def draw_scale_bar(
    painter: QPainter,
    area: QRectF,
    px_per_mm: float | None,
    *,
    no_scale: str,
    vertical: bool = False,
) -> None:
    """Draw a scale bar into the lower right corner of an area.

    Parameters
    ----------
    px_per_mm
        None while the scale is unknown: then ``no_scale`` is written instead.
    vertical
        Draw an upright bar, for depth.
    """
    painter.save()
    painter.setFont(text_font(FONT_PX))
    corner = area.bottomRight()
    if px_per_mm is None:
        _draw_text(painter, corner, no_scale)
    else:
        length_mm = bar_mm(px_per_mm, BAR_PART * (area.height() if vertical else area.width()))
        length_px = length_mm * px_per_mm
        shift = QPointF(0, -length_px) if vertical else QPointF(-length_px, 0)
        for colour, width in ((BACKDROP, _WIDTH_PX + 3), (_INK, _WIDTH_PX)):
            painter.setPen(QPen(colour, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap))
            painter.drawLine(corner, corner + shift)
        text = f"{length_mm:g} mm"
        metrics = painter.fontMetrics()
        if vertical:
            right = corner + QPointF(-_TEXT_GAP_PX - 1, -length_px / 2 + metrics.height() / 2)
        else:
            overhang = (metrics.horizontalAdvance(text) - length_px) / 2
            right = corner + QPointF(min(overhang, 0.0), -_TEXT_GAP_PX)
        _draw_text(painter, right, text)
    painter.restore()


def _draw_text(painter: QPainter, bottom_right: QPointF, text: str) -> None:
    metrics = painter.fontMetrics()
    width, height = metrics.horizontalAdvance(text), metrics.height()
    box = QRectF(bottom_right.x() - width, bottom_right.y() - height, width, height)
    painter.fillRect(box.adjusted(-3, 0, 3, 0), BACKDROP)
    painter.setPen(_INK)
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
