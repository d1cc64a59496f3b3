from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
from numpy.typing import NDArray
from pypdf import PdfReader

from calcviewer.app.lesion_report.content import build_report
from calcviewer.app.lesion_report.frames import FramePictures, view_radius_mm
from calcviewer.app.results import compute_results
from calcviewer.core.annotation import FrameAnnotation, LabelMap, annotation_from_labels
from calcviewer.core.errors import CalcViewerError
from calcviewer.core.geometry import CartesianGrid, PolarGrid, resample
from calcviewer.core.pullback import (
    CalibratedValue,
    Calibration,
    CartesianLayout,
    Intensity,
    Origin,
    Pullback,
    SourceReference,
)
from calcviewer.core.study import GuidewireDecision, ModelReference, Review, Study
from calcviewer.modalities.ivoct.gold import gold_table
from calcviewer.modalities.ivoct.protocol import Protocol
from calcviewer.modalities.ivoct.score import MeasuredError
from calcviewer.report.content import KeyFrame, ReportContent, Standing
from calcviewer.report.pdf import render_report
from tests.phantoms import ArrayFrames, label_map, make_pullback

GRID = PolarGrid(a_lines=180, samples=160, sample_spacing_mm=0.02)
NO_CALCIUM = label_map(grid=GRID)
SHA = "0123456789abcdef" * 4


def annotations(frames: list[LabelMap]) -> Mapping[int, FrameAnnotation]:
    made = {i: annotation_from_labels(labels, GRID) for i, labels in enumerate(frames)}
    return MappingProxyType(made)


def study_of(
    frames: list[LabelMap],
    *,
    calibrated: bool = True,
    pitch_mm: float | None = 0.2,
    review: Review | None = None,
) -> Study[Protocol]:
    pullback = make_pullback(len(frames), grid=GRID, calibrated=calibrated, pitch_mm=pitch_mm)
    return Study(
        pullback,
        Protocol(),
        annotations(frames),
        ModelReference("segnet-cpu", "1.0", SHA, "CPUExecutionProvider"),
        review or Review(),
    )


def report_of(study: Study[Protocol], **options: MeasuredError) -> ReportContent:
    results = compute_results(study, {})
    return build_report(study, results, generated="2026-01-02 03:04", **options)


def printed(content: ReportContent) -> str:
    reader = PdfReader(BytesIO(render_report(content)))
    return "\n".join(page.extract_text() for page in reader.pages)


def calcified(extent_deg: float, **options: object) -> LabelMap:
    return label_map((20.0, extent_deg), grid=GRID, **options)  # type: ignore[arg-type]


# 80 and 90 degrees of calcium beside the shadow, 200 when it is bridged.
ACROSS_WIRE = label_map((20.0, 200.0), grid=GRID, wire=(100.0, 30.0))


def test_score_components_and_margins() -> None:
    content = report_of(study_of([NO_CALCIUM, *[calcified(210.0)] * 30, NO_CALCIUM]))
    (lesion,) = content.lesions
    assert (lesion.first_frame, lesion.last_frame) == (1, 30)
    assert lesion.score == "4"
    assert lesion.verdict == "poor expansion"
    arc, thickness, length = lesion.criteria
    assert (arc.value, arc.margin, arc.points) == ("210°", "+30°", "2 of 2")
    assert (thickness.value, thickness.margin) == ("0.60 mm", "+0.10 mm")
    assert (length.value, length.margin, length.where) == ("6.00 mm", "+1.00 mm", "30 frames")
    assert {line.standing for line in lesion.criteria} == {Standing.SCORES}
    assert not lesion.guidewire_decides
    assert lesion.guidewire == "No guidewire shadow in this lesion."


def test_every_number_of_the_content_reaches_the_pages() -> None:
    content = report_of(study_of([*[ACROSS_WIRE] * 12, NO_CALCIUM]))
    text = printed(content)
    squeezed = "".join(text.split())
    for lesion in content.lesions:
        for line in lesion.criteria:
            for said in (line.name, line.value, line.threshold, line.margin, line.points):
                assert said in text
        for row in lesion.measurements:
            assert row.value in text
        for key in lesion.key_frames:
            assert f"{key.title} · frame {key.frame + 1}" in text
            assert key.caption in text
    for row in (*content.identification, *content.calibration, *content.vessel, *content.protocol):
        assert "".join(row.value.split()) in squeezed
        assert "".join(row.note.split()) in squeezed
    assert SHA in squeezed
    assert content.lesion_table is not None
    for cell in content.lesion_table.rows[0]:
        assert cell in text


def test_the_guidewire_decides_until_an_operator_does() -> None:
    study = study_of([ACROSS_WIRE] * 12)
    content = report_of(study)
    (lesion,) = content.lesions
    assert lesion.score == "1 or 3"
    assert lesion.guidewire_decides
    assert lesion.guidewire.startswith("Guidewire decides: 1 or 3.")
    visible, bridged = lesion.criteria[:2]
    assert (visible.name, visible.points) == ("Maximum arc, visible", "0 of 2")
    assert (bridged.name, bridged.points) == ("Maximum arc, bridged", "2 of 2")
    assert visible.standing is bridged.standing is Standing.OPEN
    assert content.lesion_table is not None
    assert "guidewire" in content.lesion_table.rows[0]

    answer = GuidewireDecision(0, 11, True, "A. Reader", "2026-01-02T03:04")
    (decided,) = report_of(replace(study, review=Review(guidewire_decisions=(answer,)))).lesions
    assert decided.score == "3"
    assert not decided.guidewire_decides
    assert "A. Reader, 2026-01-02T03:04" in decided.guidewire
    standings = [line.standing for line in decided.criteria[:2]]
    assert standings == [Standing.ASIDE, Standing.SCORES]


def test_what_is_missing_is_said() -> None:
    content = report_of(study_of([calcified(210.0)] * 10, pitch_mm=None))
    (lesion,) = content.lesions
    assert lesion.score == "3–4"
    assert lesion.verdict == ""
    assert lesion.missing == ("Length unavailable: the frame pitch is unknown.",)
    assert lesion.criteria[-1].value == "—"
    assert content.axis.pitch_mm is None
    assert "the frame pitch is unknown" in printed(content)


def test_without_a_scale_no_millimetre_is_printed() -> None:
    content = report_of(study_of([calcified(210.0)] * 3, calibrated=False, pitch_mm=None))
    (lesion,) = content.lesions
    assert lesion.score == "2–4"
    assert [row.value for row in content.calibration[:3]] == ["—"] * 3
    measured = {row.label: row.value for row in lesion.measurements}
    assert measured["Thickness, max"] == measured["Lumen, min"] == "—"
    references = {row.label: row for row in content.vessel}["References"]
    assert (references.value, references.note) == ("—", "the frame pitch is unknown")
    assert not any(key.scale_known for key in lesion.key_frames)
    assert [trend.title for trend in content.trends] == ["Maximum arc"]
    assert content.calcium_map is not None
    share = np.isfinite(content.calcium_map.thickness_mm).mean()
    assert share == pytest.approx(210 / 360, abs=0.02)
    assert "no mm scale" in printed(content)


def test_no_calcium() -> None:
    content = report_of(study_of([NO_CALCIUM] * 4))
    assert content.lesions == ()
    assert content.lesion_table is None
    assert content.no_lesion_text == "No calcium found in the 4 frames that were measured."
    assert content.vessel_key_frames[0].title.startswith("MLA")
    assert content.no_lesion_text in printed(content)


def test_one_frame() -> None:
    content = report_of(study_of([calcified(210.0)]))
    (lesion,) = content.lesions
    (key,) = lesion.key_frames
    assert key.title == "Maximum arc · maximum thickness · MLA · first frame · last frame"
    assert lesion.missing == ("Length unavailable: a single frame has no length.",)
    assert content.axis.start_label == "first frame"
    assert "lesion 1 · frame 1" in printed(content)


def test_frames_that_are_not_measured() -> None:
    study = study_of([calcified(90.0)] * 8)
    predictions = {**study.predictions, 2: FrameAnnotation(failure="no lumen found")}
    del predictions[7]
    review = Review(excluded=MappingProxyType({4: "blood", 5: "blood"}))
    content = report_of(replace(study, predictions=predictions, review=review))
    assert "Failed (no lumen found): frame 3." in content.notes
    assert "Excluded (blood): frames 5–6." in content.notes
    assert "Not segmented: frame 8." in content.notes
    assert content.calcium_map is not None
    assert np.flatnonzero(~content.calcium_map.measured).tolist() == [2, 4, 5, 7]
    assert any("frames 3, 5–6" in words for words in content.lesions[0].missing)
    nothing = report_of(replace(study, predictions={}))
    assert "nothing can be said about calcium" in nothing.no_lesion_text


def test_figures_hold_the_true_values() -> None:
    content = report_of(study_of([NO_CALCIUM, *[ACROSS_WIRE] * 10]))
    assert content.calcium_map is not None
    thickness = content.calcium_map.thickness_mm
    assert thickness.shape == (360, 11)
    assert np.isnan(thickness[:, 0]).all()
    assert np.nanmax(thickness) == pytest.approx(0.6, abs=0.02)
    assert content.calcium_map.shadow[115, 1:].all()
    assert not content.calcium_map.shadow[:, 0].any()
    arc = content.trends[0]
    assert (arc.threshold, arc.values[0]) == (180.0, 0.0)
    assert arc.values[5] == pytest.approx(90, abs=3)
    assert arc.second is not None
    assert arc.second[5] == pytest.approx(200, abs=3)
    view = content.longitudinal
    assert view is not None
    np.testing.assert_allclose(view.lumen_mm, 1.5, atol=0.02)
    (region,) = view.calcium  # the cut runs through the middle of the larger visible arc
    first, low, last, high = region.polygon.bounds
    assert (first, last) == (1.0, 11.0)
    assert sorted((abs(low), abs(high))) == pytest.approx([1.7, 2.3], abs=0.05)


def test_flags_and_voi() -> None:
    narrow = label_map((20.0, 120.0), grid=GRID, lumen_mm=1.2)
    frames = [NO_CALCIUM, NO_CALCIUM, *[calcified(100.0)] * 5, narrow, NO_CALCIUM]
    content = report_of(study_of(frames, review=Review(voi=(2, 7))))
    assert content.axis.voi == (2, 7)
    marked = {flag.text: flag.frame for flag in content.axis.flags}
    assert (marked["MLA"], marked["max arc"]) == (7, 7)
    assert "reference" in marked
    assert content.identification[-1].value == "frames 3–8"


def test_review_stamps() -> None:
    study = study_of([calcified(90.0)] * 3)
    assert not report_of(study).reviewed
    confirmed = Review(confirmed_lesions=frozenset({(0, 2)}))
    content = report_of(replace(study, review=confirmed))
    assert content.reviewed
    assert content.lesions[0].reviewed
    empty = study_of([NO_CALCIUM] * 2)
    assert not report_of(empty).reviewed
    seen = Review(confirmed_frames=frozenset({0, 1}))
    assert report_of(replace(empty, review=seen)).reviewed


def test_simulated_is_said() -> None:
    study = study_of([calcified(90.0)] * 3)
    assert not report_of(study).simulated
    calibration = Calibration(CalibratedValue(0.02, Origin.SIMULATED))
    pullback = study.pullback.calibrated(calibration)
    content = report_of(replace(study, pullback=pullback))
    assert content.simulated
    assert "simulated" in content.calibration[0].note
    assert "SIMULATED" in printed(content)


def test_probability_only_with_a_measured_error() -> None:
    study = study_of([calcified(182.0)] * 5)
    assert report_of(study).lesions[0].probability == ""
    error = MeasuredError(
        arc_bias_deg=0.0, arc_sd_deg=10.0, thickness_bias_mm=0.0, thickness_sd_mm=0.01
    )
    probability = report_of(study, error=error).lesions[0].probability
    assert probability.startswith("score 3 (")
    assert ", 1 (" in probability


def test_the_header_identifies() -> None:
    study = study_of([NO_CALCIUM])
    header = {
        "patient_id": "P-7",
        "patient_name": "Doe^Jane",
        "patient_birth_date": "19500203",
        "study_date": "20260102",
        "study_time": "030405.678",
        "manufacturer": "Maker",
        "Ward": "3",
    }
    source = SourceReference(Path("a/b.dcm"), "DICOM", header=header)
    pullback = replace(study.pullback, source=source, notes=("Odd.",))
    content = report_of(replace(study, pullback=pullback))
    rows = {row.label: row.value for row in content.identification}
    assert rows["Patient"] == "P-7 · Doe Jane"
    assert rows["Born, sex"] == "1950-02-03"
    assert rows["Study"] == "2026-01-02 · 03:04:05"
    assert (rows["System"], rows["Ward"], rows["Source"]) == ("Maker", "3", "b.dcm")
    assert "Odd." in content.notes


def test_many_lesions_make_smaller_pictures_and_keep_their_numbers() -> None:
    gap = [NO_CALCIUM] * 6
    strongest = [calcified(210.0)] * 2
    frames = [*gap]
    for _ in range(7):
        frames += [calcified(60.0), *gap]
    content = report_of(study_of([*frames, *strongest]))
    assert [lesion.number for lesion in content.lesions] == [8, 1, 2, 3, 4, 5, 6, 7]
    few = report_of(study_of(strongest))
    size = content.lesions[0].key_frames[0].cross_section.shape[0]
    assert size < few.lesions[0].key_frames[0].cross_section.shape[0]
    assert len(render_report(content)) < 5e6


def grey_pullback(shown: NDArray[np.generic]) -> Pullback:
    class Shown(ArrayFrames):
        def display(self, index: int) -> NDArray[np.generic]:
            return shown

    pullback = make_pullback(1, grid=GRID)
    return replace(pullback, frames=Shown(np.zeros((1, *GRID.shape), dtype=np.float32)))


def test_grey_frames_go_through_the_gold_table() -> None:
    shown = np.full(GRID.shape, 128, dtype=np.uint8)
    pictures = FramePictures(grey_pullback(shown))
    for picture in (
        pictures.cross_section(0, radius_mm=1.0, size_px=20),
        pictures.polar(0, radius_mm=1.0, size_px=20).swapaxes(0, 1),
    ):
        np.testing.assert_array_equal(picture[10, 10], gold_table()[128])


def test_linear_intensities_are_shown_as_decibels() -> None:
    shown = np.tile(np.logspace(0, 4, GRID.samples, dtype=np.float32), (GRID.a_lines, 1))
    pullback = replace(grey_pullback(shown), intensity=Intensity.LINEAR)
    radii = np.array([0.8, 1.6, 2.4])
    cut = FramePictures(pullback).cut(0, directions_deg=[30.0], radii_mm=radii)[0]
    levels = [int(np.flatnonzero((gold_table() == colour).all(axis=1))[0]) for colour in cut]
    # Between percentiles 20 and 99 of a ramp in decibels: linear in the radius.
    expected = [255 * (radius / 3.2 - 0.2) / 0.79 for radius in radii]
    assert levels == pytest.approx(expected, abs=4)


def test_colours_are_kept_and_the_cut_agrees_with_the_polar_frame() -> None:
    grid = CartesianGrid(160, 160, 0.04, (79.5, 79.5))
    polar = np.tile(np.linspace(0, 255, GRID.samples, dtype=np.float32), (GRID.a_lines, 1))
    grey = resample(polar, GRID, grid)
    shown = np.stack([grey, 0.5 * grey, 0 * grey], axis=-1).astype(np.uint8)

    class Shown(ArrayFrames):
        def display(self, index: int) -> NDArray[np.generic]:
            return shown

    pullback = Pullback(
        name="colours",
        frames=Shown(np.zeros((1, 1, 1), dtype=np.float32)),
        frame_count=1,
        layout=CartesianLayout(160, 160, (79.5, 79.5), 80.0),
        calibration=Calibration(CalibratedValue(0.04, Origin.OPERATOR)),
        intensity=Intensity.LOG,
        source=SourceReference(Path("a.png"), "image"),
        working_spacing_mm=0.04,
    )
    radii = np.array([0.5, 1.5, 2.5])
    cut = FramePictures(pullback).cut(0, directions_deg=[215.0], radii_mm=radii)[0]
    np.testing.assert_allclose(cut[:, 0], 255 * radii / 3.2, atol=3)
    np.testing.assert_allclose(cut[:, 1], cut[:, 0] / 2, atol=2)
    assert not cut[:, 2].any()


def test_frames_that_cannot_be_read_leave_a_grey_column() -> None:
    class Broken(ArrayFrames):
        def display(self, index: int) -> NDArray[np.generic]:
            if index == 1:
                raise CalcViewerError("Frame 2 is damaged.")
            return super().display(index)

    study = study_of([calcified(90.0)] * 3)
    frames = Broken(np.zeros((3, *GRID.shape), dtype=np.float32))
    content = report_of(replace(study, pullback=replace(study.pullback, frames=frames)))
    assert content.longitudinal is not None
    column = content.longitudinal.image[:, 1]
    assert (column == column[0, 0]).all()
    assert column[0, 0] > 0
    assert 1 not in [key.frame for key in content.lesions[0].key_frames]


def test_the_view_shows_all_that_is_drawn_within_the_field() -> None:
    pullback = make_pullback(1, grid=GRID)
    drawn = annotations([calcified(90.0)])[0]
    assert 2.3 < view_radius_mm(pullback, [drawn]) <= pullback.field_radius_mm
    assert view_radius_mm(pullback, []) == pullback.field_radius_mm


def test_pictures_lie_on_the_scale_in_force() -> None:
    study = study_of([calcified(90.0)] * 3)
    ramp = np.broadcast_to(np.linspace(0, 1, GRID.samples, dtype=np.float32), (3, *GRID.shape))
    pullback = replace(study.pullback, frames=ArrayFrames(ramp))
    study = replace(study, pullback=pullback)
    spacing = CalibratedValue(2 * GRID.sample_spacing_mm, Origin.OPERATOR)
    calibration = replace(pullback.calibration, sample_spacing_mm=spacing)
    rescaled = report_of(replace(study, review=Review(calibration=calibration)))
    original = report_of(study)
    before, after = (one.lesions[0].key_frames[0] for one in (original, rescaled))

    def colour_at(key: KeyFrame, radius_mm: float) -> NDArray[np.float64]:
        rows = key.polar.shape[0]
        return key.polar[round(rows * radius_mm / key.radius_mm), 0].astype(float)

    # The image is brighter with the depth: the same tissue lies twice as deep.
    np.testing.assert_allclose(colour_at(after, 3.4), colour_at(before, 1.7), atol=3)
