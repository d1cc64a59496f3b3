"""The table of keys and mouse gestures, made of the list that binds them."""

from __future__ import annotations

from PySide6.QtWidgets import QDialog, QDialogButtonBox, QVBoxLayout, QWidget

from calcviewer.gui.about import text_table
from calcviewer.gui.actions import shortcut_table


class Shortcuts(QDialog):
    """Shows what keys and mouse do."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Shortcuts"))
        self.resize(640, 720)
        heads = (self.tr("Group"), self.tr("Key or mouse"), self.tr("What it does"))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.close)
        column = QVBoxLayout(self)
        column.addWidget(text_table(heads, shortcut_table()))
        column.addWidget(buttons)
