"""The pullback cut lengthwise: picture, borders, VOI handles, and what the mouse does there."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QContextMenuEvent, QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import QApplication, QMenu, QWidget

from calcviewer.app.review import bookmark, no_voi, voi_from, voi_to
from calcviewer.app.session import Change, Facet, Step
from calcviewer.gui.cut import (
    CutBorders,
    CutFrame,
    CutStore,
    outward,
    radial_span_mm,
    read_frames,
)
from calcviewer.gui.frame_scale import mm_ticks, nearest_end, voi_with_end
from calcviewer.gui.look_up_tables import dragged_levels
from calcviewer.gui.scale_bar import draw_scale_bar
from calcviewer.gui.shown import ShownStudy
from calcviewer.gui.task import Task
from calcviewer.gui.theme import HIT_PX, QUIET
from calcviewer.gui.view_state import ViewState
from calcviewer.gui.views import longitudinal_parts as parts
from calcviewer.gui.views.frame_axis import LEFT_PX, MIDDLE, RIGHT, FrameAxis, FrameCanvas

_CUT_STEP_DEG = 5.0
_STRIP_PX = 5.0
_SLICE_S = 0.004
"""How long borders are computed before events get their turn."""
_CATCHING_UP_S = 0.2
"""How often the picture is painted while more borders are to come: it costs more than a slice."""
_AT_ONCE = frozenset({Facet.VOI, Facet.BOOKMARK})
_REDRAWN = frozenset({Facet.ANNOTATION, Facet.EXCLUSION, Facet.CALIBRATION})


class LongitudinalCanvas(FrameCanvas):
    """The picture along the cut line with all that is drawn on it."""

    def __init__(self, state: ViewState, axis: FrameAxis, parent: QWidget | None = None) -> None:
        super().__init__(state, axis, parent)
        self.bottom_px += _STRIP_PX + 2
        self.store = CutStore(0)
        self._reading: Task | None = None
        self._borders = CutBorders(0)
        self._stale: dict[int, None] = {}
        self._invalidated = 0.0
        self._held_end = 0
        self._gesture = object()
        self._menu_from: QPointF | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setToolTip(
            self.tr(
                "Strip below the picture: segmented blue, confirmed green, excluded grey, "
                "failed yellow."
            )
        )
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.DefaultContextMenu)
        state.cut_changed.connect(self.invalidate)
        state.display_changed.connect(self.invalidate)
        state.overlay_changed.connect(self.invalidate)

    # Study -----------------------------------------------------------------------------------

    def set_study(self, shown: ShownStudy | None) -> None:
        """Show another study, or none, and begin to read its frames."""
        self.stop_reading()
        super().set_study(shown)
        self.store = CutStore(self.frame_count)
        self._borders = CutBorders(self.frame_count)
        around = self.state.frame
        self._stale = dict.fromkeys(outward(self.frame_count, around))
        if shown is None:
            return
        pictures = shown.pictures
        pictures.calibrate(shown.session.study.calibration)
        self._reading = Task(self.tr("Longitudinal view"), lambda: read_frames(pictures, around))
        self._reading.item.connect(self._take_in)
        self._reading.start()
        self.refreshes.ask_now()

    def stop_reading(self) -> None:
        """Stop reading frames: the one in work is the last."""
        if self._reading is not None:
            self._reading.cancel()
            # A task must end in the thread it lives in, so its own thread has to end first.
            self._reading.wait()
            self._reading = None

    def _take_in(self, read: CutFrame) -> None:
        self.store.put(read)
        self.refreshes.ask()

    def show_change(self, change: Change) -> None:
        """Note which frames to draw anew."""
        if self.shown is None:
            return
        if change.facets & _REDRAWN:
            self._stale.update(dict.fromkeys(change.frames))
        if Facet.CALIBRATION in change.facets:
            self.shown.pictures.calibrate(self.shown.session.study.calibration)
        if change.facets & _AT_ONCE:
            self.invalidate()
        super().show_change(change)

    def _refresh(self) -> None:
        """Cross the borders of changed frames, a few milliseconds at a time."""
        if self.shown is None:
            return
        study, until = self.shown.session.study, time.monotonic() + _SLICE_S
        while self._stale and time.monotonic() < until:
            frame = next(iter(self._stale))
            del self._stale[frame]
            self._borders.put(frame, study.annotation(frame))
        if self._stale:
            self.refreshes.ask_now()
        if not self._stale or time.monotonic() - self._invalidated > _CATCHING_UP_S:
            self._invalidated = time.monotonic()
            self.invalidate()

    # Geometry --------------------------------------------------------------------------------

    def empty_text(self) -> str:
        """Return what the view says without a study."""
        return self.tr("Open a pullback to see it along the vessel")

    def section(self) -> parts.Section:
        """Return where the cut lies on screen."""
        assert self.shown is not None
        pullback = self.shown.pictures.pullback
        radii_mm = radial_span_mm(pullback.grid, pullback.field_radius_mm)
        part = self.store.shown_part()
        drawn_mm = 1.03 * float(self._borders.reach_mm.max(initial=0.0))
        half_mm = min(radii_mm[1], max(part * radii_mm[1], drawn_mm))
        return parts.Section(self.area(), self.scale(), radii_mm, half_mm)

    def voi_ends_px(self) -> tuple[float, float]:
        """Return where the handles of the VOI are; at the ends of the pullback without one."""
        first, last = self.voi or (0, self.frame_count - 1)
        return self.scale().x_px(first), self.scale().x_px(last + 1)

    def _pitch_mm(self) -> float | None:
        assert self.shown is not None
        study = self.shown.session.study
        pitch = study.calibration.frame_pitch_mm if study.pullback.motorised else None
        return pitch.value if pitch else None

    # Painting --------------------------------------------------------------------------------

    def _paint_static(self, painter: QPainter) -> None:
        assert self.shown is not None
        study, section = self.shown.session.study, self.section()
        area = section.area
        states = parts.frame_states(study, self.shown.pictures)
        painter.fillRect(area, QColor("#000000"))
        painter.save()
        painter.setClipRect(area)
        self._paint_section(painter, section)
        parts.draw_faults(painter, section, states)
        painter.restore()
        self.draw_voi(painter, area)
        parts.draw_grips(painter, area, self.voi_ends_px(), faint=self.voi is None)
        parts.draw_bookmarks(painter, section, study.review.bookmarks)
        strip = QRectF(area.left(), area.bottom() + 2, area.width(), _STRIP_PX)
        on_strip = replace(section, area=strip)
        parts.draw_strip(painter, on_strip, states, study.review.confirmed_frames)
        pitch_mm = self._pitch_mm()
        if pitch_mm is None:
            self.draw_frame_ticks(painter)
        else:
            ticks = mm_ticks(self.scale(), self.frame_count, pitch_mm)
            self.draw_ticks(painter, ticks, self.tr("mm"))
        self._paint_ends(painter, area)
        self._paint_margins(painter, section)
        self._paint_progress(painter, area)

    def _paint_section(self, painter: QPainter, section: parts.Section) -> None:
        sides = ((1.0, self.state.cut_deg), (-1.0, self.state.cut_deg + 180))
        for sign, angle in sides:
            parts.draw_half(
                painter,
                section,
                self.store,
                sign=sign,
                angle_deg=angle,
                display=self.state.display,
                ratio=self.devicePixelRatioF(),
            )
        parts.draw_unread(painter, section, self.store.filled)
        if self.state.overlay_visible:
            for sign, angle in sides:
                parts.draw_side(painter, section, self._borders.along(angle), sign)

    def _paint_ends(self, painter: QPainter, area: QRectF) -> None:
        """Write which end is which."""
        assert self.shown is not None
        # A motorised pullback starts at the far end; by hand, nobody knows.
        ends = [self.tr("distal"), self.tr("proximal")]
        if not self.shown.session.study.pullback.motorised or self.frame_count < 2:
            ends = [self.tr("first frame"), self.tr("last frame")]
        left, right = reversed(ends) if self.state.flipped else ends
        title = self.tr("Longitudinal")
        self.draw_tag(painter, area.topLeft() + QPointF(8, 3), f"{title} · {left}")
        width = painter.fontMetrics().horizontalAdvance(right) + 16
        self.draw_tag(painter, QPointF(area.right() - width, area.top() + 3), right)

    def _paint_margins(self, painter: QPainter, section: parts.Section) -> None:
        """Write the directions of the two halves, and draw the scale across the vessel."""
        assert self.shown is not None
        area, height = section.area, painter.fontMetrics().height()
        painter.setPen(QColor(QUIET))
        halves = ((self.state.cut_deg, area.top()), (self.state.cut_deg + 180, area.bottom()))
        for (angle, y), shift in zip(halves, (0, -height), strict=True):
            box = QRectF(0, y + shift, LEFT_PX - 7, height)
            painter.drawText(box, RIGHT | MIDDLE, f"{angle % 360:.0f}°")
        if self.shown.session.study.calibration.scaled:
            corner = QRectF(area.right(), area.top(), 64, area.height())
            draw_scale_bar(painter, corner, section.px_per_mm, no_scale="", vertical=True)
        else:
            box = QRectF(area.right() + 8, area.top(), 80, area.height())
            flags = MIDDLE | Qt.TextFlag.TextWordWrap
            painter.drawText(box, flags, self.tr("no mm scale: calibrate"))

    def _paint_progress(self, painter: QPainter, area: QRectF) -> None:
        if self.store.complete:
            return
        done = int(np.count_nonzero(self.store.filled))
        words = self.tr("reading frames: {done} of {total}")
        text = words.format(done=done, total=self.frame_count)
        metrics = painter.fontMetrics()
        left = area.center().x() - metrics.horizontalAdvance(text) / 2
        self.draw_tag(painter, QPointF(left, area.top() + 3), text, QUIET)

    def _paint_moving(self, painter: QPainter) -> None:
        super()._paint_moving(painter)
        area, x = self.area(), self.cursor_px()
        text = str(self.state.frame + 1)
        pitch_mm = self._pitch_mm()
        if pitch_mm is not None:
            text += f" · {self.state.frame * pitch_mm:.1f} mm"
        metrics = painter.fontMetrics()
        width = metrics.horizontalAdvance(text) + 8
        left = x + 5 if x + 5 + width <= area.right() else x - 5 - width
        self.draw_tag(painter, QPointF(left, area.bottom() - metrics.height() - 3), text)

    # Mouse and keys --------------------------------------------------------------------------

    def _grasped_end(self, at: QPointF) -> int | None:
        """Return the VOI handle under the pointer: its grip is easier to hit than its line."""
        on_grip = abs(at.y() - self.area().center().y()) <= HIT_PX / 2
        if self.voi is None and not on_grip:
            return None
        return nearest_end(at.x(), self.voi_ends_px(), HIT_PX / 2 if on_grip else 5.0)

    def _begin_drag(self, at: QPointF, button: Qt.MouseButton) -> str:
        if button == Qt.MouseButton.RightButton:
            self._menu_from = at
            return "levels"
        end = self._grasped_end(at) if button == Qt.MouseButton.LeftButton else None
        if end is None:
            return super()._begin_drag(at, button)
        self._held_end, self._gesture = end, object()
        return "voi"

    def _drag_to(self, at: QPointF, by: QPointF) -> None:
        if self._drag == "voi":
            self._drag_voi(at)
        elif self._drag == "levels":
            self._drag_levels(at, by)
        else:
            super()._drag_to(at, by)

    def _drag_voi(self, at: QPointF) -> None:
        assert self.shown is not None
        session, position = self.shown.session, self.scale().position(at.x())
        voi = voi_with_end(self.voi, self.frame_count, end=self._held_end, position=position)
        if voi != self.voi:
            review = replace(session.study.review, voi=voi)
            session.edit("set volume of interest", review, self._gesture)

    def _drag_levels(self, at: QPointF, by: QPointF) -> None:
        """Change window and level, once it is clear that the press did not ask for the menu."""
        if self._menu_from is not None:
            by = at - self._menu_from
            if by.manhattanLength() < QApplication.startDragDistance():
                return
            self._menu_from = None
        display = self.state.display
        levels = dragged_levels(display.black, display.white, right_px=by.x(), down_px=by.y())
        self.state.set_levels(*levels)

    def _end_drag(self, at: QPointF) -> None:
        if self._drag == "voi" and self.shown is not None:
            self.shown.session.finish(self._gesture)
        if self._drag == "levels" and self._menu_from is not None:
            self._open_menu(at)
        self._menu_from = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Remove the VOI with a double click on one of its handles."""
        on_handle = self.voi is not None and self._grasped_end(event.position()) is not None
        if self.frame_count and event.button() == Qt.MouseButton.LeftButton and on_handle:
            self._clear_voi()
        else:
            self.mousePressEvent(event)

    def _hover(self, at: QPointF) -> None:
        grasped = self._grasped_end(at) is not None
        shape = Qt.CursorShape.SplitHCursor if grasped else Qt.CursorShape.ArrowCursor
        if self.cursor().shape() != shape:
            self.setCursor(shape)

    def _turn_wheel(self, notches: int, *, far: bool) -> None:
        """Rotate the cut; with Shift move on by ten frames as everywhere."""
        if far:
            super()._turn_wheel(notches, far=True)
        else:
            self.state.set_cut(self.state.cut_deg + _CUT_STEP_DEG * notches)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Rotate the cut with Up and Down."""
        turns: dict[int, float] = {Qt.Key.Key_Up: _CUT_STEP_DEG, Qt.Key.Key_Down: -_CUT_STEP_DEG}
        turn = turns.get(event.key())
        if self.frame_count and turn is not None:
            self.state.set_cut(self.state.cut_deg + turn)
        else:
            super().keyPressEvent(event)

    # Menu ------------------------------------------------------------------------------------

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Open the menu by key; the right button opens it on release, if it was not dragged."""
        if event.reason() == QContextMenuEvent.Reason.Keyboard and self.frame_count:
            self._open_menu(QPointF(self.cursor_px(), self.area().center().y()))
        event.accept()

    def menu_at(self, at: QPointF) -> QMenu:
        """Return the menu for a place on screen; it deletes itself when it closes."""
        frame = self.scale().frame(at.x(), self.frame_count)
        number = frame + 1
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        marked = self.shown is not None and frame in self.shown.session.study.review.bookmarks
        mark = self.tr("Remove bookmark of frame {n}") if marked else self.tr("Bookmark frame {n}")
        begin = menu.addAction(self.tr("VOI from frame {n}").format(n=number))
        end = menu.addAction(self.tr("VOI up to frame {n}").format(n=number))
        clear = menu.addAction(self.tr("No VOI: whole pullback"))
        clear.setEnabled(self.voi is not None)
        menu.addSeparator()
        ribbon = menu.addAction(mark.format(n=number))
        menu.addSeparator()
        fit = menu.addAction(self.tr("Show all frames"))
        flip = menu.addAction(self.tr("Swap distal and proximal"))
        begin.triggered.connect(lambda: self._begin_voi(frame))
        end.triggered.connect(lambda: self._end_voi(frame))
        clear.triggered.connect(self._clear_voi)
        ribbon.triggered.connect(lambda: self._toggle_bookmark(frame))
        fit.triggered.connect(self.axis.fit)
        flip.triggered.connect(lambda: self.state.set_flipped(not self.state.flipped))
        return menu

    def _open_menu(self, at: QPointF) -> None:
        self.menu_at(at).popup(self.mapToGlobal(at.toPoint()))

    def _begin_voi(self, frame: int) -> None:
        if self.shown is not None:
            self._do(voi_from(self.shown.session.study.review, frame, self.frame_count))

    def _end_voi(self, frame: int) -> None:
        if self.shown is not None:
            self._do(voi_to(self.shown.session.study.review, frame))

    def _clear_voi(self) -> None:
        if self.shown is not None:
            self._do(no_voi(self.shown.session.study.review))

    def _toggle_bookmark(self, frame: int) -> None:
        if self.shown is not None:
            self._do(bookmark(self.shown.session.study.review, frame))

    def _do(self, step: Step) -> None:
        if self.shown is not None:
            self.shown.session.edit(step.label, step.review)
