from __future__ import annotations

import csv
import json
from pathlib import Path

from calcviewer.app.cohort.result import (
    Status,
    cohort_document,
    cohort_row,
    lesion_rows_of,
    write_tables,
)
from tests.app.cohort.cohorts import finished, lesion, result

TWO = finished(lesion(length_mm=3.0), lesion(length_mm=6.25, score=3), most_severe=1)
RESULTS = (
    result("one", TWO),
    result("none", finished()),
    result("cut", failure="It is cut off, in two."),
    result("later"),
)


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def test_status() -> None:
    states = [one.status for one in RESULTS]
    assert states == [Status.FINISHED, Status.FINISHED, Status.FAILED, Status.OPEN]


def test_a_row_holds_one_lesion_and_the_length_of_all() -> None:
    row = cohort_row(RESULTS[0])
    assert (row["lesions"], row["lesion"], row["score"]) == (2, 2, 3)
    assert row["length_mm"] == 6.25
    assert row["calcium_length_mm"] == 9.25


def test_an_unknown_length_makes_the_sum_unknown() -> None:
    row = cohort_row(result("x", finished(lesion(), lesion(length_mm=None))))
    assert row["calcium_length_mm"] is None
    assert cohort_row(RESULTS[1])["calcium_length_mm"] == 0
    assert cohort_row(RESULTS[1])["score"] is None


def test_tables_have_a_row_for_everything(tmp_path: Path) -> None:
    write_tables(tmp_path, RESULTS)
    cohort, lesions = rows(tmp_path / "cohort.csv"), rows(tmp_path / "lesions.csv")
    assert [row["pullback"] for row in cohort] == ["one", "none", "cut", "later"]
    assert cohort[2]["reason"] == "It is cut off, in two."
    assert cohort[0]["seconds"] == "12.5"
    assert cohort[1]["score"] == cohort[3]["frames"] == ""
    assert [(row["pullback"], row["lesion"], row["length_mm"]) for row in lesions] == [
        ("one", "1", "3"),
        ("one", "2", "6.25"),
    ]
    assert cohort[0].keys() == cohort[3].keys()


def test_no_patient_and_no_path(tmp_path: Path) -> None:
    write_tables(tmp_path, RESULTS)
    document = json.dumps(cohort_document(RESULTS), allow_nan=False)
    tables = [path.read_text() for path in tmp_path.iterdir()]
    assert not any("Rook" in text for text in [document, *tables])


def test_the_document_says_the_same() -> None:
    first = cohort_document(RESULTS)["pullbacks"][0]
    assert first["score"] == 3
    assert first["lesions"] == lesion_rows_of(RESULTS[0])
