"""What must hold after every action, whatever it was."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QWidget

from calcviewer.app.review_store.encoding import annotation_bytes, changes_between
from calcviewer.app.review_store.file import read_review_file
from calcviewer.app.review_store.search import log_on
from calcviewer.app.review_store.store import ReviewStore, Saving
from calcviewer.app.session import Session
from calcviewer.core.study import Review
from calcviewer.gui.main_window import MainWindow
from calcviewer.gui.panels.frame import FramePanel
from tests.app.test_results import same

_UNSEEN = 8
_FEW = 0.01
"""Grey levels, and the part of all pixels, that may differ when a view is painted elsewhere: dashes
begin where a line is clipped."""


def at_rest(window: MainWindow) -> str:
    """Return what the window does not show as it is; it may take a moment to come."""
    for told in (_bars(window), _views(window), _panels(window)):
        for wrong in told:
            return wrong
    return ""


def at_once(window: MainWindow) -> Iterator[str]:
    """Return what is wrong without an excuse."""
    grabber = QWidget.mouseGrabber()
    if grabber is not None and QApplication.activePopupWidget() is None:
        yield f"{type(grabber).__name__} keeps the mouse"
    if QApplication.overrideCursor() is not None:
        yield "the cursor of the application was not taken back"
    shown, state = window.desk.shown, window.desk.state
    count = 0 if shown is None else shown.session.study.pullback.frame_count
    if state.frame_count != count or not 0 <= state.frame < max(count, 1):
        yield f"frame {state.frame} of {state.frame_count}, the study has {count}"
    if shown is None:
        return
    for view in window.views.values():
        if view.isVisible() and not window.view_area.rect().contains(view.geometry()):
            yield f"{type(view).__name__} does not fit into its place"
    for view in (window.cross_section, window.polar):
        if view._drag:
            yield f"{type(view).__name__} is in a drag that nobody makes"
    study = shown.session.study
    kept = {*study.review.edits, *study.predictions, *study.review.excluded}
    if not kept <= set(range(count)):
        yield f"the review speaks of frames beyond the end: {sorted(kept)}"


def score(session: Session) -> str:
    """Return what is wrong with the results: they are those of a session made anew."""
    anew = Session(session.study).results
    return "" if same(session.results, anew) else "the results differ from those computed anew"


def painted(window: MainWindow) -> str:
    """Return what looks otherwise when it is painted anew: its repaint was forgotten.

    Nothing is said while pictures change by themselves, or something lies over the views.
    """
    over = (window.banner, window.go_to, window.exclude_ask)
    moving = window.desk.segmentation.running or window.commands.player.playing
    on_screen = window.backingStore().paintDevice()
    if moving or not isinstance(on_screen, QImage) or any(one.isVisible() for one in over):
        return ""
    for view in window.views.values():
        place = QRect(view.mapTo(window, QPoint(0, 0)), view.size())
        if not view.isVisible() or not window.rect().contains(place):
            continue
        differ = np.abs(_levels(on_screen.copy(place)) - _levels(view.grab().toImage()))
        part = float((differ > _UNSEEN).any(axis=-1).mean())
        if part > _FEW:
            return f"{part:.0%} of {type(view).__name__} is not as it would be painted now"
    return ""


def _levels(image: QImage) -> NDArray[np.int16]:
    """Return a picture as ``[row, column, 4]``."""
    plain = image.convertToFormat(QImage.Format.Format_RGB32)
    levels = np.frombuffer(plain.constBits(), dtype=np.uint8)
    return levels.reshape(plain.height(), plain.width(), 4).astype(np.int16)


def _bars(window: MainWindow) -> Iterator[str]:
    shown = window.desk.shown
    name = "" if shown is None else shown.session.study.pullback.name
    if window.windowTitle() != (f"{name} · CalcViewer" if shown else "CalcViewer"):
        yield f"the title is {window.windowTitle()!r}"
    actions, session = window.actions_by_id, None if shown is None else shown.session
    for key, label in (
        ("undo", session and session.undo_label),
        ("redo", session and session.redo_label),
    ):
        if actions[key].isEnabled() != bool(label) or (label or "") not in actions[key].text():
            yield f"{key} is called {actions[key].text()!r}, the step is {label!r}"
    for tool in window.tools:
        if actions[tool].isChecked() != (tool == window.toolbox.in_hand):
            yield f"the button of {tool} is wrong, in hand is {window.toolbox.in_hand!r}"
    playing = window.commands.player.playing
    if playing and shown is None:
        yield "it plays without a study"


def _views(window: MainWindow) -> Iterator[str]:
    shown, frame = window.desk.shown, window.desk.state.frame
    along = (window.longitudinal.canvas, window.calcium_map, window.trends)
    for view in (window.cross_section, window.polar, *along):
        if view.shown is not shown:
            yield f"{type(view).__name__} shows another study"
    if shown is None or window.commands.player.playing:
        return  # while it plays, the next frame is always under way
    for view in (window.cross_section, window.polar):
        if not view.isVisible() or view.visibleRegion().isEmpty():
            continue
        if view._overlay_stale or view._picture_stale:
            yield f"{type(view).__name__} is not painted anew"
        elif view.annotation is not shown.session.study.annotation(frame):
            yield f"{type(view).__name__} shows an annotation that is no longer in force"
        elif view.measured is not shown.session.results.frames[frame]:
            yield f"{type(view).__name__} shows an old measurement"


def _panels(window: MainWindow) -> Iterator[str]:
    shown, frame = window.desk.shown, window.desk.state.frame
    if shown is None or not window.panel_area.isVisible() or window.commands.player.playing:
        return
    for panel in window.panels:
        if panel._shown is not shown:
            yield f"{type(panel).__name__} shows another study"
        elif panel._stale:
            yield f"{type(panel).__name__} is stale"
    (title,) = (
        panel._frame_card.title.text() for panel in window.panels if isinstance(panel, FramePanel)
    )
    wanted = f"Frame {frame + 1} of {shown.session.study.pullback.frame_count}"
    if title != wanted:
        yield f"the frame panel says {title!r}, not {wanted!r}"


def kept(session: Session, store: ReviewStore) -> str:
    """Return what differs between a session that was left and the file of its review."""
    memory, state = session.history, store.state
    if state.waiting:
        return ""  # the disk is full, and the operator gave the steps up
    if state.saving is not Saving.DONE:
        return "a review is not kept" if memory.past and not state.holder else ""
    stored = read_review_file(store.path)
    _, history = log_on(stored, session.study.pullback, store.path)
    for name in ("past", "future"):
        steps = [[one.label for one in getattr(each, name)] for each in (history, memory)]
        if steps[0] != steps[1]:
            return f"{name} steps are {steps[0]} in the file, {steps[1]} in memory"
    return _difference(history.review, memory.review)


def _difference(found: Review, expected: Review) -> str:
    changes = changes_between(expected, found)
    others = changes.others.keys() - {"free_measurements"}
    if others:
        return f"file and memory differ in {sorted(others)}"
    for frame, edit in changes.edits.items():
        mine = expected.edits.get(frame)
        if edit is None or mine is None or annotation_bytes(edit) != annotation_bytes(mine):
            return f"file and memory differ in the edit of frame {frame + 1}"
    if _measured(found) != _measured(expected):
        return "file and memory differ in the free measurements"
    return ""


def _measured(review: Review) -> list[tuple[int, str, bytes]]:
    """Return the free measurements as values: two are the same only when they are one object."""
    return [
        (frame, one.kind, one.points_mm.tobytes())
        for frame, several in sorted(review.free_measurements.items())
        for one in several
    ]
