from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from calcviewer.modalities.ivoct.gold import gold_table
from calcviewer.modalities.ivoct.vendor_rules import (
    GOLD_ANCHORS,
    RULES,
    Quantity,
    SourceFacts,
    VendorRule,
    applied_rule,
    applied_rules,
    suggested_rules,
)

NOTHING_STATED = SourceFacts(rows=500, columns=500, frame_count=100)
"""No rule concerns such a source."""

APPLIED: dict[str, tuple[dict[str, Any], Quantity, tuple[float, ...]]] = {
    "modality OCT": ({"modality": "OCT"}, Quantity.EXPORT, ()),
    "modality OPT": ({"modality": "OPT"}, Quantity.EXPORT, ()),
    "modality US": ({"modality": "US"}, Quantity.EXPORT, ()),
    "modality OT": ({"modality": "OT"}, Quantity.EXPORT, ()),
    "playback rate": ({"stated_rate": 10.0}, Quantity.NO_STATED_RATE, ()),
    "18 mm/s": ({"pullback_rate_mm_s": 18.0}, Quantity.FRAMES_PER_SECOND, (180,)),
    "36 mm/s": ({"pullback_rate_mm_s": 36.0}, Quantity.FRAMES_PER_SECOND, (180,)),
    "10 mm/s": ({"pullback_rate_mm_s": 10.0}, Quantity.FRAMES_PER_SECOND, (100,)),
    "20 mm/s": ({"pullback_rate_mm_s": 20.0}, Quantity.FRAMES_PER_SECOND, (100,)),
    "25 mm/s": ({"pullback_rate_mm_s": 25.0}, Quantity.FRAMES_PER_SECOND, (100,)),
    "gold palette": ({"drawing_palette": True}, Quantity.PALETTE_RAMP, (10, 245)),
    "gold in true colour": ({"true_colour": True}, Quantity.COLOUR_RAMP, ()),
}
SUGGESTED: dict[str, tuple[dict[str, Any], Quantity, tuple[float, ...]]] = {
    "704 px, 10.0 mm wide": (
        {"rows": 704, "columns": 704},
        Quantity.PIXEL_SPACING_MM,
        (0.014225,),
    ),
    "704 px, 10.5 mm wide": (
        {"rows": 704, "columns": 704},
        Quantity.PIXEL_SPACING_MM,
        (0.014936,),
    ),
    "1024 px, 7 mm field": (
        {"rows": 1024, "columns": 1024},
        Quantity.PIXEL_SPACING_MM,
        (0.006843,),
    ),
    "1024 px, 10 mm field": (
        {"rows": 1024, "columns": 1024},
        Quantity.PIXEL_SPACING_MM,
        (0.009775,),
    ),
    "350 to 400 frames": ({"frame_count": 375}, Quantity.PULLBACK_LENGTH_MM, (75,)),
    "250 to 300 frames": ({"frame_count": 271}, Quantity.PULLBACK_LENGTH_MM, (54,)),
    "500 to 550 frames": ({"frame_count": 540}, Quantity.PULLBACK_LENGTH_MM, (54,)),
}


def rule_named(name: str) -> VendorRule:
    return next(rule for rule in RULES if rule.name == name)


def test_every_rule_has_a_test_a_name_of_its_own_and_an_origin() -> None:
    names = [rule.name for rule in RULES]
    assert sorted(names) == sorted([*APPLIED, *SUGGESTED])
    assert all(rule.origin and rule.gives for rule in RULES)


def test_no_rule_concerns_a_source_that_states_nothing() -> None:
    assert not applied_rules(NOTHING_STATED)
    assert not suggested_rules(NOTHING_STATED)


@pytest.mark.parametrize("name", APPLIED)
def test_applied_rules(name: str) -> None:
    facts, quantity, values = APPLIED[name]
    rule = applied_rule(replace(NOTHING_STATED, **facts), quantity)
    assert rule is rule_named(name)
    assert rule.values == values


@pytest.mark.parametrize("name", SUGGESTED)
def test_suggested_rules_are_never_applied(name: str) -> None:
    facts, quantity, values = SUGGESTED[name]
    source = replace(NOTHING_STATED, **facts)
    rule = rule_named(name)
    assert rule in suggested_rules(source)
    assert (rule.quantity, rule.values) == (quantity, values)
    assert not applied_rules(source)


@pytest.mark.parametrize("name", [name for name in SUGGESTED if " px" in name])
def test_spacings_are_suggested_for_cartesian_frames_of_unknown_scale_only(name: str) -> None:
    source = replace(NOTHING_STATED, **SUGGESTED[name][0])
    for change in ({"cartesian": False}, {"spacing_known": True}, {"columns": 703}):
        assert rule_named(name) not in suggested_rules(replace(source, **change))


@pytest.mark.parametrize("name", [name for name in SUGGESTED if "frames" in name])
def test_lengths_are_suggested_only_while_the_pitch_is_unknown(name: str) -> None:
    source = replace(NOTHING_STATED, **SUGGESTED[name][0], pitch_known=True)
    assert not suggested_rules(source)


@pytest.mark.parametrize(
    ("count", "length_mm"),
    [(249, None), (250, 54), (300, 54), (301, None), (350, 75), (400, 75), (401, None), (550, 54)],
)
def test_bounds_of_frame_counts(count: int, length_mm: float | None) -> None:
    found = suggested_rules(replace(NOTHING_STATED, frame_count=count))
    assert [rule.values[0] for rule in found] == ([] if length_mm is None else [length_mm])


def test_a_plausible_rate_in_the_header_comes_before_the_rule() -> None:
    source = replace(NOTHING_STATED, pullback_rate_mm_s=20.0)
    for rate in (10.0, 30.0, 49.9):
        stated = replace(source, stated_rate=rate)
        assert [rule.name for rule in applied_rules(stated)] == ["playback rate", "20 mm/s"]
    for change in ({"stated_rate": 158.0}, {"pitch_known": True}):
        assert not applied_rules(replace(source, **change))


def test_speeds_that_no_rule_knows() -> None:
    for speed_mm_s in (1.0, 17.0, 40.0):
        source = replace(NOTHING_STATED, pullback_rate_mm_s=speed_mm_s)
        assert applied_rule(source, Quantity.FRAMES_PER_SECOND) is None


def test_modality_aliases_do_not_concern_ivoct_images() -> None:
    assert not applied_rules(replace(NOTHING_STATED, modality="OCT", ivoct_class=True))
    for modality in ("IVOCT", "CT", "MR", "IVUS", ""):
        assert not applied_rules(replace(NOTHING_STATED, modality=modality))


def test_the_gold_table_goes_through_its_anchors() -> None:
    table = gold_table()
    for place, colour in GOLD_ANCHORS:
        # Anchors lie between entries of the table, at most half an entry away.
        assert abs(table[round(255 * place)].astype(int) - colour).max() <= 2
