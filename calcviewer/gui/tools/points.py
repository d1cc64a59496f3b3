"""The points tool: a border is held by a few points, to be moved, added and removed."""

from __future__ import annotations

from collections.abc import Sequence
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QWidget

from calcviewer.core.contour import Contour
from calcviewer.core.editing.border_points import (
    handles,
    held_by,
    point_added,
    point_moved,
    point_removed,
)
from calcviewer.core.editing.structures import (
    Target,
    contour_at,
    targets_of,
    with_contour,
)
from calcviewer.gui.tools.editing import EditTool
from calcviewer.gui.tools.options import OptionsRow
from calcviewer.gui.tools.strokes import border_under, nearest_index, point_under
from calcviewer.gui.tools.structure_names import COLOURS, name_of
from calcviewer.gui.tools.tool import Look, Mark, Pointer

Points = NDArray[np.float64]

_SAME_MM = 1e-6
_REMOVING = (Qt.Key.Key_Delete, Qt.Key.Key_Backspace)


class PointsTool(EditTool):
    """Shows the points of the border under the pointer; one of them can be selected."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._target: Target | None = None
        self._point_mm: Points | None = None
        self._held: tuple[Contour, Points, int] | None = None
        self._pressed_mm = np.zeros(2)
        self._known: WeakKeyDictionary[Contour, Points] = WeakKeyDictionary()

    # Mouse --------------------------------------------------------------------------------------

    def hover(self, pointer: Pointer) -> None:
        """Show the points of the border under the pointer; else the last ones stay."""
        if not self.busy and self._point_at(pointer) is None:
            under = border_under(self.annotation, pointer)
            if under is not None and under != self._target:
                self._target, self._point_mm = under, None
        super().hover(pointer)

    def press(self, pointer: Pointer) -> bool:
        """Take the point under the pointer, or add one to the border there."""
        if self.trouble():
            return False
        self.hover(pointer)
        contour, index = self._contour(), self._point_at(pointer)
        if contour is None or self._target is None:
            return False
        name = name_of(self._target.structure)
        if index is not None:
            self.begin(self.tr("move a point of the {structure}").format(structure=name))
            self._held = contour, self._points(), index
        elif self._on_border(pointer):
            self.begin(self.tr("add a point to the {structure}").format(structure=name))
            self._held = point_added(contour, self._points(), pointer.at_mm)
            self._put(self._held[0], self._held[1], self._held[2])
        else:
            self._point_mm = None
            self.changed.emit()
            return False
        self._point_mm = self._held[1][self._held[2]]
        self._pressed_mm = np.array(pointer.at_mm)
        self.cursor = self.cursor_at(pointer)
        self.changed.emit()
        return True

    def drag(self, pointer: Pointer) -> None:
        """Move the point that is held."""
        if self._held is None:
            return
        self.pointer = pointer
        contour, points, index = self._held
        to = points[index] + np.array(pointer.at_mm) - self._pressed_mm
        moved = point_moved(contour, points, index, (float(to[0]), float(to[1])))
        points = points.copy()
        points[index] = to
        self._put(moved, points, index)
        self.changed.emit()

    def release(self, pointer: Pointer) -> None:
        """Let go; the point stays selected."""
        self.end()
        self._held = None
        self.hover(pointer)

    def cancel(self) -> None:
        """Put the point back where it was."""
        if self.busy:
            self._point_mm = None
        self._held = None
        super().cancel()

    # Selection ----------------------------------------------------------------------------------

    @property
    def selected(self) -> bool:
        """Whether a point is selected."""
        return self._index() is not None

    def deselect(self) -> None:
        """Select no point; show the points of no border."""
        self._target = self._point_mm = self._held = None

    def wants(self, key: int) -> bool:
        """Take Delete while a point is selected, and what every editing tool takes."""
        return (key in _REMOVING and self.selected and not self.busy) or super().wants(key)

    def press_key(self, key: int) -> None:
        """Remove the selected point, or do what every editing tool does."""
        if key in _REMOVING:
            self.remove()
        else:
            super().press_key(key)

    def remove(self) -> None:
        """Remove the selected point."""
        contour, index = self._contour(), self._index()
        if self.busy or contour is None or self._target is None or index is None:
            return
        name = name_of(self._target.structure)
        self.begin(self.tr("remove a point of the {structure}").format(structure=name))
        points = self._points()
        rest = point_removed(contour, points, index)
        if rest is not contour:
            self._put(rest, np.delete(points, index, axis=0), None)
            self._point_mm = None
        self.end()

    # The border ---------------------------------------------------------------------------------

    def _put(self, contour: Contour, points: Points, index: int | None) -> None:
        """Put a border in force, and keep the points that hold it."""
        assert self._target is not None
        self.put(with_contour(self.before, self._target, contour, self.field))
        made = self._contour()
        if made is None:
            return
        if contour_at(self.before, self._target) is not made:
            self._known[made] = held_by(made, points, index)
        if index is not None:
            self._point_mm = held_by(made, points[index : index + 1], 0)[0]

    def _contour(self) -> Contour | None:
        return None if self._target is None else contour_at(self.annotation, self._target)

    def _points(self) -> Points:
        """Return the points of the border: those the operator has left it with, else its own."""
        contour = self._contour()
        if contour is None:
            return np.empty((0, 2))
        known = self._known.get(contour)
        return handles(contour) if known is None else known

    def _point_at(self, pointer: Pointer) -> int | None:
        return point_under(self._points(), pointer)

    def _on_border(self, pointer: Pointer) -> bool:
        under = border_under(self.annotation, pointer)
        return under is not None and under == self._target

    def _index(self) -> int | None:
        """Return which point is selected: points are known by where they are."""
        if self._point_mm is None:
            return None
        at = float(self._point_mm[0]), float(self._point_mm[1])
        return nearest_index(self._points(), at, _SAME_MM)

    # What is shown ------------------------------------------------------------------------------

    def cursor_at(self, pointer: Pointer) -> Qt.CursorShape:
        """Return a hand over a point, a cross where a press adds one."""
        if self.trouble() or not targets_of(self.annotation):
            return Qt.CursorShape.ForbiddenCursor
        if self._held is not None:
            return Qt.CursorShape.ClosedHandCursor
        if self._point_at(pointer) is not None:
            return Qt.CursorShape.OpenHandCursor
        adds = self._on_border(pointer)
        return Qt.CursorShape.CrossCursor if adds else Qt.CursorShape.ArrowCursor

    def marks(self) -> Sequence[Mark]:
        """Return the points of the border, the selected one in full."""
        contour = self._contour()
        if contour is None or self._target is None or self.trouble():
            return ()
        colour = COLOURS[self._target.structure]
        points = Mark(
            contour.points_mm, closed=True, handles_mm=self._points(), look=Look.GLOW, colour=colour
        )
        if self._point_mm is None:
            return (points,)
        at = self._point_mm[None]
        return points, Mark(at, handles_mm=at, look=Look.GLOW, selected=True)

    def status(self) -> str:
        """Say what a press would do here."""
        if trouble := self.trouble():
            return trouble
        if not targets_of(self.annotation):
            return self.tr("Nothing to correct in this frame yet · draw the lumen with the lasso")
        if self._held is not None:
            return self.tr("Moving a point · Esc takes it back")
        if self._target is None or self.pointer is None:
            return self.tr("Move over a border: its points appear")
        name = name_of(self._target.structure)
        if self._point_at(self.pointer) is not None:
            text = self.tr("Drag the point of the {structure} · click selects it")
        elif self._on_border(self.pointer):
            text = self.tr("Click adds a point to the {structure}")
        elif self.selected:
            text = self.tr("Delete removes the selected point of the {structure}")
        else:
            text = self.tr("Drag a point of the {structure}, or click its border to add one")
        return text.format(structure=name)

    def make_options(self, parent: QWidget) -> QWidget:
        """Return the button that removes the selected point."""
        options = OptionsRow(parent)
        button = options.add_button(self.tr("Remove point"), self.remove)

        def follow() -> None:
            button.setEnabled(self.selected)

        self.changed.connect(follow)
        options.destroyed.connect(lambda: self.changed.disconnect(follow))
        follow()
        return options
