"""Segmentation as the operator sees it: outward from the frame on screen, cancel, go on."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import replace

import pytest
from pytestqt.qtbot import QtBot

from calcviewer.app.session import Session
from calcviewer.app.workflows import SegmentOptions
from calcviewer.core.annotation import FrameAnnotation
from calcviewer.core.errors import CalcViewerError
from calcviewer.core.pullback import CalibratedValue, Origin, Pullback
from calcviewer.core.study import Study
from calcviewer.gui.frame_queue import FrameQueue
from calcviewer.gui.segmentation import Segmentation, seconds_left
from calcviewer.gui.tasks import Tasks
from calcviewer.gui.view_state import ViewState
from calcviewer.modalities.ivoct.protocol import Protocol
from tests.gui.stored_studies import MODEL, PhantomSegmenter
from tests.gui.waiting import deliver_events
from tests.patience import PATIENCE_S
from tests.phantoms import GRID as PHANTOM_GRID
from tests.phantoms import make_pullback

FRAMES = 9


def test_frames_come_outward_from_the_one_on_screen() -> None:
    assert list(FrameQueue(range(6), 2)) == [2, 3, 1, 4, 0, 5]


def test_scrolling_turns_the_queue_to_the_new_frame() -> None:
    queue = FrameQueue(range(20), 0)
    assert [next(queue), next(queue)] == [0, 1]
    queue.recentre(15)
    assert [next(queue) for _ in range(3)] == [15, 16, 14]
    assert len(list(queue)) == 15


def test_frames_of_the_voi_come_first() -> None:
    queue = FrameQueue(range(8), 0)
    queue.prefer((5, 6))
    assert list(queue) == [5, 6, 0, 1, 2, 3, 4, 7]


def test_a_stopped_queue_gives_nothing_more() -> None:
    queue = FrameQueue(range(8), 0)
    next(queue)
    queue.stop()
    assert list(queue) == []


def test_time_left_follows_the_last_frames() -> None:
    assert seconds_left(deque([10.0]), 5) is None
    assert seconds_left(deque([10.0, 10.5, 11.0]), 5) == pytest.approx(2.5)


class Bench:
    """A session being segmented by a phantom."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.segmenter = PhantomSegmenter()
        monkeypatch.setattr("calcviewer.gui.segmentation.load_segmenter", lambda *_: self.segmenter)
        self.session = Session(Study(make_pullback(FRAMES), Protocol()))
        self.state = ViewState()
        self.state.reset(FRAMES)
        self.tasks = Tasks()
        self.segmentation = Segmentation(self.state, self.tasks)
        self.segmentation.follow(self.session)
        self.failures: list[str] = []
        self.segmentation.failed.connect(self.failures.append)

    def start(self) -> None:
        self.segmentation.start(SegmentOptions())


@pytest.fixture
def bench(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    made = Bench(monkeypatch)
    yield made
    made.segmentation.follow(None)
    assert made.tasks.wait(PATIENCE_S)


def test_everything_is_segmented_and_told(bench: Bench, qtbot: QtBot) -> None:
    bench.start()
    assert bench.segmentation.running
    qtbot.waitUntil(lambda: not bench.segmentation.running)
    assert sorted(bench.session.study.predictions) == list(range(FRAMES))
    assert bench.session.study.model == MODEL
    assert (bench.segmentation.done, bench.segmentation.wanted) == (FRAMES, FRAMES)
    assert bench.failures == []


def test_with_a_voi_only_its_frames_are_segmented(bench: Bench, qtbot: QtBot) -> None:
    bench.session.edit("VOI", replace(bench.session.study.review, voi=(2, 4)))
    bench.start()
    qtbot.waitUntil(lambda: not bench.segmentation.running)
    assert sorted(bench.session.study.predictions) == [2, 3, 4]


def test_frames_are_segmented_at_the_scale_in_force(
    bench: Bench, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Pullback] = []

    def load(pullback: Pullback, _: SegmentOptions) -> PhantomSegmenter:
        seen.append(pullback)
        return bench.segmenter

    monkeypatch.setattr("calcviewer.gui.segmentation.load_segmenter", load)
    pullback = bench.session.study.pullback
    spacing = CalibratedValue(2 * PHANTOM_GRID.sample_spacing_mm, Origin.OPERATOR)
    calibration = replace(pullback.calibration, sample_spacing_mm=spacing)
    review = replace(bench.session.study.review, calibration=calibration)
    bench.session.edit("calibrate", review)
    bench.start()
    qtbot.waitUntil(lambda: not bench.segmentation.running)
    assert seen[0].calibration == calibration
    study = bench.session.study
    ((_, found),) = PhantomSegmenter().predict([0])
    in_force = study.annotation(0)
    assert in_force is not None
    # What the segmenter draws in mm in force is what is shown, and is kept in the source's mm.
    assert in_force.calcium[0].area_mm2 == pytest.approx(found.calcium[0].area_mm2)
    kept = study.predictions[0].calcium[0].area_mm2
    assert kept == pytest.approx(found.calcium[0].area_mm2 / 4)


def test_a_stopped_run_keeps_what_it_found_and_goes_on_with_the_rest(
    bench: Bench, qtbot: QtBot
) -> None:
    bench.segmenter.seconds = 0.02
    bench.start()
    qtbot.waitUntil(lambda: bench.segmentation.done >= 2)
    bench.segmentation.stop()
    qtbot.waitUntil(lambda: not bench.segmentation.running)
    first = set(bench.session.study.predictions)
    assert 2 <= len(first) < FRAMES
    bench.start()
    qtbot.waitUntil(lambda: bench.segmentation.done == FRAMES)
    assert len(bench.segmenter.asked) == len(set(bench.segmenter.asked)) == FRAMES


def test_scrolling_while_it_runs_brings_the_frames_on_screen_forward(
    bench: Bench, qtbot: QtBot
) -> None:
    bench.segmenter.seconds = 0.03
    bench.start()
    qtbot.waitUntil(lambda: bench.segmentation.done >= 1)
    bench.state.go_to(8)
    asked = len(bench.segmenter.asked)
    qtbot.waitUntil(lambda: not bench.segmentation.running)
    assert bench.segmenter.asked[asked] == 8


def test_a_run_for_a_study_that_was_left_changes_nothing(bench: Bench, qtbot: QtBot) -> None:
    go_on = threading.Event()

    class Slow(PhantomSegmenter):
        def predict(self, frames: object) -> Iterator[tuple[int, FrameAnnotation]]:
            go_on.wait(PATIENCE_S)
            yield 0, FrameAnnotation()

    bench.segmenter = Slow()
    bench.start()
    qtbot.waitUntil(lambda: bench.session.study.model is not None)
    other = Session(Study(make_pullback(3), Protocol()))
    bench.segmentation.follow(other)
    go_on.set()
    assert bench.tasks.wait(PATIENCE_S)
    deliver_events()
    assert not bench.session.study.predictions
    assert not other.study.predictions


def test_a_network_that_cannot_be_loaded_is_told(
    bench: Bench, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise CalcViewerError("The model is damaged.", "Install it again.")

    monkeypatch.setattr("calcviewer.gui.segmentation.load_segmenter", refuse)
    bench.start()
    qtbot.waitUntil(lambda: bool(bench.failures))
    assert bench.failures == ["The model is damaged. Install it again."]
    assert not bench.segmentation.running


def test_when_no_frame_works_the_reason_is_told(bench: Bench, qtbot: QtBot) -> None:
    class Blind(PhantomSegmenter):
        def predict(self, frames: object) -> Iterator[tuple[int, FrameAnnotation]]:
            for frame in range(FRAMES):
                yield frame, FrameAnnotation(failure="No lumen was found in this frame.")

    bench.segmenter = Blind()
    bench.start()
    qtbot.waitUntil(lambda: not bench.segmentation.running)
    assert "No lumen" in bench.failures[0]
