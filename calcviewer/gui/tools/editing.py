"""What the tools that change an annotation share: one drag is one step, live at every move."""

from __future__ import annotations

from collections.abc import Callable

import shapely
from PySide6.QtCore import QObject, Qt

from calcviewer.app.correction import corrected
from calcviewer.app.session import Session
from calcviewer.core.annotation import FrameAnnotation
from calcviewer.core.editing.clipping import image_field
from calcviewer.gui.shown import ShownStudy
from calcviewer.gui.tools.tool import Pointer, Tool
from calcviewer.gui.view_state import ViewState

_NOTHING = FrameAnnotation()

Finisher = Callable[[Session, object, int], None]
"""Ends a gesture in a session that corrected a frame (0-based)."""


def finish_at_once(session: Session, gesture: object, frame: int) -> None:
    """End a gesture; nothing follows from it."""
    session.finish(gesture)


class EditTool(Tool):
    """Base of the tools that change the frame on screen.

    A tool calls `begin` when the mouse takes hold of something, `put` for every move, and `end`
    when it lets go. What it puts is in mm of the calibration in force. Where a click would do
    nothing, `trouble` says why.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.shown: ShownStudy | None = None
        self.state: ViewState | None = None
        self.pointer: Pointer | None = None
        self.finisher: Finisher = finish_at_once
        self._gesture: object | None = None
        self._label = ""
        self._made = False
        self._frame = 0
        self._before = self._last = _NOTHING

    def activate(self, shown: ShownStudy, state: ViewState) -> None:
        """Begin to work on a study."""
        self.deactivate()
        self.shown, self.state = shown, state
        state.frame_changed.connect(self._leave_frame)

    def deactivate(self) -> None:
        """Stop; a gesture in progress is taken back."""
        self.cancel()
        if self.state is not None:
            self.state.frame_changed.disconnect(self._leave_frame)
        self.deselect()
        self.shown = self.state = self.pointer = None

    def hover(self, pointer: Pointer) -> None:
        """Remember where the mouse is: what a click would do there is drawn and said."""
        self.pointer = pointer
        self.cursor = self.cursor_at(pointer)
        self.changed.emit()

    def leave(self) -> None:
        """Draw nothing under a mouse that is elsewhere."""
        if self.pointer is not None and not self.busy:
            self.pointer = None
            self.changed.emit()

    def cursor_at(self, pointer: Pointer) -> Qt.CursorShape:
        """Return the cursor that says what a press would do."""
        return Qt.CursorShape.ForbiddenCursor if self.trouble() else Qt.CursorShape.CrossCursor

    def deselect(self) -> None:
        """Drop the selection; tools that have one replace this."""

    @property
    def selected(self) -> bool:
        """Whether there is a selection for `deselect` to drop."""
        return False

    def wants(self, key: int) -> bool:
        """Take Esc while there is something to take back or to deselect."""
        return key == Qt.Key.Key_Escape and (self.busy or self.selected)

    def press_key(self, key: int) -> None:
        """Take the gesture back with Esc, else drop the selection."""
        if key == Qt.Key.Key_Escape:
            if self.busy:
                self.cancel()
            else:
                self.deselect()
                self.changed.emit()

    @property
    def annotation(self) -> FrameAnnotation:
        """The annotation of the frame on screen; an empty one before there is any."""
        if self.shown is None or self.state is None:
            return _NOTHING
        return self.shown.session.study.annotation(self.state.frame) or _NOTHING

    def trouble(self) -> str:
        """Return why the frame on screen cannot be edited; empty when it can."""
        if self.shown is None or self.state is None:
            return self.tr("No pullback is open")
        if self.shown.session.read_only:
            return self.tr("This study is open elsewhere: here it can only be looked at")
        if self.state.frame in self.shown.session.study.review.excluded:
            return self.tr("This frame is excluded · include it to correct it")
        return ""

    @property
    def before(self) -> FrameAnnotation:
        """The annotation as it was when the gesture began."""
        return self._before

    @property
    def field(self) -> shapely.Polygon:
        """Where contours may lie: the image, mm."""
        assert self.shown is not None
        return image_field(self.shown.session.study.calibrated_pullback.grid)

    @property
    def busy(self) -> bool:
        """Whether a gesture is in progress."""
        return self._gesture is not None

    def begin(self, label: str) -> None:
        """Take hold: what `put` makes until `end` is one undo step of this name."""
        assert self.state is not None
        self.end()
        self._gesture, self._label, self._made = object(), label, False
        self._frame = self.state.frame
        self._before = self._last = self.annotation

    def rename(self, label: str) -> None:
        """Give the step another name: the gesture turned out to be about something else."""
        if label != self._label:
            self._take_back()
            self._label = label

    def put(self, annotation: FrameAnnotation) -> None:
        """Put an annotation in force; nothing happens when it is the one in force.

        The one from before the gesture leaves no trace of the gesture.
        """
        if self.shown is None or self._gesture is None or annotation is self._last:
            return
        if annotation is self._before:
            self._take_back()
        else:
            session = self.shown.session
            review = corrected(session.study, self._frame, annotation)
            self._last, self._made = annotation, True
            session.edit(self._label, review, self._gesture)
        self.changed.emit()

    def end(self) -> None:
        """Let go: the step is complete, and is saved."""
        if self._gesture is not None and self._made and self.shown is not None:
            self.finisher(self.shown.session, self._gesture, self._frame)
        self._gesture = None
        self.changed.emit()

    def take_away(self, label: str, annotation: FrameAnnotation) -> None:
        """Take what is selected away, as one step: ``annotation`` is the frame without it."""
        self.begin(label)
        self.put(annotation)
        self.end()
        self.deselect()
        if self.pointer is not None:
            self.hover(self.pointer)
        self.changed.emit()

    def cancel(self) -> None:
        """Take the gesture in progress back, as if it had not begun."""
        self._take_back()
        self._gesture = None
        self.changed.emit()

    def _take_back(self) -> None:
        if self._gesture is not None and self._made and self.shown is not None:
            self.shown.session.cancel(self._gesture)
            self._gesture, self._made, self._last = object(), False, self._before

    def _leave_frame(self) -> None:
        """End the gesture on its own frame when another one comes on screen."""
        self.end()
        self.deselect()
        if self.pointer is not None:
            self.cursor = self.cursor_at(self.pointer)
        self.changed.emit()
