"""Tools with a radius: the wheel while the button is held, and two keys, change it."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt

from calcviewer.gui.tools.editing import EditTool

_SMALLEST_MM, _LARGEST_MM = 0.03, 2.0
_PER_STEP = 1.15
_SMALLER, _LARGER = Qt.Key.Key_BracketLeft, Qt.Key.Key_BracketRight


class RadiusTool(EditTool):
    """Base of the tools that work within a radius about the pointer."""

    def __init__(self, radius_mm: float, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.radius_mm = radius_mm

    def change_radius(self, steps: int) -> None:
        """Make the radius larger by a number of steps, smaller by a negative one."""
        radius = self.radius_mm * _PER_STEP**steps
        self.radius_mm = min(max(radius, _SMALLEST_MM), _LARGEST_MM)
        self.changed.emit()

    def turn(self, notches: int) -> bool:
        """Change the radius while something is held: larger with the wheel away from the hand."""
        if not self.busy:
            return False
        self.change_radius(notches)
        return True

    def wants(self, key: int) -> bool:
        """Take the keys of the radius beside those of every editing tool."""
        return key in (_SMALLER, _LARGER) or super().wants(key)

    def press_key(self, key: int) -> None:
        """Change the radius, or do what every editing tool does."""
        if key in (_SMALLER, _LARGER):
            self.change_radius(1 if key == _LARGER else -1)
        else:
            super().press_key(key)

    def radius_text(self) -> str:
        """Return the radius and what changes it now; without a scale there are no millimetres."""
        assert self.shown is not None
        keys = self.tr("wheel") if self.busy else "[ ]"
        if self.shown.session.study.calibration.sample_spacing_mm is None:
            return self.tr("radius: {keys}").format(keys=keys)
        text = self.tr("radius {radius} mm: {keys}")
        return text.format(radius=f"{self.radius_mm:.2f}", keys=keys)
