"""From probabilities to contours: neighbours, guidewires, deposits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from calcviewer.core.errors import CalcViewerError
from calcviewer.modalities.ivoct.preprocess import MODEL_GRID
from calcviewer.modalities.ivoct.segment import IvoctSegmenter, frame_of_labels

LUMEN = MODEL_GRID.radii_mm() < 1.5
CALCIUM = (MODEL_GRID.radii_mm() > 1.7) & (MODEL_GRID.radii_mm() < 2.2)


def label_map(*a_lines: slice) -> NDArray[np.uint8]:
    labels = np.zeros(MODEL_GRID.shape, dtype=np.uint8)
    labels[:, LUMEN] = 1
    for lines in a_lines:
        labels[lines, CALCIUM] = 2
    return labels


def picture(number: int = 0) -> NDArray[np.float32]:
    """Return a wall with signal everywhere behind the lumen; its corner carries a number."""
    image = np.where(LUMEN, 0.0, 0.7).astype(np.float32)
    image = np.broadcast_to(image, MODEL_GRID.shape).copy()
    image[0, 0] = number
    return image


@dataclass
class FakeNetwork:
    """Returns the labels that belong to the number in the corner of an image."""

    labels: dict[int, NDArray[np.uint8]]
    calls: int = 0

    def predict(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        self.calls += 1
        labels = self.labels[round(float(images[0, 0, 0]))]
        return np.stack([labels == value for value in range(3)])[None].astype(np.float32)


def segmenter(
    network: Any, frames: int, unreadable: frozenset[int] = frozenset()
) -> IvoctSegmenter:
    def image(index: int) -> NDArray[np.float32]:
        if index in unreadable:
            raise CalcViewerError(f"Frame {index + 1} is damaged.")
        return picture(index)

    return IvoctSegmenter(image, frames, MODEL_GRID.end_radius_mm, network, None)


def test_a_deposit_of_one_frame_alone_is_outvoted() -> None:
    maps = {i: label_map() for i in range(5)}
    maps[2] = label_map(slice(100, 200))
    found = dict(segmenter(FakeNetwork(maps), 5).predict(range(5)))
    assert [len(found[i].calcium) for i in range(5)] == [0, 0, 0, 0, 0]


def test_a_deposit_missed_in_one_frame_alone_is_found() -> None:
    maps = {i: label_map(slice(100, 200)) for i in range(5)}
    maps[2] = label_map()
    found = dict(segmenter(FakeNetwork(maps), 5).predict(range(5)))
    assert [len(found[i].calcium) for i in range(5)] == [1, 1, 1, 1, 1]


def test_every_frame_is_seen_once_in_any_order() -> None:
    network = FakeNetwork({i: label_map() for i in range(7)})
    outward = [3, 4, 2, 5, 1, 6, 0]
    assert [i for i, _ in segmenter(network, 7).predict(outward)] == outward
    assert network.calls == 7


def test_an_unreadable_frame_fails_and_its_neighbours_do_not() -> None:
    network = FakeNetwork({i: label_map(slice(50, 90)) for i in range(3)})
    found = dict(segmenter(network, 3, frozenset({1})).predict(range(3)))
    assert "Frame 2 is damaged" in found[1].failure
    assert all(len(found[i].calcium) == 1 for i in (0, 2))


def test_a_frame_without_a_lumen_says_so() -> None:
    frame = frame_of_labels(
        np.zeros(MODEL_GRID.shape, dtype=np.uint8), picture(), field_radius_mm=4.0
    )
    assert "No lumen" in frame.annotation().failure


def test_specks_and_islands_are_left_out() -> None:
    labels = label_map(slice(100, 200))
    labels[300:303, 500:504] = 2  # a speck
    labels[400:410, 700:800] = 1  # a lumen away from the catheter
    annotation = frame_of_labels(labels, picture(), field_radius_mm=4.9).annotation()
    assert len(annotation.calcium) == 1
    assert annotation.lumen is not None
    assert annotation.lumen.area_mm2 == pytest.approx(np.pi * 1.5**2, rel=0.01)


def test_beyond_the_field_nothing_is_claimed() -> None:
    labels = label_map()
    labels[:, MODEL_GRID.radii_mm() > 3.0] = 2
    annotation = frame_of_labels(labels, picture(), field_radius_mm=2.9).annotation()
    assert annotation.calcium == ()


def test_nothing_is_claimed_behind_a_guidewire() -> None:
    image = picture()
    image[200:240] = 0.0
    image[200:240, 130:160] = 1.0  # the wire's crescent, its shadow behind it
    labels = label_map(slice(150, 300))
    annotation = frame_of_labels(labels, image, field_radius_mm=4.9).annotation()
    (sector,) = annotation.guidewires
    assert sector.start_deg == pytest.approx(150, abs=3)
    assert sector.extent_deg == pytest.approx(30, abs=4)
    assert len(annotation.calcium) == 2
