"""How the cross-section and the polar view draw the frame on screen, with everything on it.

A view is one widget that paints itself. A change only marks what is stale; the next paint event
reads the frame and its overlay. So a step is one repaint however many things changed with it,
steps that come faster than the screen are dropped, and a hidden view costs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from calcviewer.app.review import bridged_by_operator
from calcviewer.app.session import Change, Facet
from calcviewer.core.annotation import FrameAnnotation
from calcviewer.core.geometry import Arc
from calcviewer.gui.shown import ShownStudy
from calcviewer.gui.tools.free_marks import quiet_marks
from calcviewer.gui.tools.tool import Look, Mark
from calcviewer.gui.view_state import ViewState
from calcviewer.gui.views import drawing
from calcviewer.gui.views.overlay import Lines, Overlay, frame_overlay
from calcviewer.modalities.ivoct.quantify import FrameMeasurement

Points = NDArray[np.float64]

_REDRAWN = frozenset({Facet.ANNOTATION, Facet.EXCLUSION, Facet.CALIBRATION, Facet.GUIDEWIRE})


class ImageCanvas(QWidget):
    """Draws the frame on screen; what it looks like is up to the view."""

    def __init__(self, state: ViewState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.state = state
        self.shown: ShownStudy | None = None
        self.overlay = Overlay()
        self.annotation: FrameAnnotation | None = None
        self.measured: FrameMeasurement | None = None
        self.bridged = False
        self._picture: QImage | None = None
        self._picture_stale = self._overlay_stale = True
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMinimumSize(160, 120)
        state.frame_changed.connect(self._frame_changed)
        state.display_changed.connect(self._display_changed)
        state.overlay_changed.connect(self._overlay_changed)
        state.cut_changed.connect(self._overlay_changed)

    # What a view is made of -------------------------------------------------------------------

    def fit(self) -> None:
        """Show the whole picture."""
        raise NotImplementedError

    def _read_picture(self, shown: ShownStudy) -> QImage:
        raise NotImplementedError

    def _paint_picture(self, painter: QPainter, picture: QImage) -> None:
        raise NotImplementedError

    def _paint_overlay(self, painter: QPainter) -> None:
        raise NotImplementedError

    def _paint_texts(self, painter: QPainter) -> None:
        raise NotImplementedError

    def _lines_px(self, line_mm: Points, *, ring: bool) -> Lines:
        """Return a line in mm as it is seen, in widget pixels; no, one or several lines."""
        raise NotImplementedError

    def _region_px(self, ring_mm: Points) -> Lines:
        """Return the rings, in widget pixels, that enclose what a ring in mm encloses."""
        raise NotImplementedError

    # Study and changes ------------------------------------------------------------------------

    def set_study(self, shown: ShownStudy | None) -> None:
        """Show another study, or none; nothing of the last one stays."""
        self.shown = shown
        self._picture = None
        self.overlay, self.annotation, self.measured = Overlay(), None, None
        self._picture_stale = self._overlay_stale = True
        if shown is not None:
            shown.pictures.calibrate(shown.session.study.calibration)
        self.fit()
        self.update()

    def show_change(self, change: Change) -> None:
        """Draw what a change of the session touches."""
        if self.shown is None:
            return
        if Facet.MEASUREMENT in change.facets:
            self._update_soon()
        if not change.facets & _REDRAWN:
            return
        if Facet.CALIBRATION in change.facets:
            self.shown.pictures.calibrate(self.shown.session.study.calibration)
            self._picture_stale = True
            self.fit()
        if self.state.frame in change.frames or Facet.GUIDEWIRE in change.facets:
            self._overlay_stale = True
            self._update_soon()

    def _update_soon(self) -> None:
        """Repaint after a change of the study."""
        self.update()

    def _frame_changed(self) -> None:
        self._picture_stale = self._overlay_stale = True
        self.update()

    def _display_changed(self) -> None:
        self._picture_stale = True
        self.update()

    def _overlay_changed(self) -> None:
        self.update()

    # Painting ---------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the frame with everything on it."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor("#000000"))
        if self.shown is None or self.state.frame_count == 0:
            title, text = (
                self.tr("No pullback is open"),
                self.tr("Drop a file or a folder here, or choose Open…"),
            )
            drawing.draw_message(painter, QRectF(self.rect()), title, text)
            return
        self._refresh(self.shown)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        if self._picture is not None:
            self._paint_picture(painter, self._picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.state.overlay_visible:
            self._paint_overlay(painter)
            self._paint_marks(painter)
        self._paint_texts(painter)

    def _refresh(self, shown: ShownStudy) -> None:
        """Read what is stale."""
        if self._picture_stale:
            self._picture = self._read_picture(shown)
            self._picture_stale = False
        if self._overlay_stale:
            study, frame = shown.session.study, self.state.frame
            self.annotation = study.annotation(frame)
            self.measured = shown.session.results.frames[frame]
            self.bridged = bridged_by_operator(shown.session.results, frame)
            self.overlay = self._overlay_of(shown)
            self._overlay_stale = False

    def _overlay_of(self, shown: ShownStudy) -> Overlay:
        if self.annotation is None or self.annotation.failure:
            return Overlay()
        arcs: Sequence[Arc] = ()
        if self.measured is not None:
            arcs = self.measured.bridged_arcs if self.bridged else self.measured.visible_arcs
        return frame_overlay(
            self.annotation,
            arc=max(arcs, key=lambda arc: arc.extent_deg, default=None),
            reach_mm=shown.pictures.field_radius_mm,
        )

    def _paint_structures(
        self,
        painter: QPainter,
        *,
        shadows: Lines,
        region: Lines,
        calcium: Lines,
        lumen: Lines,
        eel: Lines,
    ) -> None:
        """Paint the structures of the frame from lines in widget pixels."""
        if shadows:
            drawing.draw_shadow(painter, drawing.path_through(shadows))
        if eel:
            drawing.draw_eel(painter, drawing.path_through(eel))
        if calcium:
            path = drawing.path_through(region)
            drawing.draw_calcium(painter, path, drawing.path_through(calcium))
        if lumen:
            drawing.draw_lumen(painter, drawing.path_through(lumen))

    def _marks(self) -> Sequence[Mark]:
        """Return what is drawn on the frame beside its structures: what was measured freely."""
        return () if self.shown is None else quiet_marks(self.shown.session.study, self.state.frame)

    def _paint_marks(self, painter: QPainter) -> None:
        for mark in self._marks():
            lines = self._lines_px(mark.line_mm, ring=mark.closed)
            if mark.filled:
                region = drawing.path_through(self._region_px(mark.line_mm))
                drawing.fill_region(painter, region, mark.colour)
            if len(mark.line_mm) > 1:
                drawing.draw_mark(painter, drawing.path_through(lines), mark)
            small = mark.look is Look.GLOW
            for handle in mark.handles_mm if mark.handles_mm is not None else ():
                for (at,) in self._lines_px(handle[None], ring=False):
                    drawing.draw_handle(painter, QPointF(*at), held=mark.selected, small=small)
            if mark.text_mm is not None:
                lines = self._lines_px(np.array([mark.text_mm]), ring=False)
            if mark.text and lines:
                drawing.draw_label(painter, QPointF(*lines[0][-1]), mark, QRectF(self.rect()))

    def _frame_troubles(self) -> Sequence[Sequence[drawing.Run]]:
        """Return why the frame on screen has no measurement; empty when it has one."""
        assert self.shown is not None
        study, frame = self.shown.session.study, self.state.frame
        reasons = []
        if fault := self.shown.pictures.fault(frame):
            reasons.append(self.tr("This frame cannot be read: {reason}").format(reason=fault))
        if frame in study.review.excluded:
            reason = study.review.excluded[frame]
            reasons.append(self.tr("Excluded: {reason}").format(reason=reason))
        elif self.annotation is not None and self.annotation.failure and not fault:
            reason = self.annotation.failure
            reasons.append(self.tr("Not segmented: {reason}").format(reason=reason))
        return [[drawing.warning(reason)] for reason in reasons]
