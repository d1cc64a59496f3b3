"""Fills in the frames between corrected ones when a correction ends, as part of the same step."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import QObject

from calcviewer.app.failures import report_failure
from calcviewer.app.interpolation import Span, filled_frames, spans_at, with_filled
from calcviewer.app.session import IvoctStudy, Session
from calcviewer.core.annotation import FrameAnnotation
from calcviewer.core.study import Review
from calcviewer.gui.task import Task
from calcviewer.gui.tasks import Tasks


class Interpolation(QObject):
    """Ends corrections.

    The step stays open while a task fills in the frames between; it is complete with the last of
    them. Where the operator goes on before, the rest is filled in at once: no step that follows
    is without them, and undo takes all of them back together.
    """

    def __init__(self, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.over = 0
        self._tasks = tasks
        self._run: _Run | None = None

    @property
    def running(self) -> bool:
        """Whether frames are being filled in."""
        return self._run is not None

    def end(self, session: Session, gesture: object, frame: int) -> None:
        """End the gesture that corrected a frame; the frames between follow."""
        self.flush()
        spans = spans_at(session.study.review, frame, over=self.over)
        if not spans:
            session.finish(gesture)
            return
        self._run = run = _Run(session, gesture, spans)
        session.finish_soon(gesture, run.complete)
        task = Task(self.tr("Interpolating"), run.work)
        run.task = task
        task.item.connect(lambda item: run.take(*item))
        task.finished.connect(lambda: self._end(run))
        task.failed.connect(lambda _: self._give_up(run))
        self._tasks.start(task)

    def flush(self) -> None:
        """Complete the step in work now."""
        if self._run is not None:
            self._end(self._run)

    def _give_up(self, run: _Run) -> None:
        """Keep what was filled in; the failure is in the log."""
        run.failed = True
        self._end(run)

    def _end(self, run: _Run) -> None:
        run.session.finish(run.gesture)
        run.stop()
        if self._run is run:
            self._run = None


class _Run:
    """The frames between that one correction changes, and how far they are."""

    def __init__(self, session: Session, gesture: object, spans: tuple[Span, ...]) -> None:
        self.session = session
        self.gesture = gesture
        self.task: Task | None = None
        self.failed = False
        self._study: IvoctStudy = session.study
        self._spans = spans
        self._filled: dict[int, FrameAnnotation | None] = {}

    def work(self) -> Iterator[tuple[int, FrameAnnotation | None]]:
        """Fill in what is not yet there, frame by frame."""
        known = frozenset(self._filled)
        for span in self._spans:
            yield from filled_frames(self._study, span, known)

    def take(self, frame: int, annotation: FrameAnnotation | None) -> None:
        """Keep a frame until all are there: they come on screen together."""
        self._filled[frame] = annotation

    def complete(self, review: Review) -> Review:
        """Return a review with all the frames between; a bug must not cost the correction."""
        self.stop()
        try:
            self._filled |= {} if self.failed else dict(self.work())
        except Exception as error:
            report_failure(error)
        return with_filled(review, self._filled)

    def stop(self) -> None:
        """Fill in no more in the background, and let go of the task, which knows its run."""
        if self.task is not None:
            self.task.cancel()
            self.task = None
