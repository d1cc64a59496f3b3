"""What holds for every edit, whatever the gesture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from calcviewer.core.annotation import FrameAnnotation
from calcviewer.core.editing.clipping import clipped
from calcviewer.core.editing.rings import winds_round_catheter
from tests.editing_scenes import (
    FIELD,
    OPERATIONS,
    Gesture,
    annotations,
    assert_in_order,
    difference_mm2,
    gestures,
    turned,
    turned_gesture,
)

many = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
few = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize("name", OPERATIONS)
@many
@given(before=annotations(with_lumen=False), gesture=gestures())
def test_everything_stays_in_its_place(name: str, before: FrameAnnotation, gesture: Gesture):
    after = OPERATIONS[name](before, gesture)
    assert_in_order(after)
    if before.lumen is not None and name != "removed":
        assert after.lumen is not None
        held = winds_round_catheter(before.lumen.points_mm, 0.0)
        assert not held or winds_round_catheter(after.lumen.points_mm, 0.0)


@pytest.mark.parametrize("name", OPERATIONS)
@few
@given(before=annotations(), gesture=gestures())
def test_nothing_is_left_to_clip(name: str, before: FrameAnnotation, gesture: Gesture):
    after = OPERATIONS[name](before, gesture)
    assert clipped(after, FIELD) is after


# Off every axis on which the drawn annotations can be symmetric: of two points of a border that
# are equally near to a grab rounding decides which is pulled, and a turn may decide otherwise.
OFF_AXIS_MM = np.array([np.sqrt(2), np.sqrt(3)]) / 100


# Of two equal loops of a lasso either may stay, and of a circle any points can be the handles.
DECIDED_BY_ROUNDING = ("lassoed", "point_")


@pytest.mark.parametrize(
    "name", [name for name in OPERATIONS if not any(part in name for part in DECIDED_BY_ROUNDING)]
)
@few
@given(before=annotations(), gesture=gestures())
def test_a_quarter_turn_turns_the_edit(name: str, before: FrameAnnotation, gesture: Gesture):
    gesture = replace(gesture, path_mm=gesture.path_mm + OFF_AXIS_MM)
    straight = OPERATIONS[name](before, gesture)
    after = OPERATIONS[name](turned(before), turned_gesture(gesture))
    assert difference_mm2(turned(straight), after) < 1e-2
    extents = [sorted(a.extent_deg for a in x.guidewires) for x in (straight, after)]
    assert extents[0] == pytest.approx(extents[1])


@pytest.mark.parametrize("name", OPERATIONS)
@few
@given(before=annotations(), gesture=gestures())
def test_untouched_contours_stay_the_same_objects(
    name: str, before: FrameAnnotation, gesture: Gesture
):
    after = OPERATIONS[name](before, gesture)
    for old in before.calcium:
        same = [new for new in after.calcium if new.polygon.equals_exact(old.polygon, 1e-12)]
        assert all(new is old for new in same)
