"""Export from the window: every kind, several at once, cancelling, failing, forgetting a name."""

from __future__ import annotations

import errno
import gc
import gzip
import json
import os
import weakref
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread
from pypdf import PdfReader
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QColor, QDesktopServices, QImage
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from calcviewer.app.analysis_file import NOTICE
from calcviewer.app.export import ExportKind
from calcviewer.app.export_choices import load_choices
from calcviewer.core.study import Review
from calcviewer.gui.exporting.dialog import ExportDialog
from calcviewer.gui.exporting.kinds import KINDS
from calcviewer.gui.exporting.pages import AnimationPage
from calcviewer.gui.exporting.pdf_pages import pages
from calcviewer.gui.exporting.snapshot import snapshot, write_png
from calcviewer.gui.shown import ShownStudy
from calcviewer.gui.view_state import LookUpTable, ViewState
from calcviewer.modalities.ivoct.read import read_pullback
from tests.gui.studies import shown_of
from tests.lesion_studies import TWO_LESIONS, arc, study_of
from tests.result_studies import (
    ACCESSION,
    BIRTH,
    HOSPITAL,
    NUMBER,
    STUDY_DATE,
    presentation_pullback,
    processing_pullback,
    result_study,
)

Open = Callable[..., ExportDialog]
LEFT = Qt.MouseButton.LeftButton
ALL_KINDS = tuple(ExportKind)


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
    def opened(
        shown: ShownStudy | None = None,
        *kinds: ExportKind,
        deidentify: bool = False,
        view: str = "polar",
    ) -> ExportDialog:
        shown = shown or shown_of(study_of(TWO_LESIONS))
        state = ViewState(window)
        state.reset(shown.session.study.pullback.frame_count)
        state.go_to(3)
        dialog = ExportDialog(shown, state, window, views={view: window.findChild(QLabel, "view")})
        dialog.kinds.tick(kinds or (ExportKind.JSON,))
        dialog.kinds.show_kind((kinds or (ExportKind.JSON,))[0])
        dialog.deidentify.setChecked(deidentify)
        dialog.show()
        (tmp_path / "out").mkdir(exist_ok=True)
        dialog.folder.setText(str(tmp_path / "out"))
        return dialog

    return opened


def run(dialog: ExportDialog, qtbot: QtBot) -> list[Path]:
    with qtbot.waitSignal(dialog.exported) as done:
        qtbot.mouseClick(dialog.export, LEFT)
    (paths,) = done.args
    return list(paths)


def names_in(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir())


# --- each kind -----------------------------------------------------------------------------------


@pytest.mark.parametrize("deidentify", [False, True])
def test_the_report_is_previewed_and_written_as_it_was_seen(
    open_dialog: Open, qtbot: QtBot, *, deidentify: bool
) -> None:
    shown = shown_of(study_of([arc(200)] * 2))
    dialog = open_dialog(shown, ExportKind.PDF, deidentify=deidentify)
    qtbot.waitUntil(lambda: dialog.report.document is not None)
    qtbot.waitUntil(lambda: not dialog.report.state.isVisible())
    seen = dialog.report.document
    assert seen is not None
    sheets = dialog.report._sheets.findChildren(QLabel)
    assert len(sheets) >= len(list(pages(seen, 100)))
    assert sheets[0].pixmap().width() > 300
    (path,) = run(dialog, qtbot)
    assert path.name == ("pullback-report.pdf" if deidentify else "phantom-report.pdf")
    assert path.read_bytes() == seen
    text = "".join(page.extract_text() for page in PdfReader(path).pages)
    assert ("phantom" in text.replace("phantom 1", "")) is not deidentify  # the model's name
    assert ("date removed" in text) is deidentify


def test_a_preview_that_was_cut_short_by_an_export_is_made_afterwards(
    open_dialog: Open, qtbot: QtBot
) -> None:
    dialog = open_dialog(shown_of(study_of([arc(200)])), ExportKind.PDF)
    dialog.report.preview()
    run(dialog, qtbot)
    qtbot.waitUntil(lambda: not dialog.report.state.isVisible())
    assert dialog.report.document is not None
    assert dialog.report._sheets.findChildren(QLabel)


def test_another_paper_is_another_report(open_dialog: Open, qtbot: QtBot) -> None:
    dialog = open_dialog(shown_of(study_of([arc(200)])), ExportKind.PDF)
    dialog.report.paper.setCurrentIndex(1)
    (path,) = run(dialog, qtbot)  # the preview may still be in work
    (first, *_) = pages(path.read_bytes(), 850)
    assert first.height() == pytest.approx(1100, abs=2)
    assert load_choices().page_size == "letter"


def test_a_study_that_changed_since_the_preview_is_exported_as_it_is(
    open_dialog: Open, qtbot: QtBot
) -> None:
    shown = shown_of(study_of([arc(200)]))
    dialog = open_dialog(shown, ExportKind.PDF)
    qtbot.waitUntil(lambda: dialog.report.document is not None)
    seen = dialog.report.document
    shown.session.edit("confirm", Review(confirmed_lesions=frozenset({(0, 0)})))
    assert dialog.report.document is None
    (path,) = run(dialog, qtbot)
    assert path.read_bytes() != seen


def test_what_is_written_is_the_study_at_the_click(open_dialog: Open, qtbot: QtBot) -> None:
    shown = shown_of(study_of(TWO_LESIONS))
    dialog = open_dialog(shown, ExportKind.JSON, ExportKind.GIF)
    with qtbot.waitSignal(dialog.exported) as told:
        qtbot.mouseClick(dialog.export, LEFT)
        shown.session.edit("VOI", Review(voi=(10, 16)))
    (path,) = [one for one in told.args[0] if one.suffix == ".json"]
    document = json.loads(path.read_text())
    assert (document["voi"], len(document["lesions"])) == (None, 2)


def test_tables_and_data(open_dialog: Open, qtbot: QtBot) -> None:
    dialog = open_dialog(None, ExportKind.CSV, ExportKind.JSON)
    paths = run(dialog, qtbot)
    assert names_in(paths[0].parent) == [
        "phantom-analysis.json",
        "phantom-frames.csv",
        "phantom-lesions.csv",
    ]
    assert len(json.loads(paths[-1].read_text())["lesions"]) == 2


def test_pictures_of_the_window_and_of_a_view(open_dialog: Open, qtbot: QtBot) -> None:
    dialog = open_dialog(None, ExportKind.PNG)
    dialog.picture.what.setCurrentIndex(0)
    (path,) = run(dialog, qtbot)
    assert path.name == "phantom-window-frame-4.png"
    whole = QImage(str(path))
    dialog.picture.what.setCurrentIndex(1)
    (path,) = run(dialog, qtbot)
    assert path.name == "phantom-polar-frame-4.png"
    part = QImage(str(path))
    assert (whole.width(), part.width() < whole.width()) == (300, True)
    assert whole.height() > 200  # the line below it
    assert load_choices().picture == "polar"


def test_an_animation_of_the_voi_in_the_colours_of_the_screen(
    open_dialog: Open, qtbot: QtBot
) -> None:
    shown = shown_of(study_of(TWO_LESIONS, review=Review(voi=(2, 4))))
    dialog = open_dialog(shown, ExportKind.GIF)
    dialog._state.set_table(LookUpTable.INVERSE)
    dialog.animation.overlay.setChecked(False)
    (path,) = run(dialog, qtbot)
    assert path.name == "phantom-frames-3-5.gif"
    with Image.open(path) as film:
        assert film.n_frames == 3
        middle = np.asarray(film.convert("RGB"))[200, 200]
    assert middle.tolist() == [255, 255, 255]
    assert not load_choices().overlay


# --- all together --------------------------------------------------------------------------------


def test_everything_at_once(open_dialog: Open, qtbot: QtBot, tmp_path: Path) -> None:
    shown = shown_of(result_study(processing_pullback(tmp_path)))
    dialog = open_dialog(shown, *ALL_KINDS)
    expected = dialog.paths
    assert len(expected) == 10
    assert all(one.name.startswith("Quillfeather") for one in expected)
    assert run(dialog, qtbot) == list(expected)
    assert names_in(tmp_path / "out") == sorted(one.name for one in expected)
    assert "10 files" in dialog._note.text()
    assert dialog.reveal.isVisible()


def test_nothing_tells_who_it_is(open_dialog: Open, qtbot: QtBot, tmp_path: Path) -> None:
    folder = tmp_path / "Quillfeather-1955"
    folder.mkdir()
    review = Review(
        comments=MappingProxyType({3: "Marigold moved"}),
        excluded=MappingProxyType({17: "Marigold coughed"}),
    )
    shown = shown_of(result_study(processing_pullback(folder), review))
    paths = run(open_dialog(shown, *ALL_KINDS, deidentify=True), qtbot)
    uids = (
        shown.session.study.pullback.source.sop_instance_uid,
        shown.session.study.pullback.source.study_instance_uid,
    )
    assert len(paths) == 10
    secrets = ("Quillfeather", "Marigold", NUMBER, HOSPITAL, BIRTH, ACCESSION, STUDY_DATE, *uids)
    places = (str(tmp_path), str(Path.cwd()))
    for path in paths:
        for content in _contents(path):
            for secret in (*secrets, *places):
                assert secret.lower().encode() not in content.lower(), (path.name, secret)


def _contents(path: Path) -> Iterator[bytes]:
    """Yield the bytes of a file, and what is packed in it."""
    content = path.read_bytes()
    yield content
    yield path.name.encode()
    if path.suffix == ".gz":
        yield gzip.decompress(content)
    start = content.find(b"%PDF-")
    if start >= 0:
        report = PdfReader(BytesIO(content[start:]))
        yield "".join(page.extract_text() for page in report.pages).encode()
        yield str(report.metadata).encode()
    for part in content.split(b"stream\n")[1:]:
        yield zlib.decompressobj().decompress(part) if part[:1] == b"x" else part


def test_a_picture_that_would_name_the_patient_is_not_offered(
    open_dialog: Open, qtbot: QtBot, tmp_path: Path
) -> None:
    dialog = open_dialog(None, ExportKind.PNG, deidentify=True)
    assert dialog.picture.key == "polar"
    assert "name of the pullback" in dialog.picture.reason.text()
    dialog.deidentify.setChecked(False)
    assert not dialog.picture.reason.isVisible()
    shown = shown_of(result_study(presentation_pullback(tmp_path)))
    console = replace(
        shown.session.study.pullback.source, sop_class_uid="1.2.840.10008.5.1.4.1.1.7"
    )
    pullback = replace(shown.session.study.pullback, source=console)
    shown = shown_of(replace(shown.session.study, pullback=pullback))
    dialog = open_dialog(shown, ExportKind.PNG, deidentify=True, view="cross_section")
    assert "corners" in dialog.picture.reason.text()
    assert dialog.kinds.ticked == frozenset()
    assert not dialog.export.isEnabled()
    dialog.deidentify.setChecked(False)
    assert dialog.kinds.ticked == {ExportKind.PNG}
    assert dialog.export.isEnabled()


def test_what_a_console_writes_beside_the_field_is_left_out_of_animations(
    open_dialog: Open, qtbot: QtBot, tmp_path: Path
) -> None:
    study = result_study(presentation_pullback(tmp_path, 3))
    marked = replace(study.pullback, frames=_WithText(study.pullback.frames))
    shown = shown_of(replace(study, pullback=marked))
    corners = {}
    for deidentify in (False, True):
        (path,) = run(open_dialog(shown, ExportKind.GIF, deidentify=deidentify), qtbot)
        with Image.open(path) as film:
            corners[deidentify] = np.asarray(film.convert("RGB"))[5:15, 5:15].max()
    assert corners[False] > 100
    assert corners[True] < 30


class _WithText:
    """Frames with something bright in a corner."""

    def __init__(self, frames: object) -> None:
        self._frames = frames

    def display(self, index: int) -> np.ndarray:
        shown = self._frames.display(index).copy()
        shown[:20, :20] = 255
        return shown

    def intensity(self, index: int) -> np.ndarray:
        values = self._frames.intensity(index).copy()
        values[:20, :20] = values.max() + 200
        return values


# --- choosing ------------------------------------------------------------------------------------


def test_the_name_follows_deidentification_until_one_is_typed(open_dialog: Open) -> None:
    dialog = open_dialog(deidentify=True)
    assert dialog.name.text() == "pullback"
    dialog.deidentify.setChecked(False)
    assert dialog.name.text() == "phantom"
    dialog.name.setText("case 7")
    dialog.deidentify.setChecked(True)
    assert [one.name for one in dialog.paths] == ["case-7-analysis.json"]


def test_a_name_cannot_lead_out_of_the_folder(open_dialog: Open, tmp_path: Path) -> None:
    dialog = open_dialog()
    dialog.name.setText("../../etc/x")
    assert [one.parent for one in dialog.paths] == [tmp_path / "out"]


def test_ticks_are_set_by_the_left_end_of_a_row_and_by_space(
    open_dialog: Open, qtbot: QtBot
) -> None:
    dialog = open_dialog()
    kinds = dialog.kinds

    def row(kind: ExportKind) -> QRect:
        return kinds.visualItemRect(kinds.item(KINDS.index(kind)))

    seg = row(ExportKind.SEG)
    assert seg.height() >= 32
    qtbot.mouseClick(kinds.viewport(), LEFT, pos=QPoint(seg.left() + 36, seg.center().y()))
    assert kinds.ticked == {ExportKind.JSON, ExportKind.SEG}
    text = row(ExportKind.SR)
    qtbot.mouseClick(kinds.viewport(), LEFT, pos=text.center())
    assert kinds.kind is ExportKind.SR
    assert ExportKind.SR not in kinds.ticked
    qtbot.keyClick(kinds, Qt.Key.Key_Space)
    assert ExportKind.SR in kinds.ticked
    assert "sr.dcm" in dialog._files.text()
    qtbot.mouseClick(kinds.viewport(), LEFT, pos=QPoint(seg.left() + 6, seg.center().y()))
    assert kinds.ticked == {ExportKind.JSON, ExportKind.SR}


def test_nothing_ticked_is_said(open_dialog: Open) -> None:
    dialog = open_dialog()
    dialog.kinds.tick(())
    assert not dialog.export.isEnabled()
    assert "Tick" in dialog._note.text()


def test_files_that_would_be_replaced_are_announced(open_dialog: Open, qtbot: QtBot) -> None:
    dialog = open_dialog(None, ExportKind.JSON)
    assert "replaced" not in dialog._note.text()
    run(dialog, qtbot)
    assert "Written: phantom-analysis.json" in dialog._note.text()
    dialog.kinds.tick((ExportKind.JSON, ExportKind.CSV))
    assert dialog._note.text() == "Will be replaced: phantom-analysis.json"
    dialog.name.setText("other")
    assert dialog._note.text() == ""


def test_a_folder_that_is_not_there_cannot_be_chosen(open_dialog: Open) -> None:
    dialog = open_dialog()
    dialog.folder.setText("/nowhere/at/all")
    assert not dialog.export.isEnabled()
    assert "folder" in dialog._note.text()


def test_what_was_chosen_is_remembered_but_not_to_name_the_patient(
    open_dialog: Open, qtbot: QtBot, tmp_path: Path
) -> None:
    run(open_dialog(None, ExportKind.JSON, ExportKind.CSV), qtbot)
    shown = shown_of(study_of(TWO_LESIONS))
    state = ViewState()
    state.reset(len(TWO_LESIONS))
    again = ExportDialog(shown, state)
    qtbot.addWidget(again)
    assert again.kinds.ticked == {ExportKind.JSON, ExportKind.CSV}
    assert again.deidentify.isChecked()
    assert again.paths[-1] == tmp_path / "out" / "pullback-analysis.json"


def test_what_is_not_segmented_is_said(open_dialog: Open) -> None:
    dialog = open_dialog(shown_of(study_of(TWO_LESIONS, count=40)))
    assert "18 of 40 frames" in dialog._unfinished.text()
    assert dialog._unfinished.isVisible()
    assert not open_dialog()._unfinished.isVisible()


def test_text_that_may_be_in_the_pictures_is_warned_about(
    open_dialog: Open, qtbot: QtBot, tmp_path: Path
) -> None:
    path = presentation_pullback(tmp_path).source.path
    dataset = dcmread(path)
    dataset.BurnedInAnnotation = "YES"
    dataset.save_as(path)
    study = result_study(read_pullback(path))
    dialog = open_dialog(shown_of(study), ExportKind.PNG, deidentify=True)
    warned = dialog._burned_in
    qtbot.waitUntil(warned.isVisible)
    assert "says that text is written into its images" in warned.text()
    dialog.deidentify.setChecked(False)
    assert not warned.isVisible()
    dialog.deidentify.setChecked(True)
    assert warned.isVisible()
    dialog.kinds.tick((ExportKind.CSV, ExportKind.SEG))  # no pictures in these
    assert not warned.isVisible()


def test_images_that_hold_no_text_need_no_warning(
    open_dialog: Open, qtbot: QtBot, tmp_path: Path
) -> None:
    pullback = processing_pullback(tmp_path)
    dialog = open_dialog(shown_of(result_study(pullback)), ExportKind.PNG, deidentify=True)
    qtbot.waitUntil(lambda: not dialog._burned_in.task.running)
    assert dialog._burned_in.isHidden()


def test_a_long_animation_says_that_it_is_thinned(qtbot: QtBot) -> None:
    study = study_of([], count=600)
    page = AnimationPage(study, shown_of(study).session.results, 0)
    qtbot.addWidget(page)
    assert page.frames.step == 3
    assert "One frame in 3" in page._thinned.text()


# --- ending early --------------------------------------------------------------------------------


def test_an_animation_can_be_cancelled_and_leaves_nothing(
    open_dialog: Open, qtbot: QtBot, tmp_path: Path
) -> None:
    shown = shown_of(study_of([arc(60)] * 200))
    dialog = open_dialog(shown, ExportKind.JSON, ExportKind.GIF)
    qtbot.mouseClick(dialog.export, LEFT)
    qtbot.waitUntil(lambda: dialog._progress.value() > 500)
    assert not dialog.export.isEnabled()
    assert "Animation" in dialog._note.text()
    qtbot.mouseClick(dialog.cancel, LEFT)
    assert dialog.export.isEnabled()
    qtbot.waitUntil(lambda: not list((tmp_path / "out").iterdir()))
    assert "nothing was written" in dialog._note.text()


def test_closing_while_writing_leaves_nothing(
    open_dialog: Open, qtbot: QtBot, tmp_path: Path
) -> None:
    dialog = open_dialog(shown_of(study_of([arc(60)] * 200)), ExportKind.GIF)
    qtbot.mouseClick(dialog.export, LEFT)
    qtbot.waitUntil(lambda: dialog._progress.value() >= 1)
    dialog.close()
    qtbot.waitUntil(lambda: not list((tmp_path / "out").iterdir()))


def test_a_failure_is_said_once_and_older_files_stay(
    open_dialog: Open, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialog = open_dialog(None, ExportKind.CSV, ExportKind.JSON)
    older = dialog.paths[-1]
    older.write_text("older")
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    fsync, calls = os.fsync, []

    def fills_up(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) > 1:
            raise full
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", fills_up)
    with qtbot.waitSignal(dialog.failed) as told:
        qtbot.mouseClick(dialog.export, LEFT)
    assert told.args[0] == dialog._note.text()
    assert told.args[0].startswith(f"Nothing was written to {older.parent}: No space left")
    assert older.read_text() == "older"
    assert names_in(older.parent) == [older.name]
    assert dialog.export.isEnabled()


def test_a_source_that_is_gone_leaves_nothing(
    open_dialog: Open, qtbot: QtBot, tmp_path: Path
) -> None:
    shown = shown_of(result_study(processing_pullback(tmp_path)))
    dialog = open_dialog(shown, ExportKind.JSON, ExportKind.SEG)
    shown.session.study.pullback.source.path.unlink()
    with qtbot.waitSignal(dialog.failed) as told:
        qtbot.mouseClick(dialog.export, LEFT)
    assert "cannot be read any more" in told.args[0]
    assert names_in(tmp_path / "out") == []


def test_the_folder_is_shown(
    open_dialog: Open, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: shown.append(url.toLocalFile()))
    dialog = open_dialog()
    run(dialog, qtbot)
    qtbot.mouseClick(dialog.reveal, LEFT)
    assert shown == [str(tmp_path / "out")]


# --- pictures and memory -------------------------------------------------------------------------


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
    dialog.kinds.show_kind(ExportKind.JSON)
    dialog.show()
    dialog.close()
    del dialog, shown
    gc.collect()
    qtbot.waitUntil(lambda: gc.collect() >= 0 and known() is None)
