"""Corrections of frames, as steps from one review to the next. Frames are 0-based."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from calcviewer.app.session import IvoctStudy, Step
from calcviewer.core.annotation import FrameAnnotation, Provenance
from calcviewer.core.errors import CalcViewerError
from calcviewer.core.study import Review

EXCLUSION_REASONS = ("poor clearance", "artefact", "side branch")
"""The reasons that are offered; any other may be given."""


def corrected(study: IvoctStudy, frame: int, annotation: FrameAnnotation) -> Review:
    """Return the review with an operator's annotation of a frame in force.

    What changed after it was confirmed has to be looked at again: the confirmation goes. So does
    the mark of a frame that was filled in between two others: it is corrected by hand now.

    Parameters
    ----------
    annotation
        Contours in mm of the calibration in force.
    """
    predicted = study.predictions.get(frame)
    drawn = (predicted is None or bool(predicted.failure)) and not annotation.taken_from
    provenance = Provenance.MANUAL if drawn else Provenance.SEMIAUTOMATIC
    edit = study.stored(replace(annotation, provenance=provenance, failure=""))
    review = study.review.with_edit(frame, edit)
    return replace(
        review,
        confirmed_frames=review.confirmed_frames - {frame},
        interpolated=review.interpolated - {frame},
    )


def copied(study: IvoctStudy, frame: int, source: int) -> Step:
    """Return the step that copies the contours of another frame into a frame.

    Lumen, calcium and external elastic lamina lie where they lie in the other frame; the guidewire
    of the frame itself stays. A frame that was not segmented may be copied into.

    Raises
    ------
    CalcViewerError
        When the other frame has nothing to copy, or the frame itself is excluded.
    """
    if frame in study.review.excluded:
        raise CalcViewerError(f"Frame {frame + 1} is excluded.", "Include it again first.")
    other = study.annotation(source) if 0 <= source < study.pullback.frame_count else None
    if other is None or other.failure:
        raise CalcViewerError(f"Frame {source + 1} has no contours to copy.")
    own = study.annotation(frame) or FrameAnnotation()
    wires = own.guidewires if _is_drawn(own) else other.guidewires
    annotation = replace(other, guidewires=wires)
    return Step(f"copy frame {source + 1} into {frame + 1}", corrected(study, frame, annotation))


def _is_drawn(annotation: FrameAnnotation) -> bool:
    """Whether anything was found or drawn in a frame, so that its guidewire is known too."""
    return annotation.lumen is not None or bool(annotation.calcium or annotation.guidewires)


def reverted(review: Review, frame: int) -> Step:
    """Return the step that puts the model's annotation of a frame back in force.

    Frames that were filled in between this one and the corrected ones beside it go back with it:
    they came from it.
    """
    followers = filled_beside(review, frame) if frame not in review.interpolated else frozenset()
    gone = followers | {frame}
    kept = {key: edit for key, edit in review.edits.items() if key not in gone}
    revised = replace(
        review,
        edits=MappingProxyType(kept),
        interpolated=review.interpolated - gone,
        confirmed_frames=review.confirmed_frames - gone,
    )
    return Step(f"revert frame {frame + 1} to the model", revised)


def excluded(review: Review, frame: int, reason: str) -> Step:
    """Return the step that leaves a frame out of every measurement."""
    revised = review.with_exclusion(frame, reason.strip())
    confirmed = revised.confirmed_frames - {frame}
    return Step(f"exclude frame {frame + 1}", replace(revised, confirmed_frames=confirmed))


def included(review: Review, frame: int) -> Step:
    """Return the step that lets an excluded frame count again."""
    others = {key: reason for key, reason in review.excluded.items() if key != frame}
    revised = replace(review, excluded=MappingProxyType(others))
    return Step(f"include frame {frame + 1} again", revised)


def by_hand(review: Review) -> frozenset[int]:
    """Return the frames that were corrected by hand and count."""
    return frozenset(review.edits.keys() - review.interpolated - review.excluded.keys())


def hand_neighbours(review: Review, frame: int) -> tuple[int | None, int | None]:
    """Return the nearest frames corrected by hand before and after a frame."""
    hand = by_hand(review)
    before = max((one for one in hand if one < frame), default=None)
    after = min((one for one in hand if one > frame), default=None)
    return before, after


def filled_beside(review: Review, frame: int) -> frozenset[int]:
    """Return the frames that were filled in from a corrected frame and those beside it."""
    before, after = hand_neighbours(review, frame)
    return frozenset(
        one
        for one in review.interpolated
        if (before is None or before < one) and (after is None or one < after)
    )
