"""What rulers, angles and areas share: they are drawn, corrected, removed, and kept."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Qt

from calcviewer.core.free_measurement import FreeKind, FreeMeasurement
from calcviewer.gui.shown import ShownStudy
from calcviewer.gui.tools.free_marks import (
    FreeHit,
    dragged,
    hit_measurement,
    marks_of,
    measurements_on,
    value_text,
    with_measurement,
)
from calcviewer.gui.tools.tool import Mark, Pointer, Tool
from calcviewer.gui.view_state import ViewState

Points = NDArray[np.float64]

SMALLEST_REACHES = 0.25
"""What is smaller than this part of the pointer's reach was a click."""
_DELETING = (Qt.Key.Key_Delete, Qt.Key.Key_Backspace)


class MeasuringTool(Tool):
    """Base of the tools that measure freely.

    A tool draws its own kind in `begin`, `draw` and `finished`, and corrects and removes what is
    of this kind; the others are seen quietly. What is drawn is kept when it is complete, as one
    undo step.
    """

    kind: FreeKind

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.shown: ShownStudy | None = None
        self.state: ViewState | None = None
        self.pointer: Pointer | None = None
        self._chosen: int | None = None
        self._held: FreeHit | None = None
        self._from_mm = (0.0, 0.0)
        self._corrected: FreeMeasurement | None = None

    # What each kind does ----------------------------------------------------------------------

    @property
    @abstractmethod
    def drawing(self) -> bool:
        """Whether one is being drawn."""

    @abstractmethod
    def begin(self, pointer: Pointer) -> None:
        """Begin a new one, or go on with it, at a press."""

    @abstractmethod
    def draw(self, pointer: Pointer) -> None:
        """Follow the mouse after `begin`."""

    @abstractmethod
    def finished(self, pointer: Pointer) -> FreeMeasurement | None:
        """Return what a release completes; None when it does not, or was a mere click."""

    @abstractmethod
    def drop(self) -> None:
        """Drop what is being drawn."""

    @abstractmethod
    def draft(self) -> Sequence[Mark]:
        """Return what is drawn of it so far."""

    @abstractmethod
    def measured(self, measurement: FreeMeasurement) -> bool:
        """Whether a corrected one is still large enough to be one."""

    # Study and frame --------------------------------------------------------------------------

    def activate(self, shown: ShownStudy, state: ViewState) -> None:
        """Begin to measure in a study."""
        self.deactivate()
        self.shown, self.state = shown, state
        state.frame_changed.connect(self._leave_frame)

    def deactivate(self) -> None:
        """Stop measuring; what is half drawn is dropped."""
        if self.state is not None:
            self.state.frame_changed.disconnect(self._leave_frame)
        self._let_go()
        self.shown = self.state = self.pointer = self._chosen = None

    @property
    def measurements(self) -> tuple[FreeMeasurement, ...]:
        """What is measured in the frame on screen, mm of the calibration in force."""
        if self.shown is None or self.state is None:
            return ()
        return measurements_on(self.shown.session.study, self.state.frame)

    @property
    def chosen(self) -> int | None:
        """The index of the selected one."""
        return self._chosen if self._chosen in range(len(self.measurements)) else None

    def _leave_frame(self) -> None:
        self._let_go()
        self._chosen = None
        self.changed.emit()

    def _let_go(self) -> None:
        self.drop()
        self._held = self._corrected = None

    # Mouse ------------------------------------------------------------------------------------

    def press(self, pointer: Pointer) -> bool:
        """Take hold of what is under the mouse, else draw."""
        if self.shown is None:
            return False
        self.pointer, self._from_mm = pointer, pointer.at_mm
        self._held = None if self.drawing else self._under(pointer)
        self._chosen = self._held.index if self._held is not None else None
        if self._held is None:
            self.begin(pointer)
        self.changed.emit()
        return True

    def drag(self, pointer: Pointer) -> None:
        """Correct what is held, or go on drawing."""
        self.pointer = pointer
        if self._held is None:
            self.draw(pointer)
        elif self._held.index < len(self.measurements):
            one = self.measurements[self._held.index]
            self._corrected = dragged(one, self._held, self._from_mm, pointer.at_mm)
        self.changed.emit()

    def release(self, pointer: Pointer) -> None:
        """Keep what is complete."""
        if self._held is not None:
            self._keep_corrected(self._held.index)
        elif self.drawing and (new := self.finished(pointer)) is not None:
            self.drop()
            self._put(None, new, self._name("measure"))
            self._chosen = len(self.measurements) - 1
        self._held = self._corrected = None
        self.hover(pointer)

    def hover(self, pointer: Pointer) -> None:
        """Remember where the mouse is."""
        self.pointer = pointer
        hit = None if self.drawing else self._under(pointer)
        if hit is None:
            self.cursor = Qt.CursorShape.CrossCursor
        else:
            move = Qt.CursorShape.SizeAllCursor
            self.cursor = move if hit.point is not None else Qt.CursorShape.PointingHandCursor
        self.changed.emit()

    def leave(self) -> None:
        """Draw nothing under a mouse that is elsewhere."""
        if self._held is None and not self.drawing:
            self.pointer = None
            self.changed.emit()

    def _under(self, pointer: Pointer) -> FreeHit | None:
        return hit_measurement(self.measurements, pointer, self.kind)

    def _keep_corrected(self, index: int) -> None:
        one = self._corrected
        if one is not None and self.measured(one):
            self._put(index, one, self._name("move"))

    def _put(self, index: int | None, measurement: FreeMeasurement | None, label: str) -> None:
        assert self.shown is not None
        assert self.state is not None
        session = self.shown.session
        review = with_measurement(session.study, self.state.frame, index, measurement)
        session.edit(label, review)

    # Keys -------------------------------------------------------------------------------------

    def wants(self, key: int) -> bool:
        """Take Esc and undo while drawing, Esc and Delete while one is selected."""
        if self.drawing or self._held is not None:
            return key in (Qt.Key.Key_Escape, Qt.Key.Key_Undo)
        return self.chosen is not None and key in (*_DELETING, Qt.Key.Key_Escape)

    def press_key(self, key: int) -> None:
        """Take back, deselect or remove."""
        if self._held is not None:
            self._held = self._corrected = None
        elif self.drawing:
            self.step_back()
        elif key in _DELETING and self.chosen is not None:
            self._put(self.chosen, None, self._name("remove"))
            self._chosen = None
        else:
            self._chosen = None
        self.changed.emit()

    def step_back(self) -> None:
        """Take back the last point; all of what is drawn where it has no points."""
        self.drop()

    # What is seen and said --------------------------------------------------------------------

    def marks(self) -> Sequence[Mark]:
        """Return everything measured in the frame on screen, and what is being drawn."""
        if self.shown is None:
            return ()
        marks: list[Mark] = []
        for index, kept in enumerate(self.measurements):
            held = self._held is not None and self._held.index == index
            one = self._corrected if held and self._corrected is not None else kept
            selected, quiet = index == self.chosen, one.kind != self.kind
            marks += marks_of(one, self.text(one), selected=selected, quiet=quiet)
        return [*marks, *self.draft()]

    def text(self, measurement: FreeMeasurement) -> str:
        """Return the value of a measurement as people read it."""
        assert self.shown is not None
        return value_text(measurement, self.shown.session.study)

    def status(self) -> str:
        """Say what a click does here."""
        if self._held is not None:
            return self.tr("Esc takes it back")
        if self.drawing:
            return self.drawing_status()
        hit = None
        if self.pointer is not None:
            hit = self._under(self.pointer)
        if hit is not None:
            return self._hit_status(hit)
        if self.chosen is not None:
            return self.tr("Delete removes it · {new}").format(new=self.new_status())
        return self.new_status()

    def _hit_status(self, hit: FreeHit) -> str:
        area = self.kind == "area"
        if hit.point is None and area:
            return self.tr("Drag the border to correct it · Delete removes the selected one")
        if hit.point is None or area:
            return self.tr("Drag moves it · Delete removes the selected one")
        return self.tr("Drag the point to correct it · Delete removes the selected one")

    def new_status(self) -> str:
        """Say how to measure."""
        raise NotImplementedError

    def drawing_status(self) -> str:
        """Say how to go on."""
        return self.tr("Esc takes it back")

    def _name(self, action: str) -> str:
        names: dict[tuple[FreeKind, str], str] = {
            ("length", "measure"): self.tr("measure distance"),
            ("angle", "measure"): self.tr("measure angle"),
            ("area", "measure"): self.tr("measure area"),
            ("length", "move"): self.tr("move ruler"),
            ("angle", "move"): self.tr("move angle"),
            ("area", "move"): self.tr("move area"),
            ("length", "remove"): self.tr("remove ruler"),
            ("angle", "remove"): self.tr("remove angle"),
            ("area", "remove"): self.tr("remove area"),
        }
        return names[self.kind, action]


def smallest_mm(pointer: Pointer | None) -> float:
    """Return the length below which a drag was a click, mm."""
    return 0.0 if pointer is None else SMALLEST_REACHES * pointer.reach_mm
