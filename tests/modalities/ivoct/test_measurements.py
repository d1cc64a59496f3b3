from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from calcviewer.core.annotation import FrameAnnotation
from calcviewer.core.contour import Contour
from calcviewer.core.geometry import Arc, to_xy
from calcviewer.core.measurement import Unit
from calcviewer.core.pullback import CalibratedValue, Calibration, Origin
from calcviewer.modalities.ivoct.lesion import Lesion, find_lesions
from calcviewer.modalities.ivoct.measurements import (
    criteria_rows,
    frame_rows,
    lesion_rows,
    thickness_note,
    vessel_rows,
)
from calcviewer.modalities.ivoct.protocol import Protocol
from calcviewer.modalities.ivoct.quantify import FrameMeasurement, quantify_frame
from calcviewer.modalities.ivoct.vessel import summarise_vessel

PROTOCOL = Protocol()
CALIBRATION = Calibration(
    sample_spacing_mm=CalibratedValue(0.005, Origin.DICOM),
    frame_pitch_mm=CalibratedValue(0.2, Origin.DICOM),
    zero_radius_mm=CalibratedValue(0.0, Origin.DICOM),
)


def sector(start: float, extent: float) -> Contour:
    angles = np.linspace(start, start + extent, 100)
    outline = [to_xy(angles, np.full(100, 1.8)), to_xy(angles[::-1], np.full(100, 3.2))]
    return Contour(np.concatenate(outline))


LUMEN = Contour(to_xy(np.arange(360.0), np.full(360, 1.5)))
ANNOTATION = FrameAnnotation(
    lumen=LUMEN,
    calcium=(sector(54, 146), sector(220, 61)),
    guidewires=(Arc(200, 20),),
    hidden_back=(Arc(0, 359),),
)


def measured(annotation=ANNOTATION, calibration=CALIBRATION) -> FrameMeasurement:
    return quantify_frame(annotation, calibration, PROTOCOL)


def lesion_of(frames, motorised=True) -> Lesion:
    (lesion,) = find_lesions(
        frames,
        calibration=CALIBRATION,
        protocol=PROTOCOL,
        voi=None,
        decisions=(),
        motorised=motorised,
    )
    return lesion


def by_concept(rows):
    assert len({row.concept for row in rows}) == len(rows)
    return {row.concept: row for row in rows}


def test_frame_rows_carry_the_measured_values():
    frame = measured()
    rows = by_concept(frame_rows(frame))
    for concept, row in rows.items():
        assert row.value == getattr(frame, concept)
    assert {
        "lumen_area_mm2",
        "calcium_area_mm2",
        "max_arc_deg_visible",
        "max_arc_deg_bridged",
        "sum_arc_deg",
        "max_thickness_mm",
        "mean_thickness_mm",
        "min_depth_mm",
        "mean_depth_mm",
    } <= set(rows)


def test_units_follow_the_concept():
    units = {"_mm": Unit.MM, "_mm2": Unit.MM2, "_mm3": Unit.MM3, "_percent": Unit.PERCENT}
    vessel = summarise_vessel(
        [measured()], calibration=CALIBRATION, protocol=PROTOCOL, region=None, motorised=True
    )
    rows = (*frame_rows(measured()), *lesion_rows(lesion_of([measured()] * 30)))
    for row in (*rows, *vessel_rows(vessel)):
        expected = [unit for ending, unit in units.items() if row.concept.endswith(ending)]
        if not expected:
            expected = [Unit.DEGREE if "_deg" in row.concept else Unit.NONE]
        assert [row.unit] == expected, row.concept


def test_capped_thickness_is_said():
    rows = by_concept(frame_rows(measured()))
    assert rows["max_thickness_mm"].value == 1.0
    assert rows["max_thickness_mm"].note == "≥ 1.0 (capped)"
    lesion = by_concept(lesion_rows(lesion_of([measured()] * 30)))
    assert lesion["max_thickness_mm"].note == "≥ 1.0 (capped)"


@pytest.mark.parametrize(
    ("value", "capped", "hidden", "note"),
    [
        (1.0, True, True, "≥ 1.0 (capped)"),
        (0.75, True, True, "≥ 0.75 (capped)"),
        (0.7, False, True, "back border not visible"),
        (0.7, False, False, ""),
        (None, False, True, ""),
    ],
)
def test_thickness_note(value, capped, hidden, note):
    assert thickness_note(value, capped=capped, hidden=hidden) == note


@pytest.mark.parametrize(
    ("frame", "concept", "note"),
    [
        (measured(FrameAnnotation(calcium=(sector(0, 50),))), "lumen_area_mm2", "no lumen found"),
        (measured(FrameAnnotation()), "max_arc_deg_visible", "no lumen found"),
        (measured(FrameAnnotation()), "max_thickness_mm", "no lumen found"),
        (measured(FrameAnnotation(LUMEN)), "max_thickness_mm", "no calcium"),
        (
            measured(calibration=Calibration()),
            "max_thickness_mm",
            "the sample spacing or the zero radius is unknown",
        ),
        (
            measured(calibration=Calibration()),
            "calcium_area_mm2",
            "the sample spacing or the zero radius is unknown",
        ),
    ],
)
def test_empty_values_say_why(frame, concept, note):
    row = by_concept(frame_rows(frame))[concept]
    assert row.value is None
    assert row.note == note
    assert row.text() == "—"


def test_every_empty_frame_value_has_a_reason():
    for frame in (
        measured(FrameAnnotation()),
        measured(FrameAnnotation(LUMEN)),
        measured(calibration=Calibration()),
    ):
        assert all(row.note for row in frame_rows(frame) if row.value is None)


def test_plaque_burden_has_a_row_and_a_reason_where_it_has_no_value():
    outer = Contour(to_xy(np.arange(360.0), np.full(360, 3.0)))
    rows = by_concept(frame_rows(measured(FrameAnnotation(LUMEN, eel=outer))))
    assert rows["eel_area_mm2"].value == pytest.approx(np.pi * 9, rel=1e-3)
    assert rows["plaque_burden_percent"].text(0) == "75 %"
    for annotation, note in (
        (FrameAnnotation(LUMEN), "no external elastic lamina drawn"),
        (FrameAnnotation(eel=outer), "no lumen found"),
        (FrameAnnotation(outer, eel=LUMEN), "the lumen is not smaller"),
    ):
        row = by_concept(frame_rows(measured(annotation)))["plaque_burden_percent"]
        assert row.value is None
        assert note in row.note


def test_lesion_rows():
    lesion = lesion_of([FrameMeasurement()] * 2 + [measured()] * 30)
    rows = by_concept(lesion_rows(lesion))
    assert rows["first_frame"].value == 3
    assert rows["last_frame"].value == 32
    assert rows["length_mm"].value == 6.0
    assert rows["calcium_volume_mm3"].value == lesion.calcium_volume_mm3
    assert rows["max_arc_deg_visible"].value == pytest.approx(146)
    assert rows["max_arc_deg_bridged"].value == pytest.approx(227)
    assert rows["max_arc_deg_visible"].note == "frame 3"
    assert rows["score_visible"].value == 2
    assert rows["score_visible"].note == "adequate expansion"
    assert rows["score_bridged"].value == 4
    assert rows["score_bridged"].note == "poor expansion"
    assert rows["score"].value is None
    assert rows["score"].note == "guidewire decides: 2 or 4"


def test_lesion_without_length():
    rows = by_concept(lesion_rows(lesion_of([measured()] * 30, motorised=False)))
    assert rows["length_mm"].value is None
    assert "motorised" in rows["length_mm"].note
    assert "motorised" in rows["calcium_volume_mm3"].note
    assert rows["score_visible"].note == "1 to 2 (length missing)"


def test_every_empty_lesion_value_has_a_reason():
    no_lumen = measured(FrameAnnotation(calcium=(sector(0, 50),)))
    rows = lesion_rows(lesion_of([no_lumen] * 5))
    empty = [row for row in rows if row.value is None]
    assert len(empty) >= 6
    assert all(row.note for row in empty)


def test_score_in_force():
    frame = replace(measured(), max_arc_deg_bridged=146.0)
    rows = by_concept(lesion_rows(lesion_of([frame] * 30)))
    assert rows["score"].value == 2
    assert rows["score"].note == "adequate expansion"


def test_vessel_rows():
    areas = (8, 3, 2, 6)
    frames = [FrameMeasurement(lumen_area_mm2=area) for area in areas]
    vessel = summarise_vessel(
        frames, calibration=CALIBRATION, protocol=PROTOCOL, region=(1, 2), motorised=True
    )
    rows = by_concept(vessel_rows(vessel))
    assert (rows["mla_mm2"].value, rows["mla_mm2"].note) == (2, "frame 3")
    assert (rows["distal_reference_mm2"].value, rows["distal_reference_mm2"].note) == (8, "frame 1")
    assert rows["proximal_reference_mm2"].value == 6
    assert rows["area_stenosis_percent"].value == pytest.approx(75)
    nothing = summarise_vessel(
        frames[:3], calibration=Calibration(), protocol=PROTOCOL, region=(1, 2), motorised=True
    )
    assert all(row.note for row in vessel_rows(nothing))


@pytest.mark.validation
def test_criteria_rows_give_points_and_margins():
    lesion = lesion_of([measured()] * 26)
    rows = {row.concept: row for row in criteria_rows(lesion)}
    values = {concept: row.value for concept, row in rows.items()}
    # 146 degrees visible, 227 bridged, capped at 1 mm, 26 frames of 0.2 mm.
    assert (values["points_arc_visible"], values["points_arc_bridged"]) == (0, 2)
    assert values["margin_arc_deg_visible"] == pytest.approx(146 - 180)
    assert values["margin_arc_deg_bridged"] == pytest.approx(227 - 180)
    assert (values["points_thickness"], values["points_length"]) == (1, 1)
    assert values["margin_thickness_mm"] == pytest.approx(0.5)
    assert values["margin_length_mm"] == pytest.approx(0.2)
    assert values["max_thickness_frame"] == 1  # as people count
    assert rows["margin_thickness_mm"].note == "at least: the thickness is capped"


def test_criteria_without_a_value_have_no_points():
    lesion = lesion_of([measured(calibration=Calibration())] * 26)
    rows = {row.concept: row for row in criteria_rows(lesion)}
    for concept in ("points_thickness", "margin_thickness_mm", "max_thickness_frame"):
        assert rows[concept].value is None
        assert rows[concept].note
