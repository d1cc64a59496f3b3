"""How frames are corrected and the guidewire's question is answered, for the pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from calcviewer.app.results import most_severe
from calcviewer.gui.panels.card import Row
from calcviewer.gui.tools.deposit_targets import see
from tests.drive.editing_scripts import Corrections, Place, way
from tests.drive.robot import Robot, Script, Until

_LONG_S = 600.0
_DRAG_MM, _WIDEN_DEG = 0.25, 18.0


def show_corrections(robot: Robot) -> Script:
    """Drag the lumen, then the end of a deposit's arc, and take both back."""
    eye = Corrections(robot)
    free = _beside_calcium(eye)
    robot.key("C")
    radius = eye.lumen_mm(free)
    ways = way((free, radius), (free, radius + _DRAG_MM))
    eye.section.begin(ways)
    yield robot.still()
    robot.picture("correct_lumen")
    robot.key("Esc")
    eye.section.end(ways[-1])
    robot.key("Esc")
    robot.key("4")
    yield robot.still()
    robot.key("D")
    end = _end_of_largest(eye)
    ways = way(end, (end[0] + _WIDEN_DEG, end[1]))
    eye.polar.begin(ways)
    yield robot.still()
    robot.picture("correct_calcium")
    robot.key("Esc")
    eye.polar.end(ways[-1])
    robot.key("Esc")
    robot.key("Esc")
    robot.key("1")
    yield robot.still()


def show_guidewire(robot: Robot, study: Path) -> Script:
    """Open the pullback in which the guidewire decides, and answer its question."""
    window = robot.window
    robot.drop(study)
    yield robot.opened(_LONG_S)
    segmentation = window.desk.segmentation
    yield Until("the segmentation", lambda: not segmentation.running, _LONG_S)
    yield Until("the whole picture", lambda: window.longitudinal.canvas.store.complete, _LONG_S)
    lesion = most_severe(robot.session.results.lesions)
    assert lesion is not None
    assert lesion.guidewire_decides
    (line,) = (row for row in window.score.findChildren(Row) if row.name.text() == "Arc, bridged")
    robot.click(line)
    robot.move_away()
    yield robot.still()
    robot.picture("guidewire_decides")
    robot.press_button("Bridge", window.score)
    robot.press_button("Do not bridge", window.score)
    robot.move_away()
    yield robot.still()
    robot.picture("guidewire_decided")


def _beside_calcium(eye: Corrections) -> float:
    """Return the direction that is farthest from the largest deposit."""
    start, extent = max(eye.arcs(), key=lambda arc: arc[1])
    return (start + extent / 2 + 180) % 360


def _end_of_largest(eye: Corrections) -> Place:
    """Return where the arc of the largest deposit ends, clockwise."""
    assert eye.annotation.lumen is not None
    origin = eye.annotation.lumen.centroid_mm
    deposits = [see(one, origin) for one in eye.annotation.calcium]
    x_mm, y_mm = max(deposits, key=lambda one: one.arc.extent_deg).ends_mm[1]
    return float(np.degrees(np.arctan2(y_mm, x_mm)) % 360), float(np.hypot(x_mm, y_mm))
