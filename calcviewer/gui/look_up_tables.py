"""Grey levels to colours: gold, grey and inverse, with window and level."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QImage

from calcviewer.gui.view_state import Display, LookUpTable
from calcviewer.modalities.ivoct.gold import gold_table, grey_table

Table = NDArray[np.uint8]

_LEAST_WIDTH = 4.0
_GREY_PER_PX = 0.6


@lru_cache(maxsize=8)
def colour_table(display: Display) -> Table:
    """Return the colour of every grey level, uint8, shape ``(256, 3)``, window and level applied.

    Read-only; the same object for the same display.
    """
    base = gold_table() if display.table is LookUpTable.GOLD else grey_table()
    if display.table is LookUpTable.INVERSE:
        base = base[::-1]
    level = (np.arange(256) - display.black) * (255.0 / (display.white - display.black))
    table: Table = base[np.clip(np.rint(level), 0, 255).astype(np.intp)]
    table.flags.writeable = False
    return table


@lru_cache(maxsize=8)
def _qt_table(display: Display) -> tuple[int, ...]:
    red, green, blue = colour_table(display).astype(np.uint32).T
    colours = np.uint32(0xFF000000) | red << np.uint32(16) | green << np.uint32(8) | blue
    return tuple(int(colour) for colour in colours)


def shows_own_colours(display: Display) -> bool:
    """Whether an export is shown in the colours it came with: nothing was changed."""
    return display == Display(LookUpTable.GOLD)


def coloured(grey: NDArray[np.uint8], display: Display) -> QImage:
    """Return grey levels ``[row, column]`` as a picture of its own memory."""
    rows, columns = grey.shape
    levels = np.ascontiguousarray(grey)
    indexed = QImage(levels.data, columns, rows, columns, QImage.Format.Format_Indexed8)
    indexed.setColorTable(_qt_table(display))
    # Qt scales 32-bit pictures smoothly four times faster than indexed ones.
    return indexed.convertToFormat(QImage.Format.Format_RGB32)


def in_own_colours(rgb: NDArray[np.uint8]) -> QImage:
    """Return colours ``[row, column, 3]`` as a picture of its own memory."""
    rows, columns, _ = rgb.shape
    levels = np.ascontiguousarray(rgb)
    picture = QImage(levels.data, columns, rows, 3 * columns, QImage.Format.Format_RGB888)
    return picture.convertToFormat(QImage.Format.Format_RGB32)


def dragged_levels(
    black: float, white: float, *, right_px: float, down_px: float
) -> tuple[float, float]:
    """Return the levels after a window/level drag: right widens the window, down raises it."""
    width = max(white - black + _GREY_PER_PX * right_px, _LEAST_WIDTH)
    middle = (black + white) / 2 + _GREY_PER_PX * down_px
    middle = min(max(middle, -128.0), 383.0)
    return middle - width / 2, middle + width / 2
