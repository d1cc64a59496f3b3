"""The archive's place in the window: made when it is first asked for, kept until the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from calcviewer.gui.desk import Desk

if TYPE_CHECKING:
    from calcviewer.gui.pacs.window import PacsWindow


class Pacs(QObject):
    """Shows the archive's window and opens what is chosen there.

    The window is only hidden when it is closed: a receiver that was turned on goes on.

    Signals
    -------
    said
        Something happened while it was closed.
    """

    said = Signal(str)

    def __init__(self, desk: Desk, window: QWidget) -> None:
        super().__init__(window)
        self._desk, self._over = desk, window
        self._window: PacsWindow | None = None

    @property
    def window(self) -> PacsWindow:
        """The archive's window."""
        if self._window is None:
            # Loaded when it is asked for: most reviews need no archive, and all need a quick start.
            from calcviewer.gui.pacs.window import PacsWindow

            self._window = PacsWindow(self._desk, self._over)
            self._window.pullback_chosen.connect(self._desk.open_path)
            self._window.said.connect(self.said)
        return self._window

    def show(self, page: str) -> None:
        """Show a page of the archive's window: ``worklist`` or ``send``."""
        if page == "send":
            self.window.show_send()
        else:
            self.window.show_worklist()
