"""Colours, window and level, and how long a scale bar is."""

from __future__ import annotations

import numpy as np
import pytest

from calcviewer.gui.look_up_tables import (
    colour_table,
    coloured,
    dragged_levels,
    in_own_colours,
    shows_own_colours,
)
from calcviewer.gui.scale_bar import bar_mm
from calcviewer.gui.view_state import Display, LookUpTable


def test_gold_has_its_anchors() -> None:
    table = colour_table(Display())

    for position, colour in ((0.0, (0, 0, 0)), (0.52, (208, 108, 40)), (1.0, (255, 242, 190))):
        assert np.abs(table[round(255 * position)].astype(int) - colour).max() <= 2


def test_inverse_is_grey_turned_round() -> None:
    grey = colour_table(Display(LookUpTable.GREY))

    assert np.array_equal(colour_table(Display(LookUpTable.INVERSE)), grey[::-1])
    assert np.array_equal(grey[:, 0], np.arange(256))


def test_levels_are_black_and_white() -> None:
    table = colour_table(Display(LookUpTable.GREY, black=50, white=150))

    assert table[:51].max() == 0
    assert table[150:].min() == 255
    assert table[100, 0] == pytest.approx(128, abs=1)


def test_pictures_carry_their_colours() -> None:
    grey = np.arange(256, dtype=np.uint8).reshape(16, 16)

    image = coloured(grey.T, Display())  # a view that is not contiguous

    table = colour_table(Display())
    for row, column in ((0, 0), (3, 9), (15, 15)):
        colour = image.pixelColor(column, row)
        assert (colour.red(), colour.green(), colour.blue()) == tuple(table[grey.T[row, column]])


def test_exports_keep_their_colours() -> None:
    rgb = np.zeros((2, 3, 3), dtype=np.uint8)
    rgb[1, 2] = 10, 20, 30

    colour = in_own_colours(rgb).pixelColor(2, 1)

    assert (colour.red(), colour.green(), colour.blue()) == (10, 20, 30)
    assert shows_own_colours(Display())
    assert not shows_own_colours(Display(LookUpTable.GREY))
    assert not shows_own_colours(Display(black=1.0))


def test_window_and_level_by_dragging() -> None:
    wider = dragged_levels(0, 255, right_px=100, down_px=0)
    higher = dragged_levels(0, 255, right_px=0, down_px=50)

    assert wider[1] - wider[0] > 255
    assert sum(wider) == pytest.approx(255)
    assert sum(higher) > 255
    black, white = dragged_levels(0, 255, right_px=-9999, down_px=9999)
    assert white - black >= 4


@pytest.mark.parametrize(
    ("px_per_mm", "available_px", "length_mm"),
    [(50, 200, 1.0), (100, 400, 1.0), (500, 200, 0.2), (20, 200, 10.0), (20, 60, 2.0)],
)
def test_a_scale_bar_is_1_mm_where_it_can_be(
    px_per_mm: float, available_px: float, length_mm: float
) -> None:
    assert bar_mm(px_per_mm, available_px) == length_mm
