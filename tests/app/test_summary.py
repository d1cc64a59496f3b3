"""What the commands print of a study."""

from __future__ import annotations

from dataclasses import replace

import pytest

from calcviewer.app.results import compute_results
from calcviewer.app.session import IvoctStudy
from calcviewer.app.summary import summary_lines
from calcviewer.core.pullback import CalibratedValue, Calibration, Origin
from calcviewer.core.study import GuidewireDecision, Review
from tests.lesion_studies import ACROSS_WIRE, NOTHING, TWO_LESIONS, arc, study_of

# 150 degrees beside the wire, 190 with it, thick, 6 mm long.
ACROSS = [arc(190, wire=(100.0, 30.0))] * 30


def said(study: IvoctStudy) -> str:
    return "\n".join(summary_lines(study, compute_results(study, {})))


def test_lesions_with_their_numbers() -> None:
    lines = said(study_of(TWO_LESIONS)).splitlines()
    assert lines[0] == "phantom: 18 of 18 frames measured"
    assert "model phantom 1 on CPUExecutionProvider" in lines
    assert "sample spacing 0.02000 mm (operator)" in lines
    assert "frame pitch 0.200 mm (operator)" in lines
    assert "lesion 1, frames 3 to 5: score 1, adequate expansion" in lines
    (second,) = (k for k, line in enumerate(lines) if line.startswith("lesion 2"))
    assert lines[second] == "lesion 2, frames 13 to 16: score 3, adequate expansion"
    assert lines[second + 1].startswith("  arc 220° visible, 220° bridged; thickness 0.8")
    assert lines[second + 1].endswith("length 0.8 mm")
    assert lines[-1] == "Research use only. Not for diagnostic use."


def test_what_is_unknown_is_said_and_has_no_number() -> None:
    lines = said(study_of([arc(200)] * 4, calibrated=False, pitch_mm=None)).splitlines()
    for name in ("sample spacing", "frame pitch"):
        assert f"{name} is unknown: values that need it are missing" in lines
    assert "lesion 1, frames 1 to 4: score 2 to 4 (thickness, length missing)" in lines
    assert lines[-2] == "  arc 200° visible, 200° bridged; thickness —; length —"


def test_no_calcium() -> None:
    text = said(study_of([NOTHING] * 3))
    assert "No calcium was found." in text
    assert "lesion" not in text


def test_simulated_data_is_called_so() -> None:
    study = study_of([NOTHING])
    assert "Simulated data." not in said(study)
    spacing = CalibratedValue(0.02, Origin.SIMULATED)
    calibration = Calibration(spacing, None, CalibratedValue(0.0, Origin.SIMULATED))
    simulated = replace(study, pullback=replace(study.pullback, calibration=calibration))
    assert "Simulated data." in said(simulated).splitlines()


@pytest.mark.parametrize(
    ("bridge", "score"),
    [
        (None, "2 or 4: guidewire decides"),
        (False, "2, adequate expansion"),
        (True, "4, poor expansion"),
    ],
)
def test_the_operators_word_about_the_guidewire_holds(bridge: bool | None, score: str) -> None:
    decisions = ()
    if bridge is not None:
        decisions = (GuidewireDecision(0, 29, bridge, "Dr A", "2025-01-01T00:00:00Z"),)
    study = study_of([ACROSS_WIRE] * 30, review=Review(guidewire_decisions=decisions))
    assert f"lesion 1, frames 1 to 30: score {score}" in said(study).splitlines()
