"""The folder an evaluation leaves: results, report and plots, and what goes into the card."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pypdfium2

from calcviewer.core.atomic import staged_folder
from calcviewer.report.content import RESEARCH_USE
from calcviewer.training import paper, tables
from calcviewer.training.agreement import Agreement
from calcviewer.training.bland_altman import draw_bland_altman
from calcviewer.training.result import Result, card_metrics

RESULTS, REPORT, PLOT = "results.json", "report.md", "bland-altman"
METRICS = "card-metrics.json"
"""What belongs into the card of the model: ``metrics`` of the description to export it with."""
_PAPER = "bias and limits of Gharaibeh et al. 2019"
_PLOT_PIXELS_PER_PT = 2.0


def write_report(folder: Path, result: Result, *, against: Result | None = None) -> None:
    """Write all that is known of a network; of another one it is compared with, the tables.

    Raises
    ------
    CalcViewerError
        The folder cannot be written to.
    """
    with staged_folder(folder) as stage:
        _write_json(stage / RESULTS, as_document(result, against=against))
        _write_json(stage / METRICS, card_metrics(result))
        if result.agreement:
            caption = f"{_measured(result.agreement)} Dotted: {_PAPER}."
            pdf = draw_bland_altman(result.agreement, caption=caption)
            (stage / f"{PLOT}.pdf").write_bytes(pdf)
            _write_png(pdf, stage / f"{PLOT}.png")
        text = as_markdown(result, against=against, plot=f"{PLOT}.png")
        (stage / REPORT).write_text(text, encoding="utf-8")


def as_document(result: Result, *, against: Result | None = None) -> dict[str, object]:
    """Return the JSON-ready form of a result and of the one it is compared with."""
    document = result.as_dict()
    if against:
        advantage = result.advantage_over(against)
        document["against"] = against.as_dict()
        document["wilcoxon_against"] = asdict(advantage) if advantage else None
    return document


def as_markdown(result: Result, *, against: Result | None = None, plot: str = "") -> str:
    """Return the report for people; ``plot`` is the file of the Bland-Altman plots, if any."""
    parts = [
        f"# {result.title}\n",
        f"{RESEARCH_USE} In [brackets]: {paper.DATA}: another task, for orientation only.\n",
    ]
    if result.folds:
        parts += _pixel_tables(result, against)
    if result.agreement:
        parts += _measurement_tables(result.agreement, plot)
    if result.folds and (regimes := tables.regime_table(result)):
        parts += ["## Dice by regime\n", _data(result) + " Pixels of a regime's VOIs pooled.\n"]
        parts.append(regimes)
    return "\n".join(parts)


def _pixel_tables(result: Result, against: Result | None) -> list[str]:
    when = "after" if result.pooled.after else "without"
    parts = [f"## Table 1. Confusion matrix {when} CRF, % of the true class\n", _data(result)]
    if against:
        parts += [f"\n{against.title}:\n", tables.confusion_table(against)]
        parts += [f"{result.title}:\n", tables.confusion_table(result)]
        reported = "-"
        if (result.geometry, against.geometry) == ("polar", "cartesian"):
            reported = paper.WILCOXON["cartesian"]
        what = f"{result.title} against {against.title}"
        parts.append(tables.wilcoxon_words(what, result.advantage_over(against), reported))
    else:
        parts += ["", tables.confusion_table(result)]
    if result.pooled.after:
        parts += [
            "## Table 2. Before (A) and after (B) CRF\n",
            tables.crf_table(result),
            tables.wilcoxon_words("CRF", result.crf_effect, paper.WILCOXON["crf"]),
        ]
    return parts


def _measurement_tables(agreement: Agreement, plot: str) -> list[str]:
    volumes = len(agreement.volumes)
    parts = ["## Figure 7. Agreement of measurements, truth - found\n", _measured(agreement)]
    if plot:
        parts.append(f"\n![Bland-Altman plots]({plot})")
    parts += [
        "",
        tables.limits_table(agreement),
        "## Table 3. Scores\n",
        f"Simulated data. Each pullback is one volume of interest, scored as one lesion: the score "
        f"is the true one in {agreement.equal_scores} of {volumes} volumes with calcium "
        "[paper: 4 of 5 lesions].\n",
        tables.score_table(agreement),
        tables.lesion_table(agreement),
    ]
    return parts


def _data(result: Result) -> str:
    """Say what the numbers come from."""
    pooled, folds = result.pooled, len(result.folds)
    words = f"{pooled.origin.capitalize()} data, {len(pooled.before.of_voi)} VOIs, "
    words += f"{pooled.frames} frames, "
    words += "with their neighbours." if pooled.neighbours else "each by itself."
    if folds > 1:
        words += f" {folds} folds, VOIs and pullbacks whole: mean ± SD over the folds."
    return words


def _measured(agreement: Agreement) -> str:
    return (
        f"Simulated data: {len(agreement.frames)} frames of {agreement.pullbacks} pullbacks, "
        "neighbouring frames used; calcium where both have it."
    )


def _write_json(path: Path, document: object) -> None:
    text = json.dumps(document, indent=2, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def _write_png(pdf: bytes, path: Path) -> None:
    document = pypdfium2.PdfDocument(pdf)
    try:
        document[0].render(scale=_PLOT_PIXELS_PER_PT).to_pil().save(path)
    finally:
        document.close()
