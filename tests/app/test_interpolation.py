"""Frames between corrected ones follow them; nothing drawn by hand is ever replaced."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import pytest

from calcviewer.app.correction import by_hand, excluded, reverted
from calcviewer.app.interpolation import (
    Span,
    corrected_structures,
    filled_frames,
    spans_at,
    with_filled,
)
from calcviewer.app.session import Session
from calcviewer.core.annotation import Provenance
from calcviewer.core.editing.structures import Structure
from tests.corrections import annotation, correct, make_session

PLAIN = annotation()


def plain_session(frames: int = 30) -> Session:
    return make_session({index: replace(PLAIN) for index in range(frames)})


def filled(session: Session, frame: int, *, over: int = 10) -> dict:
    made = {}
    for span in spans_at(session.study.review, frame, over=over):
        made |= dict(filled_frames(session.study, span))
    return made


def test_only_the_nearest_corrected_frames_within_the_limit_belong_together() -> None:
    session = plain_session()
    for frame in (0, 2, 12, 13, 24):
        correct(session, frame, annotation((20, 60)))
    review = session.study.review
    assert spans_at(review, 12, over=10) == (Span(2, 12),)  # nothing lies between 12 and 13
    assert spans_at(review, 13, over=10) == (Span(13, 24),)
    assert spans_at(review, 13, over=9) == ()
    assert spans_at(review, 2, over=0) == ()
    assert spans_at(review, 5, over=10) == ()  # not corrected itself


def test_calcium_between_two_corrections_lies_between_them() -> None:
    session = plain_session()
    correct(session, 4, annotation((20, 40)))
    correct(session, 8, annotation((20, 120)))
    made = filled(session, 8)
    assert sorted(made) == [5, 6, 7]
    session.edit("fill", with_filled(session.study.review, made))
    arcs = [session.results.frames[frame].max_arc_deg_visible for frame in range(4, 9)]
    assert arcs == sorted(arcs)
    assert arcs[2] == pytest.approx(80, abs=6)
    assert session.study.annotation(6).provenance is Provenance.SEMIAUTOMATIC
    assert session.study.review.interpolated == {5, 6, 7}


def test_the_models_lumen_stays_where_only_calcium_was_corrected() -> None:
    session = plain_session()
    for frame in (4, 8):
        model = session.study.predictions[frame]
        correct(session, frame, replace(model, calcium=annotation((20, 60)).calcium))
    made = filled(session, 8)
    for frame in (5, 6, 7):
        assert made[frame].lumen is session.study.predictions[frame].lumen
        assert made[frame].calcium


def test_the_models_calcium_stays_where_only_the_lumen_was_corrected() -> None:
    model = annotation((20, 60))
    session = make_session({index: replace(model) for index in range(30)})
    wider = annotation(lumen_mm=1.6).lumen
    for frame in (4, 8):
        correct(session, frame, replace(model, lumen=wider))
    made = filled(session, 8)
    for frame in (5, 6, 7):
        assert made[frame].calcium == session.study.predictions[frame].calcium
        assert made[frame].lumen.area_mm2 == pytest.approx(wider.area_mm2, rel=0.01)


def test_calcium_that_a_new_lumen_cut_off_is_no_correction_of_the_calcium() -> None:
    model = annotation((20, 60))
    session = make_session({4: model})
    correct(session, 4, annotation((20, 60), lumen_mm=1.9, front_mm=1.9))
    assert corrected_structures(session.study, 4) == {Structure.LUMEN}


def test_nothing_is_interpolated_between_corrections_of_different_structures() -> None:
    session = plain_session()
    correct(session, 4, annotation((20, 60)))
    correct(session, 8, annotation(lumen_mm=1.6))
    assert filled(session, 8) == {}


def test_frames_drawn_by_hand_excluded_or_confirmed_are_left_alone() -> None:
    session = plain_session()
    for frame in (4, 8):
        correct(session, frame, annotation((20, 60)))
    step = excluded(session.study.review, 5, "artefact")
    session.edit(step.label, step.review)
    review = replace(session.study.review, confirmed_frames=frozenset({6}))
    session.edit("confirm", review)
    assert sorted(filled(session, 8)) == [7]


def test_what_was_drawn_while_frames_were_filled_in_is_not_replaced() -> None:
    session = plain_session()
    for frame in (4, 8):
        correct(session, frame, annotation((20, 60)))
    made = filled(session, 8)
    correct(session, 6, annotation((20, 100)))
    drawn = session.study.review.edits[6]
    review = with_filled(session.study.review, made)
    assert review.edits[6] is drawn
    assert review.interpolated == {5, 7}


def test_a_second_correction_replaces_what_followed_from_the_first() -> None:
    session = plain_session()
    for frame in (4, 8):
        correct(session, frame, annotation((20, 60)))
    session.edit("fill", with_filled(session.study.review, filled(session, 8)))
    before = session.study.review.edits[6]
    correct(session, 8, annotation((20, 120)))
    session.edit("fill", with_filled(session.study.review, filled(session, 8)))
    assert session.study.review.edits[6] is not before
    assert session.results.frames[6].max_arc_deg_visible > 70


def test_frames_go_back_to_the_model_when_a_structure_is_no_longer_corrected() -> None:
    session = plain_session()
    for frame in (4, 8):
        correct(session, frame, annotation((20, 60)))
    session.edit("fill", with_filled(session.study.review, filled(session, 8)))
    correct(session, 8, session.study.predictions[8])
    made = filled(session, 8)
    assert made == dict.fromkeys((5, 6, 7))
    review = with_filled(session.study.review, made)
    assert set(review.edits) == {4, 8}
    assert review.interpolated == frozenset()


def test_guidewire_sectors_of_corrected_frames_are_interpolated_through_zero() -> None:
    session = plain_session()
    for frame, start in ((4, 350.0), (8, 354.0)):
        correct(session, frame, annotation(wire=(start, 20.0)))
    made = filled(session, 8)
    (wire,) = made[6].guidewires
    assert wire.start_deg == pytest.approx(352, abs=1.5)
    assert wire.extent_deg == pytest.approx(20, abs=1.5)


def test_unsegmented_frames_between_drawn_ones_are_filled_in() -> None:
    session = make_session({})
    for frame in (4, 6):
        correct(session, frame, annotation((20, 60)))
    made = filled(session, 6)
    assert made[5].provenance is Provenance.MANUAL
    assert made[5].lumen is not None


def test_reverting_an_end_and_drawing_it_again_fills_in_again() -> None:
    session = plain_session()
    for frame in (4, 8):
        correct(session, frame, annotation((20, 60)))
    session.edit("fill", with_filled(session.study.review, filled(session, 8)))
    step = reverted(session.study.review, 8)
    session.edit(step.label, step.review)
    assert by_hand(session.study.review) == {4}
    assert session.study.review.interpolated == frozenset()
    correct(session, 8, annotation((20, 90)))
    assert sorted(filled(session, 8)) == [5, 6, 7]


def test_nothing_to_fill_in_leaves_the_very_same_review() -> None:
    review = plain_session().study.review
    assert with_filled(review, MappingProxyType({})) is review
