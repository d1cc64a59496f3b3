"""What is known of a network after its evaluation, and what two of them differ in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Literal

from calcviewer.app.measured_error import METRIC
from calcviewer.inference.model_card import CLASSES, ModelCard
from calcviewer.training.agreement import Agreement
from calcviewer.training.evaluate import Evaluation, f1_of_classes, json_number, together
from calcviewer.training.regimes import REGIMES
from calcviewer.training.statistics import Comparison, wilcoxon

ON_CARTESIAN_FRAMES = "Cartesian frames"
"""How the architecture of a network ends that works on scan-converted frames."""
_COMPARED = "calcium"


@dataclass(frozen=True)
class Result:
    """The evaluation of one network on one test set, or of one network a fold.

    Parameters
    ----------
    title
        What was evaluated, in words.
    geometry
        Of the frames the network works on.
    folds
        One evaluation a fold; a single one without cross-validation, none where only
        measurements were compared.
    """

    title: str
    geometry: Literal["polar", "cartesian"]
    folds: tuple[Evaluation, ...] = ()
    agreement: Agreement | None = None

    @cached_property
    def pooled(self) -> Evaluation:
        """All folds together."""
        return together(self.folds)

    @cached_property
    def crf_effect(self) -> Comparison | None:
        """Calcium Dice of every VOI with against without the CRF."""
        pooled = self.pooled
        if pooled.after is None:
            return None
        return wilcoxon(pooled.before.f1_of_vois(_COMPARED), pooled.after.f1_of_vois(_COMPARED))

    def advantage_over(self, other: Result) -> Comparison | None:
        """Calcium Dice of every VOI that both were tested on, of this against another network."""
        mine, theirs = self.pooled.final.of_voi, other.pooled.final.of_voi
        both = [name for name in mine if name in theirs]
        return wilcoxon(
            [f1_of_classes(theirs[name])[_COMPARED] for name in both],
            [f1_of_classes(mine[name])[_COMPARED] for name in both],
        )

    def as_dict(self) -> dict[str, object]:
        """JSON-ready form."""
        document: dict[str, object] = {"title": self.title, "geometry": self.geometry}
        if len(self.folds) == 1:
            document |= self.folds[0].as_dict()
        elif self.folds:
            document |= {**self.pooled.as_dict(), "folds": [one.as_dict() for one in self.folds]}
        if self.folds:
            effect = self.crf_effect
            document["wilcoxon_crf"] = asdict(effect) if effect else None
            document["regimes"] = {
                name: {value: one.as_dict() for value, one in values.items()}
                for name, values in by_regime(self.pooled).items()
            }
        if self.agreement:
            document["agreement"] = self.agreement.as_dict()
        return document


@dataclass(frozen=True)
class RegimeScore:
    """Dice of every class over the VOIs of one regime."""

    vois: int
    dice: Mapping[str, float]

    def as_dict(self) -> dict[str, object]:
        """JSON-ready form."""
        numbers = {name: json_number(value) for name, value in self.dice.items()}
        return {"vois": self.vois, "dice": numbers}


def card_metrics(result: Result) -> dict[str, object]:
    """Return what a model card says of a network: scores, and how far measurements lie off."""
    metrics: dict[str, object] = {}
    if result.folds:
        pooled = result.pooled
        metrics["data"] = pooled.origin
        for name, counts in (("before_crf", pooled.before), ("after_crf", pooled.after)):
            if counts:
                metrics[name] = counts.scores_as_dict()
    if result.agreement:
        measured = result.agreement.as_dict()
        metrics["data"] = measured["data"]
        metrics |= {name: measured[name] for name in ("limits", METRIC)}
    return metrics


def by_regime(evaluation: Evaluation) -> dict[str, dict[str, RegimeScore]]:
    """Return the scores of every value of every regime that occurs, pixels pooled.

    A VOI counts for all values it has: one with a sheet and a nodule for both.
    """
    scores: dict[str, dict[str, RegimeScore]] = {}
    for name, regime in REGIMES.items():
        for value in regime.values:
            vois = [voi for voi, one in evaluation.regimes.items() if value in one.get(name, ())]
            if vois:
                dice = f1_of_classes(evaluation.final.total_of(vois))
                scores.setdefault(name, {})[value] = RegimeScore(
                    len(vois), {label: dice[label] for label in CLASSES}
                )
    return scores


def result_of(
    card: ModelCard, evaluation: Evaluation | None, agreement: Agreement | None
) -> Result:
    """Return the result of an installed model."""
    cartesian = card.architecture.endswith(ON_CARTESIAN_FRAMES)
    return Result(
        title=f"{card.name} {card.version} ({card.architecture})",
        geometry="cartesian" if cartesian else "polar",
        folds=(evaluation,) if evaluation else (),
        agreement=agreement,
    )
