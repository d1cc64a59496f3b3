"""The ruler: distances measured by a drag."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QObject

from calcviewer.core.free_measurement import FreeMeasurement
from calcviewer.gui.tools.free_marks import length_mm, marks_of
from calcviewer.gui.tools.measuring import MeasuringTool, smallest_mm
from calcviewer.gui.tools.tool import Mark, Pointer

Point = tuple[float, float]


class RulerTool(MeasuringTool):
    """Measures distances."""

    kind = "length"

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._ends: tuple[Point, Point] | None = None

    @property
    def drawing(self) -> bool:
        """Whether a ruler is being drawn."""
        return self._ends is not None

    def begin(self, pointer: Pointer) -> None:
        """Lay down the first end."""
        self._ends = pointer.at_mm, pointer.at_mm

    def draw(self, pointer: Pointer) -> None:
        """Move the other end."""
        if self._ends is not None:
            self._ends = self._ends[0], pointer.at_mm

    def finished(self, pointer: Pointer) -> FreeMeasurement | None:
        """Return the ruler; a mere click leaves none."""
        self.draw(pointer)
        new = FreeMeasurement("length", np.array(self._ends))
        if self.measured(new):
            return new
        self.drop()
        return None

    def drop(self) -> None:
        """Drop the ruler."""
        self._ends = None

    def draft(self) -> Sequence[Mark]:
        """Return the ruler so far."""
        if self._ends is None:
            return ()
        new = FreeMeasurement("length", np.array(self._ends))
        return marks_of(new, self.text(new), selected=True)

    def measured(self, measurement: FreeMeasurement) -> bool:
        """Whether it is longer than a click."""
        return length_mm(measurement.points_mm) >= smallest_mm(self.pointer)

    def new_status(self) -> str:
        """Say how to measure."""
        return self.tr("Drag to measure a distance")
