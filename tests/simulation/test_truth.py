"""Sectors, labels by visibility, and deposits' own rules."""

from __future__ import annotations

import numpy as np
import pytest

from calcviewer.simulation.calcium import FORMS, draw_deposits, frame_deposits
from calcviewer.simulation.fields import ANGLE_BINS, draw_field, table_angles_rad
from calcviewer.simulation.tissue import Tissue
from calcviewer.simulation.truth import calcium_labels, sectors


def _lines(*runs: tuple[int, int]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    lines = np.zeros(360, dtype=bool)
    for start, end in runs:
        lines[np.arange(start, end) % 360] = True
    return lines


def test_sectors_of_runs_of_lines() -> None:
    assert sectors(_lines()) == ()
    assert sectors(_lines((10, 20), (40, 45))) == ((10.0, 20.0), (40.0, 45.0))
    assert sectors(_lines((350, 365))) == ((350.0, 5.0),)
    assert sectors(_lines((100, 110), (350, 365))) == ((100.0, 110.0), (350.0, 5.0))
    assert sectors(_lines((0, 5))) == ((0.0, 5.0),)
    assert sectors(_lines((355, 360))) == ((355.0, 0.0),)
    assert sectors(_lines((0, 360))) == ((0.0, 360.0),)


def _tissue(first: int, last: int) -> Tissue:
    mask = np.zeros((4, 600), dtype=bool)
    mask[1, first:last] = True
    nothing = np.zeros((4, 600), dtype=np.float32)
    return Tissue(nothing, nothing, np.zeros((4, 600), dtype=bool), (mask,))


@pytest.mark.parametrize(
    ("dark_from", "inside_to", "drawn_px", "lost"),
    [
        (600, 600, 300, False),  # all visible
        (350, 600, 200, True),  # the back lies in the dark: 1 mm is drawn
        (600, 350, 200, True),  # the back lies beyond the field
        (90, 600, 0, False),  # not even the front is visible
    ],
)
def test_calcium_is_drawn_as_far_as_it_is_seen(
    dark_from: int, inside_to: int, drawn_px: int, lost: bool
) -> None:
    visible = np.ones((4, 600), dtype=bool)
    visible[:, dark_from:] = False
    inside = np.arange(600) < inside_to
    drawn, full, gone = calcium_labels(_tissue(100, 400), visible, inside, 0.005)
    assert drawn.sum() == drawn_px
    assert full.sum() == min(inside_to, 400) - 100
    assert gone.tolist() == [False, lost, False, False]


def test_deposits_keep_the_ranges_of_their_forms() -> None:
    rng = np.random.default_rng(1)
    deposits = draw_deposits(rng, length_mm=60.0, fraction=0.9, forms=tuple(FORMS))
    assert len({deposit.form for deposit in deposits}) >= 5
    for deposit in deposits:
        form = FORMS[deposit.form]
        assert form.thickness_mm[0] <= deposit.thickness_mm <= form.thickness_mm[1]
        assert deposit.depth_mm <= form.depth_mm[1]
        assert -12 <= deposit.brightness_db <= -6


def test_deposits_give_way_to_each_other_and_to_branches() -> None:
    rng = np.random.default_rng(5)
    deposits = draw_deposits(rng, length_mm=20.0, fraction=1.0, forms=("sheet", "ring", "deep"))
    forbidden = table_angles_rad() < 1.0
    for z_mm in np.arange(1.0, 20.0, 2.0):
        shown = frame_deposits(deposits, z_mm=float(z_mm), forbidden=forbidden)
        for i, one in enumerate(shown):
            assert not np.any(one.present & forbidden)
            for other in shown[:i]:
                both = one.present & other.present
                apart = (one.front_mm > other.back_mm) | (other.front_mm > one.back_mm)
                assert np.all(apart[both])


def test_share_of_the_length_that_holds_calcium() -> None:
    covered = []
    for seed in range(20):
        deposits = draw_deposits(
            np.random.default_rng(seed), length_mm=80.0, fraction=0.5, forms=("sheet", "ring")
        )
        positions = np.arange(0.0, 80.0, 0.5)
        covered.append(np.mean([any(d.size_at(z) > 0 for d in deposits) for z in positions]))
    assert np.mean(covered) == pytest.approx(0.5, abs=0.12)


def test_field_table_agrees_with_its_values() -> None:
    field = draw_field(np.random.default_rng(9), mean=2.0, sd=0.5, orders=(0, 6), decay=1.0)
    table = field.table(3.7)
    angles = table_angles_rad()
    for index in (0, 100, 1440, ANGLE_BINS - 1):
        assert table[index] == pytest.approx(field.value(3.7, angles[index]), abs=1e-9)
