"""The polar view: angle to the right, depth downward; theta wraps without a seam."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen
from PySide6.QtWidgets import QWidget

from calcviewer.core.contour import Contour
from calcviewer.core.geometry import FULL_CIRCLE_DEG, to_xy
from calcviewer.gui.look_up_tables import coloured
from calcviewer.gui.scale_bar import BACKDROP, draw_scale_bar
from calcviewer.gui.shown import ShownStudy
from calcviewer.gui.theme import FONT_PX, text_font
from calcviewer.gui.view_state import ViewState
from calcviewer.gui.views import drawing
from calcviewer.gui.views.image_view import HIT_PX, ImageView
from calcviewer.gui.views.overlay import (
    Lines,
    beyond_lumen,
    closed,
    polar_borders,
    polar_region,
    seen_between,
    unrolled,
)

Points = NDArray[np.float64]

_LARGEST_ZOOM = 20.0
_MARGIN_PX = 12.0
_TICK_STEP_DEG, _LABEL_STEP_DEG = 30, 90
_TICK_PX = 5.0


class PolarView(ImageView):
    """The frame on screen as it was acquired."""

    def __init__(self, state: ViewState, parent: QWidget | None = None) -> None:
        self._left_deg = 0.0
        self._top_mm = 0.0
        self._enlarged = 1.0
        super().__init__(state, parent)
        self.setAccessibleName(self.tr("Polar view"))

    # Where things are -------------------------------------------------------------------------

    @property
    def left_deg(self) -> float:
        """The angle at the left edge, in [0, 360)."""
        return self._left_deg

    def set_study(self, shown: ShownStudy | None) -> None:
        """Show another study, or none, from theta = 0."""
        self._left_deg = 0.0
        super().set_study(shown)

    def fit(self) -> None:
        """Show the whole turn and the whole depth; the angle at the left edge stays."""
        self._enlarged = 1.0
        self._top_mm = self._depth_mm()[0]

    def px_per_mm(self) -> float:
        """Return the scale along the depth."""
        top_mm, bottom_mm = self._depth_mm()
        return self._enlarged * self.height() / (bottom_mm - top_mm)

    def reach_deg(self) -> float:
        """Return how far a target of comfortable size reaches in angle, degrees."""
        return HIT_PX / self._px_per_deg()

    def to_mm(self, at: QPointF) -> tuple[float, float]:
        """Return what lies at a place in the widget, canonical mm."""
        angle = self._left_deg + at.x() / self._px_per_deg()
        radius = max(self._top_mm + at.y() / self.px_per_mm(), 0.0)
        x_mm, y_mm = to_xy(np.array(angle), np.array(radius))
        return float(x_mm), float(y_mm)

    def _px_per_deg(self) -> float:
        return self._enlarged * self.width() / FULL_CIRCLE_DEG

    def _depth_mm(self) -> tuple[float, float]:
        if self.shown is None:
            return 0.0, 5.0
        grid = self.shown.pictures.polar_grid
        return grid.zero_radius_mm, grid.end_radius_mm

    def _right_deg(self) -> float:
        return self._left_deg + self.width() / self._px_per_deg()

    def _to_px(self, line: Points) -> Points:
        """Return ``(angle_deg, radius_mm)`` in widget pixels."""
        scale = self._px_per_deg(), self.px_per_mm()
        return (line - (self._left_deg, self._top_mm)) * scale

    def _seen_px(self, lines: Iterable[Points]) -> Lines:
        seen = seen_between(lines, self._left_deg, self._right_deg())
        return [self._to_px(line) for line in seen]

    def _lines_px(self, line_mm: Points, *, ring: bool) -> Lines:
        return self._seen_px([unrolled(closed(line_mm) if ring else line_mm)])

    def _region_px(self, ring_mm: Points) -> Lines:
        return self._seen_px(polar_region(Contour(ring_mm)))

    def _zoom(self, at: QPointF, factor: float) -> None:
        angle = self._left_deg + at.x() / self._px_per_deg()
        radius_mm = self._top_mm + at.y() / self.px_per_mm()
        self._enlarged = min(max(self._enlarged * factor, 1.0), _LARGEST_ZOOM)
        self._left_deg = (angle - at.x() / self._px_per_deg()) % FULL_CIRCLE_DEG
        self._set_top(radius_mm - at.y() / self.px_per_mm())

    def _pan(self, by: QPointF) -> None:
        self._left_deg = (self._left_deg - by.x() / self._px_per_deg()) % FULL_CIRCLE_DEG
        self._set_top(self._top_mm - by.y() / self.px_per_mm())

    def _set_top(self, top_mm: float) -> None:
        first_mm, last_mm = self._depth_mm()
        seen_mm = (last_mm - first_mm) / self._enlarged
        self._top_mm = min(max(top_mm, first_mm), last_mm - seen_mm)

    # Scrolling through the seam ---------------------------------------------------------------

    def _begin_own_drag(self, at: QPointF) -> bool:
        self.setCursor(Qt.CursorShape.ClosedHandCursor)
        return True

    def _own_drag(self, at: QPointF, by: QPointF) -> None:
        self._pan(by)

    def _own_cursor(self, at: QPointF) -> Qt.CursorShape:
        return Qt.CursorShape.ArrowCursor if self.tool else Qt.CursorShape.OpenHandCursor

    # Painting ---------------------------------------------------------------------------------

    def _read_picture(self, shown: ShownStudy) -> QImage:
        polar = shown.pictures.polar(self.state.frame)
        # One A-line of the next turn on either side: where turns meet nothing is seen of it.
        wide = np.concatenate([polar[-1:], polar, polar[:1]])
        return coloured(wide.T, self.state.display)

    def _paint_picture(self, painter: QPainter, picture: QImage) -> None:
        assert self.shown is not None
        grid = self.shown.pictures.polar_grid
        beside_px = grid.a_line_deg * self._px_per_deg()
        turn = np.array([[0.0, grid.zero_radius_mm], [FULL_CIRCLE_DEG, grid.end_radius_mm]])
        for (left, top), (right, bottom) in self._seen_px([turn]):
            place = QRectF(left, top, right - left, bottom - top)
            painter.drawImage(place.adjusted(-beside_px, 0, beside_px, 0), picture)

    def _paint_overlay(self, painter: QPainter) -> None:
        overlay = self.overlay
        lumen, eel = (() if one is None else (one,) for one in (overlay.lumen, overlay.eel))
        painter.setBrushOrigin(QPointF(*self._to_px(np.zeros((1, 2)))[0]))  # hatches scroll too
        self._paint_structures(
            painter,
            shadows=self._regions_px(overlay.shadows),
            region=self._regions_px(overlay.calcium),
            calcium=self._borders_px(overlay.calcium),
            lumen=self._borders_px(lumen),
            eel=self._borders_px(eel),
        )
        if overlay.rays_mm and overlay.lumen is not None:
            rays = [unrolled(beyond_lumen(ray, overlay.lumen)) for ray in overlay.rays_mm]
            drawing.draw_rays(painter, drawing.path_through(self._seen_px(rays)))
        for turned_deg in (180.0, 0.0):
            cut = np.array([[self.state.cut_deg + turned_deg, self._top_mm]])
            for line in self._seen_px([cut]):
                drawing.draw_cut_mark(painter, float(line[0, 0]), filled=turned_deg == 0)

    def _regions_px(self, contours: Iterable[Contour]) -> Lines:
        return self._seen_px(line for one in contours for line in polar_region(one))

    def _borders_px(self, contours: Iterable[Contour]) -> Lines:
        return self._seen_px(line for one in contours for line in polar_borders(one))

    # Texts and scales -------------------------------------------------------------------------

    def _paint_texts(self, painter: QPainter) -> None:
        assert self.shown is not None
        title = [[drawing.Run(self.tr("Polar · θ wraps"))], *self._frame_troubles()]
        drawing.draw_lines(painter, title, QPointF(_MARGIN_PX, 8))
        self._paint_ticks(painter)
        known = self.shown.session.study.calibration.sample_spacing_mm is not None
        area = QRectF(self.rect()).adjusted(0, _MARGIN_PX, -_MARGIN_PX, -34)
        draw_scale_bar(
            painter,
            area,
            self.px_per_mm() if known else None,
            no_scale=self.tr("no scale"),
            vertical=True,
        )

    def _paint_ticks(self, painter: QPainter) -> None:
        """Paint degree ticks at the lower edge, numbers where there is room."""
        painter.setFont(text_font(FONT_PX))
        metrics = painter.fontMetrics()
        bottom, height = self.height(), metrics.height()
        first = int(np.ceil(self._left_deg / _TICK_STEP_DEG)) * _TICK_STEP_DEG
        for angle in range(first, int(self._right_deg()) + 1, _TICK_STEP_DEG):
            x = (angle - self._left_deg) * self._px_per_deg()
            painter.setPen(QPen(QColor("#ffffff"), 1.0))
            painter.drawLine(QPointF(x, bottom), QPointF(x, bottom - _TICK_PX))
            if angle % _LABEL_STEP_DEG and self._enlarged < 2:
                continue
            text = f"{angle % 360}°"
            width = metrics.horizontalAdvance(text)
            left = min(max(x - width / 2, 4.0), self.width() - width - 4.0)
            box = QRectF(left, bottom - _TICK_PX - height, width, height)
            painter.fillRect(box.adjusted(-3, 0, 3, 0), BACKDROP)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
