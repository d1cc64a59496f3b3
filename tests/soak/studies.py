"""What an operator does around a review: open, close, segment, export, ask the archive."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QDialog, QFileDialog, QLineEdit, QListWidgetItem, QPushButton, QWidget

from calcviewer.gui.exporting.dialog import ExportDialog
from calcviewer.gui.pacs.window import PacsWindow
from calcviewer.gui.second_reading.dialog import TakeOver
from calcviewer.gui.second_reading.dock import SecondReaderDock
from calcviewer.gui.settings_dialog import SettingsDialog
from tests.soak.operator import Operator, is_open


def _wait_for_answer(op: Operator, before: object) -> None:
    """Wait until what was asked for is open, or the window said why not."""
    window = op.window

    def answered() -> bool:
        return (
            (window.desk.shown is not before and window.desk.shown is not None)
            or bool(window.banner.message)
            or any(isinstance(one, TakeOver) for one in op.dialogs())
        )

    op.until("the file to be opened or refused", answered)
    op.until("opening to end", lambda: not window.desk.opening.what)


def drop(op: Operator, path: Path) -> None:
    """Drop a file or a folder on the window."""
    op.say(f"drop {path.parent.name}/{path.name}")
    op.window.banner.hide()
    before = op.window.desk.shown
    op.robot.drop(path)
    _wait_for_answer(op, before)


def open_by_drop(op: Operator) -> None:
    """Drop a pullback, whatever is open."""
    drop(op, op.dice.choice(op.files.studies))


def open_damaged(op: Operator) -> None:
    """Drop what cannot be opened: the open study stays."""
    drop(op, op.dice.choice(op.files.damaged))


def open_by_dialog(op: Operator) -> None:
    """Open a file by its name in the dialog."""
    paths = [path for path in (*op.files.studies, *op.files.damaged) if path.is_file()]
    path, before = op.dice.choice(paths), op.window.desk.shown
    op.say(f"{path.parent.name}/{path.name}")
    op.window.banner.hide()
    op.keys("Ctrl+O")
    dialog = op.dialog(QFileDialog)
    op.activate(dialog)
    if op.dice.random() < 0.2:
        op.leave(dialog)
        return
    (field,) = dialog.findChildren(QLineEdit, "fileNameEdit")
    op.paste(field, str(path))
    op.close_popups()
    op.keys("Return")
    _wait_for_answer(op, before)


def open_and_leave(op: Operator) -> None:
    """Open a pullback and another one before the first is there."""
    first, second = op.dice.choices(op.files.studies, k=2)
    op.say(f"{first.parent.name}/{first.name}, {second.parent.name}/{second.name}")
    op.window.banner.hide()
    before = op.window.desk.shown
    op.robot.drop(first)
    op.let(op.dice.randint(0, 40))
    op.robot.drop(second)
    _wait_for_answer(op, before)


def open_results(op: Operator) -> None:
    """Open another reader's results over what is open, and take them over or not."""
    _open_results(op, op.dice.choice(op.files.results), take=op.dice.random() < 0.6)


def _open_results(op: Operator, path: Path, *, take: bool) -> None:
    op.say(path.name)
    op.window.banner.hide()
    op.robot.drop(path)
    docks = op.window.findChildren(SecondReaderDock)
    op.until(
        "the results to be read or refused",
        lambda: (
            bool(op.window.banner.message)
            or any(isinstance(one, TakeOver) for one in op.dialogs())
            or op.window.findChildren(SecondReaderDock) != docks
        ),
    )
    for dialog in op.dialogs():
        if isinstance(dialog, TakeOver):
            _answer(op, dialog, take=take)


def _answer(op: Operator, dialog: TakeOver, *, take: bool) -> None:
    op.until("the dialog to have read", lambda: not _runs(dialog))
    if take and is_open(dialog) and dialog.take.isVisible():
        op.activate(dialog)
        op.robot.click(dialog.take)
        op.until("the results to be taken over", lambda: not _runs(dialog))


def _runs(dialog: TakeOver | ExportDialog) -> bool:
    return is_open(dialog) and dialog._task.running


def close_study(op: Operator) -> None:
    """Close the study; the second time it goes even where it cannot be saved."""
    op.keys("Ctrl+W")
    if op.window.desk.shown is not None:
        op.keys("Ctrl+W")
    op.until("the study to close", lambda: op.window.desk.shown is None)


def open_recent(op: Operator) -> None:
    """Close the study and choose a recent one."""
    close_study(op)
    page = op.window.start_page
    rows = page._recent.count()
    if not rows:
        return
    item = page._recent.item(op.dice.randrange(rows))
    page._recent.scrollToItem(item)
    before = op.window.desk.shown
    op.window.banner.hide()
    at = page._recent.visualItemRect(item).center()
    op.robot.click(page._recent.viewport(), at.toPointF())
    _wait_for_answer(op, before)


def open_demo(op: Operator) -> None:
    """Open the simulated demo from the menu, or cancel it."""
    before = op.window.desk.shown
    op.window.banner.hide()
    op.from_menu(op.window.actions_by_id["open_demo"])
    cancel = [
        one
        for one in op.controls(op.window)
        if isinstance(one, QPushButton) and one.text() == "Cancel"
    ]
    if cancel and op.window.desk.opening.what and op.dice.random() < 0.3:
        op.use(cancel[-1])
        op.until("opening to end", lambda: not op.window.desk.opening.what)
    else:
        _wait_for_answer(op, before)


def start_again(op: Operator) -> None:
    """Quit and start the program again."""
    op.keys("Ctrl+Q")
    if op.window.isVisible():
        op.keys("Ctrl+Q")
    op.until("the window to close", lambda: not op.window.isVisible())
    op.renew()


def segment(op: Operator) -> None:
    """Cancel the segmentation, go on with it, or wait for its end."""
    window, deed = op.window, op.dice.choice(("cancel", "segment", "wait", "some"))
    op.say(deed)
    segmentation = window.desk.segmentation
    if deed in ("cancel", "segment"):
        op.from_menu(window.actions_by_id[deed])
    elif deed == "some":
        done = segmentation.done
        op.until("a frame", lambda: segmentation.done > done or not segmentation.running)
    else:
        op.until("the segmentation to end", lambda: not segmentation.running)


# Dialogs --------------------------------------------------------------------------------------


def _work_in(op: Operator, dialog: QDialog, times: int, *, but: Sequence[QWidget] = ()) -> None:
    """Use controls of a dialog; what it opens is closed again."""
    for _ in range(times):
        if not is_open(dialog):
            return
        op.activate(dialog)
        op.use_one(dialog, but=but)
        op.close_popups()
        for other in op.dialogs():
            if is_open(other) and is_open(dialog) and other.parent() is dialog:
                op.use_one(other)
                op.leave(other)


def small_dialog(op: Operator) -> None:
    """Look into one of the dialogs that only tell something."""
    name = op.dice.choice(("shortcuts", "log", "about", "frame_history", "second_pass"))
    op.say(name)
    op.from_menu(op.window.actions_by_id[name])
    for dialog in op.dialogs()[-1:]:
        op.activate(dialog)
        _work_in(op, dialog, op.dice.randint(0, 3))
    if op.dice.random() < 0.5:
        op.leave_all()


def settings(op: Operator) -> None:
    """Change preferences, and take them or not."""
    op.keys("Ctrl+,")
    dialog = op.dialog(SettingsDialog)
    _work_in(op, dialog, op.dice.randint(1, 5))


def export(op: Operator) -> None:
    """Export some kinds into some folder: whole, cancelled, or refused."""
    op.keys("Ctrl+E")
    dialog = op.dialog(ExportDialog)
    assert isinstance(dialog, ExportDialog)
    op.activate(dialog)
    folder = op.dice.choice((*op.files.folders, op.files.folders[0], Path("/nowhere")))
    op.say(f"into {folder.name}")
    op.paste(dialog.folder, str(folder))
    for _ in range(op.dice.randint(1, 4)):
        _tick(op, dialog, dialog.kinds.item(op.dice.randrange(dialog.kinds.count())))
    _work_in(op, dialog, op.dice.randint(0, 2))
    if is_open(dialog) and dialog.export.isEnabled():
        op.activate(dialog)
        op.robot.click(dialog.export)
        if op.dice.random() < 0.3 and dialog.cancel.isVisible():
            op.say("cancel")
            op.robot.click(dialog.cancel)
        op.until("the export to end", lambda: not _runs(dialog), 120)


def everything_once(op: Operator) -> None:
    """Export every kind, read every kind of results, show the 3-D view: all that is loaded late."""
    drop(op, op.files.studies[0])
    op.until("the segmentation to end", lambda: not op.window.desk.segmentation.running)
    op.keys("Ctrl+E")
    dialog = op.dialog(ExportDialog)
    assert isinstance(dialog, ExportDialog)
    op.activate(dialog)
    op.paste(dialog.folder, str(op.files.folders[0]))
    rows = [dialog.kinds.item(row) for row in range(dialog.kinds.count())]
    for item in rows:
        if item.checkState() is Qt.CheckState.Unchecked:
            _tick(op, dialog, item)
    op.robot.click(dialog.export)
    op.until("the export to end", lambda: not _runs(dialog))
    op.leave_all()
    op.come_back()
    for path in op.files.results:
        _open_results(op, path, take=True)
        op.leave_all()
        op.come_back()
    op.keys("5", "1")


def _tick(op: Operator, dialog: ExportDialog, item: QListWidgetItem) -> None:
    op.say(f"tick {item.text()}")
    at = dialog.kinds.visualItemRect(item).topLeft().toPointF() + QPointF(12, 12)
    op.robot.click(dialog.kinds.viewport(), at)


def archive(op: Operator) -> None:
    """Ask archives that do not answer."""
    sends = op.window.desk.shown is not None and op.dice.random() < 0.5
    op.keys("Ctrl+Shift+P" if sends else "Ctrl+P")
    dialog = op.dialog(PacsWindow)
    assert isinstance(dialog, PacsWindow)
    # Nobody in the network is to reach a monkey's receiver.
    _work_in(op, dialog, op.dice.randint(1, 6), but=(dialog.receive.host,))
    if dialog.receive.row.running:
        dialog.tabs.setCurrentWidget(dialog.receive)
        op.until("the receiver to start or fail", lambda: _settled(dialog))
        if dialog.receive.row.running:
            op.robot.click(dialog.receive.turn)
        op.until("the receiver to end", lambda: not dialog.receive.row.running)


def _settled(dialog: PacsWindow) -> bool:
    return dialog.receive.receiver is not None or not dialog.receive.row.running
