"""The contours of a frame by name, and their replacement."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

import shapely

from calcviewer.core.annotation import FrameAnnotation
from calcviewer.core.contour import Contour
from calcviewer.core.editing.clipping import pieces, region_of, settled, without
from calcviewer.core.editing.rings import winds_round_catheter


class Structure(Enum):
    """What can be drawn as a closed contour."""

    LUMEN = "lumen"
    CALCIUM = "calcium"
    EEL = "eel"


@dataclass(frozen=True)
class Target:
    """One contour of a frame; ``index`` counts deposits."""

    structure: Structure
    index: int = 0


def targets_of(annotation: FrameAnnotation) -> tuple[Target, ...]:
    """Return every contour that there is, calcium first."""
    found = [Target(Structure.CALCIUM, index) for index in range(len(annotation.calcium))]
    found += [Target(Structure.LUMEN)] if annotation.lumen is not None else []
    found += [Target(Structure.EEL)] if annotation.eel is not None else []
    return tuple(found)


def contour_at(annotation: FrameAnnotation, target: Target) -> Contour | None:
    """Return a contour; None where there is none."""
    if target.structure is Structure.LUMEN:
        return annotation.lumen
    if target.structure is Structure.EEL:
        return annotation.eel
    inside = 0 <= target.index < len(annotation.calcium)
    return annotation.calcium[target.index] if inside else None


def with_contour(
    annotation: FrameAnnotation,
    target: Target,
    contour: Contour | None,
    field: shapely.Polygon,
) -> FrameAnnotation:
    """Return the annotation with one contour replaced, added or (None) removed, and clipped.

    The lumen pushes calcium away; a deposit wins over the other deposits. A deposit that the
    lumen cuts through keeps the pieces that touch what it was. A new deposit comes last. Contours
    that need no clipping stay the same objects; so does the annotation when nothing changes.
    """
    if contour is contour_at(annotation, target):
        return annotation
    if target.structure is Structure.LUMEN:
        return _with_lumen(annotation, contour, field)
    if target.structure is Structure.EEL:
        return settled(replace(annotation, eel=contour), field)
    return _with_deposit(annotation, target.index, contour, field)


def _with_lumen(
    annotation: FrameAnnotation, contour: Contour | None, field: shapely.Polygon
) -> FrameAnnotation:
    before = annotation.lumen
    changed = settled(replace(annotation, lumen=contour), field)
    if contour is not None and changed.lumen is None:
        return annotation
    return annotation if _loses_catheter(before, changed.lumen) else changed


def _loses_catheter(before: Contour | None, after: Contour | None) -> bool:
    """Whether a lumen that held the catheter's centre would no longer do."""
    if before is None or after is None:
        return False
    return winds_round_catheter(before.points_mm, 0.0) and not winds_round_catheter(
        after.points_mm, 0.0
    )


def _with_deposit(
    annotation: FrameAnnotation, index: int, contour: Contour | None, field: shapely.Polygon
) -> FrameAnnotation:
    calcium = annotation.calcium
    before = contour_at(annotation, Target(Structure.CALCIUM, index))
    if contour is None:
        left = tuple(old for k, old in enumerate(calcium) if k != index)
        return replace(annotation, calcium=left)
    if before is None:
        drawn = replace(annotation, calcium=(*calcium, contour))
        return settled(drawn, field, first=(len(calcium),))
    edited: tuple[Contour, ...] = (contour,)
    if annotation.lumen is not None:
        outside = without(region_of(contour), region_of(annotation.lumen))
        if outside is not region_of(contour):
            found = pieces(outside)
            touching = tuple(p for p in found if region_of(before).intersects(p.polygon))
            edited = touching or found[:1]
    drawn = replace(
        annotation, calcium=(*calcium[:index], *edited[:1], *calcium[index + 1 :], *edited[1:])
    )
    last = range(len(drawn.calcium) - len(edited[1:]), len(drawn.calcium))
    return settled(drawn, field, first=(*((index,) if edited else ()), *last))
