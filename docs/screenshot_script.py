"""What the window is led through for its pictures."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QPointF
from PySide6.QtWidgets import QDialog

from calcviewer.app.results import most_severe
from calcviewer.core.pullback import Origin
from calcviewer.gui.exporting.dialog import ExportDialog
from calcviewer.gui.flags import FlagKind
from docs.correction_script import show_corrections, show_guidewire
from tests.drive.robot import Robot, Script, Until

_LONG_S = 600.0


def show_every_screen(robot: Robot, guidewire: Path) -> Script:
    """Open the demo, let it be segmented, and show one screen after the other.

    Parameters
    ----------
    guidewire
        A pullback in which the guidewire decides.
    """
    window = robot.window
    yield robot.active()
    yield robot.still()
    robot.picture("start_page")
    robot.press_button("Simulated demo", window.start_page)
    yield robot.opened(_LONG_S)
    segmentation = window.desk.segmentation
    yield Until("some frames", lambda: segmentation.done > segmentation.wanted // 2, _LONG_S)
    robot.picture("segmenting")
    yield Until("the segmentation", lambda: not segmentation.running, _LONG_S)
    yield Until("the whole picture", lambda: window.longitudinal.canvas.store.complete, _LONG_S)
    _choose_voi(robot)
    yield from _go_to_maximum(robot)
    robot.picture("main_window")
    yield from _show_layouts(robot)
    yield from show_corrections(robot)
    yield from _show_tools(robot)
    yield from _show_dialogs(robot)
    yield from _show_export(robot)
    yield from show_guidewire(robot, guidewire)
    robot.quit()


def _choose_voi(robot: Robot) -> None:
    """Drag the handles around the most severe lesion."""
    canvas, count = robot.window.longitudinal.canvas, robot.window.desk.state.frame_count
    lesion = most_severe(robot.session.results.lesions)
    if lesion is None:
        return
    first, last = lesion.frame_range
    wanted = (max(first - 4, 0), min(last + 5, count))
    middle = canvas.area().center().y()
    for end, frame in enumerate(wanted):
        start_px = canvas.voi_ends_px()[end]
        robot.drag(canvas, QPointF(start_px, middle), QPointF(canvas.scale().x_px(frame), middle))


def _go_to_maximum(robot: Robot) -> Script:
    yield robot.still()
    button = robot.window.longitudinal.flag_row.button(FlagKind.MAX_ARC)
    if button.isVisible():
        robot.click(button)
    robot.move_away()
    yield robot.still()


def _show_layouts(robot: Robot) -> Script:
    for number in range(2, 6):
        robot.key(str(number))
        yield robot.still()
        robot.picture(f"layout_{number}")
    robot.key("1")
    yield robot.still()


def _show_tools(robot: Robot) -> Script:
    window = robot.window
    robot.press_tool("ruler")
    view = window.cross_section
    middle = QPointF(view.rect().center())
    robot.drag(view, middle + QPointF(-60, -80), middle + QPointF(70, 60))
    robot.move_away()
    yield robot.still()
    robot.picture("ruler")
    robot.key("Esc")
    window.panel_area.ensureWidgetVisible(window.calibration)
    window.panel_area.ensureWidgetVisible(window.calibration.catheter)
    robot.click(window.calibration.catheter)
    yield robot.still()
    robot.move_away()
    yield robot.still()
    robot.picture("calibration")
    spacing = robot.session.study.calibration.sample_spacing_mm
    assert spacing is not None
    assert spacing.origin is Origin.SIMULATED
    robot.key("Esc")
    window.panel_area.verticalScrollBar().setValue(0)


def _show_dialogs(robot: Robot) -> Script:
    window = robot.window
    for name in ("shortcuts", "settings", "about"):
        window.actions_by_id[name].trigger()
        yield Until(f"{name} to open", lambda: bool(_dialogs(robot)))
        (dialog,) = _dialogs(robot)
        yield robot.active(dialog)
        yield robot.still()
        robot.picture(name)
        dialog.close()
        yield Until(f"{name} to close", lambda: not _dialogs(robot))
        yield robot.active()


def _show_export(robot: Robot) -> Script:
    robot.press_button("Export…", robot.window.top_bar)
    yield Until("the dialog", lambda: bool(_dialogs(robot)))
    (dialog,) = robot.window.findChildren(ExportDialog)
    yield Until("the preview", lambda: dialog.report.document is not None, _LONG_S)
    yield robot.still()
    robot.picture("export")
    robot.click(dialog.close_button)
    yield Until("the dialog to close", lambda: not _dialogs(robot))
    yield robot.active()


def _dialogs(robot: Robot) -> list[QDialog]:
    return robot.window.findChildren(QDialog)
