"""What a tool is: what the left mouse button does in the image views while it is active."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

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
    alt, shift
        Whether Alt, or Shift, is held.
    reach_deg
        How far a target reaches in angle about the catheter where the view unrolls it; None where
        a target is round in mm.
    """

    at_mm: tuple[float, float]
    reach_mm: float
    alt: bool = False
    shift: bool = False
    reach_deg: float | None = None


class Look(Enum):
    """How a mark is drawn.

    LINE: what the tool has drawn. TRACE: a thin line under the pointer. GLOW: a border of the
    annotation that the mouse would take hold of, brightened.
    """

    LINE = "line"
    TRACE = "trace"
    GLOW = "glow"


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
        Written beside the last point of the line, or beside ``text_mm``, ``(x, y)``.
    colour
        Of a glow or a filling; white when empty.
    filled
        Whether the inside is tinted.
    """

    line_mm: NDArray[np.float64]
    closed: bool = False
    handles_mm: NDArray[np.float64] | None = None
    text: str = ""
    selected: bool = False
    look: Look = Look.LINE
    colour: str = ""
    filled: bool = False
    text_mm: tuple[float, float] | None = None


class Tool(QObject):
    """Base of all tools; each replaces what it needs.

    The views send the mouse in mm of the calibration in force, between `activate` and
    `deactivate`. Middle and right button stay theirs, and the wheel while no button is held.
    """

    changed = Signal()
    """Marks, status or cursor are others now."""

    cursor = Qt.CursorShape.CrossCursor

    @property
    def busy(self) -> bool:
        """Whether a gesture that changes the study is in progress."""
        return False

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

    def hover(self, pointer: Pointer) -> None:
        """Follow the mouse while no button is held."""

    def leave(self) -> None:
        """Learn that the mouse has left the view."""

    def turn(self, notches: int) -> bool:
        """Take the wheel while the left button is held; False leaves it to the view."""
        return False

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
