"""The session: edits, undo, streaming predictions, and results that always follow."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from calcviewer.app.results import compute_results
from calcviewer.app.session import Change, Facet, Session
from calcviewer.core.annotation import FrameAnnotation, annotation_from_labels
from calcviewer.core.pullback import CalibratedValue, Calibration, Origin
from calcviewer.core.study import ModelReference, Review, Study
from calcviewer.modalities.ivoct.protocol import Protocol
from tests.phantoms import GRID, label_map, make_pullback

MODEL = ModelReference("phantom", "1", "0" * 64, "CPUExecutionProvider")
FRAMES = 4


def annotation(arc_deg: float) -> FrameAnnotation:
    return annotation_from_labels(label_map((20, arc_deg)), GRID)


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
        Change(frozenset({Facet.ANNOTATION}), frozenset({2})),
        Change(frozenset({Facet.VOI}), frozenset()),
    ]


def test_only_changed_frames_are_measured_again(session: Session) -> None:
    run = session.start_run(MODEL)
    for frame in range(FRAMES):
        session.add_prediction(run, frame, annotation(60))
    first = session.results.frames
    session.edit("draw", session.study.review.with_edit(2, annotation(80)))
    second = session.results.frames
    assert [a is b for a, b in zip(first, second, strict=True)] == [True, True, False, True]


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
    """Edits, undo, redo and streaming predictions in any order, against a plain model."""

    def __init__(self) -> None:
        super().__init__()
        self.session = Session(Study(make_pullback(FRAMES), Protocol()))
        self.past: list[Review] = []
        self.future: list[Review] = []
        self.predicted: dict[int, FrameAnnotation] = {}
        self.run = self.session.start_run(MODEL)

    def _edit(self, review: Review) -> None:
        self.past.append(self.session.study.review)
        self.future.clear()
        self.session.edit("step", review)

    @rule(frame=st.integers(0, FRAMES - 1), arc=st.integers(10, 300))
    def draw(self, frame: int, arc: int) -> None:
        self._edit(self.session.study.review.with_edit(frame, annotation(arc)))

    @rule(frame=st.integers(0, FRAMES - 1))
    def revert(self, frame: int) -> None:
        self._edit(self.session.study.review.without_edit(frame))

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

    @rule(frame=st.integers(0, FRAMES - 1), arc=st.integers(10, 300))
    def predict(self, frame: int, arc: int) -> None:
        self.predicted[frame] = annotation(arc)
        self.session.add_prediction(self.run, frame, self.predicted[frame])

    @rule()
    def undo(self) -> None:
        if self.past:
            self.future.append(self.session.study.review)
            expected = self.past.pop()
            self.session.undo()
            assert self.session.study.review is expected

    @rule()
    def redo(self) -> None:
        if self.future:
            self.past.append(self.session.study.review)
            expected = self.future.pop()
            self.session.redo()
            assert self.session.study.review is expected

    @invariant()
    def predictions_are_kept(self) -> None:
        assert dict(self.session.study.predictions) == self.predicted

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
TestSessionMachine.settings = settings(max_examples=15, stateful_step_count=15, deadline=None)
