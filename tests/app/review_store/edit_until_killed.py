"""Edits a kept review until it is killed; says on standard output what is finished.

For every folder on standard input a child is forked, so that what is imported is imported once.
"""

from __future__ import annotations

import os
import random
import sys
from dataclasses import replace
from pathlib import Path

from calcviewer.app.review_store import store
from calcviewer.app.session import Session
from tests.app.review_store.kept_reviews import FRAMES, drawn, opened, pullback_at

STEPS = 200


def make_step(session: Session, random_: random.Random) -> None:
    """Make one finished step of a script that depends on the random numbers alone."""
    kind, frame = random_.random(), random_.randrange(FRAMES)
    radius_mm = 0.5 + random_.random()
    if kind < 0.15 and session.undo_label:
        session.undo()
    elif kind < 0.25 and session.redo_label:
        session.redo()
    elif kind < 0.35:
        review = session.study.review
        session.edit("bookmark", replace(review, bookmarks=review.bookmarks ^ {frame}))
    else:
        gesture = object()
        for part in (0.9, 0.95, 1.0):
            annotation = drawn(part * radius_mm, points=200)
            review = session.study.review.with_edit(frame, annotation)
            session.edit(f"drag {radius_mm}", review, gesture)
        if kind > 0.9:
            session.cancel(gesture)
            session.edit("comment", replace(session.study.review, comments={frame: str(kind)}))
        session.finish(gesture)


def _edit(folder: Path) -> None:
    random_ = random.Random(folder.name)
    with opened(pullback_at(folder)) as (session, _):
        for step in range(STEPS):
            make_step(session, random_)
            os.write(sys.stdout.fileno(), b"%d\n" % (step + 1))


def main() -> None:
    """Fork, say when the child begins and when it has ended."""
    store.PATIENCE_S = 60.0  # a step is told of when it is written, however busy the machine is
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _edit(Path(line.strip()))
            os._exit(0)
        os.write(sys.stdout.fileno(), b"begun %d\n" % child)
        os.waitpid(child, 0)
        os.write(sys.stdout.fileno(), b"ended\n")


if __name__ == "__main__":
    main()
