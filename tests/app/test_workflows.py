"""Segmenting a study, whatever the network says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest

from calcviewer.app.session import Session
from calcviewer.app.workflows import segment_study
from calcviewer.core.annotation import FrameAnnotation, annotation_from_labels
from calcviewer.core.errors import CalcViewerError
from calcviewer.core.study import Review, Study
from calcviewer.modalities.ivoct.protocol import Protocol
from tests.lesion_studies import GRID, MODEL, arc
from tests.phantoms import make_pullback


class Segmenter:
    """Knows some frames; the others cannot be read."""

    model = MODEL

    def __init__(self, *readable: int) -> None:
        self.readable = readable

    def predict(self, frames: Iterable[int]) -> Iterator[tuple[int, FrameAnnotation]]:
        for frame in frames:
            if frame in self.readable:
                yield frame, annotation_from_labels(arc(200), GRID)
            else:
                yield frame, FrameAnnotation(failure=f"Frame {frame + 1} is damaged.")


def session_of(review: Review | None = None) -> Session:
    return Session(Study(make_pullback(6, grid=GRID), Protocol(), review=review or Review()))


def test_a_frame_that_cannot_be_read_is_marked_and_the_run_goes_on() -> None:
    session, told = session_of(), []
    segment_study(session, Segmenter(0, 2, 3, 4, 5), lambda done, of: told.append((done, of)))
    assert session.study.predictions[1].failure == "Frame 2 is damaged."
    assert session.study.predictions[2].lumen is not None
    assert told == [(number, 6) for number in range(1, 7)]
    assert session.study.model == MODEL


def test_only_the_voi_is_segmented() -> None:
    session = session_of(Review(voi=(2, 3)))
    segment_study(session, Segmenter(2, 3))
    assert set(session.study.predictions) == {2, 3}


def test_when_no_frame_can_be_read_the_reason_is_given() -> None:
    with pytest.raises(CalcViewerError, match=r"No frame of phantom .*: Frame 1 is damaged\."):
        segment_study(session_of(), Segmenter())
