"""The contour tool: any border is dragged where it is taken, and redrawn by drawing over it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Qt

from calcviewer.core.editing.border import nearest_on, pulled, redrawn
from calcviewer.core.editing.structures import (
    Target,
    contour_at,
    targets_of,
    with_contour,
)
from calcviewer.gui.tools.radius import RadiusTool
from calcviewer.gui.tools.strokes import (
    border_part,
    border_under,
    extended,
    length_of,
    redrawing,
    stroke_target,
)
from calcviewer.gui.tools.structure_names import COLOURS, name_of
from calcviewer.gui.tools.tool import Look, Mark, Pointer

Points = NDArray[np.float64]

_RADIUS_MM = 0.4
_JOINED_REACHES = 3.0
"""A stroke redraws a border when it begins and ends within this many reaches of it."""
_FOLLOWING = 2.0
"""What lies within so many radii along the border is shown as what follows the mouse."""


class ContourTool(RadiusTool):
    """Drags lumen, deposits and EEL by their borders; a stroke from off the border redraws it."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(_RADIUS_MM, parent)
        self._target: Target | None = None
        self._pressed_mm = np.zeros(2)
        self._grab_mm = np.zeros(2)
        self._stroke: Points | None = None

    # Mouse --------------------------------------------------------------------------------------

    def press(self, pointer: Pointer) -> bool:
        """Take hold of the border under the pointer, else begin a stroke."""
        if self.trouble():
            return False
        self.pointer = pointer
        self._target = self._under(pointer)
        if self._target is None:
            self._stroke = np.array([pointer.at_mm])
            self.begin(self.tr("redraw"))
        else:
            contour = contour_at(self.annotation, self._target)
            assert contour is not None
            self._pressed_mm = np.array(pointer.at_mm)
            self._grab_mm = np.array(nearest_on(contour, pointer.at_mm)[1])
            name = name_of(self._target.structure)
            self.begin(self.tr("drag the {structure}").format(structure=name))
        self.cursor = self.cursor_at(pointer)
        self.changed.emit()
        return True

    def drag(self, pointer: Pointer) -> None:
        """Let the border follow, or the stroke grow."""
        if not self.busy:
            return
        self.pointer = pointer
        if self._stroke is None:
            self._pull(pointer)
        else:
            self._stroke = extended(self._stroke, pointer)
            self._redraw(self._stroke, pointer.reach_mm)
        self.changed.emit()

    def release(self, pointer: Pointer) -> None:
        """Let go."""
        self.end()
        self._forget()
        self.hover(pointer)

    def cancel(self) -> None:
        """Take back what is being dragged or drawn."""
        super().cancel()
        self._forget()

    def change_radius(self, steps: int) -> None:
        """Change how much of the border follows, also of the border that is held."""
        super().change_radius(steps)
        if self.busy and self._stroke is None and self.pointer is not None:
            self._pull(self.pointer)

    def deselect(self) -> None:
        """Let go of everything."""
        self._forget()

    def _forget(self) -> None:
        self._stroke = self._target = None

    def _pull(self, pointer: Pointer) -> None:
        target = self._target
        contour = None if target is None else contour_at(self.before, target)
        if target is None or contour is None:
            return
        to_mm = self._grab_mm + np.array(pointer.at_mm) - self._pressed_mm
        moved = pulled(contour, _point(self._grab_mm), _point(to_mm), radius_mm=self.radius_mm)
        self.put(with_contour(self.before, target, moved, self.field))

    def _redraw(self, stroke: Points, reach_mm: float) -> None:
        found = stroke_target(self.before, stroke)
        self._target = None
        if found is None:
            return
        target, off_mm = found
        contour = contour_at(self.before, target)
        assert contour is not None
        drawn = redrawing(contour, stroke)
        if off_mm > _JOINED_REACHES * reach_mm or length_of(drawn) < reach_mm:
            self.put(self.before)
            return
        self._target = target
        name = name_of(target.structure)
        self.rename(self.tr("redraw the {structure}").format(structure=name))
        changed = redrawn(contour, drawn)
        self.put(with_contour(self.before, target, changed, self.field))

    # What is shown ------------------------------------------------------------------------------

    def cursor_at(self, pointer: Pointer) -> Qt.CursorShape:
        """Return a hand over a border, a cross where a stroke begins."""
        if self.trouble() or not targets_of(self.annotation):
            return Qt.CursorShape.ForbiddenCursor
        if self.busy and self._stroke is None:
            return Qt.CursorShape.ClosedHandCursor
        over = self._under(pointer) is not None
        return Qt.CursorShape.OpenHandCursor if over else Qt.CursorShape.CrossCursor

    def marks(self) -> Sequence[Mark]:
        """Return the part of the border that follows, or the stroke and the border it redraws."""
        if self.pointer is None or self.trouble():
            return ()
        if self._stroke is not None:
            trace = Mark(self._stroke, look=Look.TRACE)
            return (*self._glow(self._target, whole=True), trace)
        return self._glow(self._target if self.busy else self._under(self.pointer), whole=False)

    def status(self) -> str:
        """Say what a press would do here, or what the hand is doing."""
        if trouble := self.trouble():
            return trouble
        if not targets_of(self.annotation):
            return self.tr("Nothing to correct in this frame yet · draw the lumen with the lasso")
        if self._stroke is not None:
            return self._stroke_status()
        if self.busy and self._target is not None:
            text = self.tr("Dragging the {structure} · {radius} · Esc takes it back")
            return text.format(structure=name_of(self._target.structure), radius=self.radius_text())
        under = None if self.pointer is None else self._under(self.pointer)
        if under is not None:
            text = self.tr("Drag the {structure} · {radius}")
            return text.format(structure=name_of(under.structure), radius=self.radius_text())
        return self.tr("Drag a border · or draw over one, from beside it, to redraw that part")

    def _stroke_status(self) -> str:
        if self._target is None:
            return self.tr("Draw along a border and end beside it · Esc takes it back")
        text = self.tr("Redraws the {structure} where you draw · Esc takes it back")
        return text.format(structure=name_of(self._target.structure))

    def _glow(self, target: Target | None, *, whole: bool) -> tuple[Mark, ...]:
        contour = None if target is None else contour_at(self.annotation, target)
        if target is None or contour is None or self.pointer is None:
            return ()
        colour = COLOURS[target.structure]
        if whole:
            return (Mark(contour.points_mm, closed=True, look=Look.GLOW, colour=colour),)
        _, at = nearest_on(contour, self.pointer.at_mm)
        part = border_part(contour, at, _FOLLOWING * self.radius_mm)
        held = np.asarray(at, dtype=np.float64)[None]
        return (Mark(part, handles_mm=held, look=Look.GLOW, colour=colour, selected=self.busy),)

    def _under(self, pointer: Pointer) -> Target | None:
        return border_under(self.annotation, pointer)


def _point(at: Points) -> tuple[float, float]:
    return float(at[0]), float(at[1])
