"""The ruler: distances measured by click and drag, kept per frame while the study is open."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Qt

from calcviewer.core.geometry import Grid
from calcviewer.gui.shown import ShownStudy
from calcviewer.gui.tools.hit_testing import Part, from_source, hit_line, spacing_mm, to_source
from calcviewer.gui.tools.tool import Mark, Pointer, Tool
from calcviewer.gui.view_state import ViewState

Points = NDArray[np.float64]

_SHORTEST_REACHES = 0.25
"""A drag shorter than this part of the pointer's reach was a click."""
_DELETING = (Qt.Key.Key_Delete, Qt.Key.Key_Backspace, Qt.Key.Key_Escape)


class RulerTool(Tool):
    """Measures distances. Rulers stay on their pixels when the calibration changes."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._shown: ShownStudy | None = None
        self._state: ViewState | None = None
        self._rulers: dict[int, list[Points]] = {}
        self._selected: int | None = None
        self._dragged: tuple[int, Part] | None = None
        self._last_mm = np.zeros(2)

    def activate(self, shown: ShownStudy, state: ViewState) -> None:
        """Begin to measure; rulers of another study are dropped."""
        self.deactivate()
        if shown is not self._shown:
            self._rulers = {}
        self._shown, self._state = shown, state
        self._selected = self._dragged = None
        state.frame_changed.connect(self._leave_frame)

    def deactivate(self) -> None:
        """Stop measuring; the rulers are there again when the tool is."""
        if self._state is not None:
            self._state.frame_changed.disconnect(self._leave_frame)
        self._state = self._selected = self._dragged = None

    def forget(self) -> None:
        """Stop, and drop all rulers and the study."""
        self.deactivate()
        self._rulers, self._shown = {}, None

    def press(self, pointer: Pointer) -> bool:
        """Take hold of a ruler, else begin one."""
        if self._state is None:
            return False
        hit = hit_line(self.lines_mm(), pointer.at_mm, pointer.reach_mm)
        self._last_mm = np.asarray(pointer.at_mm)
        if hit is None:
            self._own().append(to_source(np.array([pointer.at_mm] * 2), self._grid()))
            self._dragged = len(self._own()) - 1, Part.END
        else:
            self._dragged = hit.index, hit.part
        self._selected = self._dragged[0]
        self.changed.emit()
        return True

    def drag(self, pointer: Pointer) -> None:
        """Move the end, or the ruler, that is held."""
        if self._dragged is None:
            return
        index, part = self._dragged
        line, at = self.lines_mm()[index].copy(), np.asarray(pointer.at_mm)
        if part is Part.BODY:
            line += at - self._last_mm
        else:
            line[0 if part is Part.START else 1] = at
        self._last_mm = at
        self._own()[index] = to_source(line, self._grid())
        self.changed.emit()

    def release(self, pointer: Pointer) -> None:
        """Keep the ruler; a mere click leaves none."""
        if self._dragged is None:
            return
        index, _ = self._dragged
        self._dragged = None
        if _length_mm(self.lines_mm()[index]) < _SHORTEST_REACHES * pointer.reach_mm:
            self._delete(index)
        self.changed.emit()

    def wants(self, key: int) -> bool:
        """Take Delete and Esc while a ruler is selected."""
        return self._selected is not None and key in _DELETING

    def press_key(self, key: int) -> None:
        """Delete the selected ruler."""
        if self._selected is not None and key in _DELETING:
            self._delete(self._selected)
            self.changed.emit()

    def lines_mm(self) -> list[Points]:
        """Return the rulers of the frame on screen, each ``(2, 2)``, canonical mm."""
        grid = self._grid()
        return [from_source(points, grid) for points in self._own()]

    def marks(self) -> Sequence[Mark]:
        """Return the rulers of the frame on screen with their lengths."""
        if self._state is None:
            return ()
        return [
            Mark(line, handles_mm=line, text=self._text(line), selected=index == self._selected)
            for index, line in enumerate(self.lines_mm())
        ]

    def status(self) -> str:
        """Say how to measure."""
        if self._selected is None:
            return self.tr("Drag to measure a distance")
        return self.tr("Drag an end to correct it · Delete removes the ruler")

    def _text(self, line: Points) -> str:
        assert self._shown is not None
        known = self._shown.session.study.calibration.sample_spacing_mm is not None
        return length_text(_length_mm(line), spacing_mm(self._grid()), known=known)

    def _own(self) -> list[Points]:
        assert self._state is not None
        return self._rulers.setdefault(self._state.frame, [])

    def _grid(self) -> Grid:
        assert self._shown is not None
        study = self._shown.session.study
        return study.pullback.calibrated(study.calibration).grid

    def _delete(self, index: int) -> None:
        del self._own()[index]
        self._selected = self._dragged = None

    def _leave_frame(self) -> None:
        self._selected = self._dragged = None
        self.changed.emit()


def _length_mm(line: Points) -> float:
    return float(np.hypot(*(line[1] - line[0])))


def length_text(length_mm: float, mm_per_px: float, *, known: bool) -> str:
    """Return a length as people read it: mm, or a dash with pixels while the scale is unknown."""
    return f"{length_mm:.2f} mm" if known else f"— ({length_mm / mm_per_px:.0f} px)"
