"""Pixelwise evaluation in the layout of the seed's Tables 1 and 2 (Gharaibeh 2019, section 4)."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calcviewer.app.voi_file import Voi
from calcviewer.core.errors import CalcViewerError
from calcviewer.inference.crf import CrfParameters, refine
from calcviewer.inference.model_card import CLASSES
from calcviewer.inference.onnx import Network

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
        """All VOIs together."""
        return sum(self.of_voi.values(), _no_counts())

    def as_dict(self) -> dict[str, object]:
        """JSON-ready form: confusion matrix and scores, and F1 of every VOI."""
        return {
            "confusion": self.total.tolist(),
            "scores": {
                name: {key: json_number(value) for key, value in asdict(scores).items()}
                for name, scores in class_scores(self.total).items()
            },
            "f1_of_voi": {
                voi: {name: json_number(f1) for name, f1 in f1_of_classes(confusion).items()}
                for voi, confusion in self.of_voi.items()
            },
        }


@dataclass(frozen=True)
class Evaluation:
    """What was counted, before and, where it was run, after the CRF.

    ``origin`` says where the data comes from; "simulated" is said beside every number.
    """

    frames: int
    origin: str
    before: Counts
    after: Counts | None

    def as_dict(self) -> dict[str, object]:
        """JSON-ready form."""
        return {
            "vois": len(self.before.of_voi),
            "frames": self.frames,
            "origin": self.origin,
            "classes": list(CLASSES),
            "before_crf": self.before.as_dict(),
            "after_crf": self.after.as_dict() if self.after else None,
        }


def evaluate(
    network: Network,
    vois: Sequence[Voi],
    *,
    crf: CrfParameters | None,
    progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Segment every frame as inference does and count pixels against its labels.

    VOIs stored at a stride are enlarged by repetition. That is exact for a network of the same
    stride, which averages it away, but judges borders no finer than the data.

    Parameters
    ----------
    crf
        Parameters of the refinement; None leaves it out.
    progress
        Called with (frames done, frames in all).
    """
    if not vois:
        raise CalcViewerError("There is nothing to evaluate.", "Give a folder with test VOIs.")
    total = sum(len(voi.images) for voi in vois)
    done = 0
    before = {voi.metadata.name: _no_counts() for voi in vois}
    after = {voi.metadata.name: _no_counts() for voi in vois}
    for voi in vois:
        for stored, labels in zip(voi.images, voi.labels, strict=True):
            image = _enlarge(stored, voi.metadata.stride).astype(np.float32)
            truth = _enlarge(labels, voi.metadata.stride)
            probabilities = network.predict(image[None])[0]
            before[voi.metadata.name] += confusion_matrix(truth, probabilities.argmax(axis=0))
            if crf is not None:
                refined = refine(probabilities, image, parameters=crf)
                after[voi.metadata.name] += confusion_matrix(truth, refined.argmax(axis=0))
            done += 1
            if progress:
                progress(done, total)
    return Evaluation(
        frames=total,
        origin=" and ".join(sorted({voi.metadata.origin for voi in vois})),
        before=Counts(before),
        after=Counts(after) if crf is not None else None,
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


def format_tables(evaluation: Evaluation) -> str:
    """Lay the results out as the seed's Table 1 (confusion) and Table 2 (before and after CRF)."""
    vois = len(evaluation.before.of_voi)
    heading = f"{evaluation.origin} data, {vois} VOIs, {evaluation.frames} frames"
    final, when = evaluation.after or evaluation.before, "after" if evaluation.after else "before"
    lines = [f"Table 1. Confusion matrix {when} CRF, % of the true class ({heading})"]
    lines.append(" " * 16 + "".join(f"{'pred. ' + name:>16}" for name in CLASSES))
    for name, row in zip(CLASSES, final.total, strict=True):
        cells = (f"{100 * _ratio(count, row.sum()):16.2f}" for count in row)
        lines.append(f"{'true ' + name:<16}" + "".join(cells))
    lines += ["", f"Table 2. Before (A) and after (B) CRF ({heading})"]
    columns = ("sensitivity", "specificity", "precision", "Dice")
    lines.append(" " * 16 + "".join(f"{column:>13}" for column in columns))
    for letter, counts in (("A", evaluation.before), ("B", evaluation.after)):
        for name, one in class_scores(counts.total).items() if counts else ():
            values = (one.sensitivity, one.specificity, one.precision, one.f1)
            cells = (f"{value:13.3f}" for value in values)
            lines.append(f"{letter + '  ' + name:<16}" + "".join(cells))
    return "\n".join(lines) + "\n"


def json_number(value: float) -> float | None:
    """Return the value, or None for NaN, which JSON does not have."""
    return None if np.isnan(value) else value


def _no_counts() -> Confusion:
    return np.zeros((len(CLASSES), len(CLASSES)), dtype=np.int64)


def _ratio(part: int, whole: int) -> float:
    return float(part / whole) if whole else float("nan")


def _enlarge(image: NDArray[Any], stride: int) -> NDArray[Any]:
    """Repeat every sample of [a_line, sample] ``stride`` times both ways."""
    return image.repeat(stride, axis=0).repeat(stride, axis=1)
