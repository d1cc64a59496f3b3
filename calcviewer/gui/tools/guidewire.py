"""Correct guidewire shadows: drag an edge or the sector, draw a new one, delete one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Qt

from calcviewer.core.annotation import FrameAnnotation
from calcviewer.core.editing.guidewires import (
    edge_moved,
    sector_added,
    sector_at,
    sector_removed,
)
from calcviewer.core.geometry import FULL_CIRCLE_DEG, Arc, to_xy
from calcviewer.gui.tools.editing import EditTool
from calcviewer.gui.tools.rays import (
    CATHETER_MM,
    angle_about,
    border_mm,
    turn_between,
    turned_end_deg,
)
from calcviewer.gui.tools.reach import reaches_to
from calcviewer.gui.tools.sector import SMALLEST_DEG
from calcviewer.gui.tools.tool import Look, Mark, Pointer

Points = NDArray[np.float64]

NARROWEST_DEG, WIDEST_DEG = 1.0, 180.0
_HANDLE_PART = 0.35
"""Part of the way from the lumen border to the rim at which the handles are."""
_DELETING = (Qt.Key.Key_Delete, Qt.Key.Key_Backspace)
_LARGEST_LUMEN_PART = 0.9


class Part(Enum):
    """A part of a shadow that can be dragged."""

    START = "start"
    END = "end"
    BODY = "body"


@dataclass(frozen=True)
class SectorHit:
    """What the pointer is on: which shadow, and which part of it."""

    index: int
    part: Part


def edges_mm(annotation: FrameAnnotation, sector: Arc, rim_mm: float) -> tuple[Points, Points]:
    """Return the two edges of a shadow from the lumen border to the rim, each ``(2, 2)``."""
    start, end = (
        _edge_mm(annotation, angle, rim_mm)
        for angle in (sector.start_deg, sector.start_deg + sector.extent_deg)
    )
    return start, end


def _edge_mm(annotation: FrameAnnotation, angle_deg: float, rim_mm: float) -> Points:
    begin = float(border_mm(annotation.lumen, CATHETER_MM, np.array(angle_deg)))
    radii = np.array([min(begin, _LARGEST_LUMEN_PART * rim_mm), rim_mm])
    return to_xy(np.full(2, angle_deg), radii)


def handle_mm(edge_mm: Points) -> Points:
    """Return where the handle of an edge is, shape ``(2,)``."""
    return np.asarray(edge_mm[0] + _HANDLE_PART * (edge_mm[1] - edge_mm[0]))


def hit_sector(annotation: FrameAnnotation, pointer: Pointer, rim_mm: float) -> SectorHit | None:
    """Return what of the shadows is under the pointer; the nearest edge comes first."""
    edges = [
        (reaches_to(edge, pointer), SectorHit(index, part))
        for index, sector in enumerate(annotation.guidewires)
        if sector.extent_deg < FULL_CIRCLE_DEG
        for part, edge in zip(
            (Part.START, Part.END), edges_mm(annotation, sector, rim_mm), strict=True
        )
    ]
    distance, nearest = min(edges, key=lambda one: one[0], default=(np.inf, None))
    inside = sector_at(annotation, angle_about(CATHETER_MM, pointer.at_mm))
    if nearest is not None and distance <= _edge_reach(annotation, nearest, inside, pointer):
        return nearest
    return None if inside is None else SectorHit(inside, Part.BODY)


def _edge_reach(
    annotation: FrameAnnotation, hit: SectorHit, inside: int | None, pointer: Pointer
) -> float:
    """Return how far an edge reaches; from within, the middle third of a shadow stays free."""
    if inside != hit.index:
        return 1.0
    sector = annotation.guidewires[hit.index]
    angle = angle_about(CATHETER_MM, pointer.at_mm)
    away = min(abs(float(turn_between(edge, angle))) for edge in (sector.start_deg, sector.end_deg))
    return 1.0 if away <= sector.extent_deg / 3 else 0.0


class GuidewireTool(EditTool):
    """Changes the shadows of guidewires, which are sectors about the catheter."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._chosen_deg: float | None = None
        self._held: SectorHit | None = None
        self._new = False
        self._from_deg = self._angle_deg = self._turned_deg = 0.0

    # Selection --------------------------------------------------------------------------------

    @property
    def selected(self) -> bool:
        """Whether a shadow is selected."""
        return self.chosen is not None

    @property
    def chosen(self) -> int | None:
        """The index of the selected shadow."""
        return None if self._chosen_deg is None else sector_at(self.annotation, self._chosen_deg)

    def deselect(self) -> None:
        """Drop the selection."""
        self._chosen_deg, self._held, self._new = None, None, False

    # Mouse ------------------------------------------------------------------------------------

    def press(self, pointer: Pointer) -> bool:
        """Take hold of an edge or a shadow, else begin a new one."""
        if self.trouble():
            return False
        self.deselect()
        hit = hit_sector(self.annotation, pointer, self._rim_mm())
        self._from_deg = self._angle_deg = angle_about(CATHETER_MM, pointer.at_mm)
        self._turned_deg = 0.0
        self._held, self._new = hit, hit is None
        self.begin(self._step_name(hit))
        if hit is not None:
            self._choose(self.annotation.guidewires[hit.index])
        self.changed.emit()
        return True

    def drag(self, pointer: Pointer) -> None:
        """Move the edge or the shadow that is held, or widen the new one."""
        if not self.busy:
            return
        self.pointer = pointer
        angle = angle_about(CATHETER_MM, pointer.at_mm)
        self._turned_deg += float(turn_between(self._angle_deg, angle))
        self._angle_deg = angle
        if self._held is None:
            self._widen_new()
        elif self._held.part is Part.BODY:
            self._move(self._held.index)
        else:
            self._drag_edge(self._held)
        self.changed.emit()

    def release(self, pointer: Pointer) -> None:
        """Let go."""
        self.end()
        self._held, self._new = None, False
        self.hover(pointer)

    def _drag_edge(self, held: SectorHit) -> None:
        sector = self.before.guidewires[held.index]
        to_deg = turned_end_deg(
            sector,
            self._turned_deg,
            end=held.part is Part.END,
            narrowest_deg=NARROWEST_DEG,
            widest_deg=WIDEST_DEG,
        )
        end: Literal["start", "end"] = "end" if held.part is Part.END else "start"
        self.put(edge_moved(self.before, held.index, end, to_deg))
        self._choose_at(to_deg + (-0.5 if end == "end" else 0.5) * NARROWEST_DEG)

    def _move(self, index: int) -> None:
        sector = self.before.guidewires[index]
        moved = Arc(sector.start_deg + self._turned_deg, sector.extent_deg)
        if self._turned_deg == 0:
            return
        without = sector_removed(self.before, index)
        self.put(sector_added(without, moved.start_deg, moved.extent_deg))
        self._choose(moved)

    def _widen_new(self) -> None:
        turned = min(max(self._turned_deg, -WIDEST_DEG), WIDEST_DEG)
        start, extent = self._from_deg + min(turned, 0.0), abs(turned)
        if extent < SMALLEST_DEG:
            self.put(self.before)
            self._chosen_deg = None
        else:
            self.put(sector_added(self.before, start % FULL_CIRCLE_DEG, extent))
            self._choose_at(start + extent / 2)

    def _choose(self, sector: Arc) -> None:
        self._choose_at(sector.centre_deg)

    def _choose_at(self, angle_deg: float) -> None:
        self._chosen_deg = angle_deg % FULL_CIRCLE_DEG

    # Keys -------------------------------------------------------------------------------------

    def wants(self, key: int) -> bool:
        """Take Delete while a shadow is selected."""
        return (key in _DELETING and self.selected) or super().wants(key)

    def press_key(self, key: int) -> None:
        """Delete the selected shadow, or do what every editing tool does."""
        if key in _DELETING:
            self._delete()
        else:
            super().press_key(key)

    def cancel(self) -> None:
        """Take the gesture back; the shadow that was held stays selected."""
        held, before = self._held, self.before
        super().cancel()
        if held is not None:
            self._choose(before.guidewires[held.index])
        elif self._new:
            self._chosen_deg = None
        self._held, self._new = None, False

    def _delete(self) -> None:
        index = self.chosen
        if index is None or self.trouble():
            return
        self.take_away(self.tr("remove guidewire"), sector_removed(self.annotation, index))

    # What is seen and said --------------------------------------------------------------------

    def marks(self) -> Sequence[Mark]:
        """Return the edges of the shadow in hand, or of the one under the mouse."""
        if self.trouble():
            return ()
        annotation, hit = self.annotation, self._hit()
        marks = []
        for index, sector in enumerate(annotation.guidewires):
            if sector.extent_deg >= FULL_CIRCLE_DEG:
                continue
            chosen = index == self.chosen
            under = hit is not None and hit.index == index
            for part, edge in zip(
                (Part.START, Part.END), edges_mm(annotation, sector, self._rim_mm()), strict=True
            ):
                hot = hit == SectorHit(index, part)
                if chosen or under:
                    marks.append(Mark(edge, look=Look.TRACE))
                at = handle_mm(edge)[None]
                marks.append(Mark(at, handles_mm=at, selected=hot))
            if chosen or under:
                marks.append(self._figure(sector))
        if not annotation.guidewires and self.pointer is not None and not self.busy:
            angle = angle_about(CATHETER_MM, self.pointer.at_mm)
            marks.append(Mark(_edge_mm(annotation, angle, self._rim_mm()), look=Look.TRACE))
        return marks

    def _figure(self, sector: Arc) -> Mark:
        """Return how wide a shadow is, written in its middle near the rim."""
        edge = _edge_mm(self.annotation, sector.centre_deg, self._rim_mm())
        x_mm, y_mm = edge[0] + 0.6 * (edge[1] - edge[0])
        text = f"{sector.extent_deg:.0f}°"
        return Mark(edge[:1], text=text, text_mm=(float(x_mm), float(y_mm)))

    def _hit(self) -> SectorHit | None:
        """Return what is held, or what a press would take hold of."""
        if self._held is not None:
            chosen = self.chosen
            return None if chosen is None else SectorHit(chosen, self._held.part)
        if self.pointer is None or self._new:
            return None
        return hit_sector(self.annotation, self.pointer, self._rim_mm())

    def cursor_at(self, pointer: Pointer) -> Qt.CursorShape:
        """Return the cursor that says what a press would do."""
        if self.trouble():
            return Qt.CursorShape.ForbiddenCursor
        hit = hit_sector(self.annotation, pointer, self._rim_mm())
        if hit is None:
            return Qt.CursorShape.CrossCursor
        body = hit.part is Part.BODY
        return Qt.CursorShape.OpenHandCursor if body else Qt.CursorShape.SizeAllCursor

    def status(self) -> str:
        """Say what a click does here."""
        if trouble := self.trouble():
            return trouble
        if self.busy:
            return self.tr("Esc takes it back")
        hit = self._hit()
        if hit is not None and hit.part is not Part.BODY:
            return self.tr("Drag the edge of the guidewire's shadow")
        if hit is not None:
            return self.tr("Drag moves the shadow · click selects it, Delete removes it")
        if self.selected:
            return self.tr("Delete removes the shadow · drag here adds another one")
        return self.tr("Drag over the shadow of a guidewire to add it")

    def _step_name(self, hit: SectorHit | None) -> str:
        if hit is None:
            return self.tr("add guidewire")
        return (
            self.tr("move guidewire") if hit.part is Part.BODY else self.tr("move guidewire edge")
        )

    def _rim_mm(self) -> float:
        assert self.shown is not None
        return self.shown.pictures.field_radius_mm
