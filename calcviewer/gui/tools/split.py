"""Split calcium: a line drawn across a deposit makes two of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QObject, Qt

from calcviewer.core.annotation import FrameAnnotation
from calcviewer.core.editing.deposits import deposit_split
from calcviewer.gui import theme
from calcviewer.gui.tools.deposit_targets import deposit_at, see
from calcviewer.gui.tools.editing import EditTool
from calcviewer.gui.tools.tool import Look, Mark, Pointer

Point = tuple[float, float]


class SplitTool(EditTool):
    """Cuts deposits in two; the cut is there as soon as the line is across one."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._line: tuple[Point, Point] | None = None

    def deselect(self) -> None:
        """Drop the line."""
        self._line = None

    def press(self, pointer: Pointer) -> bool:
        """Begin the line."""
        if self.trouble() or not self.annotation.calcium:
            return False
        self.begin(self.tr("split calcium"))
        self._line = pointer.at_mm, pointer.at_mm
        self.changed.emit()
        return True

    def drag(self, pointer: Pointer) -> None:
        """Draw the line on, and cut what it crosses."""
        if self._line is None or not self.busy:
            return
        self.pointer = pointer
        self._line = self._line[0], pointer.at_mm
        self.put(deposit_split(self.before, np.array(self._line)))
        self.changed.emit()

    def release(self, pointer: Pointer) -> None:
        """Let go: what is cut stays cut."""
        self.end()
        self._line = None
        self.hover(pointer)

    def cancel(self) -> None:
        """Take the cut back."""
        self._line = None
        super().cancel()

    def marks(self) -> Sequence[Mark]:
        """Return the line with the arcs it makes, or a glow on what is under the mouse."""
        if self._line is not None:
            line = np.array(self._line)
            return (Mark(line, handles_mm=line, text=self._arcs_text(), selected=self._cut()),)
        if self.pointer is None or self.trouble():
            return ()
        under = deposit_at(self.annotation, self.pointer.at_mm)
        if under is None:
            return ()
        ring = self.annotation.calcium[under].points_mm
        return (Mark(ring, closed=True, look=Look.GLOW, colour=theme.CALCIUM),)

    def cursor_at(self, pointer: Pointer) -> Qt.CursorShape:
        """Return the cursor that says whether a line can begin."""
        if self.trouble() or not self.annotation.calcium:
            return Qt.CursorShape.ForbiddenCursor
        return Qt.CursorShape.CrossCursor

    def status(self) -> str:
        """Say what to do here."""
        if trouble := self.trouble():
            return trouble
        if not self.annotation.calcium:
            return self.tr("No calcium in this frame to split")
        if self._line is None:
            return self.tr("Drag a line right across a deposit to split it")
        if self._cut():
            return self.tr("Release to split here · Esc takes it back")
        return self.tr("Draw on until the line is across the deposit")

    def _cut(self) -> bool:
        return self.busy and len(self.annotation.calcium) > len(self.before.calcium)

    def _arcs_text(self) -> str:
        """Return the arcs of the pieces on both sides of the line; empty before there are."""
        if not self._cut() or self.annotation.lumen is None:
            return ""
        return " | ".join(f"{arc:.0f}°" for arc in new_arcs_deg(self.before, self.annotation))


def new_arcs_deg(before: FrameAnnotation, after: FrameAnnotation) -> list[float]:
    """Return the arcs from O of the deposits that were not there before, in order of angle."""
    assert after.lumen is not None
    new = [
        contour
        for contour in after.calcium
        if not any(contour is other for other in before.calcium)
    ]
    arcs = [see(contour, after.lumen.centroid_mm).arc for contour in new]
    return [arc.extent_deg for arc in sorted(arcs, key=lambda arc: arc.start_deg)]
