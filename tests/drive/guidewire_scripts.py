"""The operator answers whether a guidewire's shadow hides calcium, and takes the answer back."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from calcviewer.app.lesion_report.lesion import in_force
from calcviewer.app.results import most_severe
from calcviewer.gui.panels.card import Row
from calcviewer.modalities.ivoct.lesion import Lesion
from tests.drive.reader import read_instead_of_the_network
from tests.drive.robot import Robot, Script, Until

_SEGMENTING_S = 400.0


def answer_known(robot: Robot, study: Path) -> Script:
    """Answer the question about a pullback whose labels are known."""
    read_instead_of_the_network()
    yield from _answer(robot, study, "known_")


def answer_segmented(robot: Robot, study: Path) -> Script:
    """Answer the question about a pullback that the shipped network segments."""
    yield from _answer(robot, study, "")


def _answer(robot: Robot, study: Path, prefix: str) -> Script:
    """Look at what was found, bridge, do not bridge, and take the answers back.

    Prints what was measured, for the test to judge.
    """
    window = robot.window
    yield robot.active()
    robot.drop(study)
    yield robot.opened()
    yield from _wait_for_all_frames(robot)
    automatic = _lesion(robot)
    assert automatic.guidewire_decides
    assert _score(robot) == "2 or 4"
    robot.click(_row(robot, "Arc, bridged"))
    assert window.desk.state.frame == automatic.bridged.max_arc_frame
    yield from _pictured(robot, f"{prefix}guidewire_automatic")
    robot.press_button("Bridge", window.score)
    yield from _pictured(robot, f"{prefix}guidewire_bridged")
    bridged = _in_force(robot, score="4")
    robot.press_button("Do not bridge", window.score)
    yield from _pictured(robot, f"{prefix}guidewire_visible")
    visible = _in_force(robot, score="2")
    robot.key("Ctrl+Z")
    yield from _pictured(robot, f"{prefix}guidewire_undone")
    assert _in_force(robot, score="4") == bridged
    assert window.desk.state.frame == automatic.bridged.max_arc_frame, "undo left the lesion"
    robot.key("Ctrl+Z")
    assert _score(robot) == "2 or 4"
    robot.key("Ctrl+Shift+Z")
    assert _in_force(robot, score="4") == bridged
    robot.key("Ctrl+Shift+Z")
    assert _in_force(robot, score="2") == visible
    thickness, length = automatic.max_thickness_mm, automatic.length_mm
    measured = {"visible": visible, "bridged": bridged, "thickness": thickness, "length": length}
    print(json.dumps(measured))
    robot.quit()


def _wait_for_all_frames(robot: Robot) -> Script:
    window = robot.window
    segmentation = window.desk.segmentation
    yield Until(
        "the segmentation to end",
        lambda: segmentation.wanted > 0 and not segmentation.running,
        _SEGMENTING_S,
    )
    yield Until("the whole picture", lambda: window.longitudinal.canvas.store.complete)
    yield robot.still()


def _lesion(robot: Robot) -> Lesion:
    found = most_severe(robot.session.results.lesions)
    assert found is not None
    return found


def _in_force(robot: Robot, *, score: str) -> float:
    """Return the arc that counts now, after looking whether the window shows it."""
    lesion = _lesion(robot)
    assert lesion.verdict is not None
    assert _score(robot) == str(lesion.verdict.total) == score
    arc = in_force(lesion).max_arc_deg
    assert arc is not None
    name = "Arc, bridged" if in_force(lesion) is lesion.bridged else "Arc, visible"
    assert _row(robot, name).cells[0].text() == f"{arc:.0f}°"
    return arc


def _score(robot: Robot) -> str:
    """Return the score as it is written large."""
    return robot.window.score._score.text()


def _row(robot: Robot, name: str) -> Row:
    """Return the line of a criterion in the score panel."""
    rows = robot.window.score.findChildren(Row)
    (found,) = (row for row in rows if row.name.text() == name and row.isVisible())
    return found


def _pictured(robot: Robot, name: str) -> Script:
    """Keep a picture with the pointer out of the way."""
    robot.move_away()
    yield robot.still()
    robot.picture(name)


SCRIPTS: dict[str, Callable[..., Script]] = {
    "answer_known": answer_known,
    "answer_segmented": answer_segmented,
}
