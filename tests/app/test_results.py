"""Results that follow edits are those computed from scratch."""

from __future__ import annotations

import math
import time
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calcviewer.app import results
from calcviewer.app.correction import corrected, excluded, included, reverted
from calcviewer.app.results import Results, compute_results
from calcviewer.app.review import calibration_value, no_voi, voi_from
from calcviewer.app.session import History, Session
from calcviewer.core.pullback import Origin
from calcviewer.core.study import ModelReference
from calcviewer.modalities.ivoct.quantify import FrameMeasurement
from tests.corrections import annotation, make_session

FRAMES = 12
KINDS = [
    annotation(),
    annotation((20, 90)),
    annotation((20, 190)),
    annotation((100, 90), (300, 40), wire=(200, 30)),
]
MODEL = ModelReference("phantom", "1.0", "0" * 64, "CPUExecutionProvider")
DEEDS = ("correct", "revert", "exclude", "include", "voi", "no voi", "scale", "undo", "redo", "new")


def same_frame(one: FrameMeasurement | None, other: FrameMeasurement | None) -> bool:
    if one is None or other is None:
        return one is other
    pairs = [(getattr(one, entry.name), getattr(other, entry.name)) for entry in fields(one)]
    return all(
        np.array_equal(first, second, equal_nan=True)
        if isinstance(first, np.ndarray)
        else repr(first) == repr(second)
        for first, second in pairs
    )


def same(one: Results, other: Results) -> bool:
    frames = zip(one.frames, other.frames, strict=True)
    followed = one.lesions == other.lesions and one.vessel == other.vessel
    return followed and all(same_frame(first, second) for first, second in frames)


def do(session: Session, run: int, deed: str, frame: int, kind: int) -> None:
    study = session.study
    review = study.review
    steps = {
        "revert": lambda: reverted(review, frame).review,
        "exclude": lambda: excluded(review, frame, "artefact").review,
        "include": lambda: included(review, frame).review,
        "voi": lambda: voi_from(review, frame, FRAMES).review,
        "no voi": lambda: no_voi(review).review,
        "correct": lambda: corrected(study, frame, replace(KINDS[kind])),
        "scale": lambda: (
            calibration_value(
                study, "sample_spacing_mm", 0.02 + 0.001 * kind, origin=Origin.OPERATOR
            ).review
        ),
    }
    if deed == "undo":
        session.undo()
    elif deed == "redo":
        session.redo()
    elif deed == "new":
        session.add_prediction(run, frame, replace(KINDS[kind]))
    else:
        session.edit(deed, steps[deed]())


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    deeds=st.lists(
        st.tuples(
            st.sampled_from(DEEDS),
            st.integers(0, FRAMES - 1),
            st.integers(0, len(KINDS) - 1),
            st.booleans(),
        ),
        max_size=12,
    )
)
def test_results_are_those_from_scratch_whatever_was_done(
    deeds: list[tuple[str, int, int, bool]],
) -> None:
    session = make_session({index: replace(KINDS[1]) for index in range(4, 9)}, frames=FRAMES)
    run = session.start_run(MODEL)
    for deed, frame, kind, looked in deeds:
        do(session, run, deed, frame, kind)
        if looked:  # results between two deeds must not matter for what comes after
            assert same(session.results, compute_results(session.study, {}))
    assert same(session.results, compute_results(session.study, {}))


def test_frames_can_be_measured_a_few_at_a_time() -> None:
    session = make_session({index: replace(KINDS[3]) for index in range(FRAMES)}, frames=FRAMES)
    slices = 1
    while not session.measure(time.monotonic()):
        slices += 1
        assert slices < 100
    assert slices > 2
    assert same(session.results, compute_results(session.study, {}))


def test_what_a_stored_review_needs_can_be_measured_before_it_is_in_force(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    session = make_session({}, frames=FRAMES)
    review = session.study.review.with_edit(3, KINDS[2]).with_edit(5, KINDS[1])
    assert session.measure(math.inf, review)
    assert session.results.frames == (None,) * FRAMES
    monkeypatch.setattr(results, "quantify_frame", None)  # nothing is left to measure
    session.resume(History(review))
    assert [i for i, frame in enumerate(session.results.frames) if frame] == [3, 5]
