"""The dialog of preferences."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFormLayout,
    QLabel,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from calcviewer.app.models import summarise
from calcviewer.app.settings import DEVICES, MOST_INTERPOLATED, TABLES, Settings, settings_path
from calcviewer.core.resources import models_path
from calcviewer.gui.theme import named
from calcviewer.inference.model_card import list_models


class SettingsDialog(QDialog):
    """Edits a part of the settings; nothing is in force before OK.

    Signals
    -------
    chosen
        What the operator accepted: values of `Settings` by name. What the dialog does not show may
        have changed meanwhile.
    """

    chosen = Signal(object)

    def __init__(self, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Settings"))
        self.setMinimumWidth(480)
        self._model = QComboBox()
        names = [folder.name for folder in list_models(models_path())]
        self._model.addItems(names if settings.model in names else [*names, settings.model])
        self._model.setCurrentText(settings.model)
        self._about = named(QLabel(), "quiet")
        self._about.setWordWrap(True)
        self._model.currentTextChanged.connect(self._describe)
        self._describe(settings.model)
        devices = (self.tr("GPU where there is one"), self.tr("Processor"), self.tr("GPU (CUDA)"))
        self._device = _combo(dict(zip(DEVICES, devices, strict=True)), settings.device)
        self._crf = QCheckBox(self.tr("Refine contours with the CRF"))
        self._crf.setChecked(settings.crf)
        tables = (self.tr("Gold"), self.tr("Grey"), self.tr("Inverse grey"))
        self._table = _combo(dict(zip(TABLES, tables, strict=True)), settings.look_up_table)
        self._catheter = QDoubleSpinBox(decimals=3, minimum=0.1, maximum=5.0, singleStep=0.01)
        self._catheter.setSuffix(" mm")
        self._catheter.setValue(settings.catheter_diameter_mm)
        self._over = QSpinBox(minimum=0, maximum=MOST_INTERPOLATED)
        self._over.setSuffix(self.tr(" frames"))
        self._over.setSpecialValueText(self.tr("off"))
        self._over.setValue(settings.interpolate_over)
        self._lay_out()

    def accept(self) -> None:
        """Hand over what was chosen and close."""
        self.chosen.emit(
            {
                "model": self._model.currentText(),
                "device": self._device.currentData(),
                "crf": self._crf.isChecked(),
                "look_up_table": self._table.currentData(),
                "catheter_diameter_mm": round(self._catheter.value(), 3),
                "interpolate_over": self._over.value(),
            }
        )
        super().accept()

    def _describe(self, model: str) -> None:
        self._about.setText(summarise(model))

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.setVerticalSpacing(10)
        form.addRow(self.tr("Network"), self._model)
        form.addRow("", self._about)
        form.addRow(self.tr("Runs on"), self._device)
        form.addRow("", self._crf)
        form.addRow(self.tr("Colours"), self._table)
        form.addRow(self.tr("Catheter diameter"), self._catheter)
        form.addRow(self.tr("Interpolate over at most"), self._over)
        hint = named(
            QLabel(
                self.tr("Network and device hold from the next segmentation on.\n{}").format(
                    settings_path()
                )
            ),
            "quiet",
        )
        box = QDialogButtonBox.StandardButton
        buttons = QDialogButtonBox(box.Ok | box.Cancel)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setSpacing(12)
        column.addLayout(form)
        column.addWidget(hint)
        column.addWidget(buttons)


def _combo(texts: dict[str, str], chosen: str) -> QComboBox:
    box = QComboBox()
    for value, text in texts.items():
        box.addItem(text, value)
    box.setCurrentIndex(box.findData(chosen))
    return box
