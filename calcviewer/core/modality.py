"""What every kind of image provides to the rest of the program."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from calcviewer.core.annotation import FrameAnnotation
from calcviewer.core.study import ModelReference


class Segmenter(Protocol):
    """Annotates the frames of one pullback, one after the other.

    A frame that cannot be read or segmented is annotated with its ``failure``; the run goes on.
    """

    @property
    def model(self) -> ModelReference:
        """The network and the provider it really runs on."""
        ...

    def predict(self, frames: Iterable[int]) -> Iterator[tuple[int, FrameAnnotation]]:
        """Yield ``(frame, annotation)`` for frame indices (0-based), in the order given.

        A frame may come again when others have shown more about it.
        """
        ...
