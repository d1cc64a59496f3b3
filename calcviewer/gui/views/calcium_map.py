"""The calcium map: the vessel unrolled about the lumen centre, angle against frame."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QResizeEvent
from PySide6.QtWidgets import QToolButton, QWidget

from calcviewer.core.geometry import FULL_CIRCLE_DEG
from calcviewer.gui.cut import seen_from
from calcviewer.gui.look_up_tables import in_own_colours
from calcviewer.gui.map_raster import TOP_MM, MapRaster, Quantity, map_colours, map_picture
from calcviewer.gui.shown import ShownStudy
from calcviewer.gui.theme import BACKGROUND, HIT_PX, QUIET
from calcviewer.gui.view_state import ViewState
from calcviewer.gui.views.frame_axis import LEFT_PX, MIDDLE, RIGHT, FrameAxis, FrameCanvas

_BAR_PX = 8.0
_MARKS_MM = (0.0, 0.5, TOP_MM)
_CATHETER_MM = (0.0, 0.0)


class CalciumMapView(FrameCanvas):
    """Colour is thickness or depth; a click goes to the frame and turns the cut to the angle."""

    def __init__(self, state: ViewState, axis: FrameAxis, parent: QWidget | None = None) -> None:
        super().__init__(state, axis, parent)
        self.top_px = 2.0
        self.raster = MapRaster(0)
        self._quantity = Quantity.THICKNESS
        self._switch = QToolButton(self)
        self._switch.clicked.connect(self._change_quantity)
        self._switch.setToolTip(self.tr("Colour by thickness or by depth"))
        self.setToolTip(self.tr("Hatched: guidewire shadow. Grey and dotted: not measured."))
        self._switch.setStyleSheet("QToolButton { padding: 0 4px; }")
        self.setMinimumSize(200, 52)
        self.setAccessibleName(self.tr("Calcium map"))
        state.cut_changed.connect(self.update)
        self._name_switch()

    @property
    def quantity(self) -> Quantity:
        """What the colours mean."""
        return self._quantity

    def set_quantity(self, quantity: Quantity) -> None:
        """Choose what the colours mean."""
        self._quantity = quantity
        self._name_switch()
        self.invalidate()

    def set_study(self, shown: ShownStudy | None) -> None:
        """Show another study, or none; nothing of the last one stays."""
        super().set_study(shown)
        self.raster = MapRaster(self.frame_count)
        self._switch.setVisible(shown is not None)
        if shown is not None:
            self.refreshes.ask()

    def empty_text(self) -> str:
        """Return what the view says without a study."""
        return self.tr("The calcium map appears when a pullback is open and segmented")

    def angle_deg(self, at: QPointF) -> float:
        """Return the angle about the lumen centre at a place on screen."""
        area = self.area()
        part = (at.y() - area.top()) / area.height()
        return float(np.clip(part, 0.0, 1.0 - 1e-9)) * FULL_CIRCLE_DEG

    def _change_quantity(self) -> None:
        depth = self._quantity is Quantity.DEPTH
        self.set_quantity(Quantity.THICKNESS if depth else Quantity.DEPTH)

    def _name_switch(self) -> None:
        depth = self._quantity is Quantity.DEPTH
        self._switch.setText(self.tr("Depth") if depth else self.tr("Thickness"))

    def _refresh(self) -> None:
        if self.shown is not None:
            self.raster.update(self.shown.session.results.frames)
            self.invalidate()

    # Mouse -----------------------------------------------------------------------------------

    def _begin_drag(self, at: QPointF, button: Qt.MouseButton) -> str:
        begun = super()._begin_drag(at, button)
        if begun == "scrub" and self.area().contains(at):
            self._turn_cut(self.angle_deg(at))
        return begun

    def _turn_cut(self, angle_deg: float) -> None:
        """Turn the cut, which goes through the catheter, to what the map shows at an angle."""
        assert self.shown is not None
        annotation = self.shown.session.study.annotation(self.state.frame)
        cut_deg: float | None = angle_deg
        if annotation is not None and annotation.lumen is not None:
            lumen = annotation.lumen
            cut_deg = seen_from(lumen, angle_deg, eye_mm=lumen.centroid_mm, other_mm=_CATHETER_MM)
        if cut_deg is not None:
            self.state.set_cut(cut_deg)

    def cut_angles_deg(self) -> list[float]:
        """Return where the two halves of the cut meet the lumen in the frame on screen."""
        if self.shown is None:
            return []
        halves = (self.state.cut_deg, (self.state.cut_deg + 180) % FULL_CIRCLE_DEG)
        annotation = self.shown.session.study.annotation(self.state.frame)
        if annotation is None or annotation.lumen is None:
            return list(halves)
        lumen = annotation.lumen
        found = [
            seen_from(lumen, half, eye_mm=_CATHETER_MM, other_mm=lumen.centroid_mm)
            for half in halves
        ]
        return [angle for angle in found if angle is not None]

    # Painting --------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Place the switch in the right margin."""
        super().resizeEvent(event)
        area = self.area()
        left = round(area.right()) + 6
        self._switch.setGeometry(left, round(area.top()), self.width() - left - 4, HIT_PX)

    def _paint_static(self, painter: QPainter) -> None:
        area, ratio = self.area(), self.devicePixelRatioF()
        width, height = max(1, round(area.width() * ratio)), max(1, round(area.height() * ratio))
        columns = self.scale().columns(width, self.frame_count)
        picture = map_picture(self.raster, self._quantity, columns=columns, rows=height)
        painter.drawImage(area, in_own_colours(picture))
        self.draw_voi(painter, area)
        self.draw_tag(painter, area.topLeft() + QPointF(8, 3), self._title())
        painter.setPen(QColor(QUIET))
        line = painter.fontMetrics().height()
        few = area.height() < 5 * line
        for angle in (0, 180, 360) if few else (0, 90, 180, 270, 360):
            y = area.top() + area.height() * angle / FULL_CIRCLE_DEG
            top = min(max(y - line / 2, area.top() - 2), area.bottom() + 2 - line)
            painter.drawText(QRectF(0, top, LEFT_PX - 7, line), RIGHT | MIDDLE, f"{angle}°")
            painter.drawLine(QPointF(LEFT_PX - 4, y), QPointF(LEFT_PX, y))
        self._paint_bar(painter, area)
        self.draw_frame_ticks(painter)

    def _title(self) -> str:
        title = self.tr("Calcium map")
        assert self.shown is not None
        if not self.raster.measured.any():
            return title + " · " + self.tr("segment the pullback to fill it")
        if not self.shown.session.study.calibration.scaled:
            return title
        depth = self._quantity is Quantity.DEPTH
        return title + " · " + (self.tr("depth, mm") if depth else self.tr("thickness, mm"))

    def _paint_bar(self, painter: QPainter, area: QRectF) -> None:
        """Draw the colours with their mm below the switch."""
        assert self.shown is not None
        left, width = area.right() + 8, self.width() - area.right() - 16
        top = area.top() + HIT_PX + 6
        painter.setPen(QColor(QUIET))
        if not self.shown.session.study.calibration.scaled:
            painter.drawText(QRectF(left, top, width, 34), MIDDLE, self.tr("no mm scale"))
            return
        ramp = np.linspace(0, TOP_MM, 64)
        colours = map_colours(ramp, self._quantity)
        bar = QRectF(left, top, width, _BAR_PX)
        painter.drawImage(bar, in_own_colours(colours[None]))
        flags = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop
        for mark_mm in _MARKS_MM:
            x = left + width * mark_mm / TOP_MM
            painter.drawLine(QPointF(x, bar.bottom()), QPointF(x, bar.bottom() + 3))
            text = f"≥{mark_mm:g}" if mark_mm == TOP_MM else f"{mark_mm:g}"
            wide = painter.fontMetrics().horizontalAdvance(text)
            at = min(max(x - wide / 2, left), left + width - wide)
            painter.drawText(QRectF(at, bar.bottom() + 3, wide + 1, 18), flags, text)

    def _paint_moving(self, painter: QPainter) -> None:
        super()._paint_moving(painter)
        area, x = self.area(), self.cursor_px()
        if not area.left() <= x <= area.right():
            return
        painter.setBrush(QColor(BACKGROUND))
        painter.setPen(QPen(QColor("#ffffff"), 1.5))
        for angle in self.cut_angles_deg():
            y = area.top() + area.height() * angle / FULL_CIRCLE_DEG
            painter.drawEllipse(QPointF(x, y), 3.5, 3.5)
