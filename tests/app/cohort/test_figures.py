from __future__ import annotations

from pathlib import Path

import pytest
from pypdf import PdfReader

from calcviewer.app.cohort.figures import FIGURES, cohort_content, score_words, write_figures
from calcviewer.app.cohort.order import CohortOptions, Settings
from tests.app.cohort.cohorts import finished, lesion, result

SETTINGS = Settings.of(CohortOptions())


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"score": 0}, "0"),
        ({"score": 4.0}, "4"),
        ({"score": None, "score_visible": 1, "score_bridged": 3}, "guidewire decides"),
        ({"score": None, "score_visible": None, "score_bridged": None}, "not known"),
    ],
)
def test_score_words(values: dict[str, float | None], words: str) -> None:
    assert score_words(finished(lesion(**values))) == words


def test_without_calcium_there_is_no_score() -> None:
    assert score_words(finished()) == "no calcium"


def test_the_page_counts_what_is_finished() -> None:
    content = cohort_content(
        "trial",
        [
            result("a", finished(lesion(), lesion(max_thickness_mm=None, score=2))),
            result("b", finished(simulated=True)),
            result("c", finished(lesion(length_mm=None, score=None, score_visible=None))),
            result("d", failure="cut off"),
        ],
        SETTINGS,
    )
    assert dict(content.scores) == {
        "no calcium": 1,
        **{"0": 0, "1": 1, "2": 0, "3": 0, "4": 0},
        "not known": 1,
    }
    assert len(content.lesions) == 2
    assert {bar.name: bar.lesions_mm for bar in content.lengths} == {"a": (4.0, 4.0), "b": ()}
    assert content.facts[0] == "3 of 4 pullbacks finished, 1 failed, 1 of them simulated"
    assert "not reviewed" in content.facts[1]
    assert any("1 of 3 lesions" in note for note in content.notes)
    assert any("length of 1 pullback is" in note for note in content.notes)


def test_a_capped_thickness_is_explained() -> None:
    def notes(thickness_mm: float) -> tuple[str, ...]:
        mark = finished(lesion(max_thickness_mm=thickness_mm))
        return cohort_content("trial", [result("a", mark)], SETTINGS).notes

    assert notes(0.9) == ()
    assert "limited to 1 mm" in notes(1.0)[0]


@pytest.mark.parametrize("count", [0, 3, 120])
def test_one_page_of_vector_figures(tmp_path: Path, count: int) -> None:
    marks = [finished(lesion(length_mm=float(number))) for number in range(count)]
    results = [result(f"patient{number}", mark) for number, mark in enumerate(marks)]
    for _ in range(2):
        write_figures(tmp_path, results, SETTINGS)
    (page,) = PdfReader(tmp_path / FIGURES).pages
    text = page.extract_text()
    assert "Research use only" in text
    assert "Arc and thickness" in text
    assert ("patient2" in text) == (count == 3)
    assert not page.images
    assert [path.name for path in tmp_path.iterdir()] == [FIGURES]
