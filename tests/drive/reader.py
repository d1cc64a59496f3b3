"""A reader who knows a simulated pullback by heart, in the place of the network.

So a drive of the window does not hang on what the network of the day finds.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from calcviewer.app.labels_file import read_labels
from calcviewer.core.annotation import FrameAnnotation
from calcviewer.core.pullback import Pullback
from calcviewer.core.study import ModelReference
from calcviewer.gui import segmentation
from calcviewer.modalities.ivoct.protocol import Protocol

_SECONDS_PER_FRAME = 0.1


class Reader:
    """Gives the labels that were written beside the pullback."""

    model = ModelReference("simulated reader", "1", "0" * 64, "CPUExecutionProvider")

    def __init__(self, pullback: Pullback) -> None:
        labels = pullback.source.path.parent / "labels.npz"
        self._known = read_labels(labels, Protocol()).predictions

    def predict(self, frames: Iterable[int]) -> Iterator[tuple[int, FrameAnnotation]]:
        for frame in frames:
            time.sleep(_SECONDS_PER_FRAME)
            yield frame, self._known[frame]


def read_instead_of_the_network() -> None:
    """Let the reader segment every study of this process."""
    segmentation.load_segmenter = lambda pullback, options: Reader(pullback)  # type: ignore[assignment]
