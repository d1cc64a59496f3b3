"""The monkey's hands and eyes: a robot's mouse and keys, dice, and patience."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

from PySide6.QtCore import QCoreApplication, QEvent, QEventLoop, QPointF, Qt, QTimer
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDialog,
    QLineEdit,
    QMenu,
    QPushButton,
    QTabBar,
    QToolButton,
    QWidget,
)
from shiboken6 import isValid

from calcviewer.gui.main_window import MainWindow
from tests.drive.robot import Robot
from tests.patience import PATIENCE_S
from tests.soak.files import Files

_LOOK_MS = 4
_FORGOTTEN_MS = 300
_USABLE = (QAbstractButton, QComboBox, QAbstractSpinBox, QLineEdit, QAbstractItemView, QTabBar)
_TEXTS = ("", "0", "-1", "7", "0.2", "12.5", "1e400", "nan", "abc", "9" * 40, "Ä b/ç", "1,5")
NONE, SHIFT, CTRL, ALT = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.AltModifier,
)


class StuckError(Exception):
    """What should have happened did not."""


class Operator:
    """Works one window after the other; all that is random comes from its dice.

    Attributes
    ----------
    dice
        Replaced for every action, so that what an action does hangs on nothing before it.
    said
        What was done in the action, in words.
    """

    def __init__(self, files: Files, make_window: Callable[[], MainWindow]) -> None:
        self.files = files
        self.dice = Random(0)
        self.said: list[str] = []
        self._make_window = make_window
        self.window = make_window()
        self.robot = Robot(self.window, Path())
        self._popup: QWidget | None = None
        self._choosing = False
        self._guard = QTimer()
        self._guard.timeout.connect(self._close_forgotten_popup)
        self._guard.start(_FORGOTTEN_MS)

    def renew(self) -> None:
        """Start the program again, in the place of the window that was closed."""
        self.window.deleteLater()
        del self.window, self.robot  # nothing of it is to be there when the next one settles
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        self.window = self._make_window()
        self.robot = Robot(self.window, Path())

    def say(self, what: str) -> None:
        """Note what is done, before it is done."""
        self.said.append(what)

    def _close_forgotten_popup(self) -> None:
        """Close a menu that a key opened by the way: its button waits for the menu's end."""
        popup, self._popup = self._popup, QApplication.activePopupWidget()
        if popup is not None and popup is self._popup and not self._choosing:
            self.close_popups()

    # Waiting ----------------------------------------------------------------------------------

    def let(self, milliseconds: int) -> None:
        """Let the window work for a while."""
        loop = QEventLoop()
        QTimer.singleShot(milliseconds, loop.quit)
        loop.exec()

    def until(self, what: str, holds: Callable[[], bool], seconds: float = PATIENCE_S) -> None:
        """Let the window work until something holds.

        Raises
        ------
        StuckError
            When it does not come to hold.
        """
        end = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > end:
                raise StuckError(f"waited {seconds:.0f} s for {what}")
            self.let(_LOOK_MS)

    # Mouse and keys ---------------------------------------------------------------------------

    def place(self, view: QWidget) -> QPointF:
        """Return some place in a widget, a little inside its rim."""
        across, down = self.dice.random(), self.dice.random()
        return QPointF(2 + across * (view.width() - 5), 2 + down * (view.height() - 5))

    def drag(
        self,
        view: QWidget,
        places: Sequence[QPointF],
        *,
        button: Qt.MouseButton = Qt.MouseButton.LeftButton,
        modifier: Qt.KeyboardModifier = NONE,
        meanwhile: Callable[[], None] | None = None,
    ) -> None:
        """Press at the first place, move over the others, do something half way, let go."""
        self.robot.press(view, places[0], modifier, button=button)
        for number, place in enumerate(places[1:]):
            self.robot.move(view, place)
            if meanwhile is not None and number == len(places) // 2:
                meanwhile()
        self.robot.release(view, places[-1], modifier, button=button)

    def keys(self, *sequences: str) -> None:
        """Press and release keys one after the other."""
        for sequence in sequences:
            if QApplication.focusWindow() is None:
                self.come_back()
            self.robot.key(sequence)

    def paste(self, field: QWidget, text: str) -> None:
        """Put a text in the place of what is in a field."""
        QGuiApplication.clipboard().setText(text)
        self.robot.click(field)
        self.keys("Ctrl+A", "Ctrl+V")

    def come_back(self) -> None:
        """Have the keyboard in the main window; there is no window manager to give it."""

        def active() -> bool:
            if QApplication.focusWindow() is self.window.windowHandle() is not None:
                return True
            self.window.activateWindow()
            return False

        self.until("the window to be active", active)

    def from_menu(self, action: QAction) -> None:
        """Choose an entry of the menu at the upper left with the mouse."""
        (button,) = (
            one for one in self.window.top_bar.findChildren(QToolButton) if one.menu() is not None
        )
        menu = button.menu()
        assert menu is not None
        group = next(one for one in menu.findChildren(QMenu) if action in one.actions())

        def choose() -> None:
            if not menu.isVisible():
                return
            looking.stop()
            for popup, entry in ((menu, group.menuAction()), (group, action)):
                if popup.isVisible():
                    self.robot.click(popup, QPointF(popup.actionGeometry(entry).center()))
            self.close_popups()

        # A click on the button returns when the menu is closed.
        looking = QTimer(self.window)
        looking.timeout.connect(choose)
        looking.start(_LOOK_MS)
        self._choosing = True
        self.robot.click(button)
        self._choosing = False
        looking.deleteLater()
        self.until("the menu to close", lambda: not menu.isVisible())

    def close_popups(self) -> None:
        """Close menus and drop-down lists with Esc."""
        for _ in range(8):
            popup = QApplication.activePopupWidget()
            if popup is None:
                return
            handle = popup.windowHandle()
            if handle is None:
                popup.close()
                continue
            QTest.keyClick(handle, Qt.Key.Key_Escape)
            if is_open(popup):
                popup.close()

    # Controls ---------------------------------------------------------------------------------

    def controls(self, within: QWidget, *, but: Sequence[QWidget] = ()) -> list[QWidget]:
        """Return what can be used in a widget now, but for some."""
        return [
            one
            for one in within.findChildren(QWidget)
            if isinstance(one, _USABLE)
            and one.isVisible()
            and one.isEnabled()
            and not isinstance(one.parent(), (QComboBox, QAbstractSpinBox, QAbstractItemView))
            and not (isinstance(one, (QPushButton, QToolButton)) and one.menu() is not None)
            and one.window() is within.window()
            and one not in but
        ]

    def use_one(self, within: QWidget, *, but: Sequence[QWidget] = ()) -> None:
        """Use some control of a widget, but for some."""
        found = self.controls(within, but=but)
        if found:
            self.use(self.dice.choice(found))

    def use(self, control: QWidget) -> None:
        """Use a control as its kind is used."""
        self.say(f"use {_name(control)}")
        if self.window.panel_area.isAncestorOf(control):
            self.window.panel_area.ensureWidgetVisible(control)
        if isinstance(control, QAbstractButton):
            self.robot.click(control)
        elif isinstance(control, QComboBox):
            self.robot.click(control)
            self.let(_LOOK_MS)
            self.keys(*self.dice.choices(("Down", "Up"), k=2), "Return")
            self.close_popups()
        elif isinstance(control, QAbstractItemView):
            self._use_rows(control)
        elif isinstance(control, QTabBar):
            tab = self.dice.randrange(max(1, control.count()))
            self.robot.click(control, QPointF(control.tabRect(tab).center()))
        else:
            self._use_field(control)

    def _use_rows(self, view: QAbstractItemView) -> None:
        root = view.rootIndex()
        rows = view.model().rowCount(root) if view.model() is not None else 0
        if not rows:
            return
        index = view.model().index(self.dice.randrange(rows), 0, root)
        view.scrollTo(index)
        at = view.visualRect(index).center()
        if view.viewport().rect().contains(at):
            self.robot.click(view.viewport(), QPointF(at), twice=self.dice.random() < 0.2)

    def _use_field(self, field: QWidget) -> None:
        text = self.dice.choice(_TEXTS)
        end = self.dice.choice(("Return", "Tab", "Esc", ""))
        self.say(f"{text!r} {end}")
        self.paste(field, text)
        if end:
            self.keys(end)

    # Dialogs ----------------------------------------------------------------------------------

    def dialogs(self) -> list[QDialog]:
        """Return the dialogs that are open, the modal ones first."""
        found = [
            one
            for one in QApplication.topLevelWidgets()
            if isinstance(one, QDialog) and one.isVisible()
        ]
        return sorted(found, key=lambda one: not one.isModal())

    def dialog(self, kind: type[QDialog]) -> QDialog:
        """Wait for a dialog of a kind, and return the last one."""
        self.until(f"{kind.__name__}", lambda: any(isinstance(one, kind) for one in self.dialogs()))
        return [one for one in self.dialogs() if isinstance(one, kind)][-1]

    def activate(self, dialog: QWidget) -> None:
        """Give a dialog the keyboard."""
        dialog.activateWindow()
        self.until(
            f"{type(dialog).__name__} to be active",
            lambda: not is_open(dialog) or QApplication.activeWindow() is dialog,
        )

    def leave(self, dialog: QDialog) -> None:
        """Close a dialog, and what it has opened, with Esc."""
        for one in self.dialogs():
            if is_open(dialog) and one.parent() is dialog:
                self.leave(one)
        if is_open(dialog):
            self.activate(dialog)
            self.keys("Esc")
        self.until(f"{type(dialog).__name__} to close", lambda: not is_open(dialog))

    def leave_all(self) -> None:
        """Close everything but the window."""
        self.close_popups()
        for _ in range(20):
            found = self.dialogs()
            if not found:
                return
            self.leave(found[0])
        raise StuckError("dialogs come again and again")


def is_open(widget: QWidget) -> bool:
    """Return whether a window is there; it may have been deleted."""
    return isValid(widget) and widget.isVisible()


def _name(control: QWidget) -> str:
    """Return what a control is, for the diary."""
    text = control.text() if isinstance(control, (QAbstractButton, QLineEdit)) else ""
    words = text or control.accessibleName() or control.toolTip().splitlines()[:1]
    owner = control.parent()
    return f"{type(control).__name__} {words!r} in {type(owner).__name__}"
