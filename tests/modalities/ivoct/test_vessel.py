from __future__ import annotations

import pytest

from calcviewer.core.pullback import CalibratedValue, Calibration, Origin
from calcviewer.modalities.ivoct.protocol import Protocol
from calcviewer.modalities.ivoct.quantify import FrameMeasurement
from calcviewer.modalities.ivoct.vessel import (
    LumenAt,
    VesselSummary,
    jump_frames,
    summarise_vessel,
)

PROTOCOL = Protocol()


def frames(*areas: float | None) -> list[FrameMeasurement | None]:
    return [FrameMeasurement(lumen_area_mm2=area) for area in areas]


def summary(measured, region=None, pitch_mm=0.2, motorised=True) -> VesselSummary:
    pitch = None if pitch_mm is None else CalibratedValue(pitch_mm, Origin.DICOM)
    return summarise_vessel(
        measured,
        calibration=Calibration(frame_pitch_mm=pitch),
        protocol=PROTOCOL,
        region=region,
        motorised=motorised,
    )


@pytest.mark.validation
def test_minimum_lumen_references_and_stenosis():
    measured = frames(7, 8, 7.5, 6, 4, 2, 3, 5, 9, 10, 9.5)
    found = summary(measured, region=(3, 7))
    assert found.minimum_lumen == LumenAt(5, 2)
    assert found.distal_reference == LumenAt(1, 8)
    assert found.proximal_reference == LumenAt(9, 10)
    assert found.reference == LumenAt(9, 10)
    assert found.area_stenosis_percent == pytest.approx(80)
    assert found.references_unavailable == ""


def test_minimum_lumen_is_looked_for_in_the_region_only():
    measured = frames(1, 6, 5, 4, 5, 6, 0.5)
    assert summary(measured, region=(2, 4)).minimum_lumen == LumenAt(3, 4)
    assert summary(measured).minimum_lumen == LumenAt(6, 0.5)


@pytest.mark.validation
@pytest.mark.parametrize(("pitch_mm", "reach"), [(0.2, 50), (0.1, 100), (1.0, 10), (0.4, 25)])
def test_references_lie_within_ten_millimetres(pitch_mm, reach):
    areas = [5.0] * 301
    areas[150] = 3.0
    areas[150 - reach] = 8.0
    areas[150 + reach] = 7.0
    areas[150 - reach - 1] = areas[150 + reach + 1] = 20.0
    found = summary(frames(*areas), region=(150, 150), pitch_mm=pitch_mm)
    assert found.distal_reference == LumenAt(150 - reach, 8.0)
    assert found.proximal_reference == LumenAt(150 + reach, 7.0)


def test_lesion_at_the_end_has_one_reference():
    found = summary(frames(3, 2, 6, 7), region=(0, 1))
    assert found.distal_reference is None
    assert found.reference == found.proximal_reference == LumenAt(3, 7)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"region": None}, "no lesion"),
        ({"region": (1, 2), "pitch_mm": None}, "frame pitch"),
        ({"region": (1, 2), "motorised": False}, "motorised"),
    ],
)
def test_no_references_and_why(options, reason):
    found = summary(frames(5, 4, 3, 6), **options)
    assert found.minimum_lumen == LumenAt(2, 3)
    assert found.reference is None
    assert found.area_stenosis_percent is None
    assert reason in found.references_unavailable


def test_unknown_lumens():
    assert summary([None, *frames(None, None)], region=(0, 1)).minimum_lumen is None
    found = summary([None, *frames(5, None, 4, 6)], region=(2, 3))
    assert found.minimum_lumen == LumenAt(3, 4)
    assert found.distal_reference == LumenAt(1, 5)


def test_pullback_without_frames():
    assert summary([]).minimum_lumen is None


@pytest.mark.validation
@pytest.mark.parametrize(
    ("areas", "flagged"),
    [
        ((5, 5, 5, 5), ()),
        ((5, 5, 6.6, 5, 5), (2,)),
        ((5, 5, 6.4, 5, 5), ()),
        ((5, 5, 6.5, 5, 5), ()),  # 30 % exactly is no jump
        ((5, 5, 3.4, 5, 5), (2,)),
        ((5, 5, 8, 8, 8), ()),  # a step, not a jump
        ((8, 5, 5), ()),  # an end has one neighbour
        ((5, 9, None, 9, 5), ()),
    ],
)
def test_lumen_jumps(areas, flagged):
    assert jump_frames(frames(*areas), PROTOCOL) == flagged
    assert summary(frames(*areas)).jump_frames == flagged
