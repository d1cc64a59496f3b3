"""How fast the window follows a drag, with all panels visible."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QApplication

from calcviewer.gui.views.image_view import ImageView
from tests.benchmarks.test_frame_stepping import make_study
from tests.drive.editing_scripts import Corrections, Hand, Place, through
from tests.drive.robot import Robot, Script, Until

FRAME, MOVES = 200, 60
WANTED_PER_SECOND = 30


def measure_drags(robot: Robot) -> Script:
    """Drag with several tools in both views of a pullback with calcium in every frame; print."""
    window = robot.window
    yield robot.active()
    shown = make_study()
    assert len(shown.session.results.lesions) > 0
    window.desk.segment = lambda: None  # type: ignore[method-assign]
    window.desk.show(shown, Path("phantom.npz"))
    yield Until("the study", lambda: window.desk.shown is shown)
    canvas = window.longitudinal.canvas
    yield Until("the whole picture", lambda: canvas.store.complete)
    window.desk.state.go_to(FRAME)
    yield robot.still()
    eye = Corrections(robot)
    frames = shown.session.study.pullback.frame_count
    print(f"drags, {frames} frames with calcium, all panels visible ({WANTED_PER_SECOND} wanted):")
    for what, key, hand, ends in _drags(eye):
        robot.key(key)
        hand.hover(ends[0])
        yield robot.still()
        print(f"  {what}: {_measured(hand, _to_and_fro(hand, ends))}")
        assert shown.session.undo_label is not None
        robot.key("Ctrl+Z")
        robot.key("Esc")
        robot.key("Esc")
        yield robot.still()
    robot.quit()


def _drags(eye: Corrections) -> Sequence[tuple[str, str, Hand, tuple[Place, Place]]]:
    """Return name, key, view and both ends of each drag."""
    lumen, front = eye.lumen_mm(320), eye.lumen_mm(320) + 0.4
    (wire,) = eye.annotation.guidewires
    edge = wire.start_deg + wire.extent_deg
    section, polar = eye.section, eye.polar
    return (
        ("lumen in the cross-section", "C", section, ((320, lumen), (330, lumen + 0.6))),
        ("lumen in the polar view", "C", polar, ((320, lumen), (330, lumen + 0.6))),
        ("brush in the cross-section", "W", section, ((300, front), (350, front))),
        ("brush in the polar view", "W", polar, ((300, front), (350, front))),
        ("guidewire edge in the polar view", "T", polar, ((edge, 3.0), (edge + 40, 3.0))),
    )


def _to_and_fro(hand: Hand, ends: tuple[Place, Place]) -> list[Place]:
    """Return places on the way there, back, and there again, each on a pixel of its own."""
    found = [ends[0]]
    for place in through(*ends, *ends, moves=MOVES):
        if hand.px(place).toPoint() != hand.px(found[-1]).toPoint():
            found.append(place)
    return found


def _measured(hand: Hand, places: Sequence[Place]) -> str:
    """Drag as fast as the window takes it; return what a move takes until all of it is shown."""
    paints = _count_paints(hand.view)
    hand.begin(places[:1])
    QApplication.processEvents()
    paints.clear()
    spent, busy = [], time.process_time()
    for place in places[1:]:
        start = time.perf_counter()
        hand.robot.move(hand.view, hand.px(place))
        QApplication.processEvents()
        spent.append(time.perf_counter() - start)
    busy = (time.process_time() - busy) / len(spent)
    hand.end(places[-1])
    del hand.view.paintEvent
    assert len(paints) >= len(spent), "moves that were not shown"
    median, late, longest = 1e3 * np.percentile(spent, [50, 99, 100])
    return (
        f"{len(spent) / sum(spent):.0f} updates a second ({1 / busy:.0f} of processor time), "
        f"event loop gap median {median:.0f}, p99 {late:.0f}, longest {longest:.0f} ms"
    )


def _count_paints(view: ImageView) -> list[int]:
    paints: list[int] = []
    paint = view.paintEvent

    def count(event: QPaintEvent) -> None:
        paints.append(1)
        paint(event)

    view.paintEvent = count  # type: ignore[method-assign]
    return paints


SCRIPTS: dict[str, Callable[..., Script]] = {"measure_drags": measure_drags}
