"""Correct calcium: drag the ends of an arc or a border, merge two deposits, delete one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Qt

from calcviewer.core.contour import Contour
from calcviewer.core.editing.deposits import (
    arc_end_moved,
    border_pulled,
    deposit_deleted,
    deposits_merged,
)
from calcviewer.core.geometry import FULL_CIRCLE_DEG, Arc, to_xy
from calcviewer.gui import theme
from calcviewer.gui.tools.deposit_targets import (
    DepositHit,
    Grip,
    SeenDeposit,
    deposit_at,
    hit_deposit,
    only,
    same_deposit,
    see,
)
from calcviewer.gui.tools.radius import RadiusTool
from calcviewer.gui.tools.rays import angle_about, turn_between, turned_end_deg
from calcviewer.gui.tools.tool import Look, Mark, Pointer
from calcviewer.modalities.ivoct.quantify import quantify_frame

Points = NDArray[np.float64]

_DELETING = (Qt.Key.Key_Delete, Qt.Key.Key_Backspace)
_RADIUS_MM = 0.4
_NARROWEST_DEG, _WIDEST_DEG = 2.0, 359.0
_CLOSING_DEG, _WIDENED_PART = 30.0, 0.66
"""One drag closes a gap up to this wide, and less than two thirds of a wider one."""
_BESIDE_REACHES = 0.3


class DepositTool(RadiusTool):
    """Changes the deposits that are there."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(_RADIUS_MM, parent)
        self._chosen: int | None = None
        self._held: DepositHit | None = None
        self._grab = Pointer((0.0, 0.0), 0.0)
        self._angle_deg = self._turned_deg = 0.0
        self._onto: int | None = None

    # Selection --------------------------------------------------------------------------------

    @property
    def selected(self) -> bool:
        """Whether a deposit is selected."""
        return self._chosen_contour() is not None

    @property
    def chosen(self) -> int | None:
        """The index of the selected deposit."""
        return self._chosen if self.selected else None

    def deselect(self) -> None:
        """Drop the selection."""
        self._chosen = self._held = self._onto = None

    def _chosen_contour(self) -> Contour | None:
        calcium, chosen = self.annotation.calcium, self._chosen
        return calcium[chosen] if chosen is not None and chosen < len(calcium) else None

    # Mouse ------------------------------------------------------------------------------------

    def press(self, pointer: Pointer) -> bool:
        """Take hold of what is under the mouse; Shift merges it with the selected deposit."""
        if self.trouble():
            return False
        hit = hit_deposit(self.annotation, pointer, self.chosen)
        if hit is not None and pointer.shift and self.chosen not in (None, hit.index):
            self._merge_chosen(hit.index)
            return True
        self.deselect()
        if hit is not None:
            self._chosen, self._held, self._grab = hit.index, hit, pointer
            self._angle_deg = angle_about(self._origin(), pointer.at_mm)
            self._turned_deg = 0.0
            self.begin(self._step_name(hit.grip))
        self.changed.emit()
        return hit is not None

    def drag(self, pointer: Pointer) -> None:
        """Follow with the end or border that is held, or carry the deposit onto another one."""
        if self._held is None or not self.busy:
            return
        self.pointer = pointer
        if self._held.grip in (Grip.START, Grip.END):
            self._drag_end(pointer)
        elif self._held.grip is Grip.BODY:
            self._drag_onto(pointer)
        else:
            self._pull_border(pointer)
        self._follow()
        self.changed.emit()

    def release(self, pointer: Pointer) -> None:
        """Let go."""
        self.end()
        self._held = self._onto = None
        self.hover(pointer)

    def turn(self, notches: int) -> bool:
        """Change how much of the border follows."""
        if self._held is None or self._held.grip not in (Grip.FRONT, Grip.BACK):
            return False
        super().turn(notches)
        if self.pointer is not None:
            self.drag(self.pointer)
        return True

    def _drag_end(self, pointer: Pointer) -> None:
        assert self._held is not None
        angle = angle_about(self._origin(), pointer.at_mm)
        self._turned_deg += float(turn_between(self._angle_deg, angle))
        self._angle_deg = angle
        arc = see(self.before.calcium[self._held.index], self._origin()).arc
        to_deg = turned_end_deg(
            arc,
            self._turned_deg,
            end=self._held.grip is Grip.END,
            narrowest_deg=_NARROWEST_DEG,
            widest_deg=_widest_deg(arc),
        )
        wider = self._turned_deg > 0 if self._held.grip is Grip.END else self._turned_deg < 0
        self.rename(self.tr("widen calcium arc") if wider else self.tr("narrow calcium arc"))
        end: Literal["start", "end"] = "end" if self._held.grip is Grip.END else "start"
        self.put(
            arc_end_moved(self.before, self._held.index, end=end, to_deg=to_deg, field=self.field)
        )

    def _pull_border(self, pointer: Pointer) -> None:
        assert self._held is not None
        front = self._held.grip is Grip.FRONT
        grab = self._on_border(self._held, self._grab)
        by = np.subtract(pointer.at_mm, self._grab.at_mm)
        to = float(grab[0] + by[0]), float(grab[1] + by[1])
        side: Literal["front", "back"] = "front" if front else "back"
        self.put(
            border_pulled(
                self.before,
                self._held.index,
                side=side,
                grab_mm=grab,
                to_mm=to,
                radius_mm=self.radius_mm,
                field=self.field,
            )
        )

    def _on_border(self, held: DepositHit, pointer: Pointer) -> tuple[float, float]:
        """Return the place on the border that is held, which a press need not hit exactly."""
        origin = self._origin()
        seen = see(self.before.calcium[held.index], origin)
        angle = angle_about(origin, pointer.at_mm)
        borders = seen.borders_at(angle)
        if borders is None:
            line = seen.border_mm(held.grip)
            nearest = line[np.hypot(*(line - pointer.at_mm).T).argmin()]
        else:
            distance = borders[0 if held.grip is Grip.FRONT else 1]
            nearest = to_xy(np.array(angle), np.array(distance)) + origin
        return float(nearest[0]), float(nearest[1])

    def _drag_onto(self, pointer: Pointer) -> None:
        """Merge with the deposit under the mouse, for as long as it is there."""
        assert self._held is not None
        index = self._held.index
        self._onto = deposit_at(self.before, pointer.at_mm, but=index)
        if self._onto is None:
            self.put(self.before)
        else:
            self.put(deposits_merged(self.before, index, self._onto, self.field))

    def _merge_chosen(self, other: int) -> None:
        assert self._chosen is not None
        self.begin(self.tr("merge calcium"))
        self.put(deposits_merged(self.before, self._chosen, other, self.field))
        self._follow(self._chosen)
        self.end()

    def _follow(self, index: int | None = None) -> None:
        """Keep the selection on the deposit that is being changed, whatever its place is now."""
        if index is None and self._held is not None:
            index = self._held.index
        if index is not None:
            self._chosen = same_deposit(self.before.calcium[index], self.annotation)

    # Keys -------------------------------------------------------------------------------------

    def wants(self, key: int) -> bool:
        """Take Delete while a deposit is selected."""
        return (key in _DELETING and self.selected) or super().wants(key)

    def press_key(self, key: int) -> None:
        """Delete the selected deposit, or do what every tool with a radius does."""
        if key in _DELETING:
            self._delete()
        else:
            super().press_key(key)

    def cancel(self) -> None:
        """Take the gesture back; the deposit stays selected."""
        index = self._held.index if self._held is not None else self._chosen
        self._held = self._onto = None
        super().cancel()
        self._chosen = index

    def _delete(self) -> None:
        index = self.chosen
        if index is None or self.trouble():
            return
        self.take_away(self.tr("delete calcium"), deposit_deleted(self.annotation, index))

    # What is seen and said --------------------------------------------------------------------

    def marks(self) -> Sequence[Mark]:
        """Return handles and figures of the deposit in hand, and a glow on what is under it."""
        if self.annotation.lumen is None:
            return ()
        hit = self._hit()
        shown = self.chosen if self.chosen is not None else (hit.index if hit else None)
        marks = []
        if self._onto is None and hit is not None and hit.index < len(self.annotation.calcium):
            marks.append(self._glow(hit))
        if shown is not None:
            marks += self._figures(shown, hit)
        return marks

    def _hit(self) -> DepositHit | None:
        """Return what is held, or what a press would take hold of."""
        if self._held is not None:
            return None if self._chosen is None else DepositHit(self._chosen, self._held.grip)
        if self.pointer is None or self.trouble():
            return None
        return hit_deposit(self.annotation, self.pointer, self.chosen)

    def _glow(self, hit: DepositHit) -> Mark:
        contour = self.annotation.calcium[hit.index]
        if hit.grip in (Grip.FRONT, Grip.BACK):
            line = see(contour, self._origin()).border_mm(hit.grip)
            if len(line):
                return Mark(line, look=Look.GLOW, colour=theme.CALCIUM)
        return Mark(contour.points_mm, closed=True, look=Look.GLOW, colour=theme.CALCIUM)

    def _figures(self, index: int, hit: DepositHit | None) -> list[Mark]:
        seen = see(self.annotation.calcium[index], self._origin())
        marks = []
        if not seen.whole_turn:
            for grip, at in zip((Grip.START, Grip.END), seen.ends_mm, strict=True):
                hot = hit == DepositHit(index, grip)
                marks.append(Mark(at[None], handles_mm=at[None], selected=hot))
        text = self.figures(index)
        marks.append(Mark(seen.ends_mm[:1], text=text, text_mm=self._place_of_text(seen)))
        return marks

    def _place_of_text(self, seen: SeenDeposit) -> tuple[float, float]:
        """Return the place beside the end that is dragged, else beside the middle."""
        if self._held is not None and self._held.grip in (Grip.START, Grip.END):
            at = seen.ends_mm[0 if self._held.grip is Grip.START else 1]
            return float(at[0]), float(at[1])
        reach = self.pointer.reach_mm if self.pointer is not None else 0.0
        return seen.beside_mm(_BESIDE_REACHES * reach)

    def figures(self, index: int) -> str:
        """Return arc and thickness of a deposit as people read them."""
        assert self.shown is not None
        study = self.shown.session.study
        alone = only(self.annotation, index)
        measured = quantify_frame(alone, study.calibration, study.protocol)
        arc = f"{measured.max_arc_deg_visible or 0:.0f}°"
        if measured.max_thickness_mm is None:
            return arc
        limit = "≥ " if measured.thickness_capped or measured.back_hidden else ""
        return f"{arc} · {limit}{measured.max_thickness_mm:.2f} mm"

    def cursor_at(self, pointer: Pointer) -> Qt.CursorShape:
        """Return the cursor that says what a press would do."""
        if self.trouble():
            return Qt.CursorShape.ForbiddenCursor
        hit = hit_deposit(self.annotation, pointer, self.chosen)
        if hit is None:
            return Qt.CursorShape.ArrowCursor
        body = hit.grip is Grip.BODY or pointer.shift
        return Qt.CursorShape.PointingHandCursor if body else Qt.CursorShape.SizeAllCursor

    def status(self) -> str:
        """Say what a click does here."""
        if trouble := self.trouble() or self._nothing_to_edit():
            return trouble
        if self._held is not None:
            return self._held_text(self._held.grip)
        hit = self._hit()
        if hit is None:
            if self.selected:
                return self.tr("Delete removes the deposit · Shift+click merges another with it")
            return self.tr("Click calcium to select it; drag its ends or its borders")
        if self.pointer is not None and self.pointer.shift and self.chosen not in (None, hit.index):
            return self.tr("Click merges this deposit with the selected one")
        return {
            Grip.START: self.tr("Drag the end of the arc"),
            Grip.END: self.tr("Drag the end of the arc"),
            Grip.FRONT: self.tr("Drag the front border · wheel while dragging: how much follows"),
            Grip.BACK: self.tr("Drag the back border · wheel while dragging: how much follows"),
            Grip.BODY: self.tr("Click selects · drag onto another deposit merges · Delete removes"),
        }[hit.grip]

    def _nothing_to_edit(self) -> str:
        if self.annotation.lumen is None:
            return self.tr("No lumen here · draw the lumen first")
        if not self.annotation.calcium:
            return self.tr("No calcium in this frame · add some with the sector tool")
        return ""

    def _held_text(self, grip: Grip) -> str:
        if grip in (Grip.START, Grip.END):
            return self.tr("Esc takes it back")
        if grip is Grip.BODY:
            if self._onto is not None:
                return self.tr("Release to merge")
            return self.tr("Drag onto another deposit to merge the two")
        return self.tr("Esc takes it back · {radius}").format(radius=self.radius_text())

    def _step_name(self, grip: Grip) -> str:
        return {
            Grip.START: self.tr("widen calcium arc"),
            Grip.END: self.tr("widen calcium arc"),
            Grip.FRONT: self.tr("move calcium front"),
            Grip.BACK: self.tr("move calcium back"),
            Grip.BODY: self.tr("merge calcium"),
        }[grip]

    def _origin(self) -> tuple[float, float]:
        """Return O of the frame on screen; the lumen stays as it is while calcium is edited."""
        lumen = self.annotation.lumen
        assert lumen is not None
        return lumen.centroid_mm


def _widest_deg(arc: Arc) -> float:
    """Return how wide one drag makes an arc; farther on it would pass for a drag past the start."""
    open_deg = FULL_CIRCLE_DEG - arc.extent_deg
    if open_deg <= _CLOSING_DEG:
        return _WIDEST_DEG
    return arc.extent_deg + _WIDENED_PART * open_deg
