"""What the monkey's watchers notice: each fault is made on purpose."""

from __future__ import annotations

import threading
import warnings
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QTimer, qWarning
from pytestqt.qtbot import QtBot

from calcviewer.app.failures import report_failure
from calcviewer.gui.main_window import MainWindow
from tests.gui.open_windows import opened, shown_window
from tests.gui.stored_studies import PhantomSegmenter, write_study
from tests.soak import invariants
from tests.soak.watch import Held, Problems, way_out


def _fail() -> None:
    raise ZeroDivisionError("on purpose")


def _fail_in_thread() -> None:
    thread = threading.Thread(target=_fail)
    thread.start()
    thread.join()


def _fail_in_slot(qtbot: QtBot) -> None:
    QTimer.singleShot(0, _fail)
    qtbot.wait(20)


def _report_bug() -> None:
    try:
        _fail()
    except ZeroDivisionError as error:
        report_failure(error)


def test_every_way_out_of_the_program_is_watched(qtbot: QtBot) -> None:
    problems = Problems()
    with problems.watching():
        for deed, words in (
            (_fail_in_thread, "in thread"),
            (lambda: _fail_in_slot(qtbot), "ZeroDivisionError: on purpose"),
            (lambda: qWarning("a warning of Qt"), "a warning of Qt"),
            (lambda: warnings.warn("a warning", UserWarning, stacklevel=1), "UserWarning"),
            (_report_bug, "ZeroDivisionError: on purpose"),
        ):
            deed()
            (found,) = problems.take()
            assert words in found
    assert problems.take() == []


def test_what_grew_is_named() -> None:
    before = Held(100.0, 1, 1000, 1, 9, 0, Counter(QLabel=7))
    assert before.grown(before) == []
    after = replace(before, objects=1003, threads=0, files=10, kinds=Counter(QLabel=9))
    assert after.grown(before) == ["objects: 1000 to 1003", "files: 9 to 10", "QLabel: 2 more"]


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path, segmenter: PhantomSegmenter) -> MainWindow:
    made = shown_window(qtbot)
    opened(made, qtbot, write_study(tmp_path))
    return made


def test_a_window_that_shows_something_else_is_noticed(window: MainWindow) -> None:
    assert invariants.at_rest(window) == ""
    assert list(invariants.at_once(window)) == []
    window.cross_section.annotation = None
    assert "CrossSectionView" in invariants.at_rest(window)
    window.setWindowTitle("another")
    assert "another" in invariants.at_rest(window)
    window.polar._drag = "tool"
    assert "PolarView" in "".join(invariants.at_once(window))


def test_results_that_are_not_those_of_the_study_are_noticed(window: MainWindow) -> None:
    assert window.desk.shown is not None
    session = window.desk.shown.session
    assert invariants.score(session) == ""
    session._results = replace(session.results, lesions=())
    assert "differ" in invariants.score(session)


def test_a_review_that_is_not_as_on_disk_is_noticed(window: MainWindow) -> None:
    assert window.desk.shown is not None
    session, store = window.desk.shown.session, window.desk.keeping._store
    assert store is not None
    session.edit("bookmark", replace(session.study.review, bookmarks=frozenset({2})))
    assert invariants.kept(session, store) == ""
    session.edit("comment", replace(session.study.review, comments={1: "new"}), gesture=object())
    assert "steps" in invariants.kept(session, store)


def test_what_keeps_an_object_is_told() -> None:
    kept, thread = Problems(), threading.current_thread()
    thread.keeps = [kept]  # type: ignore[attr-defined]
    try:
        told = way_out(kept)
    finally:
        del thread.keeps  # type: ignore[attr-defined]
    assert told.startswith("Problems < list < _MainThread < dict")
