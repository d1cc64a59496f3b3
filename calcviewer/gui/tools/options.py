"""The row of settings of a tool, over the lower edge of the view it is for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QButtonGroup, QFrame, QHBoxLayout, QPushButton, QWidget

Choice = TypeVar("Choice")

_ABOVE_PX = 50


class OptionsRow(QFrame):
    """A row of widgets that keeps its place in the middle above the lower edge of a view."""

    def __init__(self, view: QWidget) -> None:
        super().__init__(view)
        self.setObjectName("card")
        self._view = view
        self.row = QHBoxLayout(self)
        self.row.setContentsMargins(6, 5, 6, 5)
        self.row.setSpacing(6)
        view.installEventFilter(self)

    def add_choice(
        self, texts: Mapping[Choice, str], chosen: Choice, choose: Callable[[Choice], None]
    ) -> dict[Choice, QPushButton]:
        """Add buttons of which one is down."""
        group = QButtonGroup(self)
        buttons = {}
        for choice, text in texts.items():
            button = buttons[choice] = self.add_switch(text, choice == chosen)
            group.addButton(button)
            button.clicked.connect(lambda _=False, choice=choice: choose(choice))
        return buttons

    def add_switch(self, text: str, on: bool) -> QPushButton:
        """Add a button that stays down."""
        button = QPushButton(text)
        button.setCheckable(True)
        button.setChecked(on)
        self.row.addWidget(button)
        return button

    def add_button(self, text: str, clicked: Callable[[], None]) -> QPushButton:
        """Add a button that does something."""
        button = QPushButton(text)
        button.clicked.connect(lambda: clicked())
        self.row.addWidget(button)
        return button

    def showEvent(self, event: QShowEvent) -> None:
        """Take the place at the lower edge."""
        super().showEvent(event)
        self.place()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay there when the view grows or shrinks."""
        if event.type() == QEvent.Type.Resize:
            self.place()
        return False

    def place(self) -> None:
        """Take the middle above the lower edge, in the size that is needed now."""
        size = self.sizeHint().boundedTo(self._view.size())
        left = (self._view.width() - size.width()) // 2
        top = self._view.height() - size.height() - _ABOVE_PX
        self.setGeometry(left, max(top, 0), size.width(), size.height())
