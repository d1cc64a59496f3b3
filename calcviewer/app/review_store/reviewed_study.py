"""A review together with its pullback and what the model says there, read and never written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from calcviewer.app.review_store.file import read_review_file
from calcviewer.app.review_store.log import Entry
from calcviewer.app.review_store.place import source_identity
from calcviewer.app.review_store.search import find_review, log_on
from calcviewer.app.session import History, IvoctStudy
from calcviewer.app.workflows import SegmentOptions, load_segmenter
from calcviewer.core.errors import CalcViewerError, UnreadableInputError
from calcviewer.core.pullback import Pullback
from calcviewer.core.study import REVIEW_SUFFIX, Study
from calcviewer.modalities.ivoct.protocol import Protocol
from calcviewer.modalities.ivoct.read import read_pullback

_ANALYSIS_FILE = "analysis.json"
_NUMBER = re.compile(r"-\d+$")


@dataclass(frozen=True, eq=False)
class ReviewedStudy:
    """A study as its operators left it, without predictions, and who did what.

    Parameters
    ----------
    identity
        What tells its pullback from every other one, wherever its files lie.
    """

    study: IvoctStudy
    entries: tuple[Entry, ...]
    identity: str

    def last_entry(self, frame: int) -> Entry | None:
        """Return the last step about a frame (0-based)."""
        return next((one for one in reversed(self.entries) if frame in one.frames), None)


def open_reviewed(path: Path) -> ReviewedStudy:
    """Open a review with its pullback.

    Parameters
    ----------
    path
        The file of the review, which lies beside its pullback, or the pullback itself.

    Raises
    ------
    CalcViewerError
        When one of the two cannot be found or read, or they do not belong together.
    """
    if (path / _ANALYSIS_FILE).is_file():
        raise CalcViewerError(
            f"{path} is an analysis: nobody has confirmed its frames.",
            "Open the pullback in the window, confirm frames with Enter, and give the pullback.",
        )
    if path.name.endswith(REVIEW_SUFFIX):
        pullback = read_pullback(_pullback_path(path))
        entries, history = _log_of(path, pullback)
    else:
        pullback = read_pullback(path)
        found = find_review(pullback)
        entries, history = found.entries, found.history
    if not entries:
        raise CalcViewerError(
            f"{path} has no review.", "Open it in the window and confirm frames with Enter."
        )
    study = Study(pullback, Protocol(), review=history.review)
    return ReviewedStudy(study, entries, source_identity(pullback))


def with_predictions(
    study: IvoctStudy,
    frames: Iterable[int],
    *,
    options: SegmentOptions | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> IvoctStudy:
    """Return the study with the model's predictions of some frames (0-based).

    As in the window, the network sees frames at the scale in force.
    """
    wanted = list(frames)
    segmenter = load_segmenter(study.calibrated_pullback, options or SegmentOptions())
    predictions = dict(study.predictions)
    for frame, annotation in segmenter.predict(wanted):
        predictions[frame] = study.stored(annotation)
        if progress:
            progress(len(predictions), len(wanted))
    return replace(study, predictions=MappingProxyType(predictions), model=segmenter.model)


def confirmed_with(entry: Entry | None, study: IvoctStudy) -> bool:
    """Whether the model of the study is the one whose predictions were on screen at a step."""
    return bool(entry and study.model and study.model.sha256 in entry.model.split())


def _pullback_path(review: Path) -> Path:
    """Return the pullback a review lies beside, or in."""
    if not review.is_file():
        raise UnreadableInputError(f"{review}: there is no such file.", "Check the path.")
    name = review.name.removesuffix(REVIEW_SUFFIX)
    for stem in (name, _NUMBER.sub("", name)):
        beside = review.with_name(stem)
        if beside.exists():
            return beside
    if _NUMBER.sub("", name) == "review":
        return review.absolute().parent
    raise UnreadableInputError(
        f"{review}: the pullback it belongs to is not beside it.",
        "Give the pullback instead: its review is found in the user's data folder too.",
    )


def _log_of(review: Path, pullback: Pullback) -> tuple[tuple[Entry, ...], History]:
    """Read the log of a review and check that it is one of this pullback."""
    try:
        stored = read_review_file(review)
    except OSError as error:
        raise UnreadableInputError(f"{review} cannot be read: {error.strerror}.") from error
    if stored.entries and stored.source != source_identity(pullback):
        raise CalcViewerError(
            f"{review} is not a review of {pullback.source.path}.",
            "Put the review beside the pullback it was made of.",
        )
    return log_on(stored, pullback, review)
