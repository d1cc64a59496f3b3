from dataclasses import replace

import pytest

from calcviewer.app.lesion_report.lesion import in_force
from calcviewer.app.results import most_severe
from calcviewer.core.study import GuidewireDecision
from calcviewer.gui.flags import FlagKind, flags_of
from tests.gui.pullbacks import annotation, make_session


def by_kind(session):
    return {flag.kind: flag for flag in flags_of(session.results)}


def test_flags_are_where_the_phantom_has_its_maxima():
    flags = by_kind(make_session())
    assert flags[FlagKind.MAX_ARC].frame == 14
    assert flags[FlagKind.MAX_ARC].value == pytest.approx(200, abs=3)
    assert flags[FlagKind.MAX_THICKNESS].frame == 17
    assert flags[FlagKind.MAX_THICKNESS].value == pytest.approx(0.9, abs=0.03)
    assert flags[FlagKind.MLA].frame == 12
    assert flags[FlagKind.MLA].value == pytest.approx(3.14159 * 1.3**2, rel=0.02)
    assert flags[FlagKind.DISTAL_REFERENCE].frame < 10
    assert flags[FlagKind.PROXIMAL_REFERENCE].frame > 19


def test_flags_come_in_order_along_the_pullback():
    frames = [flag.frame for flag in flags_of(make_session().results)]
    assert frames == sorted(frames)
    assert len(frames) == 5


def test_flags_are_those_of_the_voi():
    session = make_session()
    session.edit("voi", replace(session.study.review, voi=(25, 35)))
    flags = by_kind(session)
    assert flags[FlagKind.MAX_ARC].frame == 30
    assert 25 <= flags[FlagKind.MLA].frame <= 35


def test_without_a_scale_only_the_arc_is_flagged():
    assert set(by_kind(make_session(calibrated=False))) == {FlagKind.MAX_ARC}


def test_without_calcium_only_the_lumen_is_flagged():
    session = make_session(dict.fromkeys(range(40), annotation()))
    assert set(by_kind(session)) == {FlagKind.MLA}


def test_nothing_is_flagged_before_the_segmentation():
    assert flags_of(make_session({}).results) == ()


def test_the_arc_is_the_one_the_operator_decided_for():
    frames = {frame: annotation((20, 120)) for frame in range(40)}
    frames[22] = annotation((20, 100), (140, 90), wire=(120, 20))
    session = make_session(frames)
    lesion = most_severe(session.results.lesions)
    assert by_kind(session)[FlagKind.MAX_ARC].frame != 22
    decision = GuidewireDecision(*lesion.frame_range, True, "operator", "now")
    session.edit("bridge", replace(session.study.review, guidewire_decisions=(decision,)))
    flag = by_kind(session)[FlagKind.MAX_ARC]
    assert flag.frame == 22
    assert flag.value == in_force(most_severe(session.results.lesions)).max_arc_deg
