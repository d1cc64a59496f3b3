"""Segments the open study by itself, outward from the frame on screen."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Iterator

from PySide6.QtCore import QObject, Signal

from calcviewer.app.session import Session
from calcviewer.app.workflows import SegmentOptions, load_segmenter
from calcviewer.core.annotation import FrameAnnotation
from calcviewer.core.study import ModelReference
from calcviewer.gui.frame_queue import FrameQueue
from calcviewer.gui.task import Task
from calcviewer.gui.tasks import Tasks
from calcviewer.gui.view_state import ViewState

Item = ModelReference | tuple[int, FrameAnnotation]
_TIMED_FRAMES = 12
_LOG = logging.getLogger(__name__)


def segmented_items(session: Session, options: SegmentOptions, queue: FrameQueue) -> Iterator[Item]:
    """Yield the model once it is loaded, then frame by frame what it finds.

    The network sees frames at the scale in force when it starts; predictions come in the mm of
    the pullback's own calibration, as the session keeps them.
    """
    study = session.study
    segmenter = load_segmenter(study.calibrated_pullback, options)
    yield segmenter.model
    for frame, annotation in segmenter.predict(queue):
        yield frame, study.stored(annotation)


def seconds_left(finished_at: deque[float], remaining: int) -> float | None:
    """Return how long the remaining frames will take, by the last ones; None when unknown."""
    if len(finished_at) < 2:
        return None
    per_frame = (finished_at[-1] - finished_at[0]) / (len(finished_at) - 1)
    return per_frame * remaining


class Segmentation(QObject):
    """Streams predictions into the session of the open study.

    Signals
    -------
    changed
        It began, moved on or ended; read the properties.
    failed
        Why it ended early, in one line.
    """

    changed = Signal()
    failed = Signal(str)

    def __init__(self, state: ViewState, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._tasks = tasks
        self._session: Session | None = None
        self._task: Task | None = None
        self._queue = FrameQueue((), 0)
        self._wanted: frozenset[int] = frozenset()
        self._finished_at: deque[float] = deque(maxlen=_TIMED_FRAMES)
        self._run = 0
        self._stopping = False
        self._adding = False
        state.frame_changed.connect(lambda frame: self._queue.recentre(frame))

    @property
    def running(self) -> bool:
        """Whether frames are being segmented."""
        return self._task is not None

    @property
    def adding(self) -> bool:
        """Whether the change that is being announced is a prediction that came in."""
        return self._adding

    @property
    def model(self) -> ModelReference | None:
        """The network that made the predictions, with where it ran; None before it was loaded."""
        return None if self._session is None else self._session.study.model

    @property
    def done(self) -> int:
        """How many of the wanted frames have a prediction."""
        if self._session is None:
            return 0
        return len(self._wanted & self._session.study.predictions.keys())

    @property
    def wanted(self) -> int:
        """How many frames the run is to segment, those done before included."""
        return len(self._wanted)

    @property
    def seconds_left(self) -> float | None:
        """How long it will take; None while that is unknown."""
        return seconds_left(self._finished_at, self.wanted - self.done)

    def follow(self, session: Session | None) -> None:
        """Turn to another study, dropping what is still running for the last one."""
        self._drop()
        self._session = session
        self._wanted = frozenset()
        self._stopping = False
        self.changed.emit()

    def start(self, options: SegmentOptions) -> None:
        """Segment what is missing of the VOI, or with none of the whole pullback."""
        session = self._session
        if session is None or self.running:
            return
        first, last = session.study.review.voi or (0, session.study.pullback.frame_count - 1)
        self._wanted = frozenset(range(first, last + 1))
        missing = self._wanted - session.study.predictions.keys()
        if not missing:
            return
        self._queue = queue = FrameQueue(missing, self._state.frame)
        self._finished_at.clear()
        self._stopping = False
        self._task = task = Task(
            self.tr("Segmenting"), lambda: segmented_items(session, options, queue)
        )
        task.item.connect(self._take)
        task.finished.connect(self._end)
        task.failed.connect(self._fail)
        self._tasks.start(task)
        self.changed.emit()

    def stop(self) -> None:
        """End after the frame in work; what was segmented is kept and made consistent."""
        self._stopping = True
        self._queue.stop()
        self.changed.emit()

    @property
    def was_stopped(self) -> bool:
        """Whether the operator stopped the last run, which has ended or will soon."""
        return self._stopping

    def prefer(self, voi: tuple[int, int] | None) -> None:
        """Take the frames of a new VOI first."""
        self._queue.prefer(voi)

    def _take(self, item: Item) -> None:
        session = self._session
        if session is None:
            return
        if isinstance(item, ModelReference):
            self._run = session.start_run(item)
            _LOG.info("segmenting with %s %s on %s", item.name, item.version, item.provider)
            self._finished_at.append(time.monotonic())
        else:
            frame, annotation = item
            if frame not in session.study.predictions:
                self._finished_at.append(time.monotonic())
            self._adding = True
            try:
                session.add_prediction(self._run, frame, annotation)
            finally:
                self._adding = False
        self.changed.emit()

    def _end(self) -> None:
        self._task = None
        how = "stopped" if self._stopping else "ended"
        _LOG.info("segmentation %s, %d of %d frames", how, self.done, self.wanted)
        self.changed.emit()
        self._say_when_nothing_worked()

    def _say_when_nothing_worked(self) -> None:
        assert self._session is not None
        predictions = self._session.study.predictions
        failures = [one.failure for one in predictions.values()]
        if failures and all(failures):
            self.failed.emit(self.tr("No frame could be segmented: {}").format(failures[0]))

    def _fail(self, reason: str) -> None:
        self._task = None
        _LOG.info("segmentation failed, %d of %d frames", self.done, self.wanted)
        self.changed.emit()
        self.failed.emit(reason)

    def _drop(self) -> None:
        self._queue.stop()
        if self._task is not None:
            self._task.cancel()
        self._task = None
