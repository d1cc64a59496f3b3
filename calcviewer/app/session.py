"""The session: the one mutable object, holding a study whose parts are all frozen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from types import MappingProxyType

from calcviewer.app.results import Results, compute_results
from calcviewer.core.annotation import FrameAnnotation
from calcviewer.core.study import ModelReference, Review, Study
from calcviewer.modalities.ivoct.protocol import Protocol
from calcviewer.modalities.ivoct.quantify import FrameMeasurement

IvoctStudy = Study[Protocol]


class Facet(Enum):
    """What a change can touch."""

    ANNOTATION = "annotation"
    EXCLUSION = "exclusion"
    GUIDEWIRE = "guidewire decision"
    VOI = "volume of interest"
    CONFIRMATION = "confirmation"
    BOOKMARK = "bookmark"
    COMMENT = "comment"
    CALIBRATION = "calibration"


@dataclass(frozen=True)
class Change:
    """What changed: facets, and the frames (0-based) whose annotation is now another one."""

    facets: frozenset[Facet]
    frames: frozenset[int] = frozenset()


@dataclass(frozen=True)
class _Step:
    """One undo step: what it was called and the review before it."""

    label: str
    review: Review
    gesture: object | None = None


class Session:
    """Holds the study, its undo history and its results, and says what changed.

    Predictions are outside undo: streaming results never replace an edit, and undo never takes a
    prediction away.
    """

    def __init__(self, study: IvoctStudy) -> None:
        self._study = study
        self._undo: list[_Step] = []
        self._redo: list[_Step] = []
        self._run = 0
        self._listeners: list[Callable[[Change], None]] = []
        self._measured: dict[int, tuple[FrameAnnotation, FrameMeasurement]] = {}
        self._results: Results | None = None

    @property
    def study(self) -> IvoctStudy:
        """The study as it is now."""
        return self._study

    @property
    def results(self) -> Results:
        """Measurements, lesions and score of the study as it is now."""
        if self._results is None:
            self._results = compute_results(self._study, self._measured)
        return self._results

    @property
    def undo_label(self) -> str | None:
        """Name of the step that undo would take back; None when there is none."""
        return self._undo[-1].label if self._undo else None

    @property
    def redo_label(self) -> str | None:
        """Name of the step that redo would do again; None when there is none."""
        return self._redo[-1].label if self._redo else None

    def subscribe(self, listener: Callable[[Change], None]) -> Callable[[], None]:
        """Call ``listener`` after every change; returns a function that ends this."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def edit(self, label: str, review: Review, gesture: object | None = None) -> None:
        """Put a new review in force as one undo step.

        Edits that carry the same ``gesture`` (one drag) one after the other are one step.
        """
        last = self._undo[-1] if self._undo else None
        if gesture is None or last is None or last.gesture != gesture:
            self._undo.append(_Step(label, self._study.review, gesture))
        self._redo.clear()
        self._put(review)

    def undo(self) -> None:
        """Take back the last step; nothing happens when there is none."""
        if self._undo:
            step = self._undo.pop()
            self._redo.append(_Step(step.label, self._study.review))
            self._put(step.review)

    def redo(self) -> None:
        """Do the last undone step again; nothing happens when there is none."""
        if self._redo:
            step = self._redo.pop()
            self._undo.append(_Step(step.label, self._study.review))
            self._put(step.review)

    def start_run(self, model: ModelReference) -> int:
        """Begin a segmentation; results of earlier runs are dropped from now on."""
        self._run += 1
        self._study = replace(self._study, model=model)
        return self._run

    def add_prediction(self, run: int, frame: int, annotation: FrameAnnotation) -> None:
        """Take one frame's prediction, unless it belongs to a run that was superseded."""
        if run != self._run:
            return
        predictions = MappingProxyType({**self._study.predictions, frame: annotation})
        self._study = replace(self._study, predictions=predictions)
        self._announce(Change(frozenset({Facet.ANNOTATION}), frozenset({frame})))

    def _put(self, review: Review) -> None:
        change = _difference(self._study, review)
        self._study = replace(self._study, review=review)
        self._announce(change)

    def _announce(self, change: Change) -> None:
        self._results = None
        for listener in tuple(self._listeners):
            listener(change)


def _difference(study: IvoctStudy, review: Review) -> Change:
    """Return what differs between a study's review and the one that replaces it."""
    before = study.review
    facets = {
        facet
        for facet, name in (
            (Facet.ANNOTATION, "edits"),
            (Facet.EXCLUSION, "excluded"),
            (Facet.GUIDEWIRE, "guidewire_decisions"),
            (Facet.VOI, "voi"),
            (Facet.CONFIRMATION, "confirmed_frames"),
            (Facet.CONFIRMATION, "confirmed_lesions"),
            (Facet.BOOKMARK, "bookmarks"),
            (Facet.COMMENT, "comments"),
            (Facet.CALIBRATION, "calibration"),
        )
        if getattr(before, name) != getattr(review, name)
    }
    if Facet.CALIBRATION in facets:
        return Change(frozenset(facets), frozenset(range(study.pullback.frame_count)))
    edited = before.edits.keys() | review.edits.keys()
    frames = {i for i in edited if before.edits.get(i) is not review.edits.get(i)}
    frames |= before.excluded.keys() ^ review.excluded.keys()
    return Change(frozenset(facets), frozenset(frames))
