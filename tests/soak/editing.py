"""What an operator does to correct a pullback, with every tool, in both image views."""

from __future__ import annotations

import math
from collections.abc import Callable

from PySide6.QtCore import QPointF, Qt

from calcviewer.gui.views.image_view import ImageView
from tests.soak.looking import image_view, place_in_vessel
from tests.soak.operator import ALT, NONE, SHIFT, Operator, StuckError

_TOOLS = (
    "contour",
    "points",
    "guidewire",
    "eel",
    "sector",
    "deposit",
    "brush",
    "eraser",
    "lasso",
    "split",
    "ruler",
    "angle",
    "area",
    "catheter",
)
_TOOL_KEYS = ("Delete", "[", "]", "Return", "Backspace", "Esc", "Ctrl+Z", "Tab")
_LEFT, _RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
_TEXTS = ("0.2", "15.5", "5.2", "-0.1", "0", "1e9", "abc", "", "0,25")


def tool(name: str) -> Callable[[Operator], None]:
    """Return the action that works with a tool."""

    def work(op: Operator) -> None:
        # A study that comes now would put the tool away.
        op.until("opening to end", lambda: not op.window.desk.opening.what)
        if op.window.toolbox.in_hand != name:
            op.robot.press_tool(name)
        if op.window.toolbox.in_hand != name:
            raise StuckError(f"the tool {name} is not in hand")
        for _ in range(op.dice.randint(1, 5)):
            _gesture(op, image_view(op))
        if op.dice.random() < 0.3:
            op.robot.press_tool(name)

    work.__doc__ = f"Work with the tool {name}."
    return work


TOOLS = {name: tool(name) for name in _TOOLS}


def _gesture(op: Operator, view: ImageView) -> None:
    kind = op.dice.choices(("drag", "click", "key", "hover", "options", "step"), (6, 2, 2, 1, 1, 1))
    op.say(f"{kind[0]} in {type(view).__name__}")
    if kind == ["drag"]:
        modifier = op.dice.choice((NONE, NONE, NONE, ALT, SHIFT))
        op.drag(view, _path(op, view), modifier=modifier, meanwhile=_meanwhile(op, view))
    elif kind == ["click"]:
        op.robot.click(view, place_in_vessel(op, view), twice=op.dice.random() < 0.2)
    elif kind == ["key"]:
        op.keys(*op.dice.choices(_TOOL_KEYS, k=op.dice.randint(1, 3)))
    elif kind == ["hover"]:
        for _ in range(6):
            op.robot.move(view, place_in_vessel(op, view))
    elif kind == ["options"]:
        op.use_one(op.window.cross_section)
    else:
        op.keys(op.dice.choice(("Right", "Left")))


def _path(op: Operator, view: ImageView) -> list[QPointF]:
    """Return the way of a drag: straight, round the catheter, or to and fro."""
    start, count = place_in_vessel(op, view), op.dice.randint(2, 24)
    kind = op.dice.choice(("straight", "round", "wild"))
    if kind == "wild":
        return [start, *(place_in_vessel(op, view) for _ in range(count))]
    if kind == "straight" or view is not op.window.cross_section:
        by = (place_in_vessel(op, view) - start) / count
        return [start + by * k for k in range(count + 1)]
    middle = QPointF(view.rect().center())
    from_middle = start - middle
    radius, begin = (
        math.hypot(from_middle.x(), from_middle.y()),
        math.atan2(from_middle.y(), from_middle.x()),
    )
    turn = op.dice.uniform(-6, 6)
    angles = [begin + turn * k / count for k in range(count + 1)]
    return [middle + QPointF(math.cos(a), math.sin(a)) * radius for a in angles]


def _meanwhile(op: Operator, view: ImageView) -> Callable[[], None] | None:
    """Return what comes between during a drag, mostly nothing."""
    kind = op.dice.choices(("", "wheel", "key", "button", "away"), (6, 1, 2, 1, 1))[0]
    at, key = op.place(view), op.dice.choice((*_TOOL_KEYS, "Right", "X", "I", ",", "Ctrl+Shift+Z"))
    if not kind:
        return None
    op.say(f"meanwhile {kind} {key if kind == 'key' else ''}")
    deeds: dict[str, Callable[[], None]] = {
        "wheel": lambda: op.robot.wheel(view, 1, NONE, at),
        "key": lambda: op.keys(key),
        "button": lambda: op.drag(view, [at, at], button=_RIGHT),
        "away": lambda: op.robot.move(op.window.status, QPointF(5, 5)),
    }
    return deeds[kind]


def undo_and_redo(op: Operator) -> None:
    """Undo some steps and do all of them again: the review is the one before."""
    session = op.robot.session
    before = session.study.review
    count = min(len(session.history.past), op.dice.randint(1, 12))
    op.say(f"{count} steps")
    op.keys(*["Ctrl+Z"] * count)
    op.keys(*["Ctrl+Shift+Z"] * count)
    if op.window.toolbox.in_hand in ("", "ruler") and session.study.review is not before:
        raise StuckError(f"{count} steps undone and done again lead to another review")


def undo_many(op: Operator) -> None:
    """Undo or do again in a burst."""
    key = op.dice.choice(("Ctrl+Z", "Ctrl+Z", "Ctrl+Shift+Z"))
    op.keys(*[key] * op.dice.randint(1, 15))


def whole_frame(op: Operator) -> None:
    """Copy, revert, interpolate, confirm, bookmark; the VOI with its keys."""
    keys = op.dice.choices(
        (",", ".", "Ctrl+R", "I", "Return", "Ctrl+Return", "B", "V", "Shift+V", "Right"),
        k=op.dice.randint(1, 6),
    )
    op.say(" ".join(keys))
    op.keys(*keys)


def exclude(op: Operator) -> None:
    """Leave a frame out, with a reason; or include it again."""
    op.keys("X")
    ask = op.window.exclude_ask
    if not ask.isVisible():
        return
    how = op.dice.choice(("button", "typed", "leave", "step"))
    op.say(how)
    if how == "button":
        op.robot.click(op.dice.choice(ask.buttons))
    elif how == "typed":
        op.keys(*"stent", "Return")
    elif how == "leave":
        op.keys("Esc")
    else:
        op.robot.wheel(op.window.cross_section, -1, NONE)


def drag_voi(op: Operator) -> None:
    """Drag an end of the VOI along the pullback."""
    canvas = op.window.longitudinal.canvas
    middle = canvas.area().center().y()
    end = op.dice.choice(canvas.voi_ends_px())
    op.drag(canvas, [QPointF(end, middle), *(op.place(canvas) for _ in range(4))])


def calibrate(op: Operator) -> None:
    """Enter a value of the calibration, which may make no sense; or take the file's again."""
    panel = op.window.calibration
    if op.dice.random() < 0.3 and panel.reset.isVisible():
        op.use(panel.reset)
        return
    known = [one for one in (panel.spacing, panel.pitch, panel.zero) if one.isVisible()]
    if not known:
        return
    edit, text = op.dice.choice(known), op.dice.choice(_TEXTS)
    op.say(f"{edit.field.accessibleName()} {text!r}")
    op.window.panel_area.ensureWidgetVisible(edit.field)
    op.paste(edit.field, text)
    op.keys(op.dice.choice(("Return", "Return", "Esc", "Tab")))
