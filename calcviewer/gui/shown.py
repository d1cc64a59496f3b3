"""What the window shows: one session with its pictures."""

from __future__ import annotations

from dataclasses import dataclass

from calcviewer.app.review_store.search import FoundReview
from calcviewer.app.session import Session
from calcviewer.gui.frames import FramePictures


@dataclass(frozen=True, eq=False)
class ShownStudy:
    """The open study. Views get it once when it opens and drop it when it closes.

    ``found`` is its review as it was on disk when it was read.
    """

    session: Session
    pictures: FramePictures
    found: FoundReview | None = None
