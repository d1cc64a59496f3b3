"""The open study and everything that works on it, without a widget."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from calcviewer.app.review_store.log import HistoryRow
from calcviewer.app.session import Change, Facet, Step
from calcviewer.app.settings import Settings, save_settings
from calcviewer.app.workflows import SegmentOptions
from calcviewer.gui.change_relay import merged
from calcviewer.gui.interpolation import Interpolation
from calcviewer.gui.keeping import Keeping
from calcviewer.gui.memory import give_back
from calcviewer.gui.opening import Opening
from calcviewer.gui.segmentation import Segmentation
from calcviewer.gui.shown import ShownStudy
from calcviewer.gui.tasks import Tasks
from calcviewer.gui.view_state import LookUpTable, ViewState
from calcviewer.modalities.ivoct.read import ReadOptions

_END_SECONDS = 5.0
_GIVE_BACK_MS = 1500
_MEASURED_AT_ONCE = 12
"""Changes of more frames are told when these are measured: that would stall the window."""
_SLICE_S = 0.008
"""How long frames are measured before events get their turn."""


class Desk(QObject):
    """Holds what is open: one study at a time, which a second one replaces completely.

    Signals
    -------
    shown_changed
        Another study is open, or none.
    changed, streamed
        The session changed by the operator, or by a prediction that came in.
    settings_changed
        Preferences are others now.
    """

    shown_changed = Signal()
    changed = Signal(object)
    streamed = Signal(object)
    settings_changed = Signal()

    def __init__(self, settings: Settings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.shown: ShownStudy | None = None
        self.state = ViewState(self)
        self.tasks = Tasks(self)
        self.opening = Opening(self.tasks, self)
        self.segmentation = Segmentation(self.state, self.tasks, self)
        self.interpolation = Interpolation(self.tasks, self)
        self.keeping = Keeping(self)
        self._unsubscribe: Callable[[], None] | None = None
        self._use(settings)
        self._held: Change | None = None
        self._measuring = QTimer(self)
        self._measuring.setSingleShot(True)
        self._measuring.timeout.connect(self._measure)
        # Later, when the threads of a study that was left have let go of it.
        self._giving_back = QTimer(self)
        self._giving_back.setSingleShot(True)
        self._giving_back.setInterval(_GIVE_BACK_MS)
        self._giving_back.timeout.connect(give_back)
        self.state.set_table(LookUpTable(settings.look_up_table))
        self.opening.opened.connect(self.show)

    def open_path(self, path: Path) -> None:
        """Open a file or folder with the operator's settings."""
        diameter_mm = self.settings.catheter_diameter_mm
        self.opening.open_path(path, ReadOptions(catheter_diameter_mm=diameter_mm))

    def show(self, shown: ShownStudy, path: Path) -> None:
        """Put a study in the place of the one that was open, with its review, and segment it."""
        if not self.may_leave():
            return
        self._leave()
        self.change_settings(self.settings.with_recent(path))
        self.keeping.follow(shown.session, shown.found)
        self.shown = shown
        self._unsubscribe = shown.session.subscribe(self._on_change)
        self.state.reset(shown.session.study.pullback.frame_count)
        self.segmentation.follow(shown.session)
        self.shown_changed.emit()
        self.keeping.tell()
        self.segment()

    def close_study(self) -> None:
        """Leave the open study."""
        if not self.may_leave():
            return
        self._leave()
        self.state.reset(0)
        self.shown_changed.emit()

    def may_leave(self) -> bool:
        """Whether nothing would be lost now; if something would, that is said once."""
        self.interpolation.flush()
        return self.keeping.may_leave()

    def segment(self) -> None:
        """Segment what is missing of the VOI or of the pullback."""
        settings = self.settings
        self.segmentation.start(
            SegmentOptions(model=settings.model, device=settings.device, crf=settings.crf)
        )

    def edit(self, step: Step) -> None:
        """Make one named step of the review."""
        if self.shown is not None:
            self.shown.session.edit(step.label, step.review)

    def correct(self, step: Step, frame: int) -> None:
        """Make one named step that corrects a frame; the frames between corrected ones follow."""
        if self.shown is not None:
            gesture = object()
            self.shown.session.edit(step.label, step.review, gesture)
            self.interpolation.end(self.shown.session, gesture, frame)

    def frame_history(self, frame: int) -> tuple[HistoryRow, ...]:
        """Return what was done about a frame (0-based), the oldest first."""
        return self.keeping.history(frame)

    def change_settings(self, settings: Settings) -> None:
        """Put preferences in force and keep them."""
        if settings == self.settings:
            return
        self._use(settings)
        save_settings(settings)
        self.settings_changed.emit()

    def _use(self, settings: Settings) -> None:
        self.settings = settings
        self.interpolation.over = settings.interpolate_over if settings.interpolate else 0

    def choose_table(self, name: str) -> None:
        """Colour images by another look-up table, from now on."""
        self.state.set_table(LookUpTable(name))
        self.change_settings(replace(self.settings, look_up_table=name))

    def shut(self) -> bool:
        """End everything; returns whether all threads have ended."""
        self.opening.cancel()
        self._leave()
        self.tasks.cancel_all()
        ended = self.tasks.wait(_END_SECONDS)
        self._giving_back.stop()
        give_back()
        return ended

    def _leave(self) -> None:
        self.interpolation.flush()
        self._measuring.stop()
        self._held = None
        self.keeping.leave()
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
        if self.shown is not None:
            self.shown = None
            self._giving_back.start()
        self.segmentation.follow(None)

    def _on_change(self, change: Change) -> None:
        if self._held is not None or len(change.frames) > _MEASURED_AT_ONCE:
            self._held = merged(self._held, change)
            self._measuring.start()
        else:
            self._tell(change)

    def _measure(self) -> None:
        """Measure the many frames of a change that is held back, a few at a time; then tell it."""
        if self.shown is None or self._held is None:
            return
        if self.shown.session.measure(time.monotonic() + _SLICE_S):
            change, self._held = self._held, None
            self._tell(change)
        else:
            self._measuring.start()

    def _tell(self, change: Change) -> None:
        if self.segmentation.adding:
            self.streamed.emit(change)
            return
        if Facet.VOI in change.facets and self.shown is not None:
            voi = self.shown.session.study.review.voi
            if self.segmentation.running:
                self.segmentation.prefer(voi)
            elif not self.segmentation.was_stopped:
                self.segment()
        self.changed.emit(change)
