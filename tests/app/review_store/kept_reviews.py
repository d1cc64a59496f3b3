"""Pullbacks with a file, and sessions whose review is kept beside it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from calcviewer.app.review_store.encoding import annotation_bytes
from calcviewer.app.review_store.store import ReviewStore, Saving, open_review
from calcviewer.app.session import History, Session
from calcviewer.core.annotation import FrameAnnotation, Provenance
from calcviewer.core.contour import Contour
from calcviewer.core.geometry import Arc
from calcviewer.core.pullback import Pullback, SourceReference
from calcviewer.core.study import Review, Study
from calcviewer.modalities.ivoct.protocol import Protocol
from tests.patience import PATIENCE_S
from tests.phantoms import make_pullback

FRAMES = 4


def circle_mm(radius_mm: float, points: int) -> NDArray[np.float64]:
    angle = (np.arange(points) + 0.5) * 2 * np.pi / points
    return radius_mm * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def pullback_at(folder: Path, content: bytes = b"frames") -> Pullback:
    path = folder / "pullback.npz"
    if not path.exists():
        path.write_bytes(content)
    return replace(make_pullback(FRAMES), source=SourceReference(path, "npz"))


def drawn(radius_mm: float, points: int = 24) -> FrameAnnotation:
    """Return an annotation that is told from others by its lumen's radius."""
    return FrameAnnotation(
        lumen=Contour(circle_mm(radius_mm, points)),
        calcium=(Contour(circle_mm(3.0, points), (circle_mm(2.5, points),)),),
        guidewires=(Arc(350.0, 20.0),),
        provenance=Provenance.SEMIAUTOMATIC,
    )


@contextmanager
def opened(pullback: Pullback) -> Iterator[tuple[Session, ReviewStore]]:
    session = Session(Study(pullback, Protocol()))
    store = open_review(session.study)
    store.follow(session)
    try:
        yield session, store
    finally:
        store.close()


def edit(session: Session, frame: int, radius_mm: float) -> None:
    session.edit(f"draw {radius_mm:g}", session.study.review.with_edit(frame, drawn(radius_mm)))


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def is_saved(store: ReviewStore) -> Callable[[], bool]:
    return lambda: store.state.saving is Saving.DONE


def plain(history: History) -> object:
    """Return a history as values that compare, exact to the last bit."""
    known: dict[FrameAnnotation, bytes] = {}

    def stored(annotation: FrameAnnotation) -> bytes:
        if annotation not in known:
            known[annotation] = annotation_bytes(annotation)
        return known[annotation]

    def parts(review: Review) -> object:
        return (
            {frame: stored(one) for frame, one in review.edits.items()},
            {
                frame: [(one.kind, one.points_mm.tolist()) for one in measurements]
                for frame, measurements in review.free_measurements.items()
            },
            dict(review.excluded),
            dict(review.comments),
            review.guidewire_decisions,
            review.voi,
            review.calibration,
            review.confirmed_frames,
            review.confirmed_lesions,
            review.bookmarks,
            review.interpolated,
        )

    return (
        parts(history.review),
        [(step.label, parts(step.review)) for step in history.past],
        [(step.label, parts(step.review)) for step in history.future],
    )
