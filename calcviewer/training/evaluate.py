"""Pixelwise evaluation: confusion matrices before and after the CRF, and what follows from them."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calcviewer.app.voi_file import Voi
from calcviewer.core.errors import CalcViewerError
from calcviewer.inference.crf import CrfParameters
from calcviewer.inference.model_card import CLASSES
from calcviewer.inference.refinement import MOST_FRAMES, Predicting, refine_mean
from calcviewer.modalities.ivoct.segment import with_neighbours

Confusion = NDArray[np.int64]


@dataclass(frozen=True)
class ClassScores:
    """How well one class is found; NaN where it does not occur. F1 is the Dice coefficient."""

    sensitivity: float
    specificity: float
    precision: float
    f1: float


@dataclass(frozen=True)
class Counts:
    """Confusion matrices [true class, predicted class] (other, lumen, calcium) by VOI name."""

    of_voi: dict[str, Confusion]

    @property
    def total(self) -> Confusion:
        """Of all VOIs together."""
        return self.total_of(self.of_voi)

    def total_of(self, names: Iterable[str]) -> Confusion:
        """Add up some VOIs."""
        return sum((self.of_voi[name] for name in names), _no_counts())

    def f1_of_vois(self, class_name: str) -> list[float]:
        """F1 of one class in every VOI; NaN where it neither is nor is found."""
        return [f1_of_classes(confusion)[class_name] for confusion in self.of_voi.values()]

    def scores_as_dict(self) -> dict[str, dict[str, float | None]]:
        """JSON-ready scores of every class, all VOIs together."""
        return {
            name: {key: json_number(value) for key, value in asdict(scores).items()}
            for name, scores in class_scores(self.total).items()
        }

    def as_dict(self) -> dict[str, object]:
        """JSON-ready form: confusion matrices and scores, and F1 of every VOI."""
        return {
            "confusion": self.total.tolist(),
            "scores": self.scores_as_dict(),
            "f1_of_voi": {
                voi: {name: json_number(f1) for name, f1 in f1_of_classes(confusion).items()}
                for voi, confusion in self.of_voi.items()
            },
            "confusion_of_voi": {name: one.tolist() for name, one in self.of_voi.items()},
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> "Counts":
        """Read what `as_dict` wrote."""
        of_voi = stored["confusion_of_voi"]
        return cls({name: np.array(one, dtype=np.int64) for name, one in of_voi.items()})


@dataclass(frozen=True)
class Evaluation:
    """What was counted, before and, where it was run, after the CRF.

    ``origin`` says where the data comes from; "simulated" is said beside every number.
    ``regimes`` holds, by VOI name, the conditions of the simulated ones. ``neighbours`` tells
    whether frames were segmented with their neighbours.
    """

    frames: int
    origin: str
    before: Counts
    after: Counts | None
    regimes: Mapping[str, Mapping[str, Sequence[str]]]
    neighbours: bool = False

    @property
    def final(self) -> Counts:
        """What counts: after the CRF, where it was run."""
        return self.after or self.before

    def as_dict(self) -> dict[str, object]:
        """JSON-ready form."""
        return {
            "vois": len(self.before.of_voi),
            "frames": self.frames,
            "origin": self.origin,
            "neighbours": self.neighbours,
            "classes": list(CLASSES),
            "before_crf": self.before.as_dict(),
            "after_crf": self.after.as_dict() if self.after else None,
            "regimes_of_voi": {name: dict(one) for name, one in self.regimes.items()},
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> "Evaluation":
        """Read what `as_dict` wrote."""
        after = stored["after_crf"]
        return cls(
            frames=stored["frames"],
            origin=stored["origin"],
            before=Counts.from_dict(stored["before_crf"]),
            after=None if after is None else Counts.from_dict(after),
            regimes=stored["regimes_of_voi"],
            neighbours=stored.get("neighbours", False),  # there was a time without
        )


def evaluate(
    network: Predicting,
    vois: Sequence[Voi],
    *,
    crf: CrfParameters | None,
    neighbours: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Segment every frame and count pixels against its labels.

    VOIs stored at a stride are enlarged by repetition. That is exact for a network of the same
    stride, which averages it away, but judges borders no finer than the data.

    Parameters
    ----------
    crf
        Parameters of the refinement; None leaves it out.
    neighbours
        Segment a frame with its neighbours in the VOI, as a pullback is segmented; else every
        frame by itself.
    progress
        Called with (frames done, frames in all).

    Raises
    ------
    CalcViewerError
        There are no VOIs, or their frames are not known to be neighbours.
    """
    if not vois:
        raise CalcViewerError("There is nothing to evaluate.", "Give a folder with test VOIs.")
    if neighbours:
        _check_consecutive(vois)
    total = sum(len(voi.images) for voi in vois)
    done = 0
    before = {voi.metadata.name: _no_counts() for voi in vois}
    after = {voi.metadata.name: _no_counts() for voi in vois}
    for voi in vois:
        for index, (alone, refined) in enumerate(_segmented(network, voi, crf, neighbours)):
            truth = _enlarge(voi.labels[index], voi.metadata.stride)
            before[voi.metadata.name] += confusion_matrix(truth, alone)
            if refined is not None:
                after[voi.metadata.name] += confusion_matrix(truth, refined)
            done += 1
            if progress:
                progress(done, total)
    return Evaluation(
        frames=total,
        origin=" and ".join(sorted({voi.metadata.origin for voi in vois})),
        before=Counts(before),
        after=Counts(after) if crf is not None else None,
        regimes={voi.metadata.name: voi.metadata.regimes for voi in vois},
        neighbours=neighbours,
    )


def _check_consecutive(vois: Sequence[Voi]) -> None:
    apart = [voi.metadata.name for voi in vois if voi.metadata.frame_step != 1]
    if apart:
        raise CalcViewerError(
            f"The frames of {apart[0]} are not known to follow one another"
            f"{f', nor those of {len(apart) - 1} other VOIs' if len(apart) > 1 else ''}.",
            "Make the data with make-dataset --frame-step 1, or evaluate every frame by itself.",
        )


def _segmented(
    network: Predicting, voi: Voi, crf: CrfParameters | None, neighbours: bool
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8] | None]]:
    """Yield the labels of every frame before and, where it is run, after the CRF."""

    @lru_cache(MOST_FRAMES)
    def image(index: int) -> NDArray[np.float32]:
        return _enlarge(voi.images[index], voi.metadata.stride).astype(np.float32)

    @lru_cache(MOST_FRAMES)
    def seen(index: int) -> NDArray[np.float32]:
        return network.predict(image(index)[None])

    count = len(voi.images)
    for index in range(count):
        weighted = with_neighbours(index, count, seen) if neighbours else [(1.0, seen(index))]
        before = refine_mean(image(index), weighted, parameters=None)
        after = refine_mean(image(index), weighted, parameters=crf) if crf is not None else None
        yield before.labels, None if after is None else after.labels


def together(parts: Sequence[Evaluation]) -> Evaluation:
    """Pool evaluations of different VOIs; after the CRF only where all have it."""
    after = [part.after for part in parts if part.after is not None]
    return Evaluation(
        frames=sum(part.frames for part in parts),
        origin=" and ".join(sorted({part.origin for part in parts})),
        before=_merged([part.before for part in parts]),
        after=_merged(after) if len(after) == len(parts) else None,
        regimes={name: one for part in parts for name, one in part.regimes.items()},
        neighbours=all(part.neighbours for part in parts),
    )


def confusion_matrix(truth: NDArray[np.uint8], predicted: NDArray[np.integer]) -> Confusion:
    """Count pixels [true class, predicted class]; only fully labelled pixels count."""
    known = truth < len(CLASSES)
    index = truth[known].astype(np.int64) * len(CLASSES) + predicted[known]
    counts = np.bincount(index, minlength=len(CLASSES) ** 2)
    return counts.reshape(len(CLASSES), len(CLASSES)).astype(np.int64)


def class_scores(confusion: Confusion) -> dict[str, ClassScores]:
    """Scores of every class against the two others together."""
    total = confusion.sum()
    scores = {}
    for index, name in enumerate(CLASSES):
        hit = confusion[index, index]
        truth, found = confusion[index].sum(), confusion[:, index].sum()
        scores[name] = ClassScores(
            sensitivity=_ratio(hit, truth),
            specificity=_ratio(total - truth - found + hit, total - truth),
            precision=_ratio(hit, found),
            f1=_ratio(2 * hit, truth + found),
        )
    return scores


def f1_of_classes(confusion: Confusion) -> dict[str, float]:
    """F1 (Dice) of every class; NaN where it neither is nor is found."""
    return {name: scores.f1 for name, scores in class_scores(confusion).items()}


def percent_of_truth(confusion: Confusion) -> NDArray[np.float64]:
    """Confusion matrix in percent of each true class; NaN where it does not occur."""
    pixels = confusion.sum(axis=1, keepdims=True).astype(float)
    return 100 * confusion / np.where(pixels > 0, pixels, np.nan)


def json_number(value: float) -> float | None:
    """Return the value, or None for NaN, which JSON does not have."""
    return None if np.isnan(value) else value


def _merged(parts: Sequence[Counts]) -> Counts:
    return Counts({name: one for part in parts for name, one in part.of_voi.items()})


def _no_counts() -> Confusion:
    return np.zeros((len(CLASSES), len(CLASSES)), dtype=np.int64)


def _ratio(part: int, whole: int) -> float:
    return float(part / whole) if whole else float("nan")


def _enlarge(image: NDArray[Any], stride: int) -> NDArray[Any]:
    """Repeat every sample of [a_line, sample] ``stride`` times both ways."""
    return image.repeat(stride, axis=0).repeat(stride, axis=1)
