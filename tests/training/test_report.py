"""The written report: the paper's tables with its numbers beside ours."""

import json
import re

import numpy as np
import pypdfium2
import pytest

from calcviewer.inference.model_card import ModelCard
from calcviewer.modalities.ivoct.score import MeasuredError
from calcviewer.training import tables
from calcviewer.training.agreement import QUANTITIES, Agreement, FramePair, Volume, VolumeScore
from calcviewer.training.bland_altman import _ticks, draw_bland_altman
from calcviewer.training.evaluate import Counts, Evaluation
from calcviewer.training.report import as_document, as_markdown, write_report
from calcviewer.training.result import Result, by_regime, result_of

GOOD = np.array([[900, 10, 40], [5, 495, 0], [10, 0, 90]])
POOR = np.array([[880, 10, 60], [5, 495, 0], [30, 0, 70]])


def evaluation(names="abcdefg", *, after=GOOD, crf=True, regimes=None):
    before = {name: POOR + number * np.eye(3, dtype=int) for number, name in enumerate(names)}
    refined = {name: after + number * np.eye(3, dtype=int) for number, name in enumerate(names)}
    return Evaluation(
        frames=10 * len(names),
        origin="simulated",
        before=Counts(before),
        after=Counts(refined) if crf else None,
        regimes={name: regimes or {} for name in names},
    )


def agreement(frames=40):
    rng = np.random.default_rng(0)
    pairs = []
    for number in range(frames):
        true = rng.uniform(0.5, 2, len(QUANTITIES))
        found = true + rng.normal(0, 0.1, len(QUANTITIES))
        values = zip(true.tolist(), found.tolist(), strict=True)
        pairs.append(FramePair(1, number, (True, True), dict(zip(QUANTITIES, values, strict=True))))
    four = VolumeScore(6.2, 212.0, 0.81, 4)
    volumes = (Volume(900_001, 11, 31, four, VolumeScore(6.2, 171.0, 0.77, 2)),)
    return Agreement(1, tuple(pairs), volumes)


def rows_of(table):
    return [[cell.strip() for cell in line.strip("| ").split("|")] for line in table.splitlines()]


def test_table_1_shows_percent_of_truth_and_the_papers():
    rows = rows_of(tables.confusion_table(Result("n", "polar", (evaluation("a"),))))
    assert rows[2] == [
        "true other",
        "94.74 [97.62 ± 1.47]",
        "1.05 [0.62 ± 0.55]",
        "4.21 [1.75 ± 1.09]",
    ]
    assert rows[4][3] == "90.00 [85.27 ± 4.82]"
    assert rows[-1] == [
        "calcium",
        "0.900 [0.85 ± 0.04]",
        "0.972 [0.99 ± 0.004]",
        "0.783 [0.73 ± 0.01]",
    ]


def test_the_spread_is_that_of_the_folds():
    folds = (evaluation("a"), evaluation("b", after=POOR))
    rows = rows_of(tables.confusion_table(Result("n", "cartesian", folds)))
    assert rows[4][3] == "80.00 ± 14.14 [82.89 ± 6.81]"


def test_table_2_compares_before_and_after():
    rows = rows_of(tables.crf_table(Result("n", "polar", (evaluation("a"),))))
    assert [row[0] for row in rows[2:]] == [
        "A other",
        "A lumen",
        "A calcium",
        "B other",
        "B lumen",
        "B calcium",
    ]
    assert rows[4][1] == "0.700 [0.81 ± 0.1]"
    assert rows[7][1] == "0.900 [0.85 ± 0.04]"
    assert rows[7][2] == "0.783 [0.76 ± 0.03]"


def test_table_3_has_our_volumes_and_the_papers_lesions():
    rows = rows_of(tables.lesion_table(agreement()))
    assert rows[2] == [
        "1 (900001:12)",
        "31",
        "6.2 (1)",
        "212 (2)",
        "0.81 (1)",
        "4",
        "6.2 (1)",
        "171 (0)",
        "0.77 (1)",
        "2",
    ]
    assert rows[-1] == [
        "paper: Ca5",
        "123",
        "12.3 (1)",
        "146 (0)",
        "0.88 (1)",
        "2",
        "12.3 (1)",
        "227 (2)",
        "1.00 (1)",
        "4",
    ]
    counts = rows_of(tables.score_table(agreement()))
    assert counts[-1] == ["true 4", "0", "0", "1", "0", "0"]


def test_dice_by_regime():
    quiet = evaluation("ab", regimes={"noise": ("low",), "calcium": ("sheet", "nodule")})
    loud = evaluation("cde", after=POOR, regimes={"noise": ("high",), "calcium": ("sheet",)})
    result = Result("n", "polar", (quiet, loud))
    found = by_regime(result.pooled)
    assert list(found) == ["noise", "calcium"]
    assert (found["noise"]["low"].vois, found["calcium"]["sheet"].vois) == (2, 5)
    assert found["noise"]["low"].dice["calcium"] > found["noise"]["high"].dice["calcium"]
    rows = rows_of(tables.regime_table(result))
    assert rows[2][:2] == ["noise = low", "2"]
    assert tables.regime_table(Result("n", "polar", (evaluation(),))) == ""


def test_the_crf_is_tested_over_vois():
    result = Result("n", "polar", (evaluation(),))
    assert result.crf_effect.pairs == 7
    assert result.crf_effect.p == pytest.approx(2 / 2**7)
    assert result.crf_effect.median_difference > 0
    assert Result("n", "polar", (evaluation(crf=False),)).crf_effect is None


def test_networks_are_compared_on_what_both_saw():
    polar = Result("polar one", "polar", (evaluation("abcdefg"),))
    cartesian = Result("other", "cartesian", (evaluation("cdefgh", after=POOR),))
    assert polar.advantage_over(cartesian).pairs == 5
    assert polar.advantage_over(polar) is None
    text = as_markdown(polar, against=cartesian)
    assert text.index("\nother:") < text.index("\npolar one:")
    assert "polar one against other: median change of calcium Dice a VOI +0." in text
    assert "[paper: p < 0.01]" in text
    assert as_document(polar, against=cartesian)["wilcoxon_against"]["pairs"] == 5


def test_every_number_says_where_it_comes_from():
    text = as_markdown(Result("n", "polar", (evaluation(),), agreement()))
    assert "Simulated data, 7 VOIs, 70 frames" in text
    assert "Simulated data: 40 frames of 1 pullbacks" in text
    assert "another task, for orientation only" in text
    assert "Research use only" in text
    assert "folds" not in re.sub("ten folds", "", text)


def test_only_what_was_measured_is_reported():
    pixels = as_markdown(Result("n", "polar", (evaluation(crf=False),)))
    assert "Table 1. Confusion matrix without CRF" in pixels
    assert "Table 2" not in pixels
    assert "Figure 7" not in pixels
    measured = as_markdown(Result("n", "polar", (), agreement()))
    assert "Table 1" not in measured
    assert "Table 3" in measured


def test_the_folder_is_complete(tmp_path):
    write_report(tmp_path / "out", Result("n", "polar", (evaluation(),), agreement()))
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == [
        "bland-altman.pdf",
        "bland-altman.png",
        "card-metrics.json",
        "report.md",
        "results.json",
    ]
    document = json.loads((tmp_path / "out" / "results.json").read_text())
    assert document["wilcoxon_crf"]["pairs"] == 7
    assert document["agreement"]["limits"]["mean_depth_mm"]["frames"] == 40
    assert "](bland-altman.png)" in (tmp_path / "out" / "report.md").read_text()


def test_the_card_gets_scores_limits_and_the_entry_of_score_probabilities(tmp_path):
    write_report(tmp_path, Result("n", "polar", (evaluation(),), agreement()))
    metrics = json.loads((tmp_path / "card-metrics.json").read_text())
    assert list(metrics) == ["data", "before_crf", "after_crf", "limits", "agreement"]
    assert metrics["data"] == "simulated"
    assert metrics["after_crf"]["calcium"]["sensitivity"] > 0.89
    assert MeasuredError(**metrics["agreement"]).arc_sd_deg > 0
    assert metrics["limits"]["mean_depth_mm"]["frames"] == 40


def test_plots_show_every_quantity_with_its_limits():
    pdf = pypdfium2.PdfDocument(draw_bland_altman(agreement(), caption="Simulated data"))
    page = pdf[0].get_textpage()
    text = page.get_text_range()
    page.close()
    pdf.close()
    for quantity in QUANTITIES.values():
        assert f"{quantity.title}, {quantity.unit}" in text
    assert text.count("40 frames") == len(QUANTITIES)
    assert "Simulated data" in text
    limits = agreement().limits["max_thickness_mm"]
    assert all(f"{value:.3g}" in text for value in (limits.lower, limits.bias, limits.upper))


def test_a_plot_of_nothing_is_empty():
    draw_bland_altman(Agreement(1, (), ()), caption="")


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-52, 94), (0.013, 0.014), (3, 3), (-1.2, 0.14)])
def test_ticks_enclose_the_values_and_are_few(low, high):
    ticks = _ticks(low, high)
    assert ticks[0] <= low + 1e-9
    assert ticks[-1] >= high - 1e-9
    assert 2 <= len(ticks) <= 8


@pytest.mark.parametrize(
    ("architecture", "geometry"),
    [
        ("SegNet, width 0.25, stride 2", "polar"),
        ("U-Net, width 1, stride 2, Cartesian frames", "cartesian"),
    ],
)
def test_the_card_tells_the_geometry(architecture, geometry):
    card = ModelCard(
        name="n",
        version="1",
        architecture=architecture,
        data_origin="simulated",
        training_data="",
        split={},
        metrics={},
        licence="",
        sha256="",
        opset=18,
        created="",
    )
    result = result_of(card, evaluation("a"), None)
    assert result.geometry == geometry
    assert result.title == f"n 1 ({architecture})"
