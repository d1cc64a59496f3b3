"""Export from the window: every kind, cancelling, failing, and what is remembered."""

from __future__ import annotations

import gc
import json
import os
import weakref
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from calcviewer.app.analysis_file import NOTICE
from calcviewer.app.export import ExportKind, load_choices
from calcviewer.core.study import Review
from calcviewer.gui.export import ExportDialog
from calcviewer.gui.export_pages import AnimationPage
from calcviewer.gui.pdf_pages import pages
from calcviewer.gui.shown import ShownStudy
from calcviewer.gui.snapshot import snapshot, write_png
from calcviewer.gui.view_state import LookUpTable, ViewState
from tests.gui.studies import shown_of
from tests.lesion_studies import (
    TWO_LESIONS,
    arc,
    study_of,
)

Open = Callable[..., ExportDialog]
ORDER = list(ExportKind)


@pytest.fixture
def window(qtbot: QtBot) -> QWidget:
    widget = QWidget()
    qtbot.addWidget(widget)
    view = QLabel("a view", widget)
    view.setObjectName("view")
    QVBoxLayout(widget).addWidget(view)
    widget.resize(300, 200)
    widget.show()
    return widget


@pytest.fixture
def open_dialog(window: QWidget, tmp_path: Path) -> Open:
    def opened(shown: ShownStudy | None = None, kind: ExportKind = ExportKind.JSON) -> ExportDialog:
        shown = shown or shown_of(study_of(TWO_LESIONS))
        state = ViewState(window)
        state.reset(shown.session.study.pullback.frame_count)
        state.go_to(3)
        view = window.findChild(QLabel, "view")
        dialog = ExportDialog(shown, state, window, views={"polar": view})
        dialog.kinds.setCurrentRow(ORDER.index(kind))
        dialog.show()
        (tmp_path / "out").mkdir(exist_ok=True)
        dialog.folder.setText(str(tmp_path / "out"))
        return dialog

    return opened


def run(dialog: ExportDialog, qtbot: QtBot) -> Path:
    with qtbot.waitSignal(dialog.exported, timeout=20000) as done:
        qtbot.mouseClick(dialog.export, Qt.MouseButton.LeftButton)
    (path,) = done.args
    return Path(path)


def test_the_report_is_previewed_and_written_as_it_was_seen(
    open_dialog: Open, qtbot: QtBot
) -> None:
    dialog = open_dialog(shown_of(study_of([arc(200)] * 2)), ExportKind.PDF)
    qtbot.waitUntil(lambda: not dialog.report.state.isVisible(), timeout=20000)
    seen = dialog.report.document
    assert seen is not None
    sheets = dialog.report._sheets.findChildren(QLabel)
    assert len(sheets) == len(list(pages(seen, 100)))
    assert sheets[0].pixmap().width() > 300
    path = run(dialog, qtbot)
    assert path.name == "phantom-report.pdf"
    assert path.read_bytes() == seen


def test_another_paper_is_another_report(open_dialog: Open, qtbot: QtBot) -> None:
    dialog = open_dialog(shown_of(study_of([arc(200)])), ExportKind.PDF)
    dialog.report.paper.setCurrentIndex(1)
    path = run(dialog, qtbot)  # the preview may still be in work
    (first, *_) = pages(path.read_bytes(), 850)
    assert first.height() == pytest.approx(1100, abs=2)
    assert load_choices().page_size == "letter"


def test_a_study_that_changed_since_the_preview_is_exported_as_it_is(
    open_dialog: Open, qtbot: QtBot
) -> None:
    shown = shown_of(study_of([arc(200)]))
    dialog = open_dialog(shown, ExportKind.PDF)
    qtbot.waitUntil(lambda: dialog.report.document is not None, timeout=20000)
    seen = dialog.report.document
    shown.session.edit("confirm", Review(confirmed_lesions=frozenset({(0, 0)})))
    assert dialog.report.document is None
    assert run(dialog, qtbot).read_bytes() != seen


def test_tables_and_data(open_dialog: Open, qtbot: QtBot) -> None:
    dialog = open_dialog(kind=ExportKind.CSV)
    path = run(dialog, qtbot)
    assert sorted(one.name for one in path.parent.iterdir()) == [
        "phantom-frames.csv",
        "phantom-lesions.csv",
    ]
    dialog.kinds.setCurrentRow(ORDER.index(ExportKind.JSON))
    document = json.loads(run(dialog, qtbot).read_text())
    assert len(document["lesions"]) == 2


def test_pictures_of_the_window_and_of_a_view(open_dialog: Open, qtbot: QtBot) -> None:
    dialog = open_dialog(kind=ExportKind.PNG)
    whole = QImage(str(run(dialog, qtbot)))
    dialog.picture.what.setCurrentIndex(1)
    assert dialog.name.text() == "phantom-polar-frame-4.png"
    part = QImage(str(run(dialog, qtbot)))
    assert (whole.width(), part.width() < whole.width()) == (300, True)
    assert whole.height() > 200  # the line below it


def test_an_animation_of_the_voi_in_the_colours_of_the_screen(
    open_dialog: Open, qtbot: QtBot
) -> None:
    shown = shown_of(study_of(TWO_LESIONS, review=Review(voi=(2, 4))))
    dialog = open_dialog(shown, ExportKind.GIF)
    dialog._state.set_table(LookUpTable.INVERSE)
    dialog.animation.overlay.setChecked(False)
    path = run(dialog, qtbot)
    assert path.name == "phantom-frames-3-5.gif"
    with Image.open(path) as film:
        assert film.n_frames == 3
        middle = np.asarray(film.convert("RGB"))[200, 200]
    assert middle.tolist() == [255, 255, 255]
    assert not load_choices().overlay


def test_an_animation_can_be_cancelled_and_leaves_nothing(
    open_dialog: Open, qtbot: QtBot, tmp_path: Path
) -> None:
    dialog = open_dialog(shown_of(study_of([arc(60)] * 200)), ExportKind.GIF)
    qtbot.mouseClick(dialog.export, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: dialog._progress.value() >= 1, timeout=10000)
    assert not dialog.export.isEnabled()
    qtbot.mouseClick(dialog.cancel, Qt.MouseButton.LeftButton)
    assert dialog.export.isEnabled()
    qtbot.waitUntil(lambda: not list((tmp_path / "out").iterdir()), timeout=5000)
    assert "nothing was written" in dialog._note.text()


def test_closing_while_writing_leaves_nothing(
    open_dialog: Open, qtbot: QtBot, tmp_path: Path
) -> None:
    dialog = open_dialog(shown_of(study_of([arc(60)] * 200)), ExportKind.GIF)
    qtbot.mouseClick(dialog.export, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: dialog._progress.value() >= 1, timeout=10000)
    dialog.close()
    qtbot.waitUntil(lambda: not list((tmp_path / "out").iterdir()), timeout=5000)


def test_a_failure_is_said_once_and_the_older_file_stays(
    open_dialog: Open, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialog = open_dialog()
    older = dialog.path
    older.write_text("older")
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "disk full")))
    with qtbot.waitSignal(dialog.failed, timeout=10000) as told:
        qtbot.mouseClick(dialog.export, Qt.MouseButton.LeftButton)
    assert "disk full" in told.args[0]
    assert "disk full" in dialog._note.text()
    assert older.read_text() == "older"
    assert [one.name for one in older.parent.iterdir()] == [older.name]
    assert dialog.export.isEnabled()


def test_a_file_that_would_be_replaced_is_announced(open_dialog: Open, qtbot: QtBot) -> None:
    dialog = open_dialog()
    assert "replaced" not in dialog._note.text()
    run(dialog, qtbot)
    assert "Written" in dialog._note.text()
    dialog.name.setText("other")
    assert dialog._note.text() == ""
    dialog.name.setText("phantom-analysis")  # the ending is added
    assert "replaced" in dialog._note.text()


def test_a_folder_that_is_not_there_cannot_be_chosen(open_dialog: Open) -> None:
    dialog = open_dialog()
    dialog.folder.setText("/nowhere/at/all")
    assert not dialog.export.isEnabled()
    assert "folder" in dialog._note.text()


def test_folder_and_kind_are_remembered(open_dialog: Open, qtbot: QtBot, tmp_path: Path) -> None:
    run(open_dialog(kind=ExportKind.JSON), qtbot)
    shown = shown_of(study_of(TWO_LESIONS))
    state = ViewState()
    state.reset(len(TWO_LESIONS))
    again = ExportDialog(shown, state)
    qtbot.addWidget(again)
    assert again.kind is ExportKind.JSON
    assert again.path == tmp_path / "out" / "phantom-analysis.json"


def test_what_is_not_segmented_is_said(open_dialog: Open) -> None:
    dialog = open_dialog(shown_of(study_of(TWO_LESIONS, count=40)))
    assert "18 of 40 frames" in dialog._unfinished.text()
    assert dialog._unfinished.isVisible()
    assert not open_dialog()._unfinished.isVisible()


def test_a_long_animation_says_that_it_is_thinned(qtbot: QtBot) -> None:
    study = study_of([], count=600)
    page = AnimationPage(study, shown_of(study).session.results, 0)
    qtbot.addWidget(page)
    assert page.frames.step == 3
    assert "One frame in 3" in page._thinned.text()


def test_a_snapshot_carries_the_notice(qtbot: QtBot, tmp_path: Path) -> None:
    widget = QLabel("x")
    widget.setFixedSize(600, 100)
    qtbot.addWidget(widget)
    with_words, without = snapshot(widget, "LAD · frame 3"), snapshot(widget, "")
    assert with_words.height() > 100
    strip = with_words.copy(0, 100, 600, with_words.height() - 100)
    inks = {strip.pixelColor(x, y).name() for x in range(300, 600) for y in range(strip.height())}
    assert QColor("#e3b341").name() in inks, NOTICE
    assert with_words != without
    write_png(tmp_path / "a.png", with_words)
    assert QImage(str(tmp_path / "a.png")).size() == with_words.size()


def test_the_dialog_lets_go_of_the_study(window: QWidget, qtbot: QtBot) -> None:
    shown = shown_of(study_of([arc(60)]))
    known = weakref.ref(shown)
    state = ViewState(window)
    state.reset(1)
    dialog = ExportDialog(shown, state, window)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.kinds.setCurrentRow(ORDER.index(ExportKind.JSON))
    dialog.show()
    dialog.close()
    del dialog, shown
    gc.collect()
    qtbot.waitUntil(lambda: gc.collect() >= 0 and known() is None, timeout=3000)
