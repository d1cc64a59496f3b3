"""Brush and eraser: paint calcium or lumen, or take it away, within a circle."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QWidget

from calcviewer.core.annotation import FrameAnnotation
from calcviewer.core.editing.regions import brush_region
from calcviewer.core.editing.structures import Structure
from calcviewer.gui.tools.options import OptionsRow
from calcviewer.gui.tools.radius import RadiusTool
from calcviewer.gui.tools.strokes import circle_about, painted
from calcviewer.gui.tools.structure_names import COLOURS, name_of
from calcviewer.gui.tools.tool import Look, Mark, Pointer

_RADIUS_MM = 0.15
_STEP_RADII = 0.2
"""The brush moves on by this part of its radius at least: less is not seen."""


class BrushTool(RadiusTool):
    """Paints calcium or lumen, or erases it, along the way of the mouse."""

    def __init__(self, parent: QObject | None = None, *, erase: bool = False) -> None:
        super().__init__(_RADIUS_MM, parent)
        self.erase = erase
        self.structure = self._brushed = Structure.CALCIUM
        self._painted = FrameAnnotation()
        self._at_mm = (0.0, 0.0)

    def press(self, pointer: Pointer) -> bool:
        """Paint where the pointer is."""
        if self._refusal():
            return False
        self._brushed = self.structure_here()
        self.begin(self._label_here())
        self._painted, self._at_mm = self.before, pointer.at_mm
        self._paint(pointer)
        return True

    def drag(self, pointer: Pointer) -> None:
        """Paint on the way here."""
        if self.busy:
            far = float(np.hypot(*np.subtract(pointer.at_mm, self._at_mm)))
            if far >= _STEP_RADII * self.radius_mm:
                self._paint(pointer)
        self.hover(pointer)

    def release(self, pointer: Pointer) -> None:
        """Lift the brush."""
        if self.busy and pointer.at_mm != self._at_mm:
            self._paint(pointer)
        self.end()
        self.hover(pointer)

    def choose(self, structure: Structure) -> None:
        """Choose what is painted."""
        self.structure = structure
        self.changed.emit()

    def structure_here(self) -> Structure:
        """Return what is painted in this frame: without a lumen, that comes first."""
        if self.busy:
            return self._brushed
        needs_lumen = self.annotation.lumen is None and not self.erase
        return Structure.LUMEN if needs_lumen else self.structure

    def cursor_at(self, pointer: Pointer) -> Qt.CursorShape:
        """Return a cross in the middle of the brush, unless it would do nothing."""
        return Qt.CursorShape.ForbiddenCursor if self._refusal() else Qt.CursorShape.CrossCursor

    def marks(self) -> Sequence[Mark]:
        """Return the brush."""
        if self.pointer is None or self._refusal():
            return ()
        circle = circle_about(self.pointer.at_mm, self.radius_mm)
        colour = "" if self.erase else COLOURS[self.structure_here()]
        return (Mark(circle, closed=True, look=Look.TRACE, colour=colour, filled=not self.erase),)

    def status(self) -> str:
        """Say what a press would do."""
        if refusal := self._refusal():
            return refusal
        here = self.structure_here()
        if self.erase:
            text = self.tr("Erase {structure} · {radius}")
        elif here is not self.structure:
            text = self.tr("No lumen in this frame yet: paint it first · {radius}")
        else:
            text = self.tr("Paint {structure} · {radius}")
        return text.format(structure=name_of(here), radius=self.radius_text())

    def make_options(self, parent: QWidget) -> QWidget:
        """Return the choice of what is painted."""
        options = OptionsRow(parent)
        texts = {
            Structure.CALCIUM: self.tr("Calcium"),
            Structure.LUMEN: self.tr("Lumen"),
        }
        options.add_choice(texts, self.structure, self.choose)
        return options

    def _refusal(self) -> str:
        """Return why a press would do nothing; empty when it would do something."""
        if trouble := self.trouble():
            return trouble
        here = self.annotation
        if self.erase and here.lumen is None and not here.calcium:
            return self.tr("Nothing to erase in this frame")
        return ""

    def _label_here(self) -> str:
        verb = self.tr("erase {structure}") if self.erase else self.tr("brush {structure}")
        return verb.format(structure=name_of(self.structure_here()))

    def _paint(self, pointer: Pointer) -> None:
        """Paint the way from where the brush was last."""
        path = np.array([self._at_mm, pointer.at_mm])
        self._painted = painted(
            self._painted,
            brush_region(path, self.radius_mm),
            structure=self._brushed,
            erase=self.erase,
            field=self.field,
        )
        self._at_mm, self.pointer = pointer.at_mm, pointer
        self.put(self._painted)
