"""What tools share that draw a free line, from a press to a release."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject

from calcviewer.gui.tools.editing import EditTool
from calcviewer.gui.tools.strokes import extended
from calcviewer.gui.tools.tool import Pointer

Points = NDArray[np.float64]


class PathTool(EditTool):
    """Follows the pointer with a line, of shape ``(N, 2)``; None while there is none."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._path: Points | None = None

    def press(self, pointer: Pointer) -> bool:
        """Begin a line."""
        if self.trouble():
            return False
        self.begin_at(pointer)
        self._path, self.pointer = np.array([pointer.at_mm]), pointer
        self.changed.emit()
        return True

    def begin_at(self, pointer: Pointer) -> None:
        """Begin the undo step that a line belongs to."""
        raise NotImplementedError

    def drag(self, pointer: Pointer) -> None:
        """Draw on."""
        if self._path is None:
            return
        self.pointer = pointer
        self._path = extended(self._path, pointer)
        self.changed.emit()
