"""Preferences: what is accepted is in force, and nothing else changes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from pytestqt.qtbot import QtBot

from calcviewer.app.settings import Settings, load_settings
from calcviewer.gui.main_window import MainWindow
from calcviewer.gui.settings_dialog import SettingsDialog
from calcviewer.gui.view_state import LookUpTable


@pytest.fixture
def window(qtbot: QtBot) -> Iterator[MainWindow]:
    made = MainWindow(Settings(catheter_diameter_mm=0.9))
    made.show()
    yield made
    made.close()


def dialog_of(window: MainWindow) -> SettingsDialog:
    window.actions_by_id["settings"].trigger()
    (dialog,) = window.findChildren(SettingsDialog)
    return dialog


def test_what_is_accepted_is_in_force_and_kept(window: MainWindow) -> None:
    dialog = dialog_of(window)
    dialog._table.setCurrentIndex(1)
    dialog._crf.setChecked(False)
    dialog._device.setCurrentIndex(1)
    dialog._catheter.setValue(0.87)
    dialog._over.setValue(0)
    assert window.desk.settings == Settings(catheter_diameter_mm=0.9)  # nothing before OK
    dialog.accept()
    expected = Settings(
        look_up_table="grey",
        crf=False,
        device="cpu",
        catheter_diameter_mm=0.87,
        interpolate_over=0,
    )
    assert window.desk.settings == expected
    assert load_settings() == (expected, "")
    assert window.desk.state.display.table is LookUpTable.GREY


def test_what_changed_behind_the_dialog_stays(window: MainWindow) -> None:
    dialog = dialog_of(window)
    meanwhile = replace(
        window.desk.settings, layout=3, interpolate=False, receiver_port=104, recent=("/a.dcm",)
    )
    window.desk.change_settings(meanwhile)
    dialog._crf.setChecked(False)
    dialog.accept()
    assert window.desk.settings == replace(meanwhile, crf=False)


def test_a_dialog_that_is_left_changes_nothing(window: MainWindow) -> None:
    dialog = dialog_of(window)
    dialog._crf.setChecked(False)
    dialog.reject()
    assert window.desk.settings == Settings(catheter_diameter_mm=0.9)


def test_a_network_that_is_gone_can_still_be_seen_as_chosen(qtbot: QtBot) -> None:
    dialog = SettingsDialog(Settings(model="removed-since"))
    qtbot.addWidget(dialog)
    assert dialog._model.currentText() == "removed-since"
    with qtbot.waitSignal(dialog.chosen) as chosen:
        dialog.accept()
    assert chosen.args is not None
    assert chosen.args[0]["model"] == "removed-since"


def test_the_chosen_network_is_described(qtbot: QtBot) -> None:
    dialog = SettingsDialog(Settings(model="removed-since"))
    qtbot.addWidget(dialog)
    assert "is not a model" in dialog._about.text()
    dialog._model.setCurrentText("segnet-cpu")
    assert dialog._about.text().startswith("SegNet, width 0.25")
