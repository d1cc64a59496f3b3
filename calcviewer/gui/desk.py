"""The open study and everything that works on it, without a widget."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from calcviewer.app.review import Step
from calcviewer.app.session import Change, Facet
from calcviewer.app.settings import Settings, save_settings
from calcviewer.app.workflows import SegmentOptions
from calcviewer.gui.memory import give_back
from calcviewer.gui.opening import Opening
from calcviewer.gui.segmentation import Segmentation
from calcviewer.gui.shown import ShownStudy
from calcviewer.gui.tasks import Tasks
from calcviewer.gui.view_state import LookUpTable, ViewState
from calcviewer.modalities.ivoct.read import ReadOptions

_END_SECONDS = 5.0
_GIVE_BACK_MS = 1500


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
        self.settings = settings
        self.shown: ShownStudy | None = None
        self.state = ViewState(self)
        self.tasks = Tasks(self)
        self.opening = Opening(self.tasks, self)
        self.segmentation = Segmentation(self.state, self.tasks, self)
        self._unsubscribe: Callable[[], None] | None = None
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
        """Put a study in the place of the one that was open, and segment it."""
        self._leave()
        self.change_settings(self.settings.with_recent(path))
        self.shown = shown
        self._unsubscribe = shown.session.subscribe(self._on_change)
        self.state.reset(shown.session.study.pullback.frame_count)
        self.segmentation.follow(shown.session)
        self.shown_changed.emit()
        self.segment()

    def close_study(self) -> None:
        """Leave the open study."""
        self._leave()
        self.state.reset(0)
        self.shown_changed.emit()

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

    def change_settings(self, settings: Settings) -> None:
        """Put preferences in force and keep them."""
        if settings == self.settings:
            return
        self.settings = settings
        save_settings(settings)
        self.settings_changed.emit()

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
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
        if self.shown is not None:
            self.shown = None
            self._giving_back.start()
        self.segmentation.follow(None)

    def _on_change(self, change: Change) -> None:
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
