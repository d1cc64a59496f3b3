"""All tools, and which of them has the left mouse button."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QWidget

from calcviewer.gui.shown import ShownStudy
from calcviewer.gui.tools.angle import AngleTool
from calcviewer.gui.tools.area import AreaTool
from calcviewer.gui.tools.brush import BrushTool
from calcviewer.gui.tools.catheter import CatheterTool
from calcviewer.gui.tools.contour import ContourTool
from calcviewer.gui.tools.deposit import DepositTool
from calcviewer.gui.tools.editing import EditTool, Finisher
from calcviewer.gui.tools.eel import EelTool
from calcviewer.gui.tools.guidewire import GuidewireTool
from calcviewer.gui.tools.lasso import LassoTool
from calcviewer.gui.tools.points import PointsTool
from calcviewer.gui.tools.ruler import RulerTool
from calcviewer.gui.tools.sector import SectorTool
from calcviewer.gui.tools.split import SplitTool
from calcviewer.gui.tools.tool import Tool
from calcviewer.gui.view_state import ViewState
from calcviewer.gui.views.image_view import ImageView


def make_tools(finisher: Finisher, parent: QObject) -> dict[str, Tool]:
    """Return all tools by the id of their action.

    Parameters
    ----------
    finisher
        Ends the gestures that correct a frame.
    """
    tools: dict[str, Tool] = {
        "contour": ContourTool(parent),
        "points": PointsTool(parent),
        "guidewire": GuidewireTool(parent),
        "eel": EelTool(parent),
        "sector": SectorTool(parent),
        "deposit": DepositTool(parent),
        "brush": BrushTool(parent),
        "eraser": BrushTool(parent, erase=True),
        "lasso": LassoTool(parent),
        "split": SplitTool(parent),
        "ruler": RulerTool(parent),
        "angle": AngleTool(parent),
        "area": AreaTool(parent),
        "catheter": CatheterTool(parent),
    }
    for tool in tools.values():
        if isinstance(tool, EditTool):
            tool.finisher = finisher
    return tools


class Toolbox(QObject):
    """Gives one tool at a time to the image views, with its row of settings over the first.

    Signals
    -------
    chosen
        The id of the tool in hand; empty for none.
    status
        What a click would do where the mouse is, as the tool in hand says it.
    """

    chosen = Signal(str)
    status = Signal(str)

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
        self._say()

    def escape(self) -> None:
        """Leave what the tool is doing or has selected; else put the tool away."""
        tool = self._tools.get(self._name)
        if tool is not None and tool.wants(Qt.Key.Key_Escape):
            tool.press_key(Qt.Key.Key_Escape)
        else:
            self.choose("")

    def _say(self) -> None:
        self.status.emit(self._tools[self._name].status() if self._name else "")

    def _take(self, name: str, shown: ShownStudy) -> None:
        tool = self._tools[name]
        self._name = name
        tool.activate(shown, self._state)
        tool.changed.connect(self._say)
        for view in self._views:
            view.set_tool(tool)
        self._options = tool.make_options(self._views[0])
        if self._options is not None:
            self._options.show()
        if not any(view.hasFocus() for view in self._views):
            self._views[0].setFocus()  # keys of the tool, as Delete, go to a view

    def _put_away(self, tool: Tool) -> None:
        for view in self._views:
            view.set_tool(None)
        tool.changed.disconnect(self._say)
        tool.deactivate()
        if self._options is not None:
            self._options.hide()
            self._options.deleteLater()
            self._options = None
