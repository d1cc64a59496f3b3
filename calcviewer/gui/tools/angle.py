"""The angle: three points, by clicks, or the first two by a drag."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QObject

from calcviewer.core.free_measurement import FreeMeasurement
from calcviewer.gui.tools.free_marks import length_mm, marks_of
from calcviewer.gui.tools.measuring import MeasuringTool, smallest_mm
from calcviewer.gui.tools.tool import Mark, Pointer

Point = tuple[float, float]
_POINTS = 3


class AngleTool(MeasuringTool):
    """Measures angles: the end of one arm, the vertex, the end of the other arm."""

    kind = "angle"

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._set: list[Point] = []

    @property
    def drawing(self) -> bool:
        """Whether an angle is being drawn."""
        return bool(self._set)

    def begin(self, pointer: Pointer) -> None:
        """Set the first point at once; further ones are set when the button is let go."""
        if not self._set:
            self._set = [pointer.at_mm]

    def draw(self, pointer: Pointer) -> None:
        """Let the next point follow the mouse."""

    def finished(self, pointer: Pointer) -> FreeMeasurement | None:
        """Set the next point; return the angle when it is the third."""
        if self._far(self._set[-1], pointer):
            self._set.append(pointer.at_mm)
        return self._angle(self._set) if len(self._set) == _POINTS else None

    def drop(self) -> None:
        """Drop the angle."""
        self._set = []

    def step_back(self) -> None:
        """Take back the last point."""
        self._set.pop()

    def draft(self) -> Sequence[Mark]:
        """Return the points so far, and the next one under the mouse."""
        if not self._set:
            return ()
        points = list(self._set)
        if self.pointer is not None and self._far(points[-1], self.pointer):
            points.append(self.pointer.at_mm)
        if len(points) == _POINTS:
            new = self._angle(points)
            return marks_of(new, self.text(new), selected=True)
        line = np.array(points)
        return (Mark(line, handles_mm=line, selected=True),)

    def measured(self, measurement: FreeMeasurement) -> bool:
        """Whether its arms are longer than a click."""
        points = measurement.points_mm
        arms = (length_mm(points[:2]), length_mm(points[-2:]))
        return min(arms) >= smallest_mm(self.pointer)

    def new_status(self) -> str:
        """Say how to measure."""
        return self.tr("Click the end of one arm, the vertex, and the end of the other arm")

    def drawing_status(self) -> str:
        """Say which point is next."""
        if len(self._set) == 1:
            return self.tr("Click the vertex · Esc: back")
        return self.tr("Click the end of the other arm · Esc: back")

    def _far(self, at_mm: Point, pointer: Pointer) -> bool:
        away = np.subtract(pointer.at_mm, at_mm)
        return float(np.hypot(*away)) >= smallest_mm(pointer)

    def _angle(self, points: Sequence[Point]) -> FreeMeasurement:
        return FreeMeasurement("angle", np.array(points))
