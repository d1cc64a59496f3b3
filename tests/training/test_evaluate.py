import json
from types import SimpleNamespace

import numpy as np
import pytest

from calcviewer.app.voi_file import IGNORE, NOT_LUMEN, Voi, VoiMetadata
from calcviewer.core.errors import CalcViewerError
from calcviewer.inference.crf import CrfParameters
from calcviewer.training.evaluate import (
    Counts,
    Evaluation,
    class_scores,
    confusion_matrix,
    evaluate,
    percent_of_truth,
    together,
)

# Rows: true other, lumen, calcium.
CONFUSION = np.array([[80, 5, 15], [2, 98, 0], [4, 0, 6]])


def test_confusion_counts_labelled_pixels_only():
    truth = np.array([0, 0, 1, 2, 2, IGNORE, NOT_LUMEN], dtype=np.uint8)
    predicted = np.array([0, 2, 1, 2, 0, 1, 2])
    assert confusion_matrix(truth, predicted).tolist() == [[1, 0, 1], [0, 1, 0], [1, 0, 1]]


def test_scores_of_a_known_matrix():
    calcium = class_scores(CONFUSION)["calcium"]
    assert calcium.sensitivity == pytest.approx(6 / 10)
    assert calcium.specificity == pytest.approx(185 / 200)
    assert calcium.precision == pytest.approx(6 / 21)
    assert calcium.f1 == pytest.approx(2 * 6 / (10 + 21))


def test_a_class_that_never_occurs_has_no_score():
    scores = class_scores(np.diag([5, 5, 0]))
    assert np.isnan(scores["calcium"].f1)
    assert scores["calcium"].specificity == 1
    assert scores["lumen"].f1 == 1


class PerfectNetwork:
    """Knows the labels: the brightness of its input tells the class."""

    def predict(self, images):
        classes = np.stack([images < 0.3, (images >= 0.3) & (images < 0.7), images >= 0.7], axis=1)
        return (0.98 * classes + 0.02 / 3).astype(np.float32)


@pytest.fixture(scope="module")
def evaluation():
    labels = np.zeros((1, 240, 480), dtype=np.uint8)
    labels[:, :, :200] = 1
    labels[:, 50:150, 220:300] = 2
    images = (labels / 2).astype(np.float16)
    metadata = VoiMetadata("a", "simulated", source="a", stride=2)
    steps = []
    result = evaluate(
        PerfectNetwork(),
        [Voi(metadata, images, labels)],
        crf=CrfParameters(),
        progress=lambda *step: steps.append(step),
    )
    return SimpleNamespace(result=result, steps=steps)


def test_a_perfect_network_scores_one(evaluation):
    scores = class_scores(evaluation.result.before.total)
    assert [one.f1 for one in scores.values()] == [1, 1, 1]
    assert min(one.f1 for one in class_scores(evaluation.result.after.total).values()) > 0.98
    assert evaluation.result.before.total.sum() == 480 * 960
    assert evaluation.steps == [(1, 1)]


def test_json_has_scores_and_no_nan(evaluation):
    content = json.loads(json.dumps(evaluation.result.as_dict(), allow_nan=False))
    assert content["before_crf"]["scores"]["calcium"]["f1"] == 1
    assert content["after_crf"]["f1_of_voi"]["a"]["lumen"] > 0.98
    assert content["origin"] == "simulated"


def test_without_crf_there_is_no_after():
    labels = np.zeros((1, 240, 480), dtype=np.uint8)
    voi = Voi(VoiMetadata("a", "real", source="a", stride=2), labels.astype(np.float16), labels)
    result = evaluate(PerfectNetwork(), [voi], crf=None)
    assert result.after is None
    assert result.as_dict()["after_crf"] is None
    assert result.final is result.before


class SpeckledNetwork:
    """Takes calcium for something else in one frame of those it is shown."""

    def predict(self, images):
        probabilities = PerfectNetwork().predict(images)
        if images[0, 0, -1] > 0:  # the mark of that frame
            probabilities = probabilities[:, [2, 1, 0]]
        return probabilities


def three_frames(frame_step):
    labels = np.zeros((3, 240, 480), dtype=np.uint8)
    labels[:, 50:150, 220:300] = 2
    images = (labels / 2).astype(np.float16)
    images[1, 0, -1] = 0.1
    metadata = VoiMetadata("a", "simulated", source="a", stride=2, frame_step=frame_step)
    return Voi(metadata, images, labels)


def test_neighbours_outvote_a_frame():
    alone = evaluate(SpeckledNetwork(), [three_frames(1)], crf=None)
    helped = evaluate(SpeckledNetwork(), [three_frames(1)], crf=None, neighbours=True)
    assert class_scores(alone.before.total)["calcium"].sensitivity == pytest.approx(2 / 3)
    assert class_scores(helped.before.total)["calcium"].sensitivity == 1
    assert (alone.neighbours, helped.neighbours) == (False, True)


@pytest.mark.parametrize("frame_step", [2, None])
def test_frames_that_are_no_neighbours_do_not_help(frame_step):
    with pytest.raises(CalcViewerError, match="not known to follow one another"):
        evaluate(PerfectNetwork(), [three_frames(frame_step)], crf=None, neighbours=True)


def test_what_was_counted_is_read_back(evaluation):
    stored = json.loads(json.dumps(evaluation.result.as_dict(), allow_nan=False))
    read = Evaluation.from_dict(stored)
    assert (read.frames, read.origin) == (1, "simulated")
    for side in ("before", "after"):
        found, expected = getattr(read, side), getattr(evaluation.result, side)
        np.testing.assert_array_equal(found.of_voi["a"], expected.of_voi["a"])
    assert read.regimes == {"a": {}}


def counted(name, *, crf=True):
    counts = Counts({name: CONFUSION})
    return Evaluation(2, "simulated", counts, counts if crf else None, {name: {}})


def test_folds_are_pooled():
    pooled = together([counted("a"), counted("b")])
    assert pooled.frames == 4
    np.testing.assert_array_equal(pooled.final.total, 2 * CONFUSION)
    assert together([counted("a"), counted("b", crf=False)]).after is None


def test_percent_of_the_true_class():
    found = percent_of_truth(np.diag([5, 5, 0]))
    np.testing.assert_array_equal(found[:2], [[100, 0, 0], [0, 100, 0]])
    assert np.isnan(found[2]).all()


def test_nothing_to_evaluate_is_refused():
    with pytest.raises(CalcViewerError, match="nothing"):
        evaluate(PerfectNetwork(), [], crf=None)
