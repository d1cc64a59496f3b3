"""Studies as the window shows them."""

from __future__ import annotations

from calcviewer.app.session import IvoctStudy, Session
from calcviewer.gui.frames import FramePictures
from calcviewer.gui.shown import ShownStudy


def shown_of(study: IvoctStudy) -> ShownStudy:
    return ShownStudy(Session(study), FramePictures(study.pullback))
