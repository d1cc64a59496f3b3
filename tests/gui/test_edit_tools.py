"""What no tool may do, whatever the mouse does."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import Qt

from calcviewer.gui.tools.brush import BrushTool
from calcviewer.gui.tools.contour import ContourTool
from calcviewer.gui.tools.editing import EditTool
from calcviewer.gui.tools.eel import EelTool
from calcviewer.gui.tools.lasso import LassoTool
from calcviewer.gui.tools.points import PointsTool
from calcviewer.gui.view_state import ViewState
from tests.gui.image_views import spots_shown
from tests.gui.tool_bench import assert_holds, pointer

PLACE = st.tuples(
    st.floats(0, 360), st.sampled_from([0.0, 0.4, 1.45, 1.5, 1.7, 2.0, 2.3, 3.0, 4.5])
)
GESTURE = st.lists(PLACE, min_size=1, max_size=6)
MAKERS: dict[str, Callable[[], EditTool]] = {
    "contour": ContourTool,
    "points": PointsTool,
    "brush": BrushTool,
    "eraser": lambda: BrushTool(erase=True),
    "lasso": LassoTool,
    "eel": EelTool,
}


@pytest.mark.parametrize("name", MAKERS)
@settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    gestures=st.lists(GESTURE, min_size=1, max_size=4), alt=st.booleans(), turns=st.integers(-6, 6)
)
def test_contours_stay_simple_inside_and_apart(
    qapp: object, name: str, gestures: list[list[tuple[float, float]]], alt: bool, turns: int
) -> None:
    tool = MAKERS[name]()
    shown, state = spots_shown(2), ViewState()
    state.reset(2)
    tool.activate(shown, state)
    session = shown.session
    first = session.study.annotation(0)

    for gesture in gestures:
        tool.hover(pointer(*gesture[0]))
        if tool.press(pointer(*gesture[0], alt=alt)):
            for place in gesture[1:]:
                tool.drag(pointer(*place, alt=alt))
                assert_holds(tool.annotation)
            tool.turn(turns)
            tool.release(pointer(*gesture[-1], alt=alt))
        assert_holds(tool.annotation)
        tool.marks()
        tool.status()
    tool.press_key(Qt.Key.Key_Delete)
    assert_holds(tool.annotation)
    tool.deactivate()

    while session.undo_label is not None:
        session.undo()
    assert session.study.annotation(0) is first


@pytest.mark.parametrize("name", MAKERS)
def test_a_study_that_is_read_only_is_left_alone(qapp: object, name: str) -> None:
    tool, shown, state = MAKERS[name](), spots_shown(2), ViewState()
    state.reset(2)
    refused: list[bool] = []
    shown.session.refuse_edits(lambda: refused.append(True))
    tool.activate(shown, state)

    tool.hover(pointer(90, 1.5))

    assert not tool.press(pointer(90, 1.5))
    assert not refused  # it is said before, not at every move
    assert "only be looked at" in tool.status()
    assert tool.cursor is Qt.CursorShape.ForbiddenCursor
    tool.deactivate()
