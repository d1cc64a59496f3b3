"""Free measurements are what their kind says, and cannot be changed."""

from __future__ import annotations

import numpy as np
import pytest

from calcviewer.core.free_measurement import FreeKind, FreeMeasurement


def test_its_points_are_its_own() -> None:
    points = np.zeros((2, 2))
    measurement = FreeMeasurement("length", points)
    points += 1
    assert not measurement.points_mm.any()
    assert not measurement.points_mm.flags.writeable


@pytest.mark.parametrize(
    ("kind", "points"), [("length", 1), ("angle", 2), ("angle", 4), ("area", 2)]
)
def test_points_that_make_no_such_measurement_are_refused(kind: FreeKind, points: int) -> None:
    with pytest.raises(ValueError, match=kind):
        FreeMeasurement(kind, np.zeros((points, 2)))


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="volume"):
        FreeMeasurement("volume", np.zeros((3, 2)))  # type: ignore[arg-type]
