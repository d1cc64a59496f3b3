"""What each entry of the action list does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QDialog, QFileDialog, QWidget

from calcviewer.app import review as steps
from calcviewer.app.correction import copied, excluded, included, reverted
from calcviewer.app.session import Change, Session, Step
from calcviewer.core.errors import CalcViewerError
from calcviewer.gui.about import About
from calcviewer.gui.desk import Desk
from calcviewer.gui.frame_history import FrameHistory
from calcviewer.gui.keys import KeyWatch
from calcviewer.gui.log_view import LogView
from calcviewer.gui.playing import Player
from calcviewer.gui.problem_report import ProblemReportDialog
from calcviewer.gui.second_pass import SecondPass
from calcviewer.gui.settings_dialog import SettingsDialog
from calcviewer.gui.shortcuts import Shortcuts

_FILTER = "*.dcm *.dicom *.ima *.tif *.tiff *.npy *.npz *.png *.jpg *.jpeg *.bmp"


class Commands(QObject):
    """The methods that the action list names.

    Signals
    -------
    said
        What was done, for the status line.
    frame_asked, fit_asked, results_asked, export_asked, escaped, tool_asked
        For the window: ask for a frame number; fit the views; ask for another reader's results;
        ask what to export; leave the tool, then deselect; take a tool.
    reason_asked
        For the window: ask why a frame (0-based) is to be excluded.
    pacs_asked
        For the window: show a page of the archive's window: worklist or send.
    """

    said = Signal(str)
    frame_asked = Signal()
    fit_asked = Signal()
    results_asked = Signal()
    export_asked = Signal()
    escaped = Signal()
    tool_asked = Signal(str)
    reason_asked = Signal(int)
    pacs_asked = Signal(str)

    def __init__(self, desk: Desk, window: QWidget) -> None:
        super().__init__(window)
        self._desk = desk
        self._window = window
        self._keys = KeyWatch(window, {Qt.Key.Key_H: lambda: self.hide_overlay(False)})
        self.player = Player(desk.state, self)

    # Study ------------------------------------------------------------------------------------

    def open_file(self) -> None:
        """Ask for a file and open it."""
        dialog = self._file_dialog(self.tr("Open a pullback"))
        dialog.setNameFilters([self.tr("Pullbacks ({})").format(_FILTER), self.tr("All files (*)")])
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.open()

    def open_folder(self) -> None:
        """Ask for a folder and open it."""
        dialog = self._file_dialog(self.tr("Open a folder of frames"))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.open()

    def open_demo(self) -> None:
        """Open the simulated demo."""
        self._desk.opening.open_demo()

    def open_results(self) -> None:
        """Ask for results of another reader, to be opened over the study."""
        self.results_asked.emit()

    def export(self) -> None:
        """Ask what to export, and where."""
        if self._desk.shown is not None:
            self.export_asked.emit()

    def pacs(self, page: str) -> None:
        """Show the archive's window: its worklist, or what can be sent there."""
        self.pacs_asked.emit(page)

    def close_study(self) -> None:
        """Leave the study."""
        self._desk.close_study()

    def quit(self) -> None:
        """Close the window."""
        self._window.close()

    # Edit -------------------------------------------------------------------------------------

    def undo(self) -> None:
        """Take the last step back and go to the frame it was about."""
        if (session := self._session) and (label := session.undo_label):
            self._follow(session.undo())
            self.said.emit(self.tr("Undone: {}").format(label))

    def redo(self) -> None:
        """Do the last undone step again and go to the frame it is about."""
        if (session := self._session) and (label := session.redo_label):
            self._follow(session.redo())
            self.said.emit(self.tr("Done again: {}").format(label))

    def _follow(self, change: Change | None) -> None:
        """Go to the nearest frame that a change is about, unless one of its range is on screen.

        A decision about a lesion is about every frame of it.
        """
        concerned = frozenset() if change is None else change.decided
        here = self._desk.state.frame
        if concerned and not min(concerned) <= here <= max(concerned):
            self.go_to(min(concerned, key=lambda frame: (abs(frame - here), frame)))

    def escape(self) -> None:
        """Stop playing; else let the window leave tool or selection."""
        if self.player.playing:
            self.player.stop()
        else:
            self.escaped.emit()

    def settings(self) -> None:
        """Show the preferences."""
        dialog = SettingsDialog(self._desk.settings, self._window)
        dialog.chosen.connect(self._take_settings)
        self._show(dialog)

    # Go ---------------------------------------------------------------------------------------

    def step(self, frames: int) -> None:
        """Move on by frames; a held key waits for the repaint."""
        if self._keys.may_step():
            self.player.stop()
            self._desk.state.step(frames)

    def first_frame(self) -> None:
        """Go to the first frame."""
        self.go_to(0)

    def last_frame(self) -> None:
        """Go to the last frame."""
        self.go_to(self._desk.state.frame_count - 1)

    def go_to(self, frame: int) -> None:
        """Go to a frame (0-based)."""
        self.player.stop()
        self._desk.state.go_to(frame)

    def play(self) -> None:
        """Play the VOI, or with none the pullback; stop when it plays."""
        session = self._session
        if self.player.playing or session is None:
            self.player.stop()
            return
        first, last = session.study.review.voi or (0, session.study.pullback.frame_count - 1)
        self.player.play(first, last)

    def ask_frame(self) -> None:
        """Ask for a frame number."""
        self.player.stop()
        self.frame_asked.emit()

    def decisive(self, direction: int) -> None:
        """Go to the next or previous decisive frame."""
        if (session := self._session) is None:
            return
        frame = steps.next_decisive(session.results, self._desk.state.frame, direction)
        if frame is None:
            self.said.emit(self.tr("No decisive frame: no calcium was found so far."))
            return
        self.go_to(frame)
        self.said.emit(self.tr("Decisive frame {}").format(frame + 1))

    def next_maximum(self) -> None:
        """Go to the maximum arc, the maximum thickness and the MLA in turn."""
        if (session := self._session) is None:
            return
        maximum = steps.next_maximum(session.results, self._desk.state.frame)
        if maximum is None:
            self.said.emit(self.tr("No maximum yet: no frame is segmented."))
            return
        self.go_to(maximum.frame)
        self.said.emit(self.tr("Frame {}: {}").format(maximum.frame + 1, maximum.name))

    # Review -----------------------------------------------------------------------------------

    def confirm_frame(self) -> None:
        """Confirm the frame on screen, or take that back."""
        if session := self._session:
            self._edit(steps.frame_confirmation(session.study.review, self._desk.state.frame))

    def confirm_lesion(self) -> None:
        """Confirm the lesion on screen, else the most severe one; or take that back."""
        if (session := self._session) is None:
            return
        results, review = session.results, session.study.review
        lesion = steps.lesion_in_view(results, self._desk.state.frame)
        if lesion is None:
            self.said.emit(self.tr("There is no lesion to confirm."))
        elif lesion.verdict is None and lesion.frame_range not in review.confirmed_lesions:
            self.said.emit(self.tr("Decide about the guidewire first."))
        else:
            self._edit(steps.lesion_confirmation(review, results, lesion))

    def bookmark(self) -> None:
        """Set or remove the bookmark of the frame on screen."""
        if session := self._session:
            self._edit(steps.bookmark(session.study.review, self._desk.state.frame))

    def voi_from(self) -> None:
        """Begin the VOI here."""
        if session := self._session:
            state = self._desk.state
            self._edit(steps.voi_from(session.study.review, state.frame, state.frame_count))

    def voi_to(self) -> None:
        """End the VOI here."""
        if session := self._session:
            self._edit(steps.voi_to(session.study.review, self._desk.state.frame))

    def voi_clear(self) -> None:
        """Take the VOI away."""
        if (session := self._session) and session.study.review.voi is not None:
            self._edit(steps.no_voi(session.study.review))

    def segment(self) -> None:
        """Segment what is missing."""
        self._desk.segment()

    def cancel_segmentation(self) -> None:
        """Stop the segmentation, keeping what it found."""
        self._desk.segmentation.stop()

    # Correct ----------------------------------------------------------------------------------

    def copy_from(self, direction: int) -> None:
        """Copy the contours of the previous (-1) or next (1) frame into the one on screen."""
        if (session := self._session) is None:
            return
        frame = self._desk.state.frame
        source = frame + direction
        if not 0 <= source < self._desk.state.frame_count:
            self.said.emit(self.tr("There is no frame to copy from."))
            return
        try:
            step = copied(session.study, frame, source)
        except CalcViewerError as error:
            self.said.emit(str(error))
            return
        self._desk.correct(step, frame)
        self._say(step.label)

    def toggle_interpolation(self) -> None:
        """Let frames between corrected ones follow them, or not."""
        settings = self._desk.settings
        self._desk.change_settings(replace(settings, interpolate=not settings.interpolate))
        self.said.emit(
            self.tr("Frames between two corrected ones follow them (at most {}).").format(
                settings.interpolate_over
            )
            if self._desk.settings.interpolate
            else self.tr("Frames between corrected ones stay as they are.")
        )

    def revert_frame(self) -> None:
        """Put the model's contours of the frame on screen back."""
        if (session := self._session) is None:
            return
        frame, review = self._desk.state.frame, session.study.review
        if frame in review.edits:
            self._edit(reverted(review, frame))
        else:
            self.said.emit(self.tr("This frame is as the model left it."))

    def exclude_frame(self) -> None:
        """Ask why the frame on screen is to be left out; include one that is left out."""
        if (session := self._session) is None:
            return
        frame, review = self._desk.state.frame, session.study.review
        if frame in review.excluded:
            self._edit(included(review, frame))
        else:
            self.player.stop()
            self.reason_asked.emit(frame)

    def exclude(self, frame: int, reason: str) -> None:
        """Leave a frame (0-based) out of every measurement."""
        if session := self._session:
            self._edit(excluded(session.study.review, frame, reason))

    def show_frame_history(self) -> None:
        """Show who did what in the frame on screen."""
        self._show_about_study(FrameHistory)

    def show_second_pass(self) -> None:
        """Show where model and operator differ most."""
        self._show_about_study(SecondPass)

    def _show_about_study(self, dialog: type[FrameHistory] | type[SecondPass]) -> None:
        """Show one such dialog about the open study; an earlier one goes."""
        if self._session is None:
            return
        for known in self._window.findChildren(dialog):
            known.close()
        self._show(dialog(self._desk, self._window))

    # View -------------------------------------------------------------------------------------

    def fit(self) -> None:
        """Show whole pictures."""
        self.fit_asked.emit()

    def hide_overlay(self, hidden: bool) -> None:
        """Hide the overlay while a key is held."""
        self._desk.state.set_overlay_visible(not hidden)

    def toggle_overlay(self) -> None:
        """Show or hide the overlay."""
        self._desk.state.set_overlay_visible(not self._desk.state.overlay_visible)

    def flip(self) -> None:
        """Let the longitudinal view run the other way."""
        self._desk.state.set_flipped(not self._desk.state.flipped)

    def tool(self, name: str) -> None:
        """Take a tool in hand, or put it away."""
        self.tool_asked.emit(name)

    def table(self, name: str) -> None:
        """Choose the colours."""
        self._desk.choose_table(name)

    def layout(self, number: int) -> None:
        """Choose the layout, from 1."""
        if number == self._desk.settings.layout:
            self._desk.settings_changed.emit()  # its button stays down
        self._desk.change_settings(replace(self._desk.settings, layout=number))

    # Help -------------------------------------------------------------------------------------

    def show_shortcuts(self) -> None:
        """Show the table of keys."""
        self._show(Shortcuts(self._window))

    def show_log(self) -> None:
        """Show the log."""
        self._show(LogView(self._window))

    def show_problem_report(self) -> None:
        """Show what a problem report would hold, to save it."""
        self._show(ProblemReportDialog(self._window))

    def show_about(self) -> None:
        """Show versions and licences."""
        self._show(About(self._window))

    # ------------------------------------------------------------------------------------------

    @property
    def _session(self) -> Session | None:
        shown = self._desk.shown
        return None if shown is None else shown.session

    def _edit(self, step: Step) -> None:
        self._desk.edit(step)
        self._say(step.label)

    def _say(self, label: str) -> None:
        self.said.emit(label[0].upper() + label[1:])

    def _take_settings(self, chosen: dict[str, Any]) -> None:
        self._desk.choose_table(chosen["look_up_table"])
        self._desk.change_settings(replace(self._desk.settings, **chosen))

    def _file_dialog(self, title: str) -> QFileDialog:
        dialog = QFileDialog(self._window, title)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        recent = self._desk.settings.recent
        if recent:
            dialog.setDirectory(str(Path(recent[0]).parent))
        dialog.fileSelected.connect(lambda text: self._desk.open_path(Path(text)))
        return dialog

    def _show(self, dialog: QDialog) -> None:
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.show()
        dialog.raise_()
