"""What a tool is: what the left mouse button does in the image views while it is active."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QWidget

from calcviewer.gui.shown import ShownStudy
from calcviewer.gui.view_state import ViewState


@dataclass(frozen=True)
class Pointer:
    """Where the mouse is on the frame on screen.

    Parameters
    ----------
    at_mm
        ``(x, y)``, canonical mm; the same in both image views.
    reach_mm
        How far a target of comfortable size reaches here.
    """

    at_mm: tuple[float, float]
    reach_mm: float


@dataclass(frozen=True, eq=False)
class Mark:
    """What a tool has drawn on the frame on screen, canonical mm; views draw it.

    Parameters
    ----------
    line_mm
        Shape ``(N, 2)``.
    handles_mm
        Points to drag, shape ``(M, 2)``.
    text
        Written beside the last point of the line.
    """

    line_mm: NDArray[np.float64]
    closed: bool = False
    handles_mm: NDArray[np.float64] | None = None
    text: str = ""
    selected: bool = False


class Tool(QObject):
    """Base of all tools; each replaces what it needs.

    The views send the mouse in mm of the calibration in force, between `activate` and
    `deactivate`. Wheel, middle and right button stay theirs.
    """

    changed = Signal()
    """Marks, status or cursor are others now."""

    cursor = Qt.CursorShape.CrossCursor

    def activate(self, shown: ShownStudy, state: ViewState) -> None:
        """Begin to work on a study."""

    def deactivate(self) -> None:
        """Stop; what was begun is dropped."""

    def press(self, pointer: Pointer) -> bool:
        """Take a press of the left button; False leaves it to the view."""
        return False

    def drag(self, pointer: Pointer) -> None:
        """Follow the mouse after a press that was taken."""

    def release(self, pointer: Pointer) -> None:
        """End what a press began."""

    def wants(self, key: int) -> bool:
        """Whether `press_key` would do something now with a key (`Qt.Key`)."""
        return False

    def press_key(self, key: int) -> None:
        """Take a key."""

    def marks(self) -> Sequence[Mark]:
        """Return what is drawn on the frame on screen."""
        return ()

    def status(self) -> str:
        """Return one line that says what to do."""
        return ""

    def make_options(self, parent: QWidget) -> QWidget | None:
        """Return a row of settings that places itself over the view it is for."""
        return None
