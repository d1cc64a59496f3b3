"""Frames between corrected ones follow in the same step, however quickly the operator goes on."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator
from dataclasses import replace

import pytest
from pytestqt.qtbot import QtBot

from calcviewer.app import interpolation as filling
from calcviewer.app.correction import corrected
from calcviewer.app.review import frame_confirmation
from calcviewer.app.session import Action, Finished, IvoctStudy, Session
from calcviewer.core.annotation import FrameAnnotation
from calcviewer.gui import interpolation
from calcviewer.gui.interpolation import Interpolation
from calcviewer.gui.tasks import Tasks
from tests.corrections import annotation, make_session
from tests.gui.waiting import deliver_events
from tests.patience import PATIENCE_S


@pytest.fixture
def filler(qtbot: QtBot) -> Iterator[Interpolation]:
    tasks = Tasks()
    made = Interpolation(tasks)
    made.over = 10
    yield made
    made.flush()
    tasks.cancel_all()
    assert tasks.wait(PATIENCE_S)


@pytest.fixture
def session() -> Session:
    return make_session({index: annotation() for index in range(30)})


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Hold the background back until the event is set; what is filled in at once is not held."""
    go, ui = threading.Event(), threading.current_thread()

    def slow(study: IvoctStudy, span: filling.Span, known: object = ()) -> Iterator[object]:
        for item in filling.filled_frames(study, span, known):
            if threading.current_thread() is not ui:
                go.wait(PATIENCE_S)
            yield item

    monkeypatch.setattr(interpolation, "filled_frames", slow)
    yield go
    go.set()


def correct(
    session: Session, filler: Interpolation, frame: int, drawn: FrameAnnotation | None = None
) -> None:
    """Drag and let go, as a tool does."""
    gesture = object()
    for part in (0.5, 1.0):
        made = drawn or annotation((20, 80 * part))
        session.edit(f"drag {frame}", corrected(session.study, frame, made), gesture)
    filler.end(session, gesture, frame)


def both_ends(session: Session, filler: Interpolation) -> None:
    correct(session, filler, 4)
    assert not filler.running
    correct(session, filler, 8)


def test_the_run_is_one_step_with_the_drag(
    session: Session, filler: Interpolation, qtbot: QtBot
) -> None:
    both_ends(session, filler)
    qtbot.waitUntil(lambda: not filler.running)
    assert session.study.review.interpolated == {5, 6, 7}
    assert [step.label for step in session.history.past] == ["drag 4", "drag 8"]
    session.undo()
    assert set(session.study.review.edits) == {4}
    assert session.study.review.interpolated == frozenset()
    session.redo()
    assert session.study.review.interpolated == {5, 6, 7}


def test_the_drag_is_recorded_before_the_frames_between_are_there(
    session: Session, filler: Interpolation, held: threading.Event, qtbot: QtBot
) -> None:
    kept: list[Finished] = []
    session.keep(kept.append)
    both_ends(session, filler)
    assert [entry.label for entry in kept] == ["drag 4", "drag 8"]
    held.set()
    qtbot.waitUntil(lambda: not filler.running)
    assert [entry.action for entry in kept] == [Action.EDIT, Action.EDIT, Action.AMEND]
    assert kept[-1].study.review.interpolated == {5, 6, 7}


def test_a_step_made_meanwhile_keeps_both(
    session: Session, filler: Interpolation, held: threading.Event
) -> None:
    both_ends(session, filler)
    step = frame_confirmation(session.study.review, 8)  # Enter, right after letting go
    session.edit(step.label, step.review)
    review = session.study.review
    assert review.interpolated == {5, 6, 7}
    assert review.confirmed_frames == {8}
    session.undo()
    assert session.study.review.interpolated == {5, 6, 7}
    session.undo()
    assert session.study.review.interpolated == frozenset()


def test_a_drag_begun_meanwhile_in_a_frame_between_is_not_overwritten(
    session: Session, filler: Interpolation, held: threading.Event, qtbot: QtBot
) -> None:
    both_ends(session, filler)
    drawn = annotation((200, 50))
    correct(session, filler, 6, drawn)
    held.set()
    qtbot.waitUntil(lambda: not filler.running)
    review = session.study.review
    assert review.edits[6].calcium == drawn.calcium
    assert review.interpolated == {5, 7}


def test_a_second_stroke_in_the_same_frame_has_the_last_word(
    session: Session, filler: Interpolation, held: threading.Event, qtbot: QtBot
) -> None:
    both_ends(session, filler)
    correct(session, filler, 8, annotation((20, 160)))
    held.set()
    qtbot.waitUntil(lambda: not filler.running)
    arcs = [session.results.frames[frame].max_arc_deg_visible for frame in range(4, 9)]
    assert arcs == sorted(arcs)
    assert arcs[2] == pytest.approx(120, abs=8)


def test_undo_right_after_a_drag_takes_all_of_it_back(
    session: Session, filler: Interpolation, held: threading.Event, qtbot: QtBot
) -> None:
    both_ends(session, filler)
    session.undo()
    held.set()
    assert filler._tasks.wait(PATIENCE_S)
    deliver_events()
    assert set(session.study.review.edits) == {4}
    session.redo()
    assert session.study.review.interpolated == {5, 6, 7}


def test_a_study_that_is_left_is_complete(
    session: Session, filler: Interpolation, held: threading.Event
) -> None:
    both_ends(session, filler)
    filler.flush()
    assert session.study.review.interpolated == {5, 6, 7}
    assert not filler.running


def test_nothing_follows_while_it_is_off(session: Session, filler: Interpolation) -> None:
    filler.over = 0
    both_ends(session, filler)
    assert not filler.running
    assert session.study.review.interpolated == frozenset()


def test_a_bug_in_the_geometry_does_not_cost_the_correction(
    session: Session, filler: Interpolation, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> Iterator[object]:
        raise ZeroDivisionError
        yield

    monkeypatch.setattr(interpolation, "filled_frames", broken)
    both_ends(session, filler)
    qtbot.waitUntil(lambda: not filler.running)
    correct(session, filler, 12, replace(annotation((20, 80))))
    session.edit("go on", session.study.review)
    assert set(session.study.review.edits) == {4, 8, 12}


def test_a_session_that_was_left_is_let_go(filler: Interpolation, qtbot: QtBot) -> None:
    left = make_session({index: annotation() for index in range(30)})
    both_ends(left, filler)
    qtbot.waitUntil(lambda: not filler.running)
    remembered = weakref.ref(left)
    del left
    qtbot.waitUntil(lambda: not filler._tasks._held)
    gc.collect()
    assert remembered() is None
