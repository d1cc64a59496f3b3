"""The table of keys and mouse gestures, made of the list that binds them."""

from __future__ import annotations

from PySide6.QtWidgets import QDialog, QDialogButtonBox, QVBoxLayout, QWidget

from calcviewer.gui.actions import shortcut_table
from calcviewer.gui.table import Column, Table


class Shortcuts(QDialog):
    """Shows what keys and mouse do."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Shortcuts"))
        self.resize(640, 720)
        table = Table(
            (
                Column(self.tr("Group")),
                Column(self.tr("Key or mouse")),
                Column(self.tr("What it does"), stretches=True),
            )
        )
        table.show_rows(shortcut_table())
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.close)
        column = QVBoxLayout(self)
        column.addWidget(table)
        column.addWidget(buttons)
