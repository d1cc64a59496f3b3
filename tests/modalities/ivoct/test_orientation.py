"""Stored A-lines become canonical ones, and stored ones again."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from calcviewer.modalities.ivoct.pictures import Orientation

A_LINES, PADDING, SAMPLES = 12, 3, 8


@given(
    clockwise=st.booleans(),
    first=st.integers(0, A_LINES - 1),
    seam=st.integers(0, A_LINES - 1),
    shift=st.integers(-3, 3),
)
def test_undo_takes_apply_back(clockwise: bool, first: int, seam: int, shift: int) -> None:
    orientation = Orientation(
        a_lines=A_LINES,
        clockwise=clockwise,
        first_a_line=first,
        seam_indices=(seam,),
        shifts_px=(shift,),
    )
    stored = np.arange(1, (A_LINES + PADDING) * SAMPLES + 1).reshape(-1, SAMPLES)
    again = orientation.undo(orientation.apply(stored, 0), 0, len(stored))
    kept = slice(max(0, -shift), SAMPLES - max(0, shift))
    np.testing.assert_array_equal(again[:A_LINES, kept], stored[:A_LINES, kept])
    assert not again[A_LINES:].any()
    assert again.shape == stored.shape
