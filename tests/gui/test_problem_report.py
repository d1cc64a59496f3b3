"""The problem report in the window: all of it is shown before it is saved."""

from __future__ import annotations

import zipfile
from pathlib import Path

from PySide6.QtWidgets import QPushButton, QWidget
from pytestqt.qtbot import QtBot

from calcviewer.app.failures import report_failure
from calcviewer.app.settings import Settings
from calcviewer.gui.errors import Banner
from calcviewer.gui.main_window import MainWindow
from calcviewer.gui.problem_report import ProblemReportDialog


def open_dialog(qtbot: QtBot, dialog: ProblemReportDialog) -> dict[str, str]:
    """Wait until a dialog shows its report; returns every file's text as it is shown."""
    qtbot.waitUntil(dialog.save.isEnabled)
    shown = {}
    for row in range(dialog.files.count()):
        dialog.files.setCurrentRow(row)
        shown[dialog.files.item(row).text()] = dialog.text.toPlainText()
    return shown


def test_what_is_saved_is_what_was_shown(qtbot: QtBot, tmp_path: Path) -> None:
    dialog = ProblemReportDialog()
    qtbot.addWidget(dialog)
    shown = open_dialog(qtbot, dialog)
    assert '"size_px"' in shown["window.json"]
    assert not list(tmp_path.glob("*.zip"))
    dialog.write(tmp_path / "problem.zip")
    qtbot.waitUntil(lambda: "problem.zip" in dialog.outcome.text())
    with zipfile.ZipFile(tmp_path / "problem.zip") as archive:
        assert {name: archive.read(name).decode() for name in archive.namelist()} == shown


def test_a_place_that_cannot_be_written_to_is_said(qtbot: QtBot, tmp_path: Path) -> None:
    dialog = ProblemReportDialog()
    qtbot.addWidget(dialog)
    open_dialog(qtbot, dialog)
    dialog.write(tmp_path / "none" / "problem.zip")
    qtbot.waitUntil(lambda: "could not be written" in dialog.outcome.text())


def offered(banner: Banner) -> bool:
    buttons = {one.text(): one for one in banner.findChildren(QPushButton)}
    return buttons["Problem report…"].isVisible()


def test_it_is_offered_for_bugs_only(qtbot: QtBot) -> None:
    over = QWidget()
    qtbot.addWidget(over)
    banner = Banner(over)
    over.show()
    banner.show_error("Not opened.", "No DICOM file.")
    assert not offered(banner)
    banner.show_error("Something went wrong.", report_failure(ZeroDivisionError("bug")))
    assert offered(banner)
    banner.show_note("Saved again.", "")
    assert not offered(banner)


def test_from_a_bug_to_the_report(qtbot: QtBot) -> None:
    window = MainWindow(Settings())
    qtbot.addWidget(window)
    window.show()
    window.say_crashed_before()
    assert "ended unexpectedly" in window.banner.message
    assert offered(window.banner)
    window.say_internal_error(report_failure(ZeroDivisionError("bug")))
    (button,) = (
        one for one in window.banner.findChildren(QPushButton) if one.text() == "Problem report…"
    )
    button.click()
    (dialog,) = window.findChildren(ProblemReportDialog)
    assert "builtins.ZeroDivisionError" in open_dialog(qtbot, dialog)["log.txt"]
    assert not dialog.isModal()
