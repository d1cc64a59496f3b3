"""An operator inside the application's process: his mouse and keys reach the native window."""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QTimer, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication, QImage, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QToolButton, QWidget

from calcviewer.app.session import Session
from calcviewer.gui.app import run_window
from calcviewer.gui.main_window import MainWindow
from tests.patience import PATIENCE_S

_TICK_MS = 20
_STILL_S = 0.4
_NO_MODIFIER = Qt.KeyboardModifier.NoModifier
_LEFT = Qt.MouseButton.LeftButton


@dataclass(frozen=True)
class Until:
    """What a script waits for, and how long at most."""

    what: str
    holds: Callable[[], bool]
    seconds: float = PATIENCE_S


Script = Generator[Until, None, None]


class Robot:
    """Works the window and looks at it."""

    def __init__(self, window: MainWindow, pictures: Path) -> None:
        self.window = window
        self._pictures = pictures

    @property
    def session(self) -> Session:
        """The session of the open study."""
        shown = self.window.desk.shown
        assert shown is not None, "no study is open"
        return shown.session

    # Waiting ----------------------------------------------------------------------------------

    def opened(self) -> Until:
        """Wait for a study other than the one that is open now."""
        before = self.window.desk.shown
        return Until("a study to open", lambda: self.window.desk.shown not in (None, before))

    def active(self, widget: QWidget | None = None) -> Until:
        """Wait for a window to have the keyboard; there is no window manager to give it."""
        wanted = self.window if widget is None else widget

        def holds() -> bool:
            if QApplication.activeWindow() is wanted:
                return True
            wanted.activateWindow()
            return False

        return Until(f"{type(wanted).__name__} to be active", holds)

    def still(self) -> Until:
        """Wait until the screen no longer changes."""
        seen, since = _screen(), time.monotonic()

        def holds() -> bool:
            nonlocal seen, since
            now = _screen()
            if now != seen:
                seen, since = now, time.monotonic()
            return time.monotonic() - since > _STILL_S

        return Until("the screen to come to rest", holds)

    # Mouse and keys ---------------------------------------------------------------------------

    def click(self, widget: QWidget, at: QPointF | None = None, *, twice: bool = False) -> None:
        """Click with the left button, in the middle where nothing else is said."""
        handle, place = _place(widget, at)
        QTest.mouseMove(handle, place)
        click = QTest.mouseDClick if twice else QTest.mouseClick
        click(handle, _LEFT, _NO_MODIFIER, place)

    def press_button(self, text: str, within: QWidget | None = None) -> None:
        """Click the visible, enabled button with a text."""
        parent = self.window if within is None else within
        buttons = [
            button
            for button in parent.findChildren(QAbstractButton)
            if button.text() == text and button.isVisible() and button.isEnabled()
        ]
        assert len(buttons) == 1, f"{len(buttons)} buttons say {text!r}"
        self.click(buttons[0])

    def press_tool(self, action_id: str) -> None:
        """Click the tool bar's button of an action."""
        action = self.window.actions_by_id[action_id]
        (button,) = (
            one
            for one in self.window.tool_bar.findChildren(QToolButton)
            if one.defaultAction() is action
        )
        self.click(button)

    def drag(self, widget: QWidget, start: QPointF, end: QPointF, *, moves: int = 8) -> None:
        """Press, move and release the left button."""
        handle, first = _place(widget, start)
        QTest.mouseMove(handle, first)
        QTest.mousePress(handle, _LEFT, _NO_MODIFIER, first)
        for move in range(1, moves + 1):
            _, place = _place(widget, start + (end - start) * (move / moves))
            QTest.mouseMove(handle, place)
        QTest.mouseRelease(handle, _LEFT, _NO_MODIFIER, _place(widget, end)[1])

    def press(
        self,
        widget: QWidget,
        at: QPointF,
        modifier: Qt.KeyboardModifier = _NO_MODIFIER,
        *,
        button: Qt.MouseButton = _LEFT,
    ) -> None:
        """Press a button and keep it down."""
        handle, place = _place(widget, at)
        QTest.mouseMove(handle, place)
        QTest.mousePress(handle, button, modifier, place)

    def move(self, widget: QWidget, at: QPointF) -> None:
        """Move the pointer; a button that is down stays down."""
        handle, place = _place(widget, at)
        QTest.mouseMove(handle, place)

    def release(
        self,
        widget: QWidget,
        at: QPointF,
        modifier: Qt.KeyboardModifier = _NO_MODIFIER,
        *,
        button: Qt.MouseButton = _LEFT,
    ) -> None:
        """Let a button go."""
        handle, place = _place(widget, at)
        QTest.mouseRelease(handle, button, modifier, place)

    def move_away(self) -> None:
        """Move the pointer to where it lights nothing up."""
        handle, place = _place(self.window.status, None)
        QTest.mouseMove(handle, place)

    def wheel(
        self,
        widget: QWidget,
        notches: int,
        modifier: Qt.KeyboardModifier,
        at: QPointF | None = None,
    ) -> None:
        """Turn the wheel over a widget, its middle where nothing else is said; up is positive."""
        handle, place = _place(widget, at)
        QTest.mouseMove(handle, place)
        QTest.wheelEvent(handle, QPointF(place), QPoint(0, 120 * notches), QPoint(), modifier)

    def key(self, sequence: str) -> None:
        """Press and release a key, e.g. ``"Ctrl+Z"``."""
        combination = QKeySequence(sequence)[0]
        window = QApplication.focusWindow()
        assert window is not None, "no window has the keyboard"
        QTest.keyClick(window, combination.key(), combination.keyboardModifiers())

    def quit(self) -> None:
        """Close the application with its key."""
        self.key("Ctrl+Q")

    def type(self, text: str) -> None:
        """Press the keys of a text one after the other."""
        for character in text:
            self.key(character)

    def drop(self, *paths: Path) -> None:
        """Drag files from outside over the window and let them go."""
        mime = QMimeData()
        mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
        handle, middle = _place(self.window, None)
        copy = Qt.DropAction.CopyAction
        enter = QDragEnterEvent(middle, copy, mime, _LEFT, _NO_MODIFIER)
        QApplication.sendEvent(handle, enter)
        assert enter.isAccepted(), "the window does not take what is dragged over it"
        let_go = QDropEvent(QPointF(middle), copy, mime, _LEFT, _NO_MODIFIER)
        QApplication.sendEvent(handle, let_go)

    # Looking ----------------------------------------------------------------------------------

    def picture(self, name: str) -> None:
        """Keep what is on the screen."""
        path = self._pictures / f"{name}.png"
        assert _screen().save(str(path)), f"{path} cannot be written"


def run(script: Callable[[Robot], Script], pictures: Path, *, study: Path | None = None) -> int:
    """Start the application as its user does, let a script work it, and end it.

    Returns
    -------
    The application's exit status; 1 when the script failed, whose reason is on standard error.
    """
    app = QApplication(sys.argv[:1])
    app.setCursorFlashTime(0)  # a screen with a caret that blinks never comes to rest
    director = _Director(script, pictures)
    director.wait()
    status = run_window(study)
    del app
    return 1 if director.failed else status


class _Director:
    """Goes on with a script whenever what it waits for holds."""

    def __init__(self, script: Callable[[Robot], Script], pictures: Path) -> None:
        self.failed = True
        self._begin = script
        self._pictures = pictures
        self._script: Script | None = None
        self._until = Until("the window", lambda: True)
        self._since = time.monotonic()
        self._timer = QTimer()
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._tick)

    def wait(self) -> None:
        self._timer.start(_TICK_MS)

    def _tick(self) -> None:
        try:
            if self._may_go_on():
                self._go_on()
                self._since = time.monotonic()
            self.wait()
        except StopIteration:
            self.failed = False
            _window().close()
        except Exception:
            traceback.print_exc()
            _screen().save(str(self._pictures / "failure.png"))
            _window().close()

    def _may_go_on(self) -> bool:
        if self._until.holds():
            return True
        waited = time.monotonic() - self._since
        if waited > self._until.seconds:
            raise TimeoutError(f"waited {waited:.0f} s for {self._until.what}")
        return False

    def _go_on(self) -> None:
        if self._script is None:
            self._script = self._begin(Robot(_window(), self._pictures))
        self._until = next(self._script)


def _window() -> MainWindow:
    (window,) = (w for w in QApplication.topLevelWidgets() if isinstance(w, MainWindow))
    return window


def _screen() -> QImage:
    return QGuiApplication.primaryScreen().grabWindow(0).toImage()


def _place(widget: QWidget, at: QPointF | None) -> tuple[object, QPoint]:
    """Return the native window of a widget, and a point of the widget in that window."""
    inside = QPointF(widget.rect().center()) if at is None else at
    top = widget.window()
    handle = top.windowHandle()
    assert handle is not None, f"{type(widget).__name__} is not on screen"
    return handle, widget.mapTo(top, inside).toPoint()
