"""The area: drawn round by a drag, and closed when the button is let go."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray
from PySide6.QtCore import QObject

from calcviewer.core.editing.regions import lasso_region
from calcviewer.core.free_measurement import FreeMeasurement
from calcviewer.gui.tools.free_marks import area_mm2
from calcviewer.gui.tools.measuring import MeasuringTool, smallest_mm
from calcviewer.gui.tools.strokes import extended
from calcviewer.gui.tools.tool import Look, Mark, Pointer

Points = NDArray[np.float64]

_TOLERANCE_REACHES = 0.03
"""The kept border differs from the drawn one by less than a pixel on screen."""
_FEWEST = 3


class AreaTool(MeasuringTool):
    """Measures areas. Of a curve that crosses itself the largest loop counts."""

    kind = "area"

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._path: Points | None = None

    @property
    def drawing(self) -> bool:
        """Whether an area is being drawn."""
        return self._path is not None

    def begin(self, pointer: Pointer) -> None:
        """Begin the curve."""
        self._path = np.array([pointer.at_mm])

    def draw(self, pointer: Pointer) -> None:
        """Draw the curve on."""
        if self._path is not None:
            self._path = extended(self._path, pointer)

    def finished(self, pointer: Pointer) -> FreeMeasurement | None:
        """Return the area; a mere click leaves none."""
        new = self._area(_TOLERANCE_REACHES * pointer.reach_mm)
        if new is not None and self.measured(new):
            return new
        self.drop()
        return None

    def drop(self) -> None:
        """Drop the curve."""
        self._path = None

    def draft(self) -> Sequence[Mark]:
        """Return the curve so far, closed, with what it encloses."""
        if self._path is None:
            return ()
        new = self._area(0.0)
        line = Mark(self._path, selected=True)
        if new is None:
            return (line,)
        closing = Mark(self._path[[-1, 0]], look=Look.TRACE)
        end = float(self._path[-1, 0]), float(self._path[-1, 1])
        return closing, line, Mark(self._path[-1:], text=self.text(new), text_mm=end)

    def measured(self, measurement: FreeMeasurement) -> bool:
        """Whether it is larger than a click."""
        return area_mm2(measurement.points_mm) >= smallest_mm(self.pointer) ** 2

    def new_status(self) -> str:
        """Say how to measure."""
        return self.tr("Drag round what is to be measured")

    def drawing_status(self) -> str:
        """Say how it ends."""
        return self.tr("Release to close the curve · Esc takes it back")

    def _area(self, tolerance_mm: float) -> FreeMeasurement | None:
        assert self._path is not None
        if len(self._path) < _FEWEST:
            return None
        region = lasso_region(self._path).simplify(tolerance_mm)
        ring = shapely.get_coordinates(region.exterior)[:-1]
        return FreeMeasurement("area", ring) if len(ring) >= _FEWEST else None
