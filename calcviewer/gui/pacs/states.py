"""What stands in the place of a list that has nothing to show: why, and what to do next."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QStackedWidget, QVBoxLayout, QWidget

from calcviewer.gui.panels.card import heading, paint, quiet
from calcviewer.gui.theme import ERROR, TEXT, named

_TEXT_PX = 560


class States(QStackedWidget):
    """A widget, or a message in its place."""

    def __init__(self, content: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._content = content
        self._title = heading("")
        self._text = quiet("", wrap=True)
        self._text.setFixedWidth(_TEXT_PX)
        for label in (self._title, self._text):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._button = named(QPushButton(), "primary")
        self._button.setAutoDefault(False)
        self._button.clicked.connect(lambda: self._act())
        self._act: Callable[[], None] = lambda: None
        self._message = QWidget()
        column = QVBoxLayout(self._message)
        column.setSpacing(10)
        column.addStretch(1)
        for widget in (self._title, self._text, self._button):
            column.addWidget(widget, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(1)
        self.addWidget(content)
        self.addWidget(self._message)

    @property
    def message(self) -> str:
        """The message on show; empty while the content is."""
        shown = self.currentWidget() is self._message
        return f"{self._title.text()}\n{self._text.text()}" if shown else ""

    @property
    def button(self) -> QPushButton:
        """The button of the message."""
        return self._button

    def show_content(self) -> None:
        """Show the content."""
        self.setCurrentWidget(self._content)

    def show_message(
        self,
        title: str,
        text: str,
        *,
        offer: tuple[str, Callable[[], None]] | None = None,
        failure: bool = False,
    ) -> None:
        """Show a message in the place of the content.

        Parameters
        ----------
        offer
            Where there is a way on: the text of its button, and what that does.
        failure
            Whether the title tells of one.
        """
        self._title.setText(title)
        self._title.setVisible(bool(title))
        paint(self._title, ERROR if failure else TEXT)
        self._text.setText(text)
        # A layout that centres a label gives it the height of its narrow shape, not of all lines.
        self._text.setFixedHeight(self._text.heightForWidth(_TEXT_PX))
        self._button.setVisible(offer is not None)
        if offer is not None:
            text_of_button, self._act = offer
            self._button.setText(text_of_button)
        self.setCurrentWidget(self._message)
