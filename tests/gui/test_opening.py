"""Opening: whatever is dropped, the window goes on."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QUrl
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from calcviewer.core.errors import CalcViewerError
from calcviewer.gui.opening import (
    Opening,
    demo_folder,
    dropped_path,
    first_picture,
    recent_entries,
)
from calcviewer.gui.shown import ShownStudy
from calcviewer.gui.tasks import Tasks
from calcviewer.modalities.ivoct.read import ReadOptions
from tests.gui.stored_studies import write_study
from tests.gui.waiting import deliver_events
from tests.patience import PATIENCE_S


class Bench:
    """An opening with everything it said."""

    def __init__(self) -> None:
        self.tasks = Tasks()
        self.opening = Opening(self.tasks)
        self.opened: list[tuple[ShownStudy, Path]] = []
        self.failures: list[str] = []
        self.progress: list[tuple[int, int]] = []
        self.opening.opened.connect(lambda shown, path: self.opened.append((shown, path)))
        self.opening.failed.connect(self.failures.append)
        self.opening.progress.connect(lambda done, wanted: self.progress.append((done, wanted)))

    def open(self, path: Path) -> None:
        self.opening.open_path(path, ReadOptions())


@pytest.fixture
def bench(qtbot: QtBot) -> Iterator[Bench]:
    made = Bench()
    yield made
    made.tasks.cancel_all()
    assert made.tasks.wait(PATIENCE_S)


def test_the_first_picture_of_a_folder_is_there_before_the_study(
    bench: Bench, qtbot: QtBot, tmp_path: Path
) -> None:
    for number, grey in ((10, 90), (2, 30)):
        Image.fromarray(np.full((64, 48), grey, np.uint8)).save(tmp_path / f"frame{number}.png")
    seen: list[tuple[QImage, bool]] = []
    bench.opening.glimpsed.connect(lambda picture: seen.append((picture, bool(bench.opened))))
    bench.open(tmp_path)
    qtbot.waitUntil(lambda: bool(bench.opened) or bool(bench.failures))
    ((picture, after),) = seen
    assert not after
    assert (picture.width(), picture.pixelColor(3, 3).red()) == (48, 30)  # frame2 is the first


def test_other_files_have_no_early_picture(tmp_path: Path) -> None:
    (tmp_path / "damaged.png").write_bytes(b"no picture")
    assert first_picture(tmp_path / "damaged.png") is None
    assert first_picture(tmp_path) is None
    assert first_picture(write_study(tmp_path)) is None
    assert first_picture(tmp_path / "missing") is None


def test_a_file_is_opened_with_its_first_picture_ready(
    bench: Bench, qtbot: QtBot, tmp_path: Path
) -> None:
    path = write_study(tmp_path)
    bench.open(path)
    assert bench.opening.what == "Opening phantom.npz"
    qtbot.waitUntil(lambda: bool(bench.opened))
    shown, opened = bench.opened[0]
    assert opened == path
    assert shown.session.study.pullback.frame_count == 12
    assert shown.pictures.cartesian.cache_info().currsize == 1
    assert bench.opening.what == ""


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.dcm", b"no dicom"), ("a.npz", b"PK\x03\x04 torn"), ("a.tif", b"II*\0"), ("a.txt", b"hi")],
)
def test_a_damaged_file_gives_one_message(
    bench: Bench, qtbot: QtBot, tmp_path: Path, name: str, content: bytes
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    bench.open(path)
    qtbot.waitUntil(lambda: bool(bench.failures))
    assert bench.tasks.wait(PATIENCE_S)
    deliver_events()
    assert len(bench.failures) == 1
    assert str(path) in bench.failures[0]
    assert bench.opened == []


def test_the_log_tells_what_was_opened_but_never_its_name(
    bench: Bench, qtbot: QtBot, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "calcviewer")
    bench.open(write_study(tmp_path, 7, "Doe^Jane"))
    qtbot.waitUntil(lambda: bool(bench.opened))
    damaged = tmp_path / "Doe^Jane.dcm"
    damaged.write_bytes(b"\0" * 200)
    bench.open(damaged)
    qtbot.waitUntil(lambda: bool(bench.failures))
    assert "opened a .npz file, 7 frames" in caplog.text
    assert "refused a .dcm file" in caplog.text
    assert "Doe" not in caplog.text
    assert str(tmp_path) not in caplog.text


def test_a_later_opening_replaces_an_earlier_one(
    bench: Bench, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = write_study(tmp_path, name="a"), write_study(tmp_path, name="b")
    from calcviewer.gui import opening

    read = opening.read_pullback

    def slowly(path: Path, *, options: ReadOptions) -> object:
        time.sleep(0.1 if path == first else 0)
        return read(path, options=options)

    monkeypatch.setattr(opening, "read_pullback", slowly)
    bench.open(first)
    bench.open(second)
    assert bench.tasks.wait(PATIENCE_S)
    qtbot.waitUntil(lambda: bool(bench.opened))
    deliver_events()
    assert [path for _, path in bench.opened] == [second]


def test_the_demo_is_simulated_once_with_progress(
    bench: Bench, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def simulate(output: Path, *, frames: int, progress: Callable[[int, int], None]) -> Path:
        calls.append(frames)
        folder = output / "simulated"
        folder.mkdir(parents=True)
        progress(1, 2)
        return write_study(folder, name="pullback").rename(folder / "pullback.dcm")

    from calcviewer.gui import opening

    def read(path: Path, *, options: ReadOptions) -> object:
        return real(path.rename(path.with_suffix(".npz")), options=options)

    real = opening.read_pullback
    monkeypatch.setattr(opening, "demo_pullback", simulate)
    monkeypatch.setattr(opening, "read_pullback", read)
    bench.opening.open_demo()
    qtbot.waitUntil(lambda: bool(bench.opened))
    assert bench.progress == [(1, 2)]
    stored = demo_folder() / "simulated" / "pullback.npz"
    stored.rename(stored.with_suffix(".dcm"))
    bench.opening.open_demo()
    qtbot.waitUntil(lambda: len(bench.opened) == 2)
    assert len(calls) == 1


def test_a_cancelled_simulation_stops_and_leaves_nothing(
    bench: Bench, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = []

    def simulate(output: Path, *, frames: int, progress: Callable[[int, int], None]) -> Path:
        try:
            for done in range(500):
                progress(done, 500)
                time.sleep(0.005)
        except CalcViewerError:
            stopped.append(True)
            raise
        return output

    monkeypatch.setattr("calcviewer.gui.opening.demo_pullback", simulate)
    bench.opening.open_demo()
    qtbot.waitUntil(lambda: bool(bench.progress))
    bench.opening.cancel()
    assert bench.tasks.wait(PATIENCE_S)
    deliver_events()
    assert (stopped, bench.failures, bench.opened) == ([True], [], [])


def dropping(*paths: Path) -> Path | None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return dropped_path(mime)


def test_what_is_dropped_is_one_study(tmp_path: Path) -> None:
    a, b, other = tmp_path / "s" / "1.dcm", tmp_path / "s" / "2.dcm", tmp_path / "3.dcm"
    assert dropping(a) == a
    assert dropping(a, b) == tmp_path / "s"
    assert dropping(a, other) is None
    assert dropped_path(QMimeData()) is None


def test_a_recent_study_that_is_gone_is_said_to_be(tmp_path: Path) -> None:
    path = write_study(tmp_path)
    gone = tmp_path / "gone.dcm"
    assert recent_entries([str(path), str(gone)]) == [
        ("phantom.npz", str(tmp_path), True),
        ("gone.dcm", str(tmp_path), False),
    ]
