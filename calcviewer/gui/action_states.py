"""What the actions would do now: their words, and whether they can do it."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction

from calcviewer.app import review as steps
from calcviewer.core.study import Review
from calcviewer.gui.actions import ACTIONS
from calcviewer.gui.desk import Desk


class ActionStates(QObject):
    """Keeps the actions up to date with the study and the frame on screen.

    Signals
    -------
    confirmation_changed
        What Confirm would do, in words.
    """

    confirmation_changed = Signal(str)

    def __init__(self, actions: Mapping[str, QAction], desk: Desk, parent: QObject) -> None:
        super().__init__(parent)
        self._actions = actions
        self._desk = desk
        self._confirm_tip = actions["confirm_lesion"].toolTip()

    def show_study(self) -> None:
        """Say which actions there are with the study that is open now."""
        for spec in ACTIONS:
            if spec.needs_study:
                self._actions[spec.id].setEnabled(self._desk.shown is not None)
        self.show_frame()

    def show_frame(self) -> None:
        """Say what the actions would do with the frame on screen."""
        self._show_lesion_in_view()
        shown, frame = self._desk.shown, self._desk.state.frame
        review = Review() if shown is None else shown.session.study.review
        known = frame in review.excluded
        text = self.tr("Include frame again") if known else self.tr("Exclude frame…")
        self._actions["exclude"].setText(text)
        self._actions["revert"].setEnabled(frame in review.edits)

    def show_undo(self) -> None:
        """Name the steps that undo and redo would make."""
        session = None if self._desk.shown is None else self._desk.shown.session
        undo = None if session is None else session.undo_label
        redo = None if session is None else session.redo_label
        for name, word, label in (
            ("undo", self.tr("Undo"), undo),
            ("redo", self.tr("Redo"), redo),
        ):
            self._actions[name].setEnabled(label is not None)
            self._actions[name].setText(f"{word} “{label}”" if label else word)

    def _show_lesion_in_view(self) -> None:
        """Name the lesion that Confirm would confirm."""
        text, lesion, tip = self.tr("Confirm lesion"), None, ""
        if self._desk.shown is not None:
            session = self._desk.shown.session
            lesion = steps.lesion_in_view(session.results, self._desk.state.frame)
            if lesion is not None:
                number = steps.lesion_number(session.results, lesion)
                confirmed = lesion.frame_range in session.study.review.confirmed_lesions
                text = self.tr("Lesion {} confirmed") if confirmed else self.tr("Confirm lesion {}")
                text = text.format(number)
                if lesion.verdict is None and not confirmed:
                    tip = self.tr("Decide about the guidewire first")
        action = self._actions["confirm_lesion"]
        action.setEnabled(lesion is not None and not tip)
        action.setToolTip(tip or self._confirm_tip)
        self.confirmation_changed.emit(text)
