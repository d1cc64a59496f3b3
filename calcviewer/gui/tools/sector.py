"""Add calcium in three steps: how far round, where it begins, where it ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Qt

from calcviewer.core.annotation import FrameAnnotation
from calcviewer.core.contour import Contour
from calcviewer.core.editing.deposits import sector_deposit
from calcviewer.core.geometry import to_polar, to_xy
from calcviewer.gui.tools.editing import EditTool
from calcviewer.gui.tools.rays import angle_about, border_mm, turn_between
from calcviewer.gui.tools.tool import Look, Mark, Pointer

Points = NDArray[np.float64]

SMALLEST_DEG, WIDEST_DEG = 2.0, 359.0
THINNEST_MM = 0.05
_INNER_MM, _THICKNESS_MM = 0.1, 0.4
_STEP_DEG = 1.0


class Step(IntEnum):
    """What is being drawn."""

    ARC = 1
    INNER = 2
    OUTER = 3


@dataclass(frozen=True)
class Sector:
    """A sector of calcium about O.

    Parameters
    ----------
    from_deg, turned_deg
        Where the drag began, and how far it went round, in either direction.
    inner_mm, outer_mm
        Distances behind the lumen border.
    """

    from_deg: float
    turned_deg: float = 0.0
    inner_mm: float = _INNER_MM
    outer_mm: float = _INNER_MM + _THICKNESS_MM

    @property
    def start_deg(self) -> float:
        """Where it begins in growing angle."""
        return self.from_deg + min(self.turned_deg, 0.0)

    @property
    def extent_deg(self) -> float:
        """How far it extends."""
        return abs(self.turned_deg)

    def turned_by(self, turn_deg: float) -> Sector:
        """Return the sector after the mouse went on by an angle; it never meets itself."""
        turned = min(max(self.turned_deg + turn_deg, -WIDEST_DEG), WIDEST_DEG)
        return replace(self, turned_deg=turned)

    def with_inner(self, depth_mm: float) -> Sector:
        """Return the sector with another inner border; the thickness stays."""
        inner, thickness = max(depth_mm, 0.0), self.outer_mm - self.inner_mm
        return replace(self, inner_mm=inner, outer_mm=inner + thickness)

    def with_outer(self, depth_mm: float) -> Sector:
        """Return the sector with another outer border, behind the inner one."""
        return replace(self, outer_mm=max(depth_mm, self.inner_mm + THINNEST_MM))


def depth_behind(lumen: Contour, at_mm: tuple[float, float]) -> float:
    """Return how far a point lies behind the lumen border, seen from O; negative inside, mm."""
    angle, distance = to_polar(np.subtract(at_mm, lumen.centroid_mm))
    return float(distance - border_mm(lumen, lumen.centroid_mm, angle))


def line_behind(lumen: Contour, sector: Sector, depth_mm: float) -> Points:
    """Return the line at a depth behind the lumen border over a sector, shape ``(N, 2)``."""
    steps = 2 + int(sector.extent_deg / _STEP_DEG)
    angles = sector.start_deg + np.linspace(0, sector.extent_deg, steps)
    return to_xy(angles, border_mm(lumen, lumen.centroid_mm, angles) + depth_mm) + lumen.centroid_mm


class SectorTool(EditTool):
    """Adds a deposit; it is there from the first step on, and each step makes it fit better."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._step = Step.ARC
        self._sector: Sector | None = None
        self._angle_deg = 0.0
        self._drawn: FrameAnnotation | None = None
        self._pressed = False

    @property
    def step(self) -> Step:
        """What the next press draws."""
        return self._step

    def deselect(self) -> None:
        """Begin anew; what was drawn stays."""
        self._step, self._sector, self._drawn, self._pressed = Step.ARC, None, None, False

    # Mouse ------------------------------------------------------------------------------------

    def press(self, pointer: Pointer) -> bool:
        """Begin the sector, or set a border."""
        self._follow_history()
        lumen = self.annotation.lumen
        if self.trouble() or lumen is None:
            return False
        self._pressed = True
        if self._sector is None:
            self.begin(self.tr("add calcium"))
            self._angle_deg = angle_about(lumen.centroid_mm, pointer.at_mm)
            self._sector = Sector(self._angle_deg)
            self.changed.emit()
        else:
            self._set_border(pointer)
        return True

    def drag(self, pointer: Pointer) -> None:
        """Widen the sector, or move the border."""
        if self._sector is None or not self.busy:
            return
        self.pointer = pointer
        if self._step is not Step.ARC:
            self._set_border(pointer)
            return
        lumen = self.before.lumen
        assert lumen is not None
        angle = angle_about(lumen.centroid_mm, pointer.at_mm)
        self._sector = self._sector.turned_by(float(turn_between(self._angle_deg, angle)))
        self._angle_deg = angle
        self._show()

    def release(self, pointer: Pointer) -> None:
        """Go on to the next step; the last one ends it, and a mere click begins nothing."""
        if self._sector is None or not self._pressed:
            return
        self._pressed = False
        if self._step is Step.OUTER:
            self.end()
            self.deselect()
        elif self._step is Step.ARC and self._sector.extent_deg < SMALLEST_DEG:
            self.cancel()
        else:
            self._step = Step(self._step + 1)
        self.changed.emit()

    def hover(self, pointer: Pointer) -> None:
        """Let the border follow the mouse."""
        self._follow_history()
        if self._sector is not None and self._step is not Step.ARC:
            self._set_border(pointer)
        super().hover(pointer)

    def _set_border(self, pointer: Pointer) -> None:
        lumen = self.before.lumen
        assert self._sector is not None
        assert lumen is not None
        self.pointer = pointer
        depth = depth_behind(lumen, pointer.at_mm)
        inner = self._step is Step.INNER
        self._sector = self._sector.with_inner(depth) if inner else self._sector.with_outer(depth)
        self._show()

    def _show(self) -> None:
        """Put the sector in force as it is now."""
        sector = self._sector
        assert sector is not None
        if sector.extent_deg < SMALLEST_DEG:
            self.put(self.before)
        else:
            self.put(
                sector_deposit(
                    self.before,
                    start_deg=sector.start_deg,
                    extent_deg=sector.extent_deg,
                    inner_mm=sector.inner_mm,
                    outer_mm=sector.outer_mm,
                    field=self.field,
                )
            )
        self._drawn = self.annotation
        self.changed.emit()

    def _follow_history(self) -> None:
        """Begin anew when what was drawn was undone, or changed, by other means."""
        if self._drawn is not None and self.annotation is not self._drawn:
            self.end()
            self.deselect()

    # Keys -------------------------------------------------------------------------------------

    def wants(self, key: int) -> bool:
        """Take Esc, and undo while a step can be taken back."""
        if key == Qt.Key.Key_Undo:
            return self._sector is not None
        return super().wants(key)

    def press_key(self, key: int) -> None:
        """Step back; from the first step nothing is left."""
        if key not in (Qt.Key.Key_Escape, Qt.Key.Key_Undo) or self._sector is None:
            super().press_key(key)
        elif self._step is Step.OUTER:
            self._step = Step.INNER
            self._sector = replace(self._sector, outer_mm=self._sector.inner_mm + _THICKNESS_MM)
            self._show()
        else:
            self.cancel()

    def cancel(self) -> None:
        """Take everything that was drawn back."""
        super().cancel()
        self.deselect()

    # What is seen and said --------------------------------------------------------------------

    def marks(self) -> Sequence[Mark]:
        """Return the border that follows the mouse, with its figure."""
        lumen, sector = self.annotation.lumen, self._sector
        if lumen is None or self.trouble():
            return ()
        if sector is None:
            return self._start_mark(lumen)
        if sector.extent_deg < SMALLEST_DEG:
            return ()
        depth = sector.outer_mm if self._step is Step.OUTER else sector.inner_mm
        line = line_behind(lumen, sector, depth)
        if self._step is Step.ARC:
            outer = line_behind(lumen, sector, sector.outer_mm)
            ends = np.stack([(line[0] + outer[0]) / 2, (line[-1] + outer[-1]) / 2])
            held = ends[1] if sector.turned_deg > 0 else ends[0]
            text = f"{sector.extent_deg:.0f}°"
            return (Mark(held[None], handles_mm=held[None], text=text, selected=True),)
        return (Mark(line, text=self._figures(sector), selected=True, text_mm=self._at(line)),)

    def _start_mark(self, lumen: Contour) -> Sequence[Mark]:
        """Return the ray at which a drag would begin."""
        if self.pointer is None:
            return ()
        begin = Sector(angle_about(lumen.centroid_mm, self.pointer.at_mm))
        ends = [line_behind(lumen, begin, depth)[0] for depth in (begin.inner_mm, begin.outer_mm)]
        return (Mark(np.stack(ends), look=Look.TRACE),)

    def _at(self, line: Points) -> tuple[float, float]:
        """Return where the figure stands: by the mouse, else by the middle of the border."""
        if self.pointer is not None:
            return self.pointer.at_mm
        middle = line[len(line) // 2]
        return float(middle[0]), float(middle[1])

    def _figures(self, sector: Sector) -> str:
        if not self._scaled():
            return f"{sector.extent_deg:.0f}°"
        if self._step is Step.INNER:
            return self.tr("depth {depth} mm").format(depth=f"{sector.inner_mm:.2f}")
        thickness = f"{sector.outer_mm - sector.inner_mm:.2f}"
        return self.tr("thickness {thickness} mm").format(thickness=thickness)

    def _scaled(self) -> bool:
        assert self.shown is not None
        return self.shown.session.study.calibration.scaled

    def cursor_at(self, pointer: Pointer) -> Qt.CursorShape:
        """Return the cursor that says whether something can be drawn."""
        if self.trouble() or self.annotation.lumen is None:
            return Qt.CursorShape.ForbiddenCursor
        return Qt.CursorShape.CrossCursor

    def status(self) -> str:
        """Say which step this is, and the next."""
        if trouble := self.trouble():
            return trouble
        if self.annotation.lumen is None:
            return self.tr("No lumen here · draw the lumen first")
        if self._step is Step.INNER:
            return self.tr("2 of 3 · Click where the calcium begins · Esc: back")
        if self._step is Step.OUTER:
            return self.tr("3 of 3 · Click where the calcium ends · Esc: back")
        if self._sector is not None:
            return self.tr("1 of 3 · Release where the arc ends · Esc: back")
        return self.tr("1 of 3 · Drag over the arc of the new calcium")
