"""Copy, revert, exclude: steps that keep what the operator decided elsewhere."""

from __future__ import annotations

import pytest

from calcviewer.app.correction import copied, corrected, excluded, included, reverted
from calcviewer.app.interpolation import filled_frames, spans_at, with_filled
from calcviewer.app.review import calibration_value
from calcviewer.app.session import Session
from calcviewer.core.annotation import Provenance
from calcviewer.core.errors import CalcViewerError
from calcviewer.core.pullback import Origin
from tests.corrections import annotation, correct, make_session


def test_a_copy_takes_the_borders_and_leaves_the_guidewire() -> None:
    session = make_session({3: annotation((20, 90), wire=(150, 20)), 4: annotation((200, 40))})
    own = annotation(wire=(250, 30))
    session = make_session({3: session.study.predictions[3], 4: own})
    step = copied(session.study, 4, 3)
    session.edit(step.label, step.review)
    made, source = session.study.annotation(4), session.study.annotation(3)
    assert step.label == "copy frame 4 into 5"
    assert made.lumen is source.lumen
    assert made.calcium == source.calcium
    assert made.guidewires == own.guidewires
    assert made.provenance is Provenance.SEMIAUTOMATIC


def test_a_frame_that_was_not_segmented_can_be_copied_into() -> None:
    session = make_session({3: annotation((20, 90), wire=(150, 20))})
    step = copied(session.study, 2, 3)
    session.edit(step.label, step.review)
    assert session.study.annotation(2).guidewires == session.study.annotation(3).guidewires
    assert session.study.annotation(2).provenance is Provenance.MANUAL
    assert session.results.frames[2].max_arc_deg_visible == pytest.approx(90, abs=2)


def test_what_is_copied_is_what_is_in_force_also_after_a_calibration() -> None:
    session = make_session({3: annotation((20, 90)), 4: annotation()})
    spacing = calibration_value(session.study, "sample_spacing_mm", 0.03, origin=Origin.OPERATOR)
    session.edit(spacing.label, spacing.review)
    step = copied(session.study, 4, 3)
    session.edit(step.label, step.review)
    here, there = session.results.frames[4], session.results.frames[3]
    assert here.calcium_area_mm2 == pytest.approx(there.calcium_area_mm2, rel=1e-9)


def test_what_cannot_be_copied_says_why() -> None:
    session = make_session({3: annotation()})
    with pytest.raises(CalcViewerError, match="no contours"):
        copied(session.study, 3, 2)
    with pytest.raises(CalcViewerError, match="no contours"):
        copied(session.study, 0, -1)
    step = excluded(session.study.review, 2, "artefact")
    session.edit(step.label, step.review)
    with pytest.raises(CalcViewerError, match="excluded"):
        copied(session.study, 2, 3)


def test_a_correction_takes_the_confirmation_and_the_mark_of_interpolation_back() -> None:
    session = make_session({index: annotation() for index in range(10)})
    for frame in (2, 6):
        correct(session, frame, annotation((20, 60)))
    fill(session, 6)
    assert session.study.review.interpolated == {3, 4, 5}
    correct(session, 4, annotation((20, 80)))
    assert session.study.review.interpolated == {3, 5}
    assert corrected(session.study, 4, annotation()).confirmed_frames == frozenset()


def test_revert_puts_the_model_back_and_what_followed_from_the_frame_goes() -> None:
    session = make_session({index: annotation() for index in range(12)})
    for frame in (1, 5, 9):
        correct(session, frame, annotation((20, 60)))
        fill(session, frame)
    assert session.study.review.interpolated == {2, 3, 4, 6, 7, 8}
    step = reverted(session.study.review, 5)
    session.edit(step.label, step.review)
    assert session.study.review.interpolated == frozenset()
    assert set(session.study.review.edits) == {1, 9}
    assert session.study.annotation(5) is session.study.predictions[5]
    session.undo()
    assert session.study.review.interpolated == {2, 3, 4, 6, 7, 8}


def test_reverting_an_interpolated_frame_leaves_the_others() -> None:
    session = make_session({index: annotation() for index in range(12)})
    for frame in (1, 5):
        correct(session, frame, annotation((20, 60)))
        fill(session, frame)
    step = reverted(session.study.review, 3)
    session.edit(step.label, step.review)
    assert session.study.review.interpolated == {2, 4}


def test_an_excluded_frame_counts_for_nothing_until_it_is_included_again() -> None:
    session = make_session({3: annotation((20, 90))})
    step = excluded(session.study.review, 3, "  poor clearance ")
    session.edit(step.label, step.review)
    assert session.study.review.excluded == {3: "poor clearance"}
    assert session.results.frames[3] is None
    step = included(session.study.review, 3)
    session.edit(step.label, step.review)
    assert session.results.frames[3] is not None
    assert session.undo_label == "include frame 4 again"


def fill(session: Session, frame: int) -> None:
    review = session.study.review
    filled = {}
    for span in spans_at(review, frame, over=10):
        filled |= dict(filled_frames(session.study, span))
    session.edit("fill", with_filled(review, filled))
