"""What the views share and no study knows: the frame on screen, colours, the cut, the overlay."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from PySide6.QtCore import QObject, Signal


class LookUpTable(Enum):
    """How grey levels are coloured."""

    GOLD = "gold"
    GREY = "grey"
    INVERSE = "inverse"


@dataclass(frozen=True)
class Display:
    """How images are shown: colours, and the grey levels (0 to 255) that are black and white."""

    table: LookUpTable = LookUpTable.GOLD
    black: float = 0.0
    white: float = 255.0


class ViewState(QObject):
    """The shared state of the views of one window; each signal says that one part changed.

    Frames are 0-based. Angles are in degrees in canonical coordinates.
    """

    frame_changed = Signal(int)
    display_changed = Signal()
    overlay_changed = Signal(bool)
    cut_changed = Signal(float)
    direction_changed = Signal(bool)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._frame_count = 0
        self._frame = 0
        self._display = Display()
        self._overlay = True
        self._cut_deg = 90.0
        self._flipped = False

    @property
    def frame_count(self) -> int:
        """Number of frames of the study; 0 without one."""
        return self._frame_count

    @property
    def frame(self) -> int:
        """The frame on screen."""
        return self._frame

    @property
    def display(self) -> Display:
        """Colours and grey levels."""
        return self._display

    @property
    def overlay_visible(self) -> bool:
        """Whether contours and shadows are drawn."""
        return self._overlay

    @property
    def cut_deg(self) -> float:
        """Direction of the longitudinal cut, in [0, 360)."""
        return self._cut_deg

    @property
    def flipped(self) -> bool:
        """Whether the longitudinal view runs from the last frame to the first."""
        return self._flipped

    def reset(self, frame_count: int) -> None:
        """Begin with another study: first frame, full grey range; colours and cut stay."""
        self._frame_count = frame_count
        self._frame = 0
        self._display = Display(self._display.table)
        self._overlay = True
        self.display_changed.emit()
        self.overlay_changed.emit(True)
        self.frame_changed.emit(0)

    def go_to(self, frame: int) -> None:
        """Show a frame; one beyond the ends shows the end."""
        frame = max(0, min(frame, self._frame_count - 1))
        if frame != self._frame:
            self._frame = frame
            self.frame_changed.emit(frame)

    def step(self, frames: int) -> None:
        """Move on by a number of frames."""
        self.go_to(self._frame + frames)

    def set_table(self, table: LookUpTable) -> None:
        """Choose the colours."""
        self._set_display(replace(self._display, table=table))

    def set_levels(self, black: float, white: float) -> None:
        """Choose the grey levels that are black and white; they stay at least 1 apart."""
        self._set_display(replace(self._display, black=black, white=max(white, black + 1)))

    def set_overlay_visible(self, visible: bool) -> None:
        """Show or hide contours and shadows."""
        if visible != self._overlay:
            self._overlay = visible
            self.overlay_changed.emit(visible)

    def set_cut(self, angle_deg: float) -> None:
        """Turn the longitudinal cut."""
        angle_deg %= 360.0
        if angle_deg != self._cut_deg:
            self._cut_deg = angle_deg
            self.cut_changed.emit(angle_deg)

    def set_flipped(self, flipped: bool) -> None:
        """Choose the direction of the longitudinal view."""
        if flipped != self._flipped:
            self._flipped = flipped
            self.direction_changed.emit(flipped)

    def _set_display(self, display: Display) -> None:
        if display != self._display:
            self._display = display
            self.display_changed.emit()
