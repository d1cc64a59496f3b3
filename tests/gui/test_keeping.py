"""The window and the review on disk: restored, saved, and said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from calcviewer.app.review import bookmark
from calcviewer.app.review_store import store as review_store
from calcviewer.app.review_store.lock import Holder
from calcviewer.app.review_store.store import SaveState, Saving
from calcviewer.app.settings import Settings
from calcviewer.core.study import Study
from calcviewer.gui.desk import Desk
from calcviewer.gui.keeping import holder_text, saved_text
from calcviewer.gui.status_line import StatusLine
from calcviewer.modalities.ivoct.protocol import Protocol
from tests.app.review_store.kept_reviews import opened, pullback_at
from tests.gui.studies import shown_of


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(Desk, "segment", lambda self: None)
    monkeypatch.setattr(review_store, "RETRY_S", 0.05)
    made = tmp_path / "study"
    made.mkdir()
    return made


@pytest.fixture
def desk(qtbot: QtBot) -> Desk:
    return Desk(Settings())


def show(desk: Desk, folder: Path) -> None:
    pullback = pullback_at(folder)
    desk.show(shown_of(Study(pullback, Protocol())), pullback.source.path)


def mark(desk: Desk, frame: int) -> None:
    assert desk.shown is not None
    desk.edit(bookmark(desk.shown.session.study.review, frame))


def marked(desk: Desk) -> set[int]:
    assert desk.shown is not None
    return set(desk.shown.session.study.review.bookmarks)


def test_a_study_is_as_it_was_left(desk: Desk, folder: Path) -> None:
    show(desk, folder)
    mark(desk, 1)
    assert desk.shown is not None
    review = replace(desk.shown.session.study.review, voi=(0, 2))
    desk.shown.session.edit("select", review, gesture="not finished")
    desk.close_study()
    show(desk, folder)
    assert desk.shown.session.study.review.voi == (0, 2)
    assert marked(desk) == {1}
    assert desk.shown.session.undo_label == "select"
    assert [row.what for row in desk.frame_history(1)] == ["bookmark frame 2"]
    assert desk.shut()


def test_a_second_study_has_nothing_of_the_first(desk: Desk, folder: Path, tmp_path: Path) -> None:
    show(desk, folder)
    mark(desk, 1)
    other = tmp_path / "other"
    other.mkdir()
    show(desk, other)
    assert marked(desk) == set()
    assert desk.frame_history(1) == ()
    assert saved_text(desk.keeping.state) == ""
    mark(desk, 2)
    show(desk, folder)
    assert marked(desk) == {1}
    assert desk.shut()
    assert not list(tmp_path.rglob("*-lock"))


def test_the_same_study_can_be_opened_again(desk: Desk, folder: Path) -> None:
    show(desk, folder)
    mark(desk, 1)
    show(desk, folder)
    assert desk.keeping.state.saving is Saving.DONE
    assert marked(desk) == {1}
    assert desk.shut()


def test_what_another_window_holds_is_not_changed(desk: Desk, folder: Path, qtbot: QtBot) -> None:
    said: list[str] = []
    desk.keeping.failed.connect(lambda what, why: said.append(f"{what} {why}"))
    with opened(pullback_at(folder)):
        show(desk, folder)
        mark(desk, 1)
        assert marked(desk) == set()
        assert len(said) == 2  # when it opened, and when it was tried
        assert "Read-only" in said[0]
        assert f"Held by {review_store.operator_name()} on" in said[0]
        assert "Read-only" in saved_text(desk.keeping.state)
    show(desk, folder)
    mark(desk, 1)
    assert marked(desk) == {1}
    assert desk.shut()


def test_trouble_is_said_once_and_so_is_its_end(
    desk: Desk, folder: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    failed: list[str] = []
    noted: list[str] = []
    desk.keeping.failed.connect(lambda what, why: failed.append(why))
    desk.keeping.noted.connect(lambda what, why: noted.append(what))
    show(desk, folder)
    mark(desk, 0)
    away = folder.rename(tmp_path / "away")
    mark(desk, 1)
    mark(desk, 2)
    qtbot.waitUntil(lambda: desk.keeping.state.saving is Saving.FAILED)
    qtbot.waitUntil(lambda: bool(failed))
    assert "steps kept in memory" in saved_text(desk.keeping.state)
    assert marked(desk) == {0, 1, 2}
    away.rename(folder)
    qtbot.waitUntil(lambda: bool(noted))
    assert len(failed) == 1
    assert "is not there" in failed[0]
    assert saved_text(desk.keeping.state).startswith("Saved")
    assert desk.shut()


def test_nothing_is_given_up_unasked(
    desk: Desk, folder: Path, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/proc/nothing")
    failed: list[str] = []
    desk.keeping.failed.connect(lambda what, why: failed.append(what))
    show(desk, folder)
    folder.rename(tmp_path / "away")
    mark(desk, 1)
    qtbot.waitUntil(lambda: bool(failed))
    desk.close_study()
    assert marked(desk) == {1}  # still open
    assert failed[-1] == "Steps that are not saved would be lost: 1."
    desk.close_study()
    assert desk.shown is None
    assert desk.shut()


def test_words_for_how_it_stands() -> None:
    holder = Holder("ann", "lab-2", 77, "2026-01-02T10:00:00+00:00")
    assert saved_text(SaveState(Saving.NOTHING)) == ""
    assert saved_text(SaveState(Saving.READ_ONLY, holder=holder)) == "Read-only: held by ann"
    text = saved_text(SaveState(Saving.FAILED, "", 3, "the disk is full"))
    assert text == "Not saved: the disk is full, 3 steps kept in memory"
    now = review_store.now()
    assert saved_text(SaveState(Saving.DONE, now)) == f"Saved {now[11:16]}"
    assert holder_text(holder).startswith("held by ann on lab-2 (process 77) since 2026-01-0")
    assert holder_text(Holder()) == "held by somebody"


def test_the_status_line_says_it(qtbot: QtBot) -> None:
    line = StatusLine()
    qtbot.addWidget(line)
    line.show_review(SaveState(Saving.FAILED, "", 3, "the disk is full"), "/a/b", "draw")
    assert "the disk is full" in line._saved.whole
    assert line._saved.objectName() == "warning"
    assert line._saved.toolTip() == "/a/b"
    line.show_review(SaveState(Saving.NOTHING), "", None)
    assert line._saved.text() == line._undo.text() == ""
