"""Reviews as bytes and plain values: what is read back is what was there, to the last bit."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calcviewer.app.review_store.encoding import (
    BY_FRAME,
    SETS,
    WHOLE,
    Changes,
    annotation_bytes,
    annotation_of,
    applied,
    changes_between,
    decides,
    moved,
)
from calcviewer.app.session import History
from calcviewer.core.annotation import FrameAnnotation
from calcviewer.core.contour import Contour
from calcviewer.core.doubt import CalciumDoubt
from calcviewer.core.free_measurement import FreeMeasurement
from calcviewer.core.geometry import Arc, CartesianGrid
from calcviewer.core.pullback import CalibratedValue, Calibration, Origin
from calcviewer.core.study import GuidewireDecision, Review
from tests.app.review_store.kept_reviews import circle_mm, drawn, plain
from tests.phantoms import GRID

numbers = st.floats(-20, 20, allow_nan=False)
rings = st.lists(st.tuples(numbers, numbers), min_size=3, max_size=9).map(np.array)
arcs = st.builds(Arc, st.floats(0, 359), st.floats(0, 360))
contours = st.builds(Contour, rings, st.lists(rings, max_size=2).map(tuple))
annotations = st.builds(
    FrameAnnotation,
    lumen=st.none() | contours,
    calcium=st.lists(contours, max_size=3).map(tuple),
    guidewires=st.lists(arcs, max_size=2).map(tuple),
    hidden_back=st.lists(arcs, max_size=2).map(tuple),
    failure=st.sampled_from(["", "no lumen – “dunkel”"]),
    doubt=st.none() | st.builds(CalciumDoubt, st.lists(arcs, max_size=2).map(tuple)),
    eel=st.none() | contours,
)

FULL = Review(
    edits=MappingProxyType({2: drawn(1.0)}),
    excluded=MappingProxyType({1: "blood"}),
    guidewire_decisions=(GuidewireDecision(0, 3, True, "ann", "2026-01-01T10:00:00+01:00"),),
    voi=(1, 3),
    confirmed_frames=frozenset({0, 2}),
    confirmed_lesions=frozenset({(0, 1), (2, 3)}),
    bookmarks=frozenset({3}),
    comments=MappingProxyType({0: "stent edge"}),
    calibration=Calibration(CalibratedValue(0.1 + 0.2, Origin.CATHETER, "ring"), None, None),
    interpolated=frozenset({1}),
    free_measurements=MappingProxyType(
        {2: (FreeMeasurement("angle", np.array([[0.1, 0.2], [0.3, 1 / 3], [1.0, 0.0]])),)}
    ),
)


def through_json(changes: Changes) -> Changes:
    edits = {
        frame: one and annotation_of(annotation_bytes(one)) for frame, one in changes.edits.items()
    }
    return Changes(edits, json.loads(json.dumps(changes.others)))


@given(annotations)
def test_an_annotation_is_read_back_exactly(annotation: FrameAnnotation) -> None:
    stored = annotation_bytes(annotation)
    back = annotation_of(stored)
    assert annotation_bytes(back) == stored
    assert (back.doubt, back.guidewires) == (annotation.doubt, annotation.guidewires)
    assert [one.area_mm2 for one in back.calcium] == [one.area_mm2 for one in annotation.calcium]


def test_every_part_of_a_review_is_kept() -> None:
    assert {"edits", *BY_FRAME, *SETS, *WHOLE} == {one.name for one in fields(Review)}
    empty = Review()
    same = [
        one.name for one in fields(Review) if getattr(FULL, one.name) == getattr(empty, one.name)
    ]
    assert same == []  # the example says something in every part
    back = applied(through_json(changes_between(empty, FULL)), empty)
    assert plain(History(back)) == plain(History(FULL))


def test_every_part_of_a_review_can_be_taken_back() -> None:
    back = applied(through_json(changes_between(FULL, Review())), FULL)
    assert plain(History(back)) == plain(History(Review()))
    assert decides(FULL)
    assert not decides(back)


def test_only_what_changed_is_written() -> None:
    step = changes_between(FULL, FULL.with_edit(3, drawn(2.0)))
    assert (list(step.edits), dict(step.others)) == ([3], {})
    step = changes_between(FULL, replace(FULL, bookmarks=frozenset({0, 3})))
    assert (dict(step.edits), dict(step.others)) == ({}, {"bookmarks": {"in": [0], "out": []}})


@pytest.mark.parametrize("cut", [0, 3, 40, -8, -1])
def test_cut_bytes_are_refused(cut: int) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        annotation_of(annotation_bytes(drawn(1.0))[:cut])


def test_what_was_drawn_stays_on_its_pixels_on_another_grid() -> None:
    finer = replace(GRID, sample_spacing_mm=GRID.sample_spacing_mm / 2)
    points = circle_mm(1.0, 8)
    review = Review(
        edits=MappingProxyType({0: drawn(1.0)}),
        free_measurements=MappingProxyType({0: (FreeMeasurement("length", points),)}),
    )
    there = applied(moved(changes_between(Review(), review), GRID, finer), Review())
    np.testing.assert_allclose(there.free_measurements[0][0].points_mm, points / 2)
    assert there.edits[0].lumen is not None
    np.testing.assert_allclose(there.edits[0].lumen.points_mm, circle_mm(1.0, 24) / 2)


def test_a_new_centre_moves_what_was_drawn() -> None:
    before = CartesianGrid(100, 100, 0.1, (50.0, 50.0))
    after = replace(before, centre_px=(51.0, 48.0))
    changes = changes_between(Review(), Review().with_edit(0, drawn(1.0)))
    there = applied(moved(changes, before, after), Review()).edits[0]
    assert there.lumen is not None
    np.testing.assert_allclose(there.lumen.points_mm, circle_mm(1.0, 24) + np.array([-0.1, 0.2]))
