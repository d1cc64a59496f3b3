"""A scale that no image of a vessel has is refused where it comes in."""

from __future__ import annotations

import pytest

from calcviewer.core.errors import CalibrationError
from calcviewer.core.pullback import CalibratedValue, Calibration, Origin, check_scale


@pytest.mark.parametrize("value_mm", [1e-6, 0.0052, 0.2, 1000.0])
def test_scales_of_images(value_mm: float) -> None:
    check_scale("spacing", value_mm)
    value = CalibratedValue(value_mm, Origin.FILE)
    assert Calibration(value, value, value).scaled


@pytest.mark.parametrize("value_mm", [0.0, -1.0, 1e-7, 1001.0, 1e308, float("inf"), float("nan")])
def test_other_scales(value_mm: float) -> None:
    with pytest.raises(CalibrationError, match="spacing must be"):
        check_scale("spacing", value_mm)
    for name in ("sample_spacing_mm", "frame_pitch_mm"):
        with pytest.raises(CalibrationError, match=f"{name} must be"):
            Calibration(**{name: CalibratedValue(value_mm, Origin.FILE)})


def test_the_radius_at_which_samples_begin() -> None:
    for value_mm in (-0.3, 0.0, 0.9):
        Calibration(zero_radius_mm=CalibratedValue(value_mm, Origin.CATHETER))
    for value_mm in (1e9, float("nan"), float("-inf")):
        with pytest.raises(CalibrationError, match="zero_radius_mm cannot be"):
            Calibration(zero_radius_mm=CalibratedValue(value_mm, Origin.FILE))
