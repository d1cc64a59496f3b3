from __future__ import annotations

import numpy as np
import pytest

from calcviewer.modalities.ivoct.field import find_field, whole_field
from tests.dicom.samples import cross_sections, polar_frames


@pytest.mark.parametrize("centre", [(79.5, 79.5), (81.0, 78.5)])
def test_field_of_cross_sections(centre: tuple[float, float]) -> None:
    field = find_field(list(cross_sections(4, centre=centre)))
    assert field is not None
    assert field.centre_px == pytest.approx(centre, abs=0.7)
    assert 0.48 * 160 - 2.5 < field.radius_px <= 0.48 * 160 + 0.2


def test_guidewire_shadow_of_one_frame_does_not_cut_the_field() -> None:
    frames = cross_sections(2)
    frames[0][60:100, 80:] = 0
    field = find_field(list(frames))
    assert field is not None
    assert field.centre_px == pytest.approx((79.5, 79.5), abs=0.7)


def test_console_layout_with_logo_and_longitudinal_view() -> None:
    canvas = np.zeros((4, 260, 220), dtype=np.uint8)
    canvas[:, 20:180, 30:190] = cross_sections(4)
    canvas[:, 200:250, 10:210] = 120
    canvas[:, 4:12, 4:40] = 200
    field = find_field(list(canvas))
    assert field is not None
    assert field.centre_px == pytest.approx((109.5, 99.5), abs=1.0)
    assert field.radius_px == pytest.approx(76, abs=2)


def test_no_field_in_polar_and_uniform_frames() -> None:
    assert find_field(list(polar_frames(3, (120, 200)))) is None
    assert find_field([np.zeros((60, 60), np.uint8)]) is None
    assert find_field([np.full((60, 60), 90, np.uint8)]) is None
    square = np.zeros((100, 100), np.uint8)
    square[20:80, 20:80] = 200
    assert find_field([square]) is None


def test_whole_field_touches_the_sides() -> None:
    field = whole_field(100, 140)
    mask = field.mask((100, 140))
    assert mask[0, 69]
    assert not mask[0, 0]
    assert mask.sum() == pytest.approx(np.pi * 50**2, rel=0.01)
