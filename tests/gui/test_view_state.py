"""What the views share: every part says when it changes, and only then."""

from __future__ import annotations

import pytest
from PySide6.QtCore import SignalInstance

from calcviewer.gui.view_state import LookUpTable, ViewState


@pytest.fixture
def state() -> ViewState:
    state = ViewState()
    state.reset(20)
    return state


def heard(signal: SignalInstance) -> list[tuple[object, ...]]:
    calls: list[tuple[object, ...]] = []
    signal.connect(lambda *values: calls.append(values))
    return calls


def test_steps_stay_within_the_pullback(state: ViewState) -> None:
    state.go_to(99)
    assert state.frame == 19
    state.step(-100)
    assert state.frame == 0


def test_the_frame_is_announced_once_and_only_when_it_is_another(state: ViewState) -> None:
    frames = heard(state.frame_changed)
    state.step(1)
    state.go_to(1)
    assert frames == [(1,)]


def test_without_a_study_there_is_nowhere_to_go() -> None:
    state = ViewState()
    state.go_to(3)
    assert state.frame == 0


def test_another_study_begins_at_its_first_frame_with_overlay_and_full_range(
    state: ViewState,
) -> None:
    state.go_to(7)
    state.set_levels(40, 90)
    state.set_overlay_visible(False)
    state.set_table(LookUpTable.GREY)
    state.reset(5)
    assert (state.frame, state.frame_count, state.overlay_visible) == (0, 5, True)
    assert (state.display.black, state.display.white) == (0, 255)
    assert state.display.table is LookUpTable.GREY


def test_white_stays_above_black(state: ViewState) -> None:
    state.set_levels(100, 20)
    assert state.display.white == 101


def test_the_cut_is_an_angle(state: ViewState) -> None:
    cuts = heard(state.cut_changed)
    state.set_cut(-30)
    state.set_cut(330)
    assert cuts == [(330.0,)]


def test_overlay_and_direction_are_announced_when_they_change(state: ViewState) -> None:
    overlays, directions = heard(state.overlay_changed), heard(state.direction_changed)
    state.set_overlay_visible(False)
    state.set_overlay_visible(False)
    state.set_flipped(True)
    assert (overlays, directions) == ([(False,)], [(True,)])
