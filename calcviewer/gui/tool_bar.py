"""The buttons at the left edge, two in a row."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFrame, QGridLayout, QToolButton, QVBoxLayout, QWidget

from calcviewer.gui.theme import named

WIDTH_PX = 76
_BUTTON_PX = 32
_ICON_PX = 20
_COLUMNS = 2
_UPPER = (
    ("play", "next_maximum", "confirm_frame", "exclude", "bookmark", "voi_from"),
    ("contour", "points", "guidewire", "eel"),
    ("sector", "deposit", "brush", "eraser", "lasso", "split"),
    ("copy_previous", "copy_next", "interpolate", "revert"),
    ("ruler", "angle", "area", "catheter"),
    ("fit", "overlay"),
)
_LOWER = (
    ("layout_1", "layout_2", "layout_3", "layout_4", "layout_5", "frame_history"),
    ("shortcuts", "settings"),
)


class ToolBar(QWidget):
    """Buttons for what is done most, of the same actions as keys and menu."""

    def __init__(self, actions: Mapping[str, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("bar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedWidth(WIDTH_PX)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 6, 6, 6)
        column.setSpacing(0)
        for group in _UPPER:
            column.addLayout(_rows(actions, group))
            column.addWidget(_line())
        column.addStretch(1)
        for group in _LOWER:
            column.addWidget(_line())
            column.addLayout(_rows(actions, group))


def _rows(actions: Mapping[str, QAction], names: tuple[str, ...]) -> QGridLayout:
    grid = QGridLayout()
    grid.setSpacing(0)
    for place, name in enumerate(names):
        grid.addWidget(_button(actions[name]), *divmod(place, _COLUMNS))
    return grid


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
    line.setFixedHeight(7)
    return line
