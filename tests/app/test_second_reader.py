"""A second reader's annotations are taken over honestly; measurements stand beside ours."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import pytest

from calcviewer.app.correction import corrected
from calcviewer.app.exchange.anonymous_study import anonymous
from calcviewer.app.lesion_report.content import model_rows
from calcviewer.app.results import compute_results
from calcviewer.app.review_store.encoding import annotation_bytes, annotation_of
from calcviewer.app.second_reader import (
    GivenAnnotations,
    MeasuredLesion,
    SecondReading,
    compared_frame,
    compared_lesion,
    frames_with_edits,
    lesion_pairs,
    taken_over,
)
from calcviewer.app.session import IvoctStudy, Session
from calcviewer.core.annotation import (
    FrameAnnotation,
    Label,
    Provenance,
    annotation_from_labels,
)
from calcviewer.core.measurement import Measurement, Unit
from calcviewer.core.study import Review
from tests.lesion_studies import GRID, TWO_LESIONS, arc, study_of
from tests.phantoms import label_map

EVERYTHING = frozenset({Label.LUMEN, Label.CALCIUM, Label.GUIDEWIRE_SHADOW})


def drawn(extent_deg: float, **options: float) -> FrameAnnotation:
    return annotation_from_labels(arc(extent_deg, **options), GRID)


def given(
    annotations: dict[int, FrameAnnotation], structures: frozenset[Label] = EVERYTHING
) -> GivenAnnotations:
    return GivenAnnotations("ACME", MappingProxyType(annotations), structures, True)


def edited(study: IvoctStudy, *frames: int, **parts: object) -> IvoctStudy:
    edits = {frame: drawn(30) for frame in frames}
    return replace(study, review=replace(Review(edits=MappingProxyType(edits)), **parts))


def test_frames_edited_here_are_kept_or_replaced() -> None:
    study = edited(study_of(TWO_LESIONS), 3)
    theirs = given({3: drawn(120), 4: drawn(130)})
    assert frames_with_edits(study, theirs) == {3}
    kept = taken_over(study, theirs, replace_edits=False)
    assert kept is not None
    assert kept.review.edits[3] is study.review.edits[3]
    assert kept.review.edits[4].calcium
    every = taken_over(study, theirs, replace_edits=True)
    assert every is not None
    assert every.review.edits[3] is not study.review.edits[3]


def test_it_is_one_step_that_undo_takes_back() -> None:
    session = Session(study_of(TWO_LESIONS))
    before = session.results.lesions
    step = taken_over(session.study, given({3: drawn(200), 13: drawn(20)}), replace_edits=True)
    assert step is not None
    session.edit(step.label, step.review)
    assert session.undo_label == "annotations from ACME"
    assert session.results.lesions != before
    session.undo()
    assert not session.study.review.edits


def test_they_are_nobodys_work_here_and_have_to_be_confirmed() -> None:
    study = edited(
        study_of(TWO_LESIONS, count=20),
        4,
        confirmed_frames=frozenset({3, 7}),
        interpolated=frozenset({4}),
    )
    theirs = given({3: drawn(200), 4: drawn(150), 19: drawn(10)})
    step = taken_over(study, theirs, replace_edits=True)
    assert step is not None
    for frame in (3, 19):  # with a prediction, and without
        made = step.review.edits[frame]
        assert (made.provenance, made.taken_from) == (Provenance.SEMIAUTOMATIC, "ACME")
    assert step.review.confirmed_frames == {7}
    assert not step.review.interpolated
    mine = corrected(replace(study, review=step.review), 19, step.review.edits[19]).edits[19]
    assert (mine.provenance, mine.taken_from) == (Provenance.SEMIAUTOMATIC, "ACME")


def test_reports_say_where_they_come_from_and_deidentified_ones_that_it_was_elsewhere() -> None:
    study = study_of(TWO_LESIONS)
    step = taken_over(study, given({3: drawn(200), 4: drawn(90)}), replace_edits=False)
    assert step is not None
    study = replace(study, review=step.review)
    contours = [row.value for row in model_rows(study) if row.label == "Contours"]
    assert contours == ["16 drawn, 2 from ACME"]
    bare = anonymous(study)
    assert [row.value for row in model_rows(bare) if row.label == "Contours"] == [
        "16 drawn, 2 from another program"
    ]
    before, after = compute_results(study, {}), compute_results(bare, {})
    assert [one.max_thickness_mm for one in after.lesions] == [
        one.max_thickness_mm for one in before.lesions
    ]


def test_where_they_come_from_is_kept_on_disk() -> None:
    made = replace(drawn(40), taken_from="ACME PlaqueReader")
    again = annotation_of(annotation_bytes(made))
    assert again.taken_from == "ACME PlaqueReader"
    assert annotation_of(annotation_bytes(drawn(40))).taken_from == ""


def test_what_is_the_same_empty_excluded_or_failed_stays() -> None:
    study = edited(study_of(TWO_LESIONS), excluded=MappingProxyType({5: "blood"}))
    theirs = {
        2: study.predictions[2],
        3: FrameAnnotation(),
        4: FrameAnnotation(failure="not segmented"),
        5: drawn(90),
    }
    assert taken_over(study, given(theirs), replace_edits=True) is None


def test_what_a_file_does_not_tell_about_stays_ours() -> None:
    wired = annotation_from_labels(label_map((20, 60), grid=GRID, wire=(200, 20)), GRID)
    study = study_of([arc(80)] * 3)
    predictions = {**study.predictions, 1: wired, 2: wired}
    study = replace(study, predictions=MappingProxyType(predictions))
    lumen_only = replace(drawn(80, lumen_mm=1.9), calcium=(), guidewires=())
    step = taken_over(study, given({1: lumen_only}, frozenset({Label.LUMEN})), replace_edits=False)
    assert step is not None
    made = step.review.edits[1]
    assert made.lumen is lumen_only.lumen
    assert made.guidewires == wired.guidewires
    # Ours reached into their lumen, which wins.
    assert sum(one.area_mm2 for one in made.calcium) < sum(one.area_mm2 for one in wired.calcium)
    whole = given({2: drawn(100)}, frozenset({Label.LUMEN, Label.CALCIUM}))
    step = taken_over(study, whole, replace_edits=False)
    assert step is not None
    assert step.review.edits[2].guidewires == wired.guidewires


# --- measurements --------------------------------------------------------------------------------


def rows(**values: float) -> dict[str, Measurement]:
    return {name: Measurement(name, name, value, Unit.MM) for name, value in values.items()}


def reading(*lesions: MeasuredLesion, **frames: dict[str, Measurement]) -> SecondReading:
    known = {int(name[1:]): row for name, row in frames.items()}
    return SecondReading("ACME", lesions, known, {}, True)


def test_lesions_are_put_beside_those_they_share_frames_with() -> None:
    results = compute_results(study_of(TWO_LESIONS), {})
    theirs = reading(
        MeasuredLesion("B", (14, 17), rows(length_mm=0.8)),
        MeasuredLesion("elsewhere", (7, 9), rows()),
        MeasuredLesion("nowhere", None, rows()),
    )
    pairs = lesion_pairs(theirs, results)
    told = [(one.theirs.name if one.theirs else "", one.number) for one in pairs]
    assert told == [("", 1), ("elsewhere", 0), ("B", 2), ("nowhere", 0)]
    (length,) = compared_lesion(pairs[2], ("length_mm",))
    assert length.difference == pytest.approx(0.0, abs=0.01)
    (missing,) = compared_lesion(pairs[0], ("length_mm",))
    assert (missing.theirs, missing.difference) == (None, None)


def test_an_arc_that_is_not_told_apart_stands_beside_the_visible_one() -> None:
    results = compute_results(study_of(TWO_LESIONS), {})
    other = {"DCM:122355": Measurement("DCM:122355", "Arc of Calcium", 90.0, Unit.DEGREE)}
    compared = compared_frame(reading(f3=other), results, 3)
    arcs = [one for one in compared if one.theirs is not None]
    assert [one.ours.concept for one in arcs if one.ours] == ["max_arc_deg_visible"]
    assert arcs[0].difference == pytest.approx(10, abs=2)


def test_what_only_they_measured_is_shown_too() -> None:
    results = compute_results(study_of(TWO_LESIONS), {})
    theirs = {"ACME:7": Measurement("ACME:7", "Lipid arc", 12.0, Unit.DEGREE)}
    compared = compared_frame(reading(f3=theirs), results, 3)
    assert (compared[-1].theirs, compared[-1].ours) == (theirs["ACME:7"], None)
    assert compared_frame(reading(), results, 3)  # and what only we did
