"""Which tool has the left mouse button."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from calcviewer.gui.shown import ShownStudy
from calcviewer.gui.tools.tool import Tool
from calcviewer.gui.view_state import ViewState
from calcviewer.gui.views.image_view import ImageView


class Toolbox(QObject):
    """Gives one tool at a time to the image views, with its row of settings over the first.

    Signals
    -------
    chosen
        The id of the tool in hand; empty for none.
    """

    chosen = Signal(str)

    def __init__(
        self,
        tools: Mapping[str, Tool],
        views: Sequence[ImageView],
        state: ViewState,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._state = state
        self._tools = dict(tools)
        self._views = tuple(views)
        self._shown: ShownStudy | None = None
        self._name = ""
        self._options: QWidget | None = None

    @property
    def in_hand(self) -> str:
        """The id of the tool in hand; empty for none."""
        return self._name

    def set_study(self, shown: ShownStudy | None) -> None:
        """Turn to another study with no tool in hand."""
        self.choose("")
        self._shown = shown

    def choose(self, name: str) -> None:
        """Take a tool in hand; the one that is in hand already is put away, as with no name."""
        put_away, self._name = self._name, ""
        if put_away:
            self._put_away(self._tools[put_away])
        if name and name != put_away and self._shown is not None:
            self._take(name, self._shown)
        self.chosen.emit(self._name)

    def _take(self, name: str, shown: ShownStudy) -> None:
        tool = self._tools[name]
        self._name = name
        tool.activate(shown, self._state)
        for view in self._views:
            view.set_tool(tool)
        self._options = tool.make_options(self._views[0])
        if self._options is not None:
            self._options.show()

    def _put_away(self, tool: Tool) -> None:
        for view in self._views:
            view.set_tool(None)
        tool.deactivate()
        if self._options is not None:
            self._options.hide()
            self._options.deleteLater()
            self._options = None
