"""The EEL tool: the external elastic lamina, drawn by dragging round it or by clicks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from PySide6.QtCore import QObject, Qt

from calcviewer.core.annotation import FrameAnnotation
from calcviewer.core.contour import Contour, contours_of
from calcviewer.core.editing.regions import lasso_region
from calcviewer.core.editing.structures import Structure, Target, with_contour
from calcviewer.gui.theme import EEL
from calcviewer.gui.tools.path import PathTool, Points
from calcviewer.gui.tools.strokes import length_of, point_under, smooth_ring
from calcviewer.gui.tools.tool import Look, Mark, Pointer

_DRAG_REACHES = 1.0
"""A press that moves on so far draws; one that does not was a click."""
_AGAIN_REACHES = 0.3
_FEWEST_CLICKS = 3
_TARGET = Target(Structure.EEL)
_CLOSING = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
_TAKING_BACK = (Qt.Key.Key_Backspace, Qt.Key.Key_Delete, Qt.Key.Key_Undo)
_REMOVING = (Qt.Key.Key_Delete, Qt.Key.Key_Backspace)


class EelTool(PathTool):
    """Draws the EEL of the frame anew.

    Every click is a point of a smooth closed curve, which is there from the third click on; a
    click on the first or the last point, or Enter, ends it. All of it is one undo step.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._clicks = np.empty((0, 2))
        self._made_eel: Contour | None = None

    # Mouse --------------------------------------------------------------------------------------

    def hover(self, pointer: Pointer) -> None:
        """Follow the mouse with the line to the next point."""
        self._notice_undo()
        super().hover(pointer)

    def begin_at(self, pointer: Pointer) -> None:
        """Begin to draw the EEL, or go on with the points that are there."""
        self._notice_undo()
        if not self.busy:
            self.begin(self.tr("draw the EEL"))

    def release(self, pointer: Pointer) -> None:
        """Close the line, or set the point, or end the curve on its first or last point.

        While points are being set, a drag is but an unsteady click.
        """
        path, self._path = self._path, None
        if path is None:
            return
        drawn = not len(self._clicks) and length_of(path) > _DRAG_REACHES * pointer.reach_mm
        if drawn:
            self.put(self._drawn(lasso_region(path)))
            self.end()
        elif self._ends_curve(pointer):
            self._close()
        else:
            self._set_clicks(np.concatenate([self._clicks, [pointer.at_mm]]))
        self.hover(pointer)

    def wants(self, key: int) -> bool:
        """Take the keys that end the curve, take a click back, or remove the EEL."""
        self._notice_undo()
        if len(self._clicks):
            return key in (*_CLOSING, *_TAKING_BACK, Qt.Key.Key_Escape)
        removes = key in _REMOVING and self.annotation.eel is not None and not self.trouble()
        return (removes and not self.busy) or super().wants(key)

    def press_key(self, key: int) -> None:
        """End the curve, take the last click back, or remove the EEL of the frame."""
        if len(self._clicks) and key in _CLOSING:
            self._close()
        elif len(self._clicks) and key in _TAKING_BACK:
            self._set_clicks(self._clicks[:-1])
        elif key in _REMOVING and not self.busy and self.annotation.eel is not None:
            self.begin(self.tr("remove the EEL"))
            self.put(with_contour(self.before, _TARGET, None, self.field))
            self.end()
        else:
            super().press_key(key)

    def deactivate(self) -> None:
        """Keep a curve that is there when the tool is put away."""
        self.end()
        super().deactivate()

    def cancel(self) -> None:
        """Drop what was drawn since the first click."""
        self.deselect()
        super().cancel()

    def deselect(self) -> None:
        """Set no more points."""
        self._clicks, self._path = np.empty((0, 2)), None

    def _notice_undo(self) -> None:
        """Set no more points to a curve that was undone from elsewhere."""
        if self._undone():
            self.deselect()
            self.end()

    def _undone(self) -> bool:
        drawn = len(self._clicks) >= _FEWEST_CLICKS
        return drawn and self.annotation.eel is not self._made_eel

    def _on_first(self, pointer: Pointer) -> bool:
        """Whether a click ends the curve on its first point."""
        enough = len(self._clicks) >= _FEWEST_CLICKS
        return enough and point_under(self._clicks[:1], pointer) is not None

    def _ends_curve(self, pointer: Pointer) -> bool:
        """Whether a click ends the curve: on its first point, or twice on its last."""
        enough = len(self._clicks) >= _FEWEST_CLICKS
        near = replace(pointer, reach_mm=_AGAIN_REACHES * pointer.reach_mm, reach_deg=None)
        again = enough and point_under(self._clicks[-1:], near) is not None
        return again or self._on_first(pointer)

    def _close(self) -> None:
        if len(self._clicks) >= _FEWEST_CLICKS:
            self.end()
            self.deselect()
            self.changed.emit()

    def _set_clicks(self, clicks: Points) -> None:
        self._clicks = clicks
        if not len(clicks):
            self.cancel()
        elif len(clicks) < _FEWEST_CLICKS:
            self.put(self.before)
        else:
            self.put(self._drawn(lasso_region(smooth_ring(clicks))))
        self._made_eel = self.annotation.eel
        self.changed.emit()

    def _drawn(self, region: object) -> FrameAnnotation:
        found: tuple[Contour, ...] = contours_of(region)
        if not found:
            return self.before
        return with_contour(self.before, _TARGET, found[0].without_holes(), self.field)

    # What is shown ------------------------------------------------------------------------------

    def cursor_at(self, pointer: Pointer) -> Qt.CursorShape:
        """Return a pointing hand where a click ends the curve, else a cross."""
        if self.trouble():
            return Qt.CursorShape.ForbiddenCursor
        ends = self._on_first(pointer)
        return Qt.CursorShape.PointingHandCursor if ends else Qt.CursorShape.CrossCursor

    def marks(self) -> Sequence[Mark]:
        """Return the line so far, or the points and the way to the pointer."""
        if self._path is not None and not len(self._clicks):
            return (Mark(self._path, closed=len(self._path) > 2, look=Look.TRACE, colour=EEL),)
        if not len(self._clicks) or self._undone():
            return ()
        line = self._clicks
        if self.pointer is not None and len(line) < _FEWEST_CLICKS:
            line = np.concatenate([line, [self.pointer.at_mm]])
        points = Mark(line[:1], handles_mm=self._clicks, look=Look.GLOW)
        if len(self._clicks) >= _FEWEST_CLICKS:
            return (points,)
        return Mark(line, look=Look.TRACE, colour=EEL), points

    def status(self) -> str:
        """Say what a press would do here."""
        if trouble := self.trouble():
            return trouble
        count = 0 if self._undone() else len(self._clicks)
        if self._path is not None and not count:
            return self.tr("Let go to close the EEL · Esc drops it")
        if self.pointer is not None and self._on_first(self.pointer):
            return self.tr("Click to end the EEL here")
        if count >= _FEWEST_CLICKS:
            return self.tr("Click on · Backspace takes a point back · Enter or first point ends")
        if count:
            return self.tr("Click on round the EEL · Backspace takes a point back")
        if self.annotation.eel is not None:
            return self.tr(
                "Drag or click round the vessel to draw the EEL anew · Delete removes it"
            )
        return self.tr("Drag round the outer border of the media, or click points on it: the EEL")
