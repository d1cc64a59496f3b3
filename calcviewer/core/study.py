"""Everything loaded and everything decided, as two frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from calcviewer.core.annotation import FrameAnnotation, moved_radially
from calcviewer.core.free_measurement import FreeMeasurement
from calcviewer.core.pullback import Calibration, Pullback

Rules = TypeVar("Rules")
"""The clinical protocol of a modality."""

REVIEW_SUFFIX = ".calcviewer-review"
"""Ends the name of the file that keeps a review; readers of folders pass over it."""


@dataclass(frozen=True)
class ModelReference:
    """The network that made the predictions, and where it ran."""

    name: str
    version: str
    sha256: str
    provider: str


@dataclass(frozen=True)
class GuidewireDecision:
    """An operator's answer to "does calcium lie behind the wire?" for one lesion.

    Kept for the frames the lesion had when it was asked (0-based, inclusive).
    """

    first_frame: int
    last_frame: int
    bridge: bool
    operator: str
    when: str


@dataclass(frozen=True, eq=False)
class Review:
    """Everything the operator decides; immutable, one undo step is one reference to it.

    Frame keys are 0-based. ``voi`` is the first and last frame, inclusive. ``confirmed_frames``
    and ``confirmed_lesions`` hold the frames, and the decisive frame ranges, an operator has seen.
    ``interpolated`` holds the frames whose edit was interpolated between others, not drawn.
    ``free_measurements`` are, like edits, in the mm of the pullback's own calibration.
    """

    edits: Mapping[int, FrameAnnotation] = field(default_factory=lambda: MappingProxyType({}))
    excluded: Mapping[int, str] = field(default_factory=lambda: MappingProxyType({}))
    guidewire_decisions: tuple[GuidewireDecision, ...] = ()
    voi: tuple[int, int] | None = None
    confirmed_frames: frozenset[int] = frozenset()
    confirmed_lesions: frozenset[tuple[int, int]] = frozenset()
    bookmarks: frozenset[int] = frozenset()
    comments: Mapping[int, str] = field(default_factory=lambda: MappingProxyType({}))
    calibration: Calibration | None = None
    interpolated: frozenset[int] = frozenset()
    free_measurements: Mapping[int, tuple[FreeMeasurement, ...]] = field(
        default_factory=lambda: MappingProxyType({})
    )

    def with_edit(self, frame: int, annotation: FrameAnnotation) -> Review:
        """Return the review with the annotation of one frame replaced."""
        return replace(self, edits=MappingProxyType({**self.edits, frame: annotation}))

    def with_exclusion(self, frame: int, reason: str) -> Review:
        """Return the review with one frame excluded from every measurement."""
        return replace(self, excluded=MappingProxyType({**self.excluded, frame: reason}))


@dataclass(frozen=True, eq=False)
class Study(Generic[Rules]):
    """One pullback with its protocol, the model's predictions and the operator's review."""

    pullback: Pullback
    protocol: Rules
    predictions: Mapping[int, FrameAnnotation] = field(default_factory=lambda: MappingProxyType({}))
    model: ModelReference | None = None
    review: Review = field(default_factory=Review)

    @property
    def calibration(self) -> Calibration:
        """The calibration in force: the operator's, else the source's."""
        return self.review.calibration or self.pullback.calibration

    @property
    def calibrated_pullback(self) -> Pullback:
        """The pullback on the calibration in force: the grid on which annotations lie."""
        if self.review.calibration is None:
            return self.pullback
        return self.pullback.calibrated(self.review.calibration)

    def annotation(self, frame: int) -> FrameAnnotation | None:
        """Return the annotation in force for a frame; None before it was segmented.

        An excluded frame has none. Contours are in the mm of the calibration in force.
        """
        if frame in self.review.excluded:
            return None
        stored = self.review.edits.get(frame) or self.predictions.get(frame)
        if stored is None or self.review.calibration is None:
            return stored
        return _recalibrated(stored, self.pullback, self.review.calibration)

    def stored(self, annotation: FrameAnnotation) -> FrameAnnotation:
        """Return an annotation in the calibration in force as it is kept in edits.

        Edits and predictions are kept in the mm of the pullback's own calibration, so that they
        stay on their pixels when the operator changes the scale, and when that is undone.
        """
        if self.review.calibration is None:
            return annotation
        return moved_radially(annotation, self.calibrated_pullback.grid, self.pullback.grid)


_MOVED: WeakKeyDictionary[FrameAnnotation, tuple[Calibration, FrameAnnotation]] = (
    WeakKeyDictionary()
)
"""The last calibration each annotation was moved to; it keeps neither study nor pullback alive."""


def _recalibrated(
    annotation: FrameAnnotation, pullback: Pullback, calibration: Calibration
) -> FrameAnnotation:
    """Return one object per annotation and calibration: identity says what changed."""
    known = _MOVED.get(annotation)
    if known is not None and known[0] == calibration:
        return known[1]
    moved = moved_radially(annotation, pullback.grid, pullback.calibrated(calibration).grid)
    _MOVED[annotation] = (calibration, moved)
    return moved
