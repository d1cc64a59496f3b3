"""The column of icons at the left edge."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFrame, QToolButton, QVBoxLayout, QWidget

from calcviewer.gui.theme import named

WIDTH_PX = 44
_BUTTON_PX = 32
_ICON_PX = 20
_UPPER = (
    ("play", "next_maximum", "confirm_frame", "bookmark", "voi_from"),
    ("ruler", "catheter"),
    ("fit", "overlay"),
    ("layout_1", "layout_2", "layout_3", "layout_4", "layout_5"),
)
_LOWER = ("shortcuts", "log", "settings")


class ToolBar(QWidget):
    """Buttons for what is done most, of the same actions as keys and menu."""

    def __init__(self, actions: Mapping[str, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("bar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedWidth(WIDTH_PX)
        column = QVBoxLayout(self)
        column.setContentsMargins(5, 6, 5, 6)
        column.setSpacing(0)
        for group in _UPPER:
            for name in group:
                column.addWidget(_button(actions[name]))
            column.addWidget(_line())
        column.addStretch(1)
        for name in _LOWER:
            column.addWidget(_button(actions[name]))


def _button(action: QAction) -> QToolButton:
    button = named(QToolButton(), "icon")
    button.setDefaultAction(action)
    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
    button.setIconSize(QSize(_ICON_PX, _ICON_PX))
    button.setFixedSize(_BUTTON_PX, _BUTTON_PX)
    button.setAccessibleName(action.text())
    return button


def _line() -> QFrame:
    line = named(QFrame(), "line")
    line.setFixedHeight(9)
    return line
