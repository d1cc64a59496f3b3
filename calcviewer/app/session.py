"""The session: the one mutable object, holding a study whose parts are all frozen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from types import MappingProxyType

from calcviewer.app.results import Results, compute_results, measure
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
    MEASUREMENT = "free measurement"


@dataclass(frozen=True)
class Change:
    """What changed.

    Parameters
    ----------
    facets
        What was touched.
    frames
        The frames (0-based) whose annotation is now another one.
    decided
        The frames about which the operator's decision is another one now: where undo has to lead.
    """

    facets: frozenset[Facet]
    frames: frozenset[int] = frozenset()
    decided: frozenset[int] = frozenset()


class Action(Enum):
    """How the review became another one."""

    EDIT = "edit"
    AMEND = "amend"
    """A step that was recorded got what was still in work when its gesture ended."""
    UNDO = "undo"
    REDO = "redo"


@dataclass(frozen=True, eq=False)
class Finished:
    """A step that is over: what it was, the review before it, and the study after it."""

    action: Action
    label: str
    before: Review
    study: IvoctStudy


@dataclass(frozen=True, eq=False)
class Step:
    """A named change of the review: what it is called, and the review it leads to."""

    label: str
    review: Review


@dataclass(frozen=True, eq=False)
class History:
    """A review with what can be undone (the next one last) and redone (the next one last)."""

    review: Review
    past: tuple[Step, ...] = ()
    future: tuple[Step, ...] = ()


@dataclass(frozen=True, eq=False)
class _Gesture:
    """A gesture in progress, what could be redone before it began, and what completes it.

    ``recorded`` is the review that was recorded when the gesture had ended, but not its step.
    """

    key: object
    future: tuple[Step, ...]
    complete: Callable[[Review], Review] | None = None
    recorded: Review | None = None


class Session:
    """Holds the study, its undo history and its results, and says what changed.

    Predictions are outside undo: streaming results never replace an edit, and undo never takes a
    prediction away.
    """

    def __init__(self, study: IvoctStudy) -> None:
        self._study = study
        self._past: list[Step] = []
        self._future: list[Step] = []
        self._gesture: _Gesture | None = None
        self._run = 0
        self._listeners: list[Callable[[Change], None]] = []
        self._record: Callable[[Finished], None] | None = None
        self._refuse: Callable[[], None] | None = None
        self._measured: dict[int, tuple[FrameAnnotation, FrameMeasurement]] = {}
        self._results: Results | None = None
        self._stale: set[int] | None = set()

    @property
    def study(self) -> IvoctStudy:
        """The study as it is now."""
        return self._study

    @property
    def results(self) -> Results:
        """Measurements, lesions and score of the study as it is now."""
        if self._results is None or self._stale is not None:
            self._results = compute_results(
                self._study, self._measured, before=self._results, changed=self._stale or ()
            )
            self._stale = None
        return self._results

    def measure(self, until: float, review: Review | None = None) -> bool:
        """Measure frames for `results` until a moment of `time.monotonic`; returns whether all are.

        For those who have to do something else meanwhile: `results` alone measures all at once.

        Parameters
        ----------
        review
            The review that will be in force; None: the one that is.
        """
        study = self._study if review is None else replace(self._study, review=review)
        return measure(study, self._measured, until=until)

    @property
    def history(self) -> History:
        """The review as it is now, with what can be undone and redone."""
        return History(self._study.review, tuple(self._past), tuple(self._future))

    @property
    def undo_label(self) -> str | None:
        """Name of the step that undo would take back; None when there is none."""
        return self._past[-1].label if self._past else None

    @property
    def redo_label(self) -> str | None:
        """Name of the step that redo would do again; None when there is none."""
        return self._future[-1].label if self._future else None

    def subscribe(self, listener: Callable[[Change], None]) -> Callable[[], None]:
        """Call ``listener`` after every change; returns a function that ends this."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def keep(self, record: Callable[[Finished], None]) -> None:
        """Call ``record`` with every step when it is finished, and not before."""
        self._record = record

    @property
    def read_only(self) -> bool:
        """Whether the review can no longer be changed."""
        return self._refuse is not None

    def refuse_edits(self, refuse: Callable[[], None]) -> None:
        """Change the review no more; call ``refuse`` whenever that is tried."""
        self._refuse = refuse

    def resume(self, history: History) -> None:
        """Go on where a review was left, with everything that could be undone and redone."""
        self._gesture = None
        self._past, self._future = list(history.past), list(history.future)
        self._announce(self._put(history.review))

    def edit(self, label: str, review: Review, gesture: object | None = None) -> None:
        """Put a new review in force as one undo step.

        Edits that carry the same ``gesture`` (one drag) one after the other are one step, which
        is in progress until `finish` or until something else is done. A confirmed lesion that the
        step changes has to be confirmed again.
        """
        if self._refuse is not None:
            self._refuse()
            return
        going_on = self._gesture is not None and self._gesture.key == gesture
        if not going_on:
            complete = None if self._gesture is None else self._gesture.complete
            self._finish()
            review = review if complete is None else complete(review)
            future = tuple(self._future)
            self._gesture = _Gesture(object() if gesture is None else gesture, future)
            self._past.append(Step(label, self._study.review))
            self._future.clear()
        change = self._put(_without_stale_confirmations(self._study, review))
        if gesture is None:
            self._finish()
        self._announce(change)

    def finish(self, gesture: object | None = None) -> None:
        """End a gesture, None: any; its step is complete. Nothing happens when there is none."""
        if self._gesture is not None and (gesture is None or self._gesture.key == gesture):
            self._finish()

    def finish_soon(self, gesture: object, complete: Callable[[Review], Review]) -> None:
        """End a gesture for which something is still in work: its step is complete with `finish`.

        Where something else is done before that, ``complete`` is called: it returns a review with
        what was in work, and is pure.
        """
        if self._gesture is not None and self._gesture.key == gesture:
            self._record_step(self._gesture)
            self._gesture = replace(self._gesture, complete=complete, recorded=self._study.review)

    def cancel(self, gesture: object) -> Change | None:
        """Take a gesture in progress back as if it had not begun; returns what changed by that."""
        if self._gesture is None or self._gesture.key != gesture or self._gesture.recorded:
            return None
        self._future = list(self._gesture.future)
        self._gesture = None
        change = self._put(self._past.pop().review)
        self._announce(change)
        return change

    def undo(self) -> Change | None:
        """Take back the last step; returns what changed, None when there was no step."""
        return self._step(Action.UNDO, self._past, self._future)

    def redo(self) -> Change | None:
        """Do the last undone step again; returns what changed, None when there was no step."""
        return self._step(Action.REDO, self._future, self._past)

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

    def _finish(self) -> None:
        """End the gesture in progress, if there is one, and have its step recorded."""
        gesture, self._gesture = self._gesture, None
        if gesture is None:
            return
        completed = None
        if gesture.complete is not None:
            review = gesture.complete(self._study.review)
            completed = self._put(_without_stale_confirmations(self._study, review))
        self._record_step(gesture)
        if completed is not None:
            self._announce(completed)

    def _record_step(self, gesture: _Gesture) -> None:
        """Have the last step recorded, or what it got since it was."""
        step = self._past[-1]
        if gesture.recorded is None:
            self._tell(Finished(Action.EDIT, step.label, step.review, self._study))
        elif gesture.recorded is not self._study.review:
            self._tell(Finished(Action.AMEND, step.label, gesture.recorded, self._study))

    def _step(self, action: Action, taken: list[Step], given: list[Step]) -> Change | None:
        """Move one step from one stack to the other."""
        if self._refuse is not None:
            self._refuse()
            return None
        self._finish()
        if not taken:
            return None
        step, before = taken.pop(), self._study.review
        given.append(Step(step.label, before))
        change = self._put(step.review)
        self._tell(Finished(action, step.label, before, self._study))
        self._announce(change)
        return change

    def _tell(self, finished: Finished) -> None:
        if self._record is not None:
            self._record(finished)

    def _put(self, review: Review) -> Change:
        """Replace the review. It is recorded, where it is, before anybody is told."""
        change = _difference(self._study, review)
        self._study = replace(self._study, review=review)
        return change

    def _announce(self, change: Change) -> None:
        self._stale = (self._stale or set()) | change.frames
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
            (Facet.ANNOTATION, "interpolated"),
            (Facet.MEASUREMENT, "free_measurements"),
        )
        if getattr(before, name) != getattr(review, name)
    }
    decided = decided_frames(before, review)
    if Facet.CALIBRATION in facets:
        return Change(frozenset(facets), frozenset(range(study.pullback.frame_count)), decided)
    edited = before.edits.keys() | review.edits.keys()
    frames = {i for i in edited if before.edits.get(i) is not review.edits.get(i)}
    frames |= before.excluded.keys() ^ review.excluded.keys()
    return Change(frozenset(facets), frozenset(frames), decided)


def _without_stale_confirmations(study: IvoctStudy, review: Review) -> Review:
    """Return the review without the confirmations of lesions that it changes.

    Who confirmed a lesion saw its contours and figures as they are in the study. What is confirmed
    only now was seen as it is now.
    """
    before = study.review
    known = before.confirmed_lesions & review.confirmed_lesions
    if not known:
        return review
    frames = _difference(study, review).frames
    answers = set(before.guidewire_decisions) ^ set(review.guidewire_decisions)
    stale = {
        (first, last)
        for first, last in known
        if any(first <= frame <= last for frame in frames)
        or any(one.first_frame <= last and one.last_frame >= first for one in answers)
    }
    return replace(review, confirmed_lesions=review.confirmed_lesions - stale) if stale else review


def decided_frames(before: Review, after: Review) -> frozenset[int]:
    """Return the frames (0-based) about which two reviews say different things.

    What holds for a range of frames, as a VOI or a decision about a lesion, names its ends.
    """
    frames: set[int] = set()
    for name in ("edits", "excluded", "comments", "free_measurements"):
        old, new = getattr(before, name), getattr(after, name)
        if old is not new:
            frames |= {i for i in old.keys() | new.keys() if old.get(i) is not new.get(i)}
    for name in ("confirmed_frames", "bookmarks", "interpolated"):
        frames |= getattr(before, name) ^ getattr(after, name)
    for lesion in before.confirmed_lesions ^ after.confirmed_lesions:
        frames |= set(lesion)
    for decision in set(before.guidewire_decisions) ^ set(after.guidewire_decisions):
        frames |= {decision.first_frame, decision.last_frame}
    frames |= set(before.voi or ()) ^ set(after.voi or ())
    return frozenset(frames)
