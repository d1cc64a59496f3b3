import timeit
from dataclasses import replace

import numpy as np
import pytest

from calcviewer.app.frames_to_check import (
    FrameToCheck,
    Suspicion,
    frames_to_check,
    gaps_deg,
    next_to_check,
    widest_run,
)
from calcviewer.app.results import compute_results
from calcviewer.core.annotation import annotation_from_labels
from calcviewer.core.doubt import CalciumDoubt
from calcviewer.core.geometry import Arc
from calcviewer.core.study import Review, Study
from calcviewer.modalities.ivoct.protocol import Protocol
from tests.phantoms import GRID, label_map, make_pullback

COUNT = 20


def annotation(*deposits, missed=0.0, doubtful=0.0, wire=None):
    doubt = CalciumDoubt(
        (Arc(10, missed),) if missed else (), (Arc(50, doubtful),) if doubtful else ()
    )
    found = annotation_from_labels(label_map(*deposits, wire=wire), GRID)
    return replace(found, doubt=doubt)


def checked(predictions, **review):
    count = max(predictions) + 1
    study = Study(
        make_pullback(count), Protocol(), predictions=predictions, review=Review(**review)
    )
    return {one.frame: one for one in frames_to_check(study, compute_results(study, {}))}


def plain():
    return dict.fromkeys(range(COUNT), annotation())


def test_only_doubt_above_its_limit_is_marked():
    predictions = plain()
    predictions[3] = annotation(missed=4)
    predictions[4] = annotation(missed=10)
    predictions[5] = annotation((40, 60), doubtful=19)
    predictions[6] = annotation((40, 60), doubtful=21)
    found = checked(predictions)
    assert found == {
        4: FrameToCheck(4, ((Suspicion.MISSED, 10.0),)),
        6: FrameToCheck(6, ((Suspicion.DOUBTFUL, 21.0),)),
    }


def test_missed_calcium_comes_before_doubtful():
    predictions = {**plain(), 7: annotation((40, 60), missed=12, doubtful=50)}
    one = checked(predictions)[7]
    assert [kind for kind, _ in one.suspicions] == [Suspicion.MISSED, Suspicion.DOUBTFUL]
    assert (one.suspicion, one.arc_deg) == (Suspicion.MISSED, 12)


def deposit_run(first, last, without=(), **more):
    predictions = plain()
    for frame in range(first, last + 1):
        predictions[frame] = annotation() if frame in without else annotation((350, 40))
    return predictions


def test_a_gap_between_neighbours_is_marked_also_through_zero_degrees():
    found = checked(deposit_run(5, 12, without=(8, 9)))
    assert sorted(found) == [8, 9]
    assert found[8].suspicion is Suspicion.GAP
    assert found[8].arc_deg == pytest.approx(40, abs=2)


def test_two_deposits_far_apart_are_no_gap():
    assert checked(deposit_run(5, 14, without=range(7, 13))) == {}
    assert sorted(checked(deposit_run(5, 13, without=range(7, 12)))) == list(range(7, 12))


def test_the_shadow_of_a_guidewire_is_no_gap():
    predictions = deposit_run(5, 12)
    predictions[8] = annotation(wire=(345, 50))
    assert checked(predictions) == {}


def test_calcium_elsewhere_does_not_fill_a_gap():
    predictions = deposit_run(5, 12)
    predictions[8] = annotation((200, 40))
    assert list(checked(predictions)) == [8]


def test_a_frame_loses_its_mark_when_it_is_confirmed_corrected_or_excluded():
    predictions = dict.fromkeys(range(5), annotation(missed=40))
    found = checked(
        predictions,
        confirmed_frames=frozenset({1}),
        edits={2: annotation((40, 60))},
        excluded={3: "poor clearance"},
    )
    assert sorted(found) == [0, 4]


def test_only_the_volume_of_interest_is_marked():
    predictions = dict.fromkeys(range(10), annotation(missed=40))
    assert sorted(checked(predictions, voi=(3, 5))) == [3, 4, 5]


def test_frames_not_measured_are_no_gap():
    predictions = deposit_run(5, 12)
    del predictions[8]
    study = Study(make_pullback(COUNT), Protocol(), predictions=predictions)
    assert set(gaps_deg(compute_results(study, {}).frames)) == {0.0}


def test_next_to_check_goes_round():
    frames = tuple(FrameToCheck(k, ((Suspicion.GAP, 30.0),)) for k in (3, 8))
    assert [next_to_check(frames, k) for k in (0, 3, 8)] == [3, 8, 3]
    assert next_to_check((), 0) is None


def test_widest_run_goes_round_the_circle():
    rays = np.zeros((4, 360), dtype=bool)
    rays[1, [0, 1, 358, 359, 100, 101, 102]] = True
    rays[2] = True
    rays[3, 359] = True
    assert widest_run(rays).tolist() == [0, 4, 360, 1]


def test_during_a_drag_little_is_computed_anew():
    """Relative to the first time, so that the machine's speed does not count."""
    rng = np.random.default_rng(0)
    some = {k: annotation((int(rng.integers(360)), 90)) for k in range(270)}
    study = Study(make_pullback(540), Protocol(), predictions={k: some[k // 2] for k in range(540)})
    results = compute_results(study, {})
    first_s, again_s = (
        min(timeit.repeat(lambda: frames_to_check(study, results), number=1, repeat=repeat))
        for repeat in (1, 5)
    )
    print(f"\n540 frames: {1e3 * first_s:.1f} ms, then {1e3 * again_s:.1f} ms")
    assert again_s < 0.6 * first_s
