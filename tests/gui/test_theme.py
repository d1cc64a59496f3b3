"""The colours of the structures, as people with and without colour blindness see them."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage.color import deltaE_ciede2000, rgb2lab

from calcviewer.gui.theme import CALCIUM, EEL, LUMEN

SEEN_BY = {
    # Machado, Oliveira, Fernandes 2009, severity 1, on linear RGB.
    "most": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}


def seen(colour: str, by: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a colour as Lab."""
    rgb = np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    linear = np.clip(by @ linear, 0, 1)
    shown = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.asarray(rgb2lab(shown))


@pytest.mark.parametrize("eyes", SEEN_BY)
def test_structures_differ_for_all_eyes(eyes: str) -> None:
    for first, second in combinations((LUMEN, CALCIUM, EEL), 2):
        by = SEEN_BY[eyes]
        assert deltaE_ciede2000(seen(first, by), seen(second, by)) > 18
