"""Frames between two that an operator corrected, filled in from them. Frames are 0-based."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import shapely

from calcviewer.app.correction import by_hand, hand_neighbours
from calcviewer.app.session import IvoctStudy
from calcviewer.core.annotation import FrameAnnotation, Provenance
from calcviewer.core.contour import Contour
from calcviewer.core.editing.clipping import clipped, image_field
from calcviewer.core.editing.interpolation import between
from calcviewer.core.editing.structures import Structure
from calcviewer.core.study import Review

_SAME_MM2 = 0.005
"""Regions that differ by less are the same: rounding, and what clipping took off an edge."""
_SAME_DEG = 0.01

_GUIDEWIRES = "guidewires"
"""The sectors in a guidewire's shadow, which are no contour."""
_Part = Structure | str

Filled = Mapping[int, FrameAnnotation | None]
"""By frame, what interpolation makes of it; None: back to the model's."""


@dataclass(frozen=True)
class Span:
    """Two frames corrected by hand with frames between them that were not."""

    first: int
    last: int


def spans_at(review: Review, frame: int, *, over: int) -> tuple[Span, ...]:
    """Return what lies between a corrected frame and the corrected ones beside it.

    Parameters
    ----------
    over
        How many frames may lie between two that belong together; 0: none ever do.
    """
    if frame not in by_hand(review):
        return ()
    before, after = hand_neighbours(review, frame)
    spans = [Span(before, frame)] if before is not None else []
    spans += [Span(frame, after)] if after is not None else []
    return tuple(span for span in spans if 0 < span.last - span.first - 1 <= over)


def filled_frames(
    study: IvoctStudy, span: Span, known: Container[int] = ()
) -> Iterator[tuple[int, FrameAnnotation | None]]:
    """Fill in the frames between two corrected ones, one at a time.

    Only the structures that were corrected in both frames are interpolated; the model's others
    stay. Frames that are excluded or confirmed are left alone.

    Parameters
    ----------
    known
        Frames that are left out: they were filled in before.

    Yields
    ------
    A frame and its annotation in the mm in which edits are kept; None where there is nothing to
    interpolate, and what was filled in earlier goes.
    """
    review = study.review
    structures = corrected_structures(study, span.first) & corrected_structures(study, span.last)
    ends = review.edits[span.first], review.edits[span.last]
    field = image_field(study.pullback.grid)
    for frame in range(span.first + 1, span.last):
        if frame in known or frame in review.excluded or frame in review.confirmed_frames:
            continue
        if not structures:
            if frame in review.interpolated:
                yield frame, None
            continue
        part = (frame - span.first) / (span.last - span.first)
        base = study.predictions.get(frame) or FrameAnnotation()
        taken = _with_structures(base, between(*ends, part), structures)
        yield frame, clipped(taken, field)


def with_filled(review: Review, filled: Filled) -> Review:
    """Return a review with frames filled in, except those that were corrected by hand since."""
    hand = review.edits.keys() - review.interpolated
    takes = {frame: annotation for frame, annotation in filled.items() if frame not in hand}
    if not takes:
        return review
    edits = {frame: edit for frame, edit in review.edits.items() if frame not in takes}
    edits |= {frame: made for frame, made in takes.items() if made is not None}
    made = {frame for frame, annotation in takes.items() if annotation is not None}
    return replace(
        review,
        edits=MappingProxyType(edits),
        interpolated=(review.interpolated - takes.keys()) | made,
    )


def corrected_structures(study: IvoctStudy, frame: int) -> frozenset[_Part]:
    """Return the structures in which a frame's edit differs from the model's annotation.

    What a new lumen took off the calcium is no correction of the calcium.
    """
    edit = study.review.edits[frame]
    base = study.predictions.get(frame) or FrameAnnotation()
    lumen, was = _region(edit.lumen), _region(base.lumen)
    differs: set[_Part] = set()
    if _differ(lumen, was):
        differs.add(Structure.LUMEN)
    if _differ(_region(*edit.calcium), _region(*base.calcium).difference(lumen)):
        differs.add(Structure.CALCIUM)
    if _differ(_region(edit.eel), _region(base.eel)):
        differs.add(Structure.EEL)
    if not _same_sectors(edit, base):
        differs.add(_GUIDEWIRES)
    return frozenset(differs)


def _with_structures(
    base: FrameAnnotation, taken: FrameAnnotation, structures: frozenset[_Part]
) -> FrameAnnotation:
    annotation = replace(
        base,
        lumen=taken.lumen if Structure.LUMEN in structures else base.lumen,
        calcium=taken.calcium if Structure.CALCIUM in structures else base.calcium,
        eel=taken.eel if Structure.EEL in structures else base.eel,
        guidewires=taken.guidewires if _GUIDEWIRES in structures else base.guidewires,
        failure="",
    )
    drawn = base.lumen is None and not base.calcium
    return replace(annotation, provenance=Provenance.MANUAL if drawn else Provenance.SEMIAUTOMATIC)


def _region(*contours: Contour | None) -> shapely.Geometry:
    return shapely.union_all([shapely.make_valid(one.polygon) for one in contours if one])


def _differ(first: shapely.Geometry, second: shapely.Geometry) -> bool:
    return bool(first.symmetric_difference(second).area > _SAME_MM2)


def _same_sectors(first: FrameAnnotation, second: FrameAnnotation) -> bool:
    if len(first.guidewires) != len(second.guidewires):
        return False
    pairs = zip(first.guidewires, second.guidewires, strict=True)
    return all(
        abs((one.start_deg - other.start_deg + 180) % 360 - 180) < _SAME_DEG
        and abs(one.extent_deg - other.extent_deg) < _SAME_DEG
        for one, other in pairs
    )
