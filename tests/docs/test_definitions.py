"""The numbers on the page of clinical definitions are those the program goes by."""

from __future__ import annotations

from pathlib import Path

from calcviewer.modalities.ivoct.catheter import SHEATH_DIAMETER_MM
from calcviewer.modalities.ivoct.protocol import Protocol

PAGE = Path(__file__).parents[2] / "docs" / "clinical-definitions.md"


def test_rules_are_those_in_force() -> None:
    text = " ".join(PAGE.read_text(encoding="utf-8").split())
    rules = Protocol()
    for words in (
        f"2 points for a maximum arc > {rules.arc_threshold_deg:g}°",
        f"1 for a maximum thickness > {rules.thickness_threshold_mm:g} mm",
        f"1 for a length > {rules.length_threshold_mm:g} mm",
        f"**Thickness cap**: {rules.thickness_cap_mm:.1f} mm",
        f"Arcs less than {rules.join_tolerance_deg:g}° apart are one",
        f"within {rules.bridge_reach_deg:g}° of both its edges",
        f"at least {rules.minimum_arc_deg:g}° and {rules.minimum_area_mm2:g} mm²",
        f"closer than {rules.lesion_gap_mm:.1f} mm ({rules.lesion_gap_frames} frames",
        f"depth under {rules.superficial_mm:g} mm",
        f"within {rules.reference_reach_mm:g} mm on either side",
        f"more than {100 * rules.lumen_jump:g} %",
        f"{SHEATH_DIAMETER_MM:.2f} mm for a 2.7 F catheter",
    ):
        assert words in text, words
