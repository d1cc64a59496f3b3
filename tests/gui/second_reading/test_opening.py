"""Other readers' results over the open study: dropped, asked about, taken over, compared."""

from __future__ import annotations

import gc
import shutil
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
from highdicom.sr.coding import CodedConcept
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QDockWidget, QFileDialog
from pytestqt.qtbot import QtBot

from calcviewer.app import review as steps
from calcviewer.app.exchange.dicom_results import ResultOptions, write_results
from calcviewer.app.results import compute_results
from calcviewer.app.session import Session
from calcviewer.core.annotation import FrameAnnotation, annotation_from_labels, labels_of_annotation
from calcviewer.core.study import Study
from calcviewer.gui.main_window import MainWindow
from calcviewer.gui.second_reading import opening
from calcviewer.gui.second_reading.dialog import TakeOver
from calcviewer.gui.second_reading.dock import SecondReaderDock
from calcviewer.modalities.ivoct.protocol import Protocol
from tests.foreign_results import CALCIUM, LUMEN, MAKER, write_foreign_seg, write_foreign_sr
from tests.gui.open_windows import opened, shown_window
from tests.gui.stored_studies import MODEL, PhantomSegmenter, write_study
from tests.gui.waiting import deliver_events
from tests.lesion_studies import GRID
from tests.patience import PATIENCE_S
from tests.phantoms import label_map
from tests.result_studies import SQUARE, presentation_pullback, processing_pullback

LEFT = Qt.MouseButton.LeftButton
COUNT = 8
Made = tuple[Path, dict[str, Path]]
ARC = CodedConcept("122355", "DCM", "Arc of Calcium")


@pytest.fixture
def window(qtbot: QtBot, segmenter: PhantomSegmenter) -> Iterator[MainWindow]:
    made = shown_window(qtbot)
    yield made
    made.close()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Return a pullback and what the other reader made of it, by kind."""
    pullback = processing_pullback(tmp_path_factory.mktemp("made"), COUNT)
    annotations = MappingProxyType({frame: theirs(frame) for frame in range(COUNT)})
    study = Study(pullback, Protocol(), annotations, MODEL)
    results = compute_results(study, {})
    folder = pullback.source.path.parent
    named = write_results(study, results, ResultOptions(seg=True, sr=True), folder / "named")
    bare = ResultOptions(seg=True, deidentify=True)
    (nameless,) = write_results(study, results, bare, folder / "nameless")
    return pullback.source.path, {"seg": named[0], "sr": named[1], "nameless": nameless}


@pytest.fixture
def source(made: Made, tmp_path: Path) -> Path:
    """Return the pullback, in a place of its own."""
    return Path(shutil.copy(made[0], tmp_path))


@pytest.fixture
def results(made: Made) -> dict[str, Path]:
    return made[1]


def theirs(frame: int) -> FrameAnnotation:
    """Return what the other reader drew: an arc of 100 degrees and more in every frame."""
    return annotation_from_labels(label_map((200, 100 + 15 * frame), grid=GRID), GRID)


def drop(window: MainWindow, path: Path) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    action = Qt.DropAction.CopyAction
    window.dropEvent(QDropEvent(QPointF(9, 9), action, mime, buttons, keys))


def asked(window: MainWindow, qtbot: QtBot) -> TakeOver:
    """Return the dialog once it has read the file."""
    qtbot.waitUntil(lambda: bool(window.findChildren(TakeOver)))
    (dialog,) = window.findChildren(TakeOver)
    qtbot.waitUntil(lambda: not dialog._task.running)
    return dialog


def take(window: MainWindow, dialog: TakeOver, qtbot: QtBot) -> None:
    qtbot.mouseClick(dialog.take, LEFT)
    qtbot.waitUntil(lambda: not window.findChildren(TakeOver))


def docked(window: MainWindow, qtbot: QtBot) -> SecondReaderDock:
    qtbot.waitUntil(lambda: bool(window.findChildren(SecondReaderDock)))
    (dock,) = window.findChildren(SecondReaderDock)
    qtbot.waitUntil(lambda: not window.findChildren(TakeOver))
    return dock


def edit_frame(session: Session, frame: int) -> FrameAnnotation:
    drawn = annotation_from_labels(label_map((0, 40), grid=GRID), GRID)
    session.edit("draw", session.study.review.with_edit(frame, drawn))
    return drawn


# --- annotations ---------------------------------------------------------------------------------


def test_a_dropped_segmentation_becomes_one_step(
    window: MainWindow, qtbot: QtBot, source: Path, results: dict[str, Path]
) -> None:
    session = opened(window, qtbot, source)
    drop(window, results["seg"])
    dialog = asked(window, qtbot)
    assert dialog.title.text() == "Annotations from CalcViewer"
    assert f"{COUNT} frames with lumen, calcium" in dialog.words.text()
    assert not dialog.doubts.isVisible()
    assert not dialog.every.isVisible()  # nothing is edited, so there is nothing to choose
    take(window, dialog, qtbot)
    assert session.study.review.edits.keys() == set(range(COUNT))
    assert session.undo_label == "annotations from CalcViewer"
    assert window.status._message.whole == f"Annotations from CalcViewer: {COUNT} frames"
    frame = session.results.frames[3]
    assert frame is not None
    assert frame.max_arc_deg_visible == pytest.approx(145, abs=2)
    session.undo()
    assert not session.study.review.edits


def test_edits_of_ours_are_kept_unless_it_is_asked_otherwise(
    window: MainWindow, qtbot: QtBot, source: Path, results: dict[str, Path]
) -> None:
    session = opened(window, qtbot, source)
    mine = edit_frame(session, 2)
    path = results["seg"]
    window.second_reader.open(path)
    dialog = asked(window, qtbot)
    assert dialog.only_others.isChecked()
    assert "(7)" in dialog.only_others.text()
    take(window, dialog, qtbot)
    assert session.study.review.edits[2] is mine
    assert len(session.study.review.edits) == COUNT
    session.undo()
    window.second_reader.open(path)
    dialog = asked(window, qtbot)
    qtbot.mouseClick(dialog.every, LEFT, pos=dialog.every.rect().center() * 0.2)
    assert dialog.every.isChecked()
    take(window, dialog, qtbot)
    assert session.study.review.edits[2] is not mine


def test_the_frame_panel_says_where_contours_come_from(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    pullback = presentation_pullback(tmp_path, COUNT)
    session = opened(window, qtbot, pullback.source.path)
    labels = np.stack([labels_of_annotation(theirs(k), SQUARE) for k in range(COUNT)])
    path = tmp_path / "drawn elsewhere.dcm"
    write_foreign_seg(path, pullback.source.path, {LUMEN: labels == 1, CALCIUM: labels == 2})
    drop(window, path)
    dialog = asked(window, qtbot)
    assert dialog.title.text() == f"Annotations from {MAKER}"
    assert "nothing about guidewire shadow" in dialog.doubts.text()
    take(window, dialog, qtbot)
    window.desk.state.go_to(3)
    (panel,) = [one for one in window.panels if hasattr(one, "_origin")]
    qtbot.waitUntil(lambda: panel._origin.text() == f"Contours: from {MAKER}")
    assert session.study.annotation(3).taken_from == MAKER


def test_what_is_edited_while_it_is_worked_out_is_not_lost(
    window: MainWindow, qtbot: QtBot, source: Path, results: dict[str, Path]
) -> None:
    session = opened(window, qtbot, source)
    window.second_reader.open(results["seg"])
    dialog = asked(window, qtbot)
    qtbot.mouseClick(dialog.take, LEFT)
    mine = edit_frame(session, 5)
    qtbot.waitUntil(lambda: not window.findChildren(TakeOver))
    assert session.study.review.edits[5] is mine
    assert len(session.study.review.edits) == COUNT


def test_deidentified_results_say_that_nobody_knows(
    window: MainWindow, qtbot: QtBot, source: Path, results: dict[str, Path]
) -> None:
    opened(window, qtbot, source)
    window.second_reader.open(results["nameless"])
    dialog = asked(window, qtbot)
    assert "does not say on which pullback" in dialog.doubts.text()
    assert dialog.take.isVisible()
    qtbot.mouseClick(dialog.close_button, LEFT)


def test_results_that_change_nothing_say_so(
    window: MainWindow, qtbot: QtBot, source: Path, results: dict[str, Path]
) -> None:
    session = opened(window, qtbot, source)
    path = results["seg"]
    window.second_reader.open(path)
    take(window, asked(window, qtbot), qtbot)
    review = session.study.review
    window.second_reader.open(path)
    dialog = asked(window, qtbot)
    dialog.every.setChecked(True)
    qtbot.mouseClick(dialog.take, LEFT)
    qtbot.waitUntil(lambda: "Nothing differs" in dialog.words.text())
    assert session.study.review is review


# --- what does not fit ---------------------------------------------------------------------------


def test_results_of_another_pullback_are_refused(
    window: MainWindow, qtbot: QtBot, source: Path, results: dict[str, Path], tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    other = processing_pullback(tmp_path / "other", COUNT)
    session = opened(window, qtbot, other.source.path)
    for path in (results["seg"], results["sr"]):
        drop(window, path)
        dialog = asked(window, qtbot)
        assert "was made on another image" in dialog.words.text()
        assert not dialog.take.isVisible()
        qtbot.mouseClick(dialog.close_button, LEFT)
        qtbot.waitUntil(lambda: not window.findChildren(TakeOver))
    assert not session.study.review.edits
    assert not window.findChildren(SecondReaderDock)


def test_results_without_a_study_are_explained(
    window: MainWindow, qtbot: QtBot, source: Path, results: dict[str, Path]
) -> None:
    drop(window, results["seg"])
    qtbot.waitUntil(lambda: "holds results" in window.banner.message)
    assert "Open the pullback" in window.banner.message


def test_a_dropped_pullback_is_opened(
    window: MainWindow, qtbot: QtBot, source: Path, results: dict[str, Path]
) -> None:
    drop(window, source)
    qtbot.waitUntil(lambda: window.desk.shown is not None)
    assert not window.findChildren(TakeOver)


def test_the_later_of_two_drops_is_opened(
    window: MainWindow,
    qtbot: QtBot,
    source: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    go = threading.Event()
    monkeypatch.setattr(opening, "is_results", lambda _: go.wait(PATIENCE_S) and False)
    drop(window, source)
    later = write_study(tmp_path)
    drop(window, later)
    qtbot.waitUntil(lambda: window.desk.shown is not None)
    go.set()
    looks = [one for one in threading.enumerate() if one.name.startswith("Looking")]
    qtbot.waitUntil(lambda: not any(one.is_alive() for one in looks))
    deliver_events()
    assert window.desk.opening.what == ""
    assert window.desk.shown is not None
    assert window.desk.shown.session.study.pullback.source.path == later


def test_what_cannot_be_looked_at_is_refused_as_a_pullback(
    window: MainWindow, qtbot: QtBot, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_: Path) -> bool:
        source.unlink()
        raise PermissionError(13, "Permission denied", str(source))

    monkeypatch.setattr(opening, "is_results", refused)
    drop(window, source)
    qtbot.waitUntil(lambda: "could not be opened" in window.banner.message)


def test_reading_can_be_cancelled_and_ends_with_the_study(
    window: MainWindow, qtbot: QtBot, source: Path, results: dict[str, Path]
) -> None:
    opened(window, qtbot, source)
    path = results["seg"]
    window.second_reader.open(path)
    (dialog,) = window.findChildren(TakeOver)
    qtbot.mouseClick(dialog.close_button, LEFT)
    qtbot.waitUntil(lambda: not window.findChildren(TakeOver))
    window.second_reader.open(path)
    window.desk.close_study()
    qtbot.waitUntil(lambda: not window.findChildren(TakeOver))


def test_a_file_is_asked_for(
    window: MainWindow, qtbot: QtBot, source: Path, results: dict[str, Path]
) -> None:
    action = window.actions_by_id["results"]
    assert not action.isEnabled()
    opened(window, qtbot, source)
    assert action.isEnabled()
    action.trigger()
    (chooser,) = window.findChildren(QFileDialog)
    chooser.fileSelected.emit(str(results["sr"]))
    chooser.close()
    docked(window, qtbot)


# --- measurements --------------------------------------------------------------------------------


def test_measurements_stand_beside_ours_and_follow_edits(
    window: MainWindow, qtbot: QtBot, source: Path, results: dict[str, Path]
) -> None:
    session = opened(window, qtbot, source)
    drop(window, results["sr"])
    dock = docked(window, qtbot)
    assert dock.frames.row_count == COUNT
    assert dock.lesions.row_count == 3
    theirs_row, ours_row, difference = (dock.lesions.texts(row) for row in range(3))
    assert theirs_row[1:3] == ("1–8", "204°")  # 205 on a grid of 2 degrees
    assert ours_row[1:3] == ("1–8", "200°")
    assert difference[2] == "+4"
    qtbot.mouseClick(
        dock.frames.viewport(),
        LEFT,
        pos=dock.frames.visualRect(dock.frames.model().index(1, 1)).center(),
    )
    assert window.desk.state.frame == 1
    lesion = dock.lesions.visualRect(dock.lesions.model().index(1, 1)).center()
    for frame in (5, 3):  # a second click on the same row leads there as well
        window.desk.state.go_to(frame)
        qtbot.mouseClick(dock.lesions.viewport(), LEFT, pos=lesion)
        assert window.desk.state.frame == 0
    window.desk.state.go_to(1)
    assert dock._now.text() == "Frame 2"
    step = steps.bookmark(session.study.review, 1)
    session.edit(step.label, session.study.review.with_edit(1, theirs(1)))
    qtbot.waitUntil(lambda: dock.frames.texts(1)[4] == "0")
    qtbot.waitUntil(lambda: ("Maximum arc, visible", "114°", "114°", "0") in _texts(dock))


def _texts(dock: SecondReaderDock) -> list[tuple[str, ...]]:
    return [dock.frame.texts(row) for row in range(dock.frame.row_count)]


def test_a_difference_across_a_threshold_is_marked(
    window: MainWindow, qtbot: QtBot, source: Path, results: dict[str, Path]
) -> None:
    opened(window, qtbot, source)
    path = source.parent / "theirs.dcm"
    groups = [
        ("culprit", True, range(4, 9), {ARC: (150.0, "deg")}),
        ("f6", False, [6], {ARC: (170.0, "deg")}),
        ("f7", False, [7], {ARC: (179.0, "deg")}),
    ]
    write_foreign_sr(path, source, groups)
    drop(window, path)
    dock = docked(window, qtbot)
    assert dock.windowTitle() == f"Second reader: Ada Reader · {MAKER}"
    assert [dock.frames.texts(row)[0] for row in range(2)] == ["6", "7"]
    marks = [[cell.marked for cell in row] for row in dock.frames._rows.rows]
    assert [row[4] for row in marks] == [True, False]  # ours: 200 and 180 degrees
    assert dock.lesions.texts(0)[0] == "1 · theirs"


def test_closing_it_leaves_nothing_behind(
    window: MainWindow, qtbot: QtBot, source: Path, results: dict[str, Path]
) -> None:
    session = opened(window, qtbot, source)
    size = window.size()
    path = results["sr"]
    drop(window, path)
    known = weakref.ref(docked(window, qtbot)._reading)

    def is_another() -> bool:
        docks = window.findChildren(SecondReaderDock)
        return len(docks) == 1 and docks[0]._reading is not known()

    drop(window, path)  # takes the place of the first one
    qtbot.waitUntil(is_another)
    dock = docked(window, qtbot)
    gc.collect()
    assert known() is None
    qtbot.mouseClick(dock.close_button, LEFT)
    del dock
    qtbot.waitUntil(lambda: not window.findChildren(QDockWidget))
    assert window.size() == size
    edit_frame(session, 1)
    drop(window, path)
    docked(window, qtbot)
    window.desk.close_study()
    qtbot.waitUntil(lambda: not window.findChildren(QDockWidget))


def test_it_fits_on_a_small_screen(
    window: MainWindow, qtbot: QtBot, source: Path, results: dict[str, Path]
) -> None:
    opened(window, qtbot, source)
    drop(window, results["sr"])
    docked(window, qtbot)
    assert window.minimumSizeHint().height() <= 850
