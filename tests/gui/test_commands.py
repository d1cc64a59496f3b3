"""What the entries of the action list do where no other test asks for them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from calcviewer.app.session import Session
from calcviewer.app.settings import Settings
from calcviewer.core.study import Study
from calcviewer.gui.main_window import MainWindow
from calcviewer.modalities.ivoct.protocol import Protocol
from tests.corrections import GRID, annotation
from tests.gui.studies import shown_of
from tests.phantoms import make_pullback

FRAMES = 20


@pytest.fixture
def empty(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[MainWindow]:
    monkeypatch.setattr("calcviewer.gui.desk.Desk.segment", lambda self: None)
    made = MainWindow(Settings())
    made.show()
    yield made
    made.close()


@pytest.fixture
def window(empty: MainWindow, qtbot: QtBot, tmp_path: Path) -> MainWindow:
    predictions = {index: annotation((20, 120)) for index in range(8, 12)}
    study = Study(make_pullback(FRAMES, grid=GRID), Protocol(), predictions=predictions)
    empty.desk.show(shown_of(study), tmp_path / "phantom.npz")
    qtbot.waitUntil(lambda: empty.desk.shown is not None)
    return empty


def session_of(window: MainWindow) -> Session:
    assert window.desk.shown is not None
    return window.desk.shown.session


def trigger(window: MainWindow, *actions: str) -> None:
    for name in actions:
        window.actions_by_id[name].trigger()


def says(window: MainWindow, qtbot: QtBot, words: str) -> None:
    qtbot.waitUntil(lambda: words in window.status._message.text())


def test_the_first_and_the_last_frame(window: MainWindow) -> None:
    trigger(window, "last_frame")
    assert window.desk.state.frame == FRAMES - 1
    trigger(window, "first_frame")
    assert window.desk.state.frame == 0


def test_a_frame_is_asked_for_by_its_number(window: MainWindow) -> None:
    trigger(window, "go_to")
    assert window.go_to.isVisible()
    window.go_to.chosen.emit(7)
    assert window.desk.state.frame == 7


def test_the_volume_of_interest_is_set_and_taken_away(window: MainWindow) -> None:
    session = session_of(window)
    window.desk.state.go_to(9)
    trigger(window, "voi_from")
    window.desk.state.go_to(10)
    trigger(window, "voi_to")
    assert session.study.review.voi == (9, 10)
    assert session.results.lesions[0].frame_range == (9, 10)
    trigger(window, "voi_clear")
    assert session.study.review.voi is None
    trigger(window, "undo")
    assert session.study.review.voi == (9, 10)


def test_a_bookmark_is_set_and_removed(window: MainWindow) -> None:
    window.desk.state.go_to(4)
    trigger(window, "bookmark")
    assert session_of(window).study.review.bookmarks == {4}
    trigger(window, "bookmark")
    assert session_of(window).study.review.bookmarks == set()


def test_a_copy_from_beyond_the_ends_is_refused_with_a_word(
    window: MainWindow, qtbot: QtBot
) -> None:
    window.commands.copy_from(-1)
    assert session_of(window).undo_label is None
    says(window, qtbot, "no frame to copy from")


def test_without_calcium_there_is_nowhere_to_go(empty: MainWindow, qtbot: QtBot) -> None:
    study = Study(make_pullback(FRAMES, grid=GRID), Protocol())
    empty.desk.show(shown_of(study), Path("phantom.npz"))
    qtbot.waitUntil(lambda: empty.desk.shown is not None)
    empty.commands.decisive(1)
    says(empty, qtbot, "No decisive frame")
    empty.commands.next_maximum()
    says(empty, qtbot, "No maximum yet")
    empty.commands.confirm_lesion()
    says(empty, qtbot, "no lesion to confirm")
    assert empty.desk.state.frame == 0


@pytest.mark.parametrize(
    ("action", "mode"), [("open_file", "ExistingFile"), ("open_folder", "Directory")]
)
def test_a_study_is_asked_for_beside_the_last_one(
    empty: MainWindow, tmp_path: Path, action: str, mode: str
) -> None:
    empty.desk.change_settings(empty.desk.settings.with_recent(tmp_path / "last.dcm"))
    opened: list[Path] = []
    empty.desk.open_path = opened.append  # type: ignore[method-assign]
    trigger(empty, action)
    (dialog,) = empty.findChildren(QFileDialog)
    assert dialog.fileMode() is QFileDialog.FileMode[mode]
    assert Path(dialog.directory().path()) == tmp_path
    dialog.fileSelected.emit(str(tmp_path / "next.dcm"))
    dialog.close()
    assert opened == [tmp_path / "next.dcm"]


def test_nothing_happens_without_a_study(empty: MainWindow) -> None:
    commands = empty.commands
    for act in (
        commands.undo,
        commands.redo,
        commands.export,
        commands.play,
        commands.confirm_frame,
        commands.confirm_lesion,
        commands.bookmark,
        commands.voi_from,
        commands.voi_to,
        commands.voi_clear,
        commands.revert_frame,
        commands.exclude_frame,
        commands.show_frame_history,
        commands.show_second_pass,
    ):
        act()
    assert empty.desk.shown is None
    assert not empty.banner.isVisible()
