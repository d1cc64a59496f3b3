"""The cross-section: the frame as it lies in the vessel, with everything drawn on it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QImage, QPainter, QResizeEvent
from PySide6.QtWidgets import QWidget

from calcviewer.core.geometry import to_polar, to_xy
from calcviewer.gui.look_up_tables import coloured, in_own_colours, shows_own_colours
from calcviewer.gui.scale_bar import BAR_PART, draw_scale_bar
from calcviewer.gui.shown import ShownStudy
from calcviewer.gui.view_state import ViewState
from calcviewer.gui.views import drawing
from calcviewer.gui.views.image_view import HIT_PX, ImageView
from calcviewer.gui.views.overlay import Lines, borders, closed, span_within
from calcviewer.modalities.ivoct.quantify import FrameMeasurement

Points = NDArray[np.float64]

_LARGEST_ZOOM, _SMALLEST_ZOOM = 40.0, 0.5
_CUT_REACH = 0.9
_CUT_MARGIN_PX = 18.0
_MARGIN_PX = 12.0


class CrossSectionView(ImageView):
    """The Cartesian view of the frame on screen."""

    def __init__(self, state: ViewState, parent: QWidget | None = None) -> None:
        self._centre_mm = (0.0, 0.0)
        self._scale = 100.0  # px per mm
        self._fitted = True
        super().__init__(state, parent)
        self.setAccessibleName(self.tr("Cross-section"))

    # Where things are -------------------------------------------------------------------------

    def fit(self) -> None:
        """Show the whole field about the catheter."""
        self._centre_mm, self._fitted = (0.0, 0.0), True
        self._scale = self._fitting_scale()

    def px_per_mm(self) -> float:
        """Return the scale on screen."""
        return self._scale

    def to_mm(self, at: QPointF) -> tuple[float, float]:
        """Return what lies at a place in the widget, canonical mm."""
        x_mm, y_mm = self._centre_mm
        return (
            x_mm + (at.x() - self.width() / 2) / self._scale,
            y_mm + (at.y() - self.height() / 2) / self._scale,
        )

    def to_px(self, points_mm: Points) -> Points:
        """Return ``(N, 2)`` canonical mm in widget pixels."""
        middle = np.array([self.width() / 2, self.height() / 2])
        return np.asarray((points_mm - np.asarray(self._centre_mm)) * self._scale + middle)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep what is seen: all of it, or the middle."""
        if self._fitted:
            self.fit()
        super().resizeEvent(event)

    def _fitting_scale(self) -> float:
        radius_mm = self.shown.pictures.field_radius_mm if self.shown else 5.0
        return min(self.width(), self.height()) / (2 * radius_mm)

    def _zoom(self, at: QPointF, factor: float) -> None:
        fitting = self._fitting_scale()
        before = self.to_mm(at)
        scale = min(max(self._scale * factor, _SMALLEST_ZOOM * fitting), _LARGEST_ZOOM * fitting)
        self._scale, self._fitted = scale, False
        after = self.to_mm(at)
        self._move_centre(before[0] - after[0], before[1] - after[1])

    def _pan(self, by: QPointF) -> None:
        self._fitted = False
        self._move_centre(-by.x() / self._scale, -by.y() / self._scale)

    def _move_centre(self, x_mm: float, y_mm: float) -> None:
        """Move what is in the middle; it stays within the field."""
        centre = np.add(self._centre_mm, (x_mm, y_mm))
        limit = self.shown.pictures.field_radius_mm if self.shown else 0.0
        centre = centre * min(1.0, limit / max(float(np.hypot(*centre)), 1e-9))
        self._centre_mm = (float(centre[0]), float(centre[1]))

    # Painting ---------------------------------------------------------------------------------

    def _read_picture(self, shown: ShownStudy) -> QImage:
        frame, display = self.state.frame, self.state.display
        own = shown.pictures.original(frame) if shows_own_colours(display) else None
        if own is not None:
            return in_own_colours(own)
        return coloured(shown.pictures.cartesian(frame), display)

    def _paint_picture(self, painter: QPainter, picture: QImage) -> None:
        assert self.shown is not None
        grid = self.shown.pictures.cartesian_grid
        corners = np.array([[-0.5, -0.5], [grid.columns - 0.5, grid.rows - 0.5]])
        (left, top), (right, bottom) = self.to_px(grid.to_mm(corners))
        painter.drawImage(QRectF(left, top, right - left, bottom - top), picture)

    def _paint_overlay(self, painter: QPainter) -> None:
        overlay = self.overlay
        calcium = self._rings_px([line for one in overlay.calcium for line in borders(one)])
        lumen, eel = (
            [] if one is None else self._rings_px(borders(one))
            for one in (overlay.lumen, overlay.eel)
        )
        painter.setBrushOrigin(QPointF(*self.to_px(np.zeros((1, 2)))[0]))
        self._paint_structures(
            painter,
            shadows=self._rings_px([line for one in overlay.shadows for line in borders(one)]),
            region=calcium,
            calcium=calcium,
            lumen=lumen,
            eel=eel,
        )
        if overlay.rays_mm:
            drawing.draw_rays(painter, drawing.path_through(map(self.to_px, overlay.rays_mm)))
        if overlay.centroid_mm is not None:
            (at,) = self.to_px(np.array([overlay.centroid_mm]))
            drawing.draw_point(painter, QPointF(*at), self.tr("O"))
        self._paint_cut(painter)

    def _rings_px(self, lines: Lines) -> Lines:
        return [self.to_px(line) for line in lines]

    def _lines_px(self, line_mm: Points, *, ring: bool) -> Lines:
        return [self.to_px(closed(line_mm) if ring else line_mm)]

    def _region_px(self, ring_mm: Points) -> Lines:
        return [self.to_px(closed(ring_mm))]

    def _paint_cut(self, painter: QPainter) -> None:
        ends = self._cut_ends()
        if ends is not None:
            drawing.draw_cut(painter, drawing.path_through([ends]))
            drawing.draw_handle(painter, QPointF(*ends[1]), held=self._drag == "own")

    def _cut_ends(self) -> Points | None:
        """Return the cut line in widget pixels, ``(2, 2)``, its handle last; None out of sight."""
        if self.shown is None:
            return None
        (origin,) = self.to_px(np.zeros((1, 2)))
        direction = to_xy(np.array(self.state.cut_deg), np.array(1.0))
        size = float(self.width()), float(self.height())
        span = span_within(tuple(origin), tuple(direction), size, margin=_CUT_MARGIN_PX)
        if span is None:
            return None
        reach = _CUT_REACH * self.shown.pictures.field_radius_mm * self._scale
        low, high = max(span[0], -reach), min(span[1], reach)
        if high <= max(low, 0.0):
            return None
        return np.stack([origin + low * direction, origin + high * direction])

    # The cut's handle -------------------------------------------------------------------------

    def _on_handle(self, at: QPointF) -> bool:
        ends = self._cut_ends() if self.state.overlay_visible else None
        return ends is not None and bool(np.hypot(*(ends[1] - (at.x(), at.y()))) <= HIT_PX)

    def _begin_own_drag(self, at: QPointF) -> bool:
        return self._on_handle(at)

    def _own_drag(self, at: QPointF, by: QPointF) -> None:
        angle, radius = to_polar(np.array(self.to_mm(at)))
        if radius > 0:
            self.state.set_cut(float(angle))

    def _own_cursor(self, at: QPointF) -> Qt.CursorShape:
        if self._on_handle(at):
            return Qt.CursorShape.PointingHandCursor
        return Qt.CursorShape.ArrowCursor

    # Texts ------------------------------------------------------------------------------------

    def _paint_texts(self, painter: QPainter) -> None:
        assert self.shown is not None
        count, frame = self.state.frame_count, self.state.frame
        position = self.tr("frame {number} / {count}").format(number=frame + 1, count=count)
        title = [[drawing.Run(self.tr("Cross-section"))], [drawing.Run(position)]]
        drawing.draw_lines(painter, title, QPointF(_MARGIN_PX, 8))
        drawing.draw_lines(painter, self.value_lines(), QPointF(-_MARGIN_PX, 8))
        status = self.tool.status() if self.tool else ""
        beside_bar_px = (1 - BAR_PART) * self.width() - 3 * _MARGIN_PX
        told = [[drawing.Run(line)] for line in drawing.wrapped(status, beside_bar_px)]
        below = [*self._frame_troubles(), *told]
        drawing.draw_lines(painter, below, QPointF(_MARGIN_PX, -_MARGIN_PX))
        known = self.shown.session.study.calibration.sample_spacing_mm is not None
        area = QRectF(self.rect()).adjusted(_MARGIN_PX, 0, -_MARGIN_PX, -_MARGIN_PX)
        no_scale = self.tr("no scale")
        draw_scale_bar(painter, area, self._scale if known else None, no_scale=no_scale)

    def value_lines(self) -> Sequence[Sequence[drawing.Run]]:
        """Return what was measured in the frame on screen, as it is written in its corner."""
        measured = self.measured
        if measured is None:
            troubled = self.annotation is not None or bool(self._frame_troubles())
            return [] if troubled else [[drawing.quiet(self.tr("not segmented yet"))]]
        return [self._arc_line(measured), *self._mm_lines(measured)]

    def _arc_line(self, measured: FrameMeasurement) -> Sequence[drawing.Run]:
        if measured.max_arc_deg_visible is None:
            return [drawing.quiet(self.tr("no lumen"))]
        visible = degrees_text(measured.max_arc_deg_visible)
        bridged = degrees_text(measured.max_arc_deg_bridged)
        if self.bridged:
            left_out = self.tr("arc {visible} visible").format(visible=visible)
            counts = drawing.arc_value(bridged)
            return [drawing.Run(f"{left_out} · "), counts, drawing.Run(" " + self.tr("bridged"))]
        return [
            drawing.Run(self.tr("arc") + " "),
            drawing.arc_value(visible),
            drawing.Run(" " + self.tr("visible · {bridged} bridged").format(bridged=bridged)),
        ]

    def _mm_lines(self, measured: FrameMeasurement) -> Sequence[Sequence[drawing.Run]]:
        limit = "≥ " if measured.thickness_capped or measured.back_hidden else ""
        thickness = limit + mm_text(measured.max_thickness_mm)
        depth = mm_text(measured.min_depth_mm)
        calcium = self.tr("thickness {thickness} · depth {depth}")
        area = mm_text(measured.lumen_area_mm2, "mm²")
        return [
            [drawing.Run(calcium.format(thickness=thickness, depth=depth))],
            [drawing.Run(self.tr("lumen {area}").format(area=area))],
        ]


def degrees_text(value_deg: float | None) -> str:
    """Return whole degrees as people read them; a dash when there are none."""
    return "—" if value_deg is None else f"{value_deg:.0f}°"


def mm_text(value: float | None, unit: str = "mm") -> str:
    """Return a length or area as people read it; a dash when it is unknown."""
    return "—" if value is None else f"{value:.2f} {unit}"
