"""Decisions as steps of the review, and what is left to do."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calcviewer.app.results import compute_results
from calcviewer.app.review import (
    bookmark,
    bridged_by_operator,
    calibration_value,
    confirmation_progress,
    frame_confirmation,
    guidewire_decision,
    length_mm,
    lesion_confirmation,
    lesion_in_view,
    maxima,
    next_decisive,
    next_maximum,
    no_voi,
    segmentation_progress,
    source_calibration,
    voi_from,
    voi_to,
)
from calcviewer.app.session import Facet, Session
from calcviewer.core.annotation import FrameAnnotation
from calcviewer.core.errors import CalcViewerError, CalibrationError
from calcviewer.core.pullback import Origin
from calcviewer.core.study import Review
from tests.lesion_studies import ACROSS_WIRE, NOTHING, TWO_LESIONS, arc, study_of


def test_confirming_a_frame_twice_takes_it_back() -> None:
    once = frame_confirmation(Review(), 3)
    assert (once.label, once.review.confirmed_frames) == ("confirm frame 4", {3})
    again = frame_confirmation(once.review, 3)
    assert (again.label, again.review.confirmed_frames) == ("unconfirm frame 4", frozenset())


def test_a_lesion_is_confirmed_by_its_frames() -> None:
    study = study_of(TWO_LESIONS)
    results = compute_results(study, {})
    step = lesion_confirmation(Review(), results, results.lesions[1])
    assert step.label == "confirm lesion 2"
    assert step.review.confirmed_lesions == {(12, 15)}
    back = lesion_confirmation(step.review, results, results.lesions[1])
    assert (back.label, back.review.confirmed_lesions) == ("unconfirm lesion 2", frozenset())


@given(st.lists(st.integers(0, 5), max_size=12))
def test_a_bookmark_is_there_after_an_odd_number_of_toggles(frames: list[int]) -> None:
    review = Review()
    for frame in frames:
        review = bookmark(review, frame).review
    assert review.bookmarks == {frame for frame in frames if frames.count(frame) % 2}


def test_the_ends_of_the_voi() -> None:
    assert voi_from(Review(), 3, 20).review.voi == (3, 19)
    kept = voi_from(Review(voi=(5, 9)), 3, 20).review
    assert kept.voi == (3, 9)
    assert voi_from(Review(voi=(0, 2)), 3, 20).review.voi == (3, 19)
    assert voi_to(kept, 6).review.voi == (3, 6)
    assert voi_to(kept, 1).review.voi == (0, 1)
    assert no_voi(kept).review.voi is None


def test_a_guidewire_decision_is_kept_with_who_and_when_and_replaces_the_last_one() -> None:
    study = study_of([ACROSS_WIRE] * 4)
    (lesion,) = compute_results(study, {}).lesions
    assert lesion.guidewire_decides
    assert lesion.verdict is None
    session = Session(study)
    for bridge in (True, False):
        step = guidewire_decision(
            session.study.review, lesion, bridge=bridge, operator="A. Reader", when="2026-01-02"
        )
        session.edit(step.label, step.review)
        (kept,) = session.study.review.guidewire_decisions
        assert (kept.first_frame, kept.last_frame) == lesion.frame_range
        assert (kept.bridge, kept.operator, kept.when) == (bridge, "A. Reader", "2026-01-02")
        (now,) = session.results.lesions
        assert now.verdict is (now.bridged if bridge else now.visible).score
        assert bridged_by_operator(session.results, lesion.first_frame) is bridge
        assert not bridged_by_operator(session.results, lesion.last_frame + 1)
    session.undo()
    assert session.results.lesions[0].decision is not None
    session.undo()
    assert session.results.lesions[0].verdict is None


def test_a_decision_about_more_frames_stays() -> None:
    study = study_of([ACROSS_WIRE] * 4)
    (lesion,) = compute_results(study, {}).lesions
    wide = guidewire_decision(
        Review(), replace(lesion, last_frame=9), bridge=True, operator="a", when="1"
    ).review
    both = guidewire_decision(wide, lesion, bridge=False, operator="b", when="2").review
    assert [one.operator for one in both.guidewire_decisions] == ["a", "b"]


def test_calibration_values() -> None:
    study = study_of([arc(60)] * 3)
    session = Session(study)
    changes = []
    session.subscribe(changes.append)
    step = calibration_value(study, "frame_pitch_mm", 0.4, origin=Origin.OPERATOR, note="known")
    assert step.label == "set frame pitch"
    session.edit(step.label, step.review)
    assert changes[0].facets == {Facet.CALIBRATION}
    assert session.results.lesions[0].length_mm == pytest.approx(1.2)
    pitch = session.study.calibration.frame_pitch_mm
    assert pitch is not None
    assert (pitch.origin, pitch.note) == (Origin.OPERATOR, "known")
    back = source_calibration(session.study.review)
    session.edit(back.label, back.review)
    assert session.study.calibration == study.pullback.calibration
    with pytest.raises(CalibrationError):
        calibration_value(study, "frame_pitch_mm", -1.0, origin=Origin.OPERATOR)


@pytest.mark.parametrize(
    ("text", "per_mm", "expected"),
    [("0.2", 1.0, 0.2), (" 0,25 ", 1.0, 0.25), ("5.2", 1000.0, 0.0052), ("1e-2", 1.0, 0.01)],
)
def test_a_typed_length(text: str, per_mm: float, expected: float) -> None:
    assert length_mm(text, per_mm=per_mm) == pytest.approx(expected)


@pytest.mark.parametrize("text", ["", "x", "0", "-1", "nan", "inf", "5000", "0.2 mm"])
def test_a_typed_length_that_is_none(text: str) -> None:
    with pytest.raises(CalcViewerError):
        length_mm(text)


def test_a_zero_radius_may_be_negative() -> None:
    assert length_mm("-0.1", may_be_negative=True) == pytest.approx(-0.1)
    with pytest.raises(CalcViewerError):
        length_mm("nan", may_be_negative=True)


def test_the_lesion_in_view() -> None:
    results = compute_results(study_of(TWO_LESIONS), {})
    assert lesion_in_view(results, 3) is results.lesions[0]
    assert lesion_in_view(results, 12) is results.lesions[1]
    assert lesion_in_view(results, 0) is results.lesions[1]  # the most severe one
    assert lesion_in_view(compute_results(study_of([NOTHING] * 2), {}), 0) is None


def test_maxima_of_the_lesion_in_view_come_in_turn() -> None:
    results = compute_results(study_of(TWO_LESIONS), {})
    lesion = results.lesions[1]
    assert {one.name: one.frame for one in maxima(results, lesion)} == {
        "maximum arc": 13,
        "maximum thickness": 14,
        "minimum lumen area": 12,
    }
    frame, seen = 0, []
    for _ in range(4):
        following = next_maximum(results, frame)
        assert following is not None
        frame = following.frame
        seen.append(frame)
    assert seen == [13, 14, 12, 13]


def test_two_maxima_in_one_frame_are_one_stop() -> None:
    results = compute_results(study_of([arc(60)]), {})
    (only,) = maxima(results, results.lesions[0])
    assert only.name == "maximum arc, maximum thickness, minimum lumen area"


def test_decisive_frames_in_turn_both_ways() -> None:
    results = compute_results(study_of(TWO_LESIONS), {})
    frames = sorted({one.frame for lesion in results.lesions for one in lesion.decisive_frames})
    forward, frame = [], -1
    for _ in frames:
        following = next_decisive(results, frame, 1)
        assert following is not None
        forward.append(frame := following)
    assert forward == frames
    assert next_decisive(results, frames[-1], 1) == frames[0]
    assert next_decisive(results, frames[0], -1) == frames[-1]
    assert next_decisive(compute_results(study_of([NOTHING]), {}), 0, 1) is None


def test_progress() -> None:
    results = compute_results(study_of(TWO_LESIONS), {})
    decisive = results.lesions[0].decisive_frames
    review = frame_confirmation(Review(), decisive[0].frame).review
    progress = confirmation_progress(decisive, review)
    assert (progress.done, progress.total) == (1, len(decisive))


def test_segmentation_progress_counts_within_the_voi() -> None:
    study = study_of([arc(60)] * 4)
    partly = replace(study, predictions=MappingProxyType({0: FrameAnnotation()}))
    assert segmentation_progress(partly).done == 1
    excluded = replace(partly, review=Review(excluded=MappingProxyType({3: "blood"}), voi=(2, 3)))
    progress = segmentation_progress(excluded)
    assert (progress.done, progress.total) == (1, 2)
