"""The lasso: what is drawn round becomes calcium or lumen, or is taken from it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QWidget

from calcviewer.core.editing.regions import lasso_region
from calcviewer.core.editing.structures import Structure
from calcviewer.gui.tools.options import OptionsRow
from calcviewer.gui.tools.path import PathTool
from calcviewer.gui.tools.strokes import length_of, painted
from calcviewer.gui.tools.structure_names import COLOURS, name_of
from calcviewer.gui.tools.tool import Look, Mark, Pointer

_SHORTEST_REACHES = 1.0


class LassoTool(PathTool):
    """Adds what is drawn round, or, with Alt or the switch, takes it away."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.structure = Structure.CALCIUM
        self.subtract = False

    # Mouse --------------------------------------------------------------------------------------

    def begin_at(self, pointer: Pointer) -> None:
        """Begin to draw round something."""
        self.begin(self.label_at(pointer))

    def release(self, pointer: Pointer) -> None:
        """Close the line, and add or take away what it encloses; a mere click does nothing."""
        path, self._path = self._path, None
        shortest = _SHORTEST_REACHES * pointer.reach_mm
        if path is not None and len(path) > 2 and length_of(path) > shortest:
            self.rename(self.label_at(pointer))
            self.put(
                painted(
                    self.before,
                    lasso_region(path),
                    structure=self.structure_here(),
                    erase=self.subtracts(pointer),
                    field=self.field,
                )
            )
        self.end()
        self.hover(pointer)

    def cancel(self) -> None:
        """Drop the line."""
        self._path = None
        super().cancel()

    def deselect(self) -> None:
        """Drop the line."""
        self._path = None

    def choose(self, structure: Structure) -> None:
        """Choose what is added to or taken from."""
        self.structure = structure
        self.changed.emit()

    def set_subtract(self, subtract: bool) -> None:
        """Choose whether the lasso takes away."""
        self.subtract = subtract
        self.changed.emit()

    def structure_here(self) -> Structure:
        """Return what the lasso changes in this frame: without a lumen, that comes first."""
        return Structure.LUMEN if self.annotation.lumen is None else self.structure

    def subtracts(self, pointer: Pointer) -> bool:
        """Whether the lasso takes away, with or without Alt held; nothing is taken from nothing."""
        return (self.subtract or pointer.alt) and self.annotation.lumen is not None

    def label_at(self, pointer: Pointer) -> str:
        """Return what the undo step is called."""
        if self.annotation.lumen is None:
            return self.tr("draw the lumen")
        subtracts = self.subtracts(pointer)
        text = self.tr("cut {structure}") if subtracts else self.tr("add {structure}")
        return text.format(structure=name_of(self.structure_here()))

    # What is shown ------------------------------------------------------------------------------

    def marks(self) -> Sequence[Mark]:
        """Return the line so far, closed and tinted."""
        if self._path is None or self.pointer is None:
            return ()
        if len(self._path) < 3:
            return (Mark(self._path, look=Look.TRACE),)
        colour = "" if self.subtracts(self.pointer) else COLOURS[self.structure_here()]
        return (Mark(self._path, closed=True, look=Look.TRACE, colour=colour, filled=True),)

    def cursor_at(self, pointer: Pointer) -> Qt.CursorShape:
        """Return a cross, unless the lasso would do nothing."""
        return Qt.CursorShape.ForbiddenCursor if self.trouble() else Qt.CursorShape.CrossCursor

    def status(self) -> str:
        """Say what drawing would do."""
        if trouble := self.trouble():
            return trouble
        if self.annotation.lumen is None:
            return self.tr("No lumen in this frame yet: drag round it to draw it")
        if self._path is not None:
            return self.tr("Let go to close the line · Esc drops it")
        name = name_of(self.structure)
        if self.subtract or (self.pointer is not None and self.pointer.alt):
            return self.tr("Drag round {structure} to take it away").format(structure=name)
        text = self.tr("Drag round {structure} to add it · with Alt held: to take it away")
        return text.format(structure=name)

    def make_options(self, parent: QWidget) -> QWidget:
        """Return the choice of the structure, and the switch to take away."""
        options = OptionsRow(parent)
        texts = {
            Structure.CALCIUM: self.tr("Calcium"),
            Structure.LUMEN: self.tr("Lumen"),
        }
        options.add_choice(texts, self.structure, self.choose)
        options.add_switch(self.tr("Take away"), self.subtract).toggled.connect(self.set_subtract)
        return options
