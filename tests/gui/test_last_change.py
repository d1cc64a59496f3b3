"""What an edit changed in the score, in words; and what is no verdict yet."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pytestqt.qtbot import QtBot

from calcviewer.app.correction import corrected
from calcviewer.app.interpolation import with_filled
from calcviewer.app.results import Results, compute_results
from calcviewer.core.annotation import LabelMap, annotation_from_labels
from calcviewer.core.study import Review
from calcviewer.gui.panels.figures import changed_words, lesion_before_and_after
from calcviewer.gui.panels.frame import FramePanel
from calcviewer.gui.panels.lesions import LesionsPanel
from calcviewer.gui.panels.panel import Panel
from calcviewer.gui.panels.score import ScorePanel
from calcviewer.gui.view_state import ViewState
from tests.gui.studies import shown_of
from tests.gui.waiting import wait_for_timers
from tests.lesion_studies import ACROSS_WIRE, GRID, NOTHING, TWO_LESIONS, arc, study_of


def results(frames: list[LabelMap]) -> Results:
    return compute_results(study_of(frames), {})


def words(before: list[LabelMap], after: list[LabelMap], frame: int) -> tuple[str, bool]:
    return changed_words(*lesion_before_and_after(results(before), results(after), frame))


LESION = [NOTHING, arc(100), arc(174), arc(100), NOTHING]


def test_a_changed_score_comes_with_its_reason() -> None:
    wider = [*LESION[:2], arc(184), *LESION[3:]]
    assert words(LESION, wider, 2) == ("score 1 → 3: arc 174° → 184°", True)
    assert words(wider, LESION, 2) == ("score 3 → 1: arc 184° → 174°", True)


def test_a_value_that_changes_no_score_is_said_too() -> None:
    thicker = [*LESION[:2], arc(174, back_mm=2.5), *LESION[3:]]
    assert words(LESION, thicker, 2) == ("thickness 0.60 mm → 0.80 mm", False)


def test_nothing_is_said_where_nothing_changed() -> None:
    assert words(LESION, LESION, 2) == ("", False)
    assert words([NOTHING] * 5, [NOTHING] * 5, 2) == ("", False)


def test_lesions_come_grow_and_go() -> None:
    assert words([NOTHING] * 5, LESION, 2) == ("new lesion: score 1", True)
    assert words(LESION, [NOTHING] * 5, 2) == ("lesion gone: score 1", True)
    grown = [*LESION[:4], arc(100)]  # the frame on screen has just become part of it
    assert words(LESION, grown, 4) == ("length 0.60 mm → 0.80 mm", False)


def test_the_lesion_of_the_frame_on_screen_is_meant() -> None:
    changed = [*TWO_LESIONS[:3], arc(90), *TWO_LESIONS[4:]]
    assert words(TWO_LESIONS, changed, 3)[0] == "arc 80° → 90°"
    assert words(TWO_LESIONS, changed, 13) == ("", False)


def make(qtbot: QtBot, kind: type[Panel], study: object, frame: int = 0) -> tuple[Panel, object]:
    state = ViewState()
    panel = kind(state)
    qtbot.addWidget(panel)
    shown = shown_of(study)
    state.reset(shown.session.study.pullback.frame_count)
    state.go_to(frame)
    panel.set_study(shown)
    panel.show()
    shown.session.subscribe(panel.show_change)
    return panel, shown.session


def test_what_streams_in_is_no_last_change(qtbot: QtBot) -> None:
    panel, session = make(qtbot, ScorePanel, study_of(LESION, count=6), 2)
    run = session.start_run(session.study.model)
    session.add_prediction(run, 4, annotation_from_labels(arc(200), GRID))
    assert panel.last_change.text() == ""
    wait_for_timers(qtbot, panel)
    drawn = annotation_from_labels(arc(184), GRID)
    session.edit("widen", corrected(session.study, 2, drawn))
    assert panel.last_change.text() == ""  # the maximum is elsewhere, and was before
    drawn = annotation_from_labels(arc(220), GRID)
    session.edit("widen", corrected(session.study, 2, drawn))
    assert panel.last_change.text() == "arc 200° → 220°"


def test_the_table_gives_no_verdict_while_frames_are_missing(qtbot: QtBot) -> None:
    panel, session = make(qtbot, LesionsPanel, study_of(LESION, count=6))
    assert panel.table.texts(0)[5] == "1 so far"
    run = session.start_run(session.study.model)
    session.add_prediction(run, 5, annotation_from_labels(NOTHING, GRID))
    qtbot.waitUntil(lambda: panel.table.texts(0)[5] == "1")


def test_a_lesion_is_not_ticked_while_the_guidewire_decides(qtbot: QtBot) -> None:
    study = study_of([NOTHING, ACROSS_WIRE, ACROSS_WIRE, NOTHING])
    lesion = compute_results(study, {}).lesions[0]
    assert lesion.verdict is None
    review = Review(confirmed_lesions=frozenset({lesion.frame_range}))
    panel, _ = make(qtbot, LesionsPanel, replace(study, review=review))
    assert panel.table.texts(0)[0] == "1"


@pytest.mark.parametrize(("frame", "said"), [(2, "interpolated"), (1, "drawn by hand")])
def test_the_frame_panel_says_that_contours_were_interpolated(
    qtbot: QtBot, frame: int, said: str
) -> None:
    study = study_of(LESION)
    review = with_filled(study.review, {2: annotation_from_labels(arc(150), GRID)})
    panel, _ = make(qtbot, FramePanel, replace(study, review=review), frame)
    assert said in panel._origin.text()
