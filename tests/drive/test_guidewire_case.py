"""The paper's challenging case in the real window: 227 degrees and score 4, or 146 and 2.

With the true labels the arcs hold to a degree. With the shipped network they hold to its error:
a lesion's maximum arc is the largest of many frames' arcs, each with an error of its own, so it
tends to be too large by a few degrees.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.drive.guidewire_case import BRIDGED_DEG, VISIBLE_DEG, write_case
from tests.drive.starting import Drive

KNOWN_DEG, NETWORK_DEG = 1.0, 10.0
LONGEST_S = 590
STEPS = {"automatic", "bridged", "visible", "undone"}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_case(tmp_path_factory.mktemp("case") / "pullback").parent


@pytest.fixture
def study(written: Path, tmp_path: Path) -> Path:
    """The pullback in a folder of its own: its review is kept beside it."""
    return Path(shutil.copytree(written, tmp_path / "study")) / "guidewire.dcm"


@pytest.mark.parametrize(
    ("script", "tolerance_deg"), [("answer_known", KNOWN_DEG), ("answer_segmented", NETWORK_DEG)]
)
def test_the_operator_decides_what_the_guidewire_hides(
    drive: Drive, study: Path, script: str, tolerance_deg: float
) -> None:
    ended = drive.run(script, study, longest_s=LONGEST_S)
    assert ended.status == 0, ended.said
    measured = json.loads(ended.said)
    print(
        f"\n{script}: bridged {measured['bridged']:.1f} (true {BRIDGED_DEG:.0f}), "
        f"visible {measured['visible']:.1f} (true {VISIBLE_DEG:.0f}) degrees, "
        f"thickness {measured['thickness']:.2f} mm, length {measured['length']:.1f} mm"
    )
    assert measured["bridged"] == pytest.approx(BRIDGED_DEG, abs=tolerance_deg)
    assert measured["visible"] == pytest.approx(VISIBLE_DEG, abs=tolerance_deg)
    assert measured["thickness"] > 0.5
    assert measured["length"] > 5
    prefix = "known_" if script == "answer_known" else ""
    assert {f"{prefix}guidewire_{step}" for step in STEPS} <= ended.pictures
