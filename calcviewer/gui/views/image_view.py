"""What the cross-section and the polar view do on mouse, wheel and keys, and with a tool."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QFocusEvent, QKeyEvent, QKeySequence, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from calcviewer.gui.look_up_tables import dragged_levels
from calcviewer.gui.shown import ShownStudy
from calcviewer.gui.throttle import Throttle
from calcviewer.gui.tools.measuring import MeasuringTool
from calcviewer.gui.tools.tool import Mark, Pointer, Tool
from calcviewer.gui.view_state import ViewState
from calcviewer.gui.views.image_canvas import ImageCanvas

HIT_PX = 16.0
"""Half the size of a comfortable target."""
NOTCH = 120
_FAR_STEP = 10
_ZOOM_PER_NOTCH = 1.2


def whole_notches(gathered: int, delta: int) -> tuple[int, int]:
    """Return the whole wheel notches in what was gathered, and what is left of it.

    A wheel may send a notch in many small deltas, or several notches as one; either way one notch
    is one frame. A change of direction begins anew.

    Returns
    -------
    Notches (positive: away from the operator) and the rest, in eighths of a degree.
    """
    total = delta if gathered * delta < 0 else gathered + delta
    notches = int(total / NOTCH)
    return notches, total - notches * NOTCH


class ImageView(ImageCanvas):
    """A view of the frame on screen that the operator works in."""

    def __init__(self, state: ViewState, parent: QWidget | None = None) -> None:
        super().__init__(state, parent)
        self.tool: Tool | None = None
        self._gathered = 0
        self._drag, self._button = "", Qt.MouseButton.NoButton
        self._drag_from = QPointF()
        self._levels_from = (0.0, 255.0)
        self._hiding = False
        self._elsewhere = Throttle(self.update, self)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.setMouseTracking(True)

    # What a view is made of -------------------------------------------------------------------

    def to_mm(self, at: QPointF) -> tuple[float, float]:
        """Return what lies at a place in the widget, canonical mm."""
        raise NotImplementedError

    def px_per_mm(self) -> float:
        """Return the scale along the depth."""
        raise NotImplementedError

    def reach_deg(self) -> float | None:
        """Return how far a target reaches in angle about the catheter; None where it is round."""
        return None

    def _zoom(self, at: QPointF, factor: float) -> None:
        raise NotImplementedError

    def _pan(self, by: QPointF) -> None:
        raise NotImplementedError

    def _begin_own_drag(self, at: QPointF) -> bool:
        return False

    def _own_drag(self, at: QPointF, by: QPointF) -> None:
        raise NotImplementedError

    def _own_cursor(self, at: QPointF) -> Qt.CursorShape:
        return Qt.CursorShape.ArrowCursor

    # Study and tool ---------------------------------------------------------------------------

    def set_study(self, shown: ShownStudy | None) -> None:
        """Show another study, or none, with no tool in hand."""
        self.set_tool(None)
        self._drag, self._gathered = "", 0
        super().set_study(shown)

    def set_tool(self, tool: Tool | None) -> None:
        """Give the left mouse button to a tool, which the caller has activated."""
        if self.tool is not None:
            self.tool.changed.disconnect(self._tool_changed)
        if self._drag == "tool":
            self._drag = ""
        self.tool = tool
        if tool is not None:
            tool.changed.connect(self._tool_changed)
        self._tool_changed()

    def _tool_changed(self) -> None:
        self.setCursor(self.tool.cursor if self.tool else Qt.CursorShape.ArrowCursor)
        self._update_soon()

    def _update_soon(self) -> None:
        """Repaint at once where the mouse is; a gesture in the other view is followed slower."""
        if self.tool is not None and self.tool.busy and self._drag != "tool":
            self._elsewhere.ask()
        else:
            self.update()

    def _marks(self) -> Sequence[Mark]:
        """Return what the tool has drawn, and what was measured freely where no tool shows it."""
        if isinstance(self.tool, MeasuringTool):
            return self.tool.marks()
        return (*super()._marks(), *(self.tool.marks() if self.tool else ()))

    # Mouse and keys ---------------------------------------------------------------------------

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Step one frame a notch (Shift: ten), or zoom with Ctrl."""
        event.accept()
        turned = event.angleDelta()
        delta = turned.y() or turned.x()  # Shift turns the wheel sideways on some systems
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            if self.shown is not None:
                self._zoom(event.position(), _ZOOM_PER_NOTCH ** (delta / NOTCH))
                self.update()
            return
        notches, self._gathered = whole_notches(self._gathered, delta)
        if self._drag == "tool" and self.tool is not None and self.tool.turn(notches):
            return
        far = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
        if notches:
            self.state.step(-notches * (_FAR_STEP if far else 1))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a drag: tool or own (left), pan (middle), window/level (right)."""
        if self.shown is None or self._drag:
            return
        at = event.position()
        self._drag_from, self._button = at, event.button()
        if event.button() == Qt.MouseButton.MiddleButton:
            self._drag = "pan"
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
        elif event.button() == Qt.MouseButton.RightButton:
            self._drag = "levels"
            self._levels_from = (self.state.display.black, self.state.display.white)
        elif event.button() == Qt.MouseButton.LeftButton:
            own = self._own_cursor(at) != Qt.CursorShape.ArrowCursor
            if not own and self.tool is not None and self.tool.press(_pointer_of(self, event)):
                self._drag = "tool"
            elif self._begin_own_drag(at):
                self._drag = "own"

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Go on with the drag, or show what the pointer is over."""
        at = event.position()
        by = at - self._drag_from
        if self._drag == "levels":
            black, white = self._levels_from
            self.state.set_levels(*dragged_levels(black, white, right_px=by.x(), down_px=by.y()))
            return
        self._drag_from = at
        if self._drag == "tool" and self.tool is not None:
            self.tool.drag(_pointer_of(self, event))
        elif self._drag == "own":
            self._own_drag(at, by)
            self.update()
        elif self._drag == "pan":
            self._pan(by)
            self.update()
        elif self.shown is not None:
            if self.tool is not None:
                self.tool.hover(_pointer_of(self, event))
            own = self._own_cursor(at)
            use_tool = self.tool is not None and own == Qt.CursorShape.ArrowCursor
            self.setCursor(self.tool.cursor if self.tool and use_tool else own)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End the drag with the button that began it."""
        if event.button() != self._button:
            return
        drag, self._drag = self._drag, ""
        if drag == "tool" and self.tool is not None:
            self.tool.release(_pointer_of(self, event))
        if drag:
            self._tool_changed()

    def leaveEvent(self, event: QEvent) -> None:
        """Tell the tool that nothing is under the mouse."""
        if self.tool is not None:
            self.tool.leave()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Fit with F, hide the overlay while H is held; other keys belong to tool and window."""
        if self.tool is not None and self.tool.wants(_tool_key(event)):
            self.tool.press_key(_tool_key(event))
        elif event.key() == Qt.Key.Key_F and self.shown is not None:
            self.fit()
            self.update()
        elif event.key() == Qt.Key.Key_H and self.shown is not None:
            if not event.isAutoRepeat():
                self._hide(True)
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """Show the overlay again when H is let go."""
        if event.key() == Qt.Key.Key_H and self._hiding:
            if not event.isAutoRepeat():
                self._hide(False)
        else:
            super().keyReleaseEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Show the overlay again: the release of H goes elsewhere."""
        if self._hiding:
            self._hide(False)
        super().focusOutEvent(event)

    def _hide(self, hidden: bool) -> None:
        self._hiding = hidden
        self.state.set_overlay_visible(not hidden)

    def event(self, event: QEvent) -> bool:
        """Keep keys that the tool wants from becoming shortcuts."""
        if (
            isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.ShortcutOverride
            and self.tool is not None
            and self.tool.wants(_tool_key(event))
        ):
            event.accept()
            return True
        return super().event(event)


def _pointer_of(view: ImageView, event: QMouseEvent) -> Pointer:
    held = event.modifiers()
    return Pointer(
        view.to_mm(event.position()),
        HIT_PX / view.px_per_mm(),
        alt=bool(held & Qt.KeyboardModifier.AltModifier),
        shift=bool(held & Qt.KeyboardModifier.ShiftModifier),
        reach_deg=view.reach_deg(),
    )


def _tool_key(event: QKeyEvent) -> int:
    """Return the key as a tool knows it: undo is one key however it is typed."""
    undo = event.matches(QKeySequence.StandardKey.Undo)
    return Qt.Key.Key_Undo if undo else event.key()
