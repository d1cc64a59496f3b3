"""The paper's tables in Markdown: our numbers first, the paper's in brackets behind them."""

from __future__ import annotations

from collections.abc import Sequence

from calcviewer.inference.model_card import CLASSES
from calcviewer.modalities.ivoct.protocol import Protocol
from calcviewer.modalities.ivoct.score import fujino
from calcviewer.training import paper
from calcviewer.training.agreement import QUANTITIES, Agreement, VolumeScore
from calcviewer.training.evaluate import ClassScores, Counts, class_scores, percent_of_truth
from calcviewer.training.result import Result, by_regime
from calcviewer.training.statistics import Comparison, Spread, spread

_HIGHEST_SCORE = 4


def markdown_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table; the first column is text, the others are numbers."""
    lines = [headings, ["---"] + ["---:"] * (len(headings) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def confusion_table(result: Result) -> str:
    """Table 1: predicted class in percent of the true class, and the scores of its caption."""
    finals = [fold.final for fold in result.folds]
    matrices = [percent_of_truth(counts.total) for counts in finals]
    theirs = paper.CONFUSION_PERCENT[result.geometry]
    rows = []
    for true, name in enumerate(CLASSES):
        cells = [
            _cell([matrix[true, found] for matrix in matrices], theirs[true][found], digits=2)
            for found in range(len(CLASSES))
        ]
        rows.append([f"true {name}", *cells])
    confusion = markdown_table(["", *(f"predicted {name}" for name in CLASSES)], rows)
    rows = []
    for name in CLASSES:
        scores = [class_scores(counts.total)[name] for counts in finals]
        values = zip(*((one.sensitivity, one.specificity, one.f1) for one in scores), strict=True)
        reported = paper.SCORES[result.geometry][name]
        pairs = zip(values, reported, strict=True)
        rows.append([name, *(_cell(ours, theirs, digits=3) for ours, theirs in pairs)])
    return confusion + "\n" + markdown_table(["", "sensitivity", "specificity", "Dice (F1)"], rows)


def crf_table(result: Result) -> str:
    """Table 2: sensitivity and Dice before (A) and after (B) the CRF, with the precision."""
    rows = []
    for letter, when in (("A", "before"), ("B", "after")):
        counts = [fold.before if when == "before" else fold.after for fold in result.folds]
        kept = [one for one in counts if one is not None]
        for name in CLASSES if kept else ():
            rows.append([f"{letter} {name}", *_crf_cells(kept, name, paper.CRF[when][name])])
    return markdown_table(["", "sensitivity", "Dice", "precision"], rows)


def _crf_cells(folds: Sequence[Counts], name: str, theirs: tuple[Spread, Spread]) -> list[str]:
    scores: list[ClassScores] = [class_scores(counts.total)[name] for counts in folds]
    return [
        _cell([one.sensitivity for one in scores], theirs[0], digits=3),
        _cell([one.f1 for one in scores], theirs[1], digits=3),
        _cell([one.precision for one in scores], None, digits=3),
    ]


def lesion_table(agreement: Agreement) -> str:
    """Table 3: every volume with calcium, true and found, the points of the score in brackets."""
    rows = []
    for number, volume in enumerate(agreement.volumes, start=1):
        name = f"{number} ({volume.pullback}:{volume.first_frame + 1})"
        true, found = _score_cells(volume.true), _score_cells(volume.found)
        rows.append([name, str(volume.frames), *true, *found])
    for lesion in paper.LESIONS:
        sides = (VolumeScore(lesion.length_mm, *side) for side in (lesion.true, lesion.found))
        true, found = map(_score_cells, sides)
        rows.append([f"paper: {lesion.name}", str(lesion.frames), *true, *found])
    columns = ("length, mm", "maximum arc, °", "maximum thickness, mm", "score")
    headings = [f"{side} {column}" for side in ("true", "found") for column in columns]
    return markdown_table(["Lesion (pullback:frame)", "frames", *headings], rows)


def score_table(agreement: Agreement) -> str:
    """How often each true score was found as each."""
    scores = range(_HIGHEST_SCORE + 1)
    pairs = [volume.scores for volume in agreement.volumes]
    rows = [
        [f"true {true}", *(str(pairs.count((true, found))) for found in scores)] for true in scores
    ]
    return markdown_table(["", *(f"found {score}" for score in scores)], rows)


def limits_table(agreement: Agreement) -> str:
    """Figure 7 in numbers: bias and 95 % limits of agreement, truth - found."""
    rows = []
    for name, one in agreement.limits.items():
        quantity = QUANTITIES[name]
        theirs = paper.LIMITS.get(name)
        reported = f"{theirs[0]:g} ({theirs[1]:g} to {theirs[2]:g})" if theirs else "-"
        rows.append(
            [
                f"{quantity.title}, {quantity.unit}",
                f"{one.bias:+.3f}" if one.frames else "-",
                f"{one.lower:.3f} to {one.upper:.3f}" if one.frames else "-",
                str(one.frames),
                reported,
            ]
        )
    return markdown_table(["", "bias", "95 % limits", "frames", "paper"], rows)


def regime_table(result: Result) -> str:
    """Dice of calcium and lumen in every regime; empty where no VOI knows its regime."""
    rows = [
        [
            f"{name} = {value}",
            str(one.vois),
            _number(one.dice["calcium"]),
            _number(one.dice["lumen"]),
        ]
        for name, values in by_regime(result.pooled).items()
        for value, one in values.items()
    ]
    return markdown_table(["regime", "VOIs", "calcium Dice", "lumen Dice"], rows) if rows else ""


def wilcoxon_words(what: str, comparison: Comparison | None, reported: str) -> str:
    """Say in a sentence what a Wilcoxon signed-rank test of calcium Dice found."""
    if comparison is None:
        return f"{what}: no VOI differs.\n"
    p = "p < 0.001" if comparison.p < 0.001 else f"p = {comparison.p:.3f}"
    return (
        f"{what}: median change of calcium Dice a VOI {comparison.median_difference:+.3f}, "
        f"{p} (Wilcoxon signed-rank, {comparison.pairs} VOIs that differ) [paper: {reported}].\n"
    )


def _cell(ours: Sequence[float], theirs: Spread | None, *, digits: int) -> str:
    """Return "98.55 ± 0.80 [97.62 ± 1.47]"; our SD is over folds and needs two of them."""
    mean, sd = spread(ours)
    words = f"{mean:.{digits}f}" if mean == mean else "-"
    if sd == sd:
        words += f" ± {sd:.{digits}f}"
    return words if theirs is None else f"{words} [{theirs.mean:g} ± {theirs.sd:g}]"


def _score_cells(side: VolumeScore | None) -> list[str]:
    """Length, arc and thickness with their points, and the score."""
    if side is None:
        return ["-", "-", "-", "0"]
    score = fujino(
        max_arc_deg=side.max_arc_deg,
        max_thickness_mm=side.max_thickness_mm,
        length_mm=side.length_mm,
        protocol=Protocol(),
    )
    points = score.points
    cells = (
        (side.length_mm, points.length, 1),
        (side.max_arc_deg, points.arc, 0),
        (side.max_thickness_mm, points.thickness, 2),
    )
    written = ["-" if value is None else f"{value:.{n}f} ({p})" for value, p, n in cells]
    return [*written, str(side.score)]


def _number(value: float) -> str:
    return f"{value:.3f}" if value == value else "-"
