"""Sessions with frames to correct."""

from __future__ import annotations

from calcviewer.app.correction import corrected
from calcviewer.app.session import Session
from calcviewer.core.annotation import FrameAnnotation, annotation_from_labels
from calcviewer.core.geometry import PolarGrid
from calcviewer.core.study import Study
from calcviewer.modalities.ivoct.protocol import Protocol
from tests.phantoms import label_map, make_pullback

GRID = PolarGrid(a_lines=180, samples=200, sample_spacing_mm=0.02)


def annotation(*deposits: tuple[float, float], **more) -> FrameAnnotation:
    return annotation_from_labels(label_map(*deposits, grid=GRID, **more), GRID)


def make_session(predictions: dict[int, FrameAnnotation], *, frames: int = 30) -> Session:
    pullback = make_pullback(frames, grid=GRID)
    return Session(Study(pullback, Protocol(), predictions=predictions))


def correct(session: Session, frame: int, drawn: FrameAnnotation) -> None:
    """Put contours in force in a frame, as a tool does."""
    session.edit(f"correct frame {frame + 1}", corrected(session.study, frame, drawn))
