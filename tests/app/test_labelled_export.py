from dataclasses import replace

import numpy as np
import pytest

from calcviewer.app.labelled_export import consecutive, export_labels, training_labels
from calcviewer.app.review_store.log import Entry, Kind
from calcviewer.app.review_store.reviewed_study import ReviewedStudy
from calcviewer.app.voi_file import CALCIUM, IGNORE, LUMEN, OTHER, FrameOrigin, read_dataset
from calcviewer.core.annotation import Provenance, annotation_from_labels
from calcviewer.core.errors import CalcViewerError
from calcviewer.core.study import ModelReference, Review, Study
from calcviewer.modalities.ivoct.preprocess import MODEL_GRID
from calcviewer.modalities.ivoct.protocol import Protocol
from calcviewer.training.dataset import split_vois
from tests.phantoms import GRID, label_map, make_pullback

MODEL = ModelReference("phantom", "1.0", "ab" * 32, "CPUExecutionProvider")
FRAMES = 6


def annotation(*deposits, provenance=Provenance.SEMIAUTOMATIC, **more):
    return annotation_from_labels(label_map(*deposits, **more), GRID, provenance=provenance)


def entry(*frames, who="reader", model=f"phantom 1.0 {'ab' * 32}"):
    return Entry(Kind.EDIT, "confirm", who, "2026-01-01T10:00:00+00:00", model, frames, {}, GRID)


def reviewed(identity="a" * 32, *, entries=(), predictions=None, **review):
    values = np.random.default_rng(0).random((FRAMES, *GRID.shape), dtype=np.float32)
    study = Study(
        make_pullback(FRAMES, values=values),
        Protocol(),
        predictions=predictions or {},
        model=MODEL if predictions else None,
        review=Review(**review),
    )
    return ReviewedStudy(study, tuple(entries), identity)


def edits(*frames, **more):
    return {frame: annotation((20, 90), **more) for frame in frames}


def test_only_confirmed_frames_are_written_and_runs_stay_together(tmp_path):
    one = reviewed(
        edits=edits(0, 1, 2, 4, 5),
        confirmed_frames=frozenset({0, 1, 4}),
        excluded={5: "poor clearance"},
    )
    exported = export_labels([one], tmp_path)
    first, second = read_dataset(tmp_path, stride=2)
    assert [len(voi.images) for voi in (first, second)] == [2, 1]
    assert [[o.frame for o in voi.metadata.frames] for voi in (first, second)] == [[1, 2], [5]]
    assert first.images.shape == (2, 240, 480)
    assert exported.frames == {"SEMIAUTOMATIC": 3}
    assert exported.vois == ["review-aaaaaaaaaaaa-0001", "review-aaaaaaaaaaaa-0005"]


def test_excluded_frames_are_left_out_even_when_confirmed(tmp_path):
    one = reviewed(
        edits=edits(0, 1), confirmed_frames=frozenset({0, 1}), excluded={1: "poor clearance"}
    )
    export_labels([one], tmp_path)
    (voi,) = read_dataset(tmp_path, stride=2)
    assert [origin.frame for origin in voi.metadata.frames] == [1]


def test_every_frame_says_who_made_it_and_how(tmp_path):
    one = reviewed(
        entries=[entry(0, 1, who="first"), entry(1, who="second")],
        predictions=dict.fromkeys(range(FRAMES), annotation(provenance=Provenance.AUTOMATIC)),
        edits={1: annotation(provenance=Provenance.MANUAL), **edits(2)},
        confirmed_frames=frozenset({0, 1, 2}),
        interpolated=frozenset({2}),
    )
    exported = export_labels([one], tmp_path)
    (voi,) = read_dataset(tmp_path, stride=2)
    assert voi.metadata.frames == (
        FrameOrigin(1, "AUTOMATIC", False, "first"),
        FrameOrigin(2, "MANUAL", False, "second"),
        FrameOrigin(3, "SEMIAUTOMATIC", True, ""),
    )
    assert exported.frames == {"AUTOMATIC": 1, "MANUAL": 1, "SEMIAUTOMATIC": 1}


def test_what_another_model_made_is_left_out_and_said(tmp_path):
    one = reviewed(
        entries=[entry(0, model="older 0.9 " + "cd" * 32), entry(1)],
        predictions=dict.fromkeys(range(FRAMES), annotation(provenance=Provenance.AUTOMATIC)),
        confirmed_frames=frozenset({0, 1}),
    )
    exported = export_labels([one], tmp_path)
    assert [(name, frame) for name, frame, _ in exported.left_out] == [("phantom", 1)]
    assert exported.frames == {"AUTOMATIC": 1}


def test_labels_are_what_was_drawn_and_the_shadow_is_other():
    drawn = annotation((20, 90), wire=(200, 30))
    labels = training_labels(drawn, field_radius_mm=3.0)
    angle, radius = MODEL_GRID.angles_deg(), MODEL_GRID.radii_mm()
    assert labels.shape == MODEL_GRID.shape
    assert set(np.unique(labels)) == {OTHER, LUMEN, CALCIUM}
    assert (labels[:, radius < 1.45] == LUMEN).all()
    middle = labels[(angle > 30) & (angle < 100)][:, (radius > 1.8) & (radius < 2.2)]
    assert (middle == CALCIUM).all()
    assert (labels[(angle > 205) & (angle < 225)][:, radius > 1.6] == OTHER).all()


def test_behind_a_lumen_that_leaves_the_field_nothing_is_taught():
    labels = training_labels(annotation(lumen_mm=2.5), field_radius_mm=2.0)
    beyond = labels[:, MODEL_GRID.radii_mm() > 2.0]
    assert (beyond == IGNORE).all()


def test_pullbacks_stay_whole_in_every_split(tmp_path):
    reviews = [
        reviewed(letter * 32, edits=edits(0, 2, 4), confirmed_frames=frozenset({0, 2, 4}))
        for letter in "abcd"
    ]
    export_labels(reviews, tmp_path)
    vois = read_dataset(tmp_path, stride=2)
    assert len(vois) == 12
    for fold in range(4):
        split = split_vois(vois, fold=fold, folds=4)
        sources = [
            {voi.metadata.source for voi in part}
            for part in (split.train, split.validation, split.test)
        ]
        assert [len(one) for one in sources] == [2, 1, 1]
        assert not set.intersection(*sources[:2]) | set.intersection(*sources[1:])
        assert len(split.train) + len(split.validation) + len(split.test) == 12


def test_nothing_confirmed_is_said_and_nothing_written(tmp_path):
    target = tmp_path / "data"
    with pytest.raises(CalcViewerError, match="No frame is confirmed"):
        export_labels([reviewed(edits=edits(0))], target)
    assert not target.exists()


def test_a_pullback_given_twice_is_refused(tmp_path):
    one = reviewed(edits=edits(0), confirmed_frames=frozenset({0}))
    with pytest.raises(CalcViewerError, match="given twice"):
        export_labels([one, replace(one)], tmp_path)


def test_nothing_in_the_files_names_the_pullback(tmp_path):
    one = reviewed(edits=edits(0), confirmed_frames=frozenset({0}))
    export_labels([one], tmp_path)
    for path in tmp_path.iterdir():
        assert "phantom" not in path.name
        assert b"phantom" not in path.read_bytes()


def test_consecutive_runs():
    assert list(consecutive([0, 1, 3, 4, 7])) == [(0, 1), (3, 4), (7,)]
    assert list(consecutive([])) == []
