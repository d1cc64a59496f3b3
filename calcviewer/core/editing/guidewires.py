"""Editing of the guidewire sectors; all angles are about the catheter, degrees."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from calcviewer.core.annotation import FrameAnnotation
from calcviewer.core.editing.arcs import gap_deg, with_end_at
from calcviewer.core.geometry import FULL_CIRCLE_DEG, Arc, join_arcs

End = Literal["start", "end"]
NARROWEST_DEG = 1.0
"""A guidewire sector cannot be made narrower than this."""
APART_DEG = 0.5
"""An edge stops this far before the next sector: two that touched would be one."""


def sector_at(annotation: FrameAnnotation, angle_deg: float) -> int | None:
    """Return the index of the sector that contains an angle; None where there is none."""
    holding = (k for k, arc in enumerate(annotation.guidewires) if arc.contains(angle_deg))
    return next(holding, None)


def edge_moved(annotation: FrameAnnotation, index: int, end: End, to_deg: float) -> FrameAnnotation:
    """Move one edge of a sector; it stops before the next sector and at the narrowest one."""
    if not 0 <= index < len(annotation.guidewires):
        return annotation
    before = annotation.guidewires[index]
    others = [arc for k, arc in enumerate(annotation.guidewires) if k != index]
    after = with_end_at(before, end, to_deg, narrowest_deg=NARROWEST_DEG)
    room = FULL_CIRCLE_DEG
    for other in others:
        gap = gap_deg(before, other) if end == "end" else gap_deg(other, before)
        room = min(room, before.extent_deg + max(gap - APART_DEG, 0.0))
    extent = min(after.extent_deg, room)
    start = before.start_deg if end == "end" else before.end_deg - extent
    if extent == before.extent_deg:
        return annotation
    sectors = list(annotation.guidewires)
    sectors[index] = Arc(start, extent)
    return replace(annotation, guidewires=tuple(sectors))


def sector_added(
    annotation: FrameAnnotation, start_deg: float, extent_deg: float
) -> FrameAnnotation:
    """Add a sector, joined with those it touches; a negative extent runs backwards."""
    if extent_deg < 0:
        start_deg, extent_deg = start_deg + extent_deg, -extent_deg
    if extent_deg <= 0:
        return annotation
    sectors = join_arcs([*annotation.guidewires, Arc(start_deg, max(extent_deg, NARROWEST_DEG))])
    return (
        annotation if sectors == annotation.guidewires else replace(annotation, guidewires=sectors)
    )


def sector_removed(annotation: FrameAnnotation, index: int) -> FrameAnnotation:
    """Remove a sector."""
    if not 0 <= index < len(annotation.guidewires):
        return annotation
    left = tuple(arc for k, arc in enumerate(annotation.guidewires) if k != index)
    return replace(annotation, guidewires=left)
