"""Reviews on disk in which every part that an operator can decide is there."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np

from calcviewer.app.correction import reverted
from calcviewer.app.review_store.place import places
from calcviewer.app.review_store.store import open_review
from calcviewer.app.session import Session
from calcviewer.core.free_measurement import FreeMeasurement
from calcviewer.core.pullback import CalibratedValue, Calibration, Origin
from calcviewer.core.study import GuidewireDecision
from calcviewer.modalities.ivoct.read import read_pullback
from tests.fuzz.seeds import processing, study_on


def reviews(folder: Path) -> list[Path]:
    """Write a review as the program does, and one in small pages, of which more can be damaged."""
    seeds = []
    for name in ("written", "small"):
        (folder / name).mkdir()
        pullback = read_pullback(processing(folder / name / "pullback.dcm"))
        session = Session(study_on(pullback))
        store = open_review(session.study)
        store.follow(session)
        _decide(session)
        store.close()
        seeds.append(places(pullback)[0])
    with closing(sqlite3.connect(seeds[1], isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("PRAGMA page_size = 512")
        connection.execute("VACUUM")
    return seeds


def _decide(session: Session) -> None:
    """Decide something about every part of a review, take one step back and do it again."""
    drawn = session.study.predictions[1]
    session.edit("draw", session.study.review.with_edit(0, replace(drawn, calcium=())))
    session.edit("draw", session.study.review.with_edit(1, drawn))
    session.undo()
    session.redo()
    for label, parts in _PARTS:
        session.edit(label, replace(session.study.review, **parts))
    session.edit("revert", reverted(session.study.review, 0).review)
    session.undo()


_POINTS = np.array([[0.0, 0.0], [1.0, 0.5], [0.5, 1.0]])
_SPACING = CalibratedValue(0.11, Origin.OPERATOR)
_PARTS = (
    ("exclude", {"excluded": MappingProxyType({2: "blood"})}),
    ("comment", {"comments": MappingProxyType({1: "look again"})}),
    ("measure", {"free_measurements": MappingProxyType({1: (FreeMeasurement("area", _POINTS),)})}),
    ("VOI", {"voi": (0, 2)}),
    ("confirm", {"confirmed_frames": frozenset({0, 1}), "bookmarks": frozenset({2})}),
    ("confirm lesion", {"confirmed_lesions": frozenset({(0, 2)}), "interpolated": frozenset({1})}),
    ("decide", {"guidewire_decisions": (GuidewireDecision(0, 2, True, "a", "2025-01-01"),)}),
    ("calibrate", {"calibration": Calibration(_SPACING, _SPACING, _SPACING)}),
)
