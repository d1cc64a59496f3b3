"""What a report says of one lesion."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import pytest

from calcviewer.app.lesion_report.lesion import guidewire_text, missing_parts
from calcviewer.app.results import compute_results
from calcviewer.app.session import IvoctStudy
from calcviewer.core.study import GuidewireDecision, Review
from tests.lesion_studies import ACROSS_WIRE, arc, study_of


def told(study: IvoctStudy) -> str:
    results = compute_results(study, {})
    return guidewire_text(results.lesions[0], results)


def decided(operator: str, *, bridge: bool) -> IvoctStudy:
    decision = GuidewireDecision(0, 29, bridge, operator, "2025-01-01T00:00:00Z")
    return study_of([ACROSS_WIRE] * 30, review=Review(guidewire_decisions=(decision,)))


def test_what_the_guidewire_does_to_the_score() -> None:
    assert told(study_of([arc(200)] * 3)) == "No guidewire shadow in this lesion."
    beside = arc(60, wire=(200.0, 30.0))
    assert told(study_of([beside] * 3)).startswith("The guidewire does not decide: score 1 visible")
    open_question = told(study_of([ACROSS_WIRE] * 30))
    assert open_question.startswith("Guidewire decides: 2 or 4.")
    assert open_question.endswith("no operator has decided.")


@pytest.mark.parametrize(("bridge", "choice"), [(True, "bridged"), (False, "not bridged")])
def test_who_decided_what(bridge: bool, choice: str) -> None:
    assert told(decided("Dr A", bridge=bridge)) == (
        f"The guidewire decides (2 visible, 4 bridged): {choice}, decided by Dr A, "
        "2025-01-01T00:00:00Z."
    )
    assert "decided by an operator" in told(decided("", bridge=bridge))


def test_why_a_component_is_missing() -> None:
    study = study_of([arc(200)] * 4, calibrated=False, pitch_mm=None)
    thickness, length = missing_parts(compute_results(study, {}).lesions[0])
    assert thickness.startswith("Thickness unavailable")
    assert length.startswith("Length unavailable")
    study = study_of([arc(200)] * 4)
    blind = {k: replace(one, lumen=None) for k, one in study.predictions.items()}
    study = replace(study, predictions=MappingProxyType(blind))
    missing = missing_parts(compute_results(study, {}).lesions[0])
    assert missing[0] == "Arc unavailable: no frame of the lesion has a lumen."
