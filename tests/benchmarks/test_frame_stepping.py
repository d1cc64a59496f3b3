"""Stepping through a pullback with overlays: frames a second and memory. Prints only."""

from __future__ import annotations

import os

os.environ["QT_QPA_PLATFORM"] = os.environ.get("CALCVIEWER_TEST_PLATFORM", "offscreen")

import time
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from calcviewer.app.session import Session
from calcviewer.core.annotation import FrameAnnotation, annotation_from_labels
from calcviewer.core.geometry import PolarGrid
from calcviewer.core.study import Study
from calcviewer.gui.frames import FramePictures
from calcviewer.gui.shown import ShownStudy
from calcviewer.gui.view_state import ViewState
from calcviewer.gui.views.cross_section import CrossSectionView
from calcviewer.gui.views.image_view import ImageView
from calcviewer.gui.views.polar import PolarView
from calcviewer.modalities.ivoct.protocol import Protocol
from tests.phantoms import label_map, make_pullback

GRID = PolarGrid(a_lines=504, samples=960, sample_spacing_mm=0.005)
FRAMES, KINDS = 540, 9
REQUIRED_PER_SECOND = 60


class Vessel:
    """A few 16-bit frames, turned a little from frame to frame."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        radius = GRID.radii_mm()[None, :]
        wall = np.exp(-np.clip(radius - 1.5, 0, None)) * (radius > 1.5)
        self.frames = [
            (60000 * np.clip(wall * rng.gamma(4, 0.2, GRID.shape), 0, 1)).astype(np.uint16)
            for _ in range(KINDS)
        ]

    def display(self, index: int) -> NDArray[np.generic]:
        return np.roll(self.frames[index % KINDS], index, axis=0)

    def intensity(self, index: int) -> NDArray[np.float32]:
        return self.display(index).astype(np.float32)


def annotations() -> dict[int, FrameAnnotation]:
    kinds = []
    for kind in range(KINDS):
        wire = (280.0 - 3 * kind, 25.0)
        labels = label_map((20, 120 + 4 * kind), (200, 40), grid=GRID, wire=wire)
        kinds.append(annotation_from_labels(labels, GRID))
    return {index: replace(kinds[index % KINDS]) for index in range(FRAMES)}


def make_study() -> ShownStudy:
    pullback = replace(make_pullback(1, grid=GRID), frames=Vessel(), frame_count=FRAMES)
    predictions = MappingProxyType(annotations())
    session = Session(Study(pullback, Protocol(), predictions=predictions))
    return ShownStudy(session, FramePictures(pullback))


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def counted(view: ImageView, paints: list[int]) -> None:
    """Count the view's paint events."""
    paint = view.paintEvent

    def count(event: QPaintEvent) -> None:
        paints.append(1)
        paint(event)

    view.paintEvent = count  # type: ignore[method-assign]


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
def test_frame_stepping(
    qapp: QApplication, qtbot: QtBot, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = make_study()
    assert shown.session.results.lesions  # measured once, as after segmentation
    report = []
    for names in (("cross-section",), ("cross-section", "polar")):
        state = ViewState()
        views: list[ImageView] = []
        paints: list[int] = []
        for name in names:
            view = CrossSectionView(state) if name == "cross-section" else PolarView(state)
            counted(view, paints)
            qtbot.addWidget(view)
            view.resize(1024, 1024)
            view.show()
            views.append(view)
        state.reset(FRAMES)
        for view in views:
            view.set_study(shown)
        qapp.processEvents()
        paints.clear()
        before_mb, start, busy = resident_mb(), time.perf_counter(), time.process_time()
        while state.frame < FRAMES - 1:
            state.step(1)
            qapp.processEvents()
        seconds, busy = time.perf_counter() - start, time.process_time() - busy
        assert len(paints) == len(views) * (FRAMES - 1)  # one repaint a step
        report.append(
            f"{' + '.join(names)}: {(FRAMES - 1) / seconds:.0f} frames/s, "
            f"{1e3 * busy / (FRAMES - 1):.1f} ms of processor a frame, "
            f"memory {resident_mb() - before_mb:+.0f} MB"
        )
        for view in views:
            view.set_study(None)
            view.close()
    with capsys.disabled():
        print(
            f"\nstepping through {FRAMES} frames of {GRID.samples} x {GRID.a_lines}, 16 bit, "
            f"1024 x 1024 with overlays (wanted {REQUIRED_PER_SECOND}): {'; '.join(report)}"
        )
