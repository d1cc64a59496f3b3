"""What an operator does to look at a pullback: nothing of it changes the review."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QWidget

from calcviewer.gui.actions import ACTIONS
from calcviewer.gui.views.image_view import ImageView
from tests.soak.operator import CTRL, NONE, SHIFT, Operator

_STEPS = ("Right", "Left", "Shift+Right", "Shift+Left", "Home", "End", "N", "Shift+N", "M")
_TABLES = ("gold", "grey", "inverse")
_NOT_MASHED = frozenset(
    {"quit", "open_file", "open_folder", "open_demo", "results", "export", "send"}
)
"""They have actions of their own."""


def views_on_screen(op: Operator) -> list[QWidget]:
    """Return the views that the layout shows."""
    longitudinal = op.window.longitudinal
    places = {**op.window.views, "longitudinal": longitudinal.canvas}
    return [view for view in places.values() if view.isVisible()]


def image_view(op: Operator) -> ImageView:
    """Return the cross-section or the polar view, as the dice say and the layout allows."""
    window = op.window
    both = [one for one in (window.cross_section, window.polar) if one.isVisible()]
    return op.dice.choice(both)


def place_in_vessel(op: Operator, view: ImageView) -> QPointF:
    """Return a place in an image view, more often near the catheter than in a corner."""
    if view is not op.window.cross_section:
        return op.place(view)
    radius = op.dice.uniform(0.05, 0.98) * min(view.width(), view.height()) / 2
    angle = op.dice.uniform(0, 2 * math.pi)
    middle = QPointF(view.rect().center())
    return middle + QPointF(radius * math.cos(angle), radius * math.sin(angle))


def step_by_keys(op: Operator) -> None:
    """Step with the keys."""
    keys = op.dice.choices(_STEPS, k=op.dice.randint(1, 12))
    op.say(" ".join(keys))
    op.keys(*keys)


def step_by_wheel(op: Operator) -> None:
    """Turn the wheel over some view: step, step far, zoom, turn the cut."""
    view = op.dice.choice(views_on_screen(op))
    modifier = op.dice.choice((NONE, NONE, SHIFT, CTRL))
    at = op.place(view)
    for _ in range(op.dice.randint(1, 8)):
        notches = op.dice.choice((-3, -1, -1, 1, 1, 3))
        op.say(f"{modifier.name} wheel {notches} over {type(view).__name__}")
        op.robot.wheel(view, notches, modifier, at)


def scrub(op: Operator) -> None:
    """Click or drag along a view of the whole pullback."""
    window = op.window
    along = [
        one
        for one in (window.longitudinal.canvas, window.calcium_map, window.trends)
        if one.isVisible()
    ]
    view = op.dice.choice(along)
    op.say(f"scrub {type(view).__name__}")
    op.drag(view, [op.place(view) for _ in range(op.dice.randint(1, 6))])


def play(op: Operator) -> None:
    """Play, and mostly stop again."""
    state, player = op.window.desk.state, op.window.commands.player
    was = player.playing
    op.keys("Space")
    if player.playing is was:
        return  # a field had the keyboard, or there is a single frame
    begun = state.frame
    if player.playing:
        op.until("a frame to be played", lambda: state.frame != begun or not player.playing)
        if op.dice.random() < 0.7:
            op.keys("Space")


def zoom_and_pan(op: Operator) -> None:
    """Zoom at a place, pan, and sometimes fit again."""
    view = image_view(op)
    for _ in range(op.dice.randint(1, 6)):
        op.robot.wheel(view, op.dice.choice((-2, -1, 1, 1, 2)), CTRL, op.place(view))
    op.drag(view, [op.place(view) for _ in range(4)], button=Qt.MouseButton.MiddleButton)
    if op.dice.random() < 0.5:
        op.keys("F")


def window_level(op: Operator) -> None:
    """Drag window and level."""
    view = op.dice.choice([image_view(op), op.window.longitudinal.canvas])
    if view.isVisible():
        op.drag(view, [op.place(view) for _ in range(6)], button=Qt.MouseButton.RightButton)
        op.close_popups()


def colours(op: Operator) -> None:
    """Choose a look-up table in the menu."""
    name = op.dice.choice(_TABLES)
    op.say(name)
    op.from_menu(op.window.actions_by_id[name])


def layout(op: Operator) -> None:
    """Choose a layout with its key."""
    number = op.dice.choice("12345")
    op.say(number)
    op.keys(number)


def turn_volume(op: Operator) -> None:
    """Turn the 3-D view."""
    op.keys("5")
    view = op.window.volume
    op.let(20)
    button = op.dice.choice((Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton))
    op.drag(view, [op.place(view) for _ in range(5)], button=button)


def turn_cut(op: Operator) -> None:
    """Turn the cut by its line in the cross-section, or with the wheel below."""
    canvas = op.window.longitudinal.canvas
    view = op.window.cross_section
    angle = math.radians(op.window.desk.state.cut_deg)
    reach = 0.4 * min(view.width(), view.height())
    middle = QPointF(view.rect().center())
    end = middle + QPointF(reach * math.cos(angle), reach * math.sin(angle))
    op.drag(view, [end, *(place_in_vessel(op, view) for _ in range(4))])
    op.robot.wheel(canvas, op.dice.choice((-2, 1, 3)), NONE)


def go_to(op: Operator) -> None:
    """Ask for a frame by its number, which need not be one."""
    number = op.dice.choice(("1", "7", "12", "999", "0", ""))
    op.say(number)
    op.keys("G", *number, op.dice.choice(("Return", "Return", "Esc")))


def hold_overlay(op: Operator) -> None:
    """Hold the overlay away, step, and let it come back."""
    op.keys("H", "Right", "H")


def use_panel(op: Operator) -> None:
    """Use some control of the window, wherever it is."""
    for _ in range(op.dice.randint(1, 4)):
        op.use_one(op.window)
        op.close_popups()
        if op.dialogs():
            break


def resize(op: Operator) -> None:
    """Make the window another size."""
    width, height = op.dice.randint(700, 1900), op.dice.randint(450, 1200)
    op.say(f"{width} x {height}")
    op.window.resize(width, height)
    op.let(20)


def mash(op: Operator) -> None:
    """Press whatever comes: shortcuts, and keys that are none."""
    known = [key for one in ACTIONS if one.id not in _NOT_MASHED for key in one.keys]
    others = ["Tab", "Shift+Tab", "Delete", "[", "]", "PgDown", "Backspace", "Down", "Up", "Q", "9"]
    keys = op.dice.choices(known + others, k=op.dice.randint(4, 20))
    op.say(" ".join(keys))
    for key in keys:
        op.keys(key)
        if any(one.isModal() for one in op.dialogs()):
            return


def choose_in_menu(op: Operator) -> None:
    """Choose any entry of the menu with the mouse."""
    known = [one.id for one in ACTIONS if one.id not in _NOT_MASHED]
    name = op.dice.choice(known)
    op.say(name)
    op.from_menu(op.window.actions_by_id[name])


def context_menu(op: Operator) -> None:
    """Choose from the menu of the longitudinal view."""
    canvas = op.window.longitudinal.canvas
    at = op.place(canvas)
    op.drag(canvas, [at, at], button=Qt.MouseButton.RightButton)
    op.let(10)
    op.keys(*op.dice.choices(("Down", "Up"), k=op.dice.randint(1, 6)), "Return")
    op.close_popups()
