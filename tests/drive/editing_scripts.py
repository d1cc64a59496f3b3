"""The operator corrects frames with every tool, takes it back, and comes back another day."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest

from calcviewer.core.annotation import FrameAnnotation
from calcviewer.core.editing.deposits import arc_of
from calcviewer.core.geometry import to_xy
from calcviewer.core.study import Review
from calcviewer.gui.tools.deposit import DepositTool
from calcviewer.gui.tools.deposit_targets import see
from calcviewer.gui.tools.rays import CATHETER_MM, border_mm
from calcviewer.gui.views.image_view import ImageView
from tests.drive.reader import read_instead_of_the_network
from tests.drive.robot import Robot, Script, Until

Place = tuple[float, float]
"""Angle (deg) and radius (mm) about the catheter."""

_MOVES = 12
_PLAIN = Qt.KeyboardModifier.NoModifier


@dataclass(frozen=True)
class Hand:
    """The operator's hand in one of the two image views."""

    robot: Robot
    view: ImageView

    def px(self, place: Place) -> QPointF:
        """Return where a place is in the view."""
        at = to_xy(np.array([place[0]]), np.array([place[1]]))
        lines = self.view._lines_px(at, ring=False)
        return QPointF(*lines[0][-1])

    def hover(self, place: Place) -> str:
        """Move over a place; returns what the tool in hand says a click would do there."""
        self.robot.move(self.view, self.px(place))
        window = self.robot.window
        return window.tools[window.toolbox.in_hand].status()

    def begin(self, places: Sequence[Place]) -> None:
        """Press at the first place and move over all of them; the button stays down."""
        self.robot.press(self.view, self.px(places[0]))
        for place in places[1:]:
            self.robot.move(self.view, self.px(place))

    def end(self, place: Place) -> None:
        """Let the button go."""
        self.robot.release(self.view, self.px(place))

    def drag(self, places: Sequence[Place]) -> None:
        """Press, move over places, and let go at the last."""
        self.begin(places)
        self.end(places[-1])

    def click(self, place: Place, modifier: Qt.KeyboardModifier = _PLAIN) -> None:
        """Press and let go."""
        self.robot.press(self.view, self.px(place), modifier)
        self.robot.release(self.view, self.px(place), modifier)

    def turn_wheel(self, place: Place, notches: int) -> None:
        """Turn the wheel at a place; up is positive."""
        handle = self.view.window().windowHandle()
        at = QPointF(self.view.mapTo(self.view.window(), self.px(place)))
        QTest.wheelEvent(handle, at, QPoint(0, 120 * notches), QPoint(), _PLAIN)


def way(start: Place, end: Place, moves: int = _MOVES) -> list[Place]:
    """Return places on the way from one to another."""
    parts = np.linspace(0, 1, moves + 1)
    return [
        (float(start[0] + part * (end[0] - start[0])), float(start[1] + part * (end[1] - start[1])))
        for part in parts
    ]


def through(*places: Place, moves: int = _MOVES) -> list[Place]:
    """Return a way through several places, with as many moves from each to the next."""
    found: list[Place] = [places[0]]
    for start, end in pairwise(places):
        found += way(start, end, moves)[1:]
    return found


class Corrections:
    """What the script looks at of the frame on screen."""

    def __init__(self, robot: Robot) -> None:
        self.robot = robot
        self.section = Hand(robot, robot.window.cross_section)
        self.polar = Hand(robot, robot.window.polar)

    @property
    def annotation(self) -> FrameAnnotation:
        """The annotation of the frame on screen."""
        found = self.robot.session.study.annotation(self.robot.window.desk.state.frame)
        assert found is not None
        return found

    @property
    def steps(self) -> list[str]:
        """The names of what can be undone, the last one last."""
        return [step.label for step in self.robot.session.history.past]

    def lumen_mm(self, angle_deg: float) -> float:
        """Return the radius of the lumen border about the catheter."""
        return float(border_mm(self.annotation.lumen, CATHETER_MM, np.array(angle_deg)))

    def arcs(self) -> list[tuple[float, float]]:
        """Return start and extent of every deposit's arc, in order of the start."""
        arcs = [arc_of(self.annotation, index) for index in range(len(self.annotation.calcium))]
        return sorted((arc.start_deg, arc.extent_deg) for arc in arcs if arc is not None)

    def area_mm2(self) -> float:
        """Return the lumen area that the frame panel shows."""
        measured = self.robot.session.results.frames[self.robot.window.desk.state.frame]
        assert measured is not None
        assert measured.lumen_area_mm2 is not None
        return measured.lumen_area_mm2


# --- the day's work -------------------------------------------------------------------------------


def correct_frames(robot: Robot, study: Path) -> Script:
    """Use every tool in one frame, then the commands over several, then close and reopen."""
    read_instead_of_the_network()
    yield robot.active()
    yield from _open(robot, study)
    eye = Corrections(robot)
    state = robot.window.desk.state
    robot.window.commands.toggle_interpolation()  # frame by frame first
    state.go_to(_FRAME)
    yield robot.still()
    for correct in (
        _drag_lumen,
        _redraw_lumen,
        _move_point,
        _brush_across_the_seam,
        _drag_arc_end,
        _lasso,
        _split,
        _add_sector,
        _drag_guidewire,
        _draw_eel,
        _measure_freely,
    ):
        before = len(eye.steps)
        yield from correct(robot, eye)
        assert len(eye.steps) > before, f"{correct.__name__} left no step"
        robot.key("Esc")
        robot.key("Esc")
        assert robot.window.toolbox.in_hand == ""
    yield from _undo_and_redo_all(robot, eye)
    yield from _interpolate(robot, eye)
    yield from _exclude(robot, eye)
    yield from _revert(robot, eye)
    yield from _copy(robot, eye)
    yield from _confirm(robot, eye)
    yield from _reopen(robot, eye, study)
    robot.quit()


_FRAME = 11


def _open(robot: Robot, study: Path) -> Script:
    window = robot.window
    robot.drop(study)
    yield robot.opened()
    segmentation = window.desk.segmentation
    yield Until(
        "the segmentation to end",
        lambda: segmentation.wanted > 0 and not segmentation.running,
    )
    yield Until("the whole picture", lambda: window.longitudinal.canvas.store.complete)
    yield robot.still()


def _drag_lumen(robot: Robot, eye: Corrections) -> Script:
    """Drag the lumen in the cross-section; the wheel sets the radius; Esc takes a drag back."""
    robot.key("C")
    frame = robot.window.desk.state.frame
    radius = eye.lumen_mm(80)
    said = eye.section.hover((80, radius))
    assert said.startswith("Drag the lumen"), said
    yield robot.still()
    robot.picture("lumen_hover")
    area = eye.area_mm2()
    eye.section.begin(way((80, radius), (80, radius + 0.3)))
    assert eye.area_mm2() > area, "the numbers do not follow the drag"
    assert eye.steps[-1:] == ["drag the lumen"]
    grown = eye.area_mm2()
    eye.section.turn_wheel((80, radius + 0.3), 3)
    assert robot.window.desk.state.frame == frame, "the wheel stepped a frame during a drag"
    assert eye.area_mm2() > grown, "the wheel did not widen what follows"
    yield robot.still()
    robot.picture("lumen_dragging")
    eye.section.end((80, radius + 0.3))
    assert len(eye.steps) == 1, eye.steps
    held = eye.annotation
    radius = eye.lumen_mm(120)
    eye.section.begin(way((120, radius), (120, radius + 0.2)))
    assert len(eye.steps) == 2
    robot.key("Esc")
    assert len(eye.steps) == 1, "Esc left a step"
    eye.section.end((120, radius + 0.2))
    assert eye.annotation is held
    yield robot.still()
    robot.picture("lumen_dragged")


def _redraw_lumen(robot: Robot, eye: Corrections) -> Script:
    robot.key("C")
    start, end = eye.lumen_mm(98), eye.lumen_mm(128)
    inside, outside = min(start, end) - 0.35, max(start, end) + 0.1
    stroke = through((92, inside), (100, outside), (112, outside), (124, outside), (132, inside))
    eye.section.begin(stroke)
    yield robot.still()
    robot.picture("lumen_redrawing")
    eye.section.end(stroke[-1])
    assert eye.steps[-1] == "redraw the lumen", eye.steps


def _move_point(robot: Robot, eye: Corrections) -> Script:
    robot.key("P")
    eye.polar.hover((40, eye.lumen_mm(40)))
    yield robot.still()
    robot.picture("points")
    steps = len(eye.steps)
    eye.polar.click((40, eye.lumen_mm(40)))
    assert len(eye.steps) in (steps, steps + 1)  # a point may have been there already
    radius = eye.lumen_mm(40)
    eye.polar.drag(way((40, radius), (40, radius - 0.1)))
    assert eye.steps[-1] == "move a point of the lumen", eye.steps
    assert eye.lumen_mm(40) < radius - 0.05
    yield robot.still()
    robot.picture("point_moved")
    robot.key("Delete")
    assert eye.steps[-1] == "remove a point of the lumen", eye.steps


def _brush_across_the_seam(robot: Robot, eye: Corrections) -> Script:
    """Lengthen the deposit that lies across theta = 0, in the polar view, through the seam."""
    polar = eye.polar.view
    middle = QPointF(polar.rect().center())
    robot.drag(polar, middle, middle + QPointF(polar.width() / 4, 0))
    robot.key("W")
    start = max(eye.arcs())
    depth = 0.3
    stroke = [(angle % 360, eye.lumen_mm(angle % 360) + depth) for angle in range(352, 392, 3)]
    eye.polar.hover(stroke[0])
    yield robot.still()
    robot.picture("brush_hover")
    eye.polar.begin(stroke)
    yield robot.still()
    robot.picture("brush_dragging")
    eye.polar.end(stroke[-1])
    assert eye.steps[-1] == "brush calcium"
    painted = max(eye.arcs())
    assert painted[0] - start[0] < 1
    assert painted[1] > start[1] + 10, (start, painted)
    assert len(eye.arcs()) == 2, "the seam cut the deposit"


def _drag_arc_end(robot: Robot, eye: Corrections) -> Script:
    robot.key("D")
    (start, extent), *_ = eye.arcs()
    middle = start + extent / 2
    eye.section.click((middle, eye.lumen_mm(middle) + 0.3))
    tool = robot.window.tools["deposit"]
    assert isinstance(tool, DepositTool)
    assert tool.chosen is not None
    assert eye.annotation.lumen is not None
    deposit = eye.annotation.calcium[tool.chosen]
    x_mm, y_mm = see(deposit, eye.annotation.lumen.centroid_mm).ends_mm[0]
    angle, radius = float(np.degrees(np.arctan2(y_mm, x_mm))), float(np.hypot(x_mm, y_mm))
    said = eye.section.hover((angle, radius))
    assert said == "Drag the end of the arc", said
    eye.section.begin(way((angle, radius), (angle - 15, radius)))
    yield robot.still()
    robot.picture("arc_dragging")
    eye.section.end((angle - 15, radius))
    assert eye.steps[-1] == "widen calcium arc", eye.steps
    assert eye.arcs()[0][1] > extent + 10
    assert deposit not in eye.annotation.calcium


def _lasso(robot: Robot, eye: Corrections) -> Script:
    robot.key("L")
    inner, outer = eye.lumen_mm(75) + 0.1, eye.lumen_mm(75) + 0.5
    ring = through((55, inner), (55, outer), (100, outer), (100, inner), (58, inner))
    eye.section.begin(ring)
    yield robot.still()
    robot.picture("lasso_drawing")
    count = len(eye.arcs())
    eye.section.end(ring[-1])
    assert eye.steps[-1] == "add calcium", eye.steps
    assert len(eye.arcs()) == count + 1
    yield robot.still()
    robot.picture("lasso_drawn")


def _split(robot: Robot, eye: Corrections) -> Script:
    robot.key("S")
    count = len(eye.arcs())
    radius = eye.lumen_mm(76)
    line = way((76, radius - 0.1), (76, radius + 0.8))
    eye.polar.begin(line)
    yield robot.still()
    robot.picture("splitting")
    eye.polar.end(line[-1])
    assert eye.steps[-1] == "split calcium", eye.steps
    assert len(eye.arcs()) == count + 1


def _add_sector(robot: Robot, eye: Corrections) -> Script:
    robot.key("A")
    count = len(eye.arcs())
    radius = eye.lumen_mm(115) + 0.2
    eye.polar.drag(way((108, radius), (128, radius)))
    eye.polar.hover((118, eye.lumen_mm(118) + 0.15))
    yield robot.still()
    robot.picture("sector_front")
    eye.polar.click((118, eye.lumen_mm(118) + 0.15))
    eye.polar.hover((118, eye.lumen_mm(118) + 0.6))
    yield robot.still()
    robot.picture("sector_back")
    eye.polar.click((118, eye.lumen_mm(118) + 0.6))
    assert eye.steps[-1] == "add calcium"
    assert len(eye.arcs()) == count + 1


def _drag_guidewire(robot: Robot, eye: Corrections) -> Script:
    robot.key("T")
    (wire,) = eye.annotation.guidewires
    end = wire.start_deg + wire.extent_deg
    lumen = eye.lumen_mm(end)
    handle = (end, lumen + 0.35 * (3.6 - lumen))
    eye.polar.hover(handle)
    yield robot.still()
    robot.picture("guidewire_hover")
    eye.polar.begin(way(handle, (end + 8, handle[1])))
    yield robot.still()
    robot.picture("guidewire_dragging")
    eye.polar.end((end + 8, handle[1]))
    assert eye.steps[-1] == "move guidewire edge", eye.steps
    (moved,) = eye.annotation.guidewires
    assert abs(moved.extent_deg - wire.extent_deg - 8) < 1


def _draw_eel(robot: Robot, eye: Corrections) -> Script:
    robot.key("O")
    ring = [(angle, 2.75) for angle in range(0, 356, 5)]
    eye.section.begin(ring)
    yield robot.still()
    robot.picture("eel_drawing")
    eye.section.end(ring[-1])
    assert eye.steps[-1] == "draw the EEL", eye.steps
    assert eye.annotation.eel is not None
    yield robot.still()
    robot.picture("eel_drawn")


def _measure_freely(robot: Robot, eye: Corrections) -> Script:
    robot.key("R")
    eye.section.drag(way((215, eye.lumen_mm(215)), (215, eye.lumen_mm(215) + 0.9)))
    robot.key("Shift+R")
    for place in ((250, 2.0), (300, 0.8), (340, 2.0)):
        eye.section.click(place)
    robot.key("Shift+A")
    eye.section.drag(through((165, 2.2), (165, 2.9), (190, 2.9), (190, 2.2), (166, 2.2)))
    yield robot.still()
    robot.picture("free_measurements")
    measured = robot.session.study.review.free_measurements[robot.window.desk.state.frame]
    assert {one.kind for one in measured} == {"length", "angle", "area"}


def _undo_and_redo_all(robot: Robot, eye: Corrections) -> Script:
    """Take everything back from other frames: each step leads to its frame."""
    state, session = robot.window.desk.state, robot.session
    corrected, names = session.study.review, eye.steps
    while session.undo_label is not None:
        state.go_to(2)
        robot.key("Ctrl+Z")
        assert state.frame == _FRAME, "undo did not go to the frame"
    assert not session.study.review.edits
    assert not session.study.review.free_measurements
    yield robot.still()
    robot.picture("all_undone")
    while session.redo_label is not None:
        state.go_to(2)
        robot.key("Ctrl+Shift+Z")
        assert state.frame == _FRAME, "redo did not go to the frame"
    assert eye.steps == names
    assert session.study.review == corrected
    yield robot.still()
    robot.picture("all_redone")


def _interpolate(robot: Robot, eye: Corrections) -> Script:
    """Correct two frames: those between follow, and one step takes the run back."""
    session, state = robot.session, robot.window.desk.state
    robot.key("I")
    assert robot.window.desk.settings.interpolate
    steps = len(eye.steps)
    state.go_to(7)
    robot.key("C")
    radius = eye.lumen_mm(80)
    eye.section.drag(way((80, radius), (80, radius + 0.3)))
    yield Until("the frames between", lambda: not robot.window.desk.interpolation.running)
    yield robot.still()
    assert session.study.review.interpolated == {8, 9, 10}
    assert len(eye.steps) == steps + 1
    robot.key("Esc")
    state.go_to(9)
    yield robot.still()
    robot.picture("interpolated")
    robot.key("Ctrl+Z")
    assert not session.study.review.interpolated
    assert len(eye.steps) == steps
    robot.key("Ctrl+Shift+Z")
    assert session.study.review.interpolated == {8, 9, 10}


def _exclude(robot: Robot, eye: Corrections) -> Script:
    window, session = robot.window, robot.session
    window.desk.state.go_to(6)
    robot.key("X")
    yield robot.still()
    robot.picture("exclude_asked")
    robot.click(window.exclude_ask.buttons[1])
    assert dict(session.study.review.excluded) == {6: "artefact"}
    yield robot.still()
    robot.picture("excluded")
    robot.key("C")
    assert "excluded" in eye.section.hover((80, 1.5))
    robot.key("Esc")


def _revert(robot: Robot, eye: Corrections) -> Script:
    session = robot.session
    robot.window.desk.state.go_to(9)
    assert 9 in session.study.review.edits
    robot.key("Ctrl+R")
    assert 9 not in session.study.review.edits
    assert session.study.annotation(9) is session.study.predictions[9]
    yield robot.still()
    robot.picture("reverted")
    robot.key("Ctrl+Z")
    assert 9 in session.study.review.edits


def _copy(robot: Robot, eye: Corrections) -> Script:
    robot.window.desk.state.go_to(5)
    robot.key(".")
    yield robot.still()
    robot.picture("copy_of_an_excluded_frame")
    robot.window.desk.state.go_to(12)
    robot.key(",")
    assert eye.steps[-1] == "copy frame 12 into 13", eye.steps


def _confirm(robot: Robot, eye: Corrections) -> Script:
    robot.window.desk.state.go_to(_FRAME)
    robot.key("Return")
    assert _FRAME in robot.session.study.review.confirmed_frames
    robot.key("J")
    yield robot.still()
    robot.picture("history")
    robot.key("Esc")
    yield robot.active()


def _reopen(robot: Robot, eye: Corrections, study: Path) -> Script:
    """Close the study and open it again: all is as it was, and can be undone as before."""
    left = robot.session
    steps, review = eye.steps, left.study.review
    robot.key("Ctrl+W")
    yield Until("the study to close", lambda: robot.window.desk.shown is None)
    yield robot.still()
    robot.picture("closed")
    robot.drop(study)
    yield robot.opened()
    yield Until("the review", lambda: robot.session.undo_label is not None)
    segmentation = robot.window.desk.segmentation
    yield Until("the segmentation to end", lambda: not segmentation.running)
    yield robot.still()
    session, state = robot.session, robot.window.desk.state
    assert session is not left
    assert eye.steps == steps
    _assert_same(session.study.review, review)
    state.go_to(_FRAME)
    yield robot.still()
    robot.picture("reopened")
    state.go_to(0)
    robot.key("Ctrl+Z")
    assert session.redo_label == steps[-1]
    assert state.frame == _FRAME
    for _ in steps[1:]:
        robot.key("Ctrl+Z")
    assert session.undo_label is None
    assert not session.study.review.edits
    assert not session.study.review.excluded


def _assert_same(found: Review, expected: Review) -> None:
    """Compare what two reviews say, contours to less than a micrometre."""
    for name in ("excluded", "interpolated", "confirmed_frames", "bookmarks", "voi"):
        assert getattr(found, name) == getattr(expected, name), name
    assert found.edits.keys() == expected.edits.keys()
    for frame, edit in expected.edits.items():
        same = found.edits[frame]
        assert edit.lumen is not None
        assert same.lumen is not None
        assert np.allclose(same.lumen.points_mm, edit.lumen.points_mm, atol=1e-4)
        assert len(same.calcium) == len(edit.calcium)
        assert (same.eel is None) == (edit.eel is None)
        assert same.provenance is edit.provenance
    assert found.free_measurements.keys() == expected.free_measurements.keys()


SCRIPTS: dict[str, Callable[..., Script]] = {"correct_frames": correct_frames}
