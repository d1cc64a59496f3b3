"""What the operator does in each drive, and what must be true after every step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QApplication, QPushButton

from calcviewer.app.results import most_severe
from calcviewer.core.pullback import Origin
from calcviewer.core.study import Review
from calcviewer.gui import opening
from calcviewer.gui.exporting.dialog import ExportDialog
from calcviewer.gui.flags import FlagKind
from calcviewer.gui.tools.catheter import CatheterTool
from tests.drive.reader import read_instead_of_the_network
from tests.drive.robot import Robot, Script, Until

DEMO_FRAMES = 16
VOI_FRAMES = 12


def segmented(robot: Robot) -> Until:
    """Wait for the segmentation to end with every frame it was to do."""
    segmentation = robot.window.desk.segmentation

    def holds() -> bool:
        return segmentation.wanted > 0 and not segmentation.running

    return Until("the segmentation to end", holds)


def dialog(robot: Robot, kind: type[ExportDialog]) -> ExportDialog:
    (found,) = robot.window.findChildren(kind)
    return found


# --- the demo, from the start page to the report ----------------------------------------------


def review_demo(robot: Robot) -> Script:
    """Open the demo, drag the VOI, jump, confirm, export."""
    opening.DEMO_FRAMES = DEMO_FRAMES
    read_instead_of_the_network()
    window = robot.window
    yield robot.active()
    assert window.start_page.isVisible()
    robot.picture("start")
    robot.press_button("Simulated demo", window.start_page)
    yield robot.opened()
    assert window.desk.segmentation.running
    yield Until("a frame to be segmented", lambda: window.desk.segmentation.done > 0)
    robot.picture("segmenting")
    yield segmented(robot)
    yield robot.still()
    assert sorted(robot.session.study.predictions) == list(range(DEMO_FRAMES))
    assert robot.session.results.lesions, "no calcium in the demo"
    robot.picture("segmented")
    yield from _drag_voi(robot)
    yield from _jump_to_maximum(robot)
    yield from _confirm(robot)
    yield from _export_report(robot)


def _drag_voi(robot: Robot) -> Script:
    session, canvas = robot.session, robot.window.longitudinal.canvas
    assert session.study.review.voi is None
    middle = canvas.area().center().y()
    first_px, _ = canvas.voi_ends_px()
    robot.drag(canvas, QPointF(first_px, middle), QPointF(canvas.scale().x_px(2), middle))
    assert session.study.review.voi == (2, DEMO_FRAMES - 1)
    assert session.undo_label == "set volume of interest"
    robot.key("Ctrl+Z")
    assert session.study.review.voi is None, "one drag is not one step"
    robot.key("Ctrl+Shift+Z")
    assert session.study.review.voi == (2, DEMO_FRAMES - 1)
    yield robot.still()
    robot.picture("voi")


def _jump_to_maximum(robot: Robot) -> Script:
    state, row = robot.window.desk.state, robot.window.longitudinal.flag_row
    lesion = most_severe(robot.session.results.lesions)
    assert lesion is not None
    arc = lesion.bridged if lesion.bridged is not None else lesion.visible
    flagged = {flag.kind: flag.frame for flag in row.flags}
    assert flagged[FlagKind.MAX_ARC] in (arc.max_arc_frame, lesion.visible.max_arc_frame)
    button = row.button(FlagKind.MAX_ARC)
    assert button.isVisible()
    robot.click(button)
    assert state.frame == flagged[FlagKind.MAX_ARC]
    yield robot.still()
    robot.picture("maximum_arc")
    robot.key("Home")
    assert state.frame == 0
    seen = []
    for _ in range(3):
        robot.key("M")
        seen.append(state.frame)
    assert flagged[FlagKind.MAX_ARC] in seen
    robot.wheel(robot.window.cross_section, -1, Qt.KeyboardModifier.NoModifier)
    assert state.frame == min(seen[-1] + 1, DEMO_FRAMES - 1)


def _confirm(robot: Robot) -> Script:
    session, state = robot.session, robot.window.desk.state
    robot.key("Home")
    decisive = {one.frame for each in session.results.lesions for one in each.decisive_frames}
    for _ in decisive:
        before = state.frame
        robot.key("N")
        assert state.frame in decisive
        assert state.frame != before or len(decisive) == 1
        robot.key("Return")
        assert state.frame in session.study.review.confirmed_frames
    assert session.study.review.confirmed_frames == decisive
    row = robot.window.longitudinal.flag_row
    button = row.button(FlagKind.MAX_ARC)
    assert button.isVisible()
    robot.click(button)
    yield robot.still()
    assert not session.study.review.confirmed_lesions
    if any(lesion.guidewire_decides for lesion in session.results.lesions):
        # A lesion with an open question cannot be confirmed: the operator answers first.
        for choice in robot.window.score.findChildren(QPushButton):
            if choice.text() == "Do not bridge":
                robot.click(choice)
        assert session.study.review.guidewire_decisions
        yield robot.still()
    robot.click(robot.window.top_bar._confirm)
    assert len(session.study.review.confirmed_lesions) == 1
    assert "confirmed" in robot.window.top_bar._confirm.text()
    yield robot.still()
    robot.picture("confirmed")


def _export_report(robot: Robot) -> Script:
    window = robot.window
    robot.press_button("Export…", window.top_bar)
    yield Until("the dialog", lambda: bool(window.findChildren(ExportDialog)))
    export = dialog(robot, ExportDialog)
    yield Until("the preview", lambda: export.report.document is not None)
    yield robot.still()
    robot.picture("export")
    (target,) = export.paths
    assert not target.exists()
    robot.click(export.export)
    yield Until("the report", target.exists)
    yield Until("the dialog to say so", lambda: export.close_button.isVisible())
    assert target.read_bytes().startswith(b"%PDF-")
    yield robot.still()
    robot.picture("exported")
    robot.click(export.close_button)
    yield Until("the dialog to close", lambda: not window.findChildren(ExportDialog))
    yield robot.active()
    robot.quit()


# --- real frames without a scale --------------------------------------------------------------


def calibrate_real(robot: Robot, folder: Path) -> Script:
    """Open a folder of frames, calibrate on the catheter, segment a VOI, score."""
    window = robot.window
    yield robot.active()
    robot.drop(folder)
    yield robot.opened()
    assert robot.session.study.pullback.frame_count == 186
    assert not robot.session.study.calibration.scaled
    robot.press_button("Cancel", window.status)
    segmentation = window.desk.segmentation
    yield Until("the segmentation to stop", lambda: not segmentation.running)
    yield from _calibrate(robot)
    yield from _choose_voi(robot)
    robot.press_button("Go on segmenting", window.status)
    yield segmented(robot)
    first, last = robot.session.study.review.voi or (0, 0)
    assert set(range(first, last + 1)) <= robot.session.study.predictions.keys()
    yield robot.still()
    robot.picture("real_segmented")
    _check_real(robot)
    robot.quit()


def _calibrate(robot: Robot) -> Script:
    window, session = robot.window, robot.session
    yield robot.still()
    window.panel_area.ensureWidgetVisible(window.calibration.catheter)
    robot.click(window.calibration.catheter)
    assert window.toolbox.in_hand == "catheter"
    (tool,) = (one for one in window.findChildren(CatheterTool))
    yield Until("the sheath to be found", lambda: not tool.status().endswith("…"))
    yield robot.still()
    robot.picture("real_catheter")
    robot.press_button("Apply", window.cross_section)
    spacing = session.study.calibration.sample_spacing_mm
    assert spacing is not None
    assert spacing.origin is Origin.CATHETER
    assert 0.005 < spacing.value < 0.02
    robot.key("Esc")
    assert window.toolbox.in_hand == ""
    field = window.calibration.pitch.field
    yield robot.still()  # the panel has said where the scale comes from, and is laid out anew
    window.panel_area.ensureWidgetVisible(window.calibration.pitch)
    robot.click(field)
    robot.type("0.2")
    robot.key("Return")
    pitch = session.study.calibration.frame_pitch_mm
    assert pitch is not None
    assert (pitch.value, pitch.origin) == (0.2, Origin.OPERATOR)
    robot.click(window.cross_section)


def _choose_voi(robot: Robot) -> Script:
    window, session, state = robot.window, robot.session, robot.window.desk.state
    yield robot.active()
    robot.key("G")
    robot.type("60")
    robot.key("Return")
    assert state.frame == 59
    robot.key("Space")
    assert window.commands.player.playing, "the space bar went elsewhere"
    robot.key("Space")
    robot.key("G")
    robot.type("60")
    robot.key("Return")
    robot.key("V")
    for _ in range(VOI_FRAMES - 1):
        robot.wheel(window.polar, -1, Qt.KeyboardModifier.NoModifier)
    assert state.frame == 59 + VOI_FRAMES - 1
    robot.key("Shift+V")
    assert session.study.review.voi == (59, 59 + VOI_FRAMES - 1)


def _check_real(robot: Robot) -> None:
    results, (first, last) = robot.session.results, robot.session.study.review.voi or (0, 0)
    frames = [frame for frame in results.frames[first : last + 1] if frame is not None]
    measured = [frame.lumen_area_mm2 for frame in frames if frame.lumen_area_mm2 is not None]
    assert len(measured) >= VOI_FRAMES // 2
    assert all(0.5 < area < 40 for area in measured)


# --- what goes wrong ----------------------------------------------------------------------------


def drop_damaged(robot: Robot, study: Path, damaged: Path) -> Script:
    """Drop a damaged file on an open study."""
    window, state = robot.window, robot.window.desk.state
    yield robot.active()
    robot.drop(study)
    yield robot.opened()
    robot.key("Right")
    robot.key("B")
    session, before = robot.session, robot.session.study.review
    robot.drop(damaged)
    yield Until("the message", lambda: bool(window.banner.message))
    yield Until("the work to end", lambda: not window.desk.opening.what)
    assert str(damaged) in window.banner.message
    assert "The open study is as it was." in window.banner.message
    shown = [widget for widget in QApplication.topLevelWidgets() if widget.isVisible()]
    assert shown == [window], "more than one message"
    assert robot.session is session
    assert session.study.review is before
    assert (state.frame, before.bookmarks) == (1, {1})
    robot.picture("damaged")
    robot.key("Esc")
    assert window.banner.message == ""
    robot.key("Ctrl+Z")
    assert session.study.review.bookmarks == frozenset()
    robot.quit()


def open_another(robot: Robot, first: Path, second: Path) -> Script:
    """Work on one study, drop another, and close while it is being segmented."""
    window, state = robot.window, robot.window.desk.state
    yield robot.active()
    robot.drop(first)
    yield robot.opened()
    yield Until("some frames", lambda: window.desk.segmentation.done >= 3)
    yield from _leave_traces(robot)
    robot.drop(second)
    yield robot.opened()
    study = robot.session.study
    assert study.pullback.name == second.stem
    untouched = Review()
    for one in fields(Review):
        assert getattr(study.review, one.name) == getattr(untouched, one.name), one.name
    assert (robot.session.undo_label, robot.session.redo_label) == (None, None)
    assert (state.frame, state.frame_count) == (0, study.pullback.frame_count)
    assert state.overlay_visible
    assert window.toolbox.in_hand == ""
    assert not window.actions_by_id["undo"].isEnabled()
    assert window.tools["ruler"].marks() == ()
    assert first.stem not in window.windowTitle()
    assert len(window.longitudinal.canvas.store.filled) == study.pullback.frame_count
    assert all(flag.frame < study.pullback.frame_count for flag in _flags(robot))
    robot.picture("another")
    segmentation = window.desk.segmentation
    yield Until("a frame of the second", lambda: segmentation.done > 0)
    assert study.model is None or robot.session.study.predictions.keys() <= set(
        range(study.pullback.frame_count)
    )
    assert segmentation.running
    robot.quit()


def _leave_traces(robot: Robot) -> Script:
    """Change all that belongs to one study."""
    window, state = robot.window, robot.window.desk.state
    robot.key("Shift+Right")
    robot.press_tool("brush")
    middle = QPointF(window.cross_section.rect().center())
    robot.drag(window.cross_section, middle + QPointF(90, 90), middle + QPointF(120, 60))
    assert robot.session.study.review.edits
    robot.press_tool("ruler")
    robot.drag(window.cross_section, middle, middle + QPointF(80, 40))
    assert window.tools["ruler"].marks()
    for key in ("B", "V", "Return"):
        robot.key(key)
    robot.key("Ctrl+Z")
    robot.wheel(window.cross_section, 3, Qt.KeyboardModifier.ControlModifier)
    state.set_overlay_visible(False)
    assert robot.session.redo_label is not None
    yield Until("flags", lambda: bool(_flags(robot)))


def _flags(robot: Robot) -> tuple[object, ...]:
    return robot.window.longitudinal.flag_row.flags


SCRIPTS: dict[str, Callable[..., Script]] = {
    "review_demo": review_demo,
    "calibrate_real": calibrate_real,
    "drop_damaged": drop_damaged,
    "open_another": open_another,
}
