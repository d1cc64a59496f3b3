"""The session: edits, undo, streaming predictions, and results that always follow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from calcviewer.app.correction import reverted
from calcviewer.app.results import compute_results
from calcviewer.app.review_store.search import find_review
from calcviewer.app.review_store.store import open_review
from calcviewer.app.session import Change, Facet, Session
from calcviewer.core.annotation import FrameAnnotation, annotation_from_labels
from calcviewer.core.pullback import CalibratedValue, Calibration, Origin
from calcviewer.core.study import GuidewireDecision, ModelReference, Review, Study
from calcviewer.modalities.ivoct.protocol import Protocol
from tests.app.review_store.kept_reviews import plain, pullback_at
from tests.phantoms import GRID, label_map, make_pullback

MODEL = ModelReference("phantom", "1", "0" * 64, "CPUExecutionProvider")
FRAMES = 4
ARCS = st.sampled_from([10, 60, 95, 185, 300])


@lru_cache
def traced(arc_deg: float) -> FrameAnnotation:
    return annotation_from_labels(label_map((20, arc_deg)), GRID)


def annotation(arc_deg: float) -> FrameAnnotation:
    return replace(traced(arc_deg))  # another object every time, as a drag makes it


@pytest.fixture
def session() -> Session:
    return Session(Study(make_pullback(FRAMES), Protocol()))


def test_prediction_never_replaces_an_edit(session: Session) -> None:
    edited = annotation(60)
    session.edit("draw", session.study.review.with_edit(1, edited))
    run = session.start_run(MODEL)
    session.add_prediction(run, 1, annotation(90))
    assert session.study.annotation(1) is edited


def test_undo_reveals_the_prediction_that_came_meanwhile(session: Session) -> None:
    session.edit("draw", session.study.review.with_edit(1, annotation(60)))
    predicted = annotation(90)
    session.add_prediction(session.start_run(MODEL), 1, predicted)
    session.undo()
    assert session.study.annotation(1) is predicted


def test_results_of_a_superseded_run_are_dropped(session: Session) -> None:
    stale = session.start_run(MODEL)
    session.start_run(MODEL)
    session.add_prediction(stale, 0, annotation(60))
    assert session.study.annotation(0) is None


def test_one_gesture_is_one_step(session: Session) -> None:
    before = session.study.review
    for arc in (60, 61, 62):
        session.edit("drag", before.with_edit(0, annotation(arc)), gesture="drag 1")
    assert session.undo_label == "drag"
    session.undo()
    assert session.study.review is before
    assert session.undo_label is None


def test_undo_and_redo_name_their_step(session: Session) -> None:
    session.edit("exclude frame 2", session.study.review.with_exclusion(1, "blood"))
    session.undo()
    assert session.redo_label == "exclude frame 2"
    session.redo()
    assert session.study.annotation(1) is None
    assert session.undo_label == "exclude frame 2"


def test_an_edit_ends_what_could_be_redone(session: Session) -> None:
    session.edit("first", session.study.review.with_edit(0, annotation(60)))
    session.undo()
    session.edit("second", session.study.review.with_edit(1, annotation(60)))
    assert session.redo_label is None


def test_undo_without_a_step_changes_nothing(session: Session) -> None:
    before = session.study
    session.undo()
    session.redo()
    assert session.study is before


def test_change_says_what_changed(session: Session) -> None:
    seen: list[Change] = []
    stop = session.subscribe(seen.append)
    session.edit("draw", session.study.review.with_edit(2, annotation(60)))
    session.edit("select", replace(session.study.review, voi=(0, 2)))
    stop()
    session.undo()
    assert seen == [
        Change(frozenset({Facet.ANNOTATION}), frozenset({2}), frozenset({2})),
        Change(frozenset({Facet.VOI}), frozenset(), frozenset({0, 2})),
    ]


def test_only_changed_frames_are_measured_again(session: Session) -> None:
    run = session.start_run(MODEL)
    for frame in range(FRAMES):
        session.add_prediction(run, frame, annotation(60))
    first = session.results.frames
    session.edit("draw", session.study.review.with_edit(2, annotation(80)))
    second = session.results.frames
    assert [a is b for a, b in zip(first, second, strict=True)] == [True, True, False, True]


WIRE = GuidewireDecision(1, 2, bridge=True, operator="AB", when="2026-01-01T00:00:00Z")


@pytest.mark.parametrize(
    ("change", "lost"),
    [
        (lambda review: review.with_edit(1, annotation(60)), True),
        (lambda review: review.with_edit(3, annotation(60)), False),
        (lambda review: review.with_exclusion(2, "artefact"), True),
        (lambda review: replace(review, guidewire_decisions=(WIRE,)), True),
        (lambda review: replace(review, calibration=Calibration()), True),
        (lambda review: replace(review, comments=MappingProxyType({1: "look"})), False),
    ],
    ids=["edit", "edit elsewhere", "exclusion", "guidewire", "scale", "comment"],
)
def test_a_lesion_that_is_changed_has_to_be_confirmed_again(
    session: Session, change: Callable[[Review], Review], lost: bool
) -> None:
    session.edit("confirm", replace(session.study.review, confirmed_lesions=frozenset({(0, 2)})))
    session.edit("change", change(session.study.review))
    assert session.study.review.confirmed_lesions == (set() if lost else {(0, 2)})
    session.undo()
    assert session.study.review.confirmed_lesions == {(0, 2)}


def test_what_completes_a_gesture_unconfirms_too(session: Session) -> None:
    session.edit("confirm", replace(session.study.review, confirmed_lesions=frozenset({(0, 2)})))
    session.edit("drag", session.study.review.with_edit(3, annotation(60)), gesture="drag")
    session.finish_soon("drag", lambda review: review.with_edit(2, annotation(60)))
    assert session.study.review.confirmed_lesions
    session.finish()
    assert not session.study.review.confirmed_lesions


def test_a_lesion_may_be_confirmed_with_its_change(session: Session) -> None:
    edited = session.study.review.with_edit(1, annotation(60))
    session.edit("both", replace(edited, confirmed_lesions=frozenset({(0, 2)})))
    assert session.study.review.confirmed_lesions == {(0, 2)}


def test_new_scale_keeps_contours_on_their_pixels(session: Session) -> None:
    run = session.start_run(MODEL)
    session.add_prediction(run, 0, annotation(60))
    measured = session.results.frames[0]
    doubled = Calibration(
        CalibratedValue(2 * GRID.sample_spacing_mm, Origin.CATHETER),
        session.study.calibration.frame_pitch_mm,
        session.study.calibration.zero_radius_mm,
    )
    session.edit("calibrate", replace(session.study.review, calibration=doubled))
    scaled = session.results.frames[0]
    assert measured is not None
    assert scaled is not None
    assert measured.lumen_area_mm2 is not None
    assert scaled.lumen_area_mm2 == pytest.approx(4 * measured.lumen_area_mm2)
    assert scaled.max_arc_deg_visible == pytest.approx(measured.max_arc_deg_visible, abs=1e-6)
    session.undo()
    assert session.results.frames[0] is not scaled
    assert session.results.frames[0].lumen_area_mm2 == pytest.approx(measured.lumen_area_mm2)


def test_an_edit_made_under_another_scale_survives_its_undo(session: Session) -> None:
    doubled = replace(
        session.study.calibration,
        sample_spacing_mm=CalibratedValue(2 * GRID.sample_spacing_mm, Origin.OPERATOR),
    )
    session.edit("calibrate", replace(session.study.review, calibration=doubled))
    drawn = annotation(60)
    session.edit("draw", session.study.review.with_edit(0, session.study.stored(drawn)))
    in_force = session.study.annotation(0)
    assert in_force is not None
    assert in_force.lumen is not None
    assert drawn.lumen is not None
    np.testing.assert_allclose(in_force.lumen.points_mm, drawn.lumen.points_mm)


class SessionMachine(RuleBasedStateMachine):
    """Everything an operator and a segmentation do, in any order, against a plain model.

    The review is kept on disk, and can be read back at any time: with all that can be undone.
    """

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.pullback = pullback_at(Path(self.folder.name))
        self.past: list[Review] = []
        self.future: list[Review] = []
        self.predicted: dict[int, FrameAnnotation] = {}
        self.gestures = 0
        self.dragging = ""
        self.future_before: list[Review] = []
        self._open()

    def _open(self) -> None:
        self.session = Session(Study(self.pullback, Protocol()))
        self.store = open_review(self.session.study)
        self.store.follow(self.session)
        self.run = self.session.start_run(MODEL)
        for frame, predicted in self.predicted.items():
            self.session.add_prediction(self.run, frame, predicted)

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()

    def _begin(self) -> None:
        self.dragging = ""
        self.past.append(self.session.study.review)
        self.future_before, self.future = self.future, []

    def _edit(self, review: Review) -> None:
        self._begin()
        self.session.edit("step", review)

    @rule(frame=st.integers(0, FRAMES - 1), arc=ARCS)
    def draw(self, frame: int, arc: int) -> None:
        self._edit(self.session.study.review.with_edit(frame, annotation(arc)))

    @rule(frame=st.integers(0, FRAMES - 1), arcs=st.lists(ARCS, min_size=1, max_size=3))
    def drag(self, frame: int, arcs: list[int]) -> None:
        self._begin()
        self.gestures += 1
        self.dragging = f"gesture {self.gestures}"
        for arc in arcs:
            review = self.session.study.review.with_edit(frame, annotation(arc))
            self.session.edit("drag", review, self.dragging)

    @precondition(lambda self: self.dragging)
    @rule()
    def finish(self) -> None:
        self.session.finish(self.dragging)
        self.dragging = ""

    @precondition(lambda self: self.dragging)
    @rule(frame=st.integers(0, FRAMES - 1), arc=ARCS)
    def finish_with_frames_between(self, frame: int, arc: int) -> None:
        filled = annotation(arc)
        self.session.finish_soon(self.dragging, lambda review: review.with_edit(frame, filled))
        assert self.session.cancel(self.dragging) is None
        self.session.finish(self.dragging)
        assert self.session.study.review.edits[frame] is filled
        self.dragging = ""

    @precondition(lambda self: self.dragging)
    @rule()
    def cancel(self) -> None:
        assert self.session.cancel("another gesture") is None
        assert self.session.cancel(self.dragging) is not None
        assert self.session.study.review is self.past.pop()
        self.future, self.dragging = self.future_before, ""

    @rule(frame=st.integers(0, FRAMES - 1))
    def revert(self, frame: int) -> None:
        self._edit(reverted(self.session.study.review, frame).review)

    @rule(frame=st.integers(0, FRAMES - 1))
    def exclude(self, frame: int) -> None:
        self._edit(self.session.study.review.with_exclusion(frame, "blood"))

    @rule(first=st.integers(0, FRAMES - 1), length=st.integers(0, FRAMES))
    def select(self, first: int, length: int) -> None:
        voi = (first, min(first + length, FRAMES - 1))
        self._edit(replace(self.session.study.review, voi=voi))

    @rule(factor=st.sampled_from([0.5, 1.0, 1.7]))
    def calibrate(self, factor: float) -> None:
        own = self.session.study.pullback.calibration
        spacing = CalibratedValue(factor * GRID.sample_spacing_mm, Origin.OPERATOR)
        calibration = replace(own, sample_spacing_mm=spacing)
        self._edit(replace(self.session.study.review, calibration=calibration))

    @rule(frame=st.integers(0, FRAMES - 1), arc=ARCS)
    def predict(self, frame: int, arc: int) -> None:
        self.predicted[frame] = annotation(arc)
        self.session.add_prediction(self.run, frame, self.predicted[frame])

    @rule(frame=st.integers(0, FRAMES - 1), arc=ARCS)
    def predict_too_late(self, frame: int, arc: int) -> None:
        stale, self.run = self.run, self.session.start_run(MODEL)
        self.session.add_prediction(stale, frame, annotation(arc))

    @precondition(lambda self: not self.past)
    @rule()
    def nothing_to_undo(self) -> None:
        assert self.session.undo() is None

    @precondition(lambda self: self.past)
    @rule()
    def undo(self) -> None:
        self.dragging = ""
        self.future.append(self.session.study.review)
        expected = self.past.pop()
        assert self.session.undo() is not None
        assert self.session.study.review is expected

    @precondition(lambda self: self.future)
    @rule()
    def redo(self) -> None:
        self.dragging = ""
        self.past.append(self.session.study.review)
        expected = self.future.pop()
        assert self.session.redo() is not None
        assert self.session.study.review is expected

    @rule()
    def close_and_open(self) -> None:
        self.session.finish()
        self.dragging = ""
        before = plain(self.session.history)
        assert self.store.close() == 0
        self._open()
        history = self.session.history
        assert plain(history) == before
        self.past = [step.review for step in history.past]
        self.future = [step.review for step in history.future]

    @invariant()
    def predictions_are_kept(self) -> None:
        assert dict(self.session.study.predictions) == self.predicted

    @invariant()
    def an_edit_is_in_force_unless_its_frame_is_excluded(self) -> None:
        study = self.session.study
        for frame in range(FRAMES):
            if frame in study.review.excluded:
                assert study.annotation(frame) is None
            elif frame in study.review.edits and study.review.calibration is None:
                assert study.annotation(frame) is study.review.edits[frame]

    @invariant()
    def what_is_on_disk_is_what_is_in_force(self) -> None:
        if self.dragging:
            return
        assert self.store.flush() == 0  # a slow disk may take longer than an edit waits for it
        on_disk = find_review(self.pullback).history
        assert plain(on_disk) == plain(self.session.history)

    @invariant()
    def results_equal_those_from_scratch(self) -> None:
        fresh = compute_results(self.session.study, {})
        now = self.session.results
        assert [lesion.visible for lesion in now.lesions] == [
            lesion.visible for lesion in fresh.lesions
        ]
        assert [frame and frame.calcium_area_mm2 for frame in now.frames] == [
            frame and frame.calcium_area_mm2 for frame in fresh.frames
        ]


TestSessionMachine = SessionMachine.TestCase
TestSessionMachine.settings = settings(max_examples=20, stateful_step_count=20, deadline=None)
