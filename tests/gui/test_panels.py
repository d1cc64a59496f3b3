"""Panels: what they say of a study, what a click does, and what is left of the last study."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from calcviewer.app.session import Change, Facet
from calcviewer.core.annotation import FrameAnnotation, annotation_from_labels
from calcviewer.core.contour import Contour
from calcviewer.core.geometry import to_xy
from calcviewer.core.pullback import Origin
from calcviewer.core.study import GuidewireDecision, Review
from calcviewer.gui.panels import score
from calcviewer.gui.panels.calibration import CalibrationPanel
from calcviewer.gui.panels.card import Row
from calcviewer.gui.panels.decisive import DecisivePanel
from calcviewer.gui.panels.frame import FramePanel
from calcviewer.gui.panels.lesions import LesionsPanel
from calcviewer.gui.panels.panel import Panel
from calcviewer.gui.panels.score import ScorePanel
from calcviewer.gui.shown import ShownStudy
from calcviewer.gui.table import FrameTable
from calcviewer.gui.view_state import ViewState
from calcviewer.modalities.ivoct.score import MeasuredError
from tests.gui.studies import shown_of
from tests.gui.waiting import wait_for_timers
from tests.lesion_studies import (
    ACROSS_WIRE,
    GRID,
    MODEL,
    NOTHING,
    TWO_LESIONS,
    arc,
    study_of,
)

PANELS = (ScorePanel, DecisivePanel, LesionsPanel, FramePanel, CalibrationPanel)
Make = Callable[..., tuple[Any, ShownStudy, ViewState]]


@pytest.fixture
def show(qtbot: QtBot) -> Make:
    """Show a panel with a study as the window does: one subscription, passed on."""
    kept: list[QWidget] = []

    def make(
        kind: type[Panel], study: object, frame: int = 0
    ) -> tuple[Panel, ShownStudy, ViewState]:
        window = QWidget()
        kept.append(window)
        state = ViewState(window)
        panel = kind(state)
        QVBoxLayout(window).addWidget(panel)
        window.resize(440, 700)
        window.show()
        shown = shown_of(study)  # type: ignore[arg-type]
        state.reset(shown.session.study.pullback.frame_count)
        state.go_to(frame)
        panel.set_study(shown)
        shown.session.subscribe(panel.show_change)
        return panel, shown, state

    return make


def said(widget: QWidget) -> str:
    """Return every text that is seen."""
    parts = [label.text() for label in widget.findChildren(QLabel) if label.isVisibleTo(widget)]
    for table in widget.findChildren(FrameTable):
        if table.isVisibleTo(widget):
            parts += [" | ".join(row) for row in rows_of(table)]
    return "\n".join(parts)


def rows_of(table: FrameTable) -> list[list[str]]:
    return [list(table.texts(row)) for row in range(table.row_count)]


def button(widget: QWidget, text: str) -> QPushButton:
    return next(one for one in widget.findChildren(QPushButton) if one.text() == text)


def line(widget: QWidget, name: str) -> Row:
    rows = widget.findChildren(Row)
    return next(row for row in rows if row.name.text() == name and row.isVisibleTo(widget))


def cells(row: Row) -> list[str]:
    return [cell.text() for cell in row.cells]


# --- score ---------------------------------------------------------------------------------------


def test_score_of_the_lesion_that_holds_the_frame_else_of_the_most_severe(show: Make) -> None:
    panel, _, state = show(ScorePanel, study_of(TWO_LESIONS))
    assert "lesion 2" in said(panel)
    assert "3\n" in said(panel)
    assert "of 4 · adequate expansion" in said(panel)
    state.go_to(3)
    panel.refresh()
    assert "lesion 1" in said(panel)
    assert cells(line(panel, "Maximum arc")) == ["80°", "≤ 180°", "−100°", "0"]


def test_the_criteria_with_threshold_margin_and_points(show: Make) -> None:
    panel, _, _ = show(ScorePanel, study_of([arc(210)] * 26))
    assert cells(line(panel, "Maximum arc")) == ["210°", "> 180°", "+30°", "2"]
    assert cells(line(panel, "Maximum thickness")) == ["0.60 mm", "> 0.5", "+0.10", "1"]
    assert cells(line(panel, "Length")) == ["5.20 mm", "> 5", "+0.20", "1"]
    assert "of 4 · poor expansion" in said(panel)


def test_a_click_on_a_criterion_leads_to_its_frame(show: Make, qtbot: QtBot) -> None:
    panel, _, state = show(ScorePanel, study_of(TWO_LESIONS))
    qtbot.mouseClick(line(panel, "Maximum arc"), Qt.MouseButton.LeftButton)
    assert state.frame == 13
    qtbot.mouseClick(line(panel, "Maximum thickness"), Qt.MouseButton.LeftButton)
    assert state.frame == 14


def test_the_guidewire_is_decided_by_a_button_and_undone(show: Make, qtbot: QtBot) -> None:
    panel, shown, _ = show(ScorePanel, study_of([ACROSS_WIRE] * 4))
    assert "1 or 3" in said(panel)
    assert "visible 1 · bridged 3 · guidewire decides" in said(panel)
    panel.operator = "A. Reader"
    qtbot.mouseClick(button(panel, "Bridge"), Qt.MouseButton.LeftButton)
    (kept,) = shown.session.study.review.guidewire_decisions
    assert (kept.bridge, kept.operator, kept.when[:2]) == (True, "A. Reader", "20")
    assert "Bridged by A. Reader" in said(panel)
    assert button(panel, "Bridge").isChecked()
    assert cells(line(panel, "Arc, bridged"))[-1] == "2"
    qtbot.mouseClick(button(panel, "Bridge"), Qt.MouseButton.LeftButton)
    assert button(panel, "Bridge").isChecked()  # the same answer again is no step
    shown.session.undo()
    assert shown.session.undo_label is None
    assert "1 or 3" in said(panel)
    assert not button(panel, "Bridge").isChecked()


def test_no_buttons_where_the_wire_does_not_decide(show: Make) -> None:
    panel, _, _ = show(ScorePanel, study_of(TWO_LESIONS))
    assert not button(panel, "Bridge").isVisibleTo(panel)
    assert "Guidewire" not in said(panel)


def test_the_stamp(show: Make) -> None:
    panel, shown, _ = show(ScorePanel, study_of(TWO_LESIONS))
    assert "UNREVIEWED" in said(panel)
    shown.session.edit("confirm", Review(confirmed_lesions=frozenset({(12, 15)})))
    assert "UNREVIEWED" not in said(panel)
    assert "REVIEWED" in said(panel)


def test_what_is_missing_and_the_way_to_the_calibration(show: Make, qtbot: QtBot) -> None:
    panel, _, _ = show(ScorePanel, study_of([arc(210)] * 4, calibrated=False, pitch_mm=None))
    words = said(panel)
    assert "2–4" in words
    assert "Thickness unavailable" in words
    assert "Length unavailable: the frame pitch is unknown." in words
    assert cells(line(panel, "Length")) == ["—", "> 5", "", "—"]
    with qtbot.waitSignal(panel.calibration_wanted):
        qtbot.mouseClick(button(panel, "Calibrate…"), Qt.MouseButton.LeftButton)


def test_probabilities_only_with_a_measured_error(
    show: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel, _, _ = show(ScorePanel, study_of([arc(210)] * 26))
    assert "%" not in said(panel)
    error = MeasuredError(
        arc_bias_deg=0, arc_sd_deg=10, thickness_bias_mm=0, thickness_sd_mm=0.1 / 1.2815515
    )
    monkeypatch.setattr(score, "measured_error", lambda model: error if model is MODEL else None)
    panel.refresh()
    assert "score 4 (90 %) · 3 (10 %)" in said(panel)


def test_streaming_is_told_and_results_follow(show: Make, qtbot: QtBot) -> None:
    panel, shown, _ = show(ScorePanel, study_of([NOTHING] * 3, count=6))
    assert "No calcium in the first 3 of 6 frames." in said(panel)
    run = shown.session.start_run(MODEL)
    for frame in (3, 4):
        shown.session.add_prediction(run, frame, annotation_from_labels(arc(200), GRID))
    qtbot.waitUntil(lambda: "5 of 6 frames" in said(panel))
    assert "3\nso far · of 4" in said(panel)
    assert "expansion" not in said(panel)
    shown.session.add_prediction(run, 5, annotation_from_labels(NOTHING, GRID))
    qtbot.waitUntil(lambda: "of 4 · adequate expansion" in said(panel))
    assert "so far" not in said(panel)


def test_a_lesion_whose_guidewire_question_is_open_is_not_reviewed(show: Make) -> None:
    panel, shown, _ = show(ScorePanel, study_of([ACROSS_WIRE] * 4))
    lesion = shown.session.results.lesions[0]
    assert lesion.verdict is None
    shown.session.edit("confirm", Review(confirmed_lesions=frozenset({lesion.frame_range})))
    assert "UNREVIEWED" in said(panel)
    button(panel, "Bridge").click()
    assert "UNREVIEWED" in said(panel)  # the answer changed what was confirmed
    decided = replace(shown.session.study.review, confirmed_lesions=frozenset({lesion.frame_range}))
    shown.session.edit("confirm", decided)
    assert "UNREVIEWED" not in said(panel)
    assert "REVIEWED" in said(panel)


def test_all_reasons_of_a_decisive_frame_can_be_read(show: Make) -> None:
    panel, _, _ = show(DecisivePanel, study_of([arc(210)] * 2))
    table = panel.findChild(FrameTable)
    assert table is not None
    for row, (_, why, *_) in enumerate(rows_of(table)):
        hint = table.model().index(row, 1).data(Qt.ItemDataRole.ToolTipRole)
        assert hint == why.replace("\n", " ")
        metrics = table.fontMetrics()
        assert metrics.size(0, why).width() < table.columnWidth(1)
        assert metrics.size(0, why).height() < table.rowHeight(row)


def test_streaming_refreshes_no_more_often_than_every_100_ms(
    show: Make, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    panel, shown, _ = show(ScorePanel, study_of([NOTHING], count=400))
    refreshed: list[int] = []
    monkeypatch.setattr(panel, "refresh", lambda: refreshed.append(1))
    run = shown.session.start_run(MODEL)
    for frame in range(1, 100):
        shown.session.add_prediction(run, frame, FrameAnnotation())
    assert len(refreshed) <= 1
    wait_for_timers(qtbot, panel)
    assert 1 <= len(refreshed) <= 2
    before = len(refreshed)
    shown.session.edit("draw", shown.session.study.review.with_edit(0, FrameAnnotation()))
    assert len(refreshed) == before + 1  # an edit is shown at once


# --- lesions and decisive frames -----------------------------------------------------------------


def test_lesions_and_the_way_to_their_maximum_arc(show: Make, qtbot: QtBot) -> None:
    panel, shown, state = show(LesionsPanel, study_of(TWO_LESIONS))
    table = panel.findChild(FrameTable)
    assert table is not None
    assert rows_of(table) == [
        ["1", "3–5", "0.60", "80°", "0.60", "1"],
        ["2", "13–16", "0.80", "220°", "0.80", "3"],
    ]
    assert "gap rule 1.0 mm" in said(panel)
    middle = table.visualRect(table.model().index(0, 1)).center()
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=middle)
    assert state.frame == 3
    assert [index.row() for index in table.selectionModel().selectedRows()] == [0]
    table.setFocus()
    qtbot.keyClick(table, Qt.Key.Key_Down)
    assert state.frame == 13
    shown.session.edit("confirm", Review(confirmed_lesions=frozenset({(12, 15)})))
    assert rows_of(table)[1][0] == "2 ✓"


def test_decisive_frames_with_reason_value_and_confirmation(show: Make, qtbot: QtBot) -> None:
    panel, shown, state = show(DecisivePanel, study_of(TWO_LESIONS), frame=12)
    table = panel.findChild(FrameTable)
    assert table is not None
    assert rows_of(table) == [
        ["13", "lesion start", "190°", "○"],
        ["14", "maximum arc", "220°", "○"],
        ["15", "maximum thickness", "0.80 mm", "○"],
        ["16", "lesion end", "190°", "○"],
    ]
    shown.session.edit("confirm", Review(confirmed_frames=frozenset({13})))
    assert [row[-1] for row in rows_of(table)] == ["○", "●", "○", "○"]
    assert "1 of 4 confirmed · N next" in said(panel)
    assert "lesion 2" in said(panel)
    middle = table.visualRect(table.model().index(2, 1)).center()
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=middle)
    assert state.frame == 14


def test_the_value_of_a_guidewire_question_is_the_bridged_arc(show: Make) -> None:
    panel, _, _ = show(DecisivePanel, study_of([ACROSS_WIRE] * 2))
    assert "200°" in rows_of(panel.findChild(FrameTable))[0][2]  # type: ignore[arg-type]


# --- frame ---------------------------------------------------------------------------------------


def test_the_numbers_of_the_frame_on_screen(show: Make, qtbot: QtBot) -> None:
    panel, _, state = show(FramePanel, study_of(TWO_LESIONS), frame=13)
    assert "Frame 14 of 18" in said(panel)
    assert cells(line(panel, "Maximum arc")) == ["220°"]
    assert cells(line(panel, "Lumen area")) == ["7.07 mm²"]
    assert "Contours: drawn by hand" in said(panel)
    assert cells(line(panel, "MLA")) == ["6.16 mm² · frame 13"]
    assert cells(line(panel, "Area stenosis")) == ["13 %"]
    qtbot.mouseClick(line(panel, "MLA"), Qt.MouseButton.LeftButton)
    assert state.frame == 12


def test_plaque_burden_only_where_an_eel_was_drawn(show: Make) -> None:
    panel, shown, _ = show(FramePanel, study_of(TWO_LESIONS), frame=13)
    assert "EEL" not in said(panel)
    study = shown.session.study
    drawn = study.annotation(13)
    assert drawn is not None
    circle = to_xy(np.arange(360.0), np.full(360, 3.0))
    edit = replace(drawn, eel=Contour(circle))
    shown.session.edit("draw EEL", study.review.with_edit(13, edit))
    panel.refresh()
    assert cells(line(panel, "EEL area · plaque burden")) == ["28.27 mm² · 75 %"]


def test_why_a_frame_has_no_numbers(show: Make) -> None:
    study = study_of(TWO_LESIONS, count=20, review=Review(excluded=MappingProxyType({13: "blood"})))
    panel, shown, state = show(FramePanel, study, frame=13)
    assert "Excluded: blood." in said(panel)
    run = shown.session.start_run(MODEL)
    shown.session.add_prediction(run, 19, FrameAnnotation(failure="no lumen found"))
    state.go_to(19)
    panel.refresh()
    assert "Not segmented: no lumen found" in said(panel)
    state.go_to(18)
    panel.refresh()
    assert "Not segmented yet." in said(panel)


# --- calibration ---------------------------------------------------------------------------------


def entry(panel: CalibrationPanel, name: str) -> QLineEdit:
    return getattr(panel, name).field  # type: ignore[no-any-return]


def test_calibration_is_set_with_enter_and_undone(show: Make, qtbot: QtBot) -> None:
    panel, shown, _ = show(CalibrationPanel, study_of(TWO_LESIONS))
    field = entry(panel, "pitch")
    assert field.text() == "0.2"
    assert "operator" in said(panel)
    field.setFocus()
    field.selectAll()
    qtbot.keyClicks(field, "0,3")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    pitch = shown.session.study.calibration.frame_pitch_mm
    assert pitch is not None
    assert (pitch.value, pitch.origin) == (0.3, Origin.OPERATOR)
    assert shown.session.undo_label == "set frame pitch"
    assert shown.session.results.lesions[1].length_mm == pytest.approx(1.2)
    assert not panel.pitch.button.isEnabled()
    shown.session.undo()
    assert field.text() == "0.2"


def test_an_impossible_value_is_refused_and_stays_to_be_corrected(show: Make, qtbot: QtBot) -> None:
    panel, shown, _ = show(CalibrationPanel, study_of(TWO_LESIONS))
    field = entry(panel, "spacing")
    field.selectAll()
    qtbot.keyClicks(field, "-5")
    qtbot.mouseClick(panel.spacing.button, Qt.MouseButton.LeftButton)
    assert shown.session.undo_label is None
    assert "not a possible length" in said(panel)
    assert field.text() == "-5"
    qtbot.keyClick(field, Qt.Key.Key_Escape)
    assert field.text() == "20"


def test_micrometres_become_mm(show: Make, qtbot: QtBot) -> None:
    panel, shown, _ = show(CalibrationPanel, study_of(TWO_LESIONS))
    field = entry(panel, "spacing")
    field.selectAll()
    qtbot.keyClicks(field, "10")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    spacing = shown.session.study.calibration.sample_spacing_mm
    assert spacing is not None
    assert spacing.value == pytest.approx(0.01)
    reset = button(panel, "Back to the file's")
    qtbot.mouseClick(reset, Qt.MouseButton.LeftButton)
    assert shown.session.study.review.calibration is None
    assert not reset.isVisibleTo(panel)


def test_a_missing_value_says_what_it_costs(show: Make, qtbot: QtBot) -> None:
    panel, _, _ = show(CalibrationPanel, study_of(TWO_LESIONS, calibrated=False, pitch_mm=None))
    words = said(panel)
    assert words.count("Unknown:") == 3
    assert "incomplete" in words
    with qtbot.waitSignal(panel.catheter_wanted):
        qtbot.mouseClick(button(panel, "Calibrate on catheter…"), Qt.MouseButton.LeftButton)


# --- all panels ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", PANELS)
def test_nothing_of_the_last_study_stays(kind: type[Panel], qtbot: QtBot) -> None:
    state = ViewState()
    panel = kind(state)
    qtbot.addWidget(panel)
    panel.show()
    panel.set_study(None)
    empty = said(panel)
    answered = Review(guidewire_decisions=(GuidewireDecision(0, 3, True, "A. Reader", "2026"),))
    state.reset(4)
    panel.set_study(shown_of(study_of([ACROSS_WIRE] * 4, review=answered)))
    assert said(panel) != empty
    panel.hide()
    panel.set_study(None)
    panel.show()
    assert said(panel) == empty
    panel.show_change(Change(frozenset(Facet)))
    assert said(panel) == empty


@pytest.mark.parametrize("kind", PANELS)
def test_a_study_may_be_shown_while_the_frame_is_still_that_of_a_longer_one(
    kind: type[Panel], qtbot: QtBot
) -> None:
    state = ViewState()
    panel = kind(state)
    qtbot.addWidget(panel)
    panel.show()
    state.reset(500)
    state.go_to(400)
    panel.set_study(shown_of(study_of([NOTHING] * 2)))
    panel.set_study(shown_of(study_of([arc(60)] * 2)))
    assert said(panel)


@pytest.mark.parametrize("kind", PANELS)
def test_what_can_be_clicked_is_large_enough(kind: type[Panel], show: Make) -> None:
    panel, _, _ = show(kind, study_of([ACROSS_WIRE] * 4, calibrated=True))
    for target in panel.findChildren(QPushButton):
        if target.isVisibleTo(panel) and target.isEnabled():
            assert target.height() >= 32
    for table in panel.findChildren(FrameTable):
        assert table.rowHeight(0) >= 32
