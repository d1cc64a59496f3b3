"""A second reader's results: their annotations taken over, their measurements beside ours.

Frames are 0-based.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from calcviewer.app.results import Results
from calcviewer.app.review_store.encoding import annotation_bytes
from calcviewer.app.session import IvoctStudy, Step
from calcviewer.core.annotation import FrameAnnotation, Label, Provenance
from calcviewer.core.editing.clipping import clipped, image_field
from calcviewer.core.measurement import Measurement
from calcviewer.dicom.result_header import read_result_header
from calcviewer.modalities.ivoct.lesion import Lesion
from calcviewer.modalities.ivoct.measurements import frame_rows, lesion_rows, vessel_rows

NIFTI_SUFFIXES = (".nii", ".nii.gz")
_OTHER_ARC = "DCM:122355"
"""Arc of Calcium (PS3.16), where nothing says which one of several, or what about the wire."""
_ARCS = ("max_arc_deg_visible", "max_arc_deg_bridged")

Rows = Mapping[str, Measurement]
"""Measurements by concept."""


@dataclass(frozen=True, eq=False)
class GivenAnnotations:
    """Annotations that were read from a file.

    Parameters
    ----------
    maker
        Who made them: a program, as "ACME PlaqueReader".
    annotations
        By frame, in mm of the pullback's own calibration.
    structures
        What the file tells about at all; of the others nothing is taken over.
    assured
        Whether the file says that it was made on this pullback.
    """

    maker: str
    annotations: Mapping[int, FrameAnnotation]
    structures: frozenset[Label]
    assured: bool


@dataclass(frozen=True, eq=False)
class MeasuredLesion:
    """A lesion as a second reader measured it; ``frames`` are its first and last one."""

    name: str
    frames: tuple[int, int] | None
    rows: Rows


@dataclass(frozen=True, eq=False)
class SecondReading:
    """Measurements that were read from a file.

    Parameters
    ----------
    maker
        Who measured: a person, a program, or both.
    frames
        Measurements by frame.
    vessel
        Measurements of the whole vessel.
    assured
        Whether the file says that it was made on this pullback.
    """

    maker: str
    lesions: tuple[MeasuredLesion, ...]
    frames: Mapping[int, Rows]
    vessel: Rows
    assured: bool


@dataclass(frozen=True, eq=False)
class LesionPair:
    """A lesion of theirs and the one of ours it shares most frames with; either may be missing."""

    theirs: MeasuredLesion | None
    ours: Lesion | None
    number: int
    """Of ours, from 1; 0 without one."""


@dataclass(frozen=True)
class Compared:
    """One measurement of theirs and ours; either may be missing."""

    theirs: Measurement | None
    ours: Measurement | None

    @property
    def difference(self) -> float | None:
        """Theirs less ours; None where one of them has no value."""
        if self.theirs is None or self.ours is None:
            return None
        if self.theirs.value is None or self.ours.value is None:
            return None
        return self.theirs.value - self.ours.value


def is_results(path: Path) -> bool:
    """Whether a file holds results that can be opened over their pullback."""
    if not path.is_file():
        return False
    return path.name.lower().endswith(NIFTI_SUFFIXES) or read_result_header(path) is not None


# --- annotations ---------------------------------------------------------------------------------


def frames_with_edits(study: IvoctStudy, given: GivenAnnotations) -> frozenset[int]:
    """Return the frames of a file that an operator has edited here."""
    return frozenset(given.annotations.keys() & study.review.edits.keys())


def taken_over(study: IvoctStudy, given: GivenAnnotations, *, replace_edits: bool) -> Step | None:
    """Return the step that puts a file's annotations in force; None when it changes nothing.

    They are nobody's work here: they count as made by a program and a person together, name the
    program, and have to be confirmed. Excluded frames, and frames in which the file has nothing,
    stay as they are; so does what the file does not tell about.

    Parameters
    ----------
    replace_edits
        Whether frames are taken that were edited here.
    """
    review = study.review
    taken: dict[int, FrameAnnotation] = {}
    for frame, annotation in given.annotations.items():
        if frame in review.excluded or (frame in review.edits and not replace_edits):
            continue
        base = review.edits.get(frame) or study.predictions.get(frame) or FrameAnnotation()
        merged = _merged(study, annotation, base, given)
        if merged is not None:
            taken[frame] = merged
    if not taken:
        return None
    revised = replace(
        review,
        edits=MappingProxyType({**review.edits, **taken}),
        interpolated=review.interpolated - taken.keys(),
        confirmed_frames=review.confirmed_frames - taken.keys(),
    )
    return Step(f"annotations from {given.maker}", revised)


def _merged(
    study: IvoctStudy, annotation: FrameAnnotation, base: FrameAnnotation, given: GivenAnnotations
) -> FrameAnnotation | None:
    """Return what takes the place of an annotation; None where it stays."""
    if annotation.failure or not _is_drawn(annotation):
        return None
    own = Label.CALCIUM not in given.structures
    merged = replace(
        annotation,
        lumen=annotation.lumen if Label.LUMEN in given.structures else base.lumen,
        calcium=base.calcium if own else annotation.calcium,
        hidden_back=base.hidden_back if own else annotation.hidden_back,
        guidewires=(
            annotation.guidewires if Label.GUIDEWIRE_SHADOW in given.structures else base.guidewires
        ),
        eel=annotation.eel or base.eel,
    )
    merged = clipped(merged, image_field(study.pullback.grid))
    if _drawing(merged) == _drawing(base):
        return None
    return replace(
        merged, provenance=Provenance.SEMIAUTOMATIC, taken_from=given.maker, doubt=None, failure=""
    )


def _is_drawn(annotation: FrameAnnotation) -> bool:
    return annotation.lumen is not None or bool(annotation.calcium or annotation.guidewires)


def _drawing(annotation: FrameAnnotation) -> bytes:
    """Return what is drawn, without who made it."""
    bare = replace(
        annotation, provenance=Provenance.AUTOMATIC, taken_from="", doubt=None, failure=""
    )
    return annotation_bytes(bare)


# --- measurements --------------------------------------------------------------------------------


def lesion_pairs(reading: SecondReading, results: Results) -> tuple[LesionPair, ...]:
    """Return every lesion of theirs and of ours, each once, those that overlap together."""
    free = list(range(len(results.lesions)))
    pairs = []
    for theirs in reading.lesions:
        best = max(free, key=lambda place: _shared(theirs, results.lesions[place]), default=None)
        if best is None or _shared(theirs, results.lesions[best]) <= 0:
            pairs.append(LesionPair(theirs, None, 0))
            continue
        free.remove(best)
        pairs.append(LesionPair(theirs, results.lesions[best], best + 1))
    alone = (LesionPair(None, results.lesions[place], place + 1) for place in free)
    return tuple(sorted((*pairs, *alone), key=_first_frame))


def compared_lesion(pair: LesionPair, concepts: Sequence[str]) -> tuple[Compared, ...]:
    """Return some measurements of a lesion, theirs and ours."""
    ours = {} if pair.ours is None else _by_concept(lesion_rows(pair.ours))
    theirs = {} if pair.theirs is None else pair.theirs.rows
    return tuple(Compared(_of(theirs, one), ours.get(one)) for one in concepts)


def compared_frame(
    reading: SecondReading, results: Results, frame: int, concepts: Sequence[str] = ()
) -> tuple[Compared, ...]:
    """Return measurements of a frame, theirs and ours.

    Parameters
    ----------
    concepts
        Which ones, in order; none: all that either has a value of.
    """
    measured = results.frames[frame]
    ours = {} if measured is None else _by_concept(frame_rows(measured))
    theirs = reading.frames.get(frame, {})
    if concepts:
        return tuple(Compared(_of(theirs, one), ours.get(one)) for one in concepts)
    return _all_compared(theirs, ours)


def compared_vessel(reading: SecondReading, results: Results) -> tuple[Compared, ...]:
    """Return the measurements of the vessel, theirs and ours, that either has a value of."""
    return _all_compared(reading.vessel, _by_concept(vessel_rows(results.vessel)))


def _all_compared(theirs: Rows, ours: Rows) -> tuple[Compared, ...]:
    """Return what either has a value of, ours first."""
    told = {concept: Compared(_of(theirs, concept), row) for concept, row in ours.items()}
    used = {id(one.theirs) for one in told.values()}
    others = [Compared(row, None) for row in theirs.values() if id(row) not in used]
    return tuple(one for one in (*told.values(), *others) if _has_value(one))


def _has_value(compared: Compared) -> bool:
    rows = (compared.theirs, compared.ours)
    return any(row is not None and row.value is not None for row in rows)


def _of(theirs: Rows, concept: str) -> Measurement | None:
    """Return a measurement of theirs; an arc that is not told apart stands for the visible one."""
    if concept == _ARCS[0] and not any(arc in theirs for arc in _ARCS):
        return theirs.get(_OTHER_ARC)
    return theirs.get(concept)


def _by_concept(rows: Sequence[Measurement]) -> Rows:
    return {row.concept: row for row in rows}


def _shared(theirs: MeasuredLesion, ours: Lesion) -> int:
    if theirs.frames is None:
        return 0
    first = max(theirs.frames[0], ours.first_frame)
    return min(theirs.frames[1], ours.last_frame) - first + 1


def _first_frame(pair: LesionPair) -> float:
    if pair.ours is not None:
        return pair.ours.first_frame
    frames = None if pair.theirs is None else pair.theirs.frames
    return float("inf") if frames is None else frames[0]
