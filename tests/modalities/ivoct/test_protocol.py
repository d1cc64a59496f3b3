from __future__ import annotations

from dataclasses import FrozenInstanceError, fields

import pytest

from calcviewer.modalities.ivoct.protocol import Protocol


def test_published_thresholds():
    protocol = Protocol()
    assert protocol.arc_threshold_deg == 180
    assert protocol.thickness_threshold_mm == 0.5
    assert protocol.length_threshold_mm == 5
    assert protocol.thickness_cap_mm == 1.0


def test_protocol_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        Protocol().arc_threshold_deg = 90


def test_rows_print_every_rule():
    changed = {
        "arc_threshold_deg": 181.5,
        "thickness_threshold_mm": 0.515,
        "length_threshold_mm": 5.015,
        "thickness_cap_mm": 1.115,
        "join_tolerance_deg": 3.115,
        "bridge_reach_deg": 6.115,
        "minimum_arc_deg": 5.225,
        "minimum_area_mm2": 0.0235,
        "lesion_gap_mm": 1.325,
        "lesion_gap_frames": 17,
        "superficial_mm": 0.535,
        "reference_reach_mm": 10.315,
        "arc_margin_deg": 15.315,
        "thickness_margin_mm": 0.0515,
        "length_margin_mm": 0.5315,
        "lumen_jump": 0.315,
    }
    assert set(changed) == {entry.name for entry in fields(Protocol)}
    printed = " ".join(value for _, value in Protocol(**changed).rows())
    for name, value in changed.items():
        shown = f"{100 * value:g} %" if name == "lumen_jump" else f"{value:g}"
        assert shown in printed, name


def test_cap_switched_off_is_said():
    assert ("Thickness cap", "off") in Protocol(thickness_cap_mm=None).rows()


@pytest.mark.parametrize("value", [-1.0, 1e308, float("nan")])
def test_a_rule_that_cannot_be_one_is_refused(value):
    with pytest.raises(ValueError, match="reference_reach_mm must be between 0 and 10000"):
        Protocol(reference_reach_mm=value)
