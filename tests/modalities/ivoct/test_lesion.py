from __future__ import annotations

import time
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calcviewer.core.annotation import FrameAnnotation
from calcviewer.core.contour import Contour
from calcviewer.core.geometry import Arc, to_xy
from calcviewer.core.pullback import CalibratedValue, Calibration, Origin
from calcviewer.core.study import GuidewireDecision
from calcviewer.modalities.ivoct.lesion import Lesion, find_lesions
from calcviewer.modalities.ivoct.protocol import Protocol
from calcviewer.modalities.ivoct.quantify import FrameMeasurement, quantify_frame

PROTOCOL = Protocol()
EMPTY = FrameMeasurement(
    lumen_area_mm2=6.0,
    calcium_area_mm2=0.0,
    max_arc_deg_visible=0.0,
    max_arc_deg_bridged=0.0,
    sum_arc_deg=0.0,
)


def calcium(visible=90.0, bridged=None, thickness=0.6, area=1.5, **rest) -> FrameMeasurement:
    fields = {
        "calcium_area_mm2": area,
        "max_arc_deg_visible": visible,
        "max_arc_deg_bridged": visible if bridged is None else bridged,
        "sum_arc_deg": visible,
        "max_thickness_mm": thickness,
        "mean_thickness_mm": thickness / 2,
        "min_depth_mm": 0.1,
        "mean_depth_mm": 0.2,
        "calcified": True,
    }
    return replace(EMPTY, **(fields | rest))


def calibrated(pitch_mm: float | None = 0.2) -> Calibration:
    return Calibration(
        sample_spacing_mm=CalibratedValue(0.005, Origin.DICOM),
        frame_pitch_mm=None if pitch_mm is None else CalibratedValue(pitch_mm, Origin.DICOM),
        zero_radius_mm=CalibratedValue(0.0, Origin.DICOM),
    )


def lesions(frames, pitch_mm=0.2, protocol=PROTOCOL, **rest) -> tuple[Lesion, ...]:
    options = {"voi": None, "decisions": (), "motorised": True} | rest
    return find_lesions(frames, calibration=calibrated(pitch_mm), protocol=protocol, **options)


def pullback(pattern: str) -> list[FrameMeasurement | None]:
    """ "c" has calcium, "." has none, "x" is excluded."""
    return [{"c": calcium(), ".": EMPTY, "x": None}[letter] for letter in pattern]


def reasons_by_frame(lesion: Lesion) -> dict[int, tuple[str, ...]]:
    return {decisive.frame: decisive.reasons for decisive in lesion.decisive_frames}


def ranges(found: tuple[Lesion, ...]) -> list[tuple[int, int]]:
    return [lesion.frame_range for lesion in found]


def test_no_calcium_no_lesion():
    assert lesions([EMPTY] * 20) == ()
    assert lesions([]) == ()
    assert lesions([None] * 5) == ()


@pytest.mark.validation
@pytest.mark.parametrize(
    ("pattern", "pitch_mm", "expected"),
    [
        ("..ccc..", 0.2, [(2, 4)]),
        ("ccc....cc", 0.2, [(0, 8)]),  # 0.8 mm apart
        ("ccc.....cc", 0.2, [(0, 2), (8, 9)]),  # exactly 1 mm is not closer than 1 mm
        ("c" + 9 * "." + "c", 0.1, [(0, 10)]),
        ("c" + 10 * "." + "c", 0.1, [(0, 0), (11, 11)]),
        ("ccc..cc", 0.4, [(0, 6)]),
        ("ccc...cc", 0.4, [(0, 2), (6, 7)]),
        ("c.c.c.c", 0.2, [(0, 6)]),
        ("ccxcc", 0.2, [(0, 4)]),
        ("ccxxxxxcc", 0.2, [(0, 1), (7, 8)]),
        ("cc", 3.0, [(0, 1)]),  # neighbours are one lesion however far apart
        ("ccc....cc", None, [(0, 8)]),
        ("ccc.....cc", None, [(0, 2), (8, 9)]),
    ],
)
def test_runs_of_calcified_frames(pattern, pitch_mm, expected):
    assert ranges(lesions(pullback(pattern), pitch_mm)) == expected


def test_frame_gap_is_used_without_a_motorised_pullback():
    assert ranges(lesions(pullback("c..c"), 0.9)) == [(0, 0), (3, 3)]
    found = lesions(pullback("c..c"), 0.9, motorised=False)
    assert ranges(found) == [(0, 3)]
    assert "5 frames" in found[0].grouping
    assert "motorised" in found[0].grouping


def test_the_rule_is_said():
    frames = pullback("..cc..cc")
    assert lesions(frames)[0].grouping == "calcified frames less than 1 mm apart"
    assert lesions(frames, None)[0].grouping == (
        "calcified frames less than 5 frames apart (frame pitch unknown)"
    )
    assert "frames 1 to 8" in lesions(frames, voi=(0, 7))[0].grouping


@pytest.mark.parametrize(
    ("voi", "expected"),
    [
        ((0, 19), [(1, 18)]),
        ((2, 10), [(2, 3)]),
        ((3, 17), [(3, 17)]),
        ((5, 15), []),
    ],
)
def test_all_calcium_in_the_voi_is_one_lesion(voi, expected):
    frames = pullback(".ccc............ccc.")
    assert ranges(lesions(frames)) == [(1, 3), (16, 18)]
    assert ranges(lesions(frames, voi=voi)) == expected


@pytest.mark.validation
@pytest.mark.parametrize(
    ("count", "pitch_mm", "length_mm", "points"),
    [
        (73, 0.1, 7.3, 1),  # the seed's Ca3
        (32, 0.1, 3.2, 0),  # the seed's Ca4 ...
        (32, 0.2, 6.4, 1),  # ... at the pitch its methods section gives
        (25, 0.2, 5.0, 0),
        (26, 0.2, 5.2, 1),
        (50, 0.1, 5.0, 0),
        (51, 0.1, 5.1, 1),
        (1, 0.2, 0.2, 0),
        (3, 0.1, 0.3, 0),
        (1, 0.123456789, 0.123456789, 0),  # rounded far below any pitch that is given
    ],
)
def test_length_is_exact(count, pitch_mm, length_mm, points):
    (lesion,) = lesions([EMPTY] * 3 + [calcium()] * count + [EMPTY] * 3, pitch_mm)
    assert lesion.length_mm == length_mm
    assert lesion.visible.score.points.length == points
    assert lesion.frame_count == count
    assert lesion.length_unavailable == ""


@pytest.mark.parametrize(
    ("frames", "options", "reason"),
    [
        ([calcium()], {}, "single frame"),
        ([calcium()] * 30, {"motorised": False}, "motorised"),
        ([calcium()] * 30, {"pitch_mm": None}, "frame pitch"),
    ],
)
def test_no_length_and_why(frames, options, reason):
    (lesion,) = lesions(frames, **options)
    assert lesion.length_mm is None
    assert reason in lesion.length_unavailable
    assert lesion.calcium_volume_mm3 is None
    assert lesion.visible.score.missing == ("length",)
    assert lesion.visible.score.total is None
    assert lesion.margins.length_mm is None


@pytest.mark.validation
def test_values_of_a_lesion():
    frames = [
        EMPTY,
        calcium(visible=40, thickness=0.4, area=1.0, min_depth_mm=0.3, mean_depth_mm=0.5),
        calcium(visible=100, thickness=0.9, area=2.0, thickness_capped=True, back_hidden=True),
        None,
        calcium(visible=70, thickness=0.8, area=3.0, min_depth_mm=0.05),
        EMPTY,
    ]
    (lesion,) = lesions(frames)
    assert lesion.frame_range == (1, 4)
    assert lesion.length_mm == 0.8
    assert (lesion.max_thickness_mm, lesion.max_thickness_frame) == (0.9, 2)
    assert lesion.thickness_capped
    assert lesion.back_hidden
    assert (lesion.visible.max_arc_deg, lesion.visible.max_arc_frame) == (100, 2)
    assert lesion.mean_arc_deg == pytest.approx(70)
    assert lesion.mean_thickness_mm == pytest.approx(0.35)
    assert lesion.mean_calcium_area_mm2 == pytest.approx(2.0)
    assert lesion.calcium_volume_mm3 == pytest.approx(6.0 * 0.2)
    assert lesion.min_depth_mm == 0.05
    assert lesion.mean_depth_mm == pytest.approx((0.5 + 0.2 + 0.2) / 3)
    assert lesion.unmeasured_frames == (3,)
    assert lesion.verdict.total == 1
    assert lesion.margins.arc_visible_deg == -80
    assert lesion.margins.thickness_mm == pytest.approx(0.4)
    assert lesion.margins.length_mm == pytest.approx(-4.2)


def test_excluded_frames_beside_a_lesion_are_not_of_it():
    (lesion,) = lesions(pullback("xcxcx"))
    assert lesion.frame_range == (1, 3)
    assert lesion.unmeasured_frames == (2,)


def test_results_are_immutable():
    (lesion,) = lesions(pullback("ccc"))
    for result, name in (
        (lesion, "verdict"),
        (lesion.visible, "score"),
        (lesion.margins, "length_mm"),
        (lesion.decisive_frames[0], "reasons"),
    ):
        with pytest.raises(FrozenInstanceError):
            setattr(result, name, None)
    for many_values in (lesion, lesion.margins):
        with pytest.raises(TypeError, match="positional"):
            type(many_values)(*vars(many_values).values())


def test_without_sample_spacing_the_thickness_is_missing():
    nothing = dict.fromkeys(
        ("calcium_area_mm2", "max_thickness_mm", "mean_thickness_mm", "min_depth_mm"), None
    )
    frames = [replace(calcium(visible=200), **nothing, mean_depth_mm=None)] * 30
    (lesion,) = lesions(frames)
    assert lesion.max_thickness_mm is None
    assert lesion.max_thickness_frame is None
    assert lesion.calcium_volume_mm3 is None
    assert lesion.verdict.missing == ("thickness",)
    assert (lesion.verdict.lowest, lesion.verdict.highest) == (3, 4)


def test_without_any_lumen_the_arc_is_missing():
    nothing = dict.fromkeys(
        ("max_arc_deg_visible", "max_arc_deg_bridged", "sum_arc_deg", "lumen_area_mm2")
    )
    (lesion,) = lesions([replace(calcium(), **nothing)] * 30)
    assert lesion.visible.max_arc_deg is None
    assert lesion.visible.max_arc_frame is None
    assert lesion.verdict.missing == ("arc",)
    assert not lesion.guidewire_decides


def guidewire_pullback() -> list[FrameMeasurement]:
    """The seed's Ca5: 123 frames, 146 degrees beside the wire, 227 with the shadow counted."""
    frames = [calcium(visible=120, bridged=150, thickness=0.6)] * 123
    frames[60] = calcium(visible=146, bridged=227, thickness=0.88)
    return frames


def answer(bridge: bool, first=0, last=122) -> GuidewireDecision:
    return GuidewireDecision(first, last, bridge, "Dr A", "2025-01-01T00:00:00Z")


@pytest.mark.validation
def test_guidewire_decides():
    (lesion,) = lesions(guidewire_pullback(), 0.1)
    assert lesion.length_mm == 12.3
    assert lesion.visible.score.total == 2
    assert lesion.bridged.score.total == 4
    assert lesion.visible.max_arc_deg == 146
    assert lesion.bridged.max_arc_deg == 227
    assert lesion.guidewire_decides
    assert lesion.decision is None
    assert lesion.verdict is None
    assert lesion.verdict_text == "guidewire decides: 2 or 4"
    assert (lesion.margins.arc_visible_deg, lesion.margins.arc_bridged_deg) == (
        146 - 180,
        227 - 180,
    )
    assert reasons_by_frame(lesion)[60] == (
        "maximum arc",
        "maximum bridged arc",
        "maximum thickness",
        "guidewire decides",
    )


def test_the_maximum_of_each_arc_is_reviewed():
    frames = guidewire_pullback()
    frames[30] = calcium(visible=150, bridged=160)
    (lesion,) = lesions(frames, 0.1)
    assert (lesion.visible.max_arc_frame, lesion.bridged.max_arc_frame) == (30, 60)
    assert "maximum arc" in reasons_by_frame(lesion)[30]
    assert "maximum bridged arc" in reasons_by_frame(lesion)[60]


@pytest.mark.parametrize(("bridge", "total"), [(True, 4), (False, 2)])
def test_operator_decides(bridge, total):
    (lesion,) = lesions(guidewire_pullback(), 0.1, decisions=[answer(bridge)])
    assert lesion.guidewire_decides
    assert lesion.decision == answer(bridge)
    assert lesion.verdict.total == total
    assert lesion.verdict_text == str(total)


def test_last_answer_holds():
    answers = [answer(True), answer(False)]
    (lesion,) = lesions(guidewire_pullback(), 0.1, decisions=answers)
    assert lesion.verdict.total == 2


def test_answer_for_other_frames_does_not_hold():
    for other in (answer(True, 0, 59), answer(True, 61, 122)):
        (lesion,) = lesions(guidewire_pullback(), 0.1, decisions=[other])
        assert lesion.verdict is None
    for enough in (answer(True, 50, 70), answer(True, 60, 60)):
        (lesion,) = lesions(guidewire_pullback(), 0.1, decisions=[enough])
        assert lesion.verdict.total == 4


def test_lesion_that_grew_into_a_new_question_is_undecided():
    frames = guidewire_pullback()
    frames[100] = calcium(visible=150, bridged=200)
    (lesion,) = lesions(frames, 0.1, decisions=[answer(True, 0, 90)])
    assert lesion.verdict is None


def test_guidewire_without_influence_is_no_question():
    frames = [calcium(visible=190, bridged=250)] * 30 + [calcium(visible=100, bridged=200)] * 5
    (lesion,) = lesions(frames, decisions=[answer(True)])
    assert not lesion.guidewire_decides
    assert lesion.decision is None
    assert lesion.verdict == lesion.visible.score == lesion.bridged.score
    reasons = {reason for decisive in lesion.decisive_frames for reason in decisive.reasons}
    assert "guidewire decides" not in reasons
    low = lesions([calcium(visible=60, bridged=120)] * 30)[0]
    assert not low.guidewire_decides


def test_frames_without_a_lumen_raise_no_question():
    nothing = dict.fromkeys(("max_arc_deg_visible", "max_arc_deg_bridged"))
    frames = guidewire_pullback()
    frames[61] = replace(calcium(), **nothing)
    (lesion,) = lesions(frames, 0.1, decisions=[answer(True, 60, 60)])
    assert lesion.guidewire_decides
    assert lesion.decision == answer(True, 60, 60)


def test_guidewire_question_while_the_length_is_missing():
    (lesion,) = lesions(guidewire_pullback(), None)
    assert lesion.guidewire_decides
    assert lesion.verdict_text == (
        "guidewire decides: 1 to 2 (length missing) or 3 to 4 (length missing)"
    )


def test_decisive_frames():
    frames = [calcium(visible=60, thickness=0.3)] * 40
    frames[5] = calcium(visible=170, thickness=0.3)
    frames[10] = calcium(visible=90, thickness=0.53)
    frames[20] = calcium(visible=190, thickness=0.54)
    frames[30] = calcium(visible=164, thickness=0.44)
    (lesion,) = lesions([EMPTY] * 2 + frames, 0.2)
    assert reasons_by_frame(lesion) == {
        2: ("first frame of the lesion",),
        7: ("arc near its threshold",),
        12: ("thickness near its threshold",),
        22: (
            "maximum arc",
            "maximum thickness",
            "arc near its threshold",
            "thickness near its threshold",
        ),
        41: ("last frame of the lesion",),
    }


def test_a_settled_criterion_asks_for_no_other_frame():
    frames = [calcium(visible=170, thickness=0.49)] * 40
    frames[20] = calcium(visible=245, thickness=0.9)
    (lesion,) = lesions(frames)
    assert [decisive.frame for decisive in lesion.decisive_frames] == [0, 20, 39]


def test_ends_are_named_when_the_length_is_near_its_threshold():
    (lesion,) = lesions([calcium(thickness=1.0)] * 26)
    assert lesion.decisive_frames[-1].reasons == (
        "last frame of the lesion, length near its threshold",
    )
    (far,) = lesions([calcium(thickness=1.0)] * 40)
    assert far.decisive_frames[-1].reasons == ("last frame of the lesion",)


@pytest.mark.parametrize(
    ("count", "near"), [(44, False), (45, True), (50, True), (55, True), (56, False)]
)
def test_a_length_on_its_margin_is_near(count, near):
    (lesion,) = lesions([calcium(thickness=1.0)] * count, 0.1)
    for end in (lesion.decisive_frames[0], lesion.decisive_frames[-1]):
        assert any("length near" in reason for reason in end.reasons) == near


@pytest.mark.parametrize(("arc_deg", "near"), [(164.9, False), (165, True), (195, True)])
def test_an_arc_on_its_margin_is_near(arc_deg, near):
    frames = [calcium(visible=60, thickness=0.9)] * 40
    frames[20] = calcium(visible=arc_deg, thickness=0.9)
    (lesion,) = lesions(frames)
    assert ("arc near its threshold" in reasons_by_frame(lesion)[20]) == near


def test_an_arc_on_its_margin_settles_nothing():
    frames = [calcium(visible=60, thickness=0.9)] * 40
    frames[10] = calcium(visible=170, thickness=0.9)
    frames[20] = calcium(visible=195, thickness=0.9)
    assert 10 in reasons_by_frame(lesions(frames)[0])
    frames[20] = calcium(visible=195.1, thickness=0.9)
    assert 10 not in reasons_by_frame(lesions(frames)[0])


def test_margins_come_from_the_protocol():
    frames = [calcium(visible=60, thickness=0.2)] * 40
    frames[5] = calcium(visible=150, thickness=0.2)
    frames[6] = calcium(visible=175, thickness=0.3)
    wide = Protocol(arc_margin_deg=40, thickness_margin_mm=0.25)
    (lesion,) = lesions(frames, protocol=wide)
    reasons = reasons_by_frame(lesion)
    assert reasons[5] == ("arc near its threshold",)
    assert reasons[6] == (
        "maximum arc",
        "maximum thickness",
        "arc near its threshold",
        "thickness near its threshold",
    )


def test_calcium_drawn_across_the_shadow_is_listed():
    frames = [calcium()] * 3 + [calcium(calcium_in_shadow=True)] * 2
    assert lesions(frames)[0].frames_with_calcium_in_shadow == (3, 4)


def sector(start: float, extent: float) -> Contour:
    angles = np.linspace(start, start + extent, 100)
    return Contour(
        np.concatenate([to_xy(angles, np.full(100, 1.8)), to_xy(angles[::-1], np.full(100, 2.5))])
    )


@pytest.mark.validation
def test_from_contours_to_the_question_of_the_guidewire():
    lumen = Contour(to_xy(np.arange(360.0), np.full(360, 1.5)))
    annotation = FrameAnnotation(
        lumen=lumen, calcium=(sector(54, 146), sector(220, 61)), guidewires=(Arc(200, 20),)
    )
    frame = quantify_frame(annotation, calibrated(), PROTOCOL)
    (lesion,) = lesions([frame] * 30)
    assert lesion.verdict_text == "guidewire decides: 2 or 4"
    assert lesion.length_mm == 6.0
    assert lesion.max_thickness_mm == pytest.approx(0.7, abs=1e-3)


@given(
    st.lists(st.sampled_from("c.x"), max_size=60).map("".join), st.sampled_from([0.1, 0.2, None])
)
def test_every_calcified_frame_is_in_exactly_one_lesion(pattern, pitch_mm):
    found = lesions(pullback(pattern), pitch_mm)
    covered = [i for first, last in ranges(found) for i in range(first, last + 1)]
    assert len(covered) == len(set(covered))
    assert covered == sorted(covered)
    assert {i for i, letter in enumerate(pattern) if letter == "c"} <= set(covered)
    assert all(pattern[first] == pattern[last] == "c" for first, last in ranges(found))


def test_speed_of_a_pullback(capsys):
    """Printed, not asserted: what the machine does meanwhile is not this test's business."""
    frames = (guidewire_pullback() + [EMPTY] * 30) * 4
    times_s = []
    for _ in range(20):
        begin = time.process_time()
        lesions(frames[:540])
        times_s.append(time.process_time() - begin)
    with capsys.disabled():
        print(f"\nlesions and scores of 540 frames in {1000 * np.median(times_s):.2f} ms")
