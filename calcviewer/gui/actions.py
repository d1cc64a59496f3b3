"""The one list of everything the operator can do: it binds the keys and makes menu and table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from calcviewer.gui.icons import icon

# `lupdate -tr-function-alias QT_TRANSLATE_NOOP+=_N` finds the texts of this list.
_N = cast(Callable[[str, str], str], QT_TRANSLATE_NOOP)

FILE = _N("actions", "Study")
EDIT = _N("actions", "Edit")
GO = _N("actions", "Go")
REVIEW = _N("actions", "Review")
TOOLS = _N("actions", "Tools")
CORRECT = _N("actions", "Correct")
VIEW = _N("actions", "View")
HELP = _N("actions", "Help")
MOUSE = _N("actions", "Mouse")
GROUPS = (FILE, EDIT, GO, REVIEW, TOOLS, CORRECT, VIEW, HELP)


@dataclass(frozen=True)
class ActionSpec:
    """One thing the operator can do.

    Parameters
    ----------
    text
        As in the menu; translated where it is shown.
    keys
        Key sequences, in Qt's portable text.
    slot
        The method of the handler that does it; ``argument`` is handed to it when there is one.
    needs_study
        Whether it is offered only while a study is open.
    hold
        Whether the key acts while it is held; the handler's slot gets True, and False on release.
    repeats
        Whether holding the key does it again, once a repaint.
    checkable
        Whether its button and menu entry show that it is in force.
    """

    id: str
    group: str
    text: str
    slot: str
    keys: tuple[str, ...] = ()
    icon: str = ""
    argument: int | str | None = None
    needs_study: bool = True
    hold: bool = False
    repeats: bool = False
    checkable: bool = False


def _free(
    id: str,
    group: str,
    text: str,
    slot: str,
    keys: tuple[str, ...] = (),
    icon: str = "",
    *,
    checkable: bool = False,
) -> ActionSpec:
    """Return an action that needs no study."""
    return ActionSpec(id, group, text, slot, keys, icon, needs_study=False, checkable=checkable)


def _step(id: str, text: str, frames: int, key: str) -> ActionSpec:
    return ActionSpec(id, GO, text, "step", (key,), argument=frames, repeats=True)


def _tool(id: str, text: str, key: str) -> ActionSpec:
    """Return the action that takes a tool in hand; tool and icon have the same name."""
    return ActionSpec(id, TOOLS, text, "tool", (key,), id, id, checkable=True)


def _pacs(id: str, text: str, key: str, *, needs_study: bool) -> ActionSpec:
    """Return the action that shows a page of the archive's window, called like the page."""
    icon_name = "" if needs_study else "archive"
    return ActionSpec(id, FILE, text, "pacs", (key,), icon_name, id, needs_study=needs_study)


def _layout(number: int, text: str) -> ActionSpec:
    name = f"layout_{number}"
    icon_name = f"layout{number}"
    return ActionSpec(name, VIEW, text, "layout", (str(number),), icon_name, number, checkable=True)


ACTIONS: tuple[ActionSpec, ...] = (
    _free("open_file", FILE, _N("actions", "Open file…"), "open_file", ("Ctrl+O",), "open"),
    _free("open_folder", FILE, _N("actions", "Open folder…"), "open_folder", ("Ctrl+Shift+O",)),
    _pacs("worklist", _N("actions", "PACS worklist…"), "Ctrl+P", needs_study=False),
    _free("open_demo", FILE, _N("actions", "Simulated demo"), "open_demo"),
    ActionSpec(
        "results", FILE, _N("actions", "Open results…"), "open_results", ("Ctrl+Alt+O",), "open"
    ),
    ActionSpec("export", FILE, _N("actions", "Export…"), "export", ("Ctrl+E",), "export"),
    _pacs("send", _N("actions", "Send results to the PACS…"), "Ctrl+Shift+P", needs_study=True),
    ActionSpec("close", FILE, _N("actions", "Close study"), "close_study", ("Ctrl+W",)),
    _free("quit", FILE, _N("actions", "Quit"), "quit", ("Ctrl+Q",)),
    ActionSpec("undo", EDIT, _N("actions", "Undo"), "undo", ("Ctrl+Z",), "undo"),
    ActionSpec("redo", EDIT, _N("actions", "Redo"), "redo", ("Ctrl+Shift+Z",), "redo"),
    _free("escape", EDIT, _N("actions", "Leave the tool, then deselect"), "escape", ("Esc",)),
    _free("settings", EDIT, _N("actions", "Settings…"), "settings", ("Ctrl+,",), "settings"),
    _step("next_frame", _N("actions", "Next frame"), 1, "Right"),
    _step("previous_frame", _N("actions", "Previous frame"), -1, "Left"),
    _step("forward", _N("actions", "10 frames forward"), 10, "Shift+Right"),
    _step("back", _N("actions", "10 frames back"), -10, "Shift+Left"),
    ActionSpec("first_frame", GO, _N("actions", "First frame"), "first_frame", ("Home",)),
    ActionSpec("last_frame", GO, _N("actions", "Last frame"), "last_frame", ("End",)),
    ActionSpec("play", GO, _N("actions", "Play or stop"), "play", ("Space",), "play"),
    ActionSpec("go_to", GO, _N("actions", "Go to frame…"), "ask_frame", ("G",)),
    ActionSpec(
        "next_decisive", GO, _N("actions", "Next decisive frame"), "decisive", ("N",), "", 1
    ),
    ActionSpec(
        "previous_decisive",
        GO,
        _N("actions", "Previous decisive frame"),
        "decisive",
        ("Shift+N",),
        "",
        -1,
    ),
    ActionSpec(
        "next_maximum",
        GO,
        _N("actions", "Next maximum: arc, thickness, MLA"),
        "next_maximum",
        ("M",),
        "maximum",
    ),
    ActionSpec(
        "confirm_frame",
        REVIEW,
        _N("actions", "Confirm frame"),
        "confirm_frame",
        ("Return", "Enter"),
        "confirm",
    ),
    ActionSpec(
        "confirm_lesion",
        REVIEW,
        _N("actions", "Confirm lesion"),
        "confirm_lesion",
        ("Ctrl+Return", "Ctrl+Enter"),
    ),
    ActionSpec("bookmark", REVIEW, _N("actions", "Bookmark"), "bookmark", ("B",), "bookmark"),
    ActionSpec("voi_from", REVIEW, _N("actions", "VOI from here"), "voi_from", ("V",), "voi"),
    ActionSpec("voi_to", REVIEW, _N("actions", "VOI up to here"), "voi_to", ("Shift+V",)),
    ActionSpec("voi_clear", REVIEW, _N("actions", "No VOI: whole pullback"), "voi_clear"),
    ActionSpec("segment", REVIEW, _N("actions", "Segment what is missing"), "segment"),
    ActionSpec("cancel", REVIEW, _N("actions", "Cancel the segmentation"), "cancel_segmentation"),
    _tool("contour", _N("actions", "Borders: drag, or draw over"), "C"),
    _tool("points", _N("actions", "Borders by their points"), "P"),
    _tool("guidewire", _N("actions", "Guidewire shadow"), "T"),
    _tool("eel", _N("actions", "External elastic lamina"), "O"),
    _tool("sector", _N("actions", "Add calcium: sector and borders"), "A"),
    _tool("deposit", _N("actions", "Deposits: arc, front, back, merge, delete"), "D"),
    _tool("brush", _N("actions", "Brush"), "W"),
    _tool("eraser", _N("actions", "Eraser"), "E"),
    _tool("lasso", _N("actions", "Lasso"), "L"),
    _tool("split", _N("actions", "Split a deposit"), "S"),
    _tool("ruler", _N("actions", "Ruler"), "R"),
    _tool("angle", _N("actions", "Angle"), "Shift+R"),
    _tool("area", _N("actions", "Area"), "Shift+A"),
    _tool("catheter", _N("actions", "Calibrate on the catheter"), "K"),
    ActionSpec(
        "copy_previous",
        CORRECT,
        _N("actions", "Copy from the previous frame"),
        "copy_from",
        (",",),
        "copy_previous",
        -1,
    ),
    ActionSpec(
        "copy_next",
        CORRECT,
        _N("actions", "Copy from the next frame"),
        "copy_from",
        (".",),
        "copy_next",
        1,
    ),
    _free(
        "interpolate",
        CORRECT,
        _N("actions", "Interpolate between corrected frames"),
        "toggle_interpolation",
        ("I",),
        "interpolate",
        checkable=True,
    ),
    ActionSpec(
        "revert",
        CORRECT,
        _N("actions", "Revert frame to model"),
        "revert_frame",
        ("Ctrl+R",),
        "revert",
    ),
    ActionSpec(
        "exclude", CORRECT, _N("actions", "Exclude frame…"), "exclude_frame", ("X",), "exclude"
    ),
    ActionSpec(
        "frame_history",
        CORRECT,
        _N("actions", "History of this frame"),
        "show_frame_history",
        ("J",),
        "history",
    ),
    ActionSpec(
        "second_pass",
        CORRECT,
        _N("actions", "Second pass: largest differences…"),
        "show_second_pass",
        ("Shift+J",),
    ),
    ActionSpec("fit", VIEW, _N("actions", "Fit"), "fit", ("F",), "fit"),
    ActionSpec(
        "hide",
        VIEW,
        _N("actions", "Hide the overlay while held"),
        "hide_overlay",
        ("H",),
        hold=True,
    ),
    ActionSpec("overlay", VIEW, _N("actions", "Overlay on or off"), "toggle_overlay", (), "eye"),
    ActionSpec("flip", VIEW, _N("actions", "Swap distal and proximal"), "flip"),
    ActionSpec("gold", VIEW, _N("actions", "Colours: gold"), "table", argument="gold"),
    ActionSpec("grey", VIEW, _N("actions", "Colours: grey"), "table", argument="grey"),
    ActionSpec("inverse", VIEW, _N("actions", "Colours: inverse"), "table", argument="inverse"),
    _layout(1, _N("actions", "Layout 1: review")),
    _layout(2, _N("actions", "Layout 2: cross-section")),
    _layout(3, _N("actions", "Layout 3: along the vessel")),
    _layout(4, _N("actions", "Layout 4: cross-section and polar")),
    _layout(5, _N("actions", "Layout 5: 3-D")),
    _free("shortcuts", HELP, _N("actions", "Shortcuts"), "show_shortcuts", ("F1",), "help"),
    _free("log", HELP, _N("actions", "Log"), "show_log", (), "log"),
    _free("problem_report", HELP, _N("actions", "Save a problem report…"), "show_problem_report"),
    _free("about", HELP, _N("actions", "About CalcViewer"), "show_about"),
)

MOUSE_GESTURES: tuple[tuple[str, str], ...] = (
    (_N("actions", "Left drag"), _N("actions", "The tool in hand")),
    (_N("actions", "Wheel while dragging, [ and ]"), _N("actions", "Radius of the tool")),
    (_N("actions", "Esc while dragging"), _N("actions", "Take the drag back")),
    (_N("actions", "Delete"), _N("actions", "Remove what is selected")),
    (_N("actions", "Wheel"), _N("actions", "One frame")),
    (_N("actions", "Shift+wheel"), _N("actions", "10 frames")),
    (_N("actions", "Ctrl+wheel"), _N("actions", "Zoom at the pointer")),
    (_N("actions", "Middle drag"), _N("actions", "Pan")),
    (_N("actions", "Right drag"), _N("actions", "Window and level")),
    (_N("actions", "Click in the longitudinal view"), _N("actions", "Go to that frame")),
    (_N("actions", "Wheel in the longitudinal view"), _N("actions", "Turn the cut")),
    (_N("actions", "Drag a VOI handle"), _N("actions", "Move that end of the VOI")),
)
"""What the views do on the mouse, for the table of shortcuts."""


def translated(text: str) -> str:
    """Return a text of this list in the operator's language."""
    return QCoreApplication.translate("actions", text)


def bind(window: QWidget, handler: object) -> dict[str, QAction]:
    """Make an action of every entry, with its keys, on a window.

    Parameters
    ----------
    handler
        Has a method for every ``slot`` of the list.

    Returns
    -------
    The actions by id, in the order of the list.
    """
    bound = {spec.id: _action(spec, window, handler) for spec in ACTIONS}
    window.addActions(list(bound.values()))
    return bound


def _action(spec: ActionSpec, window: QWidget, handler: object) -> QAction:
    action = QAction(translated(spec.text), window)
    action.setObjectName(spec.id)
    action.setShortcuts([QKeySequence(key) for key in spec.keys])
    action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
    action.setAutoRepeat(spec.repeats)
    action.setCheckable(spec.checkable)
    action.setToolTip(f"{action.text()} ({_keys_text(spec.keys)})" if spec.keys else action.text())
    if spec.icon:
        action.setIcon(icon(spec.icon))
    slot: Any = getattr(handler, spec.slot)
    argument: int | str | bool | None = True if spec.hold else spec.argument
    if argument is None:
        action.triggered.connect(lambda: slot())
    else:
        action.triggered.connect(lambda: slot(argument))
    return action


def build_menu(actions: Mapping[str, QAction], parent: QWidget) -> QMenu:
    """Return the menu of all actions, one submenu a group."""
    menu = QMenu(parent)
    for group in GROUPS:
        submenu = menu.addMenu(translated(group))
        submenu.addActions([actions[spec.id] for spec in ACTIONS if spec.group == group])
    return menu


def shortcut_table() -> list[tuple[str, str, str]]:
    """Return (group, keys, what it does) of every action with a key, and of the mouse."""
    rows = [
        (translated(spec.group), _keys_text(spec.keys), translated(spec.text))
        for spec in ACTIONS
        if spec.keys
    ]
    mouse = [
        (translated(MOUSE), translated(gesture), translated(effect))
        for gesture, effect in MOUSE_GESTURES
    ]
    return rows + mouse


def _keys_text(keys: tuple[str, ...]) -> str:
    native = QKeySequence.SequenceFormat.NativeText
    return ", ".join(QKeySequence(key).toString(native) for key in keys)
